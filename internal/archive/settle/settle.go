// Package settle tells when a study is complete, as far as anybody can know: when nothing
// of it came for a while (PS3.4 has no sign for the end of a study). What comes later is
// told again, marked as late.
package settle

import (
	"context"
	"iter"
	"log/slog"
	"sync/atomic"
	"time"

	"gantry/dicom/uid"
	"gantry/internal/archive/index"
	"gantry/internal/archive/record"
)

// Event tells of a study of which nothing came for the quiet period.
type Event struct {
	Study             uid.UID
	Series, Instances int64  // that the study has now
	Arrived           int64  // objects that came since the last event
	Late              bool   // the study was told of before
	Feed              uint64 // number of the last change that is told of
}

// Index is the part of an index that is needed.
type Index interface {
	Feed() uint64
	Changes(ctx context.Context, after uint64) iter.Seq2[index.Change, error]
	StudySize(ctx context.Context, study uid.UID) (series, instances int64, err error)
	// Told returns up to which change all studies were told of, and for those told of
	// further than that, how far.
	Told(ctx context.Context) (uint64, map[uid.UID]uint64, error)
	// SetTold notes that a study was told of, and up to which change all were.
	SetTold(ctx context.Context, study uid.UID, feed, all uint64) error
}

// Watcher follows the change feed. An event is given at least once: after a crash between
// the event and its note it comes again, with the same Feed.
type Watcher struct {
	Index Index
	Quiet time.Duration
	// Settled is called for each event, one at a time. An error makes it come again.
	Settled func(context.Context, Event) error
	Now     func() time.Time // only differences count; nil is the monotonic clock
	Log     *slog.Logger

	Events, Late, Open atomic.Int64 // told, of these late, and studies that something came of

	begun   bool
	read    uint64 // changes up to here are in pending or told of
	told    map[uid.UID]uint64
	pending map[uid.UID]*burst
}

// burst is what came of a study since it was told of.
type burst struct {
	first, last uint64 // changes
	arrived     int64
	isNew       bool
	at          time.Time // when the last one was seen
}

// Run watches until ctx ends.
func (w *Watcher) Run(ctx context.Context) {
	t := time.NewTicker(min(5*time.Second, max(w.Quiet/8, 20*time.Millisecond)))
	defer t.Stop()
	for {
		if err := w.Step(ctx); err != nil && ctx.Err() == nil {
			w.Log.Error("studies that are complete cannot be told of, trying again", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
	}
}

func (w *Watcher) now() time.Time {
	if w.Now == nil {
		return time.Now()
	}
	return w.Now()
}

// Step reads what changed and tells of the studies that are quiet.
func (w *Watcher) Step(ctx context.Context) error {
	if err := w.begin(ctx); err != nil {
		return err
	}
	if err := w.follow(ctx); err != nil {
		return err
	}
	now := w.now()
	for study, b := range w.pending {
		if now.Sub(b.at) < w.Quiet {
			continue
		}
		if err := w.tell(ctx, study, b); err != nil {
			return err
		}
	}
	w.Open.Store(int64(len(w.pending)))
	return nil
}

func (w *Watcher) begin(ctx context.Context) error {
	if w.begun {
		return nil
	}
	all, told, err := w.Index.Told(ctx)
	if err != nil {
		return err
	}
	if w.read, w.told = min(all, w.Index.Feed()), told; w.read < all { // an index that was made again is no news
		if err := w.Index.SetTold(ctx, "", w.read, w.read); err != nil {
			return err
		}
	}
	w.pending, w.begun = map[uid.UID]*burst{}, true
	return nil
}

func (w *Watcher) follow(ctx context.Context) error {
	if w.Index.Feed() == w.read {
		return nil
	}
	now := w.now()
	for c, err := range w.Index.Changes(ctx, w.read) {
		if err != nil {
			return err
		}
		w.read = c.Number
		arrival := c.Kind.HasObject() || c.Kind == record.Restore
		if !arrival || c.Number <= w.told[c.Study] {
			continue
		}
		b := w.pending[c.Study]
		if b == nil {
			b = &burst{first: c.Number}
			w.pending[c.Study] = b
		}
		b.last, b.at, b.isNew = c.Number, now, b.isNew || c.New
		b.arrived++
	}
	return nil
}

// tell gives the event of a study and notes that. A study of which nothing is visible, of a
// stranger's or deleted meanwhile, is no event.
func (w *Watcher) tell(ctx context.Context, study uid.UID, b *burst) error {
	series, instances, err := w.Index.StudySize(ctx, study)
	if err != nil {
		return err
	}
	if instances > 0 {
		e := Event{Study: study, Series: series, Instances: instances, Arrived: b.arrived, Late: !b.isNew, Feed: b.last}
		if err := w.Settled(ctx, e); err != nil {
			return err
		}
		w.Events.Add(1)
		if e.Late {
			w.Late.Add(1)
		}
	}
	delete(w.pending, study)
	all := w.all()
	for s, n := range w.told {
		if n <= all {
			delete(w.told, s)
		}
	}
	if b.last > all {
		w.told[study] = b.last
	}
	return w.Index.SetTold(ctx, study, b.last, all)
}

// all is up to which change every study was told of.
func (w *Watcher) all() uint64 {
	all := w.read
	for _, b := range w.pending {
		all = min(all, b.first-1)
	}
	return all
}
