package server

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"gantry/dicom"
	"gantry/dicom/tag"
	"gantry/dicom/uid"
	"gantry/internal/archive/fsck"
	"gantry/internal/archive/ingest"
	"gantry/internal/archive/scrub"
	"gantry/internal/config"
)

// TestCompactBehind compacts an archive whose index lacks the last objects of the log, as it
// may after a crash: they are in the index afterwards.
func TestCompactBehind(t *testing.T) {
	ctx := context.Background()
	l := config.NewLoader()
	l.YAML("test.yaml", fmt.Appendf(nil, "storage: {directory: %q}\n", t.TempDir()))
	c, err := l.Done()
	if err != nil {
		t.Fatal(err)
	}
	storeOne(ctx, t, c, "1.2.3.1")
	name := filepath.Join(c.Storage.Directory, "index.db")
	older, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	storeOne(ctx, t, c, "1.2.3.2")
	if err := os.WriteFile(name, older, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Compact(ctx, c, io.Discard); err != nil {
		t.Fatal(err)
	}
	a := &archive{dir: c.Storage.Directory}
	defer a.close()
	if err := a.openIndex(ctx, c); err != nil {
		t.Fatal(err)
	}
	if st, err := a.index.State(ctx); err != nil || st.Instance != 2 {
		t.Errorf("%d instances of 2 are in the index, %v", st.Instance, err)
	}
}

func storeOne(ctx context.Context, t *testing.T, c *config.Config, instance uid.UID) {
	t.Helper()
	quiet := slog.New(slog.DiscardHandler)
	a, err := openArchive(ctx, c, quiet, ingest.Options{Log: quiet})
	if err != nil {
		t.Fatal(err)
	}
	ds, err := new(dicom.DataSet).Edit().SetUID(tag.SOPClassUID, uid.CTImageStorage).SetUID(tag.SOPInstanceUID, instance).
		SetUID(tag.StudyInstanceUID, "1.1").SetUID(tag.SeriesInstanceUID, "1.1.1").SetText(tag.PatientID, "P").Build()
	if err != nil {
		t.Fatal(err)
	}
	b, err := dicom.AppendEncode(nil, ds, uid.ExplicitVRLittleEndian)
	if err != nil {
		t.Fatal(err)
	}
	w, err := a.ingest.Begin(ctx, ingest.Hint{Class: uid.CTImageStorage, Instance: instance, Syntax: uid.ExplicitVRLittleEndian})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(w, bytes.NewReader(b)); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Commit(ctx); err != nil {
		t.Fatal(err)
	}
	w.Discard()
	if err := a.close(); err != nil {
		t.Fatal(err)
	}
}

// TestCheckAfterInterruptedMigration: files whose objects are in a segment already, when the
// server was killed before it removed them, are nothing to report.
func TestCheckAfterInterruptedMigration(t *testing.T) {
	ctx, dir := context.Background(), t.TempDir()
	layout := func(name string) *config.Config {
		l := config.NewLoader()
		l.YAML("test.yaml", fmt.Appendf(nil, "storage: {directory: %q, layout: %s}\n", dir, name))
		c, err := l.Done()
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	storeOne(ctx, t, layout("plain"), "1.2.3.1")
	a, log, err := openStopped(ctx, layout("log"), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if err := a.seal(ctx); err != nil {
		t.Fatal(err)
	}
	b := a.newCompactor(layout("log"), &scrub.Guard{Opener: a.store})
	b.Migrate, b.Grace, b.Log = true, time.Hour, log
	short, stop := context.WithTimeout(ctx, 500*time.Millisecond)
	defer stop()
	if err := b.Round(short); b.Moved.Load() != 1 {
		t.Fatalf("%d objects moved, %v", b.Moved.Load(), err)
	}
	if err := a.close(); err != nil {
		t.Fatal(err)
	}
	_, err = Check(ctx, layout("log"), io.Discard, fsck.Options{Report: func(f fsck.Finding) { t.Errorf("%+v", f) }})
	if err != nil {
		t.Error(err)
	}
}
