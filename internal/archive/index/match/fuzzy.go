package match

import "strings"

// Bounds of fuzzy matching.
const (
	maxWords   = 8  // of a key
	maxSounds  = 5  // digits of a phonetic code
	minOverlap = 3  // grams that both words must have, for their overlap to count
	maxGrams   = 64 // of a word of a key
)

// word is a word of a fuzzy key.
type word struct {
	text  string
	sound string
	grams []string
	open  bool // may be the beginning of a longer one
}

// Fuzzy returns the condition for a person's name that also takes names which sound alike
// or are spelled nearly so (PS3.4 C.2.2.2.1.1): each word of the key, in any order, must
// have a word of the name, within one component group, that is equal to it, has the same
// phonetic code, or shares half of the grams. A last word that * follows may also be the
// beginning of a word. Keys with other wildcards, and keys that are no names, are left as
// they are.
func Fuzzy(c Condition) Condition {
	if len(c.names) == 0 || c.Kind != Single && c.Kind != Pattern {
		return c
	}
	words := make([][]word, len(c.names))
	some := false
	for i, n := range c.names {
		words[i] = wordsOf(n)
		some = some || words[i] != nil
	}
	if some {
		c.words = words
	}
	return c
}

// wordsOf returns the words of a key of one component group; nil when it has wildcards but
// at its end, no letters, or too many words.
func wordsOf(name [3]string) []word {
	key := strings.TrimRight(name[0], "* ")
	if name[1] != "" || name[2] != "" || key == "" || strings.ContainsAny(key, "*?") {
		return nil
	}
	list := strings.Fields(key)
	if len(list) > maxWords {
		return nil
	}
	out := make([]word, len(list))
	for i, w := range list {
		g := Grams(w)
		out[i] = word{text: w, sound: Sound(w), grams: g[:min(len(g), maxGrams)]}
	}
	out[len(out)-1].open = key != name[0]
	return out
}

// near reports whether a folded component group has all the words.
func near(words []word, group string) bool {
	for i := range words {
		if !hasWord(group, words[i].near) {
			return false
		}
	}
	return true
}

// hasWord reports whether a word of a folded component group meets f.
func hasWord(group string, f func(string) bool) bool {
	for h := range strings.FieldsSeq(group) {
		if f(h) {
			return true
		}
	}
	return false
}

func (w *word) near(h string) bool {
	if w.text == h || w.sound != "" && w.sound == Sound(h) || w.open && strings.HasPrefix(h, w.text) {
		return true
	}
	if len(w.grams) < minOverlap {
		return false
	}
	g := Grams(h)
	return len(g) >= minOverlap && 4*common(w.grams, g) >= len(w.grams)+len(g)
}

// common counts what two sorted lists share.
func common(a, b []string) (n int) {
	for len(a) > 0 && len(b) > 0 {
		switch c := strings.Compare(a[0], b[0]); {
		case c < 0:
			a = a[1:]
		case c > 0:
			b = b[1:]
		default:
			n++
			a, b = a[1:], b[1:]
		}
	}
	return n
}

// needed returns how many of n grams a word shares at least with one that it overlaps by
// half; 0 when overlap does not count for it.
func needed(n int) int {
	if n < minOverlap {
		return 0
	}
	return max((n+minOverlap+3)/4, (n+2)/3)
}

// Sound returns a phonetic code of a folded word: what its first letter sounds like and
// the classes of the consonants behind it, doubled ones once. Vowels, h, w and y only part
// them. It is empty for words that do not begin with a Latin letter.
func Sound(word string) string {
	word = leadingSound(word)
	if word == "" || word[0] < 'a' || word[0] > 'z' {
		return ""
	}
	out := make([]byte, 1, maxSounds+1)
	out[0] = firstSounds[word[0]-'a']
	last := classes[word[0]-'a']
	for i := 1; i < len(word) && len(out) <= maxSounds; i++ {
		r := word[i]
		if r < 'a' || r > 'z' {
			if r >= 0x80 {
				return "" // not only Latin letters: no code rather than a wrong one
			}
			continue
		}
		d := classes[r-'a']
		if d != '0' && d != last {
			out = append(out, d)
		}
		if r != 'h' && r != 'w' {
			last = d
		}
	}
	return string(out)
}

// leadingSound rewrites beginnings of two letters that sound like one.
func leadingSound(w string) string {
	for _, p := range [...][2]string{{"ph", "f"}, {"kn", "n"}, {"wr", "r"}, {"sch", "s"}, {"ch", "k"}, {"ts", "s"}} {
		if rest, ok := strings.CutPrefix(w, p[0]); ok {
			return p[1] + rest
		}
	}
	return w
}

// For the letters a to z: the class of their sound, and what a word that begins with them
// begins with.
const (
	classes     = "01230120022455012623010202"
	firstSounds = "abkdefghiiklmnopkrstufwsis"
)
