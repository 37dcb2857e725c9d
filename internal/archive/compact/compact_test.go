package compact_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"gantry/dicom"
	"gantry/dicom/tag"
	"gantry/dicom/uid"
	"gantry/dicom/vr"
	"gantry/internal/archive/blob/blobtest"
	"gantry/internal/archive/blob/fsblob"
	"gantry/internal/archive/compact"
	"gantry/internal/archive/index"
	"gantry/internal/archive/index/memory"
	"gantry/internal/archive/ingest"
	"gantry/internal/archive/record"
	"gantry/internal/vfs"
)

var quiet = slog.New(slog.DiscardHandler)

// world is an archive with small segments.
type world struct {
	t     *testing.T
	store *fsblob.Store
	idx   *memory.Index
	in    *ingest.Ingester
}

func open(t *testing.T, f vfs.FS, idx *memory.Index, naming fsblob.Naming) *world {
	t.Helper()
	ctx := context.Background()
	st, err := idx.State(ctx)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, idx: idx}
	w.store, err = fsblob.Open(ctx, "/store", fsblob.Options{FS: f, Naming: naming, SegmentSize: 64 << 10, PackMax: 40 << 10, MinFree: -1, Reserve: -1, Log: quiet, Applied: st.Applied})
	if err != nil {
		t.Fatal(err)
	}
	if err := compact.Settle(ctx, w.store, idx); err != nil {
		t.Fatal(err)
	}
	if w.in, err = ingest.New(ctx, w.store, idx, ingest.Options{Log: quiet}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.close)
	return w
}

func (w *world) close() {
	_ = w.in.Close()
	_ = w.store.Close()
}

type unlocked struct{}

func (unlocked) Close() error { return nil }

func (w *world) compactor(migrate bool) *compact.Compactor {
	return &compact.Compactor{Store: w.store, Index: w.idx, Migrate: migrate, Log: quiet, Lock: func() (io.Closer, error) { return unlocked{}, nil }}
}

func instanceOf(n int) uid.UID { return uid.UID(fmt.Sprint("1.2.3.", n)) }

