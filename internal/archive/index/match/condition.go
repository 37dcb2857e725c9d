package match

import (
	"strconv"
	"strings"

	"gantry/dicom"
	"gantry/dicom/tag"
	"gantry/dicom/vr"
)

// Kind is a way of matching (PS3.4 C.2.2.2).
type Kind uint8

// The ways of matching. Universal is the zero Kind: everything matches.
const (
	Universal Kind = iota
	Single         // any of Values
	Pattern        // any of Values, with wildcards
	Range          // From to To, both included, "" is open
	Sequence       // an item that meets all Items
	Moment         // Tag (a date) and Time together lie in From to To
	Empty          // there is no value
	Any            // one of Items, on the same attribute
)

// Condition is one key of a query. It is not changed once made, and may be shared.
type Condition struct {
	Tag      tag.Tag
	VR       vr.VR
	Kind     Kind
	Values   []string
	From, To string // digits, as long as the full precision of the VR
	Time     tag.Tag
	Items    []Condition
	names    [][3]string // Values of a PN, folded
	words    [][]word    // of those, for fuzzy matching
	zone     *zones      // of a Moment, when time zones count
}

// New makes the condition that an attribute of a query stands for. Values are its values
// in UTF-8 without padding; none, or empty ones, match everything.
func New(t tag.Tag, v vr.VR, values ...string) Condition {
	c := Condition{Tag: t, VR: v}
	for _, s := range values {
		if s != "" && s != "*" {
			c.Values = append(c.Values, s)
		} else if s == "*" {
			return Condition{Tag: t, VR: v}
		}
	}
	switch {
	case len(c.Values) == 0:
		return c
	case v == vr.DA || v == vr.TM || v == vr.DT:
		return c.ranged()
	case hasWildcards(v) && strings.ContainsAny(strings.Join(c.Values, ""), "*?"):
		c.Kind = Pattern
	default:
		c.Kind = Single
	}
	if v == vr.PN {
		for _, s := range c.Values {
			c.names = append(c.names, FoldName(s))
		}
	}
	return c
}

// hasWildcards reports whether * and ? mean something in keys of a VR.
func hasWildcards(v vr.VR) bool {
	switch v {
	case vr.AE, vr.CS, vr.LO, vr.LT, vr.PN, vr.SH, vr.ST, vr.UC, vr.UR, vr.UT:
		return true
	}
	return false
}

// ranged makes a date or time condition: a single value of limited precision is the range
// that it stands for. What is no date or time matches itself only.
func (c Condition) ranged() Condition {
	from, to, isRange := cutRange(c.Values[0], c.VR == vr.DT)
	if !isRange {
		to = from
	}
	if len(c.Values) > 1 {
		c.Kind = Single
		return c
	}
	lo, ok1 := c.spanOf(from)
	hi, ok2 := c.spanOf(to)
	if from == "" && isRange {
		ok1 = true
	}
	if to == "" && isRange {
		ok2 = true
	}
	if !ok1 || !ok2 {
		c.Kind = Single
		return c
	}
	c.Kind, c.From, c.To = Range, lo.from, hi.to
	if c.From == "" && c.To == "" {
		c.Kind = Universal
	}
	return c
}

func (c *Condition) spanOf(s string) (span, bool) { return spanOf(c.VR, s) }

func spanOf(v vr.VR, s string) (span, bool) {
	switch v {
	case vr.DA:
		return dateSpan(s)
	case vr.TM:
		return timeSpan(s)
	}
	return momentSpan(s)
}

// Combine joins the ranges of a date and a time into one range of moments, when both are
// there (PS3.4 C.2.2.2.5.4, combined datetime matching).
func Combine(conds []Condition, date, clock tag.Tag) []Condition {
	d, t := -1, -1
	for i := range conds {
		switch {
		case conds[i].Tag == date && conds[i].Kind == Range:
			d = i
		case conds[i].Tag == clock && conds[i].Kind == Range:
			t = i
		}
	}
	if d < 0 || t < 0 {
		return conds
	}
	c := Condition{Tag: date, VR: vr.DT, Kind: Moment, Time: clock}
	if conds[d].From != "" {
		c.From = conds[d].From + orElse(conds[t].From, lowTime)
	}
	if conds[d].To != "" {
		c.To = conds[d].To + orElse(conds[t].To, highTime)
	}
	out := make([]Condition, 0, len(conds)-1)
	for i := range conds {
		if i != d && i != t {
			out = append(out, conds[i])
		}
	}
	return append(out, c)
}

