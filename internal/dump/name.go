package dump

import (
	"gantry/dicom"
	"gantry/dicom/dict"
	"gantry/dicom/tag"
	"gantry/dicom/uid"
)

const unknownName = "Unknown Tag & Data"

// name appends what the dictionary calls an element.
func (p *printer) name(ds *dicom.DataSet, t tag.Tag) {
	e, ok := dict.Lookup(t)
	switch {
	case ok && e.Retired && p.o.Compatible:
		p.buf = append(p.buf, "RETIRED_"...)
		fallthrough
	case ok && e.Keyword != "":
		p.buf = append(p.buf, e.Keyword...)
	case ok && e.Name != "":
		p.buf = append(p.buf, e.Name...)
	default:
		p.buf = append(p.buf, p.privateName(ds, t)...)
	}
}

// creator is who reserved the block of the private elements that are being printed
// (PS3.5 7.8.1).
type creator struct {
	tag  tag.Tag
	name string
}

func (p *printer) privateName(ds *dicom.DataSet, t tag.Tag) string {
	at, ok := t.PrivateCreator()
	if !ok || ds == nil {
		return unknownName
	}
	if p.creator.tag != at {
		p.creator = creator{at, ds.Text(at)}
	}
	if e, ok := dict.Private(p.creator.name, t); ok && e.Name != "" {
		return e.Name
	}
	return unknownName
}

// syntaxes are the names that dcmdump prints over a data set.
var syntaxes = [...]struct {
	uid   uid.UID
	title string
}{
	{uid.ImplicitVRLittleEndian, "Little Endian Implicit"},
	{uid.ExplicitVRLittleEndian, "Little Endian Explicit"},
	{uid.DeflatedExplicitVRLittleEndian, "Deflated Explicit VR Little Endian"},
	{uid.ExplicitVRBigEndian, "Big Endian Explicit"},
	{uid.JPEGBaseline8Bit, "JPEG Baseline"},
	{uid.JPEGExtended12Bit, "JPEG Extended, Process 2+4"},
	{uid.JPEGLossless, "JPEG Lossless, Non-hierarchical, Process 14"},
	{uid.JPEGLosslessSV1, "JPEG Lossless, Non-hierarchical, 1st Order Prediction"},
	{uid.JPEGLSLossless, "JPEG-LS Lossless"},
	{uid.JPEGLSNearLossless, "JPEG-LS Lossy (Near-lossless)"},
	{uid.JPEG2000Lossless, "JPEG 2000 (Lossless only)"},
	{uid.JPEG2000, "JPEG 2000 (Lossless or Lossy)"},
	{uid.RLELossless, "RLE Lossless"},
}

// syntaxTitle names a transfer syntax in full.
func (p *printer) syntaxTitle(u uid.UID) string {
	for _, s := range syntaxes {
		if s.uid == u {
			return s.title
		}
	}
	if p.o.Compatible {
		return p.syntaxTitle(uid.ExplicitVRLittleEndian) // what dcmdump takes it for
	}
	return u.Name()
}

// uidName names a UID in one word, "" if there is no such name.
func (p *printer) uidName(u uid.UID) string {
	i, ok := uid.Lookup(u)
	if !ok {
		return ""
	}
	if p.o.Compatible {
		if name := otherName(u); name != "" {
			return name
		}
	}
	return i.Keyword
}
