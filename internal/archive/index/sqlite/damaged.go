package sqlite

import (
	"context"
	"time"

	"gantry/internal/archive/index"
)

// After returns up to n instances behind a key, hidden ones and all versions too, and the
// last one's key.
func (x *Index) After(ctx context.Context, key int64, n int) (page []index.Location, last int64, err error) {
	page, last, err = x.after(ctx, key, n)
	return page, last, x.tell(err)
}

// Scrub returns up to where the stored bytes were read again, and when the last round over
// all of them ended.
func (x *Index) Scrub(ctx context.Context) (key int64, ended time.Time, err error) {
	var ns int64
	err = x.rdb.QueryRowContext(ctx, "SELECT scrub, scrubbed FROM state").Scan(&key, &ns)
	return key, time.Unix(0, ns), x.tell(err)
}

// SetScrub notes it.
func (x *Index) SetScrub(ctx context.Context, key int64, ended time.Time) error {
	return x.one(ctx, "UPDATE state SET scrub = ?, scrubbed = ?", key, ended.UnixNano())
}

// SetDamaged notes that an instance's bytes are not those that came.
func (x *Index) SetDamaged(ctx context.Context, l *index.Location, reason string, now time.Time) error {
	return x.one(ctx, "INSERT OR REPLACE INTO damaged SELECT pk, ?, ? FROM instance WHERE sop = ? AND record = ?",
		now.UnixNano(), reason, string(l.Instance), string(l.Record))
}

// SetMended notes that they are right again.
func (x *Index) SetMended(ctx context.Context, l *index.Location) error {
	return x.one(ctx, "DELETE FROM damaged WHERE instance = (SELECT pk FROM instance WHERE sop = ? AND record = ?)", string(l.Instance), string(l.Record))
}

func (x *Index) one(ctx context.Context, q string, args ...any) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.transaction(ctx, func() error {
		_, err := x.exec(ctx, q, args...)
		return err
	})
}

// Damaged returns what SetDamaged noted, in the order of the instances.
func (x *Index) Damaged(ctx context.Context, limit int) ([]index.Damaged, error) {
	rows, err := x.query(ctx, "SELECT d.found, d.reason, "+places+" FROM damaged d CROSS JOIN instance i ON i.pk = d.instance"+upwards+unseen(" ORDER BY d.instance LIMIT ?"), limit)
	if err != nil {
		return nil, x.tell(err)
	}
	defer rows.Close()
	var out []index.Damaged
	for rows.Next() {
		var d index.Damaged
		var found int64
		p := new(place)
		if err := rows.Scan(append([]any{&found, &d.Reason}, p.dst()...)...); err != nil {
			return nil, x.tell(err)
		}
		d.Location, d.Found = p.location(), time.Unix(0, found).UTC()
		out = append(out, d)
	}
	return out, x.tell(rows.Err())
}
