package settle_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"gantry/dicom"
	"gantry/dicom/tag"
	"gantry/dicom/uid"
	"gantry/internal/archive/blob/memblob"
	"gantry/internal/archive/deletion"
	"gantry/internal/archive/index/sqlite"
	"gantry/internal/archive/ingest"
	"gantry/internal/archive/settle"
)

var quiet = slog.New(slog.DiscardHandler)

type world struct {
	*testing.T
	name   string
	idx    *sqlite.Index
	in     *ingest.Ingester
	now    time.Time
	w      *settle.Watcher
	events []settle.Event
}

func open(t *testing.T) *world {
	t.Helper()
	w := &world{T: t, name: filepath.Join(t.TempDir(), "index.db"), now: time.Unix(1e9, 0)}
	w.connect()
	var err error
	if w.in, err = ingest.New(context.Background(), new(memblob.Store), w.idx, ingest.Options{Log: quiet}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.in.Close(); w.idx.Close() })
	return w
}

func (w *world) connect() {
	w.Helper()
	var err error
	if w.idx, err = sqlite.Open(context.Background(), w.name, sqlite.Options{}); err != nil {
		w.Fatal(err)
	}
	w.watch()
}

// watch begins anew, as after a restart.
func (w *world) watch() {
	w.w = &settle.Watcher{Index: w.idx, Quiet: time.Minute, Now: func() time.Time { return w.now }, Log: quiet,
		Settled: func(_ context.Context, e settle.Event) error { w.events = append(w.events, e); return nil }}
}

func (w *world) send(study, n int, h ingest.Hint) {
	ds, err := new(dicom.DataSet).Edit().SetUID(tag.SOPClassUID, uid.CTImageStorage).SetUID(tag.SOPInstanceUID, uid.UID(fmt.Sprint("1.3.", study, ".", n))).
		SetUID(tag.StudyInstanceUID, studyUID(study)).SetUID(tag.SeriesInstanceUID, uid.UID(fmt.Sprint("1.4.", study, ".", n%7))).Build()
	if err != nil {
		w.Error(err)
		return
	}
	b, err := dicom.AppendEncode(nil, ds, uid.ImplicitVRLittleEndian)
	if err != nil {
		w.Error(err)
		return
	}
	h.Syntax = uid.ImplicitVRLittleEndian
	wr, err := w.in.Begin(context.Background(), h)
	if err != nil {
		w.Error(err)
		return
	}
	if _, err := wr.ReadFrom(bytes.NewReader(b)); err != nil {
		w.Error(err)
	}
	if _, err := wr.Commit(context.Background()); err != nil {
		w.Error(err)
	}
}

func studyUID(n int) uid.UID { return uid.UID(fmt.Sprint("1.2.", n+1)) }

// pass lets time pass and returns the events.
func (w *world) pass(d time.Duration) []settle.Event {
	w.Helper()
	w.events = nil
	for range 4 { // as often as Run would look, or oftener
		w.now = w.now.Add(d / 4)
		if err := w.w.Step(context.Background()); err != nil {
			w.Fatal(err)
		}
	}
	return w.events
}

