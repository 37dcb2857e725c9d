// Package indextest holds the tests that every index.Index passes: beside fixed stories,
// random searches whose answers equal those of the index in memory, in the same order.
package indextest

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"gantry/dicom"
	"gantry/dicom/tag"
	"gantry/dicom/uid"
	"gantry/dicom/vr"
	"gantry/internal/archive/index"
	"gantry/internal/archive/index/match"
	"gantry/internal/archive/index/memory"
	"gantry/internal/archive/record"
)

// Object says what an instance of the tests is.
type Object struct {
	Patient, Issuer, Name  string
	Study, Series, SOP     uid.UID
	Modality, Date, Time   string
	Accession, Description string
	Number                 int
	Zone                   string // Timezone Offset From UTC
	Class                  uid.UID
	Reference              uid.UID
}

// DataSet builds the object's header.
func (o Object) DataSet(t testing.TB) *dicom.DataSet {
	t.Helper()
	e := new(dicom.DataSet).Edit()
	e.SetText(tag.SpecificCharacterSet, "ISO_IR 192")
	e.SetUID(tag.SOPClassUID, o.Class).SetUID(tag.SOPInstanceUID, o.SOP).SetUID(tag.StudyInstanceUID, o.Study).SetUID(tag.SeriesInstanceUID, o.Series)
	e.SetBytes(tag.PatientID, vr.LO, []byte(o.Patient)).SetText(tag.PatientName, o.Name).SetText(tag.Modality, o.Modality).SetText(tag.StudyDate, o.Date)
	e.SetText(tag.StudyTime, o.Time).SetBytes(tag.AccessionNumber, vr.SH, []byte(o.Accession)).SetText(tag.SeriesDescription, o.Description)
	e.SetText(tag.InstanceNumber, fmt.Sprint(o.Number)).SetInt(tag.Rows, int64(o.Number%3))
	if o.Zone != "" {
		e.SetText(tag.TimezoneOffsetFromUTC, o.Zone)
	}
	if o.Reference != "" {
		item, err := new(dicom.DataSet).Edit().SetUID(tag.ReferencedSOPInstanceUID, o.Reference).Build()
		if err != nil {
			t.Fatal(err)
		}
		e.SetItems(tag.ReferencedImageSequence, item)
	}
	ds, err := e.Build()
	if err != nil {
		t.Fatal(err)
	}
	return ds
}

// Feeder makes records with ascending positions.
type Feeder struct{ offset int64 }