func dataOf(t *testing.T, n int) []byte {
	t.Helper()
	ds, err := new(dicom.DataSet).Edit().SetUID(tag.SOPClassUID, uid.CTImageStorage).SetUID(tag.SOPInstanceUID, instanceOf(n)).
		SetUID(tag.StudyInstanceUID, "1.1").SetUID(tag.SeriesInstanceUID, "1.1.1").SetText(tag.PatientID, "P").
		SetBytes(tag.PixelData, vr.OW, blobtest.Bytes(uint64(n), 2000+4000*(n%16))).Build()
	if err != nil {
		t.Fatal(err)
	}
	b, err := dicom.AppendEncode(nil, ds, uid.ExplicitVRLittleEndian)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func (w *world) send(n int) error {
	ctx := context.Background()
	wr, err := w.in.Begin(ctx, ingest.Hint{Class: uid.CTImageStorage, Instance: instanceOf(n), Syntax: uid.ExplicitVRLittleEndian})
	if err != nil {
		return err
	}
	defer wr.Discard()
	if _, err := wr.Write(dataOf(w.t, n)); err != nil {
		return err
	}
	_, err = wr.Commit(ctx)
	return err
}

func (w *world) target(n int) ingest.Target {
	kept, err := w.idx.Kept(context.Background(), instanceOf(n))
	if err != nil || len(kept) == 0 {
		return ingest.Target{Instance: instanceOf(n), Record: "none"}
	}
	return ingest.Target{Instance: instanceOf(n), Record: kept[0].Record}
}

func (w *world) delete(n int) error { return w.in.Delete(context.Background(), w.target(n)) }
func (w *world) purge(n int) error  { return w.in.Purge(context.Background(), w.target(n)) }

// check reads object n; it returns where it is, "" for one that is not there.
func (w *world) check(n int) record.Ref {
	w.t.Helper()
	kept, err := w.idx.Kept(context.Background(), instanceOf(n))
	if err != nil || len(kept) > 1 {
		w.t.Fatalf("object %d: %d versions, %v", n, len(kept), err)
	}
	if len(kept) == 0 {
		return ""
	}
	o, err := w.store.Open(context.Background(), kept[0].Ref)
	if err != nil {
		w.t.Fatalf("object %d at %s: %v", n, kept[0].Ref, err)
	}
	defer o.Close()
	b := make([]byte, kept[0].Sums.Data)
	if _, err := o.ReadAt(b, o.Head()); err != nil || !bytes.Equal(b, dataOf(w.t, n)) {
		w.t.Fatalf("object %d at %s is not what came: %v", n, kept[0].Ref, err)
	}
	return kept[0].Ref
}

// TestRound purges most of the objects, rewrites the log, and builds the index again from it.
func TestRound(t *testing.T) {
	mem := vfs.NewMem()
	w := open(t, mem, new(memory.Index), fsblob.Pack)
	const n = 60
	for i := range n {
		if err := w.send(i); err != nil {
			t.Fatal(err)
		}
	}
	for i := range n {
		if i%4 > 0 {
			if err := errors.Join(w.delete(i), w.purge(i)); err != nil {
				t.Fatal(err)
			}
		}
	}
	before := mem.Used()
	c := w.compactor(false)
	if err := c.Round(context.Background()); err != nil {
		t.Fatal(err)
	}
	if c.Segments.Load() < 5 || c.Dropped.Load() < n/2 || mem.Used() >= before {
		t.Errorf("%d segments, %d dropped, %d bytes of %d", c.Segments.Load(), c.Dropped.Load(), mem.Used(), before)
	}
	rewritten := 0
	for i := range n {
		ref := w.check(i)
		if (ref == "") != (i%4 > 0) {
			t.Errorf("object %d at %q", i, ref)
		}
		if strings.HasPrefix(string(ref), "q.") {
			rewritten++
		}
	}
	if rewritten < 5 {
		t.Errorf("only %d objects are in rewritten segments", rewritten)
	}
	if err := w.compactor(false).Round(context.Background()); err != nil { // nothing is left to be done
		t.Fatal(err)
	}
	w.close()
	w = open(t, mem, new(memory.Index), fsblob.Pack)
	for i := range n {
		if ref := w.check(i); (ref == "") != (i%4 > 0) {
			t.Errorf("rebuilt: object %d at %q", i, ref)
		}
	}
}

// TestMigrate takes objects from segments into files and back.
func TestMigrate(t *testing.T) {
	mem := vfs.NewMem()
	idx := new(memory.Index)
	const n = 40
	for round, naming := range []fsblob.Naming{fsblob.Pack, fsblob.Hierarchical, fsblob.Pack, fsblob.Flat} {
		w := open(t, mem, idx, naming)
		for i := range n {
			if err := w.send(round*n + i); err != nil {
				t.Fatal(err)
			}
		}
		c := w.compactor(true)
		if err := c.Round(context.Background()); err != nil {
			t.Fatal(err)
		}
		if round > 0 && c.Moved.Load() < n/2 {
			t.Errorf("to %q: %d moved", naming, c.Moved.Load())
		}
		st, _ := idx.State(context.Background())
		misplaced := 0
		for l, err := range w.store.Replay(context.Background(), record.Position{}) {
			if err != nil || l.Err != nil {
				t.Fatal(err, l.Err)
			}
			if l.Stored.Position.Segment < st.Applied.Segment && l.Envelope.Kind.HasObject() && w.store.Misplaced(&l) {
				misplaced++
			}
		}
		for i := range (round + 1) * n {
			if w.check(i) == "" {
				t.Errorf("object %d is lost", i)
			}
		}
		for info, err := range w.store.List(context.Background()) {
			if err != nil || info.Orphan {
				t.Errorf("%+v, %v", info, err)
			}
		}
		if misplaced > 0 {
			t.Errorf("to %q: %d objects were left in sealed segments", naming, misplaced)
		}
		w.close()
	}
}

func long(quick int) int {
	if n, err := strconv.Atoi(os.Getenv("GANTRY_LONG")); err == nil && n > 0 {
		return quick * n
	}
	return quick
}

// life is what may be known of an object.
type life int

const (
	absent life = iota
	visible
	deleted
)

func (w *world) life(n int) life {
	w.t.Helper()
	if w.check(n) == "" {
		return absent
	}
	kept, err := w.idx.Kept(context.Background(), instanceOf(n))
	if err != nil {
		w.t.Fatal(err)
	}
	if kept[0].Hidden {
		return deleted
	}
	return visible
}

// step does something and notes what became of it, or what may have when it failed.
func (w *world) step(rng *rand.Rand, state, after *[40]life) error {
	n := rng.IntN(len(state))
	if rng.IntN(12) == 0 {
		c := w.compactor(rng.IntN(2) == 0)
		c.Share = float64(rng.IntN(2)) / 2
		return c.Round(context.Background())
	}
	do := func() error { return w.send(n) }
	after[n] = visible
	if state[n] == visible {
		do, after[n] = func() error { return w.delete(n) }, deleted
	} else if state[n] == deleted && rng.IntN(3) > 0 {
		do, after[n] = func() error { return w.purge(n) }, absent
	}
	err := do()
	if err == nil {
		state[n] = after[n]
	}
	return err
}

// TestPowerCut cuts the power at any call of the file system while objects are sent, purged
// and their segments rewritten, with a layout that changes each time. Half of the times the
// index is lost, too.
func TestPowerCut(t *testing.T) {
	for round := range long(40) {
		t.Run(fmt.Sprint(round), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(uint64(round), 77))
			mem, idx := vfs.NewMem(), new(memory.Index)
			var state, after [40]life
			for range 8 {
				left, armed := rng.IntN(600), false
				off := errors.New("no power")
				f := &vfs.Fault{FS: mem, Hook: func(vfs.Call) error {
					if armed {
						left--
					}
					if left < 0 {
						return off
					}
					return nil
				}}
				if rng.IntN(2) == 0 {
					idx = new(memory.Index)
				}
				w := open(t, f, idx, []fsblob.Naming{fsblob.Pack, fsblob.Pack, fsblob.Hierarchical, fsblob.Flat}[rng.IntN(4)])
				for n := range state {
					found := w.life(n)
					if found != state[n] && found != after[n] {
						t.Fatalf("object %d is %d, it was %d or %d", n, found, state[n], after[n])
					}
					state[n], after[n] = found, found
				}
				armed = true
				for w.step(rng, &state, &after) == nil {
				}
				w.close()
				mem = mem.Crash(rng)
			}
		})
	}
}

