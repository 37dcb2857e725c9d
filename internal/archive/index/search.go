package index

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"gantry/dicom"
	"gantry/dicom/dict"
	"gantry/dicom/tag"
	"gantry/dicom/vr"
	"gantry/internal/archive/index/match"
)

// Order is what answers are sorted by. All orders end in the row's ID, so that each has
// one sequence only.
type Order uint8

// The orders. The zero Order is that of creation.
const (
	ByCreation Order = iota
	ByStudyDate
	ByPatientID
	ByPatientName
)

// Bounds of a search that finds nothing to narrow by.
const (
	DefaultBudget = 50_000
	MaxOffset     = 100_000
	maxKeys       = 1024
	maxNesting    = 16
)

// Search is a query. It is not changed by an Index.
type Search struct {
	Level      Level
	Where      []match.Condition
	Return     []tag.Tag // keys that Row.Answer answers with; nil is all there are
	Order      Order
	Descending bool
	Offset     int // at most MaxOffset
	Limit      int // 0 is no limit
	After      *Cursor
	Budget     int // rows looked at without a match before ErrTooBroad; 0 is DefaultBudget, negative none

	// MaxTime is how long may be searched without a match before ErrTooBroad; 0 is without
	// end.
	MaxTime time.Duration
	// Turn, if set, is waited for before a page is read; what it returns is called when
	// that was done. It bounds how many searches work at a time.
	Turn func(context.Context) (done func(), err error)
}

// CountsOfPatient reports whether the counts of the patient are asked for: an Index may
// leave them zero in the rows of studies where they are not.
func (s *Search) CountsOfPatient() bool {
	if s.Return == nil {
		return true
	}
	of := func(t tag.Tag) bool {
		return t == tag.NumberOfPatientRelatedStudies || t == tag.NumberOfPatientRelatedSeries || t == tag.NumberOfPatientRelatedInstances
	}
	return slices.ContainsFunc(s.Return, of) || slices.ContainsFunc(s.Where, func(c match.Condition) bool { return of(c.Tag) })
}

// Cursor is where the next page of an answer begins. Rows that came in after its first
// page are not in it.
type Cursor struct {
	Value string // of the order's key
	ID    int64
	Feed  uint64
}

// ErrIdentifier says that a query cannot be read (status A900).
var ErrIdentifier = errors.New("identifier does not match the model")

// Options of SearchOf, from extended negotiation (PS3.4 C.5.1.1).
type Options struct {
	CombinedDateTime bool
	Fuzzy            bool           // keys for names match as match.Fuzzy says
	Timezone         bool           // combined dates and times are adjusted by time zones
	EmptyValue       bool           // match.EmptyValue matches what has no value
	MultipleValue    bool           // a key may have several values of any kind
	Local            *time.Location // of what tells no time zone; nil is the machine's
}

// SearchOf reads a C-FIND identifier, or a QIDO query made one: its elements are keys to
// match and to return. Query/Retrieve Level and Specific Character Set are no keys.
func SearchOf(level Level, identifier *dicom.DataSet, o Options) (*Search, error) {
	s := &Search{Level: level}
	for e := range identifier.All() {
		if o.Timezone && e.Tag == tag.TimezoneOffsetFromUTC {
			s.Return = append(s.Return, e.Tag)
		}
		if e.Tag.IsGroupLength() || notAKey(e.Tag) {
			continue
		}
		if len(s.Return) == maxKeys {
			return nil, fmt.Errorf("%w: more than %d keys", ErrIdentifier, maxKeys)
		}
		s.Return = append(s.Return, e.Tag)
		c, err := conditionOf(e, o, 0)
		if err != nil {
			return nil, err
		}
		if c.Kind != match.Universal {
			s.Where = append(s.Where, c)
		}
	}
	if o.CombinedDateTime {
		s.Where = combine(s.Where)
	}
	if o.Timezone {
		for i := range s.Where {
			s.Where[i] = s.Where[i].Adjust(identifier.Text(tag.TimezoneOffsetFromUTC), o.Local)
		}
	}
	return s, nil
}

