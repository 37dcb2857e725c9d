package value

import (
	"time"

	"gantry/dicom/vr"
)

// Date is a value of VR DA, in the Gregorian calendar reckoned backwards without end. The
// zero Date is none; it is before every other one.
type Date struct {
	Year  int
	Month int // 1 to 12
	Day   int // 1 to 31
}

// ParseDA reads YYYYMMDD, and YYYY.MM.DD as ACR-NEMA wrote it. The error is an *Error.
func ParseDA(s string) (Date, error) {
	s = trim(s)
	if len(s) == 10 && s[4] == '.' && s[7] == '.' {
		s = s[:4] + s[5:7] + s[8:]
	}
	if len(s) != 8 {
		return Date{}, bad(vr.DA, "not of the form YYYYMMDD")
	}
	year, ok1 := digits(s, 4)
	month, ok2 := digits(s[4:], 2)
	day, ok3 := digits(s[6:], 2)
	if !ok1 || !ok2 || !ok3 {
		return Date{}, bad(vr.DA, "not of the form YYYYMMDD")
	}
	if month < 1 || month > 12 || day < 1 || day > daysIn(year, month) {
		return Date{}, bad(vr.DA, "no day of the calendar")
	}
	return Date{year, month, day}, nil
}

func daysIn(year, month int) int {
	switch month {
	case 4, 6, 9, 11:
		return 30
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	}
	return 31
}

// DateOf returns the date of t in its location.
func DateOf(t time.Time) Date {
	y, m, d := t.Date()
	return Date{y, int(m), d}
}

// IsZero reports whether d is the zero Date.
func (d Date) IsZero() bool { return d == Date{} }

// String returns YYYYMMDD, or "" for the zero Date.
func (d Date) String() string {
	if d.IsZero() {
		return ""
	}
	b := appendDigits(make([]byte, 0, 8), d.Year, 4)
	return string(appendDigits(appendDigits(b, d.Month, 2), d.Day, 2))
}

// Compare orders dates: -1, 0 or 1.
func (d Date) Compare(other Date) int {
	a, b := d.Year*10000+d.Month*100+d.Day, other.Year*10000+other.Month*100+other.Day
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// Time returns the beginning of the day in a location.
func (d Date) Time(loc *time.Location) time.Time {
	return time.Date(d.Year, time.Month(d.Month), d.Day, 0, 0, 0, 0, loc)
}
