// Package blobtest holds the tests that every blob.Store passes.
package blobtest

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"gantry/dicom/uid"
	"gantry/internal/archive/blob"
	"gantry/internal/archive/record"
)

// Head is what the tests' objects begin with.
var Head = append(make([]byte, 128), "DICM and a file meta"...)

// Bytes returns n random bytes.
func Bytes(seed uint64, n int) []byte {
	var key [32]byte
	binary.LittleEndian.PutUint64(key[:], seed)
	b := make([]byte, n)
	_, _ = rand.NewChaCha8(key).Read(b) // never fails
	return b
}

// Envelope returns an envelope for an instance.
func Envelope(instance uid.UID) record.Envelope {
	now := time.Now().UTC()
	return record.Envelope{V: record.Version, Kind: record.Put, ID: record.NewID(now), Received: now,
		Study: "1.2.3", Series: "1.2.3.4", Instance: instance, Number: 1, Current: true}
}

// Stage stages data in pieces.
func Stage(t testing.TB, s blob.Store, data []byte) blob.Staged {
	t.Helper()
	g, err := s.Stage(context.Background(), blob.Hint{Head: Head})
	if err != nil {
		t.Fatal(err)
	}
	for len(data) > 0 {
		n := min(len(data), 16371)
		if _, err := g.Write(data[:n]); err != nil {
			t.Fatal(err)
		}
		data = data[n:]
	}
	return g
}

// Put stores one object.
func Put(t testing.TB, s blob.Store, e record.Envelope, data []byte) record.Stored {
	t.Helper()
	out, err := s.Commit(context.Background(), []blob.Record{{Envelope: e, Staged: Stage(t, s, data)}})
	if err != nil {
		t.Fatal(err)
	}
	return out[0]
}

// Want fails the test when the object at ref is not Head and data.
func Want(t testing.TB, s blob.Store, ref record.Ref, data []byte) {
	t.Helper()
	o, err := s.Open(context.Background(), ref)
	if err != nil {
		t.Fatalf("open %s: %v", ref, err)
	}
	defer o.Close()
	got := make([]byte, o.Size())
	if n, err := o.ReadAt(got, 0); n != len(got) {
		t.Fatalf("read %d of %d: %v", n, len(got), err)
	}
	if o.Head() != int64(len(Head)) || !bytes.Equal(got[:o.Head()], Head) || !bytes.Equal(got[o.Head():], data) {
		t.Fatalf("object %s came back changed", ref)
	}
}

// Run runs the tests on stores that open makes; each is empty and closed by its maker.
func Run(t *testing.T, open func(*testing.T) blob.Store) {
	for _, c := range []struct {
		name string
		run  func(*testing.T, blob.Store)
	}{
		{"RoundTrip", roundTrip}, {"Staged", stagedReads}, {"Discard", discard}, {"Batch", batch},
		{"Concurrent", concurrent}, {"Sections", sections}, {"Erase", erase}, {"BadRefs", badRefs},
		{"Replay", replay}, {"List", list}, {"HostileNames", hostileNames}, {"SameName", sameName},
		{"NoObject", noObject}, {"Cancelled", cancelled},
	} {
		t.Run(c.name, func(t *testing.T) { c.run(t, open(t)) })
	}
}

var sizes = []int{0, 1, 2, 511, 512, 513, 64<<10 - 1, 64 << 10, 64<<10 + 1, 320 << 10, 320<<10 + 1, 1 << 20, 5 << 20}

func roundTrip(t *testing.T, s blob.Store) {
	refs := make([]record.Stored, len(sizes))
	for i, n := range sizes {
		refs[i] = Put(t, s, Envelope(uid.UID(fmt.Sprint("1.9.", i))), Bytes(uint64(i), n))
		if got := refs[i].Sums; got.Data != int64(n) || got.Head != int64(len(Head)) {
			t.Errorf("sums %+v for %d bytes", got, n)
		}
	}
	for i, n := range sizes {
		Want(t, s, refs[i].Ref, Bytes(uint64(i), n))
	}
}

