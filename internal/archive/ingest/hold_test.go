package ingest_test

import (
	"context"
	"path/filepath"
	"testing"

	"gantry/internal/archive/blob/memblob"
	"gantry/internal/archive/index"
	"gantry/internal/archive/index/memory"
	"gantry/internal/archive/index/sqlite"
	"gantry/internal/archive/ingest"
)

// TestHold keeps what a stranger sends out of sight until it is released, whatever the
// policy on duplicates, and lets the stranger touch nothing.
func TestHold(t *testing.T) {
	ctx := context.Background()
	db, err := sqlite.Open(ctx, filepath.Join(t.TempDir(), "i.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, idx := range []index.Index{new(memory.Index), db} {
		in, err := ingest.New(ctx, new(memblob.Store), idx, ingest.Options{Duplicates: ingest.Replace})
		if err != nil {
			t.Fatal(err)
		}
		checkHold(t, in, idx)
		in.Close()
	}
}

func checkHold(t *testing.T, in *ingest.Ingester, idx index.Index) {
	t.Helper()
	ctx := context.Background()
	o := sample(1)
	visible := func() int {
		v, err := idx.Versions(ctx, o.SOP)
		if err != nil {
			t.Fatal(err)
		}
		st, err := idx.State(ctx)
		if err != nil || (len(v) == 0) != (st.Instance == 0) {
			t.Errorf("%d versions visible, %d instances counted, %v", len(v), st.Instance, err)
		}
		return len(v)
	}
	held := func() []index.Location {
		l, err := idx.(index.Holder).Held(ctx, 100)
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	a, b := object(t, o, []byte{1, 1}), object(t, o, []byte{2, 2})
	strange := hint(o)
	strange.Hold = true
	if _, err := send(in, strange, a); err != nil {
		t.Fatal(err)
	}
	if _, err := send(in, strange, a); err != nil { // again, which must not release it
		t.Fatal(err)
	}
	l := held()
	if visible() != 0 || len(l) != 1 {
		t.Fatalf("a stranger's object is visible, or %d are held", len(l))
	}
	if err := in.Restore(ctx, ingest.Target{Instance: o.SOP, Record: l[0].Record}); err != nil {
		t.Fatal(err)
	}
	if visible() != 1 || len(held()) != 0 {
		t.Error("not released")
	}
	if _, err := send(in, strange, b); err != nil { // may not replace what is there
		t.Fatal(err)
	}
	v, _ := idx.Versions(ctx, o.SOP)
	if len(v) != 1 || v[0].Record != l[0].Record || !v[0].Current || len(held()) != 1 {
		t.Errorf("a stranger changed what is kept: %+v", v)
	}
}
