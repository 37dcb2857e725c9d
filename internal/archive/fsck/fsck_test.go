package fsck_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"gantry/dicom"
	"gantry/dicom/tag"
	"gantry/dicom/uid"
	"gantry/dicom/vr"
	"gantry/internal/archive/blob/fsblob"
	"gantry/internal/archive/fsck"
	"gantry/internal/archive/index/sqlite"
	"gantry/internal/archive/ingest"
)

type archive struct {
	t     *testing.T
	dir   string
	index *sqlite.Index
	store *fsblob.Store
}

func (a *archive) open() {
	a.t.Helper()
	ctx := context.Background()
	var err error
	if a.index, err = sqlite.Open(ctx, filepath.Join(a.dir, "index.db"), sqlite.Options{}); err != nil {
		a.t.Fatal(err)
	}
	st, err := a.index.State(ctx)
	if err != nil {
		a.t.Fatal(err)
	}
	a.store, err = fsblob.Open(ctx, a.dir, fsblob.Options{MinFree: -1, Reserve: -1, SegmentSize: 1 << 20, Applied: st.Applied, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		a.t.Fatal(err)
	}
}

func (a *archive) close() {
	a.store.Close()
	a.index.Close()
}

// fill stores four objects, one of them in a file of its own, and deletes one for good.
func (a *archive) fill() {
	a.t.Helper()
	ctx := context.Background()
	in, err := ingest.New(ctx, a.store, a.index, ingest.Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		a.t.Fatal(err)
	}
	defer in.Close()
	var last ingest.Outcome
	for i, size := range []int{1000, 5 << 20, 3000, 4000, 5000} {
		last = a.send(in, i, size)
	}
	target := ingest.Target{Instance: last.Instance, Record: last.Record}
	if err := in.Delete(ctx, target); err != nil {
		a.t.Fatal(err)
	}
	if err := in.Purge(ctx, target); err != nil {
		a.t.Fatal(err)
	}
}

func (a *archive) send(in *ingest.Ingester, i, size int) ingest.Outcome {
	a.t.Helper()
	u := uid.UID(fmt.Sprint("1.2.", i))
	ds, err := new(dicom.DataSet).Edit().SetUID(tag.SOPClassUID, uid.CTImageStorage).SetUID(tag.SOPInstanceUID, u).
		SetUID(tag.StudyInstanceUID, "1.1").SetUID(tag.SeriesInstanceUID, "1.1.1").
		SetBytes(tag.PixelData, vr.OW, bytes.Repeat([]byte{byte(i), 7}, size/2)).Build()
	if err != nil {
		a.t.Fatal(err)
	}
	w, err := in.Begin(context.Background(), ingest.Hint{Class: uid.CTImageStorage, Instance: u, Syntax: uid.ExplicitVRLittleEndian})
	if err != nil {
		a.t.Fatal(err)
	}
	if err := dicom.Encode(w, ds, uid.ExplicitVRLittleEndian); err != nil {
		a.t.Fatal(err)
	}
	out, err := w.Commit(context.Background())
	if err != nil {
		a.t.Fatal(err)
	}
	return out
}

func (a *archive) check(quick bool) ([]fsck.Kind, fsck.Summary) {
	a.t.Helper()
	a.open()
	defer a.close()
	var kinds []fsck.Kind
	sum, err := fsck.Run(context.Background(), a.store, a.index, fsck.Options{Quick: quick, Report: func(f fsck.Finding) {
		if f.Mend == "" {
			a.t.Errorf("%s: nothing to do about it", f.Kind)
		}
		kinds = append(kinds, f.Kind)
	}})
	if err != nil {
		a.t.Fatal(err)
	}
	return kinds, sum
}

func newArchive(t *testing.T) *archive {
	a := &archive{t: t, dir: t.TempDir()}
	a.open()
	a.fill()
	a.close()
	return a
}

// find returns the files below a folder of the archive.
func (a *archive) find(sub string) []string {
	var out []string
	filepath.WalkDir(filepath.Join(a.dir, sub), func(name string, d os.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			out = append(out, name)
		}
		return nil
	})
	return out
}

