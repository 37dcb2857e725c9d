package sqlite

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"gantry/dicom"
	"gantry/dicom/uid"
	"gantry/internal/archive/index"
	"gantry/internal/archive/record"
)

// maxCached bounds each of the writer's caches.
const maxCached = 512

// cache holds what the writer knows of parents, so that a further instance of a series
// looks nothing up. It is true because there is one writer, and is dropped with every
// transaction that fails.
type cache struct {
	patients map[[2]string]*patient
	studies  map[parentKey]*study
	series   map[parentKey]*series
	words    map[string]int64 // of names
}

type parentKey struct {
	parent int64
	uid    uid.UID
}

type patient struct {
	pk, rep, instances int64
	names              map[string]bool // component groups stored in this run
}

type study struct {
	pk, rep, instances  int64
	patient             *patient
	modalities, classes string
	date, accession     string // of rep
	mixed               bool
}

type series struct {
	pk, rep, instances int64
	modality           string
	study              *study
	basePK             int64
	base               []byte // nil when not looked up, or too large to be kept in memory
}

func (c *cache) clear() { *c = cache{} }

// trim forgets everything when a cache grew too large.
func (c *cache) trim() {
	if len(c.patients) > maxCached || len(c.studies) > maxCached || len(c.series) > maxCached || len(c.words) > 8*maxCached {
		c.clear()
	}
	if c.patients == nil {
		*c = cache{map[[2]string]*patient{}, map[parentKey]*study{}, map[parentKey]*series{}, map[string]int64{}}
	}
}

// delta is what a batch changes in the counters, by primary key.
type delta struct{ patients, studies, series, instances, bytes int64 }

func (d *delta) add(o delta) {
	d.patients, d.studies, d.series = d.patients+o.patients, d.studies+o.studies, d.series+o.series
	d.instances, d.bytes = d.instances+o.instances, d.bytes+o.bytes
}

type batch struct {
	x        *Index
	ctx      context.Context
	state    position
	patients map[int64]delta
	studies  map[int64]delta
	series   map[int64]delta
	total    delta
	rows     int64 // of instances, added
}

