package sqlite

import (
	"context"
	"path/filepath"
	"testing"

	"gantry/internal/archive/index"
	"gantry/internal/archive/index/indextest"
)

// TestLagIsBounded counts records and bytes: beyond the bounds a transaction is synced.
func TestLagIsBounded(t *testing.T) {
	small, large := make([]index.Entry, 64), []index.Entry{{Attrs: make([]byte, 40<<20)}}
	l := lag{on: true}
	for n := 64; n <= mostLagging; n += 64 {
		if l.due(small) {
			t.Fatalf("synced after %d records", n)
		}
	}
	if !l.due(small) {
		t.Error("not synced beyond the bound")
	}
	l = lag{on: true}
	if l.due(large) || !l.due(large) {
		t.Error("bytes do not count")
	}
	if l = (lag{}); !l.due(nil) {
		t.Error("an index that must not lag does")
	}
}

// TestLagSyncsAgain: what is not applied from the log is written with a sync, also after
// something was applied without.
func TestLagSyncsAgain(t *testing.T) {
	ctx := context.Background()
	x, err := Open(ctx, filepath.Join(t.TempDir(), "i.db"), Options{Lag: true})
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	mode := func() (n int) {
		if err := x.w.QueryRowContext(ctx, "PRAGMA synchronous").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	within := -1
	if err := x.apply(ctx, make([]index.Entry, 1), func() error { within = mode(); return nil }); err != nil {
		t.Fatal(err)
	}
	if within != 1 || mode() != 2 {
		t.Errorf("synchronous is %d within and %d after, want 1 and 2", within, mode())
	}
	x.lag.records = mostLagging
	if err := x.apply(ctx, make([]index.Entry, 1), func() error { within = mode(); return nil }); err != nil || within != 2 || x.lag.records != 0 {
		t.Errorf("beyond the bound it is %d, %d records, %v", within, x.lag.records, err)
	}
}

// TestLaggingConformance runs the contract's tests on an index that lags.
func TestLaggingConformance(t *testing.T) {
	indextest.Run(t, func(t *testing.T) index.Index {
		x, err := Open(context.Background(), filepath.Join(t.TempDir(), "i.db"), Options{Lag: true})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { x.Close() })
		return x
	})
}
