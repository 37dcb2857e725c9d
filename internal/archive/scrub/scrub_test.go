package scrub_test

import (
	"bytes"
	"context"
	"errors"
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
	"gantry/dicom/vr"
	"gantry/internal/archive/blob"
	"gantry/internal/archive/blob/fsblob"
	"gantry/internal/archive/index"
	"gantry/internal/archive/index/sqlite"
	"gantry/internal/archive/ingest"
	"gantry/internal/archive/record"
	"gantry/internal/archive/scrub"
)

var quiet = slog.New(slog.DiscardHandler)

type world struct {
	testing.TB
	dir   string
	idx   *sqlite.Index
	store *fsblob.Store
	in    *ingest.Ingester
	s     *scrub.Scrubber
	slept time.Duration
}

func open(t testing.TB) *world {
	t.Helper()
	ctx := context.Background()
	w := &world{TB: t, dir: t.TempDir()}
	var err error
	if w.idx, err = sqlite.Open(ctx, filepath.Join(w.dir, "index.db"), sqlite.Options{}); err != nil {
		t.Fatal(err)
	}
	if w.store, err = fsblob.Open(ctx, w.dir, fsblob.Options{MinFree: -1, Reserve: -1, SegmentSize: 64 << 20, Log: quiet}); err != nil {
		t.Fatal(err)
	}
	if w.in, err = ingest.New(ctx, w.store, w.idx, ingest.Options{Log: quiet}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.in.Close(); w.store.Close(); w.idx.Close() })
	w.s = &scrub.Scrubber{Store: w.store, Index: w.idx, Guard: &scrub.Guard{Opener: w.store}, Rate: 10 << 20, Every: time.Hour, Now: time.Now, Log: quiet,
		Sleep: func(_ context.Context, d time.Duration) error { w.slept += d; return nil }}
	return w
}

// pattern are the pixels of object n.
func pattern(n, size int) []byte {
	return bytes.Repeat([]byte{byte(n), 0xC3, byte(n >> 8), 0x5A}, size/4)
}

func (w *world) send(n, size int) {
	w.Helper()
	u := uid.UID(fmt.Sprint("1.2.", n))
	ds, err := new(dicom.DataSet).Edit().SetUID(tag.SOPClassUID, uid.CTImageStorage).SetUID(tag.SOPInstanceUID, u).
		SetUID(tag.StudyInstanceUID, "1.1").SetUID(tag.SeriesInstanceUID, "1.1.1").SetBytes(tag.PixelData, vr.OW, pattern(n, size)).Build()
	if err != nil {
		w.Fatal(err)
	}
	wr, err := w.in.Begin(context.Background(), ingest.Hint{Class: uid.CTImageStorage, Instance: u, Syntax: uid.ExplicitVRLittleEndian})
	if err != nil {
		w.Fatal(err)
	}
	if err := dicom.Encode(wr, ds, uid.ExplicitVRLittleEndian); err != nil {
		w.Fatal(err)
	}
	if _, err := wr.Commit(context.Background()); err != nil {
		w.Fatal(err)
	}
}

func (w *world) location(n int) index.Location {
	w.Helper()
	l, err := w.idx.Versions(context.Background(), uid.UID(fmt.Sprint("1.2.", n)))
	if err != nil || len(l) == 0 {
		w.Fatal(n, err)
	}
	return l[0]
}

// flip turns a bit of an object on the disk.
func (w *world) flip(n int) {
	w.Helper()
	l := w.location(n)
	file, end, _ := fsblob.Where(l.Ref)
	f, err := os.OpenFile(filepath.Join(w.dir, file), os.O_RDWR, 0)
	if err != nil {
		w.Fatal(err)
	}
	defer f.Close()
	var b [1]byte
	if _, err := f.ReadAt(b[:], end-100); err != nil {
		w.Fatal(err)
	}
	b[0] ^= 4
	if _, err := f.WriteAt(b[:], end-100); err != nil {
		w.Fatal(err)
	}
}

