package sqlite

import (
	"context"
	"time"

	"gantry/internal/archive/index"
)

// Age adds to the time that servers ran over this archive, and returns it. It is what undo
// windows are measured in: no wrong clock can make it pass.
func (x *Index) Age(ctx context.Context, more time.Duration) (time.Duration, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	var ran int64
	err := x.transaction(ctx, func() error {
		if _, err := x.exec(ctx, "UPDATE state SET ran = ran + ?", int64(max(more, 0))); err != nil {
			return err
		}
		_, err := x.row(ctx, "SELECT ran FROM state", nil, &ran)
		return err
	})
	return time.Duration(ran), err
}

// Due returns deleted instances whose deletion was applied at an Age of at most age, and
// whose record is no younger than day or, by a clock that was wrong, lies behind now.
func (x *Index) Due(ctx context.Context, age time.Duration, day, now time.Time, limit int) ([]index.Location, error) {
	return x.locations(ctx, `i.pk IN (SELECT instance FROM deleted WHERE since <= ? AND (at <= ? OR at > ?) LIMIT ?)`,
		int64(age), day.UnixNano(), now.UnixNano(), limit)
}

// Deleted returns the deleted instances summed up by study, the last one first.
func (x *Index) Deleted(ctx context.Context, limit int) ([]index.Deleted, error) {
	rows, err := x.query(ctx, `SELECT st.uid, count(DISTINCT i.sop), count(*), sum(i.size), max(d.at), max(d.since), (SELECT ran FROM state)
		FROM deleted d JOIN instance i ON i.pk = d.instance JOIN series se ON se.pk = i.series JOIN study st ON st.pk = se.study
		GROUP BY st.pk ORDER BY max(d.at) DESC, st.pk LIMIT `+unseen("?"), limit)
	if err != nil {
		return nil, x.tell(err)
	}
	defer rows.Close()
	var out []index.Deleted
	for rows.Next() {
		var d index.Deleted
		var at, since, ran int64
		if err := rows.Scan((*string)(&d.Study), &d.Instances, &d.Versions, &d.Bytes, &at, &since, &ran); err != nil {
			return nil, x.tell(err)
		}
		d.At, d.Ran = time.Unix(0, at).UTC(), time.Duration(ran-since)
		out = append(out, d)
	}
	return out, x.tell(rows.Err())
}

// Waiting returns how many instances wait for their purge.
func (x *Index) Waiting(ctx context.Context) (n int64, err error) {
	err = x.rdb.QueryRowContext(ctx, "SELECT count(*) FROM deleted").Scan(&n)
	return n, x.tell(err)
}
