// Package compact rewrites segments of the store log while the archive is at work: those
// that are mostly made of objects that were purged, and those whose objects are to get
// another layout. Records keep their order, and the bytes of objects stay what they are.
package compact

import (
	"context"
	"errors"
	"io"
	"iter"
	"log/slog"
	"sync/atomic"
	"time"

	"gantry/internal/archive/blob"
	"gantry/internal/archive/blob/fsblob"
	"gantry/internal/archive/index"
	"gantry/internal/archive/record"
	"gantry/internal/archive/scrub"
	"gantry/internal/vfs"
)

type replayer interface {
	Replay(context.Context, record.Position) iter.Seq2[record.Logged, error]
}

// Compactor rewrites segments.
type Compactor struct {
	Store   Store
	Index   Index
	Guard   *scrub.Guard                                   // of damaged objects; nil is none
	Damaged func(context.Context) ([]index.Damaged, error) // those the index knows; nil is none
	Share   float64                                        // part of a segment's bytes that must be gone; 0 is any
	Migrate bool                                           // bring objects into the store's own layout
	Rate    int64                                          // bytes a second; 0 is no limit
	Every   time.Duration                                  // from one round to the next
	Grace   time.Duration                                  // how long the bytes stay where they were, for those who know the old place
	Lock    func() (io.Closer, error)                      // keeps backups out while a segment is rewritten
	Log     *slog.Logger

	Segments, Dropped, Moved, Freed atomic.Int64 // rewritten, objects left out and moved, bytes given back, since the start

	retiring []retiring
}

// retiring is a segment whose old generation is still there.
type retiring struct {
	segment uint64
	at      time.Time
	since   record.Position // purges behind it may have come after their object was copied
}

// mostRetiring bounds the room that old generations take.
const mostRetiring = 16

