package retrieve

import (
	"context"
	"errors"
	"io"

	"gantry/dicom/uid"
	"gantry/dimse"
)

// GetSCP returns the handler of C-GET: objects go to the requestor on its own association,
// over contexts for which it took the SCP role, as many at a time as its window lets.
func GetSCP(rt Retriever, o Options) dimse.Handler { return &getSCP{rt, o} }

type getSCP struct {
	retriever Retriever
	opts      Options
}

// NegotiateExtended implements dimse.Negotiator.
func (s *getSCP) NegotiateExtended(_ uid.UID, info []byte) []byte {
	return s.opts.Query.NegotiateRetrieve(info)
}

// ServeDIMSE implements dimse.Handler.
func (s *getSCP) ServeDIMSE(w dimse.ResponseWriter, r *dimse.Request) {
	t, res := begin(s.retriever, &s.opts, w, r)
	if t == nil {
		return
	}
	f := newFeed(res.Instances)
	defer f.stop()
	ctx, stop := finishing(r.Context())
	defer stop()
	sideBySide(min(r.Window(), res.Count), func() {
		for r.Context().Err() == nil {
			o := f.next()
			if o == nil || !s.send(ctx, t, r, o, res.Prefer) {
				return
			}
		}
	})
	if f.err != nil && r.Context().Err() == nil {
		t.fail("", 0, f.err)
	}
	t.final()
}

// send sends one instance; false when there is nobody to send to. It is open for as long as
// ctx lives: a message that has begun is sent to its end, also when the request was canceled.
func (s *getSCP) send(ctx context.Context, t *tally, r *dimse.Request, o *dimse.Outgoing, prefer []uid.UID) bool {
	whole := *o
	whole.Open = func(_ context.Context, syntax uid.UID) (io.ReadCloser, error) { return o.Open(ctx, syntax) }
	status, err := preferring(&whole, prefer, func(o *dimse.Outgoing) (dimse.Status, error) { return r.SubStore(r.Context(), o) })
	if errors.Is(err, dimse.ErrPeerGone) || err != nil && r.Context().Err() != nil {
		return false
	}
	return t.done(o.Instance, status, err) == nil
}

// RegisterGet registers GetSCP for the C-GET classes of the three models.
func RegisterGet(m *dimse.ServeMux, rt Retriever, o Options) {
	h := GetSCP(rt, o)
	m.Handle(dimse.CGet, uid.PatientRootQueryRetrieveInformationModelGet, h)
	m.Handle(dimse.CGet, uid.StudyRootQueryRetrieveInformationModelGet, h)
	m.Handle(dimse.CGet, uid.PatientStudyOnlyQueryRetrieveInformationModelGet, h)
}
