package ul

import (
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// Conn is one association over one transport connection.
//
// One goroutine at a time reads (NextPDV, Read, Release, Close); any number may call
// WriteMessage, Abort and Interrupt. Conn never starts a goroutine.
type Conn struct {
	nc   net.Conn
	opts Options

	requestor bool
	rq        *AssociateRQ
	ac        *AssociateAC
	fragment  int // most bytes of a fragment we send

	smu   sync.Mutex // guards state and cause
	state State
	cause error // why the association ended, once it did

	in, out     atomic.Int64
	interrupted atomic.Bool
	rd          reader
	pdu, pdv    uint32 // bytes left of the P-DATA-TF and of the fragment being read

	msg      sync.Mutex // held for one message
	wmu      sync.Mutex // held for one PDU
	wlimit   time.Time  // write deadline in force, guarded by wmu
	torn     bool       // a PDU was sent in part; nothing can follow. Guarded by wmu
	vec      [2][]byte  // backs bufs, guarded by wmu
	bufs     net.Buffers
	aborting atomic.Bool // A-ABORT was tried
	wbuf     [512]byte   // short messages, guarded by msg
	held     []byte      // messages that go out with the next one, guarded by msg
}

// ErrClosed is returned by calls on an association that has ended in order.
var ErrClosed = errors.New("ul: association is closed")

// ErrReleaseRequested is returned by NextPDV when the peer asks to release the
// association; ReplyRelease answers.
var ErrReleaseRequested = errors.New("ul: the peer requests release")

// ErrIdle is returned by NextPDV when no message began in the time that StartMessage was
// given. The association lives on.
var ErrIdle = errors.New("ul: no message arrived")

// ErrInterrupted is returned by calls that Interrupt cut short.
var ErrInterrupted = errors.New("ul: interrupted")

// TransportError reports that the transport connection failed or was closed by the peer
// without release or abort.
type TransportError struct {
	State State // of the association when it happened
	Err   error
}

func (e *TransportError) Error() string {
	if errors.Is(e.Err, io.EOF) || errors.Is(e.Err, io.ErrUnexpectedEOF) {
		return "ul: the peer closed the connection in " + e.State.String() + " without release or abort"
	}
	return "ul: connection failed in " + e.State.String() + ": " + e.Err.Error()
}

// Unwrap returns the transport's error.
func (e *TransportError) Unwrap() error { return e.Err }

// TimeoutError reports a peer that let a deadline pass.
type TimeoutError struct {
	State State
	What  string // what was waited for
}

func (e *TimeoutError) Error() string {
	return "ul: time out in " + e.State.String() + " waiting for " + e.What
}

// Timeout is true, as net.Error has it.
func (e *TimeoutError) Timeout() bool { return true }

// StateError reports a call that the association's state does not allow.
type StateError struct {
	State State
	Event Event
}

func (e *StateError) Error() string {
	return "ul: " + e.Event.String() + " is not possible in " + e.State.String()
}

func newConn(nc net.Conn, o Options) *Conn {
	c := &Conn{nc: nc, opts: o.withDefaults(), state: Sta1}
	c.rd.c = c
	c.rd.quick = newQuickAck(nc)
	if t, ok := nc.(*net.TCPConn); ok {
		t.SetNoDelay(true) // the default, but it matters too much to leave to others
	}
	return c
}

// NetConn returns the transport connection.
func (c *Conn) NetConn() net.Conn { return c.nc }

// Request returns the A-ASSOCIATE-RQ of the association.
func (c *Conn) Request() *AssociateRQ { return c.rq }

// Answer returns the A-ASSOCIATE-AC of the association, nil before it is accepted.
func (c *Conn) Answer() *AssociateAC { return c.ac }

// BytesIn returns how many bytes were read from the transport.
func (c *Conn) BytesIn() int64 { return c.in.Load() }

// BytesOut returns how many bytes were written to the transport.
func (c *Conn) BytesOut() int64 { return c.out.Load() }

// State returns the state of the association.
func (c *Conn) State() State {
	c.smu.Lock()
	defer c.smu.Unlock()
	return c.state
}

// Err returns why the association ended: nil while it lives, ErrClosed after a release.
func (c *Conn) Err() error {
	c.smu.Lock()
	defer c.smu.Unlock()
	return c.cause
}

// step feeds e to the state machine. alt chooses the other next state of AE-6 and AR-8.
// An event that cannot happen in the present state is an error and changes nothing.
func (c *Conn) step(e Event, alt bool) (Transition, error) {
	c.smu.Lock()
	from := c.state
	t, ok := Lookup(from, e)
	if !ok {
		err := c.cause
		c.smu.Unlock()
		if err == nil {
			err = &StateError{from, e}
		}
		return t, err
	}
	if alt {
		t.Next = t.Alt
	}
	c.state = t.Next
	c.smu.Unlock()
	if c.opts.OnTransition != nil {
		c.opts.OnTransition(from, e, t)
	}
	return t, nil
}

// end records why the association ended; the first reason stays.
func (c *Conn) end(err error) error {
	c.smu.Lock()
	defer c.smu.Unlock()
	if c.cause == nil {
		c.cause = err
	}
	return c.cause
}

// Interrupt makes blocked and later reads and writes fail with ErrInterrupted until
// Resume. It may be called from any goroutine.
func (c *Conn) Interrupt() {
	c.interrupted.Store(true)
	c.nc.SetDeadline(time.Unix(1, 0))
}

// Resume ends an interruption. The caller must know that Interrupt is not running, and
// that nobody else reads or writes. A write that was cut in the middle of a PDU cannot be
// resumed: it ended the association.
func (c *Conn) Resume() {
	c.wmu.Lock()
	defer c.wmu.Unlock()
	c.interrupted.Store(false)
	c.rd.limit, c.wlimit = time.Time{}, time.Time{}
	c.nc.SetDeadline(time.Time{})
}
