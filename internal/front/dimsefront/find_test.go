package dimsefront

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"gantry/dicom"
	"gantry/dicom/tag"
	"gantry/dicom/uid"
	"gantry/dicomtest"
	"gantry/dimse"
	"gantry/internal/archive/index"
	"gantry/internal/archive/index/indextest"
	"gantry/internal/archive/index/sqlite"
	"gantry/service/query"
	"gantry/ul"
)

const studyFind = uid.StudyRootQueryRetrieveInformationModelFind

// archived is an index with a study for each object, and a server over it.
func archived(t testing.TB, f *Front, objects ...indextest.Object) (*sqlite.Index, string) {
	t.Helper()
	x, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "index.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { x.Close() })
	var feeder indextest.Feeder
	for i, o := range objects {
		indextest.Commit(t, x, feeder.Entry(t, numbered(o, i)))
	}
	if f.Index == nil {
		f.Index = x
	}
	return x, dicomtest.Serve(t, &dimse.Server{Handler: f.Mux()})
}

func numbered(o indextest.Object, i int) indextest.Object {
	o.Study, o.Series, o.SOP = uid.UID(fmt.Sprint("1.1.", i)), uid.UID(fmt.Sprint("1.2.", i)), uid.UID(fmt.Sprint("1.3.", i))
	o.Class = uid.CTImageStorage
	if o.Patient == "" {
		o.Patient = fmt.Sprint("P", i)
	}
	return o
}

