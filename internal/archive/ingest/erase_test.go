package ingest_test

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"testing"

	"gantry/dicom/uid"
	"gantry/internal/archive/blob/blobtest"
	"gantry/internal/archive/blob/fsblob"
	"gantry/internal/archive/index/memory"
	"gantry/internal/archive/ingest"
	"gantry/internal/archive/record"
	"gantry/internal/vfs"
)

// TestOlderIndex opens a log with an index that is older: an object that was purged since
// is no end of the log, what came behind it is there.
func TestOlderIndex(t *testing.T) {
	ctx := context.Background()
	mem := vfs.NewMem()
	w := build(t, mem, "/", new(memory.Index), ingest.Options{})
	var records []ingest.Target
	var old record.Position
	for n := range 4 {
		o := sample(n)
		out := mustSend(t, w.in, o, object(t, o, blobtest.Bytes(uint64(n), 2000)))
		records = append(records, ingest.Target{Instance: o.SOP, Record: out.Record})
		if n == 0 {
			st, err := w.idx.State(ctx)
			if err != nil {
				t.Fatal(err)
			}
			old = st.Applied
		}
	}
	if err := errors.Join(w.in.Delete(ctx, records[1]), w.in.Purge(ctx, records[1])); err != nil {
		t.Fatal(err)
	}
	w.close()
	s, err := fsblob.Open(ctx, filepath.Join("/", "store"), fsblob.Options{FS: mem, SegmentSize: 1 << 20, MinFree: -1, Reserve: -1, Log: quiet, Applied: old})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var got []uid.UID
	for l, err := range s.Replay(ctx, old) {
		if err != nil || l.Err != nil {
			t.Fatal(err, l.Err)
		}
		if l.Envelope.Kind.HasObject() {
			got = append(got, l.Envelope.Instance)
		}
	}
	if want := []uid.UID{records[1].Instance, records[2].Instance, records[3].Instance}; !slices.Equal(got, want) {
		t.Errorf("the log has %v, want %v", got, want)
	}
}

// TestEraseAgain cuts the power between the record of a purge and the erasing: the log,
// read as a whole, erases.
func TestEraseAgain(t *testing.T) {
	ctx := context.Background()
	mem := vfs.NewMem()
	stop := errors.New("stopped")
	erasing := false
	f := &vfs.Fault{FS: mem, Hook: func(c vfs.Call) error {
		if erasing && c.Op == "Remove" {
			return stop
		}
		return nil
	}}
	w := build(t, f, "/", new(memory.Index), ingest.Options{})
	o := sample(1)
	target := ingest.Target{Instance: o.SOP, Record: mustSend(t, w.in, o, object(t, o, blobtest.Bytes(1, 5<<20))).Record}
	if err := w.in.Delete(ctx, target); err != nil {
		t.Fatal(err)
	}
	locs, _ := w.idx.Kept(ctx, o.SOP)
	erasing = true
	if err := w.in.Purge(ctx, target); !errors.Is(err, stop) {
		t.Fatal(err)
	}
	erasing = false
	path, _ := fsblob.FileOf(locs[0].Ref)
	name := filepath.Join("/store/objects", path)
	if _, err := mem.Stat(name); err != nil {
		t.Fatal("nothing is left to be erased", err)
	}
	w.close()
	build(t, mem, "/", new(memory.Index), ingest.Options{})
	if _, err := mem.Stat(name); err == nil {
		t.Error("a purged object's file is there")
	}
}
