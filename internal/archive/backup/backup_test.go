package backup_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"gantry/dicom"
	"gantry/dicom/tag"
	"gantry/dicom/uid"
	"gantry/dicom/vr"
	"gantry/internal/archive/backup"
	"gantry/internal/archive/blob/fsblob"
	"gantry/internal/archive/index/sqlite"
	"gantry/internal/archive/ingest"
)

var quiet = slog.New(slog.DiscardHandler)

// world is an archive at work, with small segments.
type world struct {
	dir   string
	index *sqlite.Index
	in    *ingest.Ingester
	n     int
}

func open(t *testing.T) *world {
	t.Helper()
	ctx := context.Background()
	w := &world{dir: t.TempDir()}
	var err error
	if w.index, err = sqlite.Open(ctx, filepath.Join(w.dir, "index.db"), sqlite.Options{}); err != nil {
		t.Fatal(err)
	}
	store, err := fsblob.Open(ctx, w.dir, fsblob.Options{MinFree: -1, Reserve: -1, SegmentSize: 1 << 20, PackMax: 100_000, Log: quiet})
	if err != nil {
		t.Fatal(err)
	}
	if w.in, err = ingest.New(ctx, store, w.index, ingest.Options{Log: quiet}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.in.Close(); store.Close(); w.index.Close() })
	return w
}

// send stores an object, in the log or in a file of its own by its size.
func (w *world) send(t *testing.T, size int) {
	t.Helper()
	w.n++
	u := uid.UID(fmt.Sprint("1.2.", w.n))
	ds, err := new(dicom.DataSet).Edit().SetUID(tag.SOPClassUID, uid.CTImageStorage).SetUID(tag.SOPInstanceUID, u).
		SetUID(tag.StudyInstanceUID, "1.1").SetUID(tag.SeriesInstanceUID, "1.1.1").SetBytes(tag.PixelData, vr.OW, bytes.Repeat([]byte{byte(w.n), 7}, size/2)).Build()
	if err != nil {
		t.Fatal(err)
	}
	wr, err := w.in.Begin(context.Background(), ingest.Hint{Class: uid.CTImageStorage, Instance: u, Syntax: uid.ExplicitVRLittleEndian})
	if err != nil {
		t.Fatal(err)
	}
	if err := dicom.Encode(wr, ds, uid.ExplicitVRLittleEndian); err != nil {
		t.Fatal(err)
	}
	if _, err := wr.Commit(context.Background()); err != nil {
		t.Fatal(err)
	}
}

func (w *world) backup(ctx context.Context, to string) (backup.Summary, error) {
	return backup.Run(ctx, w.index, backup.Options{From: w.dir, To: to,
		Open: func(ctx context.Context, name string) (backup.Copy, error) {
			return sqlite.Open(ctx, name, sqlite.Options{})
		}})
}

func TestOnlyWhatIsNewIsCopied(t *testing.T) {
	w := open(t)
	for range 30 {
		w.send(t, 90_000)
	}
	w.send(t, 200_000)
	to := filepath.Join(t.TempDir(), "b")
	first, err := w.backup(context.Background(), to)
	if err != nil || first.State.Instance != 31 || first.Copied < 4 {
		t.Fatalf("%+v, %v", first, err)
	}
	w.send(t, 1000)
	w.send(t, 300_000)
	second, err := w.backup(context.Background(), to)
	if err != nil || second.State.Instance != 33 || second.Copied > 3 || second.Kept < first.Copied-1 {
		t.Errorf("%+v after %+v, %v", second, first, err)
	}
	left, _ := os.ReadDir(filepath.Join(to, "tmp"))
	if len(left) != 0 {
		t.Errorf("left in tmp: %v", left)
	}
}

// TestInterruptedBackupKeepsTheLastOne ends a backup in the middle: what was there before
// must still be whole, and the next one must finish.
func TestInterruptedBackupKeepsTheLastOne(t *testing.T) {
	w := open(t)
	w.send(t, 1000)
	to := filepath.Join(t.TempDir(), "b")
	if _, err := w.backup(context.Background(), to); err != nil {
		t.Fatal(err)
	}
	for range 30 {
		w.send(t, 90_000)
	}
	ctx, cancel := context.WithCancel(context.Background())
	_, err := backup.Run(ctx, w.index, backup.Options{From: w.dir, To: to, Step: func(int, int64) { cancel() },
		Open: func(ctx context.Context, name string) (backup.Copy, error) {
			return sqlite.Open(ctx, name, sqlite.Options{})
		}})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("%v", err)
	}
	x, err := sqlite.Open(context.Background(), filepath.Join(to, "index.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if st, err := x.State(context.Background()); err != nil || st.Instance != 1 {
		t.Errorf("%+v, %v", st, err)
	}
	x.Close()
	if sum, err := w.backup(context.Background(), to); err != nil || sum.State.Instance != 31 {
		t.Errorf("%+v, %v", sum, err)
	}
}
