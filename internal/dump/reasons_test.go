package dump

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"gantry/dicom/dict"
)

// reason is why a line of ours and one of dcmdump's may differ.
type reason struct {
	name, why string
	holds     func(ours, theirs string) bool
}

var reasons = [...]reason{
	{"refused", "dcmdump stops at a flaw in the file and prints nothing; we print what there is", nil},
	{"order", "dcmdump sorts elements by tag and merges those that occur twice; we keep the order of the file", nil},
	{"newer-uid", "the UID is younger than dcmdump 3.6.7", func(o, t string) bool {
		return strings.Contains(o, " UI =") && strings.Contains(t, " UI [1.2.840.10008.")
	}},
	{"retired-since", "the standard retired the element after dcmdump 3.6.7", func(o, t string) bool {
		return strings.Replace(o, "RETIRED_", "", 1) == t
	}},
	{"private-vr", "our dictionary has the private element and so its VR, which dcmdump prints as bytes", func(o, t string) bool {
		return privateLine(o) && privateLine(t) && codeIn(t) == "??" && codeIn(o) != "??"
	}},
	{"private-vr-older", "dcmdump's private dictionary has an element that ours has not, or with another VR", func(o, t string) bool {
		return privateLine(o) && privateLine(t) && codeIn(t) != codeIn(o)
	}},
	{"choice-open", "dcmdump leaves the choice between US and SS open in Implicit VR; we take the one that Pixel Representation says", func(o, t string) bool {
		return codeIn(t) == "xs" && (codeIn(o) == "US" || codeIn(o) == "SS") && rest(o) == rest(t)
	}},
	{"uid-spaces", "dcmdump drops spaces inside UIDs; we print what the file has", func(o, t string) bool {
		return codeIn(o) == "UI" && strings.ReplaceAll(o, " ", "") == strings.ReplaceAll(t, " ", "")
	}},
	{"odd-padding", "dcmdump prints the byte it adds to an odd value", func(o, t string) bool {
		return oddPad.ReplaceAllString(o, "$1") == oddPad.ReplaceAllString(t, "$1")
	}},
	{"record-type", "a type of directory record that the standard has not is PRIVATE to dcmdump; we print what the file has", func(o, t string) bool {
		return strings.Contains(o, `"Directory Record" UNKNOWN`) && strings.Contains(t, `"Directory Record" PRIVATE`)
	}},
	{"group-0", "dcmdump does not look for command elements in a data set of Implicit VR", func(o, t string) bool {
		return strings.HasPrefix(o, "(0000,0000) UL") && strings.HasPrefix(t, "(0000,0000) ??")
	}},
}

var oddPad = regexp.MustCompile("(?:\\\\00|\x00)?([\\]\"]?) +(# |$)")

func privateLine(s string) bool {
	s = strings.TrimLeft(s, " ")
	if len(s) < 14 {
		return false
	}
	t, err := dict.ParseTag(s[1:10])
	return err == nil && t.IsPrivate()
}

// codeIn is the VR of a line.
func codeIn(s string) string {
	s = strings.TrimLeft(s, " ")
	if len(s) < 14 {
		return ""
	}
	return s[12:14]
}

func rest(s string) string {
	s = strings.TrimLeft(s, " ")
	return s[14:]
}

// classify names the reasons for all that differs.
func classify(t *testing.T, o outcome) string {
	if o.refused {
		return "refused"
	}
	if o.reordered {
		return "order"
	}
	var found []string
	for i := range max(len(o.ours), len(o.theirs)) {
		name := "?"
		if i < len(o.ours) && i < len(o.theirs) {
			name = why(o.ours[i], o.theirs[i])
		}
		if name == "?" && i < len(o.ours) && i < 1000 {
			name = elsewhere(o, i)
		}
		if name == "?" {
			name = structural(o, i)
		}
		if name == "?" && i < 5 {
			t.Logf("line %d: ours %.200q theirs %.200q", i, o.ours[min(i, len(o.ours)):min(i+1, len(o.ours))], o.theirs[min(i, len(o.theirs)):min(i+1, len(o.theirs))])
		}
		if !slices.Contains(found, name) {
			found = append(found, name)
		}
	}
	slices.Sort(found)
	return strings.Join(found, "+")
}

func why(ours, theirs string) string {
	for _, r := range reasons {
		if r.holds != nil && r.holds(ours, theirs) {
			return r.name
		}
	}
	return "?"
}

// elsewhere looks for a line that a line of ours is the same as, or differs from for a
// reason.
func elsewhere(o outcome, i int) string {
	if slices.Contains(o.theirs, o.ours[i]) {
		return "order"
	}
	for _, t := range o.theirs {
		if name := why(o.ours[i], t); name != "?" {
			return name
		}
	}
	return "?"
}

// structural finds reasons that concern more than a line: the inside of a private sequence
// that dcmdump takes for bytes, and elements that it merged.
func structural(o outcome, i int) string {
	if i >= len(o.ours) {
		return "?"
	}
	for at := i; at >= 0 && o.merged == false; at-- {
		line := o.ours[at]
		if at < i && privateLine(line) && codeIn(line) == "SQ" {
			return "private-vr"
		}
		if !strings.HasPrefix(line, " ") && !strings.HasPrefix(line, "(fffe,e0dd)") {
			return "?"
		}
	}
	if o.merged {
		return "order"
	}
	return "?"
}

// reordered reports whether all lines of theirs are among ours.
func reordered(ours, theirs []byte) bool {
	have := map[string]bool{}
	for _, line := range split(ours) {
		have[line] = true
	}
	for _, line := range split(theirs) {
		if !have[line] {
			return false
		}
	}
	return true
}