func (w *world) round() {
	w.Helper()
	if err := w.s.Round(context.Background()); err != nil {
		w.Fatal(err)
	}
}

// state compares what is known of damage, in memory and in the index.
func (w *world) state(found, mended int64, damaged int) {
	w.Helper()
	l, err := w.idx.Damaged(context.Background(), 100)
	if err != nil || w.s.Found.Load() != found || w.s.Mended.Load() != mended || len(l) != damaged || w.s.Guard.Len() != damaged {
		w.Errorf("%d found, %d mended, %d and %d damaged, %v; want %d, %d, %d", w.s.Found.Load(), w.s.Mended.Load(), len(l), w.s.Guard.Len(), err, found, mended, damaged)
	}
}

// bytes reads what a retrieval would be given.
func (w *world) bytes(n int) ([]byte, error) {
	l := w.location(n)
	o, err := w.s.Guard.Open(context.Background(), l.Ref)
	if err != nil {
		return nil, err
	}
	defer o.Close()
	return io.ReadAll(o.Section(context.Background(), l.Sums.Head, l.Sums.Data))
}

func TestFlippedBits(t *testing.T) {
	w := open(t)
	w.send(1, 1000)
	w.send(2, 5<<20) // a file of its own
	w.send(3, 1000)
	w.round()
	w.state(0, 0, 0)
	if read := w.s.Read.Load(); read < 5<<20 || w.slept < 450*time.Millisecond || w.slept > 600*time.Millisecond {
		t.Errorf("%d bytes, %v slept at 10 MiB a second", read, w.slept)
	}
	w.flip(1)
	w.flip(2)
	w.round()
	w.round() // what is found once is counted once
	w.state(2, 0, 2)
	for n := 1; n <= 3; n++ {
		if _, err := w.bytes(n); errors.Is(err, scrub.ErrDamaged) != (n < 3) {
			t.Errorf("object %d: %v", n, err)
		}
	}
	after := &scrub.Guard{Opener: w.store}
	if err := after.Load(context.Background(), w.idx); err != nil || after.Len() != 2 {
		t.Errorf("after a restart %d, %v", after.Len(), err)
	}
	w.send(1, 1000) // comes again: there is a copy
	w.round()
	w.state(2, 1, 1)
	if b, err := w.bytes(1); err != nil || !bytes.Contains(b, pattern(1, 1000)) {
		t.Errorf("mended from another version: %v", err)
	}
	w.flip(2) // well again by itself, as after a cable was changed
	w.round()
	w.state(2, 1, 0)
}

// TestBackup mends from a backup, and not from one that is damaged too.
func TestBackup(t *testing.T) {
	w := open(t)
	w.send(1, 1000)
	w.send(2, 5<<20)
	backup := t.TempDir()
	if err := os.CopyFS(backup, os.DirFS(w.dir)); err != nil {
		t.Fatal(err)
	}
	w.send(3, 1000) // not in the backup
	for n := 1; n <= 3; n++ {
		w.flip(n)
	}
	w.s.Backup = backup
	w.round()
	w.state(3, 2, 1)
	for n := 1; n <= 2; n++ {
		if b, err := w.bytes(n); err != nil || !bytes.Contains(b, pattern(n, 1000)) {
			t.Errorf("object %d: %v", n, err)
		}
	}
	file, _, _ := fsblob.Where(w.location(2).Ref)
	for _, dir := range []string{w.dir, backup} {
		if err := os.Truncate(filepath.Join(dir, file), 1000); err != nil {
			t.Fatal(err)
		}
	}
	w.round()
	w.state(4, 2, 2)
	if err := os.Remove(filepath.Join(w.dir, file)); err != nil {
		t.Fatal(err)
	}
	w.round()
	w.state(4, 2, 2)
}

