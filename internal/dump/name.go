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
	by := ""
	if t.IsPrivate() {
		by = p.creatorOf(ds, t)
	}
	p.buf = append(p.buf, p.cached(t, by)...)
}

// nameCache holds names that were looked up, each in one of two places, and creators that
// were decoded: files of one kind have the same elements.
type nameCache struct {
	names    [1 << 11]cachedName
	reserved [1 << 6]reservation
}

type cachedName struct {
	tag           tag.Tag
	creator, name string
}

func (p *printer) cached(t tag.Tag, by string) string {
	at := uint32(t) * 2654435761 >> 21 // Fibonacci hashing: 2^32 by the golden ratio
	for range 2 {
		if c := &p.names.names[at]; c.tag == t && c.creator == by && c.name != "" {
			return c.name
		}
		at ^= 1
	}
	if p.names.names[at].name != "" && p.names.names[at^1].name == "" {
		at ^= 1
	}
	p.names.names[at] = cachedName{t, by, p.lookup(by, t)}
	return p.names.names[at].name
}

func (p *printer) lookup(by string, t tag.Tag) string {
	e, ok := dict.Lookup(t)
	if !ok {
		if e, ok = dict.Private(by, t); !ok {
			return unknownName
		}
	}
	name := e.Keyword
	if name == "" {
		name = e.Name
	}
	switch {
	case name == "":
		return unknownName
	case e.Retired && p.o.Compatible:
		return "RETIRED_" + name
	}
	return name
}

// creator is who reserved the block of the private elements that are being printed
// (PS3.5 7.8.1).
type creator struct {
	tag  tag.Tag
	name string
}

// reserve notes a creator, whose elements follow.
func (p *printer) reserve(e dicom.Element) {
	c := &p.names.reserved[uint32(e.Tag)*2654435761>>26]
	if b := e.Bytes(); c.tag != e.Tag || c.raw != string(b) {
		*c = reservation{creator{e.Tag, e.Text()}, string(b)}
	}
	p.creator = c.creator
}

// reservation is a creator as it stood in a file, so that it need not be decoded again.
type reservation struct {
	creator
	raw string
}

func (p *printer) creatorOf(ds *dicom.DataSet, t tag.Tag) string {
	at, ok := t.PrivateCreator()
	if !ok || ds == nil {
		return ""
	}
	if p.creator.tag != at {
		p.creator = creator{at, ds.Text(at)}
	}
	return p.creator.name
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
	if !ok || p.o.NumericUIDs {
		return ""
	}
	if p.o.Compatible {
		if name := otherName(u); name != "" {
			return name
		}
	}
	return i.Keyword
}
