package charset

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"gantry/dicom/vr"
)

// examples are those of PS3.5 annexes H, I, J and K, and one for each defined term.
var examples = []struct {
	name  string
	terms []string
	vr    vr.VR
	bytes string
	text  string
	other bool // Encode may write other bytes for the same text
}{
	{"H.3.1", []string{"", "ISO 2022 IR 87"}, vr.PN,
		"Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B=\x1b$B$d$^$@\x1b(B^\x1b$B$?$m$&\x1b(B",
		"Yamada^Tarou=山田^太郎=やまだ^たろう", false},
	{"H.3.2", []string{"ISO 2022 IR 13", "ISO 2022 IR 87"}, vr.PN,
		"\xd4\xcf\xc0\xde^\xc0\xdb\xb3=\x1b$B;3ED\x1b(J^\x1b$BB@O:\x1b(J=\x1b$B$d$^$@\x1b(J^\x1b$B$?$m$&\x1b(J",
		"ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう", false},
	{"I.2", []string{"", "ISO 2022 IR 149"}, vr.PN,
		"Hong^Gildong=\x1b$)C\xfb\xf3^\x1b$)C\xd1\xce\xd4\xd7=\x1b$)C\xc8\xab^\x1b$)C\xb1\xe6\xb5\xbf",
		"Hong^Gildong=洪^吉洞=홍^길동", false},
	{"I.3", []string{"", "ISO 2022 IR 149"}, vr.LT,
		"\x1b$)CThe 1st line includes \xb1\xe6\xb5\xbf.\r\n\x1b$)CThe 2nd line includes \xb1\xe6\xb5\xbf, too.\r\n\x1b$)CThe 3rd line.",
		"The 1st line includes 길동.\r\nThe 2nd line includes 길동, too.\r\nThe 3rd line.", true},
	{"J.1", []string{"ISO_IR 192"}, vr.PN,
		"Wang^XiaoDong=\xe7\x8e\x8b^\xe5\xb0\x8f\xe6\x9d\xb1=", "Wang^XiaoDong=王^小東=", false},
	{"J.2", []string{"ISO_IR 192"}, vr.LT,
		"The first line includes \xe4\xb8\xad\xe6\x96\x87.\r\nThe second line includes \xe4\xb8\xad\xe6\x96\x87, too.\r\nThe third line.\r\n",
		"The first line includes 中文.\r\nThe second line includes 中文, too.\r\nThe third line.\r\n", false},
	{"J.3", []string{"GB18030"}, vr.PN,
		"Wang^XiaoDong=\xcd\xf5^\xd0\xa1\xb6\xab=", "Wang^XiaoDong=王^小东=", false},
	{"J.3 with GBK", []string{"GBK"}, vr.PN,
		"Wang^XiaoDong=\xcd\xf5^\xd0\xa1\xb6\xab=", "Wang^XiaoDong=王^小东=", false},
	{"J.4", []string{"GB18030"}, vr.LT,
		"The first line includes \xd6\xd0\xce\xc4.\r\nThe second line includes \xd6\xd0\xce\xc4, too.\r\nThe third line.\r\n",
		"The first line includes 中文.\r\nThe second line includes 中文, too.\r\nThe third line.\r\n", false},
	{"K.2", []string{"", "ISO 2022 IR 58"}, vr.PN,
		"Zhang^XiaoDong=\x1b$)A\xd5\xc5^\x1b$)A\xd0\xa1\xb6\xab=", "Zhang^XiaoDong=张^小东=", false},
	{"K.3", []string{"", "ISO 2022 IR 58"}, vr.LT,
		"\x1b$)A1. \xb5\xda\xd2\xbb\xd0\xd0\xce\xc4\xd7\xd6\xa1\xa3\r\n\x1b$)A2. \xb5\xda\xb6\xfe\xd0\xd0\xce\xc4\xd7\xd6\xa1\xa3\r\n\x1b$)A3. \xb5\xda\xc8\xfd\xd0\xd0\xce\xc4\xd7\xd6\xa1\xa3\r\n",
		"1. 第一行文字。\r\n2. 第二行文字。\r\n3. 第三行文字。\r\n", true},

	{"default", nil, vr.LO, "plain", "plain", false},
	{"IR 100", []string{"ISO_IR 100"}, vr.PN, "Buc^J\xe9r\xf4me", "Buc^Jérôme", false},
	{"IR 101", []string{"ISO_IR 101"}, vr.PN, "Wa\xb3\xeasa", "Wałęsa", false},
	{"IR 109", []string{"ISO_IR 109"}, vr.LO, "\xb6a\xfdde", "ĥaŭde", false},
	{"IR 110", []string{"ISO_IR 110"}, vr.LO, "\xe0bols", "ābols", false},
	{"IR 144", []string{"ISO_IR 144"}, vr.PN, "\xbb\xee\xdace\xdc\xd1yp\xd3", "Люкceмбypг", false},
	{"IR 127", []string{"ISO_IR 127"}, vr.PN, "\xe2\xc8\xc7\xe6\xea^\xe4\xe6\xd2\xc7\xd1", "قباني^لنزار", false},
	{"IR 126", []string{"ISO_IR 126"}, vr.PN, "\xc4\xe9\xef\xed\xf5\xf3\xe9\xef\xf2", "Διονυσιος", false},
	{"IR 138", []string{"ISO_IR 138"}, vr.PN, "\xf9\xf8\xe5\xef^\xe3\xe1\xe5\xf8\xe4", "שרון^דבורה", false},
	{"IR 148", []string{"ISO_IR 148"}, vr.PN, "\xc7avu\xfeo\xf0lu", "Çavuşoğlu", false},
	{"IR 203", []string{"ISO_IR 203"}, vr.LO, "\xbduvre \xa4", "œuvre €", false},
	{"IR 166", []string{"ISO_IR 166"}, vr.LO, "\xe4\xb7\xc2", "ไทย", false},
	{"IR 13", []string{"ISO_IR 13"}, vr.PN, "\xd4\xcf\xc0\xde^\xc0\xdb\xb3", "ﾔﾏﾀﾞ^ﾀﾛｳ", false},
	{"IR 13 yen", []string{"ISO_IR 13"}, vr.LT, "\\100 ~", "¥100 ‾", false},
	{"IR 13 values", []string{"ISO_IR 13"}, vr.LO, "\xb1\\\xb2~", "ｱ\\ｲ‾", false},
	{"IR 159", []string{"", "ISO 2022 IR 87", "ISO 2022 IR 159"}, vr.PN,
		"A=\x1b$(D0\x21\x1b$B;3\x1b(B^\x1b$(D0\x22\x1b(B", "A=丂山^丄", false},
	{"IR 87, 0208 with backslash byte", []string{"", "ISO 2022 IR 87"}, vr.LO, "\x1b$BI=\x5c\x5c\x1b(B\\b", "表樛\\b", true},
	{"two G1 sets", []string{"ISO 2022 IR 100", "ISO 2022 IR 126", "ISO 2022 IR 144"}, vr.PN,
		"J\xe9r\x1b-F\xc4\xe9\x1b-A^\xe9\x1b-L\xbb\x1b-A", "JérΔι^éЛ", false},
	{"reset at a new line", []string{"ISO 2022 IR 6", "ISO 2022 IR 100"}, vr.LT,
		"\x1b-A\xe9\n\x1b-A\xe9\\\xe9", "é\né\\é", false},
	{"reset at a value", []string{"", "ISO 2022 IR 166"}, vr.SH, "\x1b-T\xe4\\\x1b-T\xb7", "ไ\\ท", false},
	{"all singles", []string{"ISO 2022 IR 101", "ISO 2022 IR 109", "ISO 2022 IR 110", "ISO 2022 IR 127", "ISO 2022 IR 138", "ISO 2022 IR 148", "ISO 2022 IR 203", "ISO 2022 IR 13"}, vr.UT,
		"\xb3\x1b-C\xb6\x1b-D\xe0\x1b-G\xe2\x1b-H\xf9\x1b-M\xf0\x1b-b\xbd\x1b)I\xb1\x1b-B", "łĥāقשğœｱ", true},
}

