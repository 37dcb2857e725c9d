package fsblob

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"gantry/dicom/uid"
	"gantry/internal/archive/blob"
	"gantry/internal/archive/blob/blobtest"
	"gantry/internal/archive/record"
	"gantry/internal/vfs"
)

// rounds returns quick, or what GANTRY_LONG asks for as a multiple of it.
func rounds(quick int) int {
	if n, err := strconv.Atoi(os.Getenv("GANTRY_LONG")); err == nil && n > 0 {
		return quick * n
	}
	return quick
}

// model is what a client and an index know.
type model struct {
	acked   map[record.ID]uint64 // record -> seed of its bytes
	tried   map[record.ID]uint64
	refs    map[record.ID]record.Ref
	applied record.Position
}

func newModel() *model {
	return &model{acked: map[record.ID]uint64{}, tried: map[record.ID]uint64{}, refs: map[record.ID]record.Ref{}}
}

func dataOf(seed uint64) []byte { return blobtest.Bytes(seed, int(seed*7919%90_000)) }

// ingest stores a batch and, when apply is set, lets the index apply it.
func (m *model) ingest(t *testing.T, s *Store, rng *rand.Rand, apply bool) error {
	var recs []blob.Record
	for range 1 + rng.IntN(4) {
		seed := rng.Uint64() >> 40
		g, err := s.Stage(context.Background(), blob.Hint{Head: blobtest.Head})
		if err == nil {
			_, err = g.Write(dataOf(seed))
		}
		e := blobtest.Envelope(uid.UID(fmt.Sprint("1.2.", rng.IntN(20))))
		m.tried[e.ID] = seed
		if err != nil {
			return err
		}
		recs = append(recs, blob.Record{Envelope: e, Staged: g})
	}
	out, err := s.Commit(context.Background(), recs)
	if err != nil {
		for _, r := range recs {
			r.Staged.Discard()
		}
		return err
	}
	if apply {
		for i, r := range recs {
			m.refs[r.Envelope.ID] = out[i].Ref
			m.acked[r.Envelope.ID] = m.tried[r.Envelope.ID]
		}
		m.applied = out[len(out)-1].Position
	}
	return nil
}

// reopen recovers the store, applies the tail, and checks that all that was
// acknowledged is there and whatever is there is whole.
func (m *model) reopen(t *testing.T, f vfs.FS, o Options) *Store {
	t.Helper()
	o.FS, o.Applied = f, m.applied
	s := open(t, "/store", o)
	for l, err := range s.Replay(context.Background(), m.applied) {
		if err != nil || l.Err != nil {
			t.Fatalf("replay: %v, %v", err, l.Err)
		}
		m.applied = l.Stored.Position
		if !l.Envelope.Kind.HasObject() {
			continue
		}
		seed, ok := m.tried[l.Envelope.ID]
		if !ok {
			t.Fatalf("record %s was never sent", l.Envelope.ID)
		}
		m.refs[l.Envelope.ID], m.acked[l.Envelope.ID] = l.Stored.Ref, seed
	}
	for id, seed := range m.acked {
		blobtest.Want(t, s, m.refs[id], dataOf(seed))
	}
	return s
}

func crashOptions(rng *rand.Rand) Options {
	o := small(nil)
	o.SegmentSize = 64 << 10 << rng.IntN(3)
	o.PackMax = 1 << 16
	o.Naming = []Naming{Pack, Pack, Hierarchical, Flat}[rng.IntN(4)]
	return o
}

// TestPowerCut is R02: power fails again and again, also during recovery, with unsynced
// writes torn, lost and reordered.
func TestPowerCut(t *testing.T) {
	for seed := range rounds(40) {
		rng := rand.New(rand.NewPCG(uint64(seed), 2))
		mem, m, o := vfs.NewMem(), newModel(), crashOptions(rng)
		for range 4 {
			s := m.reopen(t, mem, o)
			for range rng.IntN(8) {
				if err := m.ingest(t, s, rng, true); err != nil {
					t.Fatal(err)
				}
			}
			if rng.IntN(2) == 0 { // committed, but the index did not get to it
				if err := m.ingest(t, s, rng, false); err != nil {
					t.Fatal(err)
				}
			}
			if mem = mem.Crash(rng); rng.IntN(3) == 0 {
				mem = m.cutRecovery(mem, o, rng)
			}
		}
	}
}

// cutRecovery lets a recovery run until the n-th call and cuts the power there.
func (m *model) cutRecovery(mem *vfs.Mem, o Options, rng *rand.Rand) *vfs.Mem {
	left := rng.IntN(25)
	o.Applied = m.applied
	o.FS = &vfs.Fault{FS: mem, Hook: func(vfs.Call) error {
		if left--; left < 0 {
			return errors.New("power is gone")
		}
		return nil
	}}
	if s, err := Open(context.Background(), "/store", o); err == nil {
		_ = s.Close()
	}
	return mem.Crash(rng)
}

