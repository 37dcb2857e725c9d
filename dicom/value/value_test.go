package value

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"gantry/dicom/vr"
)

// isError reports whether err is what the package promises, or nil when none is wanted.
func isError(err error, want bool) bool {
	var e *Error
	return errors.As(err, &e) == want && (err != nil) == want
}

func TestPN(t *testing.T) {
	for _, c := range []struct {
		in, out string
		bad     bool
	}{
		{"", "", false},
		{"Adams^John Robert Quincy^^Rev.^B.A. M.Div.", "Adams^John Robert Quincy^^Rev.^B.A. M.Div.", false},
		{"Doe^John^^^ ", "Doe^John", false},
		{" Doe ^ John ", "Doe^John", false},
		{"Yamada^Tarou=山田^太郎=やまだ^たろう", "Yamada^Tarou=山田^太郎=やまだ^たろう", false},
		{"==やまだ", "==やまだ", false},
		{"=山田=", "=山田", false},
		{"^^^^", "", false},
		{"a^b^c^d^e^f", "a^b^c^d^e^f", true},
		{"a=b=c=d", "a=b=c=d", true},
		{"^^Middle", "^^Middle", false},
	} {
		n, err := ParsePN(c.in)
		if n.String() != c.out || !isError(err, c.bad) {
			t.Errorf("%q: %q, %v", c.in, n, err)
		}
	}
	n, _ := ParsePN("Yamada^Tarou^M^Dr^Jr=山田=やまだ")
	if (n.Groups() != [3]NameGroup{{"Yamada", "Tarou", "M", "Dr", "Jr"}, {Family: "山田"}, {Family: "やまだ"}}) || n.IsZero() || n.Phonetic.IsZero() {
		t.Errorf("%+v", n)
	}
}