func orElse(s, def string) string {
	if s == "" {
		return def
	}
	return s
}

// Match reports whether ds meets the condition. An attribute without a value meets none
// but a universal one.
func (c *Condition) Match(ds *dicom.DataSet) bool {
	switch c.Kind {
	case Universal:
		return true
	case Sequence:
		return c.matchItems(ds)
	case Moment:
		return c.matchMoment(ds)
	case Empty:
		return c.matchEmpty(ds)
	case Any:
		for i := range c.Items {
			if c.Items[i].Match(ds) {
				return true
			}
		}
		return false
	}
	e, ok := ds.Get(c.Tag)
	return ok && !e.Empty() && c.MatchValues(e.Texts())
}

// All reports whether ds meets all conditions.
func All(ds *dicom.DataSet, conds []Condition) bool {
	for i := range conds {
		if !conds[i].Match(ds) {
			return false
		}
	}
	return true
}

func (c *Condition) matchItems(ds *dicom.DataSet) bool {
	for _, item := range ds.Items(c.Tag) {
		if All(item, c.Items) {
			return true
		}
	}
	return false
}

func (c *Condition) matchMoment(ds *dicom.DataSet) bool {
	d, ok := dateSpan(ds.Text(c.Tag))
	if !ok {
		return false
	}
	t, ok := timeSpan(ds.Text(c.Time))
	if !ok {
		t = span{lowTime, highTime}
	}
	v := span{d.from + t.from, d.to + t.to}
	if c.zone != nil {
		return c.zone.match(v, ds.Text(tag.TimezoneOffsetFromUTC))
	}
	return c.overlaps(v)
}

// overlaps reports whether a value, which may stand for a span, meets the range.
func (c *Condition) overlaps(v span) bool {
	return (c.From == "" || v.to >= c.From) && (c.To == "" || v.from <= c.To)
}

// MatchText reports whether one value of the attribute meets the condition.
func (c *Condition) MatchText(s string) bool {
	switch c.Kind {
	case Universal:
		return true
	case Range:
		v, ok := c.spanOf(s)
		return ok && c.overlaps(v)
	}
	if c.VR == vr.PN {
		return c.matchName(s)
	}
	for _, want := range c.Values {
		if c.Kind == Pattern && Wildcard(want, s) || c.Kind == Single && c.equal(want, s) {
			return true
		}
	}
	return false
}

func (c *Condition) equal(want, s string) bool {
	if want == s {
		return true
	}
	switch c.VR {
	case vr.IS, vr.DS, vr.US, vr.SS, vr.UL, vr.SL, vr.UV, vr.SV, vr.FL, vr.FD:
		a, err1 := strconv.ParseFloat(strings.TrimSpace(want), 64)
		b, err2 := strconv.ParseFloat(strings.TrimSpace(s), 64)
		return err1 == nil && err2 == nil && a == b
	}
	return false
}

// matchName compares component groups: a key of one group matches in any group, a key of
// several in the same ones. Case, accents and empty components at the end do not count.
func (c *Condition) matchName(s string) bool {
	have := FoldName(s)
	for i, want := range c.names {
		if want[1] == "" && want[2] == "" {
			if c.inAnyGroup(i, have) {
				return true
			}
			continue
		}
		if c.nameGroups(want, have) {
			return true
		}
	}
	return false
}

// inAnyGroup reports whether value i, of one component group, is met by a group of have.
func (c *Condition) inAnyGroup(i int, have [3]string) bool {
	for _, h := range have {
		if h == "" {
			continue
		}
		if k := c.key(i, 0); k.Match(h) {
			return true
		}
	}
	return false
}

func (c *Condition) nameGroups(want, have [3]string) bool {
	for i, w := range want {
		k := NameKey{Pattern: w, Wild: c.Kind == Pattern}
		if w != "" && !k.Match(have[i]) {
			return false
		}
	}
	return true
}
