package dimse

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync/atomic"
	"time"

	"gantry/dicom"
	"gantry/dicom/uid"
	"gantry/ul"
)

// operation runs on a goroutine of its own: a C-FIND, C-GET or C-MOVE, or any while the
// window is larger than 1.
type operation struct {
	cmd    Command
	req    Request
	rw     responseWriter
	data   dataReader
	late   bool                    // it came during the shutdown
	cancel context.CancelCauseFunc // nil where C-CANCEL does not reach

	baton  chan struct{} // has room for one: the reading side, given back
	given  atomic.Bool   // it was
	reason error         // why reading ended; set before given
}

// Read implements io.Reader for the handler: it gives the reading side back at the end of
// the data.
func (op *operation) Read(p []byte) (int, error) {
	if op.given.Load() {
		return 0, op.reason
	}
	n, err := op.data.Read(p)
	if err != nil {
		op.giveBack(err)
	}
	return n, err
}

func (op *operation) giveBack(why error) {
	if !op.given.Load() {
		op.reason = why
		op.given.Store(true)
		op.baton <- struct{}{}
	}
}

// begin returns an operation for the request in a.rcvd, known by its Message ID.
func (a *association) begin() *operation {
	a.mu.Lock()
	defer a.mu.Unlock()
	var op *operation
	if n := len(a.spare); n > 0 {
		op, a.spare = a.spare[n-1], a.spare[:n-1]
		op.given.Store(false)
		select {
		case <-op.baton: // nobody wanted it
		default:
		}
	} else {
		op = &operation{baton: make(chan struct{}, 1)}
		op.rw.done = func() { a.remove(op) }
	}
	op.cmd, op.late = a.rcvd, a.draining
	if a.ops == nil {
		a.ops = make(map[uint16]*operation)
	}
	a.ops[op.cmd.MessageID] = op
	return op
}

// spawn starts an operation and lends it the reading side until its data set is read.
func (a *association) spawn(pc *presentation) error {
	op := a.begin()
	op.req.ctx, op.cancel = a.ctx, nil
	if !op.cmd.Op.inline() {
		op.req.ctx, op.cancel = context.WithCancelCause(a.ctx)
	}
	a.fill(&op.req, &op.rw, &op.data, &op.cmd, pc)
	hasData := op.req.Data != nil
	if hasData {
		op.req.Data = op
	}
	a.wg.Add(1)
	go a.run(op)
	if !hasData {
		return nil
	}
	<-op.baton
	if op.data.err == nil {
		return op.data.drain(a.server.limits.MaxDrain)
	}
	if op.data.err != io.EOF {
		return op.data.err
	}
	return nil
}

// run is the goroutine of an operation.
func (a *association) run(op *operation) {
	defer a.wg.Done()
	defer a.returned(op)
	defer a.recoverOp(op.cmd.Op)
	if op.late {
		Fail(&op.rw, &op.req, causeStatus(ErrShutdown))
	} else {
		a.dispatch(&op.req, &op.rw)
	}
	op.rw.end()
	n := op.data.n
	op.giveBack(io.EOF)
	a.finished(&op.rw, n)
	if err := a.after(&op.rw); err != nil {
		a.abort(ErrPeerGone)
	}
}

// returned lets go of what an operation had. Only the owner takes it up again, which has
// the baton by then.
func (a *association) returned(op *operation) {
	op.giveBack(io.EOF)
	if op.cancel != nil {
		op.cancel(nil)
	}
	a.remove(op)
	a.mu.Lock()
	a.spare = append(a.spare, op)
	a.mu.Unlock()
	<-a.slots
	a.wakeForDrain()
}

// wakeForDrain ends the owner's wait for a message when the server shuts down and nothing
// runs any more.
func (a *association) wakeForDrain() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.draining && !a.busy && len(a.ops) == 0 {
		a.conn.Interrupt()
	}
}

// remove takes an operation out of the window, before its final response goes out: the
// peer may send its next request as soon as it has that.
func (a *association) remove(op *operation) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.ops[op.cmd.MessageID] != op {
		return
	}
	delete(a.ops, op.cmd.MessageID)
}

