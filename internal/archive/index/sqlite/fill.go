package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"strconv"
	"strings"
	"time"

	"gantry/dicom"
	"gantry/dicom/tag"
	"gantry/internal/archive/index"
	"gantry/internal/archive/index/match"
	"gantry/internal/archive/record"
)

// fillStep is how many instances Fill looks at in one transaction.
const fillStep = 256

// The work that derives the names from the instances, and the words from the names.
const (
	fillNames = "names"
	fillWords = "words"
)

// Fill derives anew what a later version of this program, or another configuration, wants
// to know of the instances that are here already: their names, and Options.Extra. It goes
// on where it stopped, rests as long as it works, and returns when all is done. Searches
// need no index that is not complete yet: they read more rows meanwhile.
func (x *Index) Fill(ctx context.Context) error {
	for {
		began := time.Now()
		more, err := x.fillSome(ctx)
		if err != nil || !more {
			return err
		}
		rest := time.NewTimer(time.Since(began))
		select {
		case <-ctx.Done():
			rest.Stop()
			return context.Cause(ctx)
		case <-rest.C:
		}
	}
}

// filling is a row of the table fill.
type filling struct {
	what        string
	upto, until int64
}

// fillSome does one step of the first work there is.
func (x *Index) fillSome(ctx context.Context) (more bool, err error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.closed {
		return false, index.ErrClosed
	}
	var f filling
	found, err := x.row(ctx, "SELECT what, upto, until FROM fill ORDER BY what LIMIT 1", nil, &f.what, &f.upto, &f.until)
	if err != nil || !found {
		return false, err
	}
	x.cache.trim()
	done := false
	err = x.transaction(ctx, func() error {
		b := &batch{x: x, ctx: ctx, state: x.state}
		from := b.fillFrom
		if f.what == fillWords {
			from = b.fillWords
		}
		last, err := from(f)
		if err != nil {
			return err
		}
		if done = last == 0; done {
			return b.filled(f.what)
		}
		_, err = x.exec(ctx, "UPDATE fill SET upto = ? WHERE what = ?", last, f.what)
		return err
	})
	if err == nil && done {
		err = x.loadExtra(ctx)
	}
	return true, err
}

// filled notes that a work is done.
func (b *batch) filled(what string) error {
	_, err := b.x.exec(b.ctx, "DELETE FROM fill WHERE what = ?", what)
	return err
}

// filler is an instance that Fill looks at.
type filler struct {
	pk, base, patient, study    int64
	moment, accession, modality string // of the study and the series
	attrs                       []byte
}

// fillFrom looks at the next instances and returns the last one, 0 when there are no more.
func (b *batch) fillFrom(f filling) (last int64, err error) {
	s, err := b.x.stmt(b.ctx, `SELECT i.pk, i.attrs, se.base, st.patient, st.pk, st.moment, st.accession, se.modality FROM instance i JOIN series se ON se.pk = i.series
		JOIN study st ON st.pk = se.study WHERE i.pk > ? AND i.pk <= ? ORDER BY i.pk LIMIT ?`)
	if err != nil {
		return 0, err
	}
	rows, err := s.QueryContext(b.ctx, f.upto, f.until, fillStep)
	if err != nil {
		return 0, err
	}
	list, err := fillers(rows)
	if err != nil {
		return 0, err
	}
	for _, i := range list {
		if err := b.fillOne(f.what, i); err != nil {
			return 0, err
		}
		last = i.pk
	}
	return last, nil
}

// fillWords stores the words of the next names and returns the last one, 0 when there are
// no more.
func (b *batch) fillWords(f filling) (last int64, err error) {
	for range fillStep {
		var pk int64
		var norm string
		found, err := b.x.row(b.ctx, "SELECT pk, norm FROM name WHERE pk > ? AND pk <= ? ORDER BY pk LIMIT 1", []any{max(last, f.upto), f.until}, &pk, &norm)
		if err != nil || !found {
			return last, err
		}
		if err := b.addWords(norm, pk); err != nil {
			return 0, err
		}
		last = pk
	}
	return last, nil
}

func fillers(rows *sql.Rows) (list []filler, err error) {
	defer rows.Close()
	for rows.Next() {
		var i filler
		if err := rows.Scan(&i.pk, &i.attrs, &i.base, &i.patient, &i.study, &i.moment, &i.accession, &i.modality); err != nil {
			return nil, err
		}
		list = append(list, i)
	}
	return list, rows.Err()
}

// fillOne derives what is wanted from one instance. One whose attributes cannot be read
// matches no key either.
func (b *batch) fillOne(what string, i filler) error {
	ds, err := b.attrsOf(i)
	if errors.Is(err, index.ErrKept) {
		return nil
	}
	if err != nil {
		return err
	}
	if what != fillNames {
		n, err := strconv.ParseUint(what, 16, 32)
		if err != nil {
			return err
		}
		return b.addExtra(i.pk, ds, tag.Tag(n))
	}
	return b.fillEntry(ds, i)
}

// fillEntry stores the names of an instance, and whether it makes its study a mixed one.
func (b *batch) fillEntry(ds *dicom.DataSet, i filler) error {
	e, err := index.EntryOf(ds, record.Envelope{}, record.Stored{})
	if err != nil {
		return err
	}
	for _, n := range e.Names {
		if err := b.addName(n, i.patient); err != nil {
			return err
		}
	}
	if !strings.HasPrefix(i.moment, e.StudyDate+" ") || e.Accession != i.accession || e.Modality != i.modality {
		if err := b.markMixed(i.study); err != nil {
			return err
		}
	}
	_, err = b.x.exec(b.ctx, "UPDATE patient SET name = ? WHERE pk = ? AND rep = ?", match.FoldName(e.Name)[0], i.patient, i.pk)
	return err
}

func (b *batch) attrsOf(i filler) (*dicom.DataSet, error) {
	raw, err := unpackAttrs(i.attrs, func() ([]byte, error) { return b.loadBase(i.base) })
	if err != nil {
		return nil, err
	}
	return index.Kept(raw)
}

// beginFill asks for the names to be derived anew when they were folded by other rules.
func (x *Index) beginFill(ctx context.Context) error {
	var norm int
	if _, err := x.row(ctx, "SELECT norm FROM state", nil, &norm); err != nil || norm == match.NormVersion {
		return err
	}
	return x.transaction(ctx, func() error {
		for _, q := range []string{"DELETE FROM patient_name", "DELETE FROM name", "DELETE FROM name_word", "DELETE FROM word", "INSERT INTO word_token (word_token) VALUES ('delete-all')",
			"DELETE FROM fill WHERE what = '" + fillWords + "'",
			"INSERT OR REPLACE INTO fill SELECT '" + fillNames + "', 0, m FROM (SELECT max(pk) AS m FROM instance) WHERE m > 0"} {
			if _, err := x.exec(ctx, q); err != nil {
				return err
			}
		}
		_, err := x.exec(ctx, "UPDATE state SET norm = ?", match.NormVersion) // of what is stored from now on
		return err
	})
}
