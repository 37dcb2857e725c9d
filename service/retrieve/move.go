package retrieve

import (
	"context"
	"errors"

	"gantry/dicom/tag"
	"gantry/dicom/uid"
	"gantry/dimse"
)

// Destination is where a C-MOVE sends to. Dialer's Contexts are filled in; its Calling is
// the AE title that the destination sees.
type Destination struct {
	Called dimse.AETitle
	Addr   string // host:port
	Dialer dimse.Dialer
	Pool   *dimse.Pool // of associations with it, in place of Dialer; nil: each C-MOVE opens its own
	Prefer []uid.UID   // transfer syntaxes that objects go there in, best first, if they can
}

// ErrUnknownDestination is what a Resolver returns for an AE title it does not know: the
// answer is A801H.
var ErrUnknownDestination = errors.New("retrieve: unknown move destination")

// Resolver turns the Move Destination of a request into an address. Only what it knows can
// be sent to; it may also refuse by who asks.
type Resolver interface {
	Resolve(ctx context.Context, r *dimse.Request, dest dimse.AETitle) (*Destination, error)
}

// ResolverFunc is a function as a Resolver.
type ResolverFunc func(context.Context, *dimse.Request, dimse.AETitle) (*Destination, error)

// Resolve calls f.
func (f ResolverFunc) Resolve(ctx context.Context, r *dimse.Request, dest dimse.AETitle) (*Destination, error) {
	return f(ctx, r, dest)
}

// MoveSCP returns the handler of C-MOVE: objects go to the destination over an association
// of its own at a time, as many at a time as its window lets, each with the move originator's
// AE title and Message ID.
func MoveSCP(rt Retriever, dest Resolver, o Options) dimse.Handler { return &moveSCP{rt, dest, o} }

type moveSCP struct {
	retriever Retriever
	dest      Resolver
	opts      Options
}

// NegotiateExtended implements dimse.Negotiator.
func (s *moveSCP) NegotiateExtended(_ uid.UID, info []byte) []byte {
	return s.opts.Query.NegotiateRetrieve(info)
}

// ServeDIMSE implements dimse.Handler.
func (s *moveSCP) ServeDIMSE(w dimse.ResponseWriter, r *dimse.Request) {
	dest, err := s.dest.Resolve(r.Context(), r, r.Command.MoveDestination)
	if errors.Is(err, ErrUnknownDestination) || err == nil && dest == nil {
		err = &dimse.StatusError{Status: dimse.MoveDestinationUnknown, Comment: "move destination unknown",
			Offending: []tag.Tag{tag.MoveDestination}, Err: err}
	}
	if err != nil {
		dimse.Fail(w, r, err)
		return
	}
	t, res := begin(s.retriever, &s.opts, w, r)
	if t == nil {
		return
	}
	m := newMover(dest, t, res)
	ctx, stop := finishing(r.Context())
	defer stop()
	m.ctx = ctx
	m.run()
	t.final()
}

// finishing returns a context for single sub-operations: C-CANCEL and the requestor's
// leaving let the one under way end, anything else ends it.
func finishing(ctx context.Context) (context.Context, func()) {
	out, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		cause := context.Cause(ctx)
		if !errors.Is(cause, dimse.ErrCancelRQ) && !errors.Is(cause, dimse.ErrPeerGone) {
			cancel(cause)
		}
	})
	return out, func() { stop(); cancel(nil) }
}

// RegisterMove registers MoveSCP for the C-MOVE classes of the three models.
func RegisterMove(m *dimse.ServeMux, rt Retriever, dest Resolver, o Options) {
	h := MoveSCP(rt, dest, o)
	m.Handle(dimse.CMove, uid.PatientRootQueryRetrieveInformationModelMove, h)
	m.Handle(dimse.CMove, uid.StudyRootQueryRetrieveInformationModelMove, h)
	m.Handle(dimse.CMove, uid.PatientStudyOnlyQueryRetrieveInformationModelMove, h)
}
