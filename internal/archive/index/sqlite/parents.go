package sqlite

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"gantry/dicom"
	"gantry/internal/archive/index"
	"gantry/internal/archive/index/match"
	"gantry/internal/archive/record"
)

// parents finds or makes the patient, the study and the series of an entry.
func (b *batch) parents(e *index.Entry) (*series, error) {
	p, err := b.patient(e)
	if err != nil {
		return nil, err
	}
	st, err := b.study(e, p)
	if err != nil {
		return nil, err
	}
	return b.seriesOf(e, st)
}

func (b *batch) patient(e *index.Entry) (*patient, error) {
	key := [2]string{e.Envelope.Issuer, e.Envelope.PatientID}
	p := b.x.cache.patients[key]
	if p == nil {
		p = &patient{names: map[string]bool{}}
		found, err := b.x.row(b.ctx, "SELECT pk, rep, instances FROM patient WHERE issuer = ? AND id = ?", []any{key[0], key[1]}, &p.pk, &p.rep, &p.instances)
		if err != nil {
			return nil, err
		}
		if !found {
			if p.pk, err = b.create("INSERT INTO patient (issuer, id, born) VALUES (?, ?, ?)", key[0], key[1], int64(b.state.feed)); err != nil {
				return nil, err
			}
		} else if d, ok := b.patients[p.pk]; ok {
			p.instances += d.instances // counted, but not yet written
		}
		b.x.cache.patients[key] = p
	}
	for _, n := range e.Names {
		if p.names[n] {
			continue
		}
		if err := b.addName(n, p.pk); err != nil {
			return nil, err
		}
		if len(p.names) < maxCached {
			p.names[n] = true
		}
	}
	return p, nil
}

func (b *batch) create(q string, args ...any) (int64, error) {
	res, err := b.x.exec(b.ctx, q, args...)
	if err != nil {
		return 0, err
	}
	return res.LastInsertId()
}

func (b *batch) study(e *index.Entry, p *patient) (*study, error) {
	key := parentKey{p.pk, e.Envelope.Study}
	if st := b.x.cache.studies[key]; st != nil {
		return st, nil
	}
	st := &study{patient: p}
	found, err := b.x.row(b.ctx, "SELECT pk, rep, instances, modalities, classes, moment, accession, mixed FROM study WHERE uid = ? AND patient = ?",
		[]any{string(key.uid), p.pk}, &st.pk, &st.rep, &st.instances, &st.modalities, &st.classes, &st.date, &st.accession, &st.mixed)
	if err != nil {
		return nil, err
	}
	st.date, _, _ = strings.Cut(st.date, " ")
	if !found {
		if st.pk, err = b.create("INSERT INTO study (patient, uid, born) VALUES (?, ?, ?)", p.pk, string(key.uid), int64(b.state.feed)); err != nil {
			return nil, err
		}
	} else if d, ok := b.studies[st.pk]; ok {
		st.instances += d.instances
	}
	b.x.cache.studies[key] = st
	return st, nil
}

func (b *batch) seriesOf(e *index.Entry, st *study) (*series, error) {
	key := parentKey{st.pk, e.Envelope.Series}
	if se := b.x.cache.series[key]; se != nil {
		return se, nil
	}
	se := &series{study: st}
	found, err := b.x.row(b.ctx, "SELECT pk, rep, instances, modality, base FROM series WHERE uid = ? AND study = ?",
		[]any{string(key.uid), st.pk}, &se.pk, &se.rep, &se.instances, &se.modality, &se.basePK)
	if err != nil {
		return nil, err
	}
	if !found {
		if se.pk, err = b.create("INSERT INTO series (study, uid, born) VALUES (?, ?, ?)", st.pk, string(key.uid), int64(b.state.feed)); err != nil {
			return nil, err
		}
	} else if d, ok := b.series[se.pk]; ok {
		se.instances += d.instances
	}
	b.x.cache.series[key] = se
	return se, nil
}

// mark applies a delete, restore or purge record.
func (b *batch) mark(e *index.Entry) (index.Outcome, error) {
	env := &e.Envelope
	var pk, flags int64
	of := index.Entry{}
	o := &of.Envelope
	found, err := b.x.row(b.ctx, `SELECT i.pk, i.flags, i.record, i.sop, st.uid, se.uid FROM instance i JOIN series se ON se.pk = i.series JOIN study st ON st.pk = se.study
		WHERE i.sop = ? AND i.record = ?`, []any{string(env.Instance), string(env.Of)}, &pk, &flags, &o.ID, &o.Instance, &o.Study, &o.Series)
	if err != nil || !found {
		return index.Outcome{Known: true}, err
	}
	o.Conflict = flags&flagConflict != 0
	b.state.feed++
	switch env.Kind {
	case record.Delete:
		err = b.hide(pk, flags, env.Received)
	case record.Restore:
		err = b.unhide(pk)
	default:
		err = b.purge(pk)
	}
	if err != nil {
		return index.Outcome{}, err
	}
	return index.Outcome{Feed: b.state.feed}, b.change(&of, env, pk, false)
}

