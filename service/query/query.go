// Package query is the query side of the Query/Retrieve Service Class (PS3.4 annex C):
// C-FIND over the Patient Root, Study Root and Patient/Study Only models. Matching is the
// Finder's; this package checks identifiers, negotiates, and sends the answers.
package query

import (
	"context"
	"fmt"
	"iter"
	"slices"

	"gantry/dicom"
	"gantry/dicom/tag"
	"gantry/dicom/uid"
	"gantry/dimse"
)

// Model is a Query/Retrieve information model (PS3.4 C.3).
type Model uint8

// The models.
const (
	PatientRoot Model = iota
	StudyRoot
	PatientStudyOnly
)

// Level is a Query/Retrieve Level (PS3.4 C.6).
type Level string

// The levels.
const (
	PatientLevel Level = "PATIENT"
	StudyLevel   Level = "STUDY"
	SeriesLevel  Level = "SERIES"
	ImageLevel   Level = "IMAGE"
)

// levels lists the levels of each model from the top, with the unique key of each.
var levels = [...]struct {
	level Level
	key   tag.Tag
}{
	{PatientLevel, tag.PatientID},
	{StudyLevel, tag.StudyInstanceUID},
	{SeriesLevel, tag.SeriesInstanceUID},
	{ImageLevel, tag.SOPInstanceUID},
}

// span returns which of levels a model has: from, and up to but not including.
func (m Model) span() (from, to int) {
	switch m {
	case StudyRoot:
		return 1, 4
	case PatientStudyOnly:
		return 0, 2
	}
	return 0, 4
}

// String returns the model's name.
func (m Model) String() string {
	return [...]string{"Patient Root", "Study Root", "Patient/Study Only"}[min(m, PatientStudyOnly)]
}

// ModelOf returns the model of a C-FIND, C-MOVE or C-GET SOP class.
func ModelOf(class uid.UID) (Model, bool) {
	switch class {
	case uid.PatientRootQueryRetrieveInformationModelFind, uid.PatientRootQueryRetrieveInformationModelMove,
		uid.PatientRootQueryRetrieveInformationModelGet:
		return PatientRoot, true
	case uid.StudyRootQueryRetrieveInformationModelFind, uid.StudyRootQueryRetrieveInformationModelMove,
		uid.StudyRootQueryRetrieveInformationModelGet:
		return StudyRoot, true
	case uid.PatientStudyOnlyQueryRetrieveInformationModelFind, uid.PatientStudyOnlyQueryRetrieveInformationModelMove,
		uid.PatientStudyOnlyQueryRetrieveInformationModelGet:
		return PatientStudyOnly, true
	}
	return 0, false
}

// Query is a request of C-FIND, C-MOVE or C-GET after its checks.
type Query struct {
	Model      Model
	Level      Level
	Identifier *dicom.DataSet
	Peer       *dimse.Peer

	Extended // what was negotiated (PS3.4 C.5.1.1, C.5.2.1)

	Priority dimse.Priority // of the request

	// More may be set by a Finder before it yields an answer: the next answer, or the end,
	// follows without waiting, so that several answers leave in one write.
	More bool
}

// Finder answers queries.
type Finder interface {
	// Find yields the answers, each as it shall go out: the keys asked for, Query/Retrieve
	// Level, Specific Character Set. A data set is valid until the next one. It yields an
	// error at most once and last, and ends soon after ctx does.
	Find(context.Context, *Query) iter.Seq2[*dicom.DataSet, error]
}

// FinderFunc is a function as a Finder.
type FinderFunc func(context.Context, *Query) iter.Seq2[*dicom.DataSet, error]

// Find calls f.
func (f FinderFunc) Find(ctx context.Context, q *Query) iter.Seq2[*dicom.DataSet, error] {
	return f(ctx, q)
}

// Options tells what the server does beyond the baseline. The zero value is the baseline:
// hierarchical queries, no option of extended negotiation.
type Options struct {
	// Accepted when a peer proposes them, see Extended.
	Relational, DateTime, Fuzzy, Timezone, Enhanced, Empty, Multiple bool

	// Lenient lets keys of the levels above be missing without negotiation.
	Lenient bool

	// Unsupported, if set, reports that the query has an optional key that can be neither
	// matched nor returned: its answers go out with status FF01H.
	Unsupported func(*Query) bool
}

// mismatch is status A900H (PS3.4 C.4.1.1.4).
func mismatch(t tag.Tag, format string, args ...any) error {
	return &dimse.StatusError{Status: dimse.DataSetDoesNotMatchSOPClass, Comment: fmt.Sprintf(format, args...), Offending: []tag.Tag{t}}
}

// Parse reads the identifier of a request and checks it against its SOP class's model: the
// level must be one of the model, and unless the query is relational the unique key of each
// level above must have one value (PS3.4 C.4.1.2.1, C.4.2.2.1). Errors are
// *dimse.StatusError with A900H, or what reading the identifier gave.
func Parse(r *dimse.Request, o Options) (*Query, error) {
	model, ok := ModelOf(r.Class)
	if !ok {
		return nil, &dimse.StatusError{Status: dimse.SOPClassNotSupported}
	}
	ds, err := r.ReadDataSet()
	if err != nil {
		return nil, err
	}
	q := &Query{Model: model, Level: Level(ds.Text(tag.QueryRetrieveLevel)), Identifier: ds, Peer: r.Peer, Priority: r.Command.Priority}
	q.negotiated(r.Op, r.Peer.Extended(r.Class))
	from, to := model.span()
	at := slices.IndexFunc(levels[from:to], func(l struct {
		level Level
		key   tag.Tag
	}) bool {
		return l.level == q.Level
	})
	if at < 0 {
		return nil, mismatch(tag.QueryRetrieveLevel, "level %q is not one of %v", q.Level, model)
	}
	if o.Lenient || q.Relational {
		return q, nil
	}
	for _, l := range levels[from : from+at] {
		if n := len(ds.Texts(l.key)); n != 1 || ds.Text(l.key) == "" {
			return nil, mismatch(l.key, "the unique key of level %s needs one value", l.level)
		}
	}
	return q, nil
}
