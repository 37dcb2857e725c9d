package retrieve

import (
	"context"
	"errors"
	"iter"

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
	Prefer []uid.UID // transfer syntaxes that objects go there in, best first, if they can
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

// MoveSCP returns the handler of C-MOVE: objects go to the destination over associations of
// its own, each with the move originator's AE title and Message ID.
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
	m := &mover{dest: dest, r: r, others: res.Others}
	var stop func()
	m.ctx, stop = finishing(r.Context())
	defer stop()
	defer m.close()
	m.run(t, res.Instances)
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

// lookAhead is how many instances are looked at for the contexts to propose.
const lookAhead = 128

// maxDialFailures is how many associations in a row may fail before the rest is given up.
const maxDialFailures = 2

// kind is what needs a presentation context.
type kind struct{ class, syntax uid.UID }

// mover sends to one destination. It opens an association for the kinds of instances ahead,
// and another when a kind comes that was not proposed.
type mover struct {
	dest     *Destination
	r        *dimse.Request
	others   []uid.UID       // syntaxes that objects may be transcoded to
	ctx      context.Context // of one sub-operation
	assoc    *dimse.Assoc
	proposed map[kind]bool
	failures int   // associations in a row that could not be opened or broke
	last     error // of them
}

// run sends what next yields, looking ahead.
func (m *mover) run(t *tally, instances iter.Seq2[*dimse.Outgoing, error]) {
	ctx := m.r.Context()
	next, stop := iter.Pull2(instances)
	defer stop()
	var queue []*dimse.Outgoing
	var failed error
	for ended := false; ; {
		for !ended && len(queue) < lookAhead {
			o, err, ok := next()
			if err != nil {
				failed = err
			}
			if ended = !ok || err != nil; !ended {
				queue = append(queue, o)
			}
		}
		if len(queue) == 0 || ctx.Err() != nil {
			break
		}
		status, err := m.send(queue)
		if err != nil && ctx.Err() != nil {
			return
		}
		t.add(queue[0].Instance, status, err)
		queue = queue[1:]
		if t.pending() != nil {
			return
		}
	}
	if failed != nil && ctx.Err() == nil {
		t.fail("", 0, failed)
	}
}

// send sends the first instance of queue.
func (m *mover) send(queue []*dimse.Outgoing) (dimse.Status, error) {
	o := *queue[0]
	o.MoveOriginator, o.MoveOriginatorID = m.r.Peer.Calling, m.r.MessageID
	if m.assoc != nil && !m.proposed[kind{o.Class, o.Syntax}] {
		m.close()
	}
	if m.assoc == nil {
		if err := m.open(queue); err != nil {
			return 0, err
		}
	}
	status, err := preferring(&o, m.dest.Prefer, func(o *dimse.Outgoing) (dimse.Status, error) { return m.assoc.Store(m.ctx, o) })
	if err != nil && m.assoc.Err() != nil {
		m.broke(err)
		m.close()
	} else {
		m.failures = 0
	}
	return status, err
}

func (m *mover) broke(err error) {
	m.failures++
	m.last = err
}

// open opens an association for the kinds of queue.
func (m *mover) open(queue []*dimse.Outgoing) error {
	if m.failures >= maxDialFailures {
		return m.last
	}
	d := m.dest.Dialer
	d.Contexts, m.proposed = contexts(queue, m.dest.Prefer, m.others)
	a, err := d.Dial(m.ctx, m.dest.Called, m.dest.Addr)
	if err != nil {
		m.broke(connectError(err))
		return m.last
	}
	m.assoc = a
	return nil
}

// contexts returns the presentation contexts for the kinds of queue, as many as fit: each
// kind's own syntax alone, so that the destination's preference cannot hide it; for each
// class each of the preferred ones, the uncompressed ones, and the others, for which an
// object may be transcoded.
func contexts(queue []*dimse.Outgoing, prefer, others []uid.UID) ([]dimse.Context, map[kind]bool) {
	var out []dimse.Context
	proposed := make(map[kind]bool)
	general := make(map[uid.UID]bool)
	for _, o := range queue {
		k := kind{o.Class, o.Syntax}
		if proposed[k] {
			continue
		}
		add := []dimse.Context{{Class: o.Class, Syntaxes: []uid.UID{o.Syntax}}}
		if !general[o.Class] {
			add = append(add, generalContexts(o.Class, prefer, others)...)
		}
		if len(out)+len(add) > maxContexts {
			break
		}
		out = append(out, add...)
		proposed[k], general[o.Class] = true, true
	}
	return out, proposed
}

const maxContexts = 128 // of an association (PS3.8 9.3.2.2)

// generalContexts are those that any object of a class may go over.
func generalContexts(class uid.UID, prefer, others []uid.UID) []dimse.Context {
	var out []dimse.Context
	for _, u := range prefer[:min(len(prefer), maxPreferred)] {
		out = append(out, dimse.Context{Class: class, Syntaxes: []uid.UID{u}})
	}
	out = append(out, dimse.Context{Class: class, Syntaxes: []uid.UID{uid.ExplicitVRLittleEndian, uid.ImplicitVRLittleEndian}})
	if len(others) > 0 {
		out = append(out, dimse.Context{Class: class, Syntaxes: others})
	}
	return out
}

const maxPreferred = 32 // of Destination.Prefer that are proposed

// close releases the association, if there is one.
func (m *mover) close() {
	if m.assoc == nil {
		return
	}
	if m.assoc.Err() == nil {
		if m.assoc.Release(m.ctx) == nil {
			m.assoc = nil
			return
		}
	}
	m.assoc.Abort()
	m.assoc = nil
}

// RegisterMove registers MoveSCP for the C-MOVE classes of the three models.
func RegisterMove(m *dimse.ServeMux, rt Retriever, dest Resolver, o Options) {
	h := MoveSCP(rt, dest, o)
	m.Handle(dimse.CMove, uid.PatientRootQueryRetrieveInformationModelMove, h)
	m.Handle(dimse.CMove, uid.StudyRootQueryRetrieveInformationModelMove, h)
	m.Handle(dimse.CMove, uid.PatientStudyOnlyQueryRetrieveInformationModelMove, h)
}
