package match

import (
	"slices"
	"strings"
	"unicode"
)

// Grams returns the tokens by which a folded name is found from any part of it, sorted,
// each once: of alphabetic words three runes at a time, a space before the word being one
// of them, of Han, kana and Hangul one and two. A word of one letter is a token itself.
func Grams(folded string) []string {
	out := make([]string, 0, len(folded))
	for w := range strings.FieldsSeq(folded) {
		out = appendGrams(out, w, true, true)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// appendGrams adds the tokens of a part of a word; starts and ends tell whether the word
// begins and ends there.
func appendGrams(out []string, text string, starts, ends bool) []string {
	if isASCII(text) {
		return appendLetters(out, text, starts, ends)
	}
	word := []rune(text)
	if starts && ends && len(word) == 1 && !isDense(word[0]) {
		return append(out, " "+string(word))
	}
	if starts {
		word = append([]rune{' '}, word...)
	}
	for i, r := range word {
		if isDense(r) {
			out = append(out, string(r))
			if i+1 < len(word) && isDense(word[i+1]) {
				out = append(out, string(word[i:i+2]))
			}
			continue
		}
		if i+2 < len(word) && !isDense(word[i+1]) && !isDense(word[i+2]) {
			out = append(out, string(word[i:i+3]))
		}
	}
	return out
}

// appendLetters is appendGrams for a word whose runes are bytes.
func appendLetters(out []string, word string, starts, ends bool) []string {
	if starts {
		word = " " + word
		if ends && len(word) == 2 {
			return append(out, word)
		}
	}
	for i := range max(len(word)-2, 0) {
		out = append(out, word[i:i+3])
	}
	return out
}

// isDense reports whether one rune says as much as several letters of an alphabet.
func isDense(r rune) bool {
	return r >= 0x1100 && (unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul) || r == 'ー')
}

// wordsOfPattern returns the words, or parts of them, that are left of a folded pattern
// without its wildcards, where tokens tell of them.
func wordsOfPattern(pattern string) (out []WordKey) {
	first := true
	for {
		i := strings.IndexAny(pattern, "*?")
		piece, last := pattern, i < 0
		if !last {
			piece, pattern = pattern[:i], pattern[i+1:]
		}
		out = appendPiece(out, piece, first, last)
		if first = false; last {
			return out
		}
	}
}

// appendPiece adds the words of a part without wildcards, whose ends may be inside words.
func appendPiece(out []WordKey, piece string, first, last bool) []WordKey {
	words := strings.Fields(piece)
	for i, w := range words {
		k := WordKey{text: w, starts: i > 0 || first || piece[0] == ' ', ends: i < len(words)-1 || last || piece[len(piece)-1] == ' '}
		g := appendGrams(nil, w, k.starts, k.ends)
		slices.Sort(g)
		if g = slices.Compact(g); len(g) > 0 {
			g = g[:min(len(g), maxGrams)]
			k.Ways = []Overlap{{g, len(g)}}
			out = append(out, k)
		}
	}
	return out
}