// TestWholeLogAfterCrashes rebuilds from the log alone after each crash (R11).
func TestWholeLogAfterCrashes(t *testing.T) {
	for seed := range rounds(20) {
		rng := rand.New(rand.NewPCG(uint64(seed), 3))
		mem, m, o := vfs.NewMem(), newModel(), crashOptions(rng)
		for range 3 {
			m.applied = record.Position{} // the index is lost
			s := m.reopen(t, mem, o)
			for range rng.IntN(10) {
				if err := m.ingest(t, s, rng, true); err != nil {
					t.Fatal(err)
				}
			}
			mem = mem.Crash(rng)
		}
	}
}

// TestFailedSync is R03: after one failed sync nothing is acknowledged any more, reading
// goes on, and a restart brings back all that was acknowledged.
func TestFailedSync(t *testing.T) {
	for seed := range rounds(20) {
		rng := rand.New(rand.NewPCG(uint64(seed), 4))
		mem, m, o := vfs.NewMem(), newModel(), crashOptions(rng)
		s := m.reopen(t, mem, o)
		for range 5 {
			if err := m.ingest(t, s, rng, true); err != nil {
				t.Fatal(err)
			}
		}
		mem.FailSync(errors.New("EIO"))
		failed := 0
		for range 10 {
			if err := m.ingest(t, s, rng, true); err != nil {
				failed++
			}
		}
		if failed != 10 {
			t.Errorf("%s: %d of 10 refused after a failed sync", o.Naming, failed)
		}
		for id, seed := range m.acked {
			blobtest.Want(t, s, m.refs[id], dataOf(seed))
		}
		if rng.IntN(2) == 0 {
			_ = s.Close()
			s = m.reopen(t, mem, o)
			if err := m.ingest(t, s, rng, true); err != nil {
				t.Fatal(err)
			}
		}
		_ = s.Close()
		m.reopen(t, mem.Crash(rng), o)
	}
}

// TestDiskFull is R04: whatever byte the disk ends at, storing is refused with ErrFull,
// reading goes on, and storing resumes by itself when there is room again.
func TestDiskFull(t *testing.T) {
	for _, naming := range []Naming{Pack, Flat} {
		step := int64(1777)
		if rounds(1) > 1 {
			step = 101
		}
		for quota := int64(0); quota < 150_000; quota += step {
			rng := rand.New(rand.NewPCG(uint64(quota), 5))
			mem, m, o := vfs.NewMem(), newModel(), small(nil)
			o.SegmentSize, o.PackMax, o.Naming = 40_000, 30_000, naming
			s := m.reopen(t, mem, o)
			mem.SetQuota(mem.Used() + quota)
			var err error
			for range 30 {
				if err = m.ingest(t, s, rng, true); err != nil {
					break
				}
			}
			if err == nil {
				continue
			}
			if !errors.Is(err, blob.ErrFull) {
				t.Fatalf("quota %d: %v", quota, err)
			}
			if err := m.ingest(t, s, rng, true); !errors.Is(err, blob.ErrFull) && err != nil {
				t.Fatalf("quota %d, second try: %v", quota, err)
			}
			for id, seed := range m.acked {
				blobtest.Want(t, s, m.refs[id], dataOf(seed))
			}
			mem.SetQuota(-1)
			s.fullAt.Add(-int64(2 * time.Second))
			if err := m.ingest(t, s, rng, true); err != nil {
				t.Fatalf("quota %d, room again: %v", quota, err)
			}
			_ = s.Close()
			m.reopen(t, mem.Crash(rng), o)
		}
	}
}

// TestErrorAtEachCall makes every single call of an ingest fail once.
func TestErrorAtEachCall(t *testing.T) {
	for _, naming := range []Naming{Pack, DateHierarchical} {
		for n := range 400 {
			rng := rand.New(rand.NewPCG(uint64(n), 6))
			mem, m, o := vfs.NewMem(), newModel(), small(nil)
			o.SegmentSize, o.PackMax, o.Naming = 100_000, 60_000, naming
			var mu sync.Mutex
			calls, hit := 0, ""
			f := &vfs.Fault{FS: mem}
			s := m.reopen(t, f, o)
			f.Hook = func(c vfs.Call) error {
				mu.Lock()
				defer mu.Unlock()
				if calls++; calls == n+1 {
					hit = c.Op
					return errors.New("EIO")
				}
				return nil
			}
			for range 8 {
				if err := m.ingest(t, s, rng, true); err != nil && hit == "" {
					t.Fatal(err)
				}
			}
			if hit == "" {
				break
			}
			f.Hook = nil
			_ = s.Close()
			m.reopen(t, mem.Crash(rng), o)
		}
	}
}

func TestAheadIndexIsRefused(t *testing.T) {
	mem := vfs.NewMem()
	s := open(t, "/store", small(mem))
	st := blobtest.Put(t, s, blobtest.Envelope("1.2"), []byte("x"))
	_ = s.Close()
	for _, p := range []record.Position{{Segment: 2}, {Segment: 1, Offset: 1 << 40}} {
		o := small(mem)
		o.Applied = p
		if _, err := Open(context.Background(), "/store", o); !errors.Is(err, ErrAhead) {
			t.Errorf("%v: %v", p, err)
		}
	}
	o := small(mem)
	o.Applied = st.Position
	open(t, "/store", o)
}