func TestCleanArchive(t *testing.T) {
	a := newArchive(t)
	kinds, sum := a.check(false)
	if len(kinds) != 0 || sum.Objects != 4 || sum.Indexed != 4 || sum.Bytes < 5<<20 {
		t.Errorf("%v, %+v", kinds, sum)
	}
	if kinds, sum := a.check(true); len(kinds) != 0 || sum.Bytes != 0 {
		t.Errorf("quick: %v, %+v", kinds, sum)
	}
}

func TestFlippedBitsAreFound(t *testing.T) {
	a := newArchive(t)
	for _, name := range append(a.find("log"), a.find("objects")...) {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, pattern := range [][]byte{bytes.Repeat([]byte{1, 7}, 100), bytes.Repeat([]byte{2, 7}, 100)} {
			if i := bytes.Index(b, pattern); i >= 0 {
				b[i+50] ^= 0x10
			}
		}
		if err := os.WriteFile(name, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if kinds, _ := a.check(false); !slices.Equal(kinds, []fsck.Kind{fsck.DamagedObject, fsck.DamagedObject}) {
		t.Errorf("%v", kinds)
	}
	if kinds, _ := a.check(true); len(kinds) != 0 {
		t.Errorf("quick reads bytes: %v", kinds)
	}
}

func TestStoreAndIndexDisagree(t *testing.T) {
	a := newArchive(t)
	large := a.find("objects")
	if len(large) != 1 {
		t.Fatalf("files %v", large)
	}
	if err := os.WriteFile(filepath.Join(a.dir, "objects", "left.dcm"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(large[0]); err != nil {
		t.Fatal(err)
	}
	if kinds, _ := a.check(false); !slices.Equal(kinds, []fsck.Kind{fsck.DamagedRecord, fsck.Orphan}) {
		t.Errorf("a file gone, another too many: %v", kinds)
	}
	a.open()
	applied, err := a.index.State(context.Background())
	if err == nil {
		err = a.index.Reset(context.Background())
	}
	if err != nil || applied.Instance != 4 {
		t.Fatal(err)
	}
	defer a.close()
	var kinds []fsck.Kind
	if _, err := fsck.Run(context.Background(), a.store, a.index, fsck.Options{Quick: true, Report: func(f fsck.Finding) { kinds = append(kinds, f.Kind) }}); err != nil {
		t.Fatal(err)
	}
	want := []fsck.Kind{fsck.NotIndexed, fsck.DamagedRecord, fsck.NotIndexed, fsck.NotIndexed, fsck.Orphan}
	if !slices.Equal(kinds, want) {
		t.Errorf("an empty index: %v", kinds)
	}
}

// TestErasedLate finds the file of a purged object that a crash kept from being erased, and
// not one that came again in its place.
func TestErasedLate(t *testing.T) {
	ctx := context.Background()
	a := newArchive(t)
	a.open()
	in, err := ingest.New(ctx, a.store, a.index, ingest.Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	out := a.send(in, 20, 5<<20)
	target := ingest.Target{Instance: out.Instance, Record: out.Record}
	file := a.find("objects")
	content := make(map[string][]byte)
	for _, name := range file {
		if content[name], err = os.ReadFile(name); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 { // the second time it has come again
		if err := errors.Join(in.Delete(ctx, target), in.Purge(ctx, target)); err != nil {
			t.Fatal(err)
		}
		out = a.send(in, 20, 5<<20)
		target.Record = out.Record
	}
	in.Close()
	a.close()
	if kinds, _ := a.check(true); len(kinds) != 0 {
		t.Errorf("an object that came again: %v", kinds)
	}
	a.open()
	if in, err = ingest.New(ctx, a.store, a.index, ingest.Options{Log: slog.New(slog.DiscardHandler)}); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(in.Delete(ctx, target), in.Purge(ctx, target)); err != nil {
		t.Fatal(err)
	}
	in.Close()
	a.close()
	if kinds, _ := a.check(true); len(kinds) != 0 {
		t.Errorf("a purged object: %v", kinds)
	}
	for name, b := range content {
		if err := os.WriteFile(name, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if kinds, _ := a.check(true); !slices.Equal(kinds, []fsck.Kind{fsck.Orphan}) {
		t.Errorf("a purged object's file: %v", kinds)
	}
}
