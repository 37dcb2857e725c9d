package value

import (
	"math"
	"strconv"
	"strings"

	"gantry/dicom/vr"
)

// Decimal is a value of VR DS with its exact text, which float64 may not hold.
type Decimal struct {
	Text  string // without padding
	Value float64
}

// maxNumber is the most characters of a number that are looked at: four times what DS
// allows, since many writers exceed it.
const maxNumber = 64

// ParseDS reads a fixed or floating point number. The error is an *Error.
func ParseDS(s string) (Decimal, error) {
	s = trim(s)
	if len(s) > maxNumber {
		return Decimal{}, bad(vr.DS, "too long")
	}
	if s == "" || strings.Trim(s, "0123456789+-.eE") != "" {
		return Decimal{}, bad(vr.DS, "not a decimal number")
	}
	v, err := strconv.ParseFloat(s, 64)
	if math.IsInf(v, 0) {
		return Decimal{}, bad(vr.DS, "too large")
	}
	if err != nil {
		return Decimal{}, bad(vr.DS, "not a decimal number")
	}
	return Decimal{s, v}, nil
}

// FormatDS returns v in at most 16 characters, as near as they allow. The error is an
// *Error for infinities and for what is not a number.
func FormatDS(v float64) (string, error) {
	if math.IsInf(v, 0) || math.IsNaN(v) {
		return "", bad(vr.DS, "not a finite number")
	}
	if s := strconv.FormatFloat(v, 'f', -1, 64); len(s) <= 16 {
		return s, nil
	}
	if s := strconv.FormatFloat(v, 'g', -1, 64); len(s) <= 16 {
		return s, nil
	}
	for digits := 16; ; digits-- {
		if s := strconv.FormatFloat(v, 'g', digits, 64); len(s) <= 16 {
			return s, nil
		}
	}
}

// ParseIS reads an integer. Values beyond the 32 bits of the standard are read too, as
// long as int64 holds them; Validate refuses those. The error is an *Error.
func ParseIS(s string) (int64, error) {
	s = trim(s)
	if len(s) > maxNumber {
		return 0, bad(vr.IS, "too long")
	}
	if s == "" || strings.Trim(s, "0123456789+-") != "" {
		return 0, bad(vr.IS, "not an integer")
	}
	v, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		if v == math.MaxInt64 || v == math.MinInt64 {
			return 0, bad(vr.IS, "too large")
		}
		return 0, bad(vr.IS, "not an integer")
	}
	return v, nil
}

// Age is a value of VR AS.
type Age struct {
	N    int  // 0 to 999
	Unit byte // 'D', 'W', 'M' or 'Y'
}

// ParseAS reads nnnD, nnnW, nnnM or nnnY; fewer digits are read too. The error is an
// *Error.
func ParseAS(s string) (Age, error) {
	s = trim(s)
	if len(s) < 2 || len(s) > 4 || !strings.Contains("DWMY", s[len(s)-1:]) {
		return Age{}, bad(vr.AS, "not of the form nnnD, nnnW, nnnM or nnnY")
	}
	n, ok := digits(s, len(s)-1)
	if !ok {
		return Age{}, bad(vr.AS, "not of the form nnnD, nnnW, nnnM or nnnY")
	}
	return Age{n, s[len(s)-1]}, nil
}

// String returns the age in four characters, or "" for the zero Age.
func (a Age) String() string {
	if a.Unit == 0 {
		return ""
	}
	return string(append(appendDigits(make([]byte, 0, 4), a.N, 3), a.Unit))
}
