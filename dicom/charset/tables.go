package charset

import (
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
)

// page returns the table of a single-byte set whose upper half is G1, nil for the others.
func (c code) page() *charmap.Charmap {
	switch c {
	case latin1:
		return charmap.ISO8859_1
	case latin2:
		return charmap.ISO8859_2
	case latin3:
		return charmap.ISO8859_3
	case latin4:
		return charmap.ISO8859_4
	case cyrillic:
		return charmap.ISO8859_5
	case arabic:
		return charmap.ISO8859_6
	case greek:
		return charmap.ISO8859_7
	case hebrew:
		return charmap.ISO8859_8
	case latin5:
		return charmap.ISO8859_9
	case latin9:
		return charmap.ISO8859_15
	case thai:
		return charmap.Windows874 // TIS 620-2533 from A1 to FB
	}
	return nil
}

// scheme returns the encoding of the outside world that a code is, or, for a two-byte
// set, the EUC form that carries it with the high bits set.
func (c code) scheme() encoding.Encoding {
	switch c {
	case kanji, supplement, eucJP:
		return japanese.EUCJP
	case hangul, eucKR:
		return korean.EUCKR
	case hanzi, gbk:
		return simplifiedchinese.GBK
	case gb18030:
		return simplifiedchinese.GB18030
	case shiftJIS:
		return japanese.ShiftJIS
	case big5:
		return traditionalchinese.Big5
	case win1250:
		return charmap.Windows1250
	case win1251:
		return charmap.Windows1251
	}
	return charmap.Windows1252
}

const (
	kanaFirst = 0xFF61 // HALFWIDTH IDEOGRAPHIC FULL STOP, A1 of ISO-IR 13
	kanaLast  = 0xFF9F // HALFWIDTH KATAKANA SEMI-VOICED SOUND MARK, DF
	bad       = '\uFFFD'
)

// single returns the character of a G1 byte of a single-byte set, or bad.
func (c code) single(b byte) rune {
	if c == katakana {
		if b >= 0xA1 && b <= 0xDF {
			return kanaFirst + rune(b-0xA1)
		}
		return bad
	}
	page := c.page()
	if page == nil || b < 0xA0 || c == thai && !thaiByte(b) {
		return bad
	}
	return page.DecodeByte(b)
}

func thaiByte(b byte) bool { return b >= 0xA1 && b <= 0xDA || b >= 0xDF && b <= 0xFB }

// singleByte returns the G1 byte of a character in a single-byte set.
func (c code) singleByte(r rune) (byte, bool) {
	if c == katakana {
		return byte(r-kanaFirst) + 0xA1, r >= kanaFirst && r <= kanaLast
	}
	page := c.page()
	if page == nil {
		return 0, false
	}
	b, ok := page.EncodeRune(r)
	return b, ok && b >= 0xA0 && c.single(b) == r
}

// inSet reports whether the pair of an EUC form, high bits set, is a character of the
// registered two-byte set and not of a vendor's extension of it.
func (c code) inSet(lead, trail byte) bool {
	if lead < 0xA1 || trail < 0xA1 || lead > 0xFE || trail > 0xFE {
		return false
	}
	switch c {
	case kanji:
		return lead <= 0xA8 || lead >= 0xB0 && lead <= 0xF4 // rows 1 to 8, 16 to 84
	case hanzi:
		return gb2312(lead, trail)
	}
	return true
}

// gb2312 reports whether a pair, high bits set, is in GB 2312-80 and not only in GBK.
func gb2312(lead, trail byte) bool {
	switch lead {
	case 0xA2:
		return trail >= 0xB1 && trail <= 0xE2 || trail >= 0xE5 && trail <= 0xEE || trail >= 0xF1 && trail <= 0xFC
	case 0xA4:
		return trail <= 0xF3
	case 0xA5:
		return trail <= 0xF6
	case 0xA6:
		return trail <= 0xB8 || trail >= 0xC1 && trail <= 0xD8
	case 0xA7:
		return trail <= 0xC1 || trail >= 0xD1 && trail <= 0xF1
	case 0xA8:
		return trail <= 0xBA || trail >= 0xC5 && trail <= 0xE9
	case 0xA9:
		return trail >= 0xA4 && trail <= 0xEF
	case 0xD7:
		return trail <= 0xF9
	}
	return lead == 0xA1 || lead == 0xA3 || lead >= 0xB0 && lead <= 0xF7
}

// twin returns the character that other makers' tables give for the same code of a
// two-byte set, as WAVE DASH for FULLWIDTH TILDE.
func twin(r rune) (rune, bool) {
	switch r {
	case '\u301C':
		return '\uFF5E', true
	case '\u2212':
		return '\uFF0D', true
	case '\u2016':
		return '\u2225', true
	case '\u2014':
		return '\u2015', true
	case '\u00A2':
		return '\uFFE0', true
	case '\u00A3':
		return '\uFFE1', true
	case '\u00AC':
		return '\uFFE2', true
	}
	return 0, false
}