// Run compacts until ctx ends: soon after the start, then once in Every.
func (c *Compactor) Run(ctx context.Context) {
	wait := min(time.Minute, c.Every)
	for sleep(ctx, wait) == nil {
		if err := c.Round(ctx); err != nil && ctx.Err() == nil {
			c.Log.Error("segments of the log cannot be rewritten, trying later", "error", err)
		}
		wait = c.Every
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Round looks at all sealed segments once.
func (c *Compactor) Round(ctx context.Context) error {
	st, err := c.Index.State(ctx)
	if err != nil {
		return err
	}
	if err := c.resume(ctx); err != nil {
		return err
	}
	purged, err := c.purged(ctx, record.Position{})
	if err != nil {
		return err
	}
	if len(purged) == 0 && !c.Migrate {
		return c.retire(ctx, 0)
	}
	plan, err := c.plan(ctx, purged, st.Applied.Segment)
	if err != nil {
		return err
	}
	for _, n := range plan {
		err := c.rewrite(ctx, n, purged, st.Applied)
		switch {
		case errors.Is(err, fsblob.ErrDamaged):
			c.Log.Error("segment is left as it is", "segment", n, "error", err)
		case errors.Is(err, blob.ErrFull):
			c.Log.Warn("segment is left as it is for want of room", "segment", n, "error", err)
		case err != nil:
			return err
		}
		if err := c.retire(ctx, mostRetiring-1); err != nil {
			return err
		}
	}
	return c.retire(ctx, 0)
}

// purged are the objects that the log says are gone, behind a position.
func (c *Compactor) purged(ctx context.Context, from record.Position) (map[record.ID]bool, error) {
	out := map[record.ID]bool{}
	for l, err := range c.Store.Replay(ctx, from) {
		if err != nil {
			return nil, err
		}
		if l.Err == nil && l.Envelope.Kind == record.Purge {
			out[l.Envelope.Of] = true
		}
	}
	return out, nil
}

// recordSize is about what a record takes beside its object.
const recordSize = 2 << 10

// plan lists the segments below a number that are to be rewritten. What lies there was
// applied to the index, so that the index can be told of its new place.
func (c *Compactor) plan(ctx context.Context, purged map[record.ID]bool, below uint64) (out []uint64, err error) {
	var n uint64
	var all, gone int64
	misplaced := false
	judge := func() {
		if n > 0 && (gone > 0 && float64(gone) >= c.Share*float64(all) || misplaced) {
			out = append(out, n)
		}
		all, gone, misplaced = 0, 0, false
	}
	for l, err := range c.Store.Replay(ctx, record.Position{}) {
		if err != nil {
			return nil, err
		}
		if at := l.Stored.Position.Segment; at != n {
			judge()
			if n = at; n >= below {
				return out, nil
			}
		}
		size := int64(recordSize)
		if l.Envelope.Kind == record.Put {
			size += l.Stored.Sums.Size()
		}
		all += size
		if l.Envelope.Kind.HasObject() && purged[l.Envelope.ID] {
			gone += size
		} else if c.Migrate && l.Err == nil && c.Store.Misplaced(&l) {
			misplaced = true
		}
	}
	judge()
	return out, nil
}

// rewrite rewrites a segment and tells the index. What was purged is known up to a position.
func (c *Compactor) rewrite(ctx context.Context, n uint64, purged map[record.ID]bool, upto record.Position) error {
	lock, err := c.lock(ctx)
	if err != nil {
		return err
	}
	defer lock.Close()
	did, err := c.Store.Rewrite(ctx, n, fsblob.Rewriting{
		Purged:  func(id record.ID) bool { return purged[id] },
		Migrate: c.Migrate,
		Pace:    c.pace,
		Switch:  c.switchTo,
	})
	if err != nil {
		return err
	}
	c.retiring = append(c.retiring, retiring{n, time.Now().Add(c.Grace), upto})
	c.Segments.Add(1)
	c.Dropped.Add(int64(did.Dropped))
	c.Moved.Add(int64(did.Moved))
	c.Freed.Add(did.Before - did.After)
	c.Log.Info("segment was rewritten", "segment", n, "before", did.Before, "after", did.After, "dropped", did.Dropped, "moved", did.Moved, "unreadable", did.Unreadable)
	return nil
}

// lock waits for a backup to end.
func (c *Compactor) lock(ctx context.Context) (io.Closer, error) {
	for {
		l, err := c.Lock()
		if !errors.Is(err, vfs.ErrLocked) {
			return l, err
		}
		if err := sleep(ctx, 200*time.Millisecond); err != nil {
			return nil, err
		}
	}
}

func (c *Compactor) pace(ctx context.Context, n int64) error {
	if c.Rate <= 0 {
		return ctx.Err()
	}
	return sleep(ctx, time.Duration(float64(n)/float64(c.Rate)*float64(time.Second)))
}

// switchTo tells the index of a new generation. What is damaged stays guarded there.
func (c *Compactor) switchTo(ctx context.Context, segment uint64, generation uint32) error {
	bad := map[record.ID]bool{}
	if c.Damaged != nil {
		list, err := c.Damaged(ctx)
		if err != nil {
			return err
		}
		for i := range list {
			bad[list[i].Location.Record] = true
		}
	}
	return relocate(ctx, c.Store, c.Index, segment, generation, func(m record.Moved) {
		if bad[m.Record] {
			c.Guard.Add(m.Ref)
		}
	})
}

// retire removes old generations whose grace is over, and waits until at most some are left.
func (c *Compactor) retire(ctx context.Context, most int) error {
	for len(c.retiring) > 0 {
		r := c.retiring[0]
		if wait := time.Until(r.at); wait > 0 {
			if len(c.retiring) <= most {
				return nil
			}
			if err := sleep(ctx, wait); err != nil {
				return err
			}
		}
		lock, err := c.lock(ctx)
		if err != nil {
			return err
		}
		err = c.eraseLate(ctx, &r)
		if err == nil {
			err = c.Store.Retire(ctx, r.segment)
		}
		if err := errors.Join(err, lock.Close()); err != nil {
			return err
		}
		c.retiring = c.retiring[1:]
	}
	return nil
}
