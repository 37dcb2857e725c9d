package dimse

import (
	"context"
	"errors"
	"time"

	"gantry/ul"
)

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

func (a *Assoc) subWindow() int { return 1 }

// Serve answers requests of the peer by the Dialer's Handler until the peer releases or
// ctx ends; for services in which the peer asks later, on the same association.
func (a *Assoc) Serve(ctx context.Context) error {
	if err := a.acquireAll(ctx); err != nil {
		return err
	}
	defer a.yieldAll()
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
