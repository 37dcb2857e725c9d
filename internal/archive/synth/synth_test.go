package synth

import (
	"context"
	"errors"
	"strings"
	"testing"

	"gantry/dicom/tag"
	"gantry/dicom/value"
	"gantry/internal/archive/blob"
	"gantry/internal/archive/blob/memblob"
	"gantry/internal/archive/index"
	"gantry/internal/archive/index/memory"
	"gantry/internal/archive/ingest"
	"gantry/internal/archive/record"
)

var plan = Plan{Instances: 1003, PerSeries: 10, PerStudy: 2, PerPatient: 3, Pixels: 64, Seed: 1}

func filled(t *testing.T, p Plan) (*memblob.Store, *memory.Index) {
	t.Helper()
	store, idx := new(memblob.Store), new(memory.Index)
	last := int64(0)
	err := Fill(context.Background(), &p, store, idx, func(n int64) {
		if n <= last {
			t.Errorf("%d after %d", n, last)
		}
		last = n
	})
	if err != nil || last != p.Instances {
		t.Fatalf("%d instances, %v", last, err)
	}
	return store, idx
}

func counts(t *testing.T, idx index.Index) [4]int64 {
	t.Helper()
	st, err := idx.State(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return [4]int64{st.Patients, st.Studies, st.Series, st.Instance}
}

// TestFill makes an archive whose index can be made again from its store alone.
func TestFill(t *testing.T) {
	want := [4]int64{17, 51, 101, 1003}
	if got := [4]int64{plan.Patients(), plan.Studies(), plan.Series(), plan.Instances}; got != want {
		t.Errorf("the plan says %d", got)
	}
	store, idx := filled(t, plan)
	if got := counts(t, idx); got != want {
		t.Errorf("index has %d, want %d", got, want)
	}
	again := new(memory.Index)
	if err := ingest.Reindex(context.Background(), store, again, ingest.Options{}, nil); err != nil {
		t.Fatal(err)
	}
	if got := counts(t, again); got != want {
		t.Errorf("made again it has %d", got)
	}
	a, b := rows(t, idx), rows(t, again)
	if len(a) != 51 || strings.Join(a, "\n") != strings.Join(b, "\n") {
		t.Errorf("studies differ:\n%s\n%s", a[0], b[0])
	}
}

// rows are the studies as a search answers them.
func rows(t *testing.T, idx index.Index) (out []string) {
	t.Helper()
	for row, err := range idx.Search(context.Background(), &index.Search{Level: index.Study}) {
		if err != nil {
			t.Fatal(err)
		}
		var s strings.Builder
		for e := range row.Attrs.All() {
			s.WriteString(e.Tag.String() + strings.Join(e.Texts(), `\`) + "|")
		}
		out = append(out, s.String())
	}
	return out
}

// TestSamePlanSameArchive fills two, and one with another seed.
func TestSamePlanSameArchive(t *testing.T) {
	other := plan
	other.Seed, other.IndexOnly = 2, true
	_, a := filled(t, plan)
	_, b := filled(t, plan)
	_, c := filled(t, other)
	x, y, z := rows(t, a), rows(t, b), rows(t, c)
	if strings.Join(x, "\n") != strings.Join(y, "\n") {
		t.Error("the same plan made another archive")
	}
	for i := range z {
		if x[i] == z[i] {
			t.Errorf("another seed made the same study: %s", x[i])
		}
	}
}

// TestPeople reads the names as person names; many differ, some have three groups.
func TestPeople(t *testing.T) {
	names, groups := map[string]bool{}, [3]int{}
	for n := range int64(30_000) {
		name := Person(1, n)
		if _, err := value.ParsePN(name); err != nil {
			t.Fatalf("%q: %v", name, err)
		}
		names[name] = true
		groups[strings.Count(name, "=")]++
	}
	if len(names) < 10_000 || groups != [3]int{27_000, 1000, 2000} {
		t.Errorf("%d names, groups %d", len(names), groups)
	}
}

func TestCheck(t *testing.T) {
	for _, change := range []func(*Plan){
		func(p *Plan) { p.Instances = 0 }, func(p *Plan) { p.Instances = maxInstances + 1 }, func(p *Plan) { p.PerSeries = -1 },
		func(p *Plan) { p.PerStudy = 0 }, func(p *Plan) { p.PerPatient = 0 }, func(p *Plan) { p.Pixels = 1 }, func(p *Plan) { p.Pixels = maxPixels + 1 },
	} {
		p := plan
		if change(&p); p.Check() == nil {
			t.Errorf("%+v is right", p)
		}
		if Fill(context.Background(), &p, new(memblob.Store), new(memory.Index), nil) == nil {
			t.Errorf("%+v was filled in", p)
		}
	}
}

// failing is a store that is full after some batches.
type failing struct {
	*memblob.Store
	left int
}

func (f *failing) Commit(ctx context.Context, r []blob.Record) ([]record.Stored, error) {
	if f.left--; f.left < 0 {
		return nil, blob.ErrFull
	}
	return f.Store.Commit(ctx, r)
}

// TestEnds stops for a full store, for the end of the context, and before an archive.
func TestEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	idx := new(memory.Index)
	err := Fill(ctx, &plan, &failing{new(memblob.Store), 2}, idx, func(int64) {})
	if got := counts(t, idx); !errors.Is(err, blob.ErrFull) || got[3] != 2*perBatch {
		t.Errorf("%v, %d", err, got)
	}
	if err := Fill(ctx, &plan, new(memblob.Store), idx, func(int64) {}); !errors.Is(err, ErrNotEmpty) {
		t.Errorf("into an archive: %v", err)
	}
	if err := Fill(ctx, &plan, new(memblob.Store), new(memory.Index), func(int64) { cancel() }); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// TestPixels: images of any size that a plan may have are whole.
func TestPixels(t *testing.T) {
	for _, n := range []int{2, 3, 64, 1024, 1026, 524288, maxPixels} {
		m := newMaker(&Plan{Instances: 1, PerSeries: 1, PerStudy: 1, PerPatient: 1, Pixels: n})
		ds, err := m.object(0)
		if err != nil {
			t.Fatalf("%d bytes: %v", n, err)
		}
		rows, _ := ds.Int(tag.Rows)
		columns, _ := ds.Int(tag.Columns)
		if len(m.pixels) < n || int64(len(m.pixels)) != 2*rows*columns {
			t.Errorf("%d bytes: %d for %d x %d", n, len(m.pixels), rows, columns)
		}
	}
}
