package value

import (
	"strings"
	"time"

	"gantry/dicom/vr"
)

// DateTime is a value of VR DT, as precise as it was written. The zero DateTime is none.
type DateTime struct {
	Date      Date // Month and Day are 0 when Precision says so
	Time      Time
	Precision Precision // ToYear to ToFraction
	HasOffset bool
	Offset    int // minutes: local time minus UTC
}

// ParseDT reads YYYYMMDDHHMMSS.FFFFFF&ZZXX, shortened from the right as far as the year,
// the offset from UTC left out or not. The error is an *Error.
func ParseDT(s string) (DateTime, error) {
	s = trim(s)
	var d DateTime
	if i := len(s) - 5; i >= 4 && (s[i] == '+' || s[i] == '-') {
		var err error
		if d.Offset, err = ParseOffset(s[i:]); err != nil {
			return DateTime{}, err
		}
		d.HasOffset, s = true, s[:i]
	}
	if len(s) > 8 {
		var err error
		if d.Time, err = parseClock(s[8:], vr.DT); err != nil {
			return DateTime{}, err
		}
		s = s[:8]
		d.Precision = d.Time.Precision
	}
	return d.parseDate(s)
}

// parseDate reads the date part of a DT: 4, 6 or 8 digits.
func (d DateTime) parseDate(s string) (DateTime, error) {
	if len(s) == 8 {
		date, err := ParseDA(s)
		if err != nil {
			return DateTime{}, bad(vr.DT, err.(*Error).Problem)
		}
		d.Date = date
		if d.Precision == Nothing {
			d.Precision = ToDay
		}
		return d, nil
	}
	year, ok := digits(s, 4)
	if !ok || len(s) != 4 && len(s) != 6 {
		return DateTime{}, bad(vr.DT, "not of the form YYYYMMDDHHMMSS.FFFFFF&ZZXX")
	}
	d.Date.Year, d.Precision = year, ToYear
	if len(s) == 6 {
		month, ok := digits(s[4:], 2)
		if !ok || month < 1 || month > 12 {
			return DateTime{}, bad(vr.DT, "no month of the calendar")
		}
		d.Date.Month, d.Precision = month, ToMonth
	}
	return d, nil
}

// ParseOffset reads &ZZXX, as DT and Timezone Offset From UTC (0008,0201) write it, and
// returns minutes. The error is an *Error.
func ParseOffset(s string) (int, error) {
	s = trim(s)
	if len(s) != 5 || s[0] != '+' && s[0] != '-' {
		return 0, bad(vr.DT, "an offset from UTC is of the form &ZZXX")
	}
	hours, ok1 := digits(s[1:], 2)
	minutes, ok2 := digits(s[3:], 2)
	total := hours*60 + minutes
	if s[0] == '-' {
		total = -total
	}
	if !ok1 || !ok2 || minutes > 59 || total < -12*60 || total > 14*60 || s == "-0000" {
		return 0, bad(vr.DT, "an offset from UTC is from -1200 to +1400")
	}
	return total, nil
}

// FormatOffset returns minutes as &ZZXX.
func FormatOffset(minutes int) string {
	b := []byte{'+'}
	if minutes < 0 {
		b[0], minutes = '-', -minutes
	}
	return string(appendDigits(appendDigits(b, minutes/60, 2), minutes%60, 2))
}

// IsZero reports whether d is the zero DateTime.
func (d DateTime) IsZero() bool { return d == DateTime{} }

// String returns the value as precise as it is, or "" for the zero DateTime.
func (d DateTime) String() string {
	var b strings.Builder
	var buf [16]byte
	if d.Precision >= ToYear {
		b.Write(appendDigits(buf[:0], d.Date.Year, 4))
	}
	if d.Precision >= ToMonth {
		b.Write(appendDigits(buf[:0], d.Date.Month, 2))
	}
	if d.Precision >= ToDay {
		b.Write(appendDigits(buf[:0], d.Date.Day, 2))
	}
	b.Write(d.Time.appendTo(buf[:0]))
	if d.HasOffset {
		b.WriteString(FormatOffset(d.Offset))
	}
	return b.String()
}

// Span returns what the value stands for: from, and until with until itself left out, so
// that 195308 is all of August 1953. A value without an offset is in loc (PS3.5 6.2).
func (d DateTime) Span(loc *time.Location) (from, until time.Time) {
	if d.HasOffset {
		loc = time.FixedZone("", d.Offset*60)
	}
	day := Date{d.Date.Year, max(d.Date.Month, 1), max(d.Date.Day, 1)}.Time(loc)
	switch d.Precision {
	case ToYear:
		return day, day.AddDate(1, 0, 0)
	case ToMonth:
		return day, day.AddDate(0, 1, 0)
	case ToDay:
		return day, day.AddDate(0, 0, 1)
	}
	t := d.Time
	from = time.Date(d.Date.Year, time.Month(d.Date.Month), d.Date.Day, t.Hour, t.Minute, t.Second, t.Micro*1000, loc)
	return from, from.Add(t.step())
}
