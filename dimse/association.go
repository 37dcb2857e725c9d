package dimse

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"gantry/dicom/uid"
	"gantry/ul"
)

// association is the server's side of one association. Its owner, the goroutine of serve,
// alone reads; DESIGN.md tells the rules.
type association struct {
	session
	server  *Server
	peer    *Peer
	started time.Time
	window  int // operations that the peer may have running
	ctx     context.Context
	cancel  context.CancelCauseFunc
	ended   error         // why serve returned; for the owner
	slots   chan struct{} // one value for each operation that runs or is returning

	// Of the operation that runs on the owner, reused.
	req  Request
	rw   responseWriter
	data dataReader
	rcvd Command

	mu       sync.Mutex
	ops      map[uint16]*operation // running on their own goroutines, by Message ID
	spare    []*operation          // to be used again
	busy     bool                  // the owner handles a message
	draining bool                  // no new operations: Shutdown
	pending  map[uint16]chan reply // requests of ours, by Message ID
	nextID   uint16                // Message ID of our requests
	wg       sync.WaitGroup        // goroutines of operations
	calls    chan struct{}         // one value for each request of ours that is open
}

// reply is a response to a request of ours.
type reply struct {
	Command
	data   []byte
	syntax uid.UID
}

func newAssociation(s *Server, conn *ul.Conn, peer *Peer, contexts []presentation) *association {
	perform, invoke := windowOf(conn.Answer().User.Async)
	a := &association{session: session{conn: conn, contexts: contexts}, server: s, peer: peer, started: time.Now(),
		window: perform, slots: make(chan struct{}, perform), calls: make(chan struct{}, invoke)}
	peer.assoc = a
	return a
}

// serve is the owner loop. It returns when the association has ended and no operation
// runs; the transport is still open.
func (a *association) serve() {
	defer a.wg.Wait()
	defer func() {
		a.cancel(ErrPeerGone)
		a.conn.Abort(ul.SourceUser, ul.ReasonNotSpecified) // nothing after a release
	}()
	defer a.server.recover(a.peer.Addr, a.conn)
	for a.ended == nil {
		a.ended = a.message()
	}
}

// message waits for the next message and handles it.
func (a *association) message() error {
	if !a.idle() {
		a.wg.Wait() // final responses may be on their way
		return ErrShutdown
	}
	a.conn.StartMessage(a.server.limits.Idle)
	pc, err := a.readCommand(&a.rcvd)
	switch {
	case errors.Is(err, ul.ErrIdle) && a.waiting():
		return nil
	case errors.Is(err, ul.ErrIdle):
		return fmt.Errorf("%w for %v", err, a.server.limits.Idle)
	case errors.Is(err, ul.ErrReleaseRequested):
		return a.release()
	case errors.Is(err, ul.ErrInterrupted) && a.isDraining():
		return ErrShutdown
	case err != nil:
		return err
	}
	a.setBusy()
	switch {
	case a.rcvd.Response:
		return a.response(pc)
	case a.rcvd.Op == CCancel:
		a.cancelOp(a.rcvd.RespondedTo, ErrCancelRQ)
		if a.rcvd.HasData {
			return a.session.abort(protocolError("a C-CANCEL with a data set"))
		}
		return nil
	}
	return a.request(pc)
}

// idle marks the owner as waiting for a message; false when there shall be none.
func (a *association) idle() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.busy = false
	return !a.draining || len(a.ops) > 0
}

func (a *association) setBusy() { a.mu.Lock(); a.busy = true; a.mu.Unlock() }

// waiting reports whether an operation runs or a request of ours is open.
func (a *association) waiting() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.ops) > 0 || len(a.pending) > 0
}

func (a *association) isDraining() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.draining
}

// drain lets the association end when what runs has ended.
func (a *association) drain() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.draining = true
	if !a.busy && len(a.ops) == 0 {
		a.conn.Interrupt()
	}
}

// release answers the peer's A-RELEASE-RQ. Operations that run, which is the peer's error,
// are canceled and waited for first.
func (a *association) release() error {
	a.cancel(ErrPeerGone)
	a.wg.Wait()
	if err := a.conn.ReplyRelease(); err != nil {
		return err
	}
	return ul.ErrReleaseRequested
}

// abort ends the association from any goroutine.
func (a *association) abort(cause error) {
	a.cancel(cause)
	a.conn.Abort(ul.SourceUser, ul.ReasonNotSpecified)
}

// cancelOps cancels all that runs.
func (a *association) cancelOps(cause error) { a.cancel(cause) }

// cancelOp cancels the operation with a Message ID; an unknown one is ignored.
func (a *association) cancelOp(id uint16, cause error) {
	a.mu.Lock()
	op := a.ops[id]
	a.mu.Unlock()
	if op != nil && op.cancel != nil {
		op.cancel(cause)
	}
}