func identifier(t testing.TB, keys ...string) *dicom.DataSet {
	t.Helper()
	e := new(dicom.DataSet).Edit().SetText(tag.QueryRetrieveLevel, "STUDY").SetText(tag.PatientID, "")
	for _, k := range keys {
		name, value, _ := strings.Cut(k, "=")
		p, last, err := dicom.ParsePath(name)
		if err != nil || len(p) > 0 {
			t.Fatal(name, err)
		}
		e.SetText(last, strings.Split(value, `\`)...)
	}
	ds, err := e.Build()
	if err != nil {
		t.Fatal(err)
	}
	return ds
}

func dial(t testing.TB, addr string, e query.Extended) *dimse.Assoc {
	t.Helper()
	d := dimse.Dialer{Contexts: []dimse.Context{{Class: studyFind}}}
	if info := e.Bytes(); info != nil {
		d.Extended = []ul.ExtendedNegotiation{{Class: studyFind, Info: info}}
	}
	a, err := d.Dial(t.Context(), "SCP", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Abort() })
	if got := query.ParseExtended(a.Peer().Extended(studyFind)); got != e {
		t.Errorf("negotiated %+v of %+v", got, e)
	}
	return a
}

func ids(a *dimse.Assoc, ds *dicom.DataSet) (string, error) {
	var out []string
	for ds, err := range a.Find(context.Background(), studyFind, ds) {
		if err != nil {
			return strings.Join(out, " "), err
		}
		out = append(out, ds.Text(tag.PatientID))
	}
	slices.Sort(out)
	return strings.Join(out, " "), nil
}

// TestOptionsAreHonoured: each option of extended negotiation changes the answer when it
// was negotiated, and does not when it was not.
func TestOptionsAreHonoured(t *testing.T) {
	_, addr := archived(t, new(Front),
		indextest.Object{Name: "Meyer^Philipp", Date: "20260101", Time: "2330", Accession: "A", Zone: "+0100"},
		indextest.Object{Name: "Maier^Filip", Date: "20260102", Time: "0030", Zone: "+0200"},
		indextest.Object{Name: "Doe^John", Date: "20260103", Time: "1200", Accession: "C", Zone: "+0000"})
	for _, c := range []struct {
		e             query.Extended
		keys          []string
		with, without string
	}{
		{query.Extended{Fuzzy: true}, []string{"PatientName=Mayr^Fillip"}, "P0 P1", ""},
		{query.Extended{DateTime: true}, []string{"StudyDate=20260101-20260102", "StudyTime=2300-0100"}, "P0 P1", ""},
		{query.Extended{DateTime: true, Timezone: true}, []string{"StudyDate=20260101-20260101", "StudyTime=222900-223100", "TimezoneOffsetFromUTC=+0000"}, "P0 P1", ""},
		{query.Extended{Empty: true}, []string{`AccessionNumber=""`}, "P1", ""},
		{query.Extended{Multiple: true}, []string{`StudyDate=-20260101\20260103-`}, "P0 P2", ""},
		{query.Extended{Multiple: true, Empty: true}, []string{`AccessionNumber=C\""`}, "P1 P2", "P2"},
	} {
		ds := identifier(t, c.keys...)
		if got, err := ids(dial(t, addr, c.e), ds); err != nil || got != c.with {
			t.Errorf("%v with %+v: %q, %v, want %q", c.keys, c.e, got, err, c.with)
		}
		if got, err := ids(dial(t, addr, query.Extended{}), ds); err != nil || got != c.without {
			t.Errorf("%v without: %q, %v, want %q", c.keys, got, err, c.without)
		}
	}
}

// TestNeverStale: an answer that was kept is not given after a change was committed.
func TestNeverStale(t *testing.T) {
	x, addr := archived(t, new(Front), indextest.Object{Name: "Doe^A"})
	a := dial(t, addr, query.Extended{})
	ds := identifier(t, "PatientName=doe*")
	feeder := new(indextest.Feeder)
	want := "P0"
	for i := 1; i < 50; i++ {
		for range 2 {
			if got, err := ids(a, ds); err != nil || got != want {
				t.Fatalf("%q, %v, want %q", got, err, want)
			}
		}
		e := feeder.Entry(t, numbered(indextest.Object{Name: "Doe^B", Patient: fmt.Sprintf("Q%02d", i)}, i))
		indextest.Commit(t, x, e)
		want += fmt.Sprintf(" Q%02d", i)
	}
}

// TestTooBroad: a query that finds nothing among too much is refused with words that help.
func TestTooBroad(t *testing.T) {
	var objects []indextest.Object
	for range 40 {
		objects = append(objects, indextest.Object{Description: "x"})
	}
	for name, b := range map[string]Bounds{"rows": {MaxRows: 10}, "time": {MaxTime: time.Nanosecond}, "deadline": {Deadline: time.Nanosecond}} {
		_, addr := archived(t, &Front{Bounds: b}, objects...)
		_, err := ids(dial(t, addr, query.Extended{}), identifier(t, "StudyDescription=no such thing"))
		var se *dimse.StatusError
		if !errors.As(err, &se) || se.Status != dimse.OutOfResources || !strings.Contains(se.Comment, "add a patient ID") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// endless finds the same study again and again until its context ends.
type endless struct {
	Searcher
	row   *index.Row
	ended chan error
}

func (e *endless) Feed() uint64 { return 0 }

func (e *endless) Search(ctx context.Context, s *index.Search) iter.Seq2[*index.Row, error] {
	return func(yield func(*index.Row, error) bool) {
		defer func() { e.ended <- context.Cause(ctx) }()
		for ctx.Err() == nil && yield(e.row, nil) {
		}
	}
}

// TestEndsWithThePeer: a query stops soon after its peer has left.
func TestEndsWithThePeer(t *testing.T) {
	x, _ := archived(t, new(Front), indextest.Object{Name: "Doe^A"})
	e := &endless{row: indextest.Find(t, x, &index.Search{Level: index.Study})[0], ended: make(chan error, 1)}
	_, addr := archived(t, &Front{Index: e})
	a := dial(t, addr, query.Extended{})
	for range a.Find(t.Context(), studyFind, identifier(t)) {
		a.Abort()
		break
	}
	select {
	case err := <-e.ended:
		if err != nil && !errors.Is(err, dimse.ErrPeerGone) { // nil when sending failed first
			t.Errorf("ended by %v", err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("goes on without its peer")
	}
}

// BenchmarkFind measures whole queries over loopback, each beside C-ECHO, which is the
// round trip alone.
func BenchmarkFind(b *testing.B) {
	var objects []indextest.Object
	for i := range 48 {
		objects = append(objects, indextest.Object{Name: fmt.Sprintf("Doe%03d^A", i), Date: "20260101"})
	}
	_, addr := archived(b, new(Front), objects...)
	d := dimse.Dialer{Contexts: []dimse.Context{{Class: studyFind}, {Class: uid.Verification}}}
	a, err := d.Dial(b.Context(), "SCP", addr)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { a.Abort() })
	b.Run("echo", func(b *testing.B) {
		for range b.N {
			if err := a.Echo(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
	})
	keys := []string{"StudyDate=", "StudyTime=", "AccessionNumber=", "ModalitiesInStudy=", "StudyDescription=", "StudyInstanceUID=", "NumberOfStudyRelatedInstances="}
	for _, c := range []struct {
		name string
		key  func(i int) string
	}{
		{"ID kept", func(int) string { return "PatientID=P7" }},
		{"ID", func(i int) string { return fmt.Sprintf(`PatientID=P7\P%d`, 1000+i) }},
		{"ten names", func(i int) string { return fmt.Sprintf(`PatientName=Doe00*\X%d`, i) }},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for i := range b.N {
				got, err := ids(a, identifier(b, append(keys, c.key(i))...))
				if err != nil || got == "" {
					b.Fatal(got, err)
				}
			}
		})
	}
}
