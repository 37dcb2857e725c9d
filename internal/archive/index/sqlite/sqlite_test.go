package sqlite

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

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
	for q, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "cache_size": "-16384", "user_version": "10"} {
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

// TestFull: without room a commit fails as a whole, nothing of it is visible or set
// aside, and the same commit works when there is room again.
func TestFull(t *testing.T) {
	x := open(t, filepath.Join(t.TempDir(), "index.db"))
	ctx := context.Background()
	limit := func(pages int) {
		if _, err := x.w.ExecContext(ctx, fmt.Sprint("PRAGMA max_page_count = ", pages)); err != nil {
			t.Fatal(err)
		}
	}
	var f indextest.Feeder
	var batch []index.Entry
	for i := range 200 {
		o := indextest.Object{Patient: fmt.Sprint("P", i), Study: uid.UID(fmt.Sprint("1.1.", i)), Series: uid.UID(fmt.Sprint("1.2.", i)), SOP: uid.UID(fmt.Sprint("1.3.", i)), Class: uid.CTImageStorage}
		batch = append(batch, f.Entry(t, o))
	}
	indextest.Commit(t, x, batch[:10]...)
	before, _ := x.State(ctx)
	limit(1) // no more than there are
	if out, err := x.Commit(ctx, batch); err == nil {
		t.Fatalf("committed without room: %+v", out[len(out)-1])
	}
	if after, err := x.State(ctx); err != nil || after != before {
		t.Errorf("%+v, %v, want %+v", after, err, before)
	}
	limit(1 << 30)
	indextest.Commit(t, x, batch...)
	if s, err := x.State(ctx); err != nil || s.Instance != 200 || s.Studies != 200 || s.Feed != 200 || s.Quarantined != 0 {
		t.Errorf("%+v, %v", s, err)
	}
}

// TestStatementEndsWithItsContext: a statement that reads without end is interrupted.
func TestStatementEndsWithItsContext(t *testing.T) {
	x := open(t, filepath.Join(t.TempDir(), "index.db"))
	ctx, stop := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer stop()
	began := time.Now()
	rows, err := x.query(ctx, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n")
	if err == nil {
		for rows.Next() {
		}
		err = rows.Err()
		rows.Close()
	}
	if err == nil || time.Since(began) > 5*time.Second {
		t.Errorf("%v after %v", err, time.Since(began))
	}
}