// subStore implements subOperator.
func (a *association) subStore(ctx context.Context, o *Outgoing, r *Request) (Status, error) {
	if err := ctx.Err(); err != nil {
		return 0, context.Cause(ctx)
	}
	pc, body, err := o.openFor(ctx, a.contexts, func(pc *presentation) bool { return pc.scp })
	if err != nil {
		return 0, err
	}
	defer body.Close()
	m, err := a.conn.Prepare(body)
	if err != nil {
		return 0, err
	}
	defer m.Discard()
	rsp, err := a.call(ctx, func(id uint16) error {
		cmd := o.storeRequest(id)
		var buf [256]byte
		_, err := m.Send(pc.id, cmd.Append(buf[:0]))
		return err
	})
	return rsp.Status, err
}

func (a *association) subWindow() int { return cap(a.calls) }

// call sends a request of ours and waits for its response, which the owner delivers. As
// many are open at a time as the peer's window lets. ctx bounds only the wait for that: a
// request that was sent is waited for, since its response comes anyway.
func (a *association) call(ctx context.Context, send func(id uint16) error) (reply, error) {
	select {
	case a.calls <- struct{}{}:
		defer func() { <-a.calls }()
	case <-ctx.Done():
		return reply{}, context.Cause(ctx)
	}
	id, ch := a.expect()
	if err := send(id); err != nil {
		a.forget(id)
		return reply{}, err
	}
	t := time.NewTimer(a.server.limits.Response)
	defer t.Stop()
	select {
	case rsp := <-ch:
		return rsp, nil
	case <-a.ctx.Done(): // the association ends, or the server's Shutdown has no more time
		return reply{}, ErrPeerGone
	case <-t.C:
		a.abort(ErrPeerGone)
		return reply{}, fmt.Errorf("dimse: no response in %v: %w", a.server.limits.Response, &ul.TimeoutError{State: ul.Sta6, What: "a response"})
	}
}

// EventReport sends an N-EVENT-REPORT to the requestor of an association that this server
// accepted, on that association, and waits for the response (PS3.7 10.1.1). It must not be
// called by a handler that runs on the association's owner (see Handler), which could not
// read the response; it may be called by any other goroutine while the association lives.
// The class must have an accepted presentation context. info may be nil.
func (p *Peer) EventReport(ctx context.Context, class, instance uid.UID, event uint16, info *dicom.DataSet) (*Reply, error) {
	a := p.assoc
	if a == nil {
		return nil, errors.New("dimse: EventReport is for the acceptor of an association")
	}
	i := slices.IndexFunc(a.contexts, func(pc presentation) bool { return pc.class == class })
	if i < 0 {
		return nil, &ErrNoContext{Class: class}
	}
	rsp, err := a.call(ctx, func(id uint16) error {
		cmd := Command{Op: NEventReport, MessageID: id, AffectedClass: class, AffectedInstance: instance, EventType: event}
		return a.write(&a.contexts[i], &cmd, info)
	})
	if err != nil {
		return nil, err
	}
	return rsp.decoded()
}

// decoded returns r for the caller of an N-service.
func (r *reply) decoded() (*Reply, error) {
	out := &Reply{Status: r.Status, Comment: r.Comment, Offending: r.Offending, Class: r.AffectedClass, Instance: r.AffectedInstance}
	if !r.HasData {
		return out, nil
	}
	ds, err := dicom.DecodeBytes(r.data, dicom.DecodeOptions{Syntax: r.syntax})
	if err != nil {
		return nil, fmt.Errorf("dimse: the data set of a response: %w", err)
	}
	out.Data = ds
	return out, nil
}

// expect registers the next Message ID of ours; its response comes on the channel.
func (a *association) expect() (uint16, chan reply) {
	ch := make(chan reply, 1)
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.pending == nil {
		a.pending = make(map[uint16]chan reply)
	}
	for {
		a.nextID++
		if _, taken := a.pending[a.nextID]; !taken && a.nextID != 0 {
			a.pending[a.nextID] = ch
			return a.nextID, ch
		}
	}
}

func (a *association) forget(id uint16) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.pending, id)
}
