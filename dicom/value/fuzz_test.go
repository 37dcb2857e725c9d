package value

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"gantry/dicom/vr"
)

func FuzzPN(f *testing.F) {
	for _, s := range []string{"Adams^John^^Rev.^B.A.", "a=b=c=d", "^^^^^^", "==", " a ^ b "} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n, err := ParsePN(s)
		if err != nil {
			return
		}
		if again, err := ParsePN(n.String()); err != nil || again != n {
			t.Errorf("%q: %q, then %q, %v", s, n, again, err)
		}
	})
}

func FuzzFold(f *testing.F) {
	for _, s := range []string{"Jérôme", "Große", "ﾔﾏﾀﾞ", "홍길동", "İ", "\xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if !utf8.ValidString(s) {
			Fold(s)
			return
		}
		if once := Fold(s); Fold(once) != once {
			t.Errorf("%q: %q, then %q", s, once, Fold(once))
		}
	})
}

func FuzzTemporal(f *testing.F) {
	for _, s := range []string{"20200131", "2020.01.31", "10:20:30.5", "2007-0500", "2019-0500-2020-0500", "-1200", "20200101-", "----"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if d, err := ParseDA(s); err == nil {
			if again, err := ParseDA(d.String()); err != nil || again != d || Validate(vr.DA, d.String()) != nil {
				t.Errorf("%q: %q", s, d)
			}
		}
		if d, err := ParseTM(s); err == nil {
			from, until := d.Span()
			if again, err := ParseTM(d.String()); err != nil || again != d || from >= until || Validate(vr.TM, d.String()) != nil {
				t.Errorf("%q: %q", s, d)
			}
		}
		if d, err := ParseDT(s); err == nil {
			from, until := d.Span(time.UTC)
			if again, err := ParseDT(d.String()); err != nil || again != d || !from.Before(until) || Validate(vr.DT, d.String()) != nil {
				t.Errorf("%q: %q", s, d)
			}
		}
		if r, err := ParseDTRange(s); err == nil && !r.HasFrom && !r.HasTo {
			t.Errorf("%q: %+v", s, r)
		}
		_, _ = ParseDARange(s)
		_, _ = ParseTMRange(s)
	})
}

func FuzzNumber(f *testing.F) {
	for _, s := range []string{"1.5", "-1e10", " 5 ", "018M", "99999999999999999999", "1e999"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if d, err := ParseDS(s); err == nil {
			if text, err := FormatDS(d.Value); err != nil || Validate(vr.DS, text) != nil {
				t.Errorf("%q: %q, %v", s, text, err)
			}
		}
		if a, err := ParseAS(s); err == nil && Validate(vr.AS, a.String()) != nil {
			t.Errorf("%q: %q", s, a)
		}
		_, _ = ParseIS(s)
	})
}

func FuzzValidate(f *testing.F) {
	for i, v := range vr.All() {
		f.Add(uint8(i), v.String())
	}
	f.Fuzz(func(t *testing.T, i uint8, s string) {
		v := vr.All()[int(i)%len(vr.All())]
		if err := Validate(v, s); err != nil && err.Error() == "" {
			t.Error("an error without words")
		}
	})
}

func FuzzWildcard(f *testing.F) {
	for _, s := range []string{"a*b?c", "*", "??", "*a?b*", ""} {
		f.Add(s, "axxbyc")
	}
	f.Fuzz(func(t *testing.T, key, s string) {
		if len(key) > 40 || len(s) > 60 || strings.Count(key, "*") > 6 || !utf8.ValidString(key) || !utf8.ValidString(s) {
			return
		}
		w, err := ParseWildcard(key)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := w.Match(s), slow([]rune(key), []rune(s)); got != want {
			t.Errorf("%q %q: %v", key, s, got)
		}
	})
}

// slow is the definition of wildcard matching, without regard to time but for a table.
func slow(key, s []rune) bool {
	row := make([]bool, len(s)+1)
	row[0] = true
	for _, k := range key {
		next := make([]bool, len(s)+1)
		next[0] = row[0] && k == '*'
		for j := range s {
			switch k {
			case '*':
				next[j+1] = next[j] || row[j+1]
			default:
				next[j+1] = row[j] && (k == '?' || k == s[j])
			}
		}
		row = next
	}
	return row[len(s)]
}

func BenchmarkWildcard(b *testing.B) {
	w, _ := ParseWildcard("*smith*j?hn*")
	b.ReportAllocs()
	for b.Loop() {
		if !w.Match("blacksmith^mary john^^dr") {
			b.Fatal("no match")
		}
	}
}

func BenchmarkParsePN(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParsePN("Adams^John Robert Quincy^^Rev.^B.A. M.Div."); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkParseDT(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParseDT("20070101120000.123456+0530"); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkFold(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if Fold("Jérôme^Müller") == "" {
			b.Fatal("empty")
		}
	}
}
