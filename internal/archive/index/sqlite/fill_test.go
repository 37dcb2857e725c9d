package sqlite

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	"gantry/dicom/tag"
	"gantry/dicom/uid"
	"gantry/dicom/vr"
	"gantry/internal/archive/index"
	"gantry/internal/archive/index/indextest"
	"gantry/internal/archive/index/match"
	"gantry/internal/archive/index/memory"
)

// older makes a file of schema 6 with what x holds.
func older(t *testing.T, x *Index) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "old.db")
	db, err := connect(name, 0, 1, "journal_mode(WAL)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	list := append(append([]string{}, migrations()[:6]...), "PRAGMA user_version = 6", "ATTACH '"+x.name+"' AS new", "DELETE FROM state")
	for _, table := range []string{"patient", "series", "base", "instance", "reference", "change", "quarantine", "deleted", "damaged", "settled"} {
		list = append(list, fmt.Sprintf("INSERT INTO main.%s SELECT * FROM new.%s", table, table))
	}
	list = append(list, "INSERT INTO main.study SELECT pk, patient, uid, born, rep, moment, accession, modalities, classes, attrs, series, instances, bytes FROM new.study",
		"INSERT INTO main.patient_name SELECT n.norm, p.patient FROM new.patient_name p JOIN new.name n ON n.pk = p.name",
		"INSERT INTO main.state SELECT 1, segment, offset, feed, 1, objects, ran, scrub, scrubbed, settled FROM new.state")
	for _, q := range list {
		if _, err := db.Exec(q); err != nil {
			t.Fatalf("%.80s: %v", q, err)
		}
	}
	return name
}

// TestFromSchema6: an index of the version before answers as before at once, while its
// names are derived anew, across a stop, and after that; what comes meanwhile is found too.
func TestFromSchema6(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 7))
	y := new(memory.Index)
	first := open(t, filepath.Join(t.TempDir(), "index.db"))
	indextest.Both(t, rng, first, y, func() {})
	name := older(t, first)
	x := open(t, name)
	ctx := context.Background()
	if x.namesReady.Load() {
		t.Fatal("names are ready before they were read")
	}
	indextest.SameAnswers(t, rng, x, y, 300)
	if more, err := x.fillSome(ctx); err != nil || !more {
		t.Fatal(more, err)
	}
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
	x = open(t, name)
	if more, err := x.fillSome(ctx); err != nil || !more || x.namesReady.Load() {
		t.Fatal(more, err, "is to go on where it stopped")
	}
	indextest.SameAnswers(t, rng, x, y, 300)
	if err := x.Fill(ctx); err != nil || !x.namesReady.Load() {
		t.Fatal(err)
	}
	indextest.SameAnswers(t, rng, x, y, 300)
	if err := x.Fill(ctx); err != nil {
		t.Error(err)
	}
}

// TestNamesAreFoldedAnew: another version of the folding makes all names again.
func TestNamesAreFoldedAnew(t *testing.T) {
	name := filepath.Join(t.TempDir(), "index.db")
	x := open(t, name)
	var f indextest.Feeder
	indextest.Commit(t, x, f.Entry(t, indextest.Object{Patient: "P", Name: "Doe^John", Study: "1.1", Series: "1.2", SOP: "1.3", Class: uid.CTImageStorage}))
	for _, q := range []string{"UPDATE state SET norm = 1", "UPDATE name SET norm = 'stale'", "UPDATE patient SET name = 'stale'"} {
		if _, err := x.w.ExecContext(context.Background(), q); err != nil {
			t.Fatal(err)
		}
	}
	x.Close()
	x = open(t, name)
	if err := x.Fill(context.Background()); err != nil {
		t.Fatal(err)
	}
	var norm, sorted string
	if err := x.w.QueryRowContext(context.Background(), "SELECT n.norm, p.name FROM name n JOIN patient_name m ON m.name = n.pk JOIN patient p ON p.pk = m.patient").Scan(&norm, &sorted); err != nil || norm != "doe john" || sorted != norm {
		t.Error(norm, sorted, err)
	}
}