func TestDecode(t *testing.T) {
	for _, c := range examples {
		s, err := Parse(c.terms...)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if got, err := s.Decode([]byte(c.bytes), c.vr); got != c.text || err != nil {
			t.Errorf("%s: %q, %v\nwant %q", c.name, got, err, c.text)
		}
	}
}

func TestEncode(t *testing.T) {
	for _, c := range examples {
		s, _ := Parse(c.terms...)
		got, err := s.Encode(c.text, c.vr)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if string(got) != c.bytes && !c.other {
			t.Errorf("%s: %q\nwant %q", c.name, got, c.bytes)
		}
		if back, err := s.Decode(got, c.vr); back != c.text || err != nil {
			t.Errorf("%s: %q is read as %q, %v", c.name, got, back, err)
		}
	}
}

func TestDecodeDeviations(t *testing.T) {
	for _, c := range []struct {
		name, terms, bytes, text, problem string
		vr                                vr.VR
	}{
		{"UTF-8 without a term", "", "Jérôme", "Jérôme", "read as UTF-8", vr.PN},
		{"Latin-1 without a term", "", "J\xe9r", "Jér", "read as Latin-1", vr.PN},
		{"not in a code string", "ISO_IR 192", "Ä", "Ä", "no term covers", vr.CS},
		{"undeclared escape", "ISO_IR 100", "\x1b$B;3\x1b(B", "山", "not declared", vr.PN},
		{"unknown escape", "ISO_IR 100", "a\x1b%Gb", "a\x1b%Gb", "unknown escape", vr.PN},
		{"escape at the end", "ISO_IR 100", "a\x1b", "a\x1b", "unknown escape", vr.PN},
		{"no second escape", `\ISO 2022 IR 149`, "\x1b$)C\xfb\xf3^\xd1\xce", "洪^吉", "without an escape", vr.PN},
		{"half a kanji", `\ISO 2022 IR 87`, "\x1b$B;3E\x1b(B", "山\uFFFD", "half a character", vr.PN},
		{"half a hangul", `\ISO 2022 IR 149`, "\x1b$)C\xfb^", "\uFFFD^", "half a character", vr.PN},
		{"not in Latin-3", "ISO_IR 109", "a\xa5b", "a\uFFFDb", "not in ISO 2022 IR 109", vr.LO},
		{"C1 control", "ISO_IR 100", "a\x85b", "a\uFFFDb", "not in", vr.LO},
		{"C1 control in hangul", `\ISO 2022 IR 149`, "\x1b$)C\x85b", "\uFFFDb", "not in", vr.LO},
		{"old kanji", `\ISO 2022 IR 87`, "\x1b$@;3\x1b(B", "山", "not in the standard", vr.LO},
		{"hanzi in G0", `\ISO 2022 IR 58`, "\x1b$A\x55\x45\x1b(B", "张", "not in the standard", vr.LO},
		{"kana in G0", `ISO 2022 IR 13`, "\x1b(I1^\x1b(J^", "ｱﾞ^", "not in the standard", vr.PN},
		{"broken UTF-8", "ISO_IR 192", "a\xffb", "a\uFFFDb", "not UTF-8", vr.LO},
		{"broken GB18030", "GB18030", "a\xff", "a\uFFFD", "not GB18030", vr.LO},
		{"Shift_JIS", "Shift_JIS", "\x8eR\x93c", "山田", "", vr.LO},
	} {
		s, _ := Parse(strings.Split(c.terms, `\`)...)
		got, err := s.Decode([]byte(c.bytes), c.vr)
		if got != c.text {
			t.Errorf("%s: %q, want %q", c.name, got, c.text)
		}
		var d *DecodeError
		if c.problem == "" && err == nil {
			continue
		}
		if !errors.As(err, &d) || !strings.Contains(d.Problem, c.problem) {
			t.Errorf("%s: error %v", c.name, err)
		}
	}
}

func TestEncodeLoss(t *testing.T) {
	for _, c := range []struct {
		terms, text, bytes string
		count, offset      int
		r                  rune
		vr                 vr.VR
	}{
		{"", "aäb", "a?b", 1, 1, 'ä', vr.LO},
		{"ISO_IR 100", "éЛé山", "\xe9?\xe9?", 2, 2, 'Л', vr.PN},
		{"ISO_IR 192", "a\xff", "a?", 1, 1, '\uFFFD', vr.LO},
		{`\ISO 2022 IR 87`, "山Л한", "\x1b$B;3'-\x1b(B?", 1, 5, '한', vr.LO},
		{"ISO_IR 13", "¥", "?", 1, 0, '¥', vr.LO},
		{"ISO_IR 13", "a\\", "a?", 1, 1, '\\', vr.LT},
		{"ISO_IR 100", "é\x1b", "\xe9?", 1, 2, '\x1b', vr.LO},
		{`\ISO 2022 IR 87`, "①", "?", 1, 0, '①', vr.LO}, // a vendor's character, in row 13
		{`\ISO 2022 IR 58`, "ⅰ", "?", 1, 0, 'ⅰ', vr.LO}, // in GBK, not in GB 2312
		{"ISO_IR 192", "Ä", "?", 1, 0, 'Ä', vr.CS},
	} {
		s, _ := Parse(strings.Split(c.terms, `\`)...)
		got, err := s.Encode(c.text, c.vr)
		var e *EncodeError
		if !errors.As(err, &e) || e.Count != c.count || e.Offset != c.offset || e.Rune != c.r || string(got) != c.bytes {
			t.Errorf("%q %q: %q, %v", c.terms, c.text, got, err)
		}
	}
}

func TestEncodeTwin(t *testing.T) {
	s, _ := Parse("", "ISO 2022 IR 87")
	if got, err := s.Encode("〜−", vr.LO); err != nil || string(got) != "\x1b$B!A!]\x1b(B" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestParse(t *testing.T) {
	for _, c := range []struct {
		terms []string
		want  []string
		flaws int
	}{
		{nil, nil, 0},
		{[]string{""}, nil, 0},
		{[]string{"ISO_IR 6"}, nil, 1},
		{[]string{"ISO_IR 100 "}, []string{"ISO_IR 100"}, 0},
		{[]string{"ISO IR 100"}, []string{"ISO_IR 100"}, 1},
		{[]string{"ISO-IR 100"}, []string{"ISO_IR 100"}, 1},
		{[]string{"ISO_IR_100"}, []string{"ISO_IR 100"}, 1},
		{[]string{"iso-ir-192"}, []string{"ISO_IR 192"}, 1},
		{[]string{"UTF-8"}, []string{"ISO_IR 192"}, 1},
		{[]string{"ISO 2022 IR 192"}, []string{"ISO_IR 192"}, 1},
		{[]string{"ISO 2022 IR 100"}, []string{"ISO 2022 IR 100"}, 0},
		{[]string{"", "ISO 2022 IR 87"}, []string{"", "ISO 2022 IR 87"}, 0},
		{[]string{"", "ISO_IR 87", "ISO2022 IR 159"}, []string{"", "ISO 2022 IR 87", "ISO 2022 IR 159"}, 2},
		{[]string{"ISO_IR 100", "ISO 2022 IR 126"}, []string{"ISO 2022 IR 100", "ISO 2022 IR 126"}, 0},
		{[]string{"ISO 2022 IR 149"}, []string{"ISO 2022 IR 149"}, 1},
		{[]string{"ISO_IR 192", "ISO 2022 IR 100"}, []string{"ISO_IR 192"}, 1},
		{[]string{"ISO_IR 100", "ISO_IR 192"}, []string{"ISO_IR 100"}, 1},
		{[]string{"", "ISO 2022 IR 87", "ISO 2022 IR 87"}, []string{"", "ISO 2022 IR 87"}, 1},
		{[]string{"nonsense"}, nil, 1},
		{[]string{"ISO_IR 999", "ISO 2022 IR 87"}, []string{"", "ISO 2022 IR 87"}, 1},
		{[]string{"windows-1252"}, []string{"windows-1252"}, 1},
		{[]string{"GB2312"}, []string{"GBK"}, 1},
		{[]string{"GBK"}, []string{"GBK"}, 0},
	} {
		s, err := Parse(c.terms...)
		if got := s.Terms(); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%q: %q, want %q", c.terms, got, c.want)
		}
		if n := countFlaws(err); n != c.flaws {
			t.Errorf("%q: %d flaws: %v", c.terms, n, err)
		}
		var te *TermError
		if err != nil && !errors.As(err, &te) {
			t.Errorf("%q: %T", c.terms, err)
		}
	}
}

func countFlaws(err error) int {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return 0
	}
	return len(joined.Unwrap())
}

// TestTermsRoundTrip holds that what a Set says of itself is without flaw again.
func TestTermsRoundTrip(t *testing.T) {
	for c := ascii; c < shiftJIS; c++ {
		terms := []string{c.term(false)}
		if c.multi() {
			terms = []string{"", c.term(true)}
		}
		s, err := Parse(terms...)
		if err != nil && c != ascii {
			t.Errorf("%q: %v", terms, err)
		}
		if again, err := Parse(s.Terms()...); err != nil || again != s {
			t.Errorf("%q: %v, %v", terms, again, err)
		}
	}
	if s, err := Parse("ISO_IR 192"); err != nil || s != UTF8 {
		t.Errorf("%v %v", s, err)
	}
}

// sampleNames are the patients of the published examples.
var sampleNames = map[string]string{
	"chrArab.dcm":                "قباني^لنزار",
	"chrFren.dcm":                "Buc^Jérôme",
	"chrFrenMulti.dcm":           "Buc^Jérôme",
	"chrGerm.dcm":                "Äneas^Rüdiger",
	"chrGreek.dcm":               "Διονυσιος",
	"chrH31.dcm":                 "Yamada^Tarou=山田^太郎=やまだ^たろう",
	"chrH32.dcm":                 "ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう",
	"chrHbrw.dcm":                "שרון^דבורה",
	"chrI2.dcm":                  "Hong^Gildong=洪^吉洞=홍^길동",
	"chrJapMulti.dcm":            "やまだ^たろう",
	"chrJapMultiExplicitIR6.dcm": "やまだ^たろう",
	"chrKoreanMulti.dcm":         "김희중",
	"chrRuss.dcm":                "Люкceмбypг",
	"chrX1.dcm":                  "Wang^XiaoDong=王^小東=",
	"chrX2.dcm":                  "Wang^XiaoDong=王^小东=",
}

// TestSamples decodes the text of the published character set examples.
func TestSamples(t *testing.T) {
	dir := os.Getenv("GANTRY_SAMPLES")
	if dir == "" {
		if os.Getenv("CI") == "true" {
			t.Fatal("GANTRY_SAMPLES is not set")
		}
		t.Skip("GANTRY_SAMPLES is not set: the published character set examples are not tried")
	}
	files, err := filepath.Glob(filepath.Join(dir, "pydicom+pydicom/src/pydicom/data/charset_files/chr*.dcm"))
	if err != nil || len(files) < 15 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, name := range files {
		want, ok := sampleNames[filepath.Base(name)]
		if !ok {
			continue
		}
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		s, pn := nameOf(t, data)
		text, err := s.Decode(pn, vr.PN)
		if err != nil || strings.TrimRight(text, " ") != want {
			t.Errorf("%s: %q, %v", filepath.Base(name), text, err)
		}
		back, err := s.Encode(text, vr.PN)
		if again, err2 := s.Decode(back, vr.PN); err != nil || err2 != nil || again != text {
			t.Errorf("%s: %q, %v, %v", filepath.Base(name), back, err, err2)
		}
	}
}

// nameOf finds Specific Character Set and Patient's Name of an Explicit VR data set
// without reading the rest of it.
func nameOf(t *testing.T, data []byte) (Set, []byte) {
	find := func(key string) []byte {
		i := strings.Index(string(data), key)
		if i < 0 || i+8 > len(data) {
			return nil
		}
		n := int(data[i+6]) | int(data[i+7])<<8
		return data[i+8 : i+8+n]
	}
	s, err := Parse(strings.Split(string(find("\x08\x00\x05\x00CS")), `\`)...)
	if err != nil {
		t.Error(err)
	}
	return s, find("\x10\x00\x10\x00PN")
}

// twins makes characters equal that share a code in some makers' tables.
func twins(text string) string {
	return strings.Map(func(r rune) rune {
		if other, ok := twin(r); ok {
			return other
		}
		return r
	}, text)
}

func FuzzDecode(f *testing.F) {
	for _, c := range examples {
		f.Add(strings.Join(c.terms, `\`), []byte(c.bytes), c.vr == vr.PN)
	}
	f.Fuzz(func(t *testing.T, terms string, b []byte, name bool) {
		v := vr.LT
		if name {
			v = vr.PN
		}
		s, _ := Parse(strings.Split(terms, `\`)...)
		text, _ := s.Decode(b, v)
		if len(text) > 9*len(b) {
			t.Fatalf("%d bytes became %d", len(b), len(text))
		}
		back, err := s.Encode(text, v)
		if err != nil {
			return
		}
		again, err := s.Decode(back, v)
		if err != nil || again != text && twins(again) != twins(text) {
			t.Errorf("%q %q: %q is %q and then %q, %v", terms, b, text, back, again, err)
		}
	})
}

func FuzzEncode(f *testing.F) {
	for _, c := range examples {
		f.Add(strings.Join(c.terms, `\`), c.text)
	}
	f.Fuzz(func(t *testing.T, terms, text string) {
		s, _ := Parse(strings.Split(terms, `\`)...)
		b, err := s.Encode(text, vr.PN)
		if err != nil {
			return
		}
		if again, err := s.Decode(b, vr.PN); err != nil || again != text && twins(again) != twins(text) {
			t.Errorf("%q %q: %q is %q, %v", terms, text, b, again, err)
		}
	})
}

func BenchmarkDecodeASCII(b *testing.B) {
	s, _ := Parse("ISO_IR 100")
	value := []byte("Lastname^Firstname^Middle")
	b.ReportAllocs()
	for b.Loop() {
		if text, err := s.Decode(value, vr.PN); err != nil || len(text) != len(value) {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecodeLatin1(b *testing.B) {
	s, _ := Parse("ISO_IR 100")
	value := []byte("Buc^J\xe9r\xf4me")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Decode(value, vr.PN); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecodeJapanese(b *testing.B) {
	s, _ := Parse("", "ISO 2022 IR 87")
	value := []byte(examples[0].bytes)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Decode(value, vr.PN); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEncodeJapanese(b *testing.B) {
	s, _ := Parse("", "ISO 2022 IR 87")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Encode(examples[0].text, vr.PN); err != nil {
			b.Fatal(err)
		}
	}
}