// TestBadCopy leaves a damaged object as it is when the copy is no better.
func TestBadCopy(t *testing.T) {
	w := open(t)
	w.send(1, 1000)
	w.flip(1)
	l := w.location(1)
	read := func() []byte {
		o, err := w.store.Open(context.Background(), l.Ref)
		if err != nil {
			t.Fatal(err)
		}
		defer o.Close()
		b := make([]byte, o.Size())
		if _, err := o.ReadAt(b, 0); err != nil {
			t.Fatal(err)
		}
		return b
	}
	before := read()
	err := w.store.Mend(context.Background(), l.Ref, l.Sums, bytes.NewReader(make([]byte, l.Sums.Size())))
	if !errors.Is(err, fsblob.ErrSums) || !bytes.Equal(read(), before) {
		t.Errorf("%v", err)
	}
}

// TestGoesOn ends a round in its middle: the next one goes on there.
func TestGoesOn(t *testing.T) {
	w := open(t)
	for n := range 200 {
		w.send(n, 400)
	}
	ctx, cancel := context.WithCancel(context.Background())
	w.s.Sleep = func(ctx context.Context, _ time.Duration) error {
		if w.s.Objects.Load() == 150 {
			cancel()
		}
		return ctx.Err()
	}
	if err := w.s.Round(ctx); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	w.s.Objects.Store(0)
	w.round()
	if n := w.s.Objects.Load(); n != 200-128 {
		t.Errorf("%d objects in the rest of the round", n)
	}
	if key, ended, err := w.idx.Scrub(context.Background()); key != 0 || time.Since(ended) > time.Minute || err != nil {
		t.Errorf("%d, %v, %v", key, ended, err)
	}
}

// TestPurged is no damage: the object went while it was read.
func TestPurged(t *testing.T) {
	ctx := context.Background()
	w := open(t)
	w.send(1, 1000)
	l := w.location(1)
	w.s.Sleep = func(context.Context, time.Duration) error { return nil }
	w.s.Store = gone{w.store, func() {
		target := ingest.Target{Instance: l.Instance, Record: l.Record}
		if err := errors.Join(w.in.Delete(ctx, target), w.in.Purge(ctx, target)); err != nil && !errors.Is(err, index.ErrNotFound) {
			t.Error(err)
		}
	}}
	w.round()
	w.state(0, 0, 0)
}

// gone is a store of which an object goes before it is opened.
type gone struct {
	*fsblob.Store
	purge func()
}

func (g gone) Open(ctx context.Context, r record.Ref) (blob.Object, error) {
	g.purge()
	return g.Store.Open(ctx, r)
}

// TestEraseDoesNotWait purges an object while it is read slowly.
func TestEraseDoesNotWait(t *testing.T) {
	w := open(t)
	w.send(1, 5<<20)
	l := w.location(1)
	target := ingest.Target{Instance: l.Instance, Record: l.Record}
	purged := false
	w.s.Sleep = func(ctx context.Context, _ time.Duration) error { // between two parts
		if purged {
			return nil
		}
		purged = true
		ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
		defer cancel()
		if err := errors.Join(w.in.Delete(ctx, target), w.in.Purge(ctx, target)); err != nil {
			t.Error(err)
		}
		return nil
	}
	w.round()
	w.state(0, 0, 0)
	if !purged {
		t.Error("nothing was purged")
	}
}

// BenchmarkStore stores beside a scrubber at its usual rate, and without one.
func BenchmarkStore(b *testing.B) {
	for _, scrubbed := range []bool{false, true} {
		b.Run(fmt.Sprint("scrubbed=", scrubbed), func(b *testing.B) {
			w := open(b)
			for n := range 200 {
				w.send(1_000_000+n, 500_000)
			}
			w.s.Sleep, w.s.Rate, w.s.Every = nil, 8<<20, 0
			w.s.Busy = func() bool { return true }
			ctx, cancel := context.WithCancel(context.Background())
			done := make(chan struct{})
			go func() {
				defer close(done)
				if scrubbed {
					w.s.Run(ctx)
				}
			}()
			b.SetBytes(500_000)
			b.ResetTimer()
			for n := range b.N {
				w.send(n, 500_000)
			}
			b.StopTimer()
			cancel()
			<-done
		})
	}
}
