package sqlite

import (
	"context"

	"gantry/internal/archive/record"
)

// Generations returns in which generation of each rewritten segment the index knows the
// objects.
func (x *Index) Generations(ctx context.Context) (map[uint64]uint32, error) {
	rows, err := x.rdb.QueryContext(ctx, "SELECT segment, generation FROM generation")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := map[uint64]uint32{}
	for rows.Next() {
		var segment, generation int64
		if err := rows.Scan(&segment, &generation); err != nil {
			return nil, err
		}
		out[uint64(segment)] = uint32(generation)
	}
	return out, rows.Err()
}

// perRelocation is how many objects are given new places in one transaction, so that what
// is stored meanwhile does not wait long.
const perRelocation = 256

// Relocate notes where the objects of a segment's generation are. Those that the index does
// not know are left out. When it fails in the middle it is to be repeated.
func (x *Index) Relocate(ctx context.Context, segment uint64, generation uint32, moved []record.Moved) error {
	for len(moved) > 0 {
		n := min(len(moved), perRelocation)
		if err := x.relocate(ctx, moved[:n]); err != nil {
			return err
		}
		moved = moved[n:]
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.transaction(ctx, func() error {
		_, err := x.exec(ctx, "INSERT OR REPLACE INTO generation VALUES (?, ?)", int64(segment), int64(generation))
		return err
	})
}

func (x *Index) relocate(ctx context.Context, moved []record.Moved) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.transaction(ctx, func() error {
		for _, m := range moved {
			if _, err := x.exec(ctx, "UPDATE instance SET ref = ? WHERE sop = ? AND record = ?", string(m.Ref), string(m.Instance), string(m.Record)); err != nil {
				return err
			}
		}
		return nil
	})
}
