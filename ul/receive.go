package ul

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

// lengthTolerance is how far a peer's P-DATA-TF may exceed the maximum length: some
// writers count the headers of PDU and PDV out.
const lengthTolerance = HeaderLength + pdvHeaderLength

// maxLength returns the cap of received P-DATA-TF PDUs, zero for none.
func (c *Conn) maxLength() uint32 {
	if c.opts.MaxLength == Unlimited {
		return 0
	}
	return c.opts.MaxLength + lengthTolerance
}

// header reads a PDU header and vets it.
func (c *Conn) header() (PDUType, uint32, error) {
	b, err := c.rd.fill(HeaderLength)
	if err != nil {
		return 0, 0, err
	}
	t, length := PDUType(b[0]), binary.BigEndian.Uint32(b[2:])
	if !t.Known() {
		e := &ProtocolError{Got: Sniff(b[:HeaderLength]), Head: [HeaderLength]byte(b)}
		if early := c.State(); (early == Sta2 || early == Sta5) && e.Got != ProtocolDICOM {
			return t, length, e
		}
	}
	if err := checkHeader(t, length, c.maxLength()); err != nil {
		return t, length, err
	}
	c.rd.r += HeaderLength
	return t, length, nil
}

// StartMessage tells that the next read waits for a new message: at most idle for its
// first byte, zero for ever, then by Options.Read and Options.MinRate. When idle passes
// NextPDV returns ErrIdle and nothing has ended. A message of which bytes were read ahead
// has begun already.
func (c *Conn) StartMessage(idle time.Duration) {
	d := &c.rd
	d.mode, d.idle, d.blocked, d.bytes = waitIdle, idle, 0, int64(d.w-d.r)
	if d.r < d.w {
		d.mode = waitMessage
	}
}

// NextPDV reads up to the next fragment and returns its description; Read then reads the
// fragment itself. What is left of the fragment before is skipped. A peer's A-RELEASE-RQ
// is ErrReleaseRequested, its A-ABORT an *AbortedError; any other error but ErrInterrupted and ErrIdle
// ends the association too, after an A-ABORT where the standard asks for one.
func (c *Conn) NextPDV() (PDV, error) {
	for c.pdv > 0 {
		n, err := c.rd.skipSome(c.pdv)
		c.pdu, c.pdv = c.pdu-n, c.pdv-n
		if err != nil {
			return PDV{}, c.failed(err, "the rest of a fragment")
		}
	}
	for c.pdu == 0 {
		if err := c.nextData(); err != nil {
			return PDV{}, err
		}
	}
	return c.pdvHeader()
}

// nextData reads PDUs up to the header of a P-DATA-TF.
func (c *Conn) nextData() error {
	t, length, err := c.header()
	if err != nil {
		return c.failed(err, "a PDU")
	}
	a, err := c.received(t, length)
	switch {
	case err != nil:
		return err
	case a == AR2:
		return ErrReleaseRequested
	case a == DT2 && length < pdvHeaderLength:
		return c.failed(invalid(t, "length %d, too short for a PDV item", length), "")
	case a == DT2:
		c.pdu = length
	}
	return nil
}

func (c *Conn) pdvHeader() (PDV, error) {
	if c.pdu < pdvHeaderLength {
		return PDV{}, c.failed(invalid(TypePData, "%d bytes left, too few for a PDV item", c.pdu), "")
	}
	h, err := c.rd.fill(pdvHeaderLength)
	if err != nil {
		return PDV{}, c.failed(err, "a PDV header")
	}
	p, err := decodePDVHeader(h, c.pdu)
	if err != nil {
		return PDV{}, c.failed(err, "")
	}
	c.rd.r += pdvHeaderLength
	c.pdu -= pdvHeaderLength
	c.pdv = p.Length
	return p, nil
}