func (b *batch) purge(pk int64) error {
	if err := b.flag(pk, func(f int64) int64 { return f | flagHidden }); err != nil {
		return err
	}
	next, err := b.heir(pk)
	if err != nil {
		return err
	}
	for _, q := range []string{"DELETE FROM reference WHERE instance = ?", "DELETE FROM deleted WHERE instance = ?", "DELETE FROM damaged WHERE instance = ?", "DELETE FROM extra WHERE instance = ?", "DELETE FROM instance WHERE pk = ?"} {
		if _, err := b.x.exec(b.ctx, q, pk); err != nil {
			return err
		}
	}
	b.rows--
	if next == 0 {
		return nil
	}
	return b.flag(next, func(f int64) int64 { return f | flagCurrent })
}

// heir returns the version that becomes current when a current one is purged, 0 for none:
// see index.Heir.
func (b *batch) heir(pk int64) (next int64, err error) {
	_, err = b.x.row(b.ctx, `SELECT o.pk FROM instance i JOIN instance o ON o.sop = i.sop AND o.pk <> i.pk WHERE i.pk = ? AND i.flags & 1
		ORDER BY o.flags & 4, o.flags & 16, o.version > i.version, abs(o.version - i.version) LIMIT 1`, []any{pk}, &next)
	return next, err
}

// hide marks an instance as deleted. One that is deleted already keeps its day, one that
// is held stays so.
func (b *batch) hide(pk, flags int64, at time.Time) error {
	if flags&flagHidden != 0 {
		return nil
	}
	if _, err := b.x.exec(b.ctx, "INSERT OR REPLACE INTO deleted SELECT ?, ?, ran FROM state", pk, at.UnixNano()); err != nil {
		return err
	}
	return b.flag(pk, func(f int64) int64 { return f | flagHidden })
}

func (b *batch) unhide(pk int64) error {
	if _, err := b.x.exec(b.ctx, "DELETE FROM deleted WHERE instance = ?", pk); err != nil {
		return err
	}
	return b.flag(pk, func(f int64) int64 { return f &^ (flagHidden | flagHeld) })
}

// flag changes the flags of an instance and what its parents count and show. It is rare,
// so it looks everything up again rather than keeping the caches in step.
func (b *batch) flag(pk int64, change func(int64) int64) error {
	if err := b.flush(); err != nil {
		return err
	}
	var flags, size, se, st, p int64
	if _, err := b.x.row(b.ctx, `SELECT i.flags, i.size, se.pk, st.pk, st.patient FROM instance i JOIN series se ON se.pk = i.series
		JOIN study st ON st.pk = se.study WHERE i.pk = ?`, []any{pk}, &flags, &size, &se, &st, &p); err != nil {
		return err
	}
	after := change(flags)
	if _, err := b.x.exec(b.ctx, "UPDATE instance SET flags = ? WHERE pk = ?", after, pk); err != nil {
		return err
	}
	sign := seen(after) - seen(flags)
	if sign == 0 {
		return nil
	}
	return b.recount(p, st, se, sign, size)
}

func seen(flags int64) int64 {
	if flags&(flagCurrent|flagHidden) == flagCurrent {
		return 1
	}
	return 0
}

// flush writes the counters so far and forgets the caches.
func (b *batch) flush() error {
	if err := b.finish(); err != nil {
		return err
	}
	clear(b.patients)
	clear(b.studies)
	clear(b.series)
	b.x.cache.clear()
	b.x.cache.trim()
	return nil
}

// recount adds or takes one instance from its parents.
func (b *batch) recount(p, st, se, sign, size int64) error {
	var inSeries, inStudy, inPatient int64
	for _, t := range []struct {
		name string
		pk   int64
		n    *int64
	}{{"series", se, &inSeries}, {"study", st, &inStudy}, {"patient", p, &inPatient}} {
		if _, err := b.x.row(b.ctx, "SELECT instances FROM "+t.name+" WHERE pk = ?", []any{t.pk}, t.n); err != nil {
			return err
		}
	}
	d := delta{instances: sign, bytes: sign * size}
	if inSeries == 0 || inSeries+sign == 0 {
		d.series = sign
	}
	if inStudy == 0 || inStudy+sign == 0 {
		d.studies = sign
	}
	if inPatient == 0 || inPatient+sign == 0 {
		d.patients = sign
	}
	b.addDelta(p, st, se, d)
	if err := b.flush(); err != nil {
		return err
	}
	return errors.Join(b.elect("series", se), b.elect("study", st), b.elect("patient", p), b.recomputeSets(&study{pk: st}))
}

