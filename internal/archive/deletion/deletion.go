// Package deletion takes objects out of an archive in two phases: a deletion hides them and
// can be undone; when the undo window has passed, the purger removes them for good. The
// command line and the HTTP side both call these functions.
package deletion

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"

	"gantry/dicom/uid"
	"gantry/internal/archive/index"
	"gantry/internal/archive/ingest"
	"gantry/internal/archive/record"
)

// Ingester is the part of an ingest.Ingester that is needed.
type Ingester interface {
	Each(context.Context, record.Kind, []ingest.Target) []error
}

// Index is the part of an index that is needed.
type Index interface {
	SelectKept(ctx context.Context, s index.Selector, deleted bool) iter.Seq2[index.Location, error]
}

// What names a patient, a study, a series or an instance: one of them. Issuer, when not
// nil, tells apart patients who have one ID.
type What struct {
	PatientID string  `json:"patientID,omitempty"`
	Issuer    *string `json:"issuerOfPatientID,omitempty"`
	Study     uid.UID `json:"studyInstanceUID,omitempty"`
	Series    uid.UID `json:"seriesInstanceUID,omitempty"`
	Instance  uid.UID `json:"sopInstanceUID,omitempty"`
}

// Result is what was done.
type Result struct {
	Instances int   `json:"instances"`
	Versions  int   `json:"versions"` // of the instances, all together
	Bytes     int64 `json:"bytes"`
}

// Errors of Delete and Undelete.
var (
	ErrWhat      = errors.New("name one patient, study, series or instance")
	ErrAmbiguous = errors.New("several patients have this ID: name the issuer too")
	ErrNothing   = errors.New("nothing to be done: no such object")
)

// Level is what is named, for messages that name no patient.
func (w *What) Level() string {
	switch {
	case w.PatientID != "":
		return "patient"
	case w.Study != "":
		return "study"
	case w.Series != "":
		return "series"
	}
	return "instance"
}

func (w *What) selector() (index.Selector, error) {
	var s index.Selector
	named := 0
	if w.PatientID != "" {
		named, s.PatientIDs = named+1, []string{w.PatientID}
	}
	for _, f := range []struct {
		u   uid.UID
		dst *[]uid.UID
	}{{w.Study, &s.Studies}, {w.Series, &s.Series}, {w.Instance, &s.Instances}} {
		if f.u != "" {
			named, *f.dst = named+1, []uid.UID{f.u}
		}
	}
	if named != 1 || w.Issuer != nil && w.PatientID == "" {
		return s, ErrWhat
	}
	return s, nil
}

// Delete hides all versions of what is named. It may be undone until they are purged.
// After an error or a crash a part may be deleted: to ask again deletes the rest.
func Delete(ctx context.Context, in Ingester, x Index, w What) (Result, error) {
	return each(ctx, in, x, w, record.Delete)
}

// Undelete brings back what is named and was not purged yet.
func Undelete(ctx context.Context, in Ingester, x Index, w What) (Result, error) {
	return each(ctx, in, x, w, record.Restore)
}

// atOnce is how many records are given to the committer together.
const atOnce = 256

func each(ctx context.Context, in Ingester, x Index, w What, k record.Kind) (Result, error) {
	var r Result
	found, err := find(ctx, x, w, k == record.Restore)
	if err != nil {
		return r, err
	}
	seen := map[uid.UID]bool{}
	for part := range slices.Chunk(found, atOnce) {
		targets := make([]ingest.Target, len(part))
		for i := range part {
			targets[i] = ingest.Target{Instance: part[i].Instance, Record: part[i].Record}
		}
		for i, err := range in.Each(ctx, k, targets) {
			if errors.Is(err, index.ErrNotFound) { // purged meanwhile
				continue
			}
			if err != nil {
				return r, fmt.Errorf("%d of %d done: %w", r.Versions, len(found), err)
			}
			seen[part[i].Instance] = true
			r.Instances, r.Versions, r.Bytes = len(seen), r.Versions+1, r.Bytes+part[i].Size()
		}
	}
	if r.Versions == 0 {
		return r, ErrNothing
	}
	return r, nil
}

func find(ctx context.Context, x Index, w What, deleted bool) ([]index.Location, error) {
	s, err := w.selector()
	if err != nil {
		return nil, err
	}
	var out []index.Location
	for l, err := range x.SelectKept(ctx, s, deleted) {
		if err != nil {
			return nil, err
		}
		if w.Issuer != nil && l.Issuer != *w.Issuer {
			continue
		}
		if w.PatientID != "" && len(out) > 0 && out[0].Issuer != l.Issuer {
			return nil, ErrAmbiguous
		}
		out = append(out, l)
	}
	return out, nil
}