func notAKey(t tag.Tag) bool {
	return t == tag.QueryRetrieveLevel || t == tag.SpecificCharacterSet || t == tag.TimezoneOffsetFromUTC || t == tag.QueryRetrieveView
}

// combine joins the pairs of date and time that the standard names with one meaning.
func combine(where []match.Condition) []match.Condition {
	for _, p := range [...][2]tag.Tag{
		{tag.StudyDate, tag.StudyTime}, {tag.SeriesDate, tag.SeriesTime}, {tag.AcquisitionDate, tag.AcquisitionTime},
		{tag.ContentDate, tag.ContentTime}, {tag.PerformedProcedureStepStartDate, tag.PerformedProcedureStepStartTime},
		{tag.ScheduledProcedureStepStartDate, tag.ScheduledProcedureStepStartTime}, {tag.PatientBirthDate, tag.PatientBirthTime},
	} {
		where = match.Combine(where, p[0], p[1])
	}
	return where
}

// valueCondition makes the condition of a key that is no sequence.
func (o *Options) valueCondition(t tag.Tag, v vr.VR, values []string) match.Condition {
	special := o.MultipleValue && len(values) > 1 && (v == vr.DA || v == vr.TM || v == vr.DT)
	if !special && !(o.EmptyValue && slices.Contains(values, match.EmptyValue)) {
		return o.plain(t, v, values...)
	}
	if len(values) == 1 {
		return match.NewEmpty(t, v)
	}
	var list []match.Condition
	for _, s := range values[:min(len(values), maxKeys)] {
		switch {
		case o.EmptyValue && s == match.EmptyValue:
			list = append(list, match.NewEmpty(t, v))
		case s != "":
			list = append(list, o.plain(t, v, s))
		}
	}
	return match.NewAny(t, v, list)
}

func (o *Options) plain(t tag.Tag, v vr.VR, values ...string) match.Condition {
	c := match.New(t, v, values...)
	if o.Fuzzy && v == vr.PN {
		return match.Fuzzy(c)
	}
	return c
}

func conditionOf(e dicom.Element, o Options, depth int) (match.Condition, error) {
	if depth > maxNesting {
		return match.Condition{}, fmt.Errorf("%w: sequences nested more than %d deep", ErrIdentifier, maxNesting)
	}
	if !e.IsSequence() {
		v := e.VR
		if known := dict.VROf(e.Tag); known != 0 && (v == vr.UN || !v.Known()) {
			v = known
		}
		return o.valueCondition(e.Tag, v, e.Texts()), nil
	}
	c := match.Condition{Tag: e.Tag, VR: vr.SQ}
	if e.ItemCount() == 0 {
		return c, nil
	}
	if e.ItemCount() > 1 {
		return c, fmt.Errorf("%w: key %v has %d items, at most one is allowed", ErrIdentifier, e.Tag, e.ItemCount())
	}
	for child := range e.Item(0).All() {
		sub, err := conditionOf(child, o, depth+1)
		if err != nil {
			return c, err
		}
		if sub.Kind != match.Universal {
			c.Items = append(c.Items, sub)
		}
	}
	if o.CombinedDateTime {
		c.Items = combine(c.Items)
	}
	if len(c.Items) > 0 {
		c.Kind = match.Sequence
	}
	return c, nil
}

// Matches reports whether a row answers the search. Every Index decides by it alone;
// what it looks up only narrows.
func (s *Search) Matches(r *Row) bool {
	for i := range s.Where {
		if !r.meets(&s.Where[i]) {
			return false
		}
	}
	return true
}

// meets decides one condition: a computed key by the counts, one of a level below the
// row's never, any other by the attributes.
func (r *Row) meets(c *match.Condition) bool {
	if LevelOf(c.Tag) > r.Level {
		return c.Kind == match.Universal
	}
	values, ok := r.computed(c.Tag)
	if !ok {
		return c.Match(r.Attrs)
	}
	return c.MatchValues(values)
}
