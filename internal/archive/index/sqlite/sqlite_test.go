package sqlite

import (
	"context"
	"errors"
	"path/filepath"
	"testing"

	"gantry/dicom/uid"
	"gantry/internal/archive/index"
	"gantry/internal/archive/index/indextest"
)

func open(t testing.TB, name string) *Index {
	t.Helper()
	x, err := Open(context.Background(), name, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := x.Close(); err != nil {
			t.Error(err)
		}
	})
	return x
}

func TestConformance(t *testing.T) {
	indextest.Run(t, func(t *testing.T) index.Index { return open(t, filepath.Join(t.TempDir(), "a b#?%.db")) })
}

func TestReopen(t *testing.T) {
	name := filepath.Join(t.TempDir(), "index.db")
	x := open(t, name)
	var f indextest.Feeder
	o := indextest.Object{Patient: "P", Study: "1.1", Series: "1.2", SOP: "1.3", Class: "1.2.840.10008.5.1.4.1.1.2"}
	indextest.Commit(t, x, f.Entry(t, o))
	want, err := x.State(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := x.State(context.Background()); !errors.Is(err, index.ErrClosed) {
		t.Errorf("closed: %v", err)
	}
	x = open(t, name)
	if got, err := x.State(context.Background()); err != nil || got != want {
		t.Errorf("%+v, %v, want %+v", got, err, want)
	}
	if x.state.feed != want.Feed || x.state.applied != want.Applied {
		t.Errorf("%+v", x.state)
	}
}

func TestPragmas(t *testing.T) {
	x := open(t, filepath.Join(t.TempDir(), "index.db"))
	for q, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "cache_size": "-16384", "user_version": "1"} {
		var got string
		if err := x.w.QueryRowContext(context.Background(), "PRAGMA "+q).Scan(&got); err != nil || got != want {
			t.Errorf("%s = %s, %v, want %s", q, got, err, want)
		}
	}
	if _, err := x.rdb.Exec("DELETE FROM patient"); err == nil {
		t.Error("a reader can write")
	}
}

func TestLaterSchemaIsRefused(t *testing.T) {
	name := filepath.Join(t.TempDir(), "index.db")
	x := open(t, name)
	if _, err := x.w.ExecContext(context.Background(), "PRAGMA user_version = 99"); err != nil {
		t.Fatal(err)
	}
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(context.Background(), name, Options{}); !errors.Is(err, index.ErrLater) {
		t.Error(err)
	}
}

// TestBadRecordIsSetAside lets SQLite refuse one record of a batch.
func TestBadRecordIsSetAside(t *testing.T) {
	x := open(t, filepath.Join(t.TempDir(), "index.db"))
	if _, err := x.w.ExecContext(context.Background(), "CREATE TRIGGER bad BEFORE INSERT ON instance WHEN new.sop = '1.13' BEGIN SELECT raise(ABORT, 'no'); END"); err != nil {
		t.Fatal(err)
	}
	var f indextest.Feeder
	var entries []index.Entry
	for _, u := range []uid.UID{"1.11", "1.12", "1.13", "1.14"} {
		entries = append(entries, f.Entry(t, indextest.Object{Patient: "P", Study: "1.1", Series: "1.2", SOP: u, Class: uid.CTImageStorage}))
	}
	out := indextest.Commit(t, x, entries...)
	s, err := x.State(context.Background())
	if err != nil || s.Instance != 3 || s.Quarantined != 1 || s.Feed != 3 || s.Applied.Offset != 4 || out[2].Problem == nil || out[3].Feed != 3 {
		t.Errorf("%+v, %v, %+v", s, err, out)
	}
}
