//go:build linux

package ingest_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"gantry/internal/archive/blob/blobtest"
	"gantry/internal/archive/fsck"
)

const (
	strace      = "/usr/bin/strace"
	tracedCalls = "open,openat,creat,write,writev,pwrite64,pwritev,pwritev2,ftruncate,truncate,fallocate,fsync,fdatasync,sync_file_range," +
		"rename,renameat,renameat2,link,linkat,unlink,unlinkat,mkdir,mkdirat"
)

// recordCalls runs the child below strace and returns its calls, in the order of their effect:
// what is written counts from the call's end, a sync covers what was before its begin, and
// an acknowledgement was given when it begins.
func recordCalls(t *testing.T, dir string) []call {
	t.Helper()
	out := filepath.Join(t.TempDir(), "calls")
	cmd := exec.Command(strace, "-f", "-y", "-xx", "-s", "4000000", "-e", "signal=none", "-e", "trace="+tracedCalls, "-o", out, os.Args[0])
	cmd.Env = append(os.Environ(), traceDir+"="+dir)
	said, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(said), "E 0") {
		if os.Getenv("CI") != "" {
			t.Fatalf("strace cannot record: %v\n%.2000s", err, said)
		}
		t.Skipf("STRACE CANNOT RECORD: nothing was tested; scripts/setup installs it, and it must be allowed to trace: %v\n%.500s", err, said)
	}
	calls, err := readTrace(out)
	if err != nil {
		t.Fatal(err)
	}
	at := func(c *call) int {
		if c.isSync() || c.said() != "" {
			return c.begin
		}
		return c.end
	}
	slices.SortStableFunc(calls, func(a, b call) int { return at(&a) - at(&b) })
	return calls
}

// TestPowerCutOfIndex is R02 for the index: SQLite writes past our file system seam, so its
// system calls are recorded while objects are stored, with those of the object store. Then
// the power fails between any two of them: what was synced is there, of the rest any part,
// sectors torn, out of order. The archive opens, and holds what it has acknowledged.
func TestPowerCutOfIndex(t *testing.T) {
	dir := t.TempDir()
	calls := recordCalls(t, dir)
	rng := rand.New(rand.NewPCG(2, 2))
	tried, bad := cuts(t, calls, dir, rng, long(70), nil)
	for _, err := range bad {
		t.Error(err)
	}
	if tried < 50 || len(calls) < 500 {
		t.Errorf("only %d cuts of %d calls", tried, len(calls))
	}
}

// TestPowerCutIsNoticed leaves out the log's syncs: the test above must not bear that.
func TestPowerCutIsNoticed(t *testing.T) {
	dir := t.TempDir()
	calls := recordCalls(t, dir)
	for _, lazy := range []string{"/log/", "index.db-wal"} {
		rng := rand.New(rand.NewPCG(3, 3))
		if _, bad := cuts(t, calls, dir, rng, 40, func(name string) bool { return strings.Contains(name, lazy) }); len(bad) == 0 {
			t.Errorf("%s was never synced, and nothing was lost", lazy)
		}
	}
}

// TestPowerCutOfLaggingIndex is the same for an index that lags behind the log: nothing that
// was acknowledged is lost, nor what is in the index alone; and that is noticed when the log
// is not synced, or the index not where it must be.
func TestPowerCutOfLaggingIndex(t *testing.T) {
	t.Setenv(traceLag, "1")
	dir := t.TempDir()
	calls := recordCalls(t, dir)
	syncs := 0
	for i := range calls {
		if _, name := calls[i].file(); calls[i].isSync() && strings.Contains(name, "index.db-wal") {
			syncs++
		}
	}
	if syncs > 20 {
		t.Errorf("the index was synced %d times for %d objects", syncs, tracedObjects)
	}
	rng := rand.New(rand.NewPCG(4, 4))
	tried, bad := cuts(t, calls, dir, rng, long(70), nil)
	for _, err := range bad {
		t.Error(err)
	}
	if tried < 50 {
		t.Errorf("only %d cuts", tried)
	}
	for _, lazy := range []string{"/log/", "index.db-wal"} {
		rng := rand.New(rand.NewPCG(5, 5))
		if _, bad := cuts(t, calls, dir, rng, 40, func(name string) bool { return strings.Contains(name, lazy) }); len(bad) == 0 {
			t.Errorf("%s was never synced, and nothing was lost", lazy)
		}
	}
}

