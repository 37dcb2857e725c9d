package ul

import (
	"math"
	"time"
)

// Unlimited, as Options.MaxLength, advertises that P-DATA-TF PDUs of any length are
// received (PS3.8 D.1: zero on the wire).
const Unlimited = math.MaxUint32

// Options tunes a Conn. The zero value is ready to use; every field's zero means its
// default.
type Options struct {
	MaxLength  uint32        // longest P-DATA-TF received, as advertised; default 128 KiB
	SendLength uint32        // longest P-DATA-TF sent, below what the peer allows; default 128 KiB
	ARTIM      time.Duration // whole wait for an association to be settled or closed; default 30 s
	Read       time.Duration // longest wait for the peer inside a message; default 60 s
	Write      time.Duration // longest wait for the peer to take one PDU; default 60 s
	MinRate    int           // bytes a second a message must average while we wait; default 256

	// OnTransition, if set, sees each step of the state machine. It must not block.
	OnTransition func(from State, e Event, t Transition)
}

const (
	defaultLength  = 128 << 10
	defaultARTIM   = 30 * time.Second
	defaultIO      = 60 * time.Second
	defaultMinRate = 256
)

func (o Options) withDefaults() Options {
	setDefault(&o.MaxLength, defaultLength)
	setDefault(&o.SendLength, defaultLength)
	setDefault(&o.ARTIM, defaultARTIM)
	setDefault(&o.Read, defaultIO)
	setDefault(&o.Write, defaultIO)
	setDefault(&o.MinRate, defaultMinRate)
	return o
}

func setDefault[T int | uint32 | time.Duration](p *T, v T) {
	if *p <= 0 {
		*p = v
	}
}

// advertised returns the value of the Maximum Length sub-item.
func (o *Options) advertised() uint32 {
	if o.MaxLength == Unlimited {
		return 0
	}
	return o.MaxLength
}

// sendLimit returns the most bytes one fragment has when the peer receives PDUs of at
// most peer bytes: an even number, and at least 2 whatever the peer says.
func (o *Options) sendLimit(peer uint32) int {
	n := o.SendLength
	if peer != 0 && peer < n {
		n = peer
	}
	if n < pdvHeaderLength+2 {
		n = pdvHeaderLength + 2
	}
	return int(n-pdvHeaderLength) &^ 1
}