// TestWhileAtWork rewrites segments while objects come, go and are read: no reader sees
// anything but what was stored.
func TestWhileAtWork(t *testing.T) {
	w := open(t, vfs.NewMem(), new(memory.Index), fsblob.Pack)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		c := w.compactor(false)
		c.Grace = 20 * time.Millisecond
		var err error
		for err == nil && ctx.Err() == nil {
			err = c.Round(ctx)
		}
		done <- err
	}()
	defer func() {
		cancel()
		if err := <-done; err != nil && !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	}()
	rng := rand.New(rand.NewPCG(1, 1))
	for i := range 400 {
		if err := w.send(i); err != nil {
			t.Fatal(err)
		}
		if n := rng.IntN(i + 1); n%3 > 0 && w.check(n) != "" {
			if err := errors.Join(w.delete(n), w.purge(n)); err != nil {
				t.Fatal(err)
			}
		}
		w.check(rng.IntN(i + 1))
	}
}

// TestHeldBack looks at what keeps a segment from being rewritten.
func TestHeldBack(t *testing.T) {
	mem := vfs.NewMem()
	w := open(t, mem, new(memory.Index), fsblob.Pack)
	for i := range 30 {
		if err := w.send(i); err != nil {
			t.Fatal(err)
		}
	}
	ctx := context.Background()
	if _, err := w.store.Rewrite(ctx, 99, fsblob.Rewriting{}); !errors.Is(err, fsblob.ErrActive) {
		t.Errorf("the last segment: %v", err)
	}
	f, err := mem.OpenFile(filepath.Join("/store/log", "00000000000000000001.tar"), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt([]byte("damage"), 514); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.delete(2), w.purge(2)); err != nil {
		t.Fatal(err)
	}
	c := w.compactor(true)
	if err := c.Round(ctx); err != nil || c.Segments.Load() != 0 {
		t.Errorf("a damaged segment: %v, %d", err, c.Segments.Load())
	}
	locked := 0
	c.Lock = func() (io.Closer, error) {
		if locked++; locked < 3 {
			return nil, vfs.ErrLocked
		}
		return unlocked{}, nil
	}
	if err := c.Round(ctx); err != nil || locked < 3 {
		t.Errorf("did not wait for the backup: %v, %d", err, locked)
	}
	c.Lock = func() (io.Closer, error) { return nil, vfs.ErrLocked }
	ctx, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
	defer cancel()
	if err := c.Round(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("beside a backup: %v", err)
	}
}