// cuts cuts the power at some places and returns what was wrong then.
func cuts(t *testing.T, calls []call, dir string, rng *rand.Rand, n int, lazy func(string) bool) (tried int, bad []error) {
	t.Helper()
	at := map[int]bool{len(calls) - 1: true}
	for range n {
		at[rng.IntN(len(calls))] = true
	}
	d, err := newDisk(dir)
	if err != nil {
		t.Fatal(err)
	}
	d.lazy = lazy
	var told acked
	base := t.TempDir()
	for i := range calls {
		told.note(calls[i].said())
		if err := d.apply(&calls[i]); err != nil {
			t.Fatalf("call %d, %s: %v", i, calls[i].name, err)
		}
		if !at[i] {
			continue
		}
		to := filepath.Join(base, fmt.Sprint(i))
		if err := export(d.Crash(rng), dir, to); err != nil {
			t.Fatal(err)
		}
		// What is in shared memory is of no meaning after a crash.
		if err := os.WriteFile(filepath.Join(to, "index.db-shm"), blobtest.Bytes(uint64(i), 32<<10), 0o600); err != nil {
			t.Fatal(err)
		}
		tried++
		if err := checkCut(t, to, &told); err != nil {
			bad = append(bad, fmt.Errorf("power cut behind call %d of %d, %s: %w", i, len(calls), calls[i].name, err))
		}
		_ = os.RemoveAll(to)
	}
	return tried, bad
}

// acked is what the child has acknowledged.
type acked struct{ stored, deleted, purging, purged, aged []int }

func (a *acked) note(said string) {
	for line := range strings.Lines(said) {
		for format, list := range map[string]*[]int{"A %d": &a.stored, "D %d": &a.deleted, "B %d": &a.purging, "P %d": &a.purged, "F %d": &a.aged} {
			var n int
			if _, err := fmt.Sscanf(line, format, &n); err == nil {
				*list = append(*list, n)
			}
		}
	}
}

// checkCut opens what a power cut left and looks at everything.
func checkCut(t *testing.T, dir string, told *acked) error {
	ctx := context.Background()
	w, err := openTraced(dir) // fails when the index is ahead of the log
	if err != nil {
		return fmt.Errorf("open: %w", err)
	}
	defer w.close()
	if err := checkTables(filepath.Join(dir, "index.db")); err != nil {
		return err
	}
	var found []error
	_, err = fsck.Run(ctx, w.store, w.idx, fsck.Options{Report: func(f fsck.Finding) {
		if f.Kind != fsck.Orphan {
			found = append(found, fmt.Errorf("%s: %s %s", f.Kind, f.Record, f.Reason))
		}
	}})
	if err := errors.Join(append(found, err)...); err != nil {
		return err
	}
	for _, n := range told.stored {
		if err := w.has(t, n, told); err != nil {
			return err
		}
	}
	if age, err := w.idx.Age(ctx, 0); err != nil || age < time.Duration(len(told.aged))*time.Second {
		return fmt.Errorf("the index knows of %v, %d seconds were noted, %w", age, len(told.aged), err)
	}
	return nil
}

// has checks an object that was acknowledged.
func (w *traced) has(t *testing.T, n int, told *acked) error {
	o, data := traceObject(t, n)
	kept, err := w.idx.Kept(context.Background(), o.SOP)
	if err == nil && len(kept) == 0 && slices.Contains(told.purging, n) {
		return nil
	}
	deleted := slices.Contains(told.deleted, n)
	if slices.Contains(told.purged, n) {
		return fmt.Errorf("object %d was purged and is back", n)
	}
	if err != nil || len(kept) != 1 || deleted && !kept[0].Hidden {
		return fmt.Errorf("object %d was acknowledged: %d kept, deleted %v, %v", n, len(kept), deleted, err)
	}
	ob, err := w.store.Open(context.Background(), kept[0].Ref)
	if err != nil {
		return err
	}
	defer ob.Close()
	b := make([]byte, kept[0].Sums.Data)
	if _, err := ob.ReadAt(b, ob.Head()); err != nil || !bytes.Equal(b, data) {
		return fmt.Errorf("object %d has other bytes: %v", n, err)
	}
	return nil
}

// checkTables lets SQLite check itself, and compares counters with counts.
func checkTables(name string) error {
	db, err := sql.Open("sqlite", name)
	if err != nil {
		return err
	}
	defer db.Close()
	var said string
	if err := db.QueryRow("PRAGMA integrity_check").Scan(&said); err != nil || said != "ok" {
		return fmt.Errorf("integrity_check: %s, %w", said, err)
	}
	for what, q := range map[string]string{
		"series": `SELECT count(*) FROM series se WHERE instances <> (SELECT count(*) FROM instance i WHERE i.series = se.pk AND i.flags & 5 = 1)`,
		"studies": `SELECT count(*) FROM study st WHERE instances <> (SELECT coalesce(sum(instances), 0) FROM series se WHERE se.study = st.pk)
			OR series <> (SELECT count(*) FROM series se WHERE se.study = st.pk AND se.instances > 0)`,
		"patients": `SELECT count(*) FROM patient p WHERE instances <> (SELECT coalesce(sum(instances), 0) FROM study st WHERE st.patient = p.pk)
			OR studies <> (SELECT count(*) FROM study st WHERE st.patient = p.pk AND st.instances > 0)`,
		"changes": `SELECT feed - (SELECT count(*) FROM change) FROM state`,
	} {
		var wrong int
		if err := db.QueryRow(q).Scan(&wrong); err != nil || wrong != 0 {
			return fmt.Errorf("counters of %d %s are wrong, %v", wrong, what, err)
		}
	}
	return nil
}