// request dispatches the request in a.rcvd.
func (a *association) request(pc *presentation) error {
	a.mu.Lock()
	over := len(a.ops) >= a.window
	_, twice := a.ops[a.rcvd.MessageID]
	stop := a.draining && len(a.ops) == 0 // else what runs shall end first
	a.mu.Unlock()
	switch {
	case over:
		return a.session.abort(protocolError("%v while %d run: the asynchronous operations window is %d", a.rcvd.Op, a.window, a.window))
	case twice:
		return a.session.abort(protocolError("%v with Message ID %d, which an operation that runs has", a.rcvd.Op, a.rcvd.MessageID))
	case stop:
		return ErrShutdown
	}
	a.slots <- struct{}{} // an operation that sent its final response may still be returning
	a.server.counters.operations.Add(1)
	if a.window > 1 || !a.rcvd.Op.inline() {
		return a.spawn(pc)
	}
	defer func() { <-a.slots }()
	return a.inline(pc)
}

// fill makes req and its reader and writer those of the request in cmd.
func (a *association) fill(req *Request, rw *responseWriter, data *dataReader, cmd *Command, pc *presentation) {
	*req = Request{Op: cmd.Op, Class: cmd.Class(), Instance: cmd.Instance(), Syntax: pc.syntax, MessageID: cmd.MessageID,
		Peer: a.peer, Command: cmd, ctx: req.ctx, session: &a.session, pc: pc, caller: a, limit: a.server.limits.MaxIdentifier}
	if req.Class == "" {
		req.Class = pc.class // tolerated
	}
	if cmd.HasData {
		data.reset(&a.session, pc.id)
		req.Data = data
	}
	rw.s, rw.pc, rw.req = &a.session, pc, req
	rw.final, rw.failed, rw.twice, rw.started = false, nil, false, time.Now()
}

// inline runs an operation on the owner.
func (a *association) inline(pc *presentation) error {
	a.fill(&a.req, &a.rw, &a.data, &a.rcvd, pc)
	a.dispatch(&a.req, &a.rw)
	if a.req.Data != nil {
		if err := a.data.drain(a.server.limits.MaxDrain); err != nil {
			a.rw.end()
			return err
		}
	}
	a.rw.end()
	a.finished(&a.rw, a.data.n)
	return a.after(&a.rw)
}

// dispatch hands a request to the handler, after the checks that hold for all of them.
func (a *association) dispatch(r *Request, w *responseWriter) {
	if r.Op.composite() && r.Class != r.pc.class {
		w.Send(&Response{Status: SOPClassNotSupported, Comment: "class is not that of the presentation context"})
		return
	}
	a.server.Handler.ServeDIMSE(w, r)
}

// after returns what a handler's doings mean for the association.
func (a *association) after(w *responseWriter) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.twice {
		a.server.log().Error("a handler answered twice: the association is aborted", "association", a.peer.ID, "op", w.req.Op.String())
		return errSecondFinal
	}
	if w.failed != nil {
		return w.failed
	}
	return nil
}

// finished reports an operation to the trace.
func (a *association) finished(w *responseWriter, bytes int64) {
	t := a.server.Trace
	if t == nil || t.Operation == nil {
		return
	}
	w.mu.Lock()
	sum := OperationSummary{w.req.Op, w.req.Class, w.sent, w.final && w.failed == nil, time.Since(w.started), bytes}
	w.mu.Unlock()
	if w.req.Data == nil {
		sum.Bytes = 0
	}
	t.Operation(a.peer, sum)
}

// response delivers a response to whoever waits for it.
func (a *association) response(pc *presentation) error {
	r := reply{Command: a.rcvd, syntax: pc.syntax}
	if a.rcvd.HasData {
		var err error
		a.data.reset(&a.session, pc.id)
		if r.data, err = a.data.readAll(a.server.limits.MaxIdentifier); err != nil {
			return a.session.abort(err)
		}
	}
	a.mu.Lock()
	ch := a.pending[a.rcvd.RespondedTo]
	delete(a.pending, a.rcvd.RespondedTo)
	a.mu.Unlock()
	if ch == nil {
		return a.session.abort(protocolError("a %v response to message %d, which was not asked", a.rcvd.Op, a.rcvd.RespondedTo))
	}
	ch <- r // has room for one
	return nil
}

// recoverOp keeps a panic in an operation's goroutine to its association.
func (a *association) recoverOp(op Op) {
	if p := recover(); p != nil {
		a.server.log().Error("panic: the association is aborted", "association", a.peer.ID, "op", op.String(),
			"panic", fmt.Sprint(p), "stack", string(debug.Stack()))
		a.abort(ErrPeerGone)
	}
}