// TestOlderIndex goes on with an index of a time before segments were rewritten, in the
// middle of one of them: it has all in the end, and nothing that was purged.
func TestOlderIndex(t *testing.T) {
	ctx, mem := context.Background(), vfs.NewMem()
	older, newer := new(memory.Index), new(memory.Index)
	w := open(t, mem, older, fsblob.Pack)
	send := func(from, to int) {
		for i := from; i < to; i++ {
			if err := w.send(i); err != nil {
				t.Fatal(err)
			}
		}
	}
	send(0, 30)
	send(32, 33) // a small one: there is room behind it
	if err := ingest.Reindex(ctx, w.store, newer, ingest.Options{Log: quiet}, nil); err != nil {
		t.Fatal(err)
	}
	w.close()
	w = open(t, mem, newer, fsblob.Pack)
	if err := errors.Join(w.delete(32), w.purge(32), w.delete(28), w.purge(28)); err != nil {
		t.Fatal(err)
	}
	send(48, 51)
	send(60, 80)
	before, _ := older.State(ctx)
	if err := w.compactor(false).Round(ctx); err != nil {
		t.Fatal(err)
	}
	if last, _, err := w.store.Generations(); err != nil || last[before.Applied.Segment] == 0 {
		t.Fatalf("the segment that the older index ends in was not rewritten: %v, %v", last, err)
	}
	w.close()
	w = open(t, mem, older, fsblob.Pack)
	for _, n := range []int{0, 1, 27, 29, 48, 49, 50, 60, 61, 79} {
		if w.check(n) == "" {
			t.Errorf("object %d is not in the index", n)
		}
	}
	for _, n := range []int{28, 32} {
		if kept, err := older.Kept(ctx, instanceOf(n)); err != nil || len(kept) > 0 {
			t.Errorf("object %d was purged: %d versions, %v", n, len(kept), err)
		}
	}
}

// TestPutBack gives the log a segment back as it was before it was rewritten.
func TestPutBack(t *testing.T) {
	ctx, mem, idx := context.Background(), vfs.NewMem(), new(memory.Index)
	w := open(t, mem, idx, fsblob.Pack)
	for i := range 30 {
		if err := w.send(i); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(w.delete(3), w.purge(3)); err != nil {
		t.Fatal(err)
	}
	first := "/store/log/00000000000000000001.tar"
	whole := contents(t, mem, first)
	if err := w.compactor(false).Round(ctx); err != nil {
		t.Fatal(err)
	}
	w.close()
	f, err := mem.OpenFile(first, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt(whole, 0); err != nil {
		t.Fatal(err)
	}
	if err := mem.Remove("/store/log/00000000000000000001-0001.tar"); err != nil {
		t.Fatal(err)
	}
	w = open(t, mem, idx, fsblob.Pack)
	for i := range 30 {
		if (w.check(i) == "") != (i == 3) {
			t.Errorf("object %d", i)
		}
	}
}

func contents(t *testing.T, f vfs.FS, name string) []byte {
	t.Helper()
	file, err := f.OpenFile(name, os.O_RDONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	size, err := file.Size()
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, size)
	if _, err := file.ReadAt(b, 0); err != nil {
		t.Fatal(err)
	}
	return b
}

// TestLatePurge purges an object when it was copied already: none of its bytes stay.
func TestLatePurge(t *testing.T) {
	for i := range 6 {
		naming := []fsblob.Naming{fsblob.Pack, fsblob.Hierarchical}[i%2]
		fails := i >= 2 // the index does, and hears of it in the next round
		crash := i >= 4 // and that is after a restart
		ctx, mem, idx := context.Background(), vfs.NewMem(), new(memory.Index)
		w := open(t, mem, idx, fsblob.Pack)
		for i := range 30 {
			if err := w.send(i); err != nil {
				t.Fatal(err)
			}
		}
		if err := errors.Join(w.delete(3), w.purge(3), w.delete(2)); err != nil {
			t.Fatal(err)
		}
		w.close()
		w = open(t, mem, idx, naming)
		once := errors.New("the index is full")
		c := w.compactor(true)
		c.Damaged = func(context.Context) (_ []index.Damaged, err error) {
			if w.check(2) != "" {
				if err := w.purge(2); err != nil {
					t.Fatal(err)
				}
				if fails {
					err = once
				}
			}
			return nil, err
		}
		if err := c.Round(ctx); errors.Is(err, once) != fails || err != nil && !fails {
			t.Fatal(err)
		}
		if crash {
			w.close()
			w = open(t, mem, idx, naming)
			c = w.compactor(false)
		}
		if err := c.Finish(ctx); err != nil {
			t.Fatal(err)
		}
		if _, older, err := w.store.Generations(); err != nil || len(older) > 0 {
			t.Errorf("%v, %v", older, err)
		}
		for l, err := range w.store.Replay(ctx, record.Position{}) {
			if err != nil {
				t.Fatal(err)
			}
			if l.Envelope.Instance != instanceOf(2) || !l.Envelope.Kind.HasObject() || l.Err != nil {
				continue
			}
			o, err := w.store.Open(ctx, l.Stored.Ref)
			if err != nil {
				continue
			}
			b := make([]byte, o.Size())
			if _, err := o.ReadAt(b, 0); err != nil || slices.Max(b) > 0 {
				t.Errorf("%q: the bytes of what was purged are still at %s", naming, l.Stored.Ref)
			}
			o.Close()
		}
		for i := range 30 {
			if (w.check(i) == "") != (i == 3 || i == 2) {
				t.Errorf("object %d", i)
			}
		}
	}
}
