package dimse

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"gantry/dicom/uid"
	"gantry/ul"
)

// Assoc is an association as its requestor has it. Several goroutines may use it: Echo,
// Store and the N-services run as many at a time as Window says, others wait. An iterator of
// Find, Get or Move has the association for itself: while it is being ranged over, other
// calls fail with ErrBusy, as waiting inside the loop would never end. Assoc starts no
// goroutine; a peer's abort shows at the next call.
//
// A context that ends during C-FIND, C-GET or C-MOVE sends C-CANCEL and leaves the
// association usable when the peer answers that in time; in other operations it aborts the
// association, and with it those that run beside.
type Assoc struct {
	session
	peer      *Peer
	limits    NetLimits
	handler   Handler
	proposed  []Context
	free      chan struct{} // one value for each operation that may begin
	alone     chan struct{} // holds one value while nobody waits for all of them
	iterating atomic.Bool

	mu     sync.Mutex
	nextID uint16
	calls  map[uint16]*call // whose response is waited for, by Message ID
	spare  []*call

	// Of the reader: whoever has the value of reading, or the whole association.
	reading chan struct{}
	rsp     Command // last command set read
	rcvd    dataReader
	storer  Storer // during Get
}

// Peer returns what is known of the other side.
func (a *Assoc) Peer() *Peer { return a.peer }

// Window returns how many operations may run at a time: what the Dialer proposed and the
// peer accepted, else 1.
func (a *Assoc) Window() int { return cap(a.free) }

// Accepted returns the transfer syntaxes that were accepted for a class, in the order of
// the proposed contexts.
func (a *Assoc) Accepted(class uid.UID) []uid.UID {
	var out []uid.UID
	for i := range a.contexts {
		if a.contexts[i].class == class {
			out = append(out, a.contexts[i].syntax)
		}
	}
	return out
}

// Err returns why the association ended, nil while it lives.
func (a *Assoc) Err() error { return a.conn.Err() }

// BytesIn returns how many bytes were received.
func (a *Assoc) BytesIn() int64 { return a.conn.BytesIn() }

// BytesOut returns how many bytes were sent.
func (a *Assoc) BytesOut() int64 { return a.conn.BytesOut() }

// alive looks, for a millisecond, whether the peer has ended the association or broken its
// connection since the last operation.
func (a *Assoc) alive() bool {
	if a.conn.Err() != nil {
		return false
	}
	a.conn.StartMessage(time.Millisecond)
	_, err := a.conn.NextPDV()
	return errors.Is(err, ul.ErrIdle)
}

// Release releases the association in order and closes the connection.
func (a *Assoc) Release(ctx context.Context) error {
	if err := a.acquireAll(ctx); err != nil {
		return err
	}
	defer a.yieldAll()
	err := a.conn.Release(ctx)
	if cerr := a.conn.Close(); err == nil && cerr != nil && !errors.Is(cerr, ul.ErrClosed) {
		err = cerr
	}
	return err
}

// Abort aborts the association, also from another goroutine than the one in an operation,
// and closes the connection.
func (a *Assoc) Abort() error {
	a.conn.Abort(ul.SourceUser, ul.ReasonNotSpecified)
	return a.conn.NetConn().Close()
}

// pick returns the first context of a class that this side may use as a user.
func (a *Assoc) pick(class uid.UID) (*presentation, error) {
	for i := range a.contexts {
		if pc := &a.contexts[i]; pc.class == class && pc.scu {
			return pc, nil
		}
	}
	return nil, &ErrNoContext{Class: class}
}

// watch interrupts reads and writes when ctx ends; the function returned undoes that.
func (a *Assoc) watch(ctx context.Context) func() {
	if ctx.Done() == nil {
		return func() {}
	}
	done := make(chan struct{})
	stop := context.AfterFunc(ctx, func() { a.conn.Interrupt(); close(done) })
	return func() {
		if !stop() {
			<-done
			if a.conn.Err() == nil {
				a.conn.Resume()
			}
		}
	}
}

// Echo verifies that the peer answers (C-ECHO, PS3.7 9.1.5).
func (a *Assoc) Echo(ctx context.Context) error {
	if err := a.acquire(ctx); err != nil {
		return err
	}
	defer a.yield()
	pc, err := a.pick(uid.Verification)
	if err != nil {
		return err
	}
	cmd := Command{Op: CEcho, AffectedClass: uid.Verification}
	rsp, err := a.exchange(ctx, pc, &cmd, nil)
	if err != nil {
		return err
	}
	return statusOf(&rsp.Command)
}

// statusOf returns the status of a response as an error; nil for success and warnings.
func statusOf(c *Command) error {
	switch c.Status.Class() {
	case ClassSuccess, Warning:
		return nil
	}
	return &StatusError{Status: c.Status, Comment: c.Comment, Offending: c.Offending}
}

// Store sends an object (C-STORE, PS3.7 9.1.1) on a context of its class: with its own
// transfer syntax, else with another for which o.Open gives the data. The response's status
// is data; an error means that there was none: *ErrNoContext, a *ul.SourceError when
// reading o failed, or the end of the association, with ErrUnsent if that came first.
func (a *Assoc) Store(ctx context.Context, o *Outgoing) (Status, error) {
	pc, body, err := o.openFor(ctx, a.contexts, func(pc *presentation) bool { return pc.scu })
	if err != nil {
		return 0, err
	}
	defer body.Close()
	m, err := a.conn.Prepare(body) // before its turn: the file may be slow
	if err != nil {
		return 0, err
	}
	defer m.Discard()
	if err := a.acquire(ctx); err != nil {
		return 0, err
	}
	defer a.yield()
	if cause := a.conn.Err(); cause != nil {
		return 0, fmt.Errorf("%w: %w", ErrUnsent, cause)
	}
	return a.store(ctx, pc, o, &m)
}

func (a *Assoc) store(ctx context.Context, pc *presentation, o *Outgoing, m *ul.Message) (Status, error) {
	cmd := o.storeRequest(0)
	rsp, err := a.call(ctx, &cmd, func() error {
		var buf [256]byte
		_, err := m.Send(pc.id, cmd.Append(buf[:0]))
		return err
	})
	return rsp.Status, err
}
