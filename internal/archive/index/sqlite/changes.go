package sqlite

import (
	"context"
	"iter"
	"time"

	"gantry/internal/archive/index"
)

// Changes implements index.Index.
func (x *Index) Changes(ctx context.Context, after uint64) iter.Seq2[index.Change, error] {
	return func(yield func(index.Change, error) bool) {
		for {
			page, err := x.changes(ctx, after)
			for _, c := range page {
				if !yield(c, nil) {
					return
				}
				after = c.Number
			}
			if err != nil {
				yield(index.Change{}, x.tell(err))
				return
			}
			if len(page) < nextPage {
				return
			}
		}
	}
}

func (x *Index) changes(ctx context.Context, after uint64) ([]index.Change, error) {
	rows, err := x.query(ctx, "SELECT number, kind, record, sop, study, series, at, flags FROM change WHERE number > ? ORDER BY number LIMIT ?", int64(after), nextPage)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []index.Change
	for rows.Next() {
		var c index.Change
		var number, at, flags int64
		if err := rows.Scan(&number, &c.Kind, &c.Record, &c.Instance, &c.Study, &c.Series, &at, &flags); err != nil {
			return nil, err
		}
		c.Number, c.At = uint64(number), time.Unix(0, at).UTC()
		c.New, c.Conflict = flags&flagNew != 0, flags&flagConflict != 0
		out = append(out, c)
	}
	return out, rows.Err()
}
