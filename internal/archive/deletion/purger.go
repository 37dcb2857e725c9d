package deletion

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"gantry/internal/archive/index"
	"gantry/internal/archive/ingest"
	"gantry/internal/archive/record"
)

// Clock is what the purger needs of an index.
type Clock interface {
	// Age adds to the time that servers ran over the archive, and returns it.
	Age(ctx context.Context, more time.Duration) (time.Duration, error)
	Due(ctx context.Context, age time.Duration, day, now time.Time, limit int) ([]index.Location, error)
	Waiting(ctx context.Context) (int64, error)
}

// Purger removes for good what was deleted longer than Window ago. Two clocks must agree:
// the time that servers ran since the deletion, which is kept in the index and comes from
// the monotonic clock alone, and the wall clock. So no jump of the wall clock purges
// anything, and the time that the archive stood still does not count. A deletion whose day
// lies in the future, made while the clock was wrong, goes by the first clock alone.
type Purger struct {
	In     Ingester
	Index  Clock
	Window time.Duration
	Now    func() time.Time // the wall clock
	Log    *slog.Logger

	Purged atomic.Int64 // versions, since the start
}

// longestTick is how long is waited between looks; what passed since the last one is lost
// in a crash, to the good of what was deleted.
const longestTick = time.Minute

// Tick is how often Run looks.
func (p *Purger) Tick() time.Duration {
	return min(longestTick, max(p.Window/16, 50*time.Millisecond))
}

// Run purges until ctx ends.
func (p *Purger) Run(ctx context.Context) {
	t := time.NewTicker(p.Tick())
	defer t.Stop()
	last := time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		now := time.Now()
		passed := now.Sub(last) // both have a monotonic reading
		last = now
		if err := p.Step(ctx, passed); err != nil && ctx.Err() == nil {
			p.Log.Error("deleted objects cannot be purged, trying again", "error", err)
		}
	}
}

// Step takes note that a server ran for a time, and purges what is due.
func (p *Purger) Step(ctx context.Context, passed time.Duration) error {
	n, err := p.Index.Waiting(ctx)
	if err != nil || n == 0 {
		return err
	}
	age, err := p.Index.Age(ctx, passed)
	if err != nil {
		return err
	}
	// What was deleted since the last look has the Age of that look: it waits a tick more.
	since := age - p.Window - p.Tick()
	if since < 0 {
		return nil
	}
	now := p.Now()
	for ctx.Err() == nil {
		due, err := p.Index.Due(ctx, since, now.Add(-p.Window), now, atOnce)
		if err != nil || len(due) == 0 {
			return err
		}
		done, err := p.purge(ctx, due)
		if err != nil || done == 0 {
			return err
		}
	}
	return nil
}

func (p *Purger) purge(ctx context.Context, due []index.Location) (done int, err error) {
	targets := make([]ingest.Target, len(due))
	for i := range due {
		targets[i] = ingest.Target{Instance: due[i].Instance, Record: due[i].Record}
	}
	for _, e := range p.In.Each(ctx, record.Purge, targets) {
		switch {
		case e == nil:
			done++
		case errors.Is(e, ingest.ErrNotDeleted), errors.Is(e, index.ErrNotFound): // it came again
		default:
			err = e
		}
	}
	p.Purged.Add(int64(done))
	if done > 0 {
		p.Log.Info("deleted objects were purged", "versions", done)
	}
	return done, err
}
