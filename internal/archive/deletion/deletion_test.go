package deletion_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"gantry/dicom"
	"gantry/dicom/tag"
	"gantry/dicom/uid"
	"gantry/dicom/vr"
	"gantry/internal/archive/blob/memblob"
	"gantry/internal/archive/deletion"
	"gantry/internal/archive/index/sqlite"
	"gantry/internal/archive/ingest"
)

var quiet = slog.New(slog.DiscardHandler)

type world struct {
	*testing.T
	idx *sqlite.Index
	in  *ingest.Ingester
	now time.Time
	p   *deletion.Purger
}

func open(t *testing.T, window time.Duration) *world {
	t.Helper()
	w := &world{T: t, now: time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)}
	var err error
	if w.idx, err = sqlite.Open(context.Background(), filepath.Join(t.TempDir(), "index.db"), sqlite.Options{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.idx.Close() })
	w.in, err = ingest.New(context.Background(), new(memblob.Store), w.idx, ingest.Options{Log: quiet, Now: func() time.Time { return w.now }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.in.Close() })
	w.p = &deletion.Purger{In: w.in, Index: w.idx, Window: window, Now: func() time.Time { return w.now }, Log: quiet}
	return w
}

// send stores an instance; n chooses it, v its bytes.
func (w *world) send(patient, issuer string, n, v int) {
	w.Helper()
	u := func(s string) uid.UID { return uid.UID("1.2." + s) }
	ds, err := new(dicom.DataSet).Edit().SetUID(tag.SOPClassUID, uid.CTImageStorage).SetUID(tag.SOPInstanceUID, u(fmt.Sprint(n, ".1.1"))).
		SetUID(tag.StudyInstanceUID, u(fmt.Sprint(n/4))).SetUID(tag.SeriesInstanceUID, u(fmt.Sprint(n/2, ".1"))).
		SetText(tag.PatientID, patient).SetText(tag.IssuerOfPatientID, issuer).
		SetBytes(tag.PixelData, vr.OW, bytes.Repeat([]byte{byte(v)}, 100)).Build()
	if err != nil {
		w.Fatal(err)
	}
	b, err := dicom.AppendEncode(nil, ds, uid.ImplicitVRLittleEndian)
	if err != nil {
		w.Fatal(err)
	}
	wr, err := w.in.Begin(context.Background(), ingest.Hint{Syntax: uid.ImplicitVRLittleEndian})
	if err != nil {
		w.Fatal(err)
	}
	if _, err := wr.Write(b); err != nil {
		w.Fatal(err)
	}
	if _, err := wr.Commit(context.Background()); err != nil {
		w.Fatal(err)
	}
}

// counts compares what is visible, kept and waiting.
func (w *world) counts(visible, kept, waiting int64) {
	w.Helper()
	s, err := w.idx.State(context.Background())
	n, err2 := w.idx.Waiting(context.Background())
	if err != nil || err2 != nil || s.Instance != visible || s.Versions != kept || n != waiting {
		w.Errorf("%d visible, %d kept, %d waiting, %v, %v; want %d, %d, %d", s.Instance, s.Versions, n, err, err2, visible, kept, waiting)
	}
}

func (w *world) delete(what deletion.What) deletion.Result {
	w.Helper()
	r, err := deletion.Delete(context.Background(), w.in, w.idx, what)
	if err != nil {
		w.Fatal(err)
	}
	return r
}

func (w *world) pass(d time.Duration) {
	w.Helper()
	w.now = w.now.Add(d)
	w.step(d)
}

func (w *world) step(d time.Duration) {
	w.Helper()
	if err := w.p.Step(context.Background(), d); err != nil {
		w.Fatal(err)
	}
}

