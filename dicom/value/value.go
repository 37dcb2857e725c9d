// Package value reads, checks and writes the texts of DICOM values: person names, dates
// and times with their ranges, numbers, ages (PS3.5 6.2), and matches wildcards (PS3.4
// C.2.2.2.4). Its functions are pure: text in, values out, no data set.
//
// Parse functions are tolerant of padding and of the forms of ACR-NEMA; Validate is not.
package value

import (
	"strings"

	"gantry/dicom/vr"
)

// Error says why a text is no value of a VR. It holds nothing of the text, which may be
// about a patient.
type Error struct {
	VR      vr.VR
	Problem string
}

func (e *Error) Error() string { return e.VR.String() + " value: " + e.Problem }

func bad(v vr.VR, problem string) error { return &Error{v, problem} }

// trim drops the padding around a value.
func trim(s string) string { return strings.Trim(s, " \x00") }

// digits reads exactly n decimal digits at the start of s.
func digits(s string, n int) (int, bool) {
	if len(s) < n {
		return 0, false
	}
	value := 0
	for i := range n {
		c := s[i]
		if c < '0' || c > '9' {
			return 0, false
		}
		value = value*10 + int(c-'0')
	}
	return value, true
}

// appendDigits appends value as n decimal digits.
func appendDigits(dst []byte, value, n int) []byte {
	for scale := pow10(n - 1); scale > 0; scale /= 10 {
		dst = append(dst, byte('0'+value/scale%10))
	}
	return dst
}

func pow10(n int) int {
	p := 1
	for range n {
		p *= 10
	}
	return p
}