// Commit implements index.Index. Records are applied without savepoints first; only when
// one of them fails is the batch applied again, each record in a savepoint of its own.
func (x *Index) Commit(ctx context.Context, entries []index.Entry) ([]index.Outcome, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	var out []index.Outcome
	err := x.commit(ctx, entries, &out, (*batch).apply)
	if data, ok := err.(*dataError); ok {
		err = x.commit(ctx, entries, &out, (*batch).applyAlone)
		if err != nil {
			return nil, fmt.Errorf("index: %w (after %w)", err, data)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("index: %w", err)
	}
	return out, nil
}

// dataError is an error of one record.
type dataError struct{ err error }

func (e *dataError) Error() string { return e.err.Error() }
func (e *dataError) Unwrap() error { return e.err }

func (x *Index) commit(ctx context.Context, entries []index.Entry, out *[]index.Outcome, apply func(*batch, index.Entry) (index.Outcome, error)) error {
	x.cache.trim()
	b := &batch{x: x, ctx: ctx, state: x.state, patients: map[int64]delta{}, studies: map[int64]delta{}, series: map[int64]delta{}}
	*out = make([]index.Outcome, len(entries))
	err := x.apply(ctx, entries, func() (err error) {
		for i := range entries {
			if (*out)[i], err = apply(b, entries[i]); err != nil {
				return err
			}
			if p := entries[i].Stored.Position; p.Compare(b.state.applied) > 0 {
				b.state.applied = p
			}
		}
		return b.finish()
	})
	if err == nil {
		x.state = b.state
		x.feed.Store(b.state.feed)
	}
	return err
}

// finish writes the counters, in the order patient, study, series, and the position.
func (b *batch) finish() error {
	for _, t := range []struct {
		m map[int64]delta
		q string
		f func(d delta, pk int64) []any
	}{
		{b.patients, "UPDATE patient SET studies = studies + ?, series = series + ?, instances = instances + ?, bytes = bytes + ? WHERE pk = ?",
			func(d delta, pk int64) []any { return []any{d.studies, d.series, d.instances, d.bytes, pk} }},
		{b.studies, "UPDATE study SET series = series + ?, instances = instances + ?, bytes = bytes + ? WHERE pk = ?",
			func(d delta, pk int64) []any { return []any{d.series, d.instances, d.bytes, pk} }},
		{b.series, "UPDATE series SET instances = instances + ?, bytes = bytes + ? WHERE pk = ?",
			func(d delta, pk int64) []any { return []any{d.instances, d.bytes, pk} }},
	} {
		for _, pk := range slices.Sorted(maps.Keys(t.m)) {
			if t.m[pk] == (delta{}) {
				continue
			}
			if _, err := b.x.exec(b.ctx, t.q, t.f(t.m[pk], pk)...); err != nil {
				return err
			}
		}
	}
	d := b.total
	_, err := b.x.exec(b.ctx, `UPDATE state SET segment = ?, offset = ?, feed = ?, patients = patients + ?, studies = studies + ?,
		series = series + ?, instances = instances + ?, bytes = bytes + ?, versions = versions + ?`,
		int64(b.state.applied.Segment), b.state.applied.Offset, int64(b.state.feed), d.patients, d.studies, d.series, d.instances, d.bytes, b.rows)
	b.total, b.rows = delta{}, 0
	return err
}

// applyAlone applies a record in a savepoint and quarantines it when that fails.
func (b *batch) applyAlone(e index.Entry) (index.Outcome, error) {
	if _, err := b.x.exec(b.ctx, "SAVEPOINT one"); err != nil {
		return index.Outcome{}, err
	}
	before := *b
	before.patients, before.studies, before.series = maps.Clone(b.patients), maps.Clone(b.studies), maps.Clone(b.series)
	out, err := b.apply(e)
	if err == nil {
		_, err = b.x.exec(b.ctx, "RELEASE one")
		return out, err
	}
	if _, err := b.x.exec(b.ctx, "ROLLBACK TO one"); err != nil {
		return out, err
	}
	b.x.cache.clear()
	b.x.cache.trim()
	*b = before
	e.Fault = err
	return b.quarantine(e)
}

func (b *batch) apply(e index.Entry) (index.Outcome, error) {
	var out index.Outcome
	var err error
	switch {
	case e.Fault != nil:
		return b.quarantine(e)
	case e.Envelope.Kind.HasObject():
		out, err = b.add(&e)
	case e.Envelope.Kind == record.Delete, e.Envelope.Kind == record.Restore, e.Envelope.Kind == record.Purge:
		out, err = b.mark(&e)
	case e.Envelope.Kind == record.Note:
		err = b.fact(&e.Envelope)
	}
	if err != nil && b.ctx.Err() == nil && !isEnvironment(err) {
		err = &dataError{err}
	}
	return out, err
}

// isEnvironment tells errors of the disk or the machine from those of a record.
func isEnvironment(err error) bool {
	c, ok := err.(interface{ Code() int })
	if !ok {
		return false
	}
	switch c.Code() & 0xFF {
	case 19, 20, 18, 1: // CONSTRAINT, MISMATCH, TOOBIG, ERROR
		return false
	}
	return true // FULL, IOERR, BUSY, CORRUPT, NOMEM ...
}

func (b *batch) quarantine(e index.Entry) (index.Outcome, error) {
	env, err := e.Envelope.Marshal()
	if err != nil {
		env = []byte("{}")
	}
	p := e.Stored.Position
	reason := strings.ToValidUTF8(e.Fault.Error(), "?")
	_, err = b.x.exec(b.ctx, "INSERT OR REPLACE INTO quarantine VALUES (?, ?, ?, ?, ?)", string(e.Envelope.ID), int64(p.Segment), p.Offset, reason, env)
	return index.Outcome{Problem: e.Fault}, err
}

// version is what is known of an instance's versions.
type versions struct {
	top        int
	taken      bool
	known      bool
	currentPK  int64
	currentSer int64
}

func (b *batch) versions(e *index.Entry) (versions, error) {
	var v versions
	s, err := b.x.stmt(b.ctx, "SELECT pk, series, version, flags, record FROM instance WHERE sop = ?")
	if err != nil {
		return v, err
	}
	rows, err := s.QueryContext(b.ctx, string(e.Envelope.Instance))
	if err != nil {
		return v, err
	}
	defer rows.Close()
	for rows.Next() {
		var pk, ser, flags int64
		var n int
		var rec string
		if err := rows.Scan(&pk, &ser, &n, &flags, &rec); err != nil {
			return v, err
		}
		v.known = v.known || rec == string(e.Envelope.ID)
		v.taken = v.taken || n == e.Envelope.Number
		v.top = max(v.top, n)
		if flags&flagCurrent != 0 {
			v.currentPK, v.currentSer = pk, ser
		}
	}
	return v, rows.Err()
}

// add applies a put or file record.
func (b *batch) add(e *index.Entry) (index.Outcome, error) {
	env := &e.Envelope
	env.Number = max(env.Number, 1)
	v, err := b.versions(e)
	if err != nil || v.known {
		return index.Outcome{Known: v.known}, err
	}
	if v.taken {
		env.Number, env.Conflict, env.Current = v.top+1, true, false
	}
	if v.currentPK == 0 {
		env.Current = true
	}
	b.state.feed++
	se, err := b.parents(e)
	if err != nil {
		return index.Outcome{}, err
	}
	if env.Current && v.currentPK != 0 {
		if err := b.flag(v.currentPK, func(f int64) int64 { return f &^ flagCurrent }); err != nil {
			return index.Outcome{}, err
		}
		if se, err = b.parents(e); err != nil { // flag has changed what is known of them
			return index.Outcome{}, err
		}
	}
	isNew := se.study.instances == 0
	pk, err := b.insert(e, se)
	if err != nil {
		return index.Outcome{}, err
	}
	if env.Current {
		if err := b.count(se, pk, e); err != nil {
			return index.Outcome{}, err
		}
	}
	if err := b.mix(se, e); err != nil {
		return index.Outcome{}, err
	}
	if env.Held { // within the transaction: nobody sees it before
		if err := b.flag(pk, func(f int64) int64 { return f | flagHidden | flagHeld }); err != nil {
			return index.Outcome{}, err
		}
	}
	return index.Outcome{Feed: b.state.feed}, b.change(e, env, pk, isNew)
}

func flagsOf(env *record.Envelope) (f int64) {
	if env.Current {
		f |= flagCurrent
	}
	if env.Conflict {
		f |= flagConflict
	}
	return f
}

func (b *batch) insert(e *index.Entry, se *series) (int64, error) {
	env, sums := &e.Envelope, e.Stored.Sums
	attrs, err := b.packAttrs(se, e.Attrs)
	if err != nil {
		return 0, err
	}
	res, err := b.x.exec(b.ctx, `INSERT INTO instance (series, sop, version, flags, class, syntax, number, ref, head, size, head_crc, crc, record, received, born, attrs)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		se.pk, string(env.Instance), env.Number, flagsOf(env), string(env.Class), string(env.Syntax), e.Number, string(e.Stored.Ref),
		sums.Head, sums.Data, int64(sums.HeadCRC), int64(sums.DataCRC), string(env.ID), env.Received.UnixNano(), int64(b.state.feed), attrs)
	if err != nil {
		return 0, err
	}
	pk, err := res.LastInsertId()
	if err != nil {
		return 0, err
	}
	b.rows++
	if err := b.addExtras(pk, func() (*dicom.DataSet, error) { return index.Kept(e.Attrs) }); err != nil {
		return 0, err
	}
	for _, u := range e.References {
		if _, err := b.x.exec(b.ctx, "INSERT OR IGNORE INTO reference VALUES (?, ?)", string(u), pk); err != nil {
			return 0, err
		}
	}
	return pk, nil
}

// count adds a current instance to its parents; the first one gives them their columns.
func (b *batch) count(se *series, pk int64, e *index.Entry) error {
	st, p := se.study, se.study.patient
	if err := b.represent(se, pk, e); err != nil {
		return err
	}
	d := delta{instances: 1, bytes: e.Stored.Sums.Data}
	if se.instances++; se.instances == 1 {
		d.series = 1
	}
	if st.instances++; st.instances == 1 {
		d.studies = 1
	}
	if p.instances++; p.instances == 1 {
		d.patients = 1
	}
	b.addDelta(p.pk, st.pk, se.pk, d)
	return b.sets(se, e)
}

func (b *batch) addDelta(p, st, se int64, d delta) {
	add := func(m map[int64]delta, pk int64) {
		o := m[pk]
		o.add(d)
		m[pk] = o
	}
	b.total.add(d)
	add(b.patients, p)
	add(b.studies, st)
	add(b.series, se)
}

// sets adds to the modalities and SOP classes of a study. The series decides on the
// modality, not the instance.
func (b *batch) sets(se *series, e *index.Entry) error {
	st := se.study
	m, c := addToSet(st.modalities, se.modality), addToSet(st.classes, string(e.Class))
	if m == st.modalities && c == st.classes {
		return nil
	}
	st.modalities, st.classes = m, c
	_, err := b.x.exec(b.ctx, "UPDATE study SET modalities = ?, classes = ? WHERE pk = ?", m, c, st.pk)
	return err
}

// addToSet adds to sorted values joined by backslashes.
func addToSet(set, v string) string {
	if v == "" {
		return set
	}
	if set == "" {
		return v
	}
	l := strings.Split(set, `\`)
	i, ok := slices.BinarySearch(l, v)
	if ok {
		return set
	}
	return strings.Join(slices.Insert(l, i, v), `\`)
}

func splitSet(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(s, `\`)
}

func (b *batch) change(e *index.Entry, env *record.Envelope, pk int64, isNew bool) error {
	f := flagsOf(&e.Envelope) & flagConflict
	if isNew {
		f |= flagNew
	}
	o := &e.Envelope
	_, err := b.x.exec(b.ctx, "INSERT INTO change VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", int64(b.state.feed), string(env.Kind), pk, string(o.ID),
		string(o.Instance), string(o.Study), string(o.Series), env.Received.UnixNano(), f)
	return err
}
