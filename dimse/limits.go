package dimse

import (
	"time"

	"gantry/ul"
)

// NetLimits caps what a peer can take and how long it can take it. The zero value of each
// field is its default.
type NetLimits struct {
	MaxPDU          uint32        // longest P-DATA-TF received; default 128 KiB; ul.Unlimited for any
	MaxConns        int           // associations at a time; default 1000
	MaxConnsPerPeer int           // associations at a time from one address; default 100
	MaxPending      int           // connections that have no association yet; default 1024
	Window          int           // operations at a time of a peer that proposes an asynchronous window, 1 to 255; default 8
	ARTIM           time.Duration // from connection to association, TLS handshake included; default 30 s
	Idle            time.Duration // an association without operation; default 10 min
	Read            time.Duration // longest wait for the peer inside a message; default 60 s
	Write           time.Duration // longest wait for the peer to take one PDU; default 60 s
	Response        time.Duration // longest wait for the response to a request of ours; default 10 min
	MinRate         int           // bytes a second a message must average while we wait; default 256
	MaxIdentifier   int64         // longest identifier or attribute list; default 4 MiB
	MaxDrain        int64         // longest rest of a data set that is read away after a handler left it; default 64 MiB
}

func (l NetLimits) withDefaults() NetLimits {
	set(&l.MaxConns, 1000)
	set(&l.MaxConnsPerPeer, 100)
	set(&l.MaxPending, 1024)
	set(&l.Window, 8)
	l.Window = min(l.Window, maxWindow)
	set(&l.ARTIM, 30*time.Second)
	set(&l.Idle, 10*time.Minute)
	set(&l.Read, time.Minute)
	set(&l.Write, time.Minute)
	set(&l.Response, 10*time.Minute)
	set(&l.MinRate, 256)
	set(&l.MaxIdentifier, 4<<20)
	set(&l.MaxDrain, 64<<20)
	return l
}

func set[T int | int64 | time.Duration](p *T, v T) {
	if *p <= 0 {
		*p = v
	}
}

func (l *NetLimits) ul() ul.Options {
	return ul.Options{MaxLength: l.MaxPDU, ARTIM: l.ARTIM, Read: l.Read, Write: l.Write, MinRate: l.MinRate}
}
