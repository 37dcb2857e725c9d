package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"iter"
	"strings"
	"time"

	"gantry/dicom/uid"
	"gantry/internal/archive/index"
	"gantry/internal/archive/index/match"
)

// The first page is short, so that an answer begins at once. Tests change the numbers.
var (
	firstPage = 16
	nextPage  = 256
)

// search is a Search under way.
type search struct {
	x        *Index
	s        *index.Search
	keys     *keys     // of what is wide
	sql      [2]string // before and behind the keyset condition
	args     []any
	after    index.Cursor
	begun    bool
	misses   int
	budget   int
	patience time.Duration // what is left of MaxTime
}

// Search implements index.Index.
func (x *Index) Search(ctx context.Context, s *index.Search) iter.Seq2[*index.Row, error] {
	return func(yield func(*index.Row, error) bool) {
		r, err := x.beginInTime(ctx, s)
		if err != nil || r == nil {
			if err != nil {
				yield(nil, x.tell(err))
			}
			return
		}
		r.run(ctx, yield)
	}
}

// beginInTime is begin in a turn, with the patience of the search: names are looked up in it.
func (x *Index) beginInTime(ctx context.Context, s *index.Search) (*search, error) {
	if s.Turn != nil {
		done, err := s.Turn(ctx)
		if err != nil {
			return nil, err
		}
		defer done()
	}
	if s.MaxTime <= 0 {
		return x.begin(ctx, s)
	}
	limited, stop := context.WithTimeout(ctx, s.MaxTime)
	defer stop()
	r, err := x.begin(limited, s)
	if err != nil && limited.Err() != nil && ctx.Err() == nil {
		err = index.ErrTooBroad
	}
	return r, err
}

// begin compiles a search; nil when nothing can match.
func (x *Index) begin(ctx context.Context, s *index.Search) (*search, error) {
	if s.Offset < 0 || s.Offset > index.MaxOffset {
		return nil, index.ErrOffset
	}
	t, err := tableOf(s.Level, true)
	if err != nil {
		return nil, err
	}
	r := &search{x: x, s: s, budget: s.Budget}
	if r.budget == 0 {
		r.budget = index.DefaultBudget
	}
	r.patience = s.MaxTime
	if s.After != nil {
		r.after, r.begun = *s.After, true
	} else {
		r.after.Feed = x.feed.Load()
	}
	q := &query{}
	q.late.add(t.visible)
	q.late.add(t.alias+".born <= ?", int64(r.after.Feed))
	for i := range s.Where {
		if s.Where[i].Kind == match.Universal {
			continue
		}
		if index.LevelOf(s.Where[i].Tag) > s.Level {
			return nil, nil // a key that no row of this level has
		}
		if err := q.narrow(ctx, x, &s.Where[i], s.Level); err != nil {
			return nil, err
		}
	}
	if err := q.drive(ctx, x, s.Level); err != nil {
		return nil, err
	}
	if !q.byPatient && !s.CountsOfPatient() && !strings.HasPrefix(orderOf(s), "p.") {
		t, err = tableOf(s.Level, false)
	}
	r.compile(t, q)
	return r, err
}

func (r *search) compile(t table, q *query) {
	order, dir := orderOf(r.s), ""
	if r.s.Descending {
		dir = " DESC"
	}
	by := t.alias + ".pk" + dir
	if order != "''" {
		by = order + dir + ", " + by
	}
	if q.wide && len(q.where) > 0 && order == "''" {
		r.keys = r.keysOf(t, q)
		q.conds = conds{[]string{t.alias + ".pk IN (" + unseen(listed) + ")"}, []any{nil}}
	}
	q.addAll(q.late)
	r.sql[0] = fmt.Sprintf("SELECT %s.pk AS k, %s AS o, %s.attrs, %s FROM %s WHERE %s", t.alias, order, t.alias, t.columns, t.from, q.sql())
	r.sql[1] = " ORDER BY " + by
	if r.keys == nil {
		r.sql[1] += unseen(" LIMIT ?")
	}
	if r.keys == nil && !q.few && len(r.s.Where) > 0 {
		r.sql = interruptible(r.sql, "o || ''"+dir+", k + 0"+dir)
	}
	r.args = q.args
}