// TestExtra: attributes that are named later are found in what was there before and in
// what comes while the table is filled, and are forgotten when no longer named.
func TestExtra(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 5))
	name := filepath.Join(t.TempDir(), "index.db")
	ctx := context.Background()
	y := new(memory.Index)
	x := open(t, name)
	reopen := func(o Options) {
		t.Helper()
		x.Close()
		var err error
		if x, err = Open(ctx, name, o); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { x.Close() })
	}
	indextest.Both(t, rng, x, y, func() {
		if err := x.prepare(ctx, []tag.Tag{tag.InstanceNumber, tag.SeriesDescription, tag.Rows, tag.ReferringPhysicianName}); err != nil {
			t.Fatal(err)
		}
		if more, err := x.fillSome(ctx); err != nil || !more {
			t.Fatal(more, err)
		}
	})
	indextest.SameAnswers(t, rng, x, y, 300)
	reopen(Options{}) // as a tool opens it
	if err := x.Fill(ctx); err != nil {
		t.Fatal(err)
	}
	for _, k := range []tag.Tag{tag.InstanceNumber, tag.SeriesDescription, tag.Rows} {
		if !x.extra.Load().ready[k] {
			t.Errorf("%v is not ready", k)
		}
	}
	indextest.SameAnswers(t, rng, x, y, 300)
	plan := planOf(t, x, &index.Search{Level: index.Image, Where: []match.Condition{match.New(tag.Rows, vr.US, "2")}})
	if !strings.Contains(plan, "SEARCH e USING PRIMARY KEY") {
		t.Errorf("not looked up: %s", plan)
	}
	reopen(Options{Extra: []tag.Tag{}})
	var n int
	if err := x.w.QueryRowContext(ctx, "SELECT count(*) FROM extra").Scan(&n); err != nil || n != 0 {
		t.Error(n, err)
	}
}

func planOf(t *testing.T, x *Index, s *index.Search) string {
	t.Helper()
	r, err := x.begin(context.Background(), s)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := x.rdb.Query("EXPLAIN QUERY PLAN "+r.sql[0]+r.sql[1], append(r.args, 16)...)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var out []string
	for rows.Next() {
		var a, b, c any
		var detail string
		if err := rows.Scan(&a, &b, &c, &detail); err != nil {
			t.Fatal(err)
		}
		out = append(out, detail)
	}
	return strings.Join(out, "\n")
}

// TestLatestNeedsNoSort: the studies that came last, and those of the last days, are read in
// the order of an index.
func TestLatestNeedsNoSort(t *testing.T) {
	x := open(t, filepath.Join(t.TempDir(), "index.db"))
	for _, o := range []index.Order{index.ByCreation, index.ByStudyDate} {
		plan := planOf(t, x, &index.Search{Level: index.Study, Order: o, Descending: true, Limit: 25})
		if strings.Contains(plan, "TEMP B-TREE") {
			t.Errorf("order %d is sorted: %s", o, plan)
		}
	}
}

// TestFillStops: it ends with its context, and when the index is closed.
func TestFillStops(t *testing.T) {
	x := open(t, filepath.Join(t.TempDir(), "index.db"))
	var f indextest.Feeder
	for i := range 3 {
		indextest.Commit(t, x, f.Entry(t, indextest.Object{Patient: "P", Study: "1.1", Series: "1.2", SOP: uid.UID(fmt.Sprint("1.3.", i)), Class: uid.CTImageStorage}))
	}
	if _, err := x.w.ExecContext(context.Background(), "INSERT INTO fill VALUES ('names', 0, 3)"); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	stop()
	if err := x.Fill(ctx); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	x.Close()
	if err := x.Fill(context.Background()); !errors.Is(err, index.ErrClosed) {
		t.Error(err)
	}
}