func stagedReads(t *testing.T, s blob.Store) {
	for i, n := range sizes {
		data := Bytes(uint64(i), n)
		g := Stage(t, s, data)
		if g.Size() != int64(n) || g.Sum() != crc32.Checksum(data, crc32.MakeTable(crc32.Castagnoli)) {
			t.Errorf("%d bytes: size %d, sum %08x", n, g.Size(), g.Sum())
		}
		got, err := io.ReadAll(io.NewSectionReader(g, 0, g.Size()))
		if err != nil || !bytes.Equal(got, data) {
			t.Errorf("%d bytes staged, %d read: %v", n, len(got), err)
		}
		if n > 2 {
			p := make([]byte, 2)
			if k, _ := g.ReadAt(p, int64(n)-2); k != 2 || !bytes.Equal(p, data[n-2:]) {
				t.Errorf("%d bytes: end differs", n)
			}
		}
		if k, err := g.ReadAt(make([]byte, 1), int64(n)); k != 0 || !errors.Is(err, io.EOF) {
			t.Errorf("read behind the end: %d, %v", k, err)
		}
		g.Discard()
	}
}

func discard(t *testing.T, s blob.Store) {
	for _, prepare := range []bool{false, true} {
		g := Stage(t, s, Bytes(1, 5<<20))
		e := Envelope("1.2")
		if prepare {
			if err := g.Prepare(context.Background(), &e); err != nil {
				t.Fatal(err)
			}
		}
		g.Discard()
		g.Discard()
		if _, err := g.Write([]byte("x")); err == nil {
			t.Error("write after Discard")
		}
		if _, err := s.Commit(context.Background(), []blob.Record{{Envelope: e, Staged: g}}); err == nil {
			t.Error("commit after Discard")
		}
	}
	if l, ok := s.(blob.Lister); ok {
		for i := range l.List(context.Background()) {
			t.Errorf("%+v is left", i)
		}
	}
}

func batch(t *testing.T, s blob.Store) {
	var recs []blob.Record
	for i := range 20 {
		recs = append(recs, blob.Record{Envelope: Envelope(uid.UID(fmt.Sprint("1.2.", i))), Staged: Stage(t, s, Bytes(uint64(i), i*30_000))})
	}
	recs = append(recs, blob.Record{Envelope: record.Envelope{V: 1, Kind: record.Delete, ID: record.NewID(time.Now())}})
	out, err := s.Commit(context.Background(), recs)
	if err != nil || len(out) != 21 {
		t.Fatal(len(out), err)
	}
	for i := range 20 {
		Want(t, s, out[i].Ref, Bytes(uint64(i), i*30_000))
		if out[i].Position.Compare(out[i+1].Position) > 0 {
			t.Error("positions out of order")
		}
	}
	if out[20].Ref != "" {
		t.Error("a deletion has an object")
	}
}

func concurrent(t *testing.T, s blob.Store) {
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			for j := range 8 {
				n := i*8 + j
				Want(t, s, Put(t, s, Envelope(uid.UID(fmt.Sprint("1.5.", n))), Bytes(uint64(n), n*600)).Ref, Bytes(uint64(n), n*600))
			}
		})
	}
	wg.Wait()
}

func sections(t *testing.T, s blob.Store) {
	data := Bytes(1, 100_000)
	o, err := s.Open(context.Background(), Put(t, s, Envelope("1.2"), data).Ref)
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	ctx, cancel := context.WithCancel(context.Background())
	r := o.Section(ctx, o.Head()+10, 50)
	got, err := io.ReadAll(r)
	if err != nil || !bytes.Equal(got, data[10:60]) || r.Close() != nil {
		t.Errorf("section: %d bytes, %v", len(got), err)
	}
	if n, err := o.ReadAt(make([]byte, 10), o.Size()-5); n != 5 || !errors.Is(err, io.EOF) {
		t.Errorf("read over the end: %d, %v", n, err)
	}
	r = o.Section(ctx, 0, o.Size())
	cancel()
	if _, err := io.ReadAll(r); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled section: %v", err)
	}
}

func erase(t *testing.T, s blob.Store) {
	for _, n := range []int{1000, 5 << 20} {
		a, b := Put(t, s, Envelope("1.2"), Bytes(1, n)), Put(t, s, Envelope("1.3"), Bytes(2, n))
		for range 2 {
			if err := s.Erase(context.Background(), a.Ref); err != nil {
				t.Fatal(err)
			}
		}
		if o, err := s.Open(context.Background(), a.Ref); err == nil {
			got := make([]byte, n)
			_, _ = o.ReadAt(got, o.Head())
			if bytes.Equal(got, Bytes(1, n)) {
				t.Error("erased object has its bytes")
			}
			o.Close()
		}
		Want(t, s, b.Ref, Bytes(2, n))
	}
}

