package charset

import (
	"errors"
	"strconv"
	"strings"
)

// code is one coded character set.
type code uint8

const (
	ascii      code = iota
	latin1          // ISO-IR 100
	latin2          // ISO-IR 101
	latin3          // ISO-IR 109
	latin4          // ISO-IR 110
	cyrillic        // ISO-IR 144
	arabic          // ISO-IR 127
	greek           // ISO-IR 126
	hebrew          // ISO-IR 138
	latin5          // ISO-IR 148
	latin9          // ISO-IR 203
	thai            // ISO-IR 166
	katakana        // ISO-IR 13 as G1, with romaji, ISO-IR 14, as G0
	kanji           // ISO-IR 87, JIS X 0208
	supplement      // ISO-IR 159, JIS X 0212
	hangul          // ISO-IR 149, KS X 1001
	hanzi           // ISO-IR 58, GB 2312
	utf8Code        // from here on the whole text is in one code without extensions
	gb18030
	gbk
	shiftJIS // from here on codes of the outside world, to override a wrong label
	eucJP
	eucKR
	big5
	win1250
	win1251
	win1252
)

// whole reports whether texts in c are in c from end to end, escapes not allowed.
func (c code) whole() bool { return c >= utf8Code }

// multi reports whether c is a set of two-byte characters for code extension.
func (c code) multi() bool { return c >= kanji && c <= hanzi }

// number is the ISO registration in the defined terms (PS3.3 Tables C.12-2 to C.12-5).
func (c code) number() int {
	switch c {
	case ascii:
		return 6
	case latin1:
		return 100
	case latin2:
		return 101
	case latin3:
		return 109
	case latin4:
		return 110
	case cyrillic:
		return 144
	case arabic:
		return 127
	case greek:
		return 126
	case hebrew:
		return 138
	case latin5:
		return 148
	case latin9:
		return 203
	case thai:
		return 166
	case katakana:
		return 13
	case kanji:
		return 87
	case supplement:
		return 159
	case hangul:
		return 149
	case hanzi:
		return 58
	case utf8Code:
		return 192
	}
	return 0
}

// term returns the defined term of c, or the name of one that is not DICOM's.
func (c code) term(extended bool) string {
	if n := c.number(); n != 0 {
		if (extended || c.multi() || c == ascii) && !c.whole() {
			return "ISO 2022 IR " + strconv.Itoa(n)
		}
		return "ISO_IR " + strconv.Itoa(n)
	}
	switch c {
	case gb18030:
		return "GB18030"
	case gbk:
		return "GBK"
	case shiftJIS:
		return "Shift_JIS"
	case eucJP:
		return "EUC-JP"
	case eucKR:
		return "EUC-KR"
	case big5:
		return "Big5"
	case win1250:
		return "windows-1250"
	case win1251:
		return "windows-1251"
	}
	return "windows-1252"
}

// TermError says what is wrong with one value of Specific Character Set.
type TermError struct {
	Value   int    // 1 for the first
	Term    string // as it came
	Problem string
}

func (e *TermError) Error() string {
	return "Specific Character Set value " + strconv.Itoa(e.Value) + " " + strconv.Quote(e.Term) + ": " + e.Problem
}

// Parse returns the Set of the values of Specific Character Set (PS3.3 C.12.1.1.2). It
// understands common misspellings, and the names of some codes that DICOM does not have
// (Shift_JIS, EUC-KR, windows-1252 and others) for the override of a wrong label. The
// Set is usable whatever the error, which joins a *TermError for each deviation.
func Parse(terms ...string) (Set, error) {
	var s Set
	var flaws []error
	for i, term := range terms {
		problem := s.add(i, strings.Trim(term, " \x00"))
		if problem == "" {
			continue
		}
		if flaws = append(flaws, &TermError{i + 1, term, problem}); len(flaws) == maxCodes {
			break
		}
	}
	s.extended = s.extended || s.n > 1
	if s.n == 1 && s.codes[0] == ascii {
		s = Set{}
	}
	return s, errors.Join(flaws...)
}

// add takes in value i and returns what is wrong with it.
func (s *Set) add(i int, term string) string {
	c, extended, ok := lookupTerm(term)
	problem := ""
	switch {
	case !ok:
		if i == 0 {
			s.codes[0], s.n = ascii, 1
		}
		return "unknown term"
	case i > 0 && s.first().whole():
		return "not allowed after " + s.first().term(false)
	case i > 0 && c.whole():
		return "allowed only as the one value"
	case i > 0 && s.n > 0 && s.has(c):
		return "named twice"
	case s.n == maxCodes:
		return "too many values"
	case i == 0 && c.multi():
		problem = "allowed only from value 2 on"
	case term == "" && i > 0:
		problem = "empty"
	case c >= shiftJIS:
		problem = "not a defined term"
	case term != "" && term != c.term(extended):
		problem = "misspelt, read as " + c.term(extended)
	}
	s.codes[s.n] = c
	s.n++
	s.extended = s.extended || extended
	return problem
}

// lookupTerm finds a term by its letters and digits alone.
func lookupTerm(term string) (c code, extended, ok bool) {
	key := squeeze(term)
	number, extended := strings.CutPrefix(key, "ISO2022IR")
	if !extended {
		var plainTerm bool
		if number, plainTerm = strings.CutPrefix(key, "ISOIR"); !plainTerm {
			c, ok = alias(key)
			return c, false, ok
		}
	}
	for c = ascii; c <= utf8Code; c++ {
		if number == strconv.Itoa(c.number()) {
			return c, extended && !c.whole() || c.multi(), true
		}
	}
	return 0, false, false
}

// squeeze drops everything but letters and digits and raises the letters. Terms have at
// most 16 characters; of longer ones the beginning is enough to know nothing.
func squeeze(term string) string {
	var key []byte
	for i := 0; i < len(term) && i < 32; i++ {
		switch c := term[i]; {
		case c >= 'a' && c <= 'z':
			key = append(key, c-'a'+'A')
		case c >= 'A' && c <= 'Z', c >= '0' && c <= '9':
			key = append(key, c)
		}
	}
	return string(key)
}

func alias(key string) (code, bool) {
	switch key {
	case "", "ASCII", "USASCII", "ISO646", "ISO646US":
		return ascii, true
	case "UTF8", "UNICODE11UTF8", "ISO10646":
		return utf8Code, true
	case "GB18030", "GB180302000":
		return gb18030, true
	case "GBK", "GB2312", "CP936":
		return gbk, true
	case "ISO88591", "LATIN1":
		return latin1, true
	case "ISO88592", "LATIN2":
		return latin2, true
	case "ISO88595":
		return cyrillic, true
	case "ISO88597":
		return greek, true
	case "ISO88599":
		return latin5, true
	case "ISO885915":
		return latin9, true
	case "TIS620":
		return thai, true
	}
	return foreign(key)
}

func foreign(key string) (code, bool) {
	switch key {
	case "SHIFTJIS", "SJIS", "CP932", "WINDOWS31J":
		return shiftJIS, true
	case "EUCJP":
		return eucJP, true
	case "EUCKR", "CP949", "KSC5601":
		return eucKR, true
	case "BIG5", "CP950":
		return big5, true
	case "WINDOWS1250", "CP1250":
		return win1250, true
	case "WINDOWS1251", "CP1251":
		return win1251, true
	case "WINDOWS1252", "CP1252":
		return win1252, true
	}
	return 0, false
}