// TestManySenders is R09: a study comes by 16 senders, out of order and with repetitions.
// The counts are right, and there is one event; what comes later is one more, marked.
func TestManySenders(t *testing.T) {
	w := open(t)
	order := rand.New(rand.NewPCG(9, 9)).Perm(320)
	var wg sync.WaitGroup
	for s := range 16 {
		wg.Go(func() {
			for i, n := range order {
				if i%16 == s || i%64 == (s+1)%16 { // some come twice
					w.send(0, n, ingest.Hint{Association: fmt.Sprint(s)})
				}
				if s == 0 && i%100 == 0 {
					if err := w.w.Step(context.Background()); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	wg.Wait()
	if got := w.pass(59 * time.Second); len(got) != 0 {
		t.Errorf("too soon: %+v", got)
	}
	got := w.pass(time.Minute)
	if len(got) != 1 || got[0].Study != studyUID(0) || got[0].Instances != 320 || got[0].Series != 7 || got[0].Arrived != 320 || got[0].Late {
		t.Fatalf("%+v", got)
	}
	if got := w.pass(time.Hour); len(got) != 0 {
		t.Errorf("told twice: %+v", got)
	}
	w.send(0, 5, ingest.Hint{}) // nothing new
	w.pass(time.Hour)
	w.send(0, 1000, ingest.Hint{})
	if got := w.pass(time.Hour); len(got) != 1 || !got[0].Late || got[0].Instances != 321 || got[0].Arrived != 1 {
		t.Errorf("late: %+v", got)
	}
	if w.w.Events.Load() != 2 || w.w.Late.Load() != 1 || w.w.Open.Load() != 0 {
		t.Error("counters are wrong")
	}
}

// TestRestart begins anew while one study is told of and another is not.
func TestRestart(t *testing.T) {
	w := open(t)
	w.send(0, 1, ingest.Hint{})
	w.pass(30 * time.Second)
	w.send(1, 1, ingest.Hint{}) // comes between those of the first
	w.send(0, 2, ingest.Hint{})
	w.pass(10 * time.Second)
	for n := range 3 { // the first goes on, the second is complete
		w.send(0, 10+n, ingest.Hint{})
		w.pass(25 * time.Second)
	}
	if w.w.Events.Load() != 1 {
		t.Fatalf("%d events", w.w.Events.Load())
	}
	w.watch()
	got := w.pass(4 * time.Minute)
	if len(got) != 1 || got[0].Study != studyUID(0) || got[0].Instances != 5 || got[0].Arrived != 5 || got[0].Late {
		t.Errorf("%+v", got)
	}
	w.watch()
	if got := w.pass(time.Hour); len(got) != 0 {
		t.Errorf("told of again: %+v", got)
	}
}

// TestNoEvent: what nobody sees is not complete, and an error is tried again.
func TestNoEvent(t *testing.T) {
	ctx := context.Background()
	w := open(t)
	w.send(0, 1, ingest.Hint{Hold: true})
	w.send(1, 1, ingest.Hint{})
	if _, err := deletion.Delete(ctx, w.in, w.idx, deletion.What{Study: studyUID(1)}); err != nil {
		t.Fatal(err)
	}
	if got := w.pass(time.Hour); len(got) != 0 {
		t.Errorf("%+v", got)
	}
	if _, err := deletion.Undelete(ctx, w.in, w.idx, deletion.What{Study: studyUID(1)}); err != nil {
		t.Fatal(err)
	}
	if got := w.pass(time.Hour); len(got) != 1 || got[0].Instances != 1 {
		t.Errorf("%+v", got)
	}
	w.send(2, 1, ingest.Hint{})
	tell, fail := w.w.Settled, true
	w.w.Settled = func(ctx context.Context, e settle.Event) error {
		if fail {
			return errors.New("not now")
		}
		return tell(ctx, e)
	}
	w.now = w.now.Add(0)
	if err := w.w.Step(ctx); err != nil {
		t.Fatal(err)
	}
	w.now = w.now.Add(time.Hour)
	if err := w.w.Step(ctx); err == nil {
		t.Error("no error")
	}
	fail = false
	if got := w.pass(time.Minute); len(got) != 1 {
		t.Errorf("%+v", got)
	}
}

// TestReindex is no news: an index that is made again tells of nothing that it had.
func TestReindex(t *testing.T) {
	w := open(t)
	w.send(0, 1, ingest.Hint{})
	w.pass(time.Hour)
	if err := w.idx.Reset(context.Background()); err != nil {
		t.Fatal(err)
	}
	w.send(1, 1, ingest.Hint{})
	w.send(2, 1, ingest.Hint{})
	w.watch()
	if got := w.pass(time.Hour); len(got) != 0 {
		t.Errorf("%+v", got)
	}
	w.send(2, 2, ingest.Hint{})
	w.watch()
	if got := w.pass(time.Hour); len(got) != 1 || !got[0].Late {
		t.Errorf("%+v", got)
	}
}
