package indextest

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"gantry/internal/archive/index"
	"gantry/internal/archive/record"
)

// Note makes a record that holds a fact.
func (f *Feeder) Note(t testing.TB, fact record.Fact) index.Entry {
	t.Helper()
	note, err := fact.Note()
	if err != nil {
		t.Fatal(err)
	}
	f.offset++
	now := time.Date(2026, 11, 21, 8, 0, 0, int(f.offset), time.UTC)
	return index.Entry{Envelope: record.Envelope{V: 1, Kind: record.Note, ID: record.NewID(now), Received: now, Note: note},
		Stored: record.Stored{Position: record.Position{Segment: 1, Offset: f.offset}}}
}

// facts: the last one of a kind about a subject counts.
func facts(t *testing.T, x index.Index) {
	var f Feeder
	var entries []index.Entry
	for i := range 5 {
		entries = append(entries, f.Note(t, record.Fact{Kind: "k", Subject: fmt.Sprint("s", i), Value: json.RawMessage(fmt.Sprint(i))}))
	}
	entries = append(entries,
		f.Note(t, record.Fact{Kind: "k", Subject: "s3", Value: json.RawMessage(`"new"`)}), f.Note(t, record.Fact{Kind: "k", Subject: "s1"}),
		f.Note(t, record.Fact{Kind: "other", Subject: "s2", Value: json.RawMessage("1")}))
	note := f.Note(t, record.Fact{Kind: "k", Subject: "s9", Value: json.RawMessage("1")})
	note.Envelope.Note = json.RawMessage(`{"superseded_segment":1}`) // a note of another sort
	for range 2 {
		Commit(t, x, append(entries, note)...)
		for _, c := range []struct {
			kind, from string
			n          int
			want       string
		}{
			{"k", "", 100, `s0=0 s2=2 s3="new" s4=4 `}, {"k", "", 2, "s0=0 s2=2 "}, {"k", "s3", 2, `s3="new" s4=4 `}, {"k", "t", 2, ""}, {"other", "", 5, "s2=1 "}, {"none", "", 5, ""},
		} {
			list, err := x.Facts(context.Background(), c.kind, c.from, c.n)
			got := ""
			for _, f := range list {
				got += f.Subject + "=" + string(f.Value) + " "
			}
			if err != nil || got != c.want {
				t.Errorf("%+v: %s, %v", c, got, err)
			}
		}
	}
	if err := x.Reset(context.Background()); err != nil {
		t.Fatal(err)
	}
	if list, err := x.Facts(context.Background(), "k", "", 9); err != nil || len(list) > 0 {
		t.Errorf("after Reset: %v, %v", list, err)
	}
}
