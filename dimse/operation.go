package dimse

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"

	"gantry/ul"
)

// operation is a C-FIND, C-GET or C-MOVE on a goroutine of its own.
type operation struct {
	cmd    Command
	req    Request
	rw     responseWriter
	data   dataReader
	baton  chan struct{} // closed when the operation no longer reads the socket
	once   sync.Once
	cancel context.CancelCauseFunc
}

// batonReader is the operation's reader: it gives the reading side back at the end of the data.
type batonReader struct{ op *operation }

func (b batonReader) Read(p []byte) (int, error) {
	n, err := b.op.data.Read(p)
	if err != nil {
		b.op.giveBack()
	}
	return n, err
}

func (op *operation) giveBack() { op.once.Do(func() { close(op.baton) }) }

// spawn starts an operation and lends it the reading side until its data set is read.
func (a *association) spawn(pc *presentation) error {
	op := &operation{cmd: a.rcvd, baton: make(chan struct{})}
	op.req.ctx, op.cancel = context.WithCancelCause(a.ctx)
	a.fill(&op.req, &op.rw, &op.data, &op.cmd, pc)
	op.rw.done = func() { a.remove(op) }
	if op.req.Data != nil {
		op.req.Data = batonReader{op}
	}
	a.mu.Lock()
	if a.ops == nil {
		a.ops = make(map[uint16]*operation)
	}
	a.ops[op.cmd.MessageID] = op
	a.mu.Unlock()
	a.wg.Add(1)
	go a.run(op)
	if op.req.Data == nil {
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
	defer a.remove(op)
	defer op.cancel(nil)
	defer op.giveBack()
	defer a.recoverOp(op.cmd.Op)
	a.dispatch(&op.req, &op.rw)
	op.rw.end()
	n := op.data.n
	op.giveBack()
	a.finished(&op.rw, n)
	if err := a.after(&op.rw); err != nil {
		a.abort(ErrPeerGone)
	}
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
	id, ch := a.expect()
	cmd := o.storeRequest(id)
	var buf [256]byte
	if _, err := a.conn.WriteMessageFrom(pc.id, cmd.Append(buf[:0]), body); err != nil {
		a.forget(id)
		return 0, err
	}
	t := time.NewTimer(a.server.limits.Response)
	defer t.Stop()
	select {
	case rsp := <-ch:
		return rsp.Status, nil
	case <-a.gone():
		return 0, ErrPeerGone
	case <-t.C:
		a.abort(ErrPeerGone)
		return 0, fmt.Errorf("dimse: no response to C-STORE in %v: %w", a.server.limits.Response, &ul.TimeoutError{State: ul.Sta6, What: "a C-STORE response"})
	}
}

// gone is closed when the association ends. Its context also ends at Shutdown, after which
// a response may still come; Shutdown's grace bounds that.
func (a *association) gone() <-chan struct{} { return a.ctx.Done() }

// expect registers the next Message ID of ours; its response comes on the channel.
func (a *association) expect() (uint16, chan Command) {
	ch := make(chan Command, 1)
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.pending == nil {
		a.pending = make(map[uint16]chan Command)
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