func TestFold(t *testing.T) {
	for in, want := range map[string]string{
		"Doe^John":     "doe^john",
		"Jérôme":       "jerome",
		"MÜLLER":       "muller",
		"Große":        "grosse",
		"Ångström":     "angstrom",
		"Łukasz Ørn":   "lukasz orn",
		"Διονύσιος":    "διονυσιοσ",
		"ﾔﾏﾀﾞ":         "ヤマダ",
		"ヤマダ":          "ヤマダ",
		"홍^길동":         "홍^길동",
		"ＡＢＣ":          "abc",
		"İstanbul":     "istanbul",
		"a*b?":         "a*b?",
		"שָׁלוֹם":      "שלום",
		"ไทย กิน":      "ไทย กิน",
		"J\u00e9r":     "jer",
		"Je\u0301r":    "jer",
		"Ёлкин":        "елкин",
		"ÆSIR Œuvre þ": "aesir oeuvre th",
	} {
		if got := Fold(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestDA(t *testing.T) {
	for in, want := range map[string]string{
		"20240229": "20240229", "19000228": "19000228", "2020.01.31": "20200131", "20200131 ": "20200131", "00010101\x00": "00010101",
		"20230229": "", "19000229": "", "20000229": "20000229", "20201301": "", "20200100": "", "20200431": "",
		"": "", "2020010": "", "202001011": "", "2020-01-01": "", "2020.1.1": "", "2020010a": "", "２０２００１": "",
	} {
		d, err := ParseDA(in)
		if d.String() != want || !isError(err, want == "") {
			t.Errorf("%q: %q, %v", in, d, err)
		}
	}
	a, b := Date{2020, 1, 31}, Date{2020, 2, 1}
	if a.Compare(b) != -1 || b.Compare(a) != 1 || a.Compare(a) != 0 || DateOf(a.Time(time.UTC)) != a {
		t.Error("dates out of order")
	}
}

func TestTM(t *testing.T) {
	for in, want := range map[string]string{
		"070907.0705 ": "070907.0705", "1010": "1010", "10": "10", "235960": "235960", "10:20:30.5": "102030.5", "10:20": "1020",
		"10:20:30": "102030", "000000.000001": "000000.000001", "120000.000000": "120000.000000",
		"021": "", "24": "", "1060": "", "105961": "", "102030.": "", "102030.1234567": "", "1020.5": "", "": "", "1a": "",
		"10:2030": "", "10:": "", "1:20": "", "10:20:30:40": "", "102030.-1": "", "+1": "",
	} {
		got, err := ParseTM(in)
		if got.String() != want || !isError(err, want == "") {
			t.Errorf("%q: %q, %v", in, got, err)
		}
	}
	tm, _ := ParseTM("1030")
	if from, until := tm.Span(); from != 10*time.Hour+30*time.Minute || until != from+time.Minute {
		t.Errorf("%v %v", from, until)
	}
	tm, _ = ParseTM("000000.05")
	if from, until := tm.Span(); from != 50*time.Millisecond || until != 60*time.Millisecond {
		t.Errorf("%v %v", from, until)
	}
	when := time.Date(2020, 1, 2, 3, 4, 5, 678912345, time.UTC)
	if got := TimeOf(when).String(); got != "030405.678912" {
		t.Error(got)
	}
}

func TestDT(t *testing.T) {
	for in, want := range map[string]string{
		"195308": "195308", "19530827111300.0": "19530827111300.0", "2007-0500": "2007-0500", "20070101+1400": "20070101+1400",
		"20070101120000.123456+0530": "20070101120000.123456+0530", "2007": "2007", "2007010112": "2007010112", "2007+0000 ": "2007+0000",
		"2007-0000": "", "2007+1401": "", "2007-1201": "", "200": "", "": "", "200713": "", "20070230": "", "2007010124": "",
		"2007010": "", "2007-050": "", "2007.01.01": "", "20070101120000.": "", "+0500": "", "2007+05a0": "",
	} {
		d, err := ParseDT(in)
		if d.String() != want || !isError(err, want == "") {
			t.Errorf("%q: %q, %v", in, d, err)
		}
	}
	for in, want := range map[string][2]string{
		"195308":                {"1953-08-01T00:00:00Z", "1953-09-01T00:00:00Z"},
		"2007-0500":             {"2007-01-01T05:00:00Z", "2008-01-01T05:00:00Z"},
		"20071231":              {"2007-12-31T00:00:00Z", "2008-01-01T00:00:00Z"},
		"2007123123":            {"2007-12-31T23:00:00Z", "2008-01-01T00:00:00Z"},
		"20070101120000.5+0900": {"2007-01-01T03:00:00.5Z", "2007-01-01T03:00:00.6Z"},
	} {
		d, err := ParseDT(in)
		from, until := d.Span(time.UTC)
		got := [2]string{from.UTC().Format(time.RFC3339Nano), until.UTC().Format(time.RFC3339Nano)}
		if err != nil || got != want {
			t.Errorf("%q: %v, %v", in, got, err)
		}
	}
	if got := FormatOffset(-5*60 - 30); got != "-0530" {
		t.Error(got)
	}
}

func TestRanges(t *testing.T) {
	for in, want := range map[string]string{
		"20200101": "20200101=20200101", "20200101-": "20200101-", "-20200131": "-20200131", "20200101-20200131": "20200101-20200131",
		"2020.01.01-2020.01.31": "20200101-20200131", "20200101 - 20200131 ": "20200101-20200131", "20200131-20200101": "20200131-20200101",
		"-": "!", "": "!", "20200101-x": "!", "20200101-20200131-20200201": "!", "x-": "!",
	} {
		r, err := ParseDARange(in)
		check(t, in, want, show(r, err))
	}
	for in, want := range map[string]string{
		"10-12": "10-12", "-1200": "-1200", "1200-": "1200-", "101010.5": "101010.5=101010.5", "10:00-11:00": "1000-1100", "-": "!", "25-": "!",
	} {
		r, err := ParseTMRange(in)
		check(t, in, want, show(r, err))
	}
	for in, want := range map[string]string{
		"2007-0500": "2007-0500=2007-0500", "2019-2020": "2019-2020", "20200101-": "20200101-", "-20200101": "-20200101",
		"2020-0500-2021-0500": "2020-0500-2021-0500", "2019-0500-": "2019-0500-", "-2020-0500": "-2020-0500",
		"2019-2020-0500": "2019-2020-0500", "2019-0500-2020": "2019-0500-2020", "2019+0100-2020+0100": "2019+0100-2020+0100",
		"20200101120000-0500-20200102": "20200101120000-0500-20200102", "2021-2020": "2021-2020",
		"-": "!", "": "!", "x": "!", "1-2-3-4-5": "!", "----": "!",
	} {
		r, err := ParseDTRange(in)
		check(t, in, want, show(r, err))
	}
	r, _ := ParseDTRange("2019-2020-0500")
	if r.From.HasOffset || !r.To.HasOffset || r.To.Offset != -300 {
		t.Errorf("%+v", r)
	}
}

func show[T interface{ String() string }](r Range[T], err error) string {
	if err != nil {
		return "!"
	}
	if r.Single {
		return r.From.String() + "=" + r.To.String()
	}
	s := "-"
	if r.HasFrom {
		s = r.From.String() + s
	}
	if r.HasTo {
		s += r.To.String()
	}
	return s
}

func check(t *testing.T, in, want, got string) {
	t.Helper()
	if got != want {
		t.Errorf("%q: %q, want %q", in, got, want)
	}
}

func TestNumbers(t *testing.T) {
	for in, want := range map[string]float64{"1": 1, " -1.5E3 ": -1500, "+.5": 0.5, "1.": 1, "0.1000": 0.1, "1e-400": 0} {
		if d, err := ParseDS(in); err != nil || d.Value != want || d.Text != strings.TrimSpace(in) {
			t.Errorf("%q: %+v, %v", in, d, err)
		}
	}
	for _, in := range []string{"", "1 2", "0x10", "Inf", "NaN", "1_0", "1e999", "-", "e5", "1,5", strings.Repeat("1", 65)} {
		if d, err := ParseDS(in); !isError(err, true) {
			t.Errorf("%q: %+v, %v", in, d, err)
		}
	}
	for in, want := range map[string]int64{"1": 1, " -12 ": -12, "+5": 5, "2147483648": 2147483648, "007": 7} {
		if n, err := ParseIS(in); err != nil || n != want {
			t.Errorf("%q: %d, %v", in, n, err)
		}
	}
	for _, in := range []string{"", "1.0", "1-2", "99999999999999999999", "-99999999999999999999", "0x1", "1_0"} {
		if n, err := ParseIS(in); !isError(err, true) {
			t.Errorf("%q: %d, %v", in, n, err)
		}
	}
	for in, want := range map[string]string{"018M": "018M", "45Y": "045Y", "1D ": "001D", "": "", "018": "", "M": "", "0018M": "", "01xM": "", "018m": ""} {
		if a, err := ParseAS(in); a.String() != want || !isError(err, want == "") {
			t.Errorf("%q: %q, %v", in, a, err)
		}
	}
}

func TestFormatDS(t *testing.T) {
	for in, want := range map[float64]string{0: "0", 1.5: "1.5", -0.1: "-0.1", 1e20: "1e+20", math.Pi: "3.14159265358979", 0.1234567890123456: "0.12345678901235", -math.Pi * 1e-300: "-3.14159265e-300"} {
		got, err := FormatDS(in)
		if err != nil || len(got) > 16 || got != want {
			t.Errorf("%v: %q, %v", in, got, err)
		}
		if v, err := strconv.ParseFloat(got, 64); err != nil || math.Abs(v-in) > math.Abs(in)*1e-8 {
			t.Errorf("%v: %q is %v", in, got, v)
		}
	}
	for _, in := range []float64{math.Inf(1), math.Inf(-1), math.NaN()} {
		if s, err := FormatDS(in); !isError(err, true) {
			t.Errorf("%v: %q", in, s)
		}
	}
}

func TestWildcard(t *testing.T) {
	for _, c := range []struct {
		key, s string
		want   bool
	}{
		{"", "", true}, {"", "a", false}, {"*", "", true}, {"*", "abc", true}, {"?", "", false}, {"?", "é", true}, {"??", "é", false},
		{"a*", "abc", true}, {"*c", "abc", true}, {"*b*", "abc", true}, {"a*c", "abc", true}, {"a*c", "ac", true}, {"a*a", "a", false},
		{"*a*a*", "aa", true}, {"*a*a*", "a", false}, {"a?c", "abc", true}, {"a?c", "ac", false}, {"*?c", "abc", true}, {"*?c", "c", false},
		{"?*?", "ab", true}, {"?*?", "a", false}, {"*山?", "富山県", true}, {"*山?", "富山", false}, {"a**b", "ab", true}, {"*ab*ab", "abab", true},
		{"*ab*ab", "ab", false}, {"*a?b*", "xxaab", true}, {"abc", "abcd", false}, {"abcd", "abc", false}, {"[a]", "a", false}, {".*", "ab", false},
		{"*?b?*", "abbc", true}, {"a*b?d", "axxbcd", true}, {"?", "\xff", true},
	} {
		w, err := ParseWildcard(c.key)
		if err != nil || w.Match(c.s) != c.want {
			t.Errorf("%q %q: %v, %v", c.key, c.s, !c.want, err)
		}
		if c.want && !strings.HasPrefix(c.s, w.Prefix()) {
			t.Errorf("%q: prefix %q", c.key, w.Prefix())
		}
	}
	var long *WildcardError
	if _, err := ParseWildcard(strings.Repeat("*", MaxWildcard+1)); !errors.As(err, &long) {
		t.Error(err)
	}
	for key, want := range map[string]bool{"*": true, "**": true, "": false, "*?": false, "a*": false} {
		if w, _ := ParseWildcard(key); w.Any() != want {
			t.Errorf("%q: any is %v", key, !want)
		}
	}
	if (Wildcard{}).Match("a") || !(Wildcard{}).Match("") || !HasWildcard("a?") || HasWildcard("a") {
		t.Error("zero Wildcard")
	}
}

// TestWildcardTime fails when a hostile key takes more than its bound.
func TestWildcardTime(t *testing.T) {
	s := strings.Repeat("a", 64<<10)
	for _, key := range []string{strings.Repeat("a*", 511) + "b", strings.Repeat("*a", 511) + "?b", "*" + strings.Repeat("a?", 500) + "b"} {
		w, err := ParseWildcard(key)
		start := time.Now()
		if err != nil || w.Match(s) {
			t.Errorf("%.10s: matches, %v", key, err)
		}
		if d := time.Since(start); d > 3*time.Second {
			t.Errorf("%.10s: %v", key, d)
		}
	}
}

func TestValidate(t *testing.T) {
	long := strings.Repeat("é", 64)
	for _, c := range []struct {
		v  vr.VR
		s  string
		ok bool
	}{
		{vr.PN, "Doe^John", true}, {vr.PN, long + "=" + long, true}, {vr.PN, long + "a", false}, {vr.PN, "a^b^c^d^e^f", false}, {vr.PN, "a\\b", false}, {vr.PN, "a\nb", false},
		{vr.LO, long, true}, {vr.LO, long + "  ", true}, {vr.LO, long + "a", false}, {vr.LO, "a\tb", false}, {vr.SH, strings.Repeat("é", 17), false},
		{vr.LT, "a\r\n\tb\\", true}, {vr.LT, "a\x01", false}, {vr.LT, strings.Repeat("a", 10241), false}, {vr.ST, strings.Repeat("a", 1025), false},
		{vr.UT, strings.Repeat("a", 20000), true}, {vr.UC, "a\\b", false},
		{vr.CS, "ORIGINAL_1 A", true}, {vr.CS, "lower", false}, {vr.CS, strings.Repeat("A", 17), false}, {vr.CS, "", true}, {vr.CS, "Ä", false},
		{vr.AE, "STORE-SCP", true}, {vr.AE, "   ", false}, {vr.AE, "Ä", false}, {vr.AE, strings.Repeat("A", 17), false},
		{vr.DA, "20200131", true}, {vr.DA, "2020.01.31", false}, {vr.DA, "20200132", false}, {vr.DA, "", true},
		{vr.TM, "101010.5", true}, {vr.TM, "10:10:10", false}, {vr.TM, "1010 ", true}, {vr.TM, " 1010", false},
		{vr.DT, "2020-0500", true}, {vr.DT, "2020 ", true}, {vr.DT, "2020x", false},
		{vr.DS, " 1.5", true}, {vr.DS, "1.2345678901234567", false}, {vr.DS, "abc", false}, {vr.IS, "2147483647", true}, {vr.IS, "2147483648", false}, {vr.IS, "1.0", false},
		{vr.AS, "018M", true}, {vr.AS, "18M", false}, {vr.UI, "1.2.840\x00", true}, {vr.UI, "1.02", false}, {vr.UI, "1.2 ", false},
		{vr.UR, "http://a/b?c=d%20e", true}, {vr.UR, "a b", false}, {vr.UR, "a\\b", false}, {vr.UR, " a", false}, {vr.UR, "a\n", false},
		{vr.OB, "\x00\xff", true}, {vr.LO, "a\xff", false},
	} {
		if err := Validate(c.v, c.s); !isError(err, !c.ok) {
			t.Errorf("%s %.20q: %v", c.v, c.s, err)
		}
	}
}