// Entry makes the entry of an object as version 1, current.
func (f *Feeder) Entry(t testing.TB, o Object) index.Entry {
	t.Helper()
	now := time.Date(2026, 11, 21, 6, 0, 0, int(f.offset), time.UTC)
	env := record.Envelope{V: 1, Kind: record.Put, ID: record.NewID(now), Received: now, Class: o.Class, Instance: o.SOP, Syntax: uid.ImplicitVRLittleEndian,
		Study: o.Study, Series: o.Series, Issuer: o.Issuer, PatientID: o.Patient, Number: 1, Current: true}
	f.offset++
	e, err := index.EntryOf(o.DataSet(t), env, record.Stored{Ref: record.Ref(fmt.Sprint("r", f.offset)),
		Position: record.Position{Segment: 1, Offset: f.offset}, Sums: record.Sums{Head: 100, Data: 1000 + f.offset, DataCRC: uint32(f.offset)}})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// About makes a record about another one.
func (f *Feeder) About(kind record.Kind, of *index.Entry) index.Entry {
	f.offset++
	now := time.Date(2026, 11, 21, 7, 0, 0, int(f.offset), time.UTC)
	env := record.Envelope{V: 1, Kind: kind, ID: record.NewID(now), Received: now, Of: of.Envelope.ID, Instance: of.Envelope.Instance}
	return index.Entry{Envelope: env, Stored: record.Stored{Position: record.Position{Segment: 1, Offset: f.offset}}}
}

// Commit commits and fails the test on an error.
func Commit(t testing.TB, x index.Index, entries ...index.Entry) []index.Outcome {
	t.Helper()
	out, err := x.Commit(context.Background(), entries)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// Find returns all answers.
func Find(t testing.TB, x index.Index, s *index.Search) []*index.Row {
	t.Helper()
	var out []*index.Row
	for r, err := range x.Search(context.Background(), s) {
		if err != nil {
			t.Fatalf("%+v: %v", s, err)
		}
		out = append(out, r)
	}
	return out
}

// Run runs the tests on indexes that open makes, empty, closed by their maker.
func Run(t *testing.T, open func(*testing.T) index.Index) {
	for _, c := range []struct {
		name string
		run  func(*testing.T, index.Index)
	}{
		{"Empty", empty}, {"Counts", counts}, {"Versions", versions}, {"Replace", replace}, {"Idempotent", idempotent},
		{"Delete", deleted}, {"Heir", heir}, {"SelectKept", selectKept}, {"Quarantine", quarantine}, {"Pages", pages}, {"Answer", answer}, {"Random", random},
		{"Reset", reset}, {"Cancel", cancel}, {"Budget", budget}, {"Hostile", hostile}, {"Facts", facts},
	} {
		t.Run(c.name, func(t *testing.T) { c.run(t, open(t)) })
	}
}

func base(n int) Object {
	return Object{Patient: "P1", Name: "Müller^Jörg", Study: "1.1", Series: "1.1.1", SOP: uid.UID(fmt.Sprint("1.1.1.", n)),
		Modality: "CT", Date: "20200102", Time: "0930", Accession: "A1", Number: n, Class: uid.CTImageStorage}
}

func empty(t *testing.T, x index.Index) {
	if s, err := x.State(context.Background()); err != nil || s != (index.State{}) {
		t.Errorf("%+v, %v", s, err)
	}
	for l := index.Patient; l <= index.Image; l++ {
		if rows := Find(t, x, &index.Search{Level: l}); len(rows) > 0 {
			t.Errorf("%v: %v", l, rows)
		}
	}
	if v, err := x.Versions(context.Background(), "1.2"); len(v) > 0 || err != nil {
		t.Error(v, err)
	}
	if out := Commit(t, x); len(out) != 0 {
		t.Error(out)
	}
}

func counts(t *testing.T, x index.Index) {
	var f Feeder
	a, b, c, d := base(1), base(2), base(3), base(4)
	b.Series, b.Modality, b.Class = "1.1.2", "MR", uid.MRImageStorage
	c.Study, c.Series = "1.2", "1.2.1"
	d.Patient, d.Study, d.Series = "", "1.3", "1.3.1" // an empty Patient ID is a patient
	Commit(t, x, f.Entry(t, a), f.Entry(t, b))
	Commit(t, x, f.Entry(t, c), f.Entry(t, d))
	want := index.State{Applied: record.Position{Segment: 1, Offset: 4}, Feed: 4, Patients: 2, Studies: 3, Series: 4, Instance: 4, Versions: 4, Bytes: 4010}
	if s, err := x.State(context.Background()); err != nil || s != want {
		t.Errorf("got %+v, %v\nwant %+v", s, err, want)
	}
	r := Find(t, x, &index.Search{Level: index.Study})[0]
	if w := (index.Counts{PatientStudies: 2, PatientSeries: 3, PatientInstances: 3, StudySeries: 2, StudyInstances: 2}); r.Counts != w {
		t.Errorf("%+v", r.Counts)
	}
	if !reflect.DeepEqual(r.Modalities, []string{"CT", "MR"}) || !reflect.DeepEqual(r.Classes, []uid.UID{uid.CTImageStorage, uid.MRImageStorage}) {
		t.Errorf("%v %v", r.Modalities, r.Classes)
	}
	n := uint64(0)
	for c, err := range x.Changes(context.Background(), 0) {
		if n++; err != nil || c.Number != n || c.Kind != record.Put || c.New != (n != 2) {
			t.Errorf("%+v, %v", c, err)
		}
	}
	if n != 4 {
		t.Errorf("%d changes", n)
	}
}

func versions(t *testing.T, x index.Index) {
	var f Feeder
	other := base(1)
	other.Patient, other.Study, other.Series = "P2", "1.9", "1.9.1"
	first, second, third := f.Entry(t, base(1)), f.Entry(t, other), f.Entry(t, base(1))
	second.Envelope.Number, second.Envelope.Conflict, second.Envelope.Current = 2, true, false
	Commit(t, x, first, second, third) // the third's number is taken: it becomes 3
	v, err := x.Versions(context.Background(), "1.1.1.1")
	if err != nil || len(v) != 3 || !v[0].Current || v[0].Conflict || v[1].Current || !v[1].Conflict || v[1].Version != 2 || v[2].Version != 3 || v[2].Current || !v[2].Conflict {
		t.Errorf("%+v, %v", v, err)
	}
	if v[0].Record != first.Envelope.ID || v[0].Sums != first.Stored.Sums || v[0].Ref != first.Stored.Ref || v[0].Study != "1.1" || v[0].PatientID != "P1" {
		t.Errorf("%+v", v[0])
	}
	if rows := Find(t, x, &index.Search{Level: index.Patient}); len(rows) != 1 {
		t.Errorf("%d patients are visible", len(rows))
	}
}

func replace(t *testing.T, x index.Index) {
	var f Feeder
	other := base(1)
	other.Study, other.Series, other.Modality, other.Date, other.Name = "1.9", "1.9.1", "US", "20210101", "New^Name"
	Commit(t, x, f.Entry(t, base(1)))
	second := f.Entry(t, other)
	second.Envelope.Number = 2
	Commit(t, x, second)
	rows := Find(t, x, &index.Search{Level: index.Study})
	if len(rows) != 1 || rows[0].Attrs.UID(tag.StudyInstanceUID) != "1.9" || rows[0].Counts.PatientStudies != 1 {
		t.Fatalf("%d studies", len(rows))
	}
	if rows[0].Attrs.Text(tag.PatientName) != "New^Name" || len(rows[0].Modalities) != 1 || rows[0].Modalities[0] != "US" {
		t.Errorf("%v", rows[0])
	}
	if s, _ := x.State(context.Background()); s.Instance != 1 || s.Versions != 2 || s.Bytes != second.Stored.Sums.Data {
		t.Errorf("%+v", s)
	}
}

func idempotent(t *testing.T, x index.Index) {
	var f Feeder
	a, b := f.Entry(t, base(1)), f.Entry(t, base(2))
	Commit(t, x, a, b)
	before, _ := x.State(context.Background())
	out := Commit(t, x, a, b, a)
	if after, _ := x.State(context.Background()); after != before || !out[0].Known || !out[1].Known || !out[2].Known || out[0].Feed != 0 {
		t.Errorf("%+v, %+v, %+v", before, after, out)
	}
}

func deleted(t *testing.T, x index.Index) {
	var f Feeder
	a, b := f.Entry(t, base(1)), f.Entry(t, base(2))
	Commit(t, x, a, b, f.About(record.Delete, &a))
	n := func() int { return len(Find(t, x, &index.Search{Level: index.Image})) }
	if n() != 1 {
		t.Errorf("%d visible after a deletion", n())
	}
	Commit(t, x, f.About(record.Restore, &a))
	if n() != 2 {
		t.Errorf("%d visible after it was restored", n())
	}
	Commit(t, x, f.About(record.Delete, &a), f.About(record.Purge, &a), f.About(record.Purge, &b), f.About(record.Purge, &b))
	s, _ := x.State(context.Background())
	if n() != 0 || s.Versions != 0 || s.Patients != 0 || s.Studies != 0 || s.Series != 0 || s.Instance != 0 || s.Bytes != 0 {
		t.Errorf("%+v", s)
	}
	Commit(t, x, f.Entry(t, base(1)))
	if n() != 1 {
		t.Error("an object that comes back after a purge is not there")
	}
	last := uint64(0)
	for c := range x.Changes(context.Background(), 0) {
		if c.Number != last+1 {
			t.Errorf("change %d follows %d", c.Number, last)
		}
		last = c.Number
	}
}

// heir purges the current version of three, again and again.
func heir(t *testing.T, x index.Index) {
	var f Feeder
	v := []index.Entry{f.Entry(t, base(1)), f.Entry(t, base(1)), f.Entry(t, base(1)), f.Entry(t, base(1))}
	for i := range v {
		v[i].Envelope.Number, v[i].Envelope.Current = i+1, i == 2
		Commit(t, x, v[i])
	}
	current := func() (number int, visible bool) {
		kept, err := x.Kept(context.Background(), "1.1.1.1")
		s, _ := x.State(context.Background())
		if err != nil || len(kept) == 0 || (s.Instance == 1) != !kept[0].Hidden {
			t.Fatalf("%+v, %+v, %v", kept, s, err)
		}
		if !kept[0].Current {
			return 0, false
		}
		return kept[0].Version, !kept[0].Hidden
	}
	if n, _ := current(); n != 3 {
		t.Fatalf("version %d is current", n)
	}
	Commit(t, x, f.About(record.Delete, &v[1]), f.About(record.Delete, &v[2]), f.About(record.Purge, &v[2]))
	if n, visible := current(); n != 1 || !visible {
		t.Errorf("version %d is current, visible %v", n, visible)
	}
	Commit(t, x, f.About(record.Delete, &v[0]), f.About(record.Purge, &v[0]))
	if n, visible := current(); n != 4 || !visible {
		t.Errorf("version %d is current, visible %v", n, visible)
	}
	Commit(t, x, f.About(record.Delete, &v[3]), f.About(record.Purge, &v[3]))
	if n, visible := current(); n != 2 || visible {
		t.Errorf("version %d is current, visible %v", n, visible)
	}
	Commit(t, x, f.About(record.Restore, &v[1]))
	if n, visible := current(); n != 2 || !visible {
		t.Errorf("version %d is current, visible %v", n, visible)
	}
}

// selectKept finds all versions, apart by whether they are deleted; held ones are neither.
func selectKept(t *testing.T, x index.Index) {
	var f Feeder
	a, b, second, held := f.Entry(t, base(1)), f.Entry(t, base(2)), f.Entry(t, base(2)), f.Entry(t, base(3))
	second.Envelope.Number, second.Envelope.Current, second.Envelope.Conflict = 2, false, true
	held.Envelope.Held = true
	other := base(4)
	other.Patient, other.Study, other.Series = "P2", "1.9", "1.9.1"
	Commit(t, x, a, b, second, held, f.Entry(t, other), f.About(record.Delete, &a))
	for _, c := range []struct {
		s       index.Selector
		deleted bool
		want    int
	}{
		{index.Selector{Studies: []uid.UID{"1.1"}}, false, 2}, {index.Selector{Studies: []uid.UID{"1.1"}}, true, 1},
		{index.Selector{PatientIDs: []string{"P1"}}, false, 2}, {index.Selector{Instances: []uid.UID{"1.1.1.3"}}, true, 0},
		{index.Selector{Series: []uid.UID{"1.9.1"}}, false, 1}, {index.Selector{}, false, 0},
	} {
		n := 0
		for l, err := range x.SelectKept(context.Background(), c.s, c.deleted) {
			if n++; err != nil || l.Hidden != c.deleted {
				t.Errorf("%+v: %+v, %v", c, l, err)
			}
		}
		if n != c.want {
			t.Errorf("%+v: %d", c, n)
		}
	}
}

func quarantine(t *testing.T, x index.Index) {
	var f Feeder
	a, b := f.Entry(t, base(1)), f.Entry(t, base(2))
	a.Fault = errors.New("cannot be read")
	out := Commit(t, x, a, b)
	s, _ := x.State(context.Background())
	if out[0].Problem == nil || s.Quarantined != 1 || s.Instance != 1 || s.Applied.Offset != 2 {
		t.Errorf("%+v, %+v", out, s)
	}
}

func pages(t *testing.T, x index.Index) {
	var f Feeder
	for i := range 700 {
		o := base(i)
		o.Date = fmt.Sprint(20200101 + i%7)
		o.Study, o.Series = uid.UID(fmt.Sprint("1.", i)), uid.UID(fmt.Sprint("1.1.", i))
		Commit(t, x, f.Entry(t, o))
	}
	for _, s := range []index.Search{{}, {Descending: true}, {Order: index.ByStudyDate}, {Order: index.ByStudyDate, Descending: true}} {
		s.Level = index.Study
		all := Find(t, x, &s)
		if len(all) != 700 {
			t.Fatalf("%d studies", len(all))
		}
		var got []*index.Row
		next := s
		for next.Limit = 100; ; {
			page := Find(t, x, &next)
			if got = append(got, page...); len(page) < 100 {
				break
			}
			next.After = &page[len(page)-1].At
			o := base(10_000 + len(got) + int(s.Order)*50_000) // comes in between pages: not part of the answer
			o.Study, o.Series = uid.UID(fmt.Sprint("9.", f.offset)), uid.UID(fmt.Sprint("9.9.", f.offset))
			e := f.Entry(t, o)
			Commit(t, x, e)
			Commit(t, x, f.About(record.Purge, &e))
		}
		if len(got) != len(all) {
			t.Fatalf("%d by pages, %d at once", len(got), len(all))
		}
		for i := range all {
			if got[i].ID != all[i].ID {
				t.Fatalf("row %d is %d by pages, %d at once", i, got[i].ID, all[i].ID)
			}
		}
	}
}

func answer(t *testing.T, x index.Index) {
	var f Feeder
	Commit(t, x, f.Entry(t, base(1)))
	keys := []tag.Tag{tag.PatientName, tag.ModalitiesInStudy, tag.NumberOfStudyRelatedInstances, tag.StudyID, tag.Rows, tag.StudyInstanceUID}
	ds, unsupported, err := Find(t, x, &index.Search{Level: index.Study})[0].Answer(keys)
	if err != nil || len(unsupported) != 1 || unsupported[0] != tag.Rows {
		t.Fatal(unsupported, err)
	}
	for k, want := range map[tag.Tag]string{tag.PatientName: "Müller^Jörg", tag.ModalitiesInStudy: "CT", tag.NumberOfStudyRelatedInstances: "1",
		tag.StudyID: "", tag.Rows: "", tag.StudyInstanceUID: "1.1", tag.SpecificCharacterSet: "ISO_IR 192"} {
		if got := ds.Text(k); got != want || !ds.Has(k) {
			t.Errorf("%v: %q, want %q", k, got, want)
		}
	}
	if ds.Len() != len(keys)+1 {
		t.Errorf("%d elements", ds.Len())
	}
}

func reset(t *testing.T, x index.Index) {
	var f Feeder
	Commit(t, x, f.Entry(t, base(1)))
	if err := x.Reset(context.Background()); err != nil {
		t.Fatal(err)
	}
	empty(t, x)
	Commit(t, x, f.Entry(t, base(1)))
	if s, _ := x.State(context.Background()); s.Instance != 1 || s.Feed != 1 {
		t.Errorf("%+v", s)
	}
}

func cancel(t *testing.T, x index.Index) {
	var f Feeder
	for i := range 50 {
		Commit(t, x, f.Entry(t, base(i)))
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	n := 0
	var last error
	for _, err := range x.Search(ctx, &index.Search{Level: index.Image}) {
		if n++; n == 5 {
			stop()
		}
		last = err
	}
	if !errors.Is(last, context.Canceled) || n > 20 {
		t.Errorf("%d rows, %v", n, last)
	}
	if _, err := x.Commit(ctx, []index.Entry{f.Entry(t, base(99))}); err == nil {
		t.Error("commit after cancel")
	}
	Commit(t, x, f.Entry(t, base(99)))
	for range x.Search(context.Background(), &index.Search{Level: index.Image}) {
		break // holds nothing back
	}
	Commit(t, x, f.Entry(t, base(100)))
}

func budget(t *testing.T, x index.Index) {
	var f Feeder
	for i := range 40 {
		Commit(t, x, f.Entry(t, base(i)))
	}
	s := &index.Search{Level: index.Image, Where: []match.Condition{match.New(tag.Rows, vr.US, "7")}, Budget: 10}
	var last error
	for _, err := range x.Search(context.Background(), s) {
		last = err
	}
	if _, ok := x.(*memory.Index); !ok && !errors.Is(last, index.ErrTooBroad) {
		t.Errorf("%v", last)
	}
	for _, s := range []index.Search{{Level: 9}, {Level: index.Study, Offset: -1}, {Level: index.Study, Offset: index.MaxOffset + 1}} {
		for r, err := range x.Search(context.Background(), &s) {
			if err == nil {
				t.Errorf("%+v: %v", s, r)
			}
		}
	}
}

func hostile(t *testing.T, x index.Index) {
	var f Feeder
	long := make([]byte, 70_000)
	for i := range long {
		long[i] = 'x'
	}
	for i, s := range []string{"'; DROP TABLE patient; --", "\x00", "a\x00b", "%_*?", `"`, string(long), "\xff\xfe", "é\u0301", "=^=^"} {
		o := base(i)
		o.Patient, o.Accession = s, s
		e := f.Entry(t, o)
		e.Envelope.Study = uid.UID(s)
		out := Commit(t, x, e)
		if out[0].Problem != nil {
			t.Errorf("%.20q: %v", s, out[0].Problem)
		}
		for _, c := range []match.Condition{match.New(tag.PatientID, vr.LO, s), match.New(tag.PatientName, vr.PN, s), match.Fuzzy(match.New(tag.PatientName, vr.PN, s)),
			match.New(tag.PatientName, vr.PN, "*"+s+"*"), match.Fuzzy(match.New(tag.PatientName, vr.PN, s+"*")), match.Fuzzy(match.New(tag.PatientName, vr.PN, strings.Split(strings.Repeat(s+"a ", 40), " ")...)), match.New(tag.StudyInstanceUID, vr.UI, s), match.New(tag.ModalitiesInStudy, vr.CS, s)} {
			Find(t, x, &index.Search{Level: index.Image, Where: []match.Condition{c}})
		}
	}
}