// Read reads the fragment that NextPDV described; io.EOF at its end. Bytes go from the
// transport into p without a buffer between when p is longer than a kilobyte.
func (c *Conn) Read(p []byte) (int, error) {
	if c.pdv == 0 {
		return 0, io.EOF
	}
	if uint64(len(p)) > uint64(c.pdv) {
		p = p[:c.pdv]
	}
	n, err := c.rd.Read(p)
	c.pdv -= uint32(n)
	c.pdu -= uint32(n)
	if n > 0 {
		return n, nil // an error comes again
	}
	if err != nil {
		err = c.failed(err, "a fragment")
	}
	return 0, err
}

// received feeds the arrival of a vetted PDU to the state machine and performs what
// needs no caller. The body of a P-DATA-TF is left unread for DT-2; that of AC, RJ and RQ
// is left for AE-3, AE-4 and AE-6.
func (c *Conn) received(t PDUType, length uint32) (Action, error) {
	tr, err := c.step(t.event(), t == TypeReleaseRQ && !c.requestor && c.State() == Sta7)
	if err != nil {
		return ActionNone, err
	}
	switch tr.Action {
	case AA1, AA7, AA8:
		c.pdu = length
		fe := &FormatError{PDU: t, Reason: ReasonUnexpectedPDU, Msg: "not expected in this state"}
		return tr.Action, c.abortFor(tr.Action, fe)
	case AA2, AA3:
		b, err := c.rd.body(int(length))
		if err != nil {
			return tr.Action, c.failed(err, "the rest of an A-ABORT")
		}
		a, err := DecodeAbort(b)
		if err != nil {
			return tr.Action, c.end(err)
		}
		return tr.Action, c.end(&AbortedError{a})
	case DT2, AE3, AE4, AE6:
		return tr.Action, nil
	}
	if err := c.rd.skip(length); err != nil { // AA-6, AR-2, AR-3, AR-6, AR-8, AR-10
		return tr.Action, c.failed(err, "the rest of a PDU")
	}
	return tr.Action, nil
}

// failed ends the association after a read went wrong: what is waited for, for the text.
// It feeds the state machine the event that the error stands for.
func (c *Conn) failed(err error, what string) error {
	state := c.State()
	var fe *FormatError
	var pe *ProtocolError
	switch {
	case errors.Is(err, ErrInterrupted):
		if cause := c.Err(); cause != nil {
			return cause
		}
		return ErrInterrupted
	case errors.As(err, &fe), errors.As(err, &pe):
		tr, serr := c.step(Evt19, false)
		if serr != nil {
			return serr
		}
		return c.abortFor(tr.Action, err)
	case errors.Is(err, os.ErrDeadlineExceeded) && c.rd.mode == waitIdle && state == Sta6:
		return ErrIdle
	case errors.Is(err, os.ErrDeadlineExceeded):
		return c.timedOut(state, what)
	}
	if _, serr := c.step(Evt17, false); serr != nil {
		return serr
	}
	return c.end(&TransportError{state, err})
}

// timedOut ends the association after a deadline: by ARTIM (AA-2) where the standard has
// it running, else by an A-ABORT of ours.
func (c *Conn) timedOut(state State, what string) error {
	err := c.end(&TimeoutError{state, what})
	if _, serr := c.step(Evt18, false); serr == nil {
		return err
	}
	c.abort(Abort{SourceProvider, ReasonNotSpecified}, err)
	return err
}

// abortFor performs AA-1, AA-7 or AA-8 because of err.
func (c *Conn) abortFor(a Action, err error) error {
	pdu := Abort{Source: SourceProvider, Reason: ReasonUnrecognizedPDU}
	if a == AA1 {
		pdu.Source = SourceUser
	}
	var fe *FormatError
	if errors.As(err, &fe) {
		pdu.Reason = fe.Reason
	}
	if pdu.Source == SourceUser {
		pdu.Reason = ReasonNotSpecified // not significant from a service-user
	}
	err = c.end(err)
	c.sendAbort(pdu)
	if a == AA7 {
		return nil
	}
	return fmt.Errorf("%w (association aborted)", err)
}
