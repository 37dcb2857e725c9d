package dimsefront

import (
	"context"
	"errors"
	"iter"

	"gantry/dicom"
	"gantry/dicom/tag"
	"gantry/dimse"
	"gantry/internal/archive/index"
	"gantry/service/query"
)

// Find implements query.Finder: the answers of the index, each with the keys that were
// asked for and what every answer carries (PS3.4 C.4.1.1.3.2).
func (f *Front) Find(ctx context.Context, q *query.Query) iter.Seq2[*dicom.DataSet, error] {
	return func(yield func(*dicom.DataSet, error) bool) {
		key, feed := keyOf(q), f.Index.Feed() // before the search: what comes in during it counts as later
		if answers, ok := f.found.get(key, feed); ok && key != "" {
			q.More = true
			for ds := range answers {
				if !yield(ds, nil) {
					return
				}
			}
			return
		}
		if f.Bounds.Deadline > 0 {
			limited, stop := context.WithTimeoutCause(ctx, f.Bounds.Deadline, dimse.ErrDeadline)
			defer stop()
			ctx = limited
		}
		var kept []*dicom.DataSet
		for ds, err := range f.search(ctx, q) {
			if !yield(ds, err) || err != nil {
				return
			}
			if len(kept) <= cachedAnswers {
				kept = append(kept, ds)
			}
		}
		if key != "" && len(kept) <= cachedAnswers && ctx.Err() == nil {
			f.found.put(key, feed, kept)
		}
	}
}

// search asks the index.
func (f *Front) search(ctx context.Context, q *query.Query) iter.Seq2[*dicom.DataSet, error] {
	return func(yield func(*dicom.DataSet, error) bool) {
		s, err := f.searchOf(q)
		if err != nil {
			yield(nil, statusOf(err))
			return
		}
		for row, err := range f.Index.Search(ctx, s) {
			if err != nil {
				if c := context.Cause(ctx); c != nil {
					err = c // rather than what the database says of it
				}
				yield(nil, statusOf(err))
				return
			}
			q.More = row.More
			ds, err := f.answer(row, s.Return)
			if !yield(ds, err) || err != nil {
				return
			}
		}
	}
}

func (f *Front) searchOf(q *query.Query) (*index.Search, error) {
	level, ok := index.ParseLevel(string(q.Level))
	if !ok {
		return nil, index.ErrIdentifier
	}
	s, err := index.SearchOf(level, q.Identifier, index.Options{CombinedDateTime: q.DateTime, Fuzzy: q.Fuzzy,
		Timezone: q.Timezone, EmptyValue: q.Empty, MultipleValue: q.Multiple})
	if err != nil {
		return nil, err
	}
	s.Budget, s.MaxTime = f.Bounds.MaxRows, f.Bounds.MaxTime
	s.Turn = func(ctx context.Context) (func(), error) { return f.turns.take(ctx, q.Priority) }
	return s, nil
}

func (f *Front) answer(row *index.Row, keys []tag.Tag) (*dicom.DataSet, error) {
	ed := new(dicom.DataSet).Edit()
	row.AnswerIn(ed, keys)
	return ed.
		SetText(tag.QueryRetrieveLevel, row.Level.String()).
		SetText(tag.RetrieveAETitle, f.AETitle).
		SetText(tag.InstanceAvailability, "ONLINE").
		Build()
}

// unsupported reports that a key belongs to a level below the query's, so that it can be
// neither matched nor returned (PS3.4 Table C.4-1: FF01).
func unsupported(q *query.Query) bool {
	level, ok := index.ParseLevel(string(q.Level))
	if !ok {
		return false
	}
	for e := range q.Identifier.All() {
		switch e.Tag {
		case tag.QueryRetrieveLevel, tag.SpecificCharacterSet, tag.TimezoneOffsetFromUTC, tag.RetrieveAETitle, tag.InstanceAvailability:
			continue
		}
		if index.LevelOf(e.Tag) > level && !e.Tag.IsGroupLength() {
			return true
		}
	}
	return false
}

// statusOf turns an error of the archive into what the peer is told. Text of unknown
// errors stays here: it may hold names.
func statusOf(err error) error {
	status, comment := dimse.UnableToProcess, "unable to process"
	switch {
	case errors.Is(err, index.ErrIdentifier):
		status, comment = dimse.DataSetDoesNotMatchSOPClass, "identifier does not match the model"
	case errors.Is(err, dimse.ErrDeadline):
		status, comment = dimse.OutOfResources, "took too long: add a patient ID, a date or a UID"
	case errors.Is(err, index.ErrTooBroad):
		status, comment = dimse.OutOfResources, "too broad: add a patient ID, a date or a UID"
	}
	return &dimse.StatusError{Status: status, Comment: comment, Err: err}
}
