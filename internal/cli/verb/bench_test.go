package verb

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"gantry/dicom"
	"gantry/dicom/tag"
	"gantry/dicom/uid"
	"gantry/dicomtest"
	"gantry/dimse"
)

// TestHistogram compares quantiles with those of the sorted times, over nine powers of ten.
func TestHistogram(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var h, other histogram
	var all []time.Duration
	for i := range 200_000 {
		d := time.Duration(r.ExpFloat64() * float64(int64(1)<<(r.Int64N(36))))
		all = append(all, d)
		if i%3 == 0 {
			other.add(d)
		} else {
			h.add(d)
		}
	}
	h.merge(&other)
	slices.Sort(all)
	if h.n != int64(len(all)) || h.least != all[0] || h.most != all[len(all)-1] {
		t.Errorf("n %d, least %v, most %v", h.n, h.least, h.most)
	}
	for _, q := range []float64{0.001, 0.1, 0.5, 0.9, 0.99, 0.999, 0.9999, 1} {
		want := all[max(0, int(q*float64(len(all))+0.999999)-1)]
		if got := h.quantile(q); got < want || float64(got-want) > float64(want)/128 {
			t.Errorf("quantile %v: %d, want %d", q, got, want)
		}
	}
	for _, d := range []time.Duration{0, 1, 127, 128, 255, 256, 257, 1 << 40, 1<<63 - 1} {
		b := bucket(d)
		if b >= len(h.counts) || highest(b) < d || b > 0 && highest(b-1) >= d {
			t.Errorf("%d is in bucket %d of up to %d", d, b, highest(b))
		}
	}
}

// bench runs a load against the handler and returns its report.
func bench(t *testing.T, h dimse.Handler, o Bench) (*benchReport, error) {
	t.Helper()
	return benchUntil(t, context.Background(), h, o)
}

func benchUntil(t *testing.T, ctx context.Context, h dimse.Handler, o Bench) (*benchReport, error) {
	t.Helper()
	if err := o.Parse(dicomtest.Serve(t, &dimse.Server{Handler: h, Policy: dimse.Policy{AnyCalled: true}})); err != nil {
		t.Fatal(err)
	}
	o.Calling, o.Layout = "BENCH", "json"
	o.Model, o.Level = "study", "STUDY"
	o.Jobs = max(1, o.Jobs)
	if o.Size == 0 {
		o.Size, o.Modality = 1024, "CT"
	}
	var out, errs bytes.Buffer
	err := o.Run(ctx, &Stdio{In: strings.NewReader(""), Out: &out, Err: &errs})
	r := new(benchReport)
	if out.Len() > 0 {
		if e := json.Unmarshal(out.Bytes(), r); e != nil {
			t.Fatalf("%v in %s", e, out.String())
		}
	}
	return r, err
}

// stalling answers C-ECHO at once, but stands still for a while at one of them.
type stalling struct {
	n     atomic.Int64
	at    int64
	pause time.Duration
}

func (s *stalling) ServeDIMSE(w dimse.ResponseWriter, _ *dimse.Request) {
	if s.n.Add(1) == s.at {
		time.Sleep(s.pause)
	}
	w.Final(dimse.Success, nil)
}

