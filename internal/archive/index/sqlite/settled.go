package sqlite

import (
	"context"

	"gantry/dicom/uid"
)

// StudySize returns how many series and instances of a study are visible, over all
// patients that have it.
func (x *Index) StudySize(ctx context.Context, study uid.UID) (series, instances int64, err error) {
	err = x.rdb.QueryRowContext(ctx, "SELECT coalesce(sum(series), 0), coalesce(sum(instances), 0) FROM study WHERE uid = ?", string(study)).Scan(&series, &instances)
	return series, instances, x.tell(err)
}

// Told returns up to which change all studies were told of as complete, and for those told
// of further than that, how far.
func (x *Index) Told(ctx context.Context) (uint64, map[uid.UID]uint64, error) {
	var all int64
	if err := x.rdb.QueryRowContext(ctx, "SELECT settled FROM state").Scan(&all); err != nil {
		return 0, nil, x.tell(err)
	}
	rows, err := x.query(ctx, "SELECT study, feed FROM settled")
	if err != nil {
		return 0, nil, x.tell(err)
	}
	defer rows.Close()
	told := map[uid.UID]uint64{}
	for rows.Next() {
		var study string
		var feed int64
		if err := rows.Scan(&study, &feed); err != nil {
			return 0, nil, x.tell(err)
		}
		told[uid.UID(study)] = uint64(feed)
	}
	return uint64(all), told, x.tell(rows.Err())
}

// SetTold notes that a study was told of up to a change, and up to which all were.
func (x *Index) SetTold(ctx context.Context, study uid.UID, feed, all uint64) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.transaction(ctx, func() error {
		if _, err := x.exec(ctx, "INSERT OR REPLACE INTO settled VALUES (?, ?)", string(study), int64(feed)); err != nil {
			return err
		}
		if _, err := x.exec(ctx, "DELETE FROM settled WHERE feed <= ?", int64(all)); err != nil {
			return err
		}
		_, err := x.exec(ctx, "UPDATE state SET settled = ?", int64(all))
		return err
	})
}
