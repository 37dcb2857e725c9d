package ingest_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gantry/internal/archive/blob/blobtest"
	"gantry/internal/archive/index/sqlite"
	"gantry/internal/archive/ingest"
	"gantry/internal/archive/record"
	"gantry/internal/vfs"
)

// fromLog are the tables of the index that are the same when they are made again from the
// log, and working those that hold nothing that may not be lost. A feature that keeps
// anything else in a table must write it to the log as a fact, see record.Fact.
var (
	fromLog = strings.Fields("patient patient_name study series base instance reference change quarantine name word name_word fact")
	working = map[string]string{
		"state":      "how far work is; totals, that follow the rows",
		"deleted":    "the age of deletions, counted anew: what was deleted can be undone for longer",
		"damaged":    "what the scrubber found and finds again",
		"settled":    "what was told of as complete",
		"generation": "how often segments were rewritten, as the store says",
		"fill":       "what is being derived anew",
		"extra":      "attributes of instances, derived anew",
		"extra_tag":  "which, by the configuration",
		"word_token": "derived from word",
	}
)

// TestWhatTheLogHolds loses the index after everything was done that an archive can do, and
// compares each table with what comes out of the log alone.
func TestWhatTheLogHolds(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	w := build(t, vfs.OS{}, dir, nil, ingest.Options{})
	for n := range 12 {
		o := sample(n)
		mustSend(t, w.in, o, object(t, o, blobtest.Bytes(uint64(n), 2000)))
	}
	o := sample(3)
	mustSend(t, w.in, o, object(t, o, []byte{1, 2})) // a conflict
	held := hint(sample(20))
	held.Hold = true
	if _, err := send(w.in, held, object(t, sample(20), []byte{3, 4})); err != nil {
		t.Fatal(err)
	}
	for n, k := range []record.Kind{record.Delete, record.Delete, record.Restore} {
		kept, err := w.idx.Kept(ctx, sample(n%2).SOP)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.in.Each(ctx, k, []ingest.Target{{Instance: kept[0].Instance, Record: kept[0].Record}})[0]; err != nil {
			t.Fatal(err)
		}
	}
	for _, f := range []record.Fact{
		{Kind: "label", Subject: "1.1", Value: json.RawMessage(`["a"]`)}, {Kind: "label", Subject: "1.2", Value: json.RawMessage(`["b"]`)},
		{Kind: "label", Subject: "1.1", Value: json.RawMessage(`["a","c"]`)}, {Kind: "label", Subject: "1.2"}, {Kind: "other", Subject: "x", Value: json.RawMessage(`{}`)},
	} {
		if err := w.in.Note(ctx, f); err != nil {
			t.Fatal(err)
		}
	}
	fresh, err := sqlite.Open(ctx, filepath.Join(dir, "fresh.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := ingest.Reindex(ctx, w.store, fresh, ingest.Options{Log: quiet}, nil); err != nil {
		t.Fatal(err)
	}
	for _, x := range []interface{ Close() error }{w.in, w.idx, fresh} {
		if err := x.Close(); err != nil {
			t.Fatal(err)
		}
	}
	was, is := tables(t, filepath.Join(dir, "index.db")), tables(t, filepath.Join(dir, "fresh.db"))
	for name, rows := range was {
		switch {
		case slices.Contains(fromLog, name):
			if !slices.Equal(rows, is[name]) {
				t.Errorf("table %s is not made again from the log:\n%s\n\n%s", name, strings.Join(rows, "\n"), strings.Join(is[name], "\n"))
			}
		case working[name] == "":
			t.Errorf("table %s: is all of it in the log? Then it belongs in fromLog. Else write it there as a fact, or say in working why it may be lost", name)
		}
	}
	if len(was["fact"]) != 2 || len(was["instance"]) != 14 {
		t.Errorf("%d facts, %d instances", len(was["fact"]), len(was["instance"]))
	}
}

// tables reads all rows of a database, those of the full text index left out.
func tables(t *testing.T, file string) map[string][]string {
	t.Helper()
	db, err := sql.Open("sqlite", file)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	names := column(t, db, "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE 'word_token_%'")
	out := map[string][]string{}
	for _, n := range names {
		out[n] = nil
		if n == "word_token" {
			continue
		}
		fields := strings.Join(column(t, db, fmt.Sprintf("SELECT 'quote(' || name || ')' FROM pragma_table_info('%s')", n)), " || ' ' || ")
		out[n] = column(t, db, fmt.Sprintf("SELECT %s FROM %s ORDER BY 1", fields, n))
	}
	return out
}

func column(t *testing.T, db *sql.DB, q string) (out []string) {
	t.Helper()
	rows, err := db.Query(q)
	if err != nil {
		t.Fatalf("%s: %v", q, err)
	}
	defer rows.Close()
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			t.Fatal(err)
		}
		out = append(out, s)
	}
	return out
}

// TestNoteRefused looks at facts that are too large, and at an archive that is closed.
func TestNoteRefused(t *testing.T) {
	w := inMemory(t, ingest.Options{})
	ctx, cancel := context.WithCancel(context.Background())
	for _, f := range []record.Fact{{}, {Kind: "a"}, {Subject: "a"}, {Kind: strings.Repeat("k", 40), Subject: "a"},
		{Kind: "a", Subject: strings.Repeat("s", 300)}, {Kind: "a", Subject: "a", Value: json.RawMessage(strings.Repeat("1", 70_000))}, {Kind: "a", Subject: "a", Value: json.RawMessage("{")}} {
		if err := w.in.Note(ctx, f); err == nil {
			t.Errorf("%.40v was noted", f)
		}
	}
	cancel()
	if err := w.in.Note(ctx, record.Fact{Kind: "a", Subject: "b", Value: json.RawMessage("1")}); err == nil {
		t.Error("noted after the end of the context")
	}
}
