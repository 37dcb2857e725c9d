package ingest_test

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"gantry/internal/archive/blob"
	"gantry/internal/archive/index"
	"gantry/internal/archive/index/memory"
	"gantry/internal/archive/ingest"
	"gantry/internal/archive/record"
	"gantry/internal/vfs"
)

// TestDelete walks through both phases of a deletion (R19).
func TestDelete(t *testing.T) {
	ctx := context.Background()
	for _, n := range []int{100, 5 << 20} {
		w := inMemory(t, ingest.Options{})
		o := sample(1)
		data, other := object(t, o, bytes.Repeat([]byte{1}, n)), object(t, o, bytes.Repeat([]byte{2}, n))
		out := mustSend(t, w.in, o, data)
		target := ingest.Target{Instance: o.SOP, Record: out.Record}
		if err := w.in.Purge(ctx, target); err == nil {
			t.Error("purged what is not deleted")
		}
		if err := w.in.Delete(ctx, target); err != nil {
			t.Fatal(err)
		}
		if v, _ := w.idx.Versions(ctx, o.SOP); len(v) != 0 {
			t.Errorf("visible after a deletion: %+v", v)
		}
		if again := mustSend(t, w.in, o, data); again.Record != out.Record || again.Kind != ingest.Identical {
			t.Errorf("sent again: %+v", again)
		}
		if got, locs := stored(t, w.store, w.idx, o.SOP); len(got) != 1 || !locs[0].Current {
			t.Errorf("not restored by being sent again")
		}
		if err := w.in.Delete(ctx, target); err != nil {
			t.Fatal(err)
		}
		second := mustSend(t, w.in, o, other)
		if second.Kind != ingest.Superseded || second.Version != 2 {
			t.Errorf("a different one after a deletion: %+v", second)
		}
		locs, _ := w.idx.Kept(ctx, o.SOP)
		if err := w.in.Purge(ctx, target); err != nil {
			t.Fatal(err)
		}
		if err := w.in.Purge(ctx, target); !errors.Is(err, index.ErrNotFound) {
			t.Errorf("purged twice: %v", err)
		}
		for _, l := range locs {
			ob, err := w.store.Open(ctx, l.Ref)
			if l.Record != out.Record {
				if err != nil {
					t.Error(err)
					continue
				}
				ob.Close()
				continue
			}
			if err == nil {
				b := make([]byte, 16)
				_, _ = ob.ReadAt(b, ob.Head())
				if bytes.Equal(b, data[:16]) {
					t.Error("purged bytes are there")
				}
				ob.Close()
			} else if !errors.Is(err, blob.ErrNotFound) {
				t.Error(err)
			}
		}
		checkRebuilt(t, w, 1)
	}
}

// checkRebuilt builds the index again from the log: nothing that was purged returns.
func checkRebuilt(t *testing.T, w *world, want int64) {
	t.Helper()
	a, _ := w.idx.State(context.Background())
	w.close()
	fresh := new(memory.Index)
	v := build(t, w.fs.(*vfs.Mem), w.dir, fresh, ingest.Options{})
	b, err := v.idx.State(context.Background())
	if err != nil || b.Instance != want || a.Instance != want || b.Quarantined != 0 || a.Versions != b.Versions || a.Bytes != b.Bytes {
		t.Errorf("rebuilt %+v from %+v, %v", b, a, err)
	}
}

func TestDeleteUnknown(t *testing.T) {
	w := inMemory(t, ingest.Options{})
	for _, f := range []func(context.Context, ingest.Target) error{w.in.Delete, w.in.Restore, w.in.Purge} {
		if err := f(context.Background(), ingest.Target{Instance: "1.2", Record: record.ID("x")}); !errors.Is(err, index.ErrNotFound) {
			t.Error(err)
		}
	}
}
