package ingest_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"gantry/dicom"
	"gantry/dicom/part10"
	"gantry/dicom/tag"
	"gantry/dicom/vr"
	"gantry/internal/archive/index"
	"gantry/internal/archive/index/indextest"
	"gantry/internal/archive/index/match"
	"gantry/internal/archive/index/sqlite"
	"gantry/internal/archive/ingest"
	"gantry/internal/vfs"
)

func sampleFiles(t testing.TB) []string {
	t.Helper()
	dir := os.Getenv("GANTRY_SAMPLES")
	if dir == "" {
		if os.Getenv("CI") == "true" {
			t.Fatal("GANTRY_SAMPLES is not set")
		}
		t.Skip("GANTRY_SAMPLES is not set: NO REAL FILE IS TESTED")
	}
	var out []string
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			out = append(out, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestSamples stores real files and reads them back: bytes, answers, and the same again
// from an index built of the log alone.
func TestSamples(t *testing.T) {
	files := sampleFiles(t)
	dir := t.TempDir()
	w := build(t, vfs.OS{}, dir, nil, ingest.Options{})
	taken, refused := 0, map[uint16]int{}
	for _, name := range files {
		f, err := part10.Open(name, dicom.DecodeOptions{})
		if err != nil {
			continue // not DICOM, or too broken: part10's own tests hold the list
		}
		data, err := io.ReadAll(f.DataSetReader())
		if err := errors.Join(err, f.Close()); err != nil {
			t.Fatal(err)
		}
		out, err := send(w.in, ingest.Hint{Syntax: f.Syntax}, data)
		var e *ingest.Error
		if errors.As(err, &e) && e.Status == ingest.StatusCannotUnderstand {
			refused[e.Status]++
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", filepath.Base(name), err)
			continue
		}
		taken++
		checkSample(t, w, filepath.Base(name), out, data)
	}
	t.Logf("%d of %d files stored, refused: %v", taken, len(files), refused)
	if taken < 567 { // the others lack UIDs
		t.Errorf("only %d of %d files were stored, 567 could be before", taken, len(files))
	}
	checkSamplesRebuilt(t, w, dir)
}

func checkSample(t *testing.T, w *world, name string, out ingest.Outcome, data []byte) {
	t.Helper()
	kept, _ := stored(t, w.store, w.idx, out.Instance)
	found := false
	for _, b := range kept {
		found = found || bytes.Equal(b, data)
	}
	if !found {
		t.Errorf("%s: bytes differ", name)
	}
	s := &index.Search{Level: index.Image, Where: []match.Condition{match.New(tag.SOPInstanceUID, vr.UI, string(out.Instance))}, Budget: -1}
	rows := indextest.Find(t, w.idx, s)
	if len(rows) != 1 || rows[0].Attrs.UID(tag.StudyInstanceUID) == "" {
		t.Errorf("%s: %d rows", name, len(rows))
		return
	}
	var keys []tag.Tag
	for e := range rows[0].Attrs.All() {
		keys = append(keys, e.Tag)
	}
	if _, _, err := rows[0].Answer(keys); err != nil {
		t.Errorf("%s: answer: %v", name, err)
	}
}

func checkSamplesRebuilt(t *testing.T, w *world, dir string) {
	t.Helper()
	a, err := w.idx.State(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	w.close()
	fresh, err := sqlite.Open(context.Background(), filepath.Join(dir, "fresh.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer fresh.Close()
	v := build(t, vfs.OS{}, dir, fresh, ingest.Options{})
	defer v.close()
	b, err := fresh.State(context.Background())
	a.Applied = b.Applied
	if err != nil || a != b {
		t.Errorf("rebuilt:\n%+v\n%+v, %v", a, b, err)
	}
	for l := index.Patient; l <= index.Image; l++ {
		p, q := indextest.Find(t, w.idx, &index.Search{Level: l}), indextest.Find(t, fresh, &index.Search{Level: l})
		if len(p) != len(q) {
			t.Errorf("%v: %d and %d rows", l, len(p), len(q))
		}
	}
}