// TestBenchOpenLoop stalls a server once for 400 ms: of the 100 operations due in a second
// by one client, those due in that time waited. A closed loop would have seen one.
func TestBenchOpenLoop(t *testing.T) {
	r, err := bench(t, &stalling{at: 20, pause: 400 * time.Millisecond}, Bench{Kind: "echo", Rate: 100, Duration: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	k := r.Kinds[0]
	if k.Done != 100 || k.Failed != 0 {
		t.Errorf("%d done, %d failed of 100", k.Done, k.Failed)
	}
	if k.Latency.P90 < 200 || k.Latency.Max < 390 {
		t.Errorf("the stall does not show: %+v", k.Latency)
	}
	closed, err := bench(t, &stalling{at: 20, pause: 400 * time.Millisecond}, Bench{Kind: "echo", Count: 100})
	if err != nil || closed.Kinds[0].Done != 100 || closed.Kinds[0].Latency.P90 > 200 || closed.Kinds[0].Latency.Max < 390 {
		t.Errorf("closed loop: %v %+v", err, closed.Kinds)
	}
}

// TestBenchLate has a server that never answers again: all that was due counts as failed.
func TestBenchLate(t *testing.T) {
	r, err := bench(t, &stalling{at: 11, pause: 1500 * time.Millisecond}, Bench{Kind: "echo", Rate: 100, Duration: 500 * time.Millisecond, grace: 400 * time.Millisecond})
	k := r.Kinds[0]
	if err == nil || k.Done != 10 || k.Failed != 40 || len(k.Failures) != 1 || k.Failures[0].Reason != "no answer in time" || k.Failures[0].Count != 40 {
		t.Errorf("%v %+v", err, k)
	}
}

func TestBenchFailures(t *testing.T) {
	a := new(dicomtest.Archive)
	var n atomic.Int64
	a.OnStore = func(*dimse.Incoming) error {
		if n.Add(1)%3 == 0 {
			return &dimse.StatusError{Status: dimse.OutOfResources}
		}
		return nil
	}
	r, err := bench(t, a.Mux(nil), Bench{Kind: "store", Count: 30, Jobs: 3})
	k := r.Kinds[0]
	if err == nil || k.Done != 20 || k.Failed != 10 || len(k.Failures) != 1 || !strings.HasPrefix(k.Failures[0].Reason, "A700H") {
		t.Errorf("%v %+v", err, k)
	}
}

// TestBenchObjects checks the made-up objects: each another one, all there is of them
// decodes, and the size is the one asked for.
func TestBenchObjects(t *testing.T) {
	a := new(dicomtest.Archive)
	if _, err := bench(t, a.Mux(nil), Bench{Kind: "store", Count: 120, Jobs: 4, Size: 32 << 10, Modality: "US"}); err != nil {
		t.Fatal(err)
	}
	seen, studies := map[uid.UID]bool{}, map[uid.UID]bool{}
	for _, s := range a.Objects() {
		seen[s.Instance], studies[s.DataSet.UID(tag.StudyInstanceUID)] = true, true
		if s.Class != uid.UltrasoundImageStorage || !s.Instance.Valid() || s.DataSet.UID(tag.SOPInstanceUID) != s.Instance {
			t.Fatalf("%v %v", s.Class, s.Instance)
		}
		if e, ok := s.DataSet.Get(tag.PixelData); !ok || e.Len() < 32<<10-400 || e.Len() > 32<<10 || !strings.HasPrefix(s.DataSet.Text(tag.PatientName), "BENCH^") {
			t.Fatal("pixels or patient are wrong")
		}
	}
	if len(seen) != 120 || len(studies) != 2 {
		t.Errorf("%d objects in %d studies", len(seen), len(studies))
	}
}

// TestMaker compares the bytes that are sent with the data set as package dicom lays it out.
func TestMaker(t *testing.T) {
	for _, m := range modalities {
		k, err := newMaker(m.name, 5001, "TEST")
		if err != nil {
			t.Fatal(err)
		}
		out, err := k.outgoing(7)
		if err != nil {
			t.Fatal(err)
		}
		ds, err := k.whole(7)
		if err != nil {
			t.Fatal(err)
		}
		for _, syntax := range []uid.UID{uid.ExplicitVRLittleEndian, uid.ImplicitVRLittleEndian} {
			want, err := dicom.AppendEncode(nil, ds, syntax)
			if err != nil {
				t.Fatal(err)
			}
			r, err := out.Open(context.Background(), syntax)
			if err != nil {
				t.Fatal(err)
			}
			got, _ := io.ReadAll(r)
			if len(got) != len(want) || !bytes.Equal(got[len(got)-5000:], want[len(want)-5000:]) || syntax == out.Syntax && int64(len(got)) != out.Size {
				t.Errorf("%s in %s: %d bytes, want %d", m.name, syntax.Name(), len(got), len(want))
			}
		}
	}
}

// TestBenchInterrupted ends a load that would go on for an hour.
func TestBenchInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(300*time.Millisecond, cancel) // no deadline, as Ctrl-C has none
	r, err := benchUntil(t, ctx, new(dicomtest.Archive).Mux(nil), Bench{Kind: "associate", Jobs: 3, Duration: time.Hour})
	if err != nil || !r.Interrupted || r.Kinds[0].Done == 0 || r.Kinds[0].Failed != 0 {
		t.Errorf("%v %+v", err, r)
	}
}

// TestBenchMixed runs every kind but move at once, on a peer that is empty at first.
func TestBenchMixed(t *testing.T) {
	a := new(dicomtest.Archive)
	r, err := bench(t, a.Mux(nil), Bench{Kind: "mixed", Mix: "echo=1,associate=1,store=1,find=1,get=1", Think: 10 * time.Millisecond,
		Duration: 1500 * time.Millisecond, Warmup: 50 * time.Millisecond, Jobs: 2})
	if err != nil || len(r.Kinds) != 6 {
		t.Fatalf("%v %+v", err, r)
	}
	sum := int64(0)
	for _, k := range r.Kinds[:5] {
		sum += k.Done
		if k.Done == 0 || k.Clients != 2 || k.Rate > 2/0.005 {
			t.Errorf("%+v", k)
		}
		if (k.Kind == "store" || k.Kind == "get" || k.Kind == "find") && k.MB == 0 {
			t.Errorf("%s: no bytes", k.Kind)
		}
	}
	if all := r.Kinds[5]; all.Kind != "all" || all.Done != sum || all.Clients != 10 {
		t.Errorf("%+v", all)
	}
}

// TestBenchGetClasses fetches studies of two modalities in turn over one association, from
// an archive that tells which SOP classes a study has.
func TestBenchGetClasses(t *testing.T) {
	w, err := new(Selftest).world(context.Background(), &Stdio{Err: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	defer w.close()
	var keys strings.Builder
	for _, modality := range []string{"CT", "MR"} {
		m, err := newMaker(modality, 1024, "TEST")
		if err != nil {
			t.Fatal(err)
		}
		a, err := w.peer.dial(context.Background(), m.contexts())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := m.send(context.Background(), a); err != nil {
			t.Fatal(err)
		}
		a.Abort()
		keys.WriteString("StudyInstanceUID=" + string(m.study(0)) + "\n")
	}
	file := filepath.Join(t.TempDir(), "keys")
	if err := os.WriteFile(file, []byte(keys.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, from := range []string{"", file} {
		var out bytes.Buffer
		o := Bench{Peer: w.peer, Query: Query{Model: "study", Level: "STUDY"}, Kind: "get", Count: 6, Jobs: 1, From: from, Layout: "table"}
		if err := o.Run(context.Background(), &Stdio{Out: &out, Err: io.Discard}); err != nil {
			t.Errorf("keys from %q: %v %s", from, err, out.String())
		}
	}
}

// BenchmarkMaker is what the client itself needs for an object of 512 KiB.
func BenchmarkMaker(b *testing.B) {
	m, err := newMaker("CT", 512<<10, "TEST")
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := m.next(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkHistogram is what noting a time costs.
func BenchmarkHistogram(b *testing.B) {
	var h histogram
	b.ReportAllocs()
	for b.Loop() {
		h.add(1234567)
	}
}
