package value

import (
	"strings"
	"time"

	"gantry/dicom/vr"
)

// Range is what a key for range matching asks for (PS3.4 C.2.2.2.5): both ends belong to
// it, and either may be open. A single value is a Range from and to itself.
type Range[T any] struct {
	From, To       T
	HasFrom, HasTo bool
	Single         bool // one value, no hyphen
}

// ParseDARange reads "20200101", "20200101-", "-20200131" or "20200101-20200131". The
// error is an *Error.
func ParseDARange(s string) (Range[Date], error) { return parseRange(s, vr.DA, ParseDA) }

// ParseTMRange reads times as ParseDARange reads dates.
func ParseTMRange(s string) (Range[Time], error) { return parseRange(s, vr.TM, ParseTM) }

func parseRange[T any](s string, v vr.VR, parse func(string) (T, error)) (Range[T], error) {
	s = trim(s)
	low, high, ranged := strings.Cut(s, "-")
	if !ranged {
		one, err := parse(s)
		if err != nil {
			return Range[T]{}, err
		}
		return Range[T]{one, one, true, true, true}, nil
	}
	return bounds(low, high, v, parse)
}

// bounds reads the two sides of a hyphen, of which one may be empty.
func bounds[T any](low, high string, v vr.VR, parse func(string) (T, error)) (Range[T], error) {
	var r Range[T]
	var err error
	low, high = trim(low), trim(high)
	if low == "" && high == "" {
		return r, bad(v, "a range without an end")
	}
	if low != "" {
		if r.From, err = parse(low); err != nil {
			return Range[T]{}, err
		}
		r.HasFrom = true
	}
	if high != "" {
		if r.To, err = parse(high); err != nil {
			return Range[T]{}, err
		}
		r.HasTo = true
	}
	return r, nil
}

// ParseDTRange reads date-times as ParseDARange reads dates. A hyphen may also be the sign
// of an offset from UTC: what can be read as one value is one, as 2007-0500; of several
// ways to read a range the first is taken whose ends are in order. The error is an *Error.
func ParseDTRange(s string) (Range[DateTime], error) {
	s = trim(s)
	one, first := ParseDT(s)
	if first == nil {
		return Range[DateTime]{one, one, true, true, true}, nil
	}
	var found Range[DateTime]
	ok, hyphens := false, 0
	for i := range len(s) {
		if s[i] != '-' {
			continue
		}
		if hyphens++; hyphens > 3 {
			return Range[DateTime]{}, bad(vr.DT, "more than three hyphens")
		}
		r, err := bounds(s[:i], s[i+1:], vr.DT, ParseDT)
		if err != nil {
			continue
		}
		if ordered(r) {
			return r, nil
		}
		if !ok {
			found, ok = r, true
		}
	}
	if ok {
		return found, nil
	}
	return Range[DateTime]{}, first
}

func ordered(r Range[DateTime]) bool {
	if !r.HasFrom || !r.HasTo {
		return true
	}
	from, _ := r.From.Span(time.UTC)
	_, until := r.To.Span(time.UTC)
	return from.Before(until)
}