// interruptible makes a statement look for all its rows before it gives the first one, by
// sorting them once more: the driver ends no later step with its context, and many rows may
// have to be looked at for a few. By is what SQLite does not see to be their order already.
func interruptible(sql [2]string, by string) [2]string {
	return [2]string{"SELECT * FROM (" + sql[0], sql[1] + ") ORDER BY " + by}
}

// keyset returns the condition for rows behind the last one.
func (r *search) keyset() (string, []any) {
	if !r.begun {
		return "", nil
	}
	t, _ := tableOf(r.s.Level, true)
	op := " > "
	if r.s.Descending {
		op = " < "
	}
	if order := orderOf(r.s); order != "''" {
		return unseen(fmt.Sprintf(" AND (%s, %s.pk)%s(?, ?)", order, t.alias, op)), []any{r.after.Value, r.after.ID}
	}
	return unseen(" AND " + t.alias + ".pk" + op + "?"), []any{r.after.ID}
}

func (r *search) run(ctx context.Context, yield func(*index.Row, error) bool) {
	skip, given := r.s.Offset, 0
	for size := firstPage; ; size = nextPage {
		if r.s.Limit > 0 && r.misses == 0 {
			size = min(size, skip+r.s.Limit-given) // no more than will be given
		}
		rows, ended, err := r.page(ctx, size)
		for i, row := range rows {
			row.More = i < len(rows)-1 || ended && err == nil || given+1 == r.s.Limit
			if skip > 0 {
				skip--
				continue
			}
			if !yield(row, nil) {
				return
			}
			if given++; given == r.s.Limit {
				return
			}
		}
		if err != nil {
			yield(nil, r.x.tell(err))
			return
		}
		if ended {
			return
		}
	}
}

// page reads up to n rows and returns those that match, and whether there are no more.
func (r *search) page(ctx context.Context, n int) (out []*index.Row, ended bool, err error) {
	if err := context.Cause(ctx); err != nil {
		return nil, false, err
	}
	if r.s.Turn != nil {
		done, err := r.s.Turn(ctx)
		if err != nil {
			return nil, false, err
		}
		defer done()
	}
	if r.s.MaxTime <= 0 {
		return r.read(ctx, n)
	}
	limited, stop := context.WithTimeout(ctx, r.patience)
	defer stop()
	began, misses := time.Now(), r.misses
	out, ended, err = r.read(limited, n)
	if err != nil && limited.Err() != nil && ctx.Err() == nil {
		return out, false, index.ErrTooBroad
	}
	if misses = r.misses - misses; misses > 0 { // the part of the time in which nothing was found
		r.patience -= time.Since(began) * time.Duration(misses) / time.Duration(misses+len(out))
	}
	return out, ended, err
}

func (r *search) read(ctx context.Context, n int) (out []*index.Row, ended bool, err error) {
	found, ended, err := r.fetch(ctx, n)
	if err != nil {
		return nil, false, err
	}
	for _, f := range found { // with no statement open: a row may look up its base
		row, err := r.finish(ctx, f)
		if err != nil {
			return out, false, err
		}
		if r.s.Matches(row) {
			out = append(out, row)
		} else if r.misses++; r.budget >= 0 && r.misses > r.budget {
			return out, false, index.ErrTooBroad
		}
	}
	return out, ended, nil
}

// fetch reads the next n rows, and tells whether there are no more.
func (r *search) fetch(ctx context.Context, n int) (found []scanned, ended bool, err error) {
	if r.keys != nil {
		return r.fetchKeyed(ctx, n)
	}
	cond, args := r.keyset()
	args = append(append(r.args[:len(r.args):len(r.args)], args...), n)
	found, err = r.rows(ctx, r.sql[0]+cond+r.sql[1], args)
	return found, len(found) < n, err
}

func (r *search) rows(ctx context.Context, q string, args []any) ([]scanned, error) {
	rows, err := r.x.query(ctx, q, args...)
	if err != nil {
		return nil, err
	}
	return r.scanAll(rows)
}

