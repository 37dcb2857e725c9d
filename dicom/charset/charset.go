// Package charset decodes and encodes text by Specific Character Set (0008,0005): every
// defined term of PS3.3 C.12.1.1.2, alone or several with the code extensions of ISO/IEC
// 2022 (PS3.5 6.1.2).
//
// Decoding never fails and never drops a byte silently: what cannot be read becomes
// U+FFFD, and an error beside the text names the first deviation.
package charset

import "gantry/dicom/vr"

// Set is what the values of Specific Character Set stand for. The zero Set is the
// default repertoire, ISO-IR 6. Sets are small values, comparable with ==, and safe for
// concurrent use.
type Set struct {
	codes    [maxCodes]code // value 1 first
	n        uint8          // how many; 0 is the default repertoire
	extended bool           // code extensions may be used (PS3.3 C.12.1.1.2)
}

// maxCodes is how many terms a Set keeps: the standard has no more to combine.
const maxCodes = 15

// UTF8 is Unicode in UTF-8, ISO_IR 192. It represents every text.
var UTF8 = Set{codes: [maxCodes]code{utf8Code}, n: 1}

// first returns the code of value 1.
func (s Set) first() code {
	if s.n == 0 {
		return ascii
	}
	return s.codes[0]
}

// has reports whether c is one of the codes.
func (s Set) has(c code) bool {
	for _, own := range s.codes[:s.n] {
		if own == c {
			return true
		}
	}
	return c == s.first()
}

// Terms returns the defined terms of s for Specific Character Set, none for the default
// repertoire. Terms that were misspelt come back as the standard spells them.
func (s Set) Terms() []string {
	if s.n == 0 {
		return nil
	}
	terms := make([]string, s.n)
	for i, c := range s.codes[:s.n] {
		if i == 0 && c == ascii {
			continue // an empty value 1 is the default repertoire
		}
		terms[i] = c.term(s.extended)
	}
	return terms
}

// resets reports whether the byte or character c is a delimiter at which the code
// elements of value 1 are in force again (PS3.5 6.1.2.5.3).
func resets(c byte, v vr.VR) bool {
	switch c {
	case '\n', '\f', '\r', '\t':
		return true
	case '\\':
		return !v.IsSingle()
	case '^', '=':
		return v == vr.PN
	}
	return false
}

// plain reports whether b is ASCII without escapes, the case that needs no tables.
func plain[T string | []byte](b T) bool {
	for i := range len(b) {
		if b[i] >= 0x80 || b[i] == esc {
			return false
		}
	}
	return true
}

const esc = 0x1B
