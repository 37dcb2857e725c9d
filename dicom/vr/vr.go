// Package vr names the Value Representations of DICOM (PS3.5 6.2).
package vr

// VR is a Value Representation: its two letters, the first in the upper byte. The
// zero VR means "not known", as for an element of Implicit VR that no dictionary has.
type VR uint16

// The 34 Value Representations of PS3.5 Table 6.2-1.
const (
	AE VR = 'A'<<8 | 'E'
	AS VR = 'A'<<8 | 'S'
	AT VR = 'A'<<8 | 'T'
	CS VR = 'C'<<8 | 'S'
	DA VR = 'D'<<8 | 'A'
	DS VR = 'D'<<8 | 'S'
	DT VR = 'D'<<8 | 'T'
	FD VR = 'F'<<8 | 'D'
	FL VR = 'F'<<8 | 'L'
	IS VR = 'I'<<8 | 'S'
	LO VR = 'L'<<8 | 'O'
	LT VR = 'L'<<8 | 'T'
	OB VR = 'O'<<8 | 'B'
	OD VR = 'O'<<8 | 'D'
	OF VR = 'O'<<8 | 'F'
	OL VR = 'O'<<8 | 'L'
	OV VR = 'O'<<8 | 'V'
	OW VR = 'O'<<8 | 'W'
	PN VR = 'P'<<8 | 'N'
	SH VR = 'S'<<8 | 'H'
	SL VR = 'S'<<8 | 'L'
	SQ VR = 'S'<<8 | 'Q'
	SS VR = 'S'<<8 | 'S'
	ST VR = 'S'<<8 | 'T'
	SV VR = 'S'<<8 | 'V'
	TM VR = 'T'<<8 | 'M'
	UC VR = 'U'<<8 | 'C'
	UI VR = 'U'<<8 | 'I'
	UL VR = 'U'<<8 | 'L'
	UN VR = 'U'<<8 | 'N'
	UR VR = 'U'<<8 | 'R'
	US VR = 'U'<<8 | 'S'
	UT VR = 'U'<<8 | 'T'
	UV VR = 'U'<<8 | 'V'
)

// All lists the Value Representations in alphabetical order.
func All() []VR {
	return []VR{AE, AS, AT, CS, DA, DS, DT, FD, FL, IS, LO, LT, OB, OD, OF, OL, OV, OW,
		PN, SH, SL, SQ, SS, ST, SV, TM, UC, UI, UL, UN, UR, US, UT, UV}
}

// Of returns the VR of two letters as they stand on the wire, known or not.
func Of(a, b byte) VR { return VR(a)<<8 | VR(b) }

// String returns the two letters, or "??" for the zero VR.
func (v VR) String() string {
	if v == 0 {
		return "??"
	}
	return string([]byte{byte(v >> 8), byte(v)})
}

// Known reports whether v is one of the 34 of the standard.
func (v VR) Known() bool { return v.kind() != 0 }

// LongHeader reports whether an Explicit VR element of this VR has two reserved bytes
// and a 32-bit length (PS3.5 7.1.2). Unknown letters have one: every VR that the
// standard added since 1993 does, as PS3.5 6.2.2 promises for those to come.
func (v VR) LongHeader() bool {
	switch v {
	case AE, AS, AT, CS, DA, DS, DT, FD, FL, IS, LO, LT, PN, SH, SL, SS, ST, TM, UI, UL, US:
		return false
	}
	return true
}

type kind uint8

const (
	text    kind = iota + 1 // characters
	binary                  // fixed-size numbers
	stream                  // other bytes or words
	nesting                 // items
)

func (v VR) kind() kind {
	switch v {
	case AE, AS, CS, DA, DS, DT, IS, LO, LT, PN, SH, ST, TM, UC, UI, UR, UT:
		return text
	case AT, FD, FL, SL, SS, SV, UL, US, UV:
		return binary
	case OB, OD, OF, OL, OV, OW, UN:
		return stream
	case SQ:
		return nesting
	}
	return 0
}

// IsText reports whether values are characters (PS3.5 6.2).
func (v VR) IsText() bool { return v.kind() == text }

// HasCharset reports whether values follow Specific Character Set (PS3.5 6.1.2.2).
func (v VR) HasCharset() bool {
	switch v {
	case LO, LT, PN, SH, ST, UC, UT:
		return true
	}
	return false
}

// IsSingle reports whether a text VR has one value only, in which a backslash is an
// ordinary character (PS3.5 6.2: LT, ST, UT, UR).
func (v VR) IsSingle() bool { return v == LT || v == ST || v == UT || v == UR }

// Width returns the bytes of one number, which byte swapping works on: 1 for text,
// bytes and UN, 2 to 8 for the numeric and the other-word VRs (PS3.5 7.3).
func (v VR) Width() int {
	switch v {
	case SS, US, OW, AT: // AT is two 16-bit numbers
		return 2
	case SL, UL, FL, OL, OF:
		return 4
	case FD, OD, SV, UV, OV:
		return 8
	}
	return 1
}

// Pad returns the byte that makes a value's length even: space for text, zero for UI
// and everything else (PS3.5 6.2).
func (v VR) Pad() byte {
	if v.IsText() && v != UI {
		return ' '
	}
	return 0
}
