package match

import (
	"strings"
	"time"
)

// span is what a date or time of limited precision stands for: digits from and to, both
// included, compared as text.
type span struct{ from, to string }

const (
	lowTime  = "000000000000"
	highTime = "235960999999"
)

// dateSpan reads a DA value, also in the old form with dots (PS3.5 6.2).
func dateSpan(s string) (span, bool) {
	s = strings.ReplaceAll(strings.TrimSpace(s), ".", "")
	return span{s, s}, len(s) == 8 && digits(s)
}

// timeSpan reads a TM value of any precision, also in the old form with colons.
func timeSpan(s string) (span, bool) {
	s = strings.ReplaceAll(strings.TrimSpace(s), ":", "")
	whole, frac, _ := strings.Cut(s, ".")
	if len(whole) < 2 || len(whole) > 6 || len(whole)%2 == 1 || !digits(whole) || !digits(frac) || len(frac) > 6 || frac != "" && len(whole) < 6 {
		return span{}, false
	}
	s = whole + frac
	return span{s + lowTime[len(s):], s + highTime[len(s):]}, true
}

const (
	lowMoment  = "00000101000000000000"
	highMoment = "99991231235960999999"
)

// momentSpan reads a DT value of any precision; with an offset from UTC it is turned into
// UTC, else taken as it stands (PS3.4 C.2.2.2.1.3).
func momentSpan(s string) (span, bool) {
	s = strings.TrimSpace(s)
	s, offset := cutOffset(s)
	whole, frac, _ := strings.Cut(s, ".")
	if len(whole) < 4 || len(whole) > 14 || len(whole)%2 == 1 || !digits(whole) || !digits(frac) || len(frac) > 6 || frac != "" && len(whole) < 14 {
		return span{}, false
	}
	s = whole + frac
	return span{shift(s+lowMoment[len(s):], offset), shift(s+highMoment[len(s):], offset)}, true
}

// cutOffset splits "...&ZZXX".
func cutOffset(s string) (string, time.Duration) {
	i := len(s) - 5
	if i < 4 || s[i] != '+' && s[i] != '-' || !digits(s[i+1:]) {
		return s, 0
	}
	d := time.Duration(s[i+1]-'0')*10*time.Hour + time.Duration(s[i+2]-'0')*time.Hour +
		time.Duration(s[i+3]-'0')*10*time.Minute + time.Duration(s[i+4]-'0')*time.Minute
	if s[i] == '-' {
		d = -d
	}
	return s[:i], d
}

// shift turns a local moment of 20 digits into UTC.
func shift(s string, offset time.Duration) string {
	if offset == 0 {
		return s
	}
	whole, leap := s[:14], s[12:14] == "60" // a leap second, and the end of an open minute
	if leap {
		whole = s[:12] + "59"
	}
	t, err := time.Parse("20060102150405", whole)
	if err != nil {
		return s
	}
	out := t.Add(-offset).Format("20060102150405")
	if leap {
		out = out[:12] + "60"
	}
	return out + s[14:]
}

func digits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// cutRange splits a range "from-to", "from-" or "-to" (PS3.4 C.2.2.2.5). A DT offset is
// not taken for a range.
func cutRange(s string, moment bool) (from, to string, ok bool) {
	for i := range len(s) {
		if s[i] != '-' {
			continue
		}
		if moment && i >= 4 && len(s)-i >= 5 && digits(s[i+1:i+5]) && (len(s)-i == 5 || s[i+5] == '-') && !yearRange(s, i) {
			continue
		}
		return strings.TrimSpace(s[:i]), strings.TrimSpace(s[i+1:]), true
	}
	return s, "", false
}

// yearRange tells "2019-2021", a range of years, from a year with an offset: hours of an
// offset are at most 14.
func yearRange(s string, i int) bool {
	return s[i+1:i+3] > "14"
}
