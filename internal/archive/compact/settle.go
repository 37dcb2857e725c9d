package compact

import (
	"context"
	"errors"
	"fmt"

	"gantry/internal/archive/blob"
	"gantry/internal/archive/blob/fsblob"
	"gantry/internal/archive/index"
	"gantry/internal/archive/record"
)

// Store is the part of an object store that is needed.
type Store interface {
	Rewrite(ctx context.Context, segment uint64, o fsblob.Rewriting) (fsblob.Rewritten, error)
	Misplaced(*record.Logged) bool
	Moves(ctx context.Context, segment uint64, yield func(record.Moved) error) error
	Generations() (last map[uint64]uint32, older map[uint64]bool, err error)
	Retire(ctx context.Context, segment uint64) error
	Erase(context.Context, record.Ref) error
	replayer
}

// Index is the part of an index that is needed.
type Index interface {
	State(context.Context) (index.State, error)
	Generations(context.Context) (map[uint64]uint32, error)
	Relocate(ctx context.Context, segment uint64, generation uint32, moved []record.Moved) error
}

// Settle tells the index of the segments that were rewritten since, before a crash or behind
// the back of an older copy of it. Nobody may be at work on the two. What the segments were
// rewritten from is left to a Compactor: its objects may have been purged meanwhile.
func Settle(ctx context.Context, s Store, x Index) error {
	last, _, err := s.Generations()
	if err != nil {
		return err
	}
	known, err := x.Generations(ctx)
	if err != nil {
		return err
	}
	for n := range known { // a segment may have been put back as it was before
		if _, ok := last[n]; !ok {
			last[n] = 0
		}
	}
	for n, g := range last {
		if known[n] == g {
			continue
		}
		if err := relocate(ctx, s, x, n, g, nil); err != nil && !(g == 0 && errors.Is(err, blob.ErrNotFound)) {
			return fmt.Errorf("rewritten segment %d: %w", n, err)
		}
	}
	return nil
}

// relocate tells the index where the objects of a segment are; see hears of each first.
func relocate(ctx context.Context, s Store, x Index, segment uint64, generation uint32, see func(record.Moved)) error {
	var moved []record.Moved
	err := s.Moves(ctx, segment, func(m record.Moved) error {
		moved = append(moved, m)
		if see != nil {
			see(m)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return x.Relocate(ctx, segment, generation, moved)
}
