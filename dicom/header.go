package dicom

import (
	"gantry/dicom/tag"
	"gantry/dicom/uid"
	"gantry/dicom/vr"
)

const (
	tagItem         tag.Tag = 0xFFFEE000
	tagItemEnd      tag.Tag = 0xFFFEE00D
	tagSequenceEnd  tag.Tag = 0xFFFEE0DD
	undefinedLength         = 0xFFFFFFFF
	longestHeader           = 12
)

// encoding is how elements are laid out (PS3.5 7.1, 7.3).
type encoding struct {
	explicit bool
	big      bool
}

var (
	implicitLE = encoding{}
	explicitLE = encoding{explicit: true}
)

// encodingOf tells how a transfer syntax lays out elements. What the dictionary does not
// have is taken for Explicit VR Little Endian, as every syntax since 1993 is; GE's private
// one is Implicit with big endian pixels.
func encodingOf(syntax uid.UID) (e encoding, deflated bool) {
	if syntax == "1.2.840.113619.5.2" {
		return implicitLE, false
	}
	s, ok := syntax.SyntaxInfo()
	if !ok {
		return explicitLE, false
	}
	return encoding{explicit: s.Explicit, big: s.BigEndian}, s.Deflated
}

func (e encoding) order() encodingOrder { return encodingOrder(e.big) }

func (e encoding) uint16(b []byte) uint16 { return e.order().Uint16(b) }

func (e encoding) uint32(b []byte) uint32 { return e.order().Uint32(b) }

func (e encoding) tag(b []byte) tag.Tag { return tag.New(e.uint16(b), e.uint16(b[2:])) }

// header is an element, item or delimiter header as it stands in the input.
type header struct {
	tag    tag.Tag
	vr     vr.VR // zero in Implicit VR and for items
	length uint32
	size   uint8 // bytes of the header itself: 8 or 12
	flaw   FlawKind
}

// parseHeader reads the header at the start of b. It returns the bytes it needs, when b
// has fewer; b shorter than 8 always needs 8.
func parseHeader(b []byte, e encoding) (h header, need int) {
	if len(b) < 8 {
		return h, 8
	}
	h.tag = e.tag(b)
	h.size = 8
	if !e.explicit || h.tag.Group() == 0xFFFE {
		h.length = e.uint32(b[4:])
		return h, 0
	}
	if !isLetter(b[4]) || !isLetter(b[5]) {
		h.flaw = FlawBadVR
		h.length = e.uint32(b[4:])
		return h, 0
	}
	h.vr = vr.Of(b[4], b[5])
	if !h.vr.LongHeader() {
		h.length = uint32(e.uint16(b[6:]))
		return h, 0
	}
	if len(b) < longestHeader {
		return h, longestHeader
	}
	if !h.vr.Known() {
		h.flaw = FlawUnknownVR
	}
	h.size = longestHeader
	h.length = e.uint32(b[8:])
	return h, 0
}

func isLetter(c byte) bool { return c >= 'A' && c <= 'Z' }

// looksExplicit guesses from the first element whether the VR is explicit.
func looksExplicit(b []byte) bool {
	return len(b) >= 6 && isLetter(b[4]) && isLetter(b[5]) && vr.Of(b[4], b[5]).Known()
}
