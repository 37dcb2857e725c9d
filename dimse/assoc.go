package dimse

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"gantry/dicom"
	"gantry/dicom/uid"
	"gantry/ul"
)

// Assoc is an association as its requestor has it. Operations go one at a time: concurrent
// calls wait for each other, but while an iterator of Find, Get or Move is being ranged
// over, other calls fail with ErrBusy, as waiting inside the loop would never end. Assoc
// starts no goroutine; a peer's abort shows at the next call.
//
// A context that ends during C-FIND, C-GET or C-MOVE sends C-CANCEL and leaves the
// association usable when the peer answers that in time; in other operations it aborts.
type Assoc struct {
	session
	peer      *Peer
	limits    NetLimits
	handler   Handler
	free      chan struct{} // holds one value while no operation runs
	iterating atomic.Bool
	nextID    uint16
	rsp       Command // last command set read
	rcvd      dataReader
	storer    Storer // during Get
}

// Peer returns what is known of the other side.
func (a *Assoc) Peer() *Peer { return a.peer }

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
	if err := a.acquire(ctx); err != nil {
		return err
	}
	defer a.yield()
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

// acquire waits for the association to be free.
func (a *Assoc) acquire(ctx context.Context) error {
	select {
	case <-a.free:
		return nil
	default:
	}
	if a.iterating.Load() {
		return ErrBusy
	}
	select {
	case <-a.free:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (a *Assoc) yield() { a.free <- struct{}{} }

// pick returns the first context of a class that this side may use as a user.
func (a *Assoc) pick(class uid.UID) (*presentation, error) {
	for i := range a.contexts {
		if pc := &a.contexts[i]; pc.class == class && pc.scu {
			return pc, nil
		}
	}
	return nil, &ErrNoContext{Class: class}
}

func (a *Assoc) messageID() uint16 {
	if a.nextID++; a.nextID == 0 {
		a.nextID = 1
	}
	return a.nextID
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

// next reads messages up to a response to message id, which is left in a.rsp; requests of
// the peer are answered on the way. It waits at most wait.
func (a *Assoc) next(ctx context.Context, id uint16, wait time.Duration) (*presentation, error) {
	for {
		a.conn.StartMessage(wait)
		pc, err := a.readCommand(&a.rsp)
		switch {
		case errors.Is(err, ul.ErrIdle):
			err = fmt.Errorf("dimse: no response in %v: %w", wait, &ul.TimeoutError{State: ul.Sta6, What: "a response"})
			return nil, a.abort(err)
		case errors.Is(err, ul.ErrReleaseRequested):
			a.conn.ReplyRelease()
			return nil, fmt.Errorf("dimse: the peer released the association during an operation: %w", err)
		case err != nil:
			return nil, err
		}
		if a.rsp.HasData {
			a.rcvd.reset(&a.session, pc.id)
		}
		switch {
		case !a.rsp.Response && a.rsp.Op == CCancel: // too late for whatever it was
		case !a.rsp.Response:
			if err := a.serve(ctx, pc); err != nil {
				return nil, err
			}
		case a.rsp.RespondedTo != id:
			return nil, a.abort(protocolError("a response to message %d while %d is open", a.rsp.RespondedTo, id))
		default:
			return pc, nil
		}
	}
}

// body reads and decodes the data set of the response in a.rsp; nil if it has none.
func (a *Assoc) body(pc *presentation) (*dicom.DataSet, error) {
	if !a.rsp.HasData {
		return nil, nil
	}
	b, err := a.rcvd.readAll(a.limits.MaxIdentifier)
	if errors.Is(err, ul.ErrInterrupted) {
		return nil, err
	}
	if err != nil {
		return nil, a.abort(err)
	}
	ds, err := dicom.DecodeBytes(b, dicom.DecodeOptions{Syntax: pc.syntax})
	if err != nil {
		return nil, fmt.Errorf("dimse: the data set of a response: %w", err)
	}
	return ds, nil
}

// serve answers a request of the peer: a C-STORE during Get by the storer, else by the
// handler.
func (a *Assoc) serve(ctx context.Context, pc *presentation) error {
	cmd := a.rsp
	r := &Request{Op: cmd.Op, Class: cmd.Class(), Instance: cmd.Instance(), Syntax: pc.syntax, MessageID: cmd.MessageID,
		Peer: a.peer, Command: &cmd, ctx: ctx, session: &a.session, pc: pc, caller: a, limit: a.limits.MaxIdentifier}
	if cmd.HasData {
		r.Data = &a.rcvd
	}
	w := &responseWriter{s: &a.session, pc: pc, req: r, started: time.Now()}
	switch {
	case a.storer != nil && cmd.Op == CStore:
		ServeStore(a.storer, w, r)
	case a.handler != nil:
		a.handler.ServeDIMSE(w, r)
	default:
		w.Send(&Response{Status: UnrecognizedOperation})
	}
	if cmd.HasData {
		if err := a.rcvd.drain(a.limits.MaxDrain); err != nil {
			return err
		}
	}
	w.end()
	return w.failed
}

// subStore implements subOperator: a requestor serves no C-GET.
func (a *Assoc) subStore(context.Context, *Outgoing, *Request) (Status, error) {
	return 0, &StatusError{Status: UnrecognizedOperation}
}

// exchange sends a request and waits for its one response. The end of ctx aborts.
func (a *Assoc) exchange(ctx context.Context, pc *presentation, cmd *Command, ds *dicom.DataSet) (*dicom.DataSet, error) {
	defer a.watch(ctx)()
	if err := a.write(pc, cmd, ds); err != nil {
		return nil, a.given(ctx, err)
	}
	rpc, err := a.next(ctx, cmd.MessageID, a.limits.Response)
	if err != nil {
		return nil, a.given(ctx, err)
	}
	out, err := a.body(rpc)
	return out, a.given(ctx, err)
}

// given turns the interruption of an operation that cannot be canceled into an abort and
// the context's error.
func (a *Assoc) given(ctx context.Context, err error) error {
	if err == nil || !errors.Is(err, ul.ErrInterrupted) {
		return err
	}
	a.conn.Abort(ul.SourceUser, ul.ReasonNotSpecified)
	if cause := context.Cause(ctx); cause != nil {
		return fmt.Errorf("dimse: operation given up, association aborted: %w", cause)
	}
	return err
}

// Serve answers requests of the peer by the Dialer's Handler until the peer releases or
// ctx ends; for services in which the peer asks later, on the same association.
func (a *Assoc) Serve(ctx context.Context) error {
	if err := a.acquire(ctx); err != nil {
		return err
	}
	defer a.yield()
	defer a.watch(ctx)()
	for {
		a.conn.StartMessage(0)
		pc, err := a.readCommand(&a.rsp)
		switch {
		case errors.Is(err, ul.ErrReleaseRequested):
			err = a.conn.ReplyRelease()
			a.conn.Close()
			return err
		case errors.Is(err, ul.ErrInterrupted) && ctx.Err() != nil:
			return context.Cause(ctx)
		case err != nil:
			return err
		case a.rsp.Response:
			return a.abort(protocolError("a response that was not asked"))
		}
		if a.rsp.HasData {
			a.rcvd.reset(&a.session, pc.id)
		}
		if a.rsp.Op == CCancel {
			continue
		}
		if err := a.serve(ctx, pc); err != nil {
			return err
		}
	}
}

// ServeStore hands the C-STORE request r to st and answers it.
func ServeStore(st Storer, w ResponseWriter, r *Request) {
	if r.Data == nil {
		w.Send(&Response{Status: UnableToProcess, Comment: "no data set"})
		return
	}
	in := &Incoming{Class: r.Class, Instance: r.Instance, Syntax: r.Syntax, Peer: r.Peer, Body: r.Data,
		MoveOriginator: r.Command.MoveOriginator, MoveOriginatorID: r.Command.MoveOriginatorID}
	if err := st.Store(r.Context(), in); err != nil {
		Fail(w, r, err)
		return
	}
	w.Final(Success, nil)
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
	cmd := Command{Op: CEcho, MessageID: a.messageID(), AffectedClass: uid.Verification}
	if _, err := a.exchange(ctx, pc, &cmd, nil); err != nil {
		return err
	}
	return statusOf(&a.rsp)
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
// reading o failed, or the end of the association.
func (a *Assoc) Store(ctx context.Context, o *Outgoing) (Status, error) {
	if err := a.acquire(ctx); err != nil {
		return 0, err
	}
	defer a.yield()
	pc, body, err := o.openFor(ctx, a.contexts, func(pc *presentation) bool { return pc.scu })
	if err != nil {
		return 0, err
	}
	defer body.Close()
	return a.store(ctx, pc, o, body)
}

func (a *Assoc) store(ctx context.Context, pc *presentation, o *Outgoing, body io.Reader) (Status, error) {
	defer a.watch(ctx)()
	cmd := o.storeRequest(a.messageID())
	var buf [256]byte
	if _, err := a.conn.WriteMessageFrom(pc.id, cmd.Append(buf[:0]), body); err != nil {
		return 0, a.given(ctx, err)
	}
	rpc, err := a.next(ctx, cmd.MessageID, a.limits.Response)
	if err != nil {
		return 0, a.given(ctx, err)
	}
	if _, err := a.body(rpc); err != nil {
		return 0, a.given(ctx, err)
	}
	return a.rsp.Status, nil
}
