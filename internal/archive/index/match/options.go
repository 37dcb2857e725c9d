package match

import (
	"time"

	"gantry/dicom"
	"gantry/dicom/tag"
	"gantry/dicom/vr"
)

// EmptyValue is the value of a key that matches attributes without one, when that was
// negotiated (PS3.4 C.2.2.2.7).
const EmptyValue = `""`

// NewEmpty makes the condition that an attribute is missing or has no value.
func NewEmpty(t tag.Tag, v vr.VR) Condition { return Condition{Tag: t, VR: v, Kind: Empty} }

// NewAny makes the condition that one of several on the same attribute is met (PS3.4
// C.2.2.2.8).
func NewAny(t tag.Tag, v vr.VR, list []Condition) Condition {
	for _, c := range list {
		if c.Kind == Universal {
			return c
		}
	}
	return Condition{Tag: t, VR: v, Kind: Any, Items: list}
}

// matchEmpty reports whether the attribute is missing or has no value.
func (c *Condition) matchEmpty(ds *dicom.DataSet) bool {
	e, ok := ds.Get(c.Tag)
	if !ok || e.Empty() {
		return true
	}
	if e.IsSequence() {
		return e.ItemCount() == 0
	}
	return allEmpty(e.Texts())
}

func allEmpty(values []string) bool {
	for _, s := range values {
		if s != "" {
			return false
		}
	}
	return true
}

// MatchValues reports whether the values of an attribute meet the condition.
func (c *Condition) MatchValues(values []string) bool {
	switch c.Kind {
	case Universal:
		return true
	case Empty:
		return allEmpty(values)
	case Any:
		for i := range c.Items {
			if c.Items[i].MatchValues(values) {
				return true
			}
		}
		return false
	}
	for _, s := range values {
		if c.MatchText(s) {
			return true
		}
	}
	return false
}

// Adjust makes a Moment condition take time zones into account: zone is that of the query,
// Timezone Offset From UTC (0008,0201), in which its dates and times are (PS3.4
// C.2.2.2.1.3). Where query or object tell none, local is meant, nil for the machine's.
func (c Condition) Adjust(zone string, local *time.Location) Condition {
	if c.Kind != Moment {
		return c
	}
	if local == nil {
		local = time.Local
	}
	c.zone = &zones{local: local, from: utc(c.From, zone, local), to: utc(c.To, zone, local)}
	return c
}

// zones is what a Moment condition adjusts by; from and to are in UTC.
type zones struct {
	local    *time.Location
	from, to string
}

// Adjusted reports whether the condition takes time zones into account: then a match may
// be two days outside of From and To.
func (c *Condition) Adjusted() bool { return c.zone != nil }

// match is matchMoment in UTC.
func (z *zones) match(v span, zone string) bool {
	v = span{utc(v.from, zone, z.local), utc(v.to, zone, z.local)}
	return (z.from == "" || v.to >= z.from) && (z.to == "" || v.from <= z.to)
}

// utc turns a moment of 20 digits, of an offset &ZZXX or else a location, into UTC.
func utc(s, zone string, local *time.Location) string {
	if s == "" {
		return ""
	}
	if rest, offset := cutOffset("0000" + zone); rest == "0000" && zone != "" {
		return shift(s, offset)
	}
	whole, leap := s[:14], ""
	if whole[12:14] == "60" {
		whole, leap = whole[:12]+"59", "60"
	}
	t, err := time.ParseInLocation("20060102150405", whole, local)
	if err != nil {
		return s
	}
	out := t.UTC().Format("20060102150405")
	if leap != "" {
		out = out[:12] + leap
	}
	return out + s[14:]
}