func badRefs(t *testing.T, s blob.Store) {
	Put(t, s, Envelope("1.2"), Bytes(1, 10))
	for _, r := range []record.Ref{"", "x", "p", "p.1", "p.1.1.1.1.1", "p.zzzzzzzzzzzzzzzzzzz.0.0.1", "p.9.0.0.1", "p.1.-1.0.1",
		"f.0.1.../../etc/passwd", "f.0.1./etc/passwd", "f.0.1.", "f.9.1.a", "-1", "99999"} {
		if o, err := s.Open(context.Background(), r); err == nil {
			t.Errorf("%q opened", r)
			o.Close()
		} else if !errors.Is(err, blob.ErrNotFound) {
			t.Errorf("%q: %v", r, err)
		}
	}
}

func replay(t *testing.T, s blob.Store) {
	r, ok := s.(blob.Replayer)
	if !ok {
		t.Skip("store keeps no order")
	}
	var want []record.Stored
	var envs []record.Envelope
	for i := range 30 {
		envs = append(envs, Envelope(uid.UID(fmt.Sprint("1.2.", i))))
		want = append(want, Put(t, s, envs[i], Bytes(uint64(i), i*20_000)))
	}
	for _, from := range []int{0, 1, 29, 30} {
		pos := record.Position{}
		if from > 0 {
			pos = want[from-1].Position
		}
		i := from
		for l, err := range r.Replay(context.Background(), pos) {
			if err != nil || l.Err != nil {
				t.Fatal(err, l.Err)
			}
			if l.Stored != want[i] || l.Envelope.ID != envs[i].ID || !l.Envelope.Received.Equal(envs[i].Received) {
				t.Fatalf("record %d: %+v, want %+v", i, l, want[i])
			}
			i++
		}
		if i != 30 {
			t.Errorf("from %d: ended at %d", from, i)
		}
	}
	for range r.Replay(context.Background(), record.Position{}) {
		break
	}
}

func list(t *testing.T, s blob.Store) {
	l, ok := s.(blob.Lister)
	if !ok {
		t.Skip("store lists nothing")
	}
	want := map[record.Ref]bool{}
	for i := range 5 {
		want[Put(t, s, Envelope(uid.UID(fmt.Sprint("1.2.", i))), Bytes(1, i<<20+i)).Ref] = true
	}
	for i, err := range l.List(context.Background()) {
		if err != nil || i.Orphan || !want[i.Ref] {
			t.Errorf("%+v, %v", i, err)
		}
		delete(want, i.Ref)
	}
	if len(want) > 0 {
		t.Errorf("not listed: %v", want)
	}
}

func hostileNames(t *testing.T, s blob.Store) {
	for i, u := range []uid.UID{"", ".", "..", "../../../etc/passwd", "/abs", "a\x00b", "1.2/../../x", "con", "ä", ".1", "1.",
		uid.UID(bytes.Repeat([]byte("1"), 65)), uid.UID(bytes.Repeat([]byte("x"), 5000))} {
		for _, n := range []int{10, 5 << 20} {
			e := Envelope(u)
			e.Study, e.Series, e.StudyDate = u, u, string(u)
			Want(t, s, Put(t, s, e, Bytes(uint64(i), n)).Ref, Bytes(uint64(i), n))
		}
	}
}

func sameName(t *testing.T, s blob.Store) {
	var refs []record.Ref
	for i := range 4 {
		refs = append(refs, Put(t, s, Envelope("1.2"), Bytes(uint64(i), 5<<20)).Ref)
	}
	for i, r := range refs {
		Want(t, s, r, Bytes(uint64(i), 5<<20))
	}
}

func noObject(t *testing.T, s blob.Store) {
	if _, err := s.Commit(context.Background(), []blob.Record{{Envelope: Envelope("1.2")}}); err == nil {
		t.Error("a put without an object")
	}
}

func cancelled(t *testing.T, s blob.Store) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := s.Stage(ctx, blob.Hint{}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	g := Stage(t, s, []byte("x"))
	defer g.Discard()
	if _, err := s.Commit(ctx, []blob.Record{{Envelope: Envelope("1.2"), Staged: g}}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
