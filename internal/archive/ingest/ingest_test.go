package ingest_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"reflect"
	"slices"
	"sync"
	"testing"
	"testing/iotest"

	"gantry/dicom"
	"gantry/dicom/part10"
	"gantry/dicom/tag"
	"gantry/dicom/uid"
	"gantry/dicom/vr"
	"gantry/internal/archive/blob"
	"gantry/internal/archive/blob/fsblob"
	"gantry/internal/archive/blob/memblob"
	"gantry/internal/archive/index"
	"gantry/internal/archive/index/indextest"
	"gantry/internal/archive/index/memory"
	"gantry/internal/archive/index/sqlite"
	"gantry/internal/archive/ingest"
	"gantry/internal/archive/record"
	"gantry/internal/vfs"
)

var quiet = slog.New(slog.DiscardHandler)

// object returns the data set bytes of an instance with some pixels, Implicit VR.
func object(t testing.TB, o indextest.Object, pixels []byte) []byte {
	t.Helper()
	ds, err := o.DataSet(t).Edit().SetBytes(tag.PixelData, vr.OW, pixels).Build()
	if err != nil {
		t.Fatal(err)
	}
	b, err := dicom.AppendEncode(nil, ds, uid.ImplicitVRLittleEndian)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func sample(n int) indextest.Object {
	return indextest.Object{Patient: fmt.Sprint("P", n%7), Name: "Doe^John", Study: uid.UID(fmt.Sprint("1.", n%7)), Series: uid.UID(fmt.Sprint("1.", n%7, ".1")),
		SOP: uid.UID(fmt.Sprint("1.2.3.", n)), Modality: "CT", Date: "20200101", Number: n, Class: uid.CTImageStorage}
}

func hint(o indextest.Object) ingest.Hint {
	return ingest.Hint{Source: "CT1", Called: "GANTRY", Class: o.Class, Instance: o.SOP, Syntax: uid.ImplicitVRLittleEndian}
}

func send(in *ingest.Ingester, h ingest.Hint, data []byte) (ingest.Outcome, error) {
	w, err := in.Begin(context.Background(), h)
	if err != nil {
		return ingest.Outcome{}, err
	}
	if _, err := w.ReadFrom(bytes.NewReader(data)); err != nil {
		w.Discard()
		return ingest.Outcome{}, err
	}
	return w.Commit(context.Background())
}

func mustSend(t testing.TB, in *ingest.Ingester, o indextest.Object, data []byte) ingest.Outcome {
	t.Helper()
	out, err := send(in, hint(o), data)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// world is an archive on some file system.
type world struct {
	fs    vfs.FS
	dir   string
	store *fsblob.Store
	idx   index.Index
	in    *ingest.Ingester
}

// build opens an archive; with a nil index an SQLite one in dir is opened.
func build(t testing.TB, f vfs.FS, dir string, idx index.Index, o ingest.Options) *world {
	t.Helper()
	w := &world{fs: f, dir: dir, idx: idx}
	ctx := context.Background()
	if idx == nil {
		x, err := sqlite.Open(ctx, filepath.Join(dir, "index.db"), sqlite.Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = x.Close() })
		w.idx = x
	}
	st, err := w.idx.State(ctx)
	if err != nil {
		t.Fatal(err)
	}
	w.store, err = fsblob.Open(ctx, filepath.Join(dir, "store"), fsblob.Options{FS: f, SegmentSize: 1 << 20, MinFree: -1, Reserve: -1, Log: quiet, Applied: st.Applied})
	if err != nil {
		t.Fatal(err)
	}
	o.Log = quiet
	if w.in, err = ingest.New(ctx, w.store, w.idx, o); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.close)
	return w
}

func (w *world) close() {
	_ = w.in.Close()
	_ = w.store.Close()
}

func inMemory(t testing.TB, o ingest.Options) *world {
	return build(t, vfs.NewMem(), "/", new(memory.Index), o)
}

