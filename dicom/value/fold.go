package value

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Fold returns s in the form in which names are compared without regard to case, accents
// and width (PS3.4 C.2.2.2.1 leaves the choice to the archive): compatibility forms
// decomposed, marks dropped, lower case, and the letters that Unicode does not decompose
// written out, as ß by ss. Folding twice changes nothing more.
func Fold(s string) string {
	if isASCII(s) {
		return strings.ToLower(s)
	}
	var b strings.Builder
	b.Grow(len(s))
	for _, r := range norm.NFKD.String(s) {
		if accent(r) {
			continue
		}
		if letters := written(r); letters != "" {
			b.WriteString(letters)
			continue
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return norm.NFC.String(b.String())
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// accent reports marks that names are compared without. Those that make another letter
// stay: the voiced marks of kana, the vowels of Thai and of the scripts of India.
func accent(r rune) bool {
	return r >= 0x300 && r != '\u3099' && r != '\u309A' && unicode.Is(unicode.Mn, r) &&
		unicode.In(r, unicode.Inherited, unicode.Cyrillic, unicode.Hebrew, unicode.Arabic)
}

// written returns the letters for a letter that is one by itself, or "".
func written(r rune) string {
	switch r {
	case 'ß', 'ẞ':
		return "ss"
	case 'æ', 'Æ':
		return "ae"
	case 'œ', 'Œ':
		return "oe"
	case 'ø', 'Ø':
		return "o"
	case 'đ', 'Đ', 'ð', 'Ð':
		return "d"
	case 'ł', 'Ł':
		return "l"
	case 'þ', 'Þ':
		return "th"
	case 'ı':
		return "i"
	case 'ς':
		return "σ"
	}
	return ""
}
