package retrieve

import (
	"errors"

	"gantry/dicom/uid"
	"gantry/dimse"
)

// GetSCP returns the handler of C-GET: objects go to the requestor on its own association,
// over contexts for which it took the SCP role.
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
	for o, err := range res.Instances {
		if r.Context().Err() != nil {
			break
		}
		if err != nil {
			t.fail("", 0, err)
			break
		}
		status, err := preferring(o, res.Prefer, func(o *dimse.Outgoing) (dimse.Status, error) { return r.SubStore(r.Context(), o) })
		if errors.Is(err, dimse.ErrPeerGone) || err != nil && r.Context().Err() != nil {
			break
		}
		t.add(o.Instance, status, err)
		if t.pending() != nil {
			break
		}
	}
	t.final()
}

// RegisterGet registers GetSCP for the C-GET classes of the three models.
func RegisterGet(m *dimse.ServeMux, rt Retriever, o Options) {
	h := GetSCP(rt, o)
	m.Handle(dimse.CGet, uid.PatientRootQueryRetrieveInformationModelGet, h)
	m.Handle(dimse.CGet, uid.StudyRootQueryRetrieveInformationModelGet, h)
	m.Handle(dimse.CGet, uid.PatientStudyOnlyQueryRetrieveInformationModelGet, h)
}
