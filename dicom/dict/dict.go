// Package dict is the data dictionary: PS3.6, the command elements of PS3.7 annex E, the
// file meta elements of PS3.10, and the elements that vendors published.
//
// The tables are constants and arrays; nothing is built at start, nothing is allocated by
// a lookup, and everything is safe for concurrent use.
package dict

import (
	"gantry/dicom/tag"
	"gantry/dicom/vr"
)

// Entry is what the dictionary says of a data element.
type Entry struct {
	Tag     tag.Tag // the tag, with zero for the digits that vary
	Mask    tag.Tag // the entry is for every tag t with t&Mask == Tag; all ones for most
	Keyword string  // empty for elements that were retired without one, and private ones
	Name    string
	VR      vr.VR  // the first that the standard names; 0 for items and delimiters
	Choice  Choice // the other VRs, where the standard leaves a choice
	VM      string // as printed: "1", "1-n", "2-2n"
	Retired bool
}

// VRText returns the VR as the standard prints it, such as "US or SS", or "" for none.
func (e Entry) VRText() string {
	switch {
	case e.Choice != Single:
		return e.Choice.String()
	case e.VR == 0:
		return ""
	}
	return e.VR.String()
}

// Choice says between which VRs an element has to choose by what else is in the data set
// (PS3.5 A.1, A.2; PS3.6 note to chapter 6).
type Choice uint8

// The choices that PS3.6 prints.
const (
	Single       Choice = iota // no choice
	OBOrOW                     // by transfer syntax and Bits Allocated
	USOrSS                     // by Pixel Representation
	USOrOW                     // by the number of values
	USOrSSOrOW                 // both
	choiceNumber               // how many there are
)

// String returns the choice as the standard prints it, "" for Single.
func (c Choice) String() string {
	switch c {
	case OBOrOW:
		return "OB or OW"
	case USOrSS:
		return "US or SS"
	case USOrOW:
		return "US or OW"
	case USOrSSOrOW:
		return "US or SS or OW"
	}
	return ""
}

// Allows reports whether v is one of the VRs of the choice.
func (c Choice) Allows(v vr.VR) bool {
	switch v {
	case vr.OB:
		return c == OBOrOW
	case vr.OW:
		return c == OBOrOW || c == USOrOW || c == USOrSSOrOW
	case vr.US:
		return c == USOrSS || c == USOrOW || c == USOrSSOrOW
	case vr.SS:
		return c == USOrSS || c == USOrSSOrOW
	}
	return false
}

const (
	factVM      = 0xFF
	factChoice  = 8
	factMask    = 11
	factRetired = 1 << 15
)

// Lookup returns the entry of a standard data element, repeating groups included
// (PS3.5 7.6), or the rule that makes t a Group Length (PS3.5 7.2) or a Private Creator
// (PS3.5 7.8.1). Private data elements are found by Private.
func Lookup(t tag.Tag) (Entry, bool) {
	if i, ok := position(t); ok {
		return entryAt(i), true
	}
	return generic(t)
}

// VROf returns the first VR of t as an Implicit VR decoder needs it, or 0 when the
// standard does not say: private data elements, unknown ones, items.
func VROf(t tag.Tag) vr.VR {
	if i, ok := search(t); ok {
		return vr.VR(vrs[i])
	}
	switch {
	case t.IsGroupLength():
		return vr.UL
	case t.IsPrivateCreator():
		return vr.LO
	}
	if i, ok := position(t); ok {
		return vr.VR(vrs[i])
	}
	return 0
}

// ChoiceOf returns the choice of VRs of t; Single too when t is not known.
func ChoiceOf(t tag.Tag) Choice {
	if i, ok := position(t); ok {
		return choice(facts[i])
	}
	return Single
}

// ByKeyword returns the entry of a keyword as PS3.6 prints it, such as "PatientName".
func ByKeyword(keyword string) (Entry, bool) {
	i, ok := keywordPosition(keyword)
	if !ok {
		return Entry{}, false
	}
	return entryAt(i), true
}

func keywordPosition(keyword string) (int, bool) {
	low, high := 0, len(byKeyword)
	for low < high {
		mid := int(uint(low+high) >> 1)
		if keywordAt(int(byKeyword[mid])) < keyword {
			low = mid + 1
		} else {
			high = mid
		}
	}
	if keyword == "" || low == len(byKeyword) {
		return 0, false
	}
	i := int(byKeyword[low])
	return i, keywordAt(i) == keyword
}

// generic returns the entry of an element that a rule defines, not a table.
func generic(t tag.Tag) (Entry, bool) {
	e := Entry{Tag: t, Mask: exact, VM: "1"}
	switch {
	case t.IsGroupLength() && t.IsPrivate():
		e.Keyword, e.Name, e.VR = "PrivateGroupLength", "Private Group Length", vr.UL
	case t.IsGroupLength():
		e.Keyword, e.Name, e.VR = "GenericGroupLength", "Generic Group Length", vr.UL
	case t.IsPrivateCreator():
		e.Keyword, e.Name, e.VR = "PrivateCreator", "Private Creator", vr.LO
	default:
		return Entry{}, false
	}
	return e, true
}

const exact = 0xFFFFFFFF

// position finds the row of t, through the mask of a repeating group if need be.
func position(t tag.Tag) (int, bool) {
	if i, ok := search(t); ok {
		return i, true
	}
	home, ok := homeOf(t)
	if !ok {
		return 0, false
	}
	i, ok := search(home)
	return i, ok && masks[facts[i]>>factMask&0xF] != exact
}

// homeOf returns the tag under which the table has the range that t may be in.
func homeOf(t tag.Tag) (tag.Tag, bool) {
	switch g := t.Group(); {
	case g&1 == 1:
		return 0, false
	case g>>8 == 0x50, g>>8 == 0x60, g>>8 == 0x7F:
		return t & 0xFF00FFFF, true
	case g == 0x0020:
		return t & 0xFFFFFF00, true
	case g == 0x0028 && t>>8&0xFF == 4:
		return t&0xFFFFFF0F | 0x10, true // (0028,040x) are other elements
	case g == 0x0028:
		return t & 0xFFFFFF0F, true
	case g == 0x1000:
		return t & 0xFFFF000F, true
	case g == 0x1010:
		return t & 0xFFFF0000, true
	}
	return 0, false
}

// search finds the row of exactly t.
func search(t tag.Tag) (int, bool) {
	low, high := 0, len(tags)
	for low < high {
		mid := int(uint(low+high) >> 1)
		if tags[mid] < uint32(t) {
			low = mid + 1
		} else {
			high = mid
		}
	}
	return low, low < len(tags) && tags[low] == uint32(t)
}

func entryAt(i int) Entry {
	fact := facts[i]
	mask := tag.Tag(masks[fact>>factMask&0xF])
	return Entry{
		Tag:     tag.Tag(tags[i]) & mask,
		Mask:    mask,
		Keyword: keywordAt(i),
		Name:    nameText[nameStart[i]:nameStart[i+1]],
		VR:      vr.VR(vrs[i]),
		Choice:  choice(fact),
		VM:      vmText[vmStart[fact&factVM]:vmStart[fact&factVM+1]],
		Retired: fact&factRetired != 0,
	}
}

func choice(fact uint16) Choice { return Choice(fact >> factChoice & 7) }

func keywordAt(i int) string { return keywordText[keywordStart[i]:keywordStart[i+1]] }
