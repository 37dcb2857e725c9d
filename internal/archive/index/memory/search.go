package memory

import (
	"cmp"
	"context"
	"iter"
	"slices"

	"gantry/dicom"
	"gantry/dicom/uid"
	"gantry/internal/archive/index"
	"gantry/internal/archive/index/match"
)

// Search implements index.Index.
func (x *Index) Search(ctx context.Context, s *index.Search) iter.Seq2[*index.Row, error] {
	return func(yield func(*index.Row, error) bool) {
		rows, err := x.find(ctx, s)
		if err != nil {
			yield(nil, err)
			return
		}
		for _, r := range rows {
			if err := context.Cause(ctx); err != nil {
				yield(nil, err)
				return
			}
			r.More = true
			if !yield(r, nil) {
				return
			}
		}
	}
}

type sortable struct {
	row *index.Row
	key string
}

func (x *Index) find(ctx context.Context, s *index.Search) ([]*index.Row, error) {
	if s.Offset > index.MaxOffset || s.Offset < 0 {
		return nil, index.ErrOffset
	}
	x.mu.RLock()
	defer x.mu.RUnlock()
	var found []sortable
	known := map[*entity]*counted{}
	for _, in := range x.candidates(s) {
		if err := context.Cause(ctx); err != nil {
			return nil, err
		}
		row, err := x.row(s.Level, in, known)
		if err != nil {
			return nil, err
		}
		if s.Matches(row) {
			row.At = index.Cursor{Value: x.sortKey(s, in), ID: row.ID, Feed: uint64(len(x.changes))}
			if s.After != nil {
				row.At.Feed = s.After.Feed
			}
			found = append(found, sortable{row, row.At.Value})
		}
	}
	slices.SortFunc(found, func(a, b sortable) int {
		c := cmp.Or(cmp.Compare(a.key, b.key), cmp.Compare(a.row.ID, b.row.ID))
		if s.Descending {
			return -c
		}
		return c
	})
	var out []*index.Row
	for _, f := range found {
		if s.After != nil {
			c := cmp.Or(cmp.Compare(f.key, s.After.Value), cmp.Compare(f.row.ID, s.After.ID))
			if c == 0 || c < 0 != s.Descending {
				continue
			}
		}
		out = append(out, f.row)
	}
	out = out[min(s.Offset, len(out)):]
	if s.Limit > 0 {
		out = out[:min(s.Limit, len(out))]
	}
	return out, nil
}

// candidates returns the instance that stands for each visible entity of the level.
func (x *Index) candidates(s *index.Search) []*instance {
	var out []*instance
	add := func(born uint64, in *instance) {
		if in != nil && (s.After == nil || born <= s.After.Feed) {
			out = append(out, in)
		}
	}
	switch s.Level {
	case index.Patient:
		for _, e := range x.patients {
			add(e.born, e.rep)
		}
	case index.Study:
		for _, e := range x.studies {
			add(e.born, e.rep)
		}
	case index.Series:
		for _, e := range x.series {
			add(e.born, e.rep)
		}
	case index.Image:
		for _, in := range x.instances {
			if in.visible() {
				add(in.born, in)
			}
		}
	}
	return out
}

func (x *Index) sortKey(s *index.Search, in *instance) string {
	st := in.series.parent
	switch {
	case s.Order == index.ByStudyDate && s.Level >= index.Study:
		return st.rep.e.Moment()
	case s.Order == index.ByPatientID:
		return st.parent.key[1]
	case s.Order == index.ByPatientName:
		return match.FoldName(st.parent.rep.e.Name)[0]
	}
	return ""
}

// counted is what a search has counted of a patient or a study.
type counted struct {
	studies, series int64
	modalities      []string
	classes         []uid.UID
}

func (x *Index) counted(e *entity, known map[*entity]*counted) *counted {
	c := known[e]
	if c == nil {
		c = &counted{studies: children(x.studies, e), series: children(x.series, e)}
		if e.parent != nil {
			c.modalities, c.classes = x.sets(e)
		}
		known[e] = c
	}
	return c
}

func (x *Index) row(level index.Level, in *instance, known map[*entity]*counted) (*index.Row, error) {
	attrs, err := attrsOf(in, level)
	if err != nil {
		return nil, err
	}
	se, st, p := in.series, in.series.parent, in.series.parent.parent
	r := &index.Row{Level: level, Attrs: attrs}
	if level == index.Image {
		r.Location = in.location()
	}
	r.ID = [...]int64{0, p.id, st.id, se.id, in.id}[level]
	ofPatient := x.counted(p, known)
	r.Counts.PatientStudies, r.Counts.PatientSeries = ofPatient.studies, ofPatient.series
	r.Counts.PatientInstances = p.instances
	if level >= index.Study {
		ofStudy := x.counted(st, known)
		r.Counts.StudySeries, r.Counts.StudyInstances = ofStudy.series, st.instances
		r.Modalities, r.Classes = ofStudy.modalities, ofStudy.classes
	}
	if level >= index.Series {
		r.Counts.SeriesInstances = se.instances
	}
	return r, nil
}

func attrsOf(in *instance, level index.Level) (*dicom.DataSet, error) {
	if ds := in.attrs[level].Load(); ds != nil {
		return ds, nil
	}
	ds, err := index.Kept(in.e.Attrs)
	if err == nil && level != index.Image {
		ds, err = partOf(ds, level)
	}
	if err != nil {
		return nil, err
	}
	in.attrs[level].Store(ds)
	return ds, nil
}

func partOf(ds *dicom.DataSet, level index.Level) (*dicom.DataSet, error) {
	part, err := index.KeptOf(ds, level)
	if err != nil {
		return nil, err
	}
	return index.Kept(part)
}

// sets returns the modalities and SOP classes of a study.
func (x *Index) sets(st *entity) (modalities []string, classes []uid.UID) {
	for _, in := range x.instances {
		if in.series.parent != st || !in.visible() {
			continue
		}
		classes = append(classes, in.e.Class)
		if m := in.series.rep.e.Modality; m != "" {
			modalities = append(modalities, m)
		}
	}
	slices.Sort(modalities)
	slices.Sort(classes)
	return slices.Compact(modalities), slices.Compact(classes)
}

func (i *instance) location() index.Location {
	l := i.e.Location()
	l.Hidden, l.Held = i.hidden, i.hidden && i.e.Envelope.Held
	return l
}
