package ul

import (
	"context"
	"errors"
	"io"
	"net"
	"time"
)

// drainLimit is the most bytes Close reads away while it waits for the peer to close.
const drainLimit = 1 << 20

// Release asks the peer to release the association (PS3.8 7.2) and waits for its answer;
// data that still comes is dropped. Colliding requests are answered as the standard says.
// Afterwards the transport can be closed.
func (c *Conn) Release(ctx context.Context) error {
	defer c.watch(ctx)()
	if _, err := c.step(Evt11, false); err != nil {
		return err
	}
	c.rd.mode, c.rd.until = waitARTIM, time.Now().Add(c.opts.ARTIM)
	if err := c.control(ReleaseRQ{}.Append(nil)); err != nil {
		return err
	}
	if err := c.rd.skip(c.pdu); err != nil {
		return c.failed(err, "the rest of a PDU")
	}
	c.pdu, c.pdv = 0, 0
	return c.awaitRelease()
}

func (c *Conn) awaitRelease() error {
	for {
		t, length, err := c.header()
		if err != nil {
			return c.failed(err, "A-RELEASE-RP")
		}
		a, err := c.received(t, length)
		if err != nil {
			return err
		}
		switch {
		case a == AR3:
			c.end(ErrClosed)
			return nil
		case a == AR8 && c.requestor, a == AR10:
			if err := c.ReplyRelease(); err != nil {
				return err
			}
			if a == AR10 {
				return nil
			}
		}
	}
}

// ReplyRelease answers the peer's A-RELEASE-RQ (PS3.8 7.2).
func (c *Conn) ReplyRelease() error {
	t, err := c.step(Evt14, false)
	if err != nil {
		return err
	}
	if t.Next == Sta13 {
		c.end(ErrClosed)
	}
	c.wmu.Lock()
	defer c.wmu.Unlock()
	if err := c.write(ReleaseRP{}.Append(nil)); err != nil {
		return &TransportError{t.Next, err}
	}
	return nil
}

// Abort aborts the association from any goroutine (PS3.8 7.3): blocked reads and writes
// end, A-ABORT is tried once. On an association that has ended it does nothing. Close must
// still be called.
func (c *Conn) Abort(source AbortSource, reason AbortReason) {
	c.abort(Abort{source, reason}, ErrAborted)
}

// ErrAborted is the reason of an association's end when this side aborted it by Abort.
var ErrAborted = errors.New("ul: association aborted")

func (c *Conn) abort(a Abort, why error) {
	if _, err := c.step(Evt15, false); err != nil {
		return
	}
	c.end(why)
	c.sendAbort(a)
}

// sendAbort tries once to send A-ABORT, if the last PDU went out whole, and shuts the
// sending side. Whoever is blocked in a read or a write is let go first.
func (c *Conn) sendAbort(a Abort) {
	again := c.aborting.Swap(true)
	c.Interrupt()
	c.wmu.Lock()
	defer c.wmu.Unlock()
	if !c.torn && !again {
		c.nc.SetWriteDeadline(time.Now().Add(abortWait))
		n, _ := c.nc.Write(a.Append(nil)) // the peer may be gone; nothing is left to do then
		c.out.Add(int64(n))
	}
	c.torn = true // nothing may follow
	if s, ok := c.nc.(interface{ CloseWrite() error }); ok && !again {
		s.CloseWrite()
	}
}

// Close closes the transport. When the standard leaves closing to the peer (Sta13) it
// waits for that first: for ARTIM after a release or a reject, a second after an abort, or
// a tenth of it when the peer sends nothing that might make it lose the A-ABORT. An
// association that still lives is aborted. Only the reading goroutine may call it.
func (c *Conn) Close() error {
	c.Abort(SourceUser, ReasonNotSpecified)
	if c.State() == Sta13 {
		c.drain()
	}
	c.end(ErrClosed)
	err := c.nc.Close()
	if c.State() == Sta13 {
		c.step(Evt17, false)
	}
	return err
}

// drain reads in Sta13 until the peer closes, time or patience ends. PDUs are answered as
// the table says (AA-6 ignores, AA-7 aborts, AA-2 closes), as long as framing is known.
func (c *Conn) drain() {
	c.Resume()
	end := time.Now().Add(c.patience())
	c.rd.mode, c.rd.until = waitARTIM, end
	if c.rd.skip(min(c.pdu, drainLimit)) != nil || c.pdu > drainLimit {
		return
	}
	c.pdu, c.pdv = 0, 0
	if c.aborting.Load() {
		c.rd.until = time.Now().Add(min(c.patience(), quietWait))
	}
	for total := uint32(0); total < drainLimit; {
		t, length, err := c.header()
		if errors.Is(err, ErrInterrupted) {
			return
		}
		if err != nil {
			c.drainBad(err)
			return
		}
		if c.State() != Sta13 {
			return
		}
		c.rd.until = end
		a, err := c.received(t, length)
		if err != nil || a == AA2 {
			return
		}
		if a == AA7 {
			c.drainRaw()
			return
		}
		total += length
	}
}

// drainBad acts on what could not be read in Sta13: AA-7 for bytes that are no PDU, AR-5
// for the end of the connection, AA-2 for ARTIM.
func (c *Conn) drainBad(err error) {
	var fe *FormatError
	if errors.As(err, &fe) {
		c.step(Evt19, false)
		c.sendAbort(Abort{SourceProvider, fe.Reason})
		c.drainRaw()
		return
	}
	if errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed) {
		c.step(Evt17, false)
		return
	}
	c.step(Evt18, false)
}

// patience returns how long to wait for the peer to close.
func (c *Conn) patience() time.Duration {
	if c.aborting.Load() {
		return min(c.opts.ARTIM, abortWait)
	}
	return c.opts.ARTIM
}

func (c *Conn) drainRaw() {
	c.Resume()
	c.rd.mode, c.rd.until = waitARTIM, time.Now().Add(c.patience())
	c.rd.skip(drainLimit)
}

// watch interrupts c when ctx ends. The function it returns stops that and waits for an
// interruption under way.
func (c *Conn) watch(ctx context.Context) (stop func()) {
	if ctx == nil || ctx.Done() == nil {
		return func() {}
	}
	done := make(chan struct{})
	cancel := context.AfterFunc(ctx, func() { c.Interrupt(); close(done) })
	return func() {
		if !cancel() {
			<-done
		}
	}
}