// scanned is a row whose attributes are still packed.
type scanned struct {
	row   *index.Row
	attrs []byte
	base  int64
}

func (r *search) scanAll(rows *sql.Rows) ([]scanned, error) {
	defer rows.Close()
	var out []scanned
	for rows.Next() {
		f, err := r.scan(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, f)
	}
	return out, rows.Err()
}

func (r *search) finish(ctx context.Context, f scanned) (*index.Row, error) {
	raw, err := unpackAttrs(f.attrs, func() ([]byte, error) { return r.x.base(ctx, f.base) })
	if err != nil {
		return nil, err
	}
	f.row.Attrs, err = index.Kept(raw)
	return f.row, err
}

func (r *search) scan(rows *sql.Rows) (scanned, error) {
	row := &index.Row{Level: r.s.Level}
	f := scanned{row: row}
	var modalities, classes string
	c := &row.Counts
	var l *place
	dst := append(make([]any, 0, 32), &row.ID, &row.At.Value, &f.attrs, &c.PatientStudies, &c.PatientSeries, &c.PatientInstances)
	if row.Level >= index.Study {
		dst = append(dst, &c.StudySeries, &c.StudyInstances, &modalities, &classes)
	}
	if row.Level >= index.Series {
		dst = append(dst, &c.SeriesInstances)
	}
	if row.Level == index.Image {
		l = new(place)
		dst = append(append(dst, &f.base), l.dst()...)
	}
	if err := rows.Scan(dst...); err != nil {
		return f, err
	}
	r.begun = true
	row.At.ID, row.At.Feed = row.ID, r.after.Feed
	r.after = row.At
	if l != nil {
		row.Location = l.location()
	}
	row.Modalities = splitSet(modalities)
	for _, u := range splitSet(classes) {
		row.Classes = append(row.Classes, uid.UID(u))
	}
	return f, nil
}

// place takes the columns of places.
type place struct {
	l                          index.Location
	flags, received, hcrc, crc int64
}

func (p *place) dst() []any {
	l := &p.l
	return []any{&l.Record, &l.Class, &l.Instance, &l.Syntax, &l.Study, &l.Series, &l.PatientID, &l.Issuer, &l.Ref,
		&l.Sums.Head, &l.Sums.Data, &p.hcrc, &p.crc, &l.Version, &p.flags, &p.received}
}

func (p *place) location() index.Location {
	l := p.l
	l.Sums.HeadCRC, l.Sums.DataCRC = uint32(p.hcrc), uint32(p.crc)
	l.Current, l.Conflict = p.flags&flagCurrent != 0, p.flags&flagConflict != 0
	l.Hidden, l.Held = p.flags&flagHidden != 0, p.flags&flagHeld != 0
	l.Received = time.Unix(0, p.received).UTC()
	return l
}

// Versions implements index.Index.
func (x *Index) Versions(ctx context.Context, instance uid.UID) ([]index.Location, error) {
	return x.locations(ctx, `i.sop = ? AND (i.flags & 4) = 0 ORDER BY i.flags & 1 DESC, i.version`, string(instance))
}

// Kept implements index.Index.
func (x *Index) Kept(ctx context.Context, instance uid.UID) ([]index.Location, error) {
	return x.locations(ctx, `i.sop = ? ORDER BY i.flags & 1 DESC, i.version`, string(instance))
}

// Held implements index.Holder.
func (x *Index) Held(ctx context.Context, limit int) ([]index.Location, error) {
	return x.locations(ctx, `i.flags & 16 ORDER BY i.pk LIMIT ?`, limit)
}

func (x *Index) locations(ctx context.Context, where string, args ...any) ([]index.Location, error) {
	rows, err := x.query(ctx, "SELECT "+places+" FROM instance i"+upwards+" WHERE "+where, args...)
	if err != nil {
		return nil, x.tell(err)
	}
	defer rows.Close()
	var out []index.Location
	for rows.Next() {
		p := new(place)
		if err := rows.Scan(p.dst()...); err != nil {
			return nil, err
		}
		out = append(out, p.location())
	}
	return out, rows.Err()
}

