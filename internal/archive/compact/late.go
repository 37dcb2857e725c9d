package compact

import (
	"context"
	"errors"
	"slices"
	"time"

	"gantry/internal/archive/blob"
	"gantry/internal/archive/blob/fsblob"
	"gantry/internal/archive/record"
)

// Finish ends the rewriting of segments that a crash interrupted.
func (c *Compactor) Finish(ctx context.Context) error {
	if err := c.resume(ctx); err != nil {
		return err
	}
	return c.retire(ctx, 0)
}

// resume tells the index of segments that were rewritten before without its hearing of it,
// and retires what they were rewritten from.
func (c *Compactor) resume(ctx context.Context) error {
	last, older, err := c.Store.Generations()
	if err != nil {
		return err
	}
	for n := range older {
		if slices.ContainsFunc(c.retiring, func(r retiring) bool { return r.segment == n }) {
			continue
		}
		if err := c.switchTo(ctx, n, last[n]); err != nil {
			return err
		}
		c.retiring = append(c.retiring, retiring{segment: n, at: time.Now().Add(c.Grace)})
	}
	return nil
}

// eraseLate erases what was purged while its segment was rewritten: the purge has erased the
// bytes where they were before, and may not have known of the copy.
func (c *Compactor) eraseLate(ctx context.Context, r *retiring) error {
	purged, err := c.purged(ctx, r.since)
	if err != nil || len(purged) == 0 {
		return err
	}
	var late []record.Moved
	err = c.Store.Moves(ctx, r.segment, func(m record.Moved) error {
		if purged[m.Record] {
			late = append(late, m)
		}
		return nil
	})
	for i := 0; i < len(late) && err == nil; i++ {
		var shared bool
		if shared, err = c.shared(ctx, &late[i]); err == nil && !shared {
			err = c.Store.Erase(ctx, late[i].Ref)
		}
		if errors.Is(err, blob.ErrNotFound) {
			err = nil
		}
	}
	return err
}

// shared reports whether the file of an object is that of another one, too: the same object
// that came again.
func (c *Compactor) shared(ctx context.Context, m *record.Moved) (bool, error) {
	path, ok := fsblob.FileOf(m.Ref)
	if !ok {
		return false, nil
	}
	for l, err := range c.Store.Replay(ctx, record.Position{}) {
		if err != nil {
			return false, err
		}
		if l.Envelope.Kind == record.File && l.Envelope.Path == path && l.Envelope.ID != m.Record {
			return true, nil
		}
	}
	return false, nil
}