// elect chooses the instance that stands for an entity anew: the first visible one.
func (b *batch) elect(table string, pk int64) error {
	from := map[string]string{
		"series":  "instance i WHERE i.series = ?",
		"study":   "instance i JOIN series se ON se.pk = i.series WHERE se.study = ?",
		"patient": "instance i JOIN series se ON se.pk = i.series JOIN study st ON st.pk = se.study WHERE st.patient = ?",
	}[table]
	var rep, base int64
	var attrs []byte
	found, err := b.x.row(b.ctx, "SELECT i.pk, i.attrs, (SELECT base FROM series WHERE pk = i.series) FROM "+from+" AND "+visible+" ORDER BY i.pk LIMIT 1", []any{pk}, &rep, &attrs, &base)
	if err != nil {
		return err
	}
	if !found {
		_, err := b.x.exec(b.ctx, "UPDATE "+table+" SET rep = 0 WHERE pk = ?", pk)
		return err
	}
	raw, err := unpackAttrs(attrs, func() ([]byte, error) { return b.loadBase(base) })
	if err != nil {
		return err
	}
	ds, err := index.Kept(raw)
	if err != nil {
		return err
	}
	e, err := index.EntryOf(ds, record.Envelope{}, record.Stored{})
	if err != nil {
		return fmt.Errorf("kept attributes: %w", err)
	}
	return b.represents(table, pk, rep, &e, ds)
}

// represents makes an instance the one that an entity is known by.
func (b *batch) represents(table string, pk, rep int64, e *index.Entry, ds *dicom.DataSet) error {
	level := map[string]index.Level{"series": index.Series, "study": index.Study, "patient": index.Patient}[table]
	attrs, err := index.KeptOf(ds, level)
	if err == nil {
		attrs, err = index.Pack(attrs)
	}
	if err != nil {
		return err
	}
	if err := b.remix(level, pk, e); err != nil {
		return err
	}
	q, args := "UPDATE series SET rep = ?, modality = ?, number = ?, attrs = ? WHERE pk = ?", []any{rep, e.Modality, e.SeriesNumber, attrs, pk}
	switch level {
	case index.Study:
		q, args = "UPDATE study SET rep = ?, moment = ?, accession = ?, attrs = ? WHERE pk = ?", []any{rep, e.Moment(), e.Accession, attrs, pk}
	case index.Patient:
		q, args = "UPDATE patient SET rep = ?, name = ?, attrs = ? WHERE pk = ?", []any{rep, match.FoldName(e.Name)[0], attrs, pk}
	}
	_, err = b.x.exec(b.ctx, q, args...)
	return err
}

// represent makes an instance the one that stands for those parents that have none.
func (b *batch) represent(se *series, pk int64, e *index.Entry) error {
	st, p := se.study, se.study.patient
	if se.rep != 0 && st.rep != 0 && p.rep != 0 {
		return nil
	}
	ds, err := index.Kept(e.Attrs)
	if err != nil {
		return err
	}
	for _, t := range []struct {
		table string
		pk    int64
		rep   *int64
	}{{"series", se.pk, &se.rep}, {"study", st.pk, &st.rep}, {"patient", p.pk, &p.rep}} {
		if *t.rep != 0 {
			continue
		}
		*t.rep = pk
		switch t.table {
		case "series":
			se.modality = e.Modality
		case "study":
			st.date, st.accession = e.StudyDate, e.Accession
		}
		if err := b.represents(t.table, t.pk, pk, e, ds); err != nil {
			return err
		}
	}
	return nil
}

// recomputeSets collects the modalities and SOP classes of a study.
func (b *batch) recomputeSets(st *study) error {
	st.modalities, st.classes = "", ""
	rows, err := b.x.w.QueryContext(b.ctx, `SELECT DISTINCT se.modality, i.class FROM series se JOIN instance i ON i.series = se.pk WHERE se.study = ? AND `+visible, st.pk)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var m, c string
		if err := rows.Scan(&m, &c); err != nil {
			return err
		}
		st.modalities, st.classes = addToSet(st.modalities, m), addToSet(st.classes, c)
	}
	if err := rows.Err(); err != nil {
		return err
	}
	_, err = b.x.exec(b.ctx, "UPDATE study SET modalities = ?, classes = ? WHERE pk = ?", st.modalities, st.classes, st.pk)
	return err
}
