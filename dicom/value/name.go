package value

import (
	"strings"

	"gantry/dicom/vr"
)

// PersonName is a value of VR PN: up to three component groups (PS3.5 6.2.1). The zero
// PersonName is the empty name.
type PersonName struct {
	Alphabetic  NameGroup
	Ideographic NameGroup
	Phonetic    NameGroup
}

// NameGroup is one component group of a person name.
type NameGroup struct {
	Family, Given, Middle, Prefix, Suffix string
}

const (
	maxGroups     = 3
	maxComponents = 5
)

// ParsePN reads a person name from decoded text. Spaces around components are dropped,
// for they mean nothing (PS3.5 6.2). The name is usable whatever the error, an *Error:
// what follows the fifth component stays in the suffix, a fourth group in the third.
func ParsePN(s string) (PersonName, error) {
	var n PersonName
	var err error
	groups := strings.SplitN(trim(s), "=", maxGroups)
	for i, g := range []*NameGroup{&n.Alphabetic, &n.Ideographic, &n.Phonetic} {
		if i == len(groups) {
			break
		}
		*g = parseGroup(groups[i])
		if strings.Contains(g.Suffix, "^") {
			err = bad(vr.PN, "more than five components")
		}
	}
	if len(groups) == maxGroups && strings.Contains(groups[maxGroups-1], "=") {
		err = bad(vr.PN, "more than three component groups")
	}
	return n, err
}

func parseGroup(s string) NameGroup {
	var g NameGroup
	parts := strings.SplitN(s, "^", maxComponents)
	for i, p := range g.components() {
		if i < len(parts) {
			*p = trim(parts[i])
		}
	}
	return g
}

func (g *NameGroup) components() [maxComponents]*string {
	return [maxComponents]*string{&g.Family, &g.Given, &g.Middle, &g.Prefix, &g.Suffix}
}

// IsZero reports whether all components are empty.
func (g NameGroup) IsZero() bool { return g == NameGroup{} }

// String returns the group as PN writes it, without delimiters at the end.
func (g NameGroup) String() string {
	var b strings.Builder
	pending := 0
	for i, p := range g.components() {
		if i > 0 {
			pending++
		}
		if *p == "" {
			continue
		}
		for ; pending > 0; pending-- {
			b.WriteByte('^')
		}
		b.WriteString(*p)
	}
	return b.String()
}

// IsZero reports whether all groups are empty.
func (n PersonName) IsZero() bool { return n == PersonName{} }

// String returns the name as PN writes it, without delimiters at the end: the normal
// form, in which equal names are equal texts.
func (n PersonName) String() string {
	groups := []string{n.Alphabetic.String(), n.Ideographic.String(), n.Phonetic.String()}
	return strings.TrimRight(strings.Join(groups, "="), "=")
}

// Groups returns the three component groups in the order of the standard.
func (n PersonName) Groups() [3]NameGroup {
	return [3]NameGroup{n.Alphabetic, n.Ideographic, n.Phonetic}
}