func TestLocked(t *testing.T) {
	dir := t.TempDir()
	open(t, dir, small(nil))
	if _, err := Open(context.Background(), dir, small(nil)); !errors.Is(err, vfs.ErrLocked) {
		t.Error(err)
	}
}

// TestDamageBeforeApplied is part of R06: a sector that turned bad in the middle is
// reported, and all behind it is found.
func TestDamageBeforeApplied(t *testing.T) {
	mem := vfs.NewMem()
	s := open(t, "/store", small(mem))
	var st []record.Stored
	for i := range 12 {
		st = append(st, blobtest.Put(t, s, blobtest.Envelope(uid.UID(fmt.Sprint("1.2.", i))), blobtest.Bytes(1, 200_000)))
	}
	for _, seg := range []uint64{1, st[11].Position.Segment} {
		f, err := mem.OpenFile(s.segmentPath(seg), os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteAt(bytes.Repeat([]byte{0xA5}, 512), 0); err != nil {
			t.Fatal(err)
		}
	}
	good, bad := 0, 0
	for l, err := range s.Replay(context.Background(), record.Position{}) {
		if err != nil {
			t.Fatal(err)
		}
		if l.Err != nil {
			bad++
		} else {
			good++
		}
	}
	if good != 10 || bad != 2 {
		t.Errorf("%d records, %d damaged places", good, bad)
	}
}

// TestDamageWithoutIndex: when the index is lost too, nobody can tell a torn tail from a
// sector that turned bad. The records behind are found, the segment is kept aside.
func TestDamageWithoutIndex(t *testing.T) {
	mem := vfs.NewMem()
	s := open(t, "/store", small(mem))
	for i := range 4 {
		blobtest.Put(t, s, blobtest.Envelope(uid.UID(fmt.Sprint("1.2.", i))), blobtest.Bytes(uint64(i), 10_000))
	}
	_ = s.Close()
	f, err := mem.OpenFile("/store/log/00000000000000000001.tar", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt([]byte{0xA5}, 5000); err != nil {
		t.Fatal(err)
	}
	s = open(t, "/store", small(mem))
	n := 0
	for l, err := range s.Replay(context.Background(), record.Position{}) {
		if err != nil || l.Err != nil {
			t.Fatal(err, l.Err)
		}
		if l.Envelope.Kind.HasObject() {
			n++
			blobtest.Want(t, s, l.Stored.Ref, blobtest.Bytes(uint64(n), 10_000))
		}
	}
	if n != 3 {
		t.Errorf("%d objects found", n)
	}
	if _, err := mem.Stat("/store/log/00000000000000000001.tar.damaged"); err != nil {
		t.Error(err)
	}
}

// TestEraseWaitsForReaders holds an object open while it is erased.
func TestEraseWaitsForReaders(t *testing.T) {
	s := open(t, "/store", small(vfs.NewMem()))
	st := blobtest.Put(t, s, blobtest.Envelope("1.2"), []byte("data"))
	o, err := s.Open(context.Background(), st.Ref)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	if err := s.Erase(ctx, st.Ref); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("erased under a reader: %v", err)
	}
	blobtest.Want(t, s, st.Ref, []byte("data"))
	done := make(chan error)
	go func() { done <- s.Erase(context.Background(), st.Ref) }()
	time.Sleep(5 * time.Millisecond)
	if err := o.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// TestTreeStaysInside is S01 on disk: nothing appears outside the store's folder.
func TestTreeStaysInside(t *testing.T) {
	root := t.TempDir()
	for _, n := range []Naming{Pack, Hierarchical, DateHierarchical, Flat} {
		o := small(nil)
		o.Naming, o.PackMax = n, 100
		s := open(t, filepath.Join(root, "in", "store"+string(n)), o)
		for i, u := range []uid.UID{"../../../../out", "/out", "..", "a/../../b", "x\x00y", "CON", uid.UID(strings.Repeat("é", 200))} {
			e := blobtest.Envelope(u)
			e.Study, e.Series, e.PatientID, e.StudyDate = u, u, string(u), string(u)
			blobtest.Put(t, s, e, blobtest.Bytes(uint64(i), 1000))
		}
	}
	l, err := os.ReadDir(root)
	if err != nil || len(l) != 1 {
		t.Errorf("%v, %v", l, err)
	}
}

func TestWatermark(t *testing.T) {
	mem := vfs.NewMem()
	o := small(mem)
	o.MinFree = 1000
	s := open(t, "/store", o)
	mem.SetQuota(mem.Used() + 999)
	s.room.Store(true)
	s.roomAt.Store(time.Now().UnixNano())
	if _, err := s.Stage(context.Background(), blob.Hint{}); err != nil {
		t.Errorf("within a second of the last look: %v", err)
	}
	s.roomAt.Store(0)
	if _, err := s.Stage(context.Background(), blob.Hint{}); !errors.Is(err, blob.ErrFull) {
		t.Error(err)
	}
}