// Select implements index.Index.
func (x *Index) Select(ctx context.Context, s index.Selector) iter.Seq2[index.Location, error] {
	return x.sel(ctx, s, visible)
}

// SelectKept implements index.Index.
func (x *Index) SelectKept(ctx context.Context, s index.Selector, deleted bool) iter.Seq2[index.Location, error] {
	if deleted {
		return x.sel(ctx, s, "(i.flags & 20) = 4")
	}
	return x.sel(ctx, s, "(i.flags & 4) = 0")
}

func (x *Index) sel(ctx context.Context, s index.Selector, which string) iter.Seq2[index.Location, error] {
	q := &query{}
	q.add(which)
	if len(s.PatientIDs) > 0 {
		q.add("p.id IN (SELECT value FROM json_each(?))", list(s.PatientIDs))
	}
	for _, f := range []struct {
		column string
		uids   []uid.UID
	}{{"st.uid", s.Studies}, {"se.uid", s.Series}, {"i.sop", s.Instances}} {
		if len(f.uids) > 0 {
			q.add(f.column+" IN (SELECT value FROM json_each(?))", list(f.uids))
		}
	}
	if s.Empty() {
		q.add("0")
	}
	return x.stream(ctx, &q.conds, which)
}

// Referrers implements index.Index.
func (x *Index) Referrers(ctx context.Context, instance uid.UID) iter.Seq2[index.Location, error] {
	q := &conds{}
	q.add(visible)
	q.add("i.pk IN (SELECT instance FROM reference WHERE sop = ?)", string(instance))
	return x.stream(ctx, q, visible)
}

// All yields every instance, hidden ones and all versions too, in the order they came in.
// It is for checks of the whole.
func (x *Index) All(ctx context.Context) iter.Seq2[index.Location, error] {
	return func(yield func(index.Location, error) bool) {
		for after := int64(0); ; {
			page, last, err := x.after(ctx, after, nextPage)
			for _, l := range page {
				if !yield(l, nil) {
					return
				}
			}
			if err != nil {
				yield(index.Location{}, x.tell(err))
			}
			if err != nil || len(page) < nextPage {
				return
			}
			after = last
		}
	}
}

// after returns a page of instances behind a key, and the last key.
func (x *Index) after(ctx context.Context, pk int64, n int) (page []index.Location, last int64, err error) {
	rows, err := x.query(ctx, "SELECT i.pk, "+places+" FROM instance i"+upwards+unseen(" WHERE i.pk > ? ORDER BY i.pk LIMIT ?"), pk, n)
	if err != nil {
		return nil, 0, err
	}
	defer rows.Close()
	for rows.Next() {
		p := new(place)
		if err := rows.Scan(append([]any{&last}, p.dst()...)...); err != nil {
			return page, last, err
		}
		page = append(page, p.location())
	}
	return page, last, rows.Err()
}

// stream finds the keys of all instances first, eight bytes each, and then reads the
// instances in pages, so that a slow reader holds no transaction.
func (x *Index) stream(ctx context.Context, q *conds, which string) iter.Seq2[index.Location, error] {
	return func(yield func(index.Location, error) bool) {
		keys, err := x.instances(ctx, q)
		for len(keys) > 0 && err == nil {
			n := min(len(keys), nextPage)
			var page []index.Location
			page, err = x.locations(ctx, "i.pk IN (SELECT value FROM json_each(?)) AND "+which+" ORDER BY i.pk", fmt.Sprint("[", strings.Join(keys[:n], ","), "]"))
			for _, l := range page {
				if !yield(l, nil) {
					return
				}
			}
			keys = keys[n:]
		}
		if err != nil {
			yield(index.Location{}, x.tell(err))
		}
	}
}

func (x *Index) instances(ctx context.Context, q *conds) ([]string, error) {
	rows, err := x.query(ctx, "SELECT i.pk FROM instance i"+upwards+" WHERE "+q.sql()+" ORDER BY i.pk", q.args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []string
	for rows.Next() {
		var pk string
		if err := rows.Scan(&pk); err != nil {
			return nil, err
		}
		out = append(out, pk)
	}
	return out, rows.Err()
}
