package sqlite

import (
	"context"
	"strconv"

	"gantry/internal/archive/index"
)

// A wide search looks for the keys of its rows first, in the order of the answer: from
// indexes alone, and many at a time. The rows are then read by their keys, page by page.
// Tests change the numbers.
var (
	firstKeys = 1024
	mostKeys  = 1 << 15
)

// keys are those of the rows of a wide search.
type keys struct {
	sql   [3]string // before and behind what says behind which key, and that
	args  []any
	found []int64
	size  int  // of the next lot
	ended bool // there are no more than those found
	last  int64
}

// keysOf compiles what indexes tell. It sorts by an expression, so that all the looking is
// done in the first step, see interruptible.
func (r *search) keysOf(t table, q *query) *keys {
	from, op, dir := t.from, " > ", ""
	if !q.byPatient && r.s.Level == index.Study {
		from = "study st"
	}
	if r.s.Descending {
		op, dir = " < ", " DESC"
	}
	pk := t.alias + ".pk"
	k := &keys{args: q.args, size: firstKeys, last: r.after.ID}
	k.sql = [3]string{"SELECT " + pk + " FROM " + from + " WHERE " + q.sql(), unseen(" ORDER BY " + pk + " + 0" + dir + " LIMIT ?"), unseen(" AND " + pk + op + "?")}
	return k
}

// fetchKeyed reads the rows of the next n keys.
func (r *search) fetchKeyed(ctx context.Context, n int) (found []scanned, ended bool, err error) {
	k := r.keys
	for len(k.found) < n && !k.ended {
		if err := r.moreKeys(ctx); err != nil {
			return nil, false, err
		}
	}
	n = min(n, len(k.found))
	if n > 0 {
		args := append([]any(nil), r.args...)
		args[0] = listOfKeys(k.found[:n])
		if found, err = r.rows(ctx, r.sql[0]+r.sql[1], args); err != nil {
			return nil, false, err
		}
		k.found = k.found[n:]
	}
	return found, k.ended && len(k.found) == 0, nil
}

func (r *search) moreKeys(ctx context.Context) error {
	k := r.keys
	q, args := k.sql[0], k.args[:len(k.args):len(k.args)]
	if r.begun {
		q, args = q+k.sql[2], append(args, k.last)
	}
	rows, err := r.x.query(ctx, q+k.sql[1], append(args, k.size)...)
	if err != nil {
		return err
	}
	defer rows.Close()
	n := 0
	for ; rows.Next(); n++ {
		if err := rows.Scan(&k.last); err != nil {
			return err
		}
		k.found = append(k.found, k.last)
	}
	k.ended, k.size, r.begun = n < k.size, min(8*k.size, mostKeys), true
	return rows.Err()
}

func listOfKeys(keys []int64) string {
	b := []byte{'['}
	for i, k := range keys {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(b, k, 10)
	}
	return string(append(b, ']'))
}