func TestLevels(t *testing.T) {
	ctx := context.Background()
	w := open(t, time.Hour)
	for n := range 8 {
		w.send("P1", "", n, 0)
	}
	w.send("P1", "", 0, 1) // another version
	w.send("P2", "A", 8, 0)
	w.send("P2", "B", 12, 0)
	for _, c := range []struct {
		what deletion.What
		want deletion.Result
	}{
		{deletion.What{Instance: "1.2.0.1.1"}, deletion.Result{Instances: 1, Versions: 2}},
		{deletion.What{Series: "1.2.0.1"}, deletion.Result{Instances: 2, Versions: 3}},
		{deletion.What{Study: "1.2.0"}, deletion.Result{Instances: 4, Versions: 5}},
		{deletion.What{PatientID: "P1"}, deletion.Result{Instances: 8, Versions: 9}},
		{deletion.What{PatientID: "P2", Issuer: new(string)}, deletion.Result{}},
		{deletion.What{PatientID: "P2", Issuer: ptr("A")}, deletion.Result{Instances: 1, Versions: 1}},
	} {
		got, err := deletion.Delete(ctx, w.in, w.idx, c.what)
		if c.want.Versions == 0 {
			if !errors.Is(err, deletion.ErrNothing) {
				t.Errorf("%+v: %v", c.what, err)
			}
			continue
		}
		if err != nil || got.Instances != c.want.Instances || got.Versions != c.want.Versions || got.Bytes == 0 {
			t.Errorf("%s: %+v, %v", c.what.Level(), got, err)
		}
		w.counts(10-int64(c.want.Instances), 11, int64(c.want.Versions))
		if _, err := deletion.Delete(ctx, w.in, w.idx, c.what); !errors.Is(err, deletion.ErrNothing) {
			t.Errorf("%s again: %v", c.what.Level(), err)
		}
		if back, err := deletion.Undelete(ctx, w.in, w.idx, c.what); err != nil || back != got {
			t.Errorf("%s: %+v came back, %v", c.what.Level(), back, err)
		}
		w.counts(10, 11, 0)
	}
	for _, c := range []struct {
		what deletion.What
		want error
	}{
		{deletion.What{}, deletion.ErrWhat}, {deletion.What{Study: "1", Series: "2"}, deletion.ErrWhat},
		{deletion.What{Study: "1.2.0", Issuer: ptr("A")}, deletion.ErrWhat}, {deletion.What{PatientID: "P2"}, deletion.ErrAmbiguous},
	} {
		if _, err := deletion.Delete(ctx, w.in, w.idx, c.what); !errors.Is(err, c.want) {
			t.Errorf("%+v: %v", c.what, err)
		}
	}
}

func ptr(s string) *string { return &s }

func TestPurge(t *testing.T) {
	w := open(t, 7*24*time.Hour)
	for n := range 8 {
		w.send("P1", "", n, 0)
	}
	w.delete(deletion.What{Study: "1.2.0"})
	w.pass(4 * 24 * time.Hour)
	w.delete(deletion.What{Instance: "1.2.5.1.1"})
	w.pass(3*24*time.Hour - time.Hour)
	w.counts(3, 8, 5)
	w.send("P1", "", 1, 0) // inside the window: it is restored
	w.pass(2 * time.Hour)
	w.counts(4, 5, 1)
	l, err := w.idx.Deleted(context.Background(), 10)
	if err != nil || len(l) != 1 || l[0].Study != "1.2.1" || l[0].Versions != 1 || l[0].Ran != 3*24*time.Hour+time.Hour {
		t.Errorf("%+v, %v", l, err)
	}
	w.pass(4 * 24 * time.Hour)
	w.counts(4, 4, 0)
	if n := w.p.Purged.Load(); n != 4 {
		t.Errorf("%d were purged", n)
	}
}

// TestPurgeClock is R13: the wall clock jumps, and nothing goes before its time.
func TestPurgeClock(t *testing.T) {
	const window = 7 * 24 * time.Hour
	w := open(t, window)
	w.send("P1", "", 0, 0)
	w.delete(deletion.What{Study: "1.2.0"})
	w.now = w.now.Add(10 * 365 * 24 * time.Hour) // set forward
	w.step(time.Minute)
	w.counts(0, 1, 1)
	w.send("P2", "", 4, 0)
	w.delete(deletion.What{Study: "1.2.1"})       // its day is ten years ahead
	w.now = w.now.Add(-10 * 365 * 24 * time.Hour) // set right
	w.step(time.Minute)
	w.counts(0, 2, 2)
	w.pass(window - time.Hour)
	w.counts(0, 2, 2)
	w.now = w.now.Add(-3 * 24 * time.Hour) // set back: the second goes, the first waits for its day
	w.pass(2 * time.Hour)
	w.counts(0, 1, 1)
	w.pass(3*24*time.Hour + time.Hour)
	w.counts(0, 0, 0)
}

// TestPurgeAgain opens the index anew: the time that servers ran is kept, and the time
// between them does not count.
func TestPurgeAgain(t *testing.T) {
	w := open(t, time.Hour)
	w.send("P1", "", 0, 0)
	w.delete(deletion.What{Study: "1.2.0"})
	w.pass(40 * time.Minute)
	w.now = w.now.Add(24 * time.Hour) // the archive stood still
	w.step(0)
	w.counts(0, 1, 1)
	w.pass(30 * time.Minute)
	w.counts(0, 0, 0)
}
