// Package model is what the DICOM JSON Model (PS3.18 F.2) and the Native DICOM Model
// (PS3.19 A.1) have in common: which elements stand in them, how numbers and bytes are
// written, and the building of a data set from what was read. Programs use packages dcmjson
// and dcmxml.
package model

import (
	"bytes"
	"iter"
	"slices"

	"gantry/dicom"
	"gantry/dicom/tag"
	"gantry/dicom/vr"
)

// Placement says where the value of an element goes.
type Placement uint8

// The placements.
const (
	Inline  Placement = iota // into the document
	ByURI                    // elsewhere: the document has a URI of it
	LeftOut                  // nowhere: the document does not have the element
)

// Place decides where a value goes, and by what URI it is found if that is elsewhere. It is
// asked for every element with a value whose VR may stand outside (PS3.18 F.2.6). The path
// is reused.
type Place func(p dicom.Path, e dicom.Element) (Placement, string)

// Resolve returns the value that a URI stands for, in little endian. Nil leaves the element
// out.
type Resolve func(p dicom.Path, t tag.Tag, v vr.VR, uri string) (dicom.Bulk, error)

// MayBeOutside reports whether a value of this VR may be named by a URI (PS3.18 F.2.2).
func MayBeOutside(v vr.VR) bool {
	switch v {
	case vr.DS, vr.FL, vr.FD, vr.IS, vr.LT, vr.SL, vr.SS, vr.ST, vr.SV, vr.UC, vr.UL, vr.US, vr.UT, vr.UV:
		return true
	}
	return IsBinary(v)
}

// IsBinary reports whether values are written in base64.
func IsBinary(v vr.VR) bool {
	switch v {
	case vr.OB, vr.OD, vr.OF, vr.OL, vr.OV, vr.OW, vr.UN:
		return true
	}
	return false
}

// Elements yields the elements of a level that a document has: ascending, each tag once,
// without group lengths (PS3.18 F.2.2).
func Elements(ds *dicom.DataSet) iter.Seq[dicom.Element] {
	return func(yield func(dicom.Element) bool) {
		all := ds.All()
		if !ascending(ds) {
			all = slices.Values(sorted(ds))
		}
		for e := range all {
			if !e.Tag.IsGroupLength() && !yield(e) {
				return
			}
		}
	}
}

func ascending(ds *dicom.DataSet) bool {
	last, first := tag.Tag(0), true
	for e := range ds.All() {
		if e.Tag <= last && !first {
			return false
		}
		last, first = e.Tag, false
	}
	return true
}

// sorted are the elements in order; of several with one tag the first.
func sorted(ds *dicom.DataSet) []dicom.Element {
	all := slices.Collect(ds.All())
	slices.SortStableFunc(all, func(a, b dicom.Element) int { return int(int64(a.Tag) - int64(b.Tag)) })
	return slices.CompactFunc(all, func(a, b dicom.Element) bool { return a.Tag == b.Tag })
}

// VROf is the VR that a document names: SQ for all that has items, UN for letters that the
// standard does not have.
func VROf(e dicom.Element) vr.VR {
	switch {
	case e.IsSequence():
		return vr.SQ
	case !e.VR.Known():
		return vr.UN
	}
	return e.VR
}

// UTF8 is Specific Character Set of every document that has text beyond ASCII.
const UTF8 = "ISO_IR 192"

// Charset is what a level says of its character set, now that text is UTF-8: what it has,
// if that is the default repertoire, else UTF8. For the outermost level without a word about it, add
// says whether text needs one.
func Charset(ds *dicom.DataSet, outermost bool) (value string, add bool) {
	value = ds.Text(tag.SpecificCharacterSet)
	if e, ok := ds.Get(tag.SpecificCharacterSet); ok && e.Count() > 1 || value != "" && value != "ISO_IR 6" {
		return UTF8, false
	}
	if outermost && beyondASCII(ds) {
		return UTF8, !ds.Has(tag.SpecificCharacterSet)
	}
	return value, false
}

// beyondASCII looks for text that needs a character set.
func beyondASCII(ds *dicom.DataSet) bool {
	for _, e := range ds.Walk() {
		if e.VR.IsText() && bytes.ContainsFunc(e.Bytes(), func(r rune) bool { return r >= 0x80 || r == 0x1B }) {
			return true
		}
	}
	return false
}

// Plain returns the value of a text element if it is in memory and printable ASCII, which
// every character set reads alike.
func Plain(e dicom.Element) ([]byte, bool) {
	b := e.Bytes()
	for _, c := range b {
		if c >= 0x7F || c < ' ' && c != 0 || c == '"' {
			return nil, false
		}
	}
	return b, len(b) > 0
}

// Trim drops the padding of one value (PS3.5 6.2).
func Trim(b []byte, v vr.VR) []byte {
	b = bytes.TrimRight(b, " \x00")
	switch v {
	case vr.ST, vr.LT, vr.UT, vr.UC, vr.UR:
		return b
	}
	return bytes.TrimLeft(b, " ")
}
