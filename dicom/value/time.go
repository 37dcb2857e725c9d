package value

import (
	"strings"
	"time"

	"gantry/dicom/vr"
)

// Precision is the smallest component that a date or time gives.
type Precision uint8

// The precisions of TM and DT, from none to a part of a second.
const (
	Nothing Precision = iota
	ToYear
	ToMonth
	ToDay
	ToHour
	ToMinute
	ToSecond
	ToFraction
)

// Time is a value of VR TM: a time of day, as precise as it was written. The zero Time
// has no component at all.
type Time struct {
	Hour, Minute int
	Second       int // 60 in a leap second
	Micro        int // millionths of a second
	Digits       int // of the fraction, 1 to 6, when Precision is ToFraction
	Precision    Precision
}

// ParseTM reads HH, HHMM, HHMMSS or HHMMSS.F to .FFFFFF, and with colons as ACR-NEMA
// wrote it. The error is an *Error.
func ParseTM(s string) (Time, error) {
	s = trim(s)
	if len(s) > 2 && s[2] == ':' {
		if len(s) != 5 && (len(s) < 8 || s[5] != ':') {
			return Time{}, bad(vr.TM, "not of the form HHMMSS.FFFFFF")
		}
		s = strings.Replace(s, ":", "", 2)
	}
	return parseClock(s, vr.TM)
}

// parseClock reads the form of TM, which DT has after the date.
func parseClock(s string, v vr.VR) (Time, error) {
	var t Time
	body, fraction, hasFraction := strings.Cut(s, ".")
	parts := []*int{&t.Hour, &t.Minute, &t.Second}
	limits := [3]int{23, 59, 60}
	if len(body) == 0 || len(body)%2 != 0 || len(body) > 6 || hasFraction && len(body) != 6 {
		return Time{}, bad(v, "not of the form HHMMSS.FFFFFF")
	}
	for i := 0; i < len(body)/2; i++ {
		n, ok := digits(body[2*i:], 2)
		if !ok || n > limits[i] {
			return Time{}, bad(v, "no time of the day")
		}
		*parts[i] = n
		t.Precision = ToHour + Precision(i)
	}
	if !hasFraction {
		return t, nil
	}
	n, ok := digits(fraction, len(fraction))
	if !ok || len(fraction) == 0 || len(fraction) > 6 {
		return Time{}, bad(v, "a fraction of a second has 1 to 6 digits")
	}
	t.Micro, t.Digits, t.Precision = n*pow10(6-len(fraction)), len(fraction), ToFraction
	return t, nil
}

// TimeOf returns the time of day of t in its location, to the microsecond.
func TimeOf(t time.Time) Time {
	return Time{t.Hour(), t.Minute(), t.Second(), t.Nanosecond() / 1000, 6, ToFraction}
}

// String returns the time as precise as it is, or "" for the zero Time.
func (t Time) String() string { return string(t.appendTo(make([]byte, 0, 13))) }

func (t Time) appendTo(b []byte) []byte {
	if t.Precision >= ToHour {
		b = appendDigits(b, t.Hour, 2)
	}
	if t.Precision >= ToMinute {
		b = appendDigits(b, t.Minute, 2)
	}
	if t.Precision >= ToSecond {
		b = appendDigits(b, t.Second, 2)
	}
	if t.Precision >= ToFraction {
		b = append(b, '.')
		b = appendDigits(b, t.Micro/pow10(6-t.Digits), t.Digits)
	}
	return b
}

// Span returns what the time stands for as the time since midnight: from, and until with
// until itself left out, so that 10 is from ten to eleven.
func (t Time) Span() (from, until time.Duration) {
	from = time.Duration(t.Hour)*time.Hour + time.Duration(t.Minute)*time.Minute +
		time.Duration(t.Second)*time.Second + time.Duration(t.Micro)*time.Microsecond
	return from, from + t.step()
}

func (t Time) step() time.Duration {
	switch t.Precision {
	case ToHour:
		return time.Hour
	case ToMinute:
		return time.Minute
	case ToSecond:
		return time.Second
	case ToFraction:
		return time.Duration(pow10(6-t.Digits)) * time.Microsecond
	}
	return 24 * time.Hour
}
