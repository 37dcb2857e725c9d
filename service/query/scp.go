package query

import (
	"gantry/dicom/uid"
	"gantry/dimse"
)

// SCP returns the handler of C-FIND that answers from f. It streams: an answer goes out
// before the next is asked for. C-CANCEL, release and abort end the context given to f.
func SCP(f Finder, o Options) dimse.Handler { return &scp{f, o} }

type scp struct {
	finder Finder
	opts   Options
}

// NegotiateExtended implements dimse.Negotiator.
func (s *scp) NegotiateExtended(_ uid.UID, info []byte) []byte { return s.opts.NegotiateFind(info) }

// ServeDIMSE implements dimse.Handler.
func (s *scp) ServeDIMSE(w dimse.ResponseWriter, r *dimse.Request) {
	q, err := Parse(r, s.opts)
	if err != nil {
		dimse.Fail(w, r, err)
		return
	}
	status := dimse.PendingMatch
	if s.opts.Unsupported != nil && s.opts.Unsupported(q) {
		status = dimse.PendingOptionalKeyNotSupported
	}
	for ds, err := range s.finder.Find(r.Context(), q) {
		if r.Context().Err() != nil {
			break // before err, so that the end of the context is not taken for a failure
		}
		if err != nil {
			dimse.Fail(w, r, err)
			return
		}
		if w.Send(&dimse.Response{Status: status, Data: ds, More: q.More}) != nil {
			break // canceled, or the association is gone; Finish tells
		}
	}
	dimse.Finish(w, r)
}

// Register registers SCP for the C-FIND classes of the three models.
func Register(m *dimse.ServeMux, f Finder, o Options) {
	h := SCP(f, o)
	m.Handle(dimse.CFind, uid.PatientRootQueryRetrieveInformationModelFind, h)
	m.Handle(dimse.CFind, uid.StudyRootQueryRetrieveInformationModelFind, h)
	m.Handle(dimse.CFind, uid.PatientStudyOnlyQueryRetrieveInformationModelFind, h)
}