// stored returns the data set bytes and the file of what is kept under a UID.
func stored(t testing.TB, s blob.Store, idx index.Index, u uid.UID) (data [][]byte, locs []index.Location) {
	t.Helper()
	locs, err := idx.Versions(context.Background(), u)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range locs {
		o, err := s.Open(context.Background(), l.Ref)
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(o.Section(context.Background(), o.Head(), o.Size()-o.Head()))
		if err != nil || int64(len(b)) != l.Size() {
			t.Fatalf("%d bytes of %d, %v", len(b), l.Size(), err)
		}
		data = append(data, b)
		if err := o.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return data, locs
}

func TestStoreAndRead(t *testing.T) {
	for _, n := range []int{10, 70_000, 5 << 20} {
		w := inMemory(t, ingest.Options{})
		o := sample(1)
		data := object(t, o, bytes.Repeat([]byte{7}, n))
		out := mustSend(t, w.in, o, data)
		if out.Kind != ingest.Stored || out.Version != 1 || out.Feed != 1 || out.Study != o.Study || out.Size != int64(len(data)) {
			t.Errorf("%+v", out)
		}
		got, locs := stored(t, w.store, w.idx, o.SOP)
		if len(got) != 1 || !bytes.Equal(got[0], data) {
			t.Fatal("stored bytes differ")
		}
		ob, err := w.store.Open(context.Background(), locs[0].Ref)
		if err != nil {
			t.Fatal(err)
		}
		f, err := part10.NewFile(ob, ob.Size(), dicom.DecodeOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if f.Syntax != uid.ImplicitVRLittleEndian || f.DataSet.UID(tag.SOPInstanceUID) != o.SOP || f.Meta.UID(tag.MediaStorageSOPInstanceUID) != o.SOP || f.DataSetOffset != ob.Head() {
			t.Errorf("%+v", f)
		}
		if err := errors.Join(f.Close(), ob.Close()); err != nil {
			t.Error(err)
		}
	}
}

func TestRefusals(t *testing.T) {
	w := inMemory(t, ingest.Options{})
	good := sample(1)
	without := func(tags ...tag.Tag) []byte {
		e := good.DataSet(t).Edit()
		for _, u := range tags {
			e.Delete(u)
		}
		ds, err := e.Build()
		if err != nil {
			t.Fatal(err)
		}
		b, err := dicom.AppendEncode(nil, ds, uid.ImplicitVRLittleEndian)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	other, bad := good, good
	other.SOP, bad.Study = "1.9", "1 2"
	mr := good
	mr.Class = uid.MRImageStorage
	for name, c := range map[string]struct {
		data   []byte
		status uint16
		tags   []tag.Tag
	}{
		"empty":       {nil, ingest.StatusCannotUnderstand, []tag.Tag{tag.SOPClassUID, tag.SOPInstanceUID, tag.StudyInstanceUID, tag.SeriesInstanceUID}},
		"no study":    {without(tag.StudyInstanceUID), ingest.StatusCannotUnderstand, []tag.Tag{tag.StudyInstanceUID}},
		"no two":      {without(tag.SeriesInstanceUID, tag.SOPClassUID), ingest.StatusCannotUnderstand, []tag.Tag{tag.SOPClassUID, tag.SeriesInstanceUID}},
		"bad study":   {object(t, bad, []byte{1, 2}), ingest.StatusCannotUnderstand, []tag.Tag{tag.StudyInstanceUID}},
		"other SOP":   {object(t, other, []byte{1, 2}), ingest.StatusMismatch, []tag.Tag{tag.SOPInstanceUID}},
		"other class": {object(t, mr, []byte{1, 2}), ingest.StatusMismatch, []tag.Tag{tag.SOPClassUID}},
	} {
		_, err := send(w.in, hint(good), c.data)
		var e *ingest.Error
		if !errors.As(err, &e) || e.Status != c.status || !slices.Equal(e.Offending, c.tags) {
			t.Errorf("%s: %v, %+v", name, err, e)
		}
	}
	if _, err := w.in.Begin(context.Background(), ingest.Hint{}); err == nil {
		t.Error("an object without transfer syntax")
	}
	if s, _ := w.idx.State(context.Background()); s != (index.State{}) {
		t.Errorf("something is visible: %+v", s)
	}
	if st := w.in.Stats(); st.Refused != 6 || st.Stored != 0 {
		t.Errorf("%+v", st)
	}
}

// TestCutBodies is R10: whatever byte a sender stops at, nothing is visible, and sending
// again works.
func TestCutBodies(t *testing.T) {
	w := inMemory(t, ingest.Options{})
	o := sample(1)
	data := object(t, o, bytes.Repeat([]byte{3}, 200_000))
	for cut := 0; cut < len(data); cut += 1 + len(data)/97 {
		wr, err := w.in.Begin(context.Background(), hint(o))
		if err != nil {
			t.Fatal(err)
		}
		broken := io.MultiReader(bytes.NewReader(data[:cut]), iotest.ErrReader(io.ErrUnexpectedEOF))
		if _, err := wr.ReadFrom(broken); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Fatal(err)
		}
		wr.Discard()
		if _, err := wr.Commit(context.Background()); err == nil {
			t.Fatal("commit after Discard")
		}
	}
	if s, _ := w.idx.State(context.Background()); s != (index.State{}) {
		t.Errorf("something is visible: %+v", s)
	}
	mustSend(t, w.in, o, data)
}

func TestPolicies(t *testing.T) {
	o := sample(1)
	a, b := object(t, o, []byte{1, 1}), object(t, o, []byte{2, 2})
	for _, c := range []struct {
		policy  ingest.Policy
		kind    ingest.Kind
		status  uint16
		kept    int
		current []byte
	}{
		{ingest.Keep, ingest.Conflict, 0, 2, a}, {ingest.Reject, 0, ingest.StatusDuplicate, 1, a},
		{ingest.Ignore, ingest.Ignored, 0, 1, a}, {ingest.Replace, ingest.Superseded, 0, 2, b},
	} {
		w := inMemory(t, ingest.Options{Duplicates: c.policy})
		first := mustSend(t, w.in, o, a)
		var e *ingest.Error
		same, err := send(w.in, hint(o), a)
		switch {
		case c.policy == ingest.Reject:
			if !errors.As(err, &e) || e.Status != ingest.StatusDuplicate {
				t.Errorf("reject: the same again: %v", err)
			}
		case err != nil || same.Kind != ingest.Identical || same.Record != first.Record:
			t.Errorf("%s: the same again is %+v, %v", c.policy, same, err)
		}
		out, err := send(w.in, hint(o), b)
		if c.status != 0 && (!errors.As(err, &e) || e.Status != c.status) || c.status == 0 && (err != nil || out.Kind != c.kind) {
			t.Errorf("%s: %+v, %v", c.policy, out, err)
		}
		data, locs := stored(t, w.store, w.idx, o.SOP)
		if len(data) != c.kept || !bytes.Equal(data[0], c.current) || !locs[0].Current {
			t.Errorf("%s: %d kept", c.policy, len(data))
		}
		if s, _ := w.idx.State(context.Background()); s.Instance != 1 {
			t.Errorf("%s: %+v", c.policy, s)
		}
	}
	if _, err := ingest.New(context.Background(), new(memblob.Store), new(memory.Index), ingest.Options{Duplicates: "x"}); err == nil {
		t.Error("unknown policy")
	}
}

// TestSyntaxMakesADifference: the same bytes under another transfer syntax are another
// object.
func TestSyntaxMakesADifference(t *testing.T) {
	w := inMemory(t, ingest.Options{})
	o := sample(1)
	ds := o.DataSet(t)
	data, err := dicom.AppendEncode(nil, ds, uid.ExplicitVRLittleEndian)
	if err != nil {
		t.Fatal(err)
	}
	h := hint(o)
	h.Syntax = uid.ExplicitVRLittleEndian
	if _, err := send(w.in, h, data); err != nil {
		t.Fatal(err)
	}
	h.Syntax = uid.JPEGBaseline8Bit
	if out, err := send(w.in, h, data); err != nil || out.Kind != ingest.Conflict {
		t.Errorf("%+v, %v", out, err)
	}
}

// TestManySenders is R07 and R08: 64 senders of one UID, with the same and with different
// bytes, and a crowd of others.
func TestManySenders(t *testing.T) {
	for _, policy := range []ingest.Policy{ingest.Keep, ingest.Replace, ingest.Reject, ingest.Ignore} {
		for _, variants := range []int{1, 2, 64} {
			w := inMemory(t, ingest.Options{Duplicates: policy})
			o := sample(1)
			data := make([][]byte, variants)
			for i := range data {
				data[i] = object(t, o, bytes.Repeat([]byte{byte(i)}, 40_000))
			}
			var mu sync.Mutex
			kinds := map[ingest.Kind]int{}
			var wg sync.WaitGroup
			for i := range 64 {
				wg.Go(func() {
					out, err := send(w.in, hint(o), data[i%variants])
					var e *ingest.Error
					if errors.As(err, &e) && e.Status != ingest.StatusDuplicate {
						t.Error(err)
					}
					mu.Lock()
					defer mu.Unlock()
					kinds[out.Kind]++
				})
				wg.Go(func() { mustSend(t, w.in, sample(100+i), object(t, sample(100+i), []byte{1, 2})) })
			}
			wg.Wait()
			kept, locs := stored(t, w.store, w.idx, o.SOP)
			want := variants
			if policy == ingest.Reject || policy == ingest.Ignore {
				want = 1
			}
			if len(kept) != want || kinds[ingest.Stored] != 1 {
				t.Errorf("%s, %d variants: %d kept, %v", policy, variants, len(kept), kinds)
			}
			seen, current := map[string]bool{}, 0
			for i, b := range kept {
				seen[string(b)] = true
				if locs[i].Current {
					current++
				}
				if (policy == ingest.Keep) != (locs[i].Conflict || locs[i].Version == 1) && variants > 1 && policy == ingest.Keep {
					t.Errorf("version %d: conflict %v", locs[i].Version, locs[i].Conflict)
				}
			}
			if len(seen) != want || current != 1 {
				t.Errorf("%s, %d variants: %d different, %d current", policy, variants, len(seen), current)
			}
			if s, _ := w.idx.State(context.Background()); s.Instance != 65 {
				t.Errorf("%+v", s)
			}
		}
	}
}

// brokenIndex fails commits while err is set.
type brokenIndex struct {
	index.Index
	mu  sync.Mutex
	err error
}

func (b *brokenIndex) set(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.err = err
}

func (b *brokenIndex) Commit(ctx context.Context, e []index.Entry) ([]index.Outcome, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err != nil {
		return nil, b.err
	}
	return b.Index.Commit(ctx, e)
}

// TestBehind: when the index fails nobody is told of success and nothing is visible; when
// it works again what was stored appears, and storing goes on.
func TestBehind(t *testing.T) {
	x := &brokenIndex{Index: new(memory.Index)}
	w := build(t, vfs.NewMem(), "/", x, ingest.Options{})
	x.set(errors.New("disk full"))
	for i := range 3 {
		_, err := send(w.in, hint(sample(i)), object(t, sample(i), []byte{1, 2}))
		var e *ingest.Error
		if !errors.As(err, &e) || e.Status != ingest.StatusOutOfResources || !errors.Is(err, ingest.ErrBehind) {
			t.Fatalf("object %d: %v", i, err)
		}
	}
	if w.in.Healthy() == nil {
		t.Error("healthy while behind")
	}
	if s, _ := x.State(context.Background()); s.Instance != 0 {
		t.Errorf("%+v", s)
	}
	x.set(nil)
	var err error
	for range 300 {
		if err = w.in.Healthy(); err == nil {
			break
		}
		testWait()
	}
	if err != nil {
		t.Fatal(err)
	}
	if out := mustSend(t, w.in, sample(0), object(t, sample(0), []byte{1, 2})); out.Kind != ingest.Identical {
		t.Errorf("%+v", out)
	}
	mustSend(t, w.in, sample(5), object(t, sample(5), []byte{1, 2}))
}

// TestReindexEquals is R11: an index built from the log alone is equal to the one that
// grew with it.
func TestReindexEquals(t *testing.T) {
	w := inMemory(t, ingest.Options{Issuer: func(ae string) string { return "H-" + ae }})
	for i := range 60 {
		o := sample(i % 40)
		mustSend(t, w.in, o, object(t, o, bytes.Repeat([]byte{byte(i / 30)}, i*2000)))
	}
	w.close()
	store, err := fsblob.Open(context.Background(), "/store", fsblob.Options{FS: w.fs, SegmentSize: 1 << 20, MinFree: -1, Reserve: -1, Log: quiet})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	fresh, err := sqlite.Open(context.Background(), filepath.Join(t.TempDir(), "x.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer fresh.Close()
	last := 0
	if err := ingest.Reindex(context.Background(), store, fresh, ingest.Options{Log: quiet}, func(n int) { last = n }); err != nil {
		t.Fatal(err)
	}
	a, _ := w.idx.State(context.Background())
	b, _ := fresh.State(context.Background())
	a.Applied, b.Applied = record.Position{}, record.Position{} // recovery moved the last segment
	if a != b || last == 0 {
		t.Errorf("%+v\n%+v, %d", a, b, last)
	}
	for _, level := range []index.Level{index.Patient, index.Study, index.Series, index.Image} {
		p, q := indextest.Find(t, w.idx, &index.Search{Level: level}), indextest.Find(t, fresh, &index.Search{Level: level})
		if len(p) != len(q) {
			t.Fatalf("%v: %d and %d rows", level, len(p), len(q))
		}
		for i := range p {
			p[i].Attrs, q[i].Attrs, p[i].Location.Ref, q[i].Location.Ref = nil, nil, "", ""
			p[i].More, q[i].More = false, false // how an index reads, not what it has
			if !reflect.DeepEqual(p[i], q[i]) {
				t.Errorf("%v %d:\n%+v\n%+v", level, i, p[i], q[i])
			}
		}
	}
	for i := range 40 {
		p, _ := stored(t, store, fresh, sample(i).SOP)
		if len(p) == 0 || len(p) > 2 {
			t.Errorf("object %d: %d versions", i, len(p))
		}
	}
}

// TestImport: an object without a command gets its file meta from its data set.
func TestImport(t *testing.T) {
	for _, n := range []int{10, 5 << 20} {
		w := inMemory(t, ingest.Options{})
		o := sample(1)
		h := ingest.Hint{Syntax: uid.ImplicitVRLittleEndian, Meta: []byte("theirs")}
		data := object(t, o, make([]byte, n))
		if out, err := send(w.in, h, data); err != nil || out.Instance != o.SOP {
			t.Fatalf("%+v, %v", out, err)
		}
		got, locs := stored(t, w.store, w.idx, o.SOP)
		if !bytes.Equal(got[0], data) || locs[0].Sums.Head < 200 {
			t.Errorf("%+v", locs[0])
		}
	}
}

// TestEndlessHeader: an object that is all header is refused before it fills the memory.
func TestEndlessHeader(t *testing.T) {
	w := inMemory(t, ingest.Options{})
	wr, err := w.in.Begin(context.Background(), hint(sample(1)))
	if err != nil {
		t.Fatal(err)
	}
	element := append([]byte{0x09, 0, 0x01, 0x10, 0, 0x80, 0, 0}, make([]byte, 0x8000)...) // (0009,1001), 32 KiB
	for range 1100 {
		if _, err := wr.Write(element); err != nil {
			t.Fatal(err)
		}
	}
	_, err = wr.Commit(context.Background())
	var e *ingest.Error
	if !errors.As(err, &e) || e.Status != ingest.StatusCannotUnderstand {
		t.Error(err)
	}
}

func TestClose(t *testing.T) {
	w := inMemory(t, ingest.Options{})
	wr, err := w.in.Begin(context.Background(), hint(sample(1)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := wr.Write(object(t, sample(1), []byte{1, 2})); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.in.Close(), w.in.Close()); err != nil {
		t.Fatal(err)
	}
	if _, err := wr.Commit(context.Background()); !errors.Is(err, ingest.ErrClosed) {
		t.Error(err)
	}
}
