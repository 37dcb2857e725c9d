// Package match decides whether an object answers a query (PS3.4 C.2.2.2). It knows no
// database and no locale, so that every index gives the same answers.
package match

import (
	"strings"
	"unicode"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
	"golang.org/x/text/width"
)

// NormVersion is the version of Fold, Grams and Sound. Indexes keep it beside what they
// normalised, and do it again when it is another.
const NormVersion = 2

// Fold normalises one component group of a person's name: compatibility forms and widths
// unified, combining marks dropped, case folded, ^ and runs of space one space. Kana and
// Hangul keep the marks that make other letters of them.
func Fold(s string) string {
	if isASCII(s) {
		return strings.Join(strings.FieldsFunc(strings.ToLower(s), isGap), " ")
	}
	var b strings.Builder
	for _, r := range norm.NFKD.String(width.Fold.String(s)) {
		if unicode.Is(unicode.Mn, r) && r != 0x3099 && r != 0x309A {
			continue
		}
		b.WriteRune(r)
	}
	s = norm.NFC.String(cases.Fold().String(b.String()))
	return strings.Join(strings.FieldsFunc(s, isGap), " ")
}

func isGap(r rune) bool { return r == '^' || unicode.IsSpace(r) }

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// FoldName normalises the component groups of a person's name: alphabetic, ideographic
// and phonetic (PS3.5 6.2.1).
func FoldName(s string) [3]string {
	var out [3]string
	for i, g := range strings.SplitN(s, "=", 4) {
		if i < len(out) {
			out[i] = Fold(g)
		}
	}
	return out
}
