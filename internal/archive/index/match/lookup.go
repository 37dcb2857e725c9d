package match

import (
	"slices"
	"strings"
)

// NameKey is what a folded component group must meet for a key of a person's name.
type NameKey struct {
	Pattern string // with wildcards when Wild
	Wild    bool   // else the group is the Pattern
	words   []word // for fuzzy matching, nil for none
}

// Match reports whether a folded component group meets the key. To a pattern the group may
// have a space behind it, so that DOE^* matches a name without given names.
func (k *NameKey) Match(group string) bool {
	if group == k.Pattern || k.Wild && (Wildcard(k.Pattern, group) || Wildcard(k.Pattern, group+" ")) {
		return true
	}
	return k.words != nil && near(k.words, group)
}

// Fuzzy reports whether a group that is near meets the key, not only one like Pattern.
func (k *NameKey) Fuzzy() bool { return k.words != nil }

// NameKeys returns the lookups for a person's name: a name that matches has, for one of
// the alternatives, a component group for each of its keys. Nil means that any name may
// match.
func (c *Condition) NameKeys() [][]NameKey {
	var out [][]NameKey
	for i, n := range c.names {
		var all []NameKey
		for g, group := range n {
			if group != "" {
				all = append(all, c.key(i, g))
			}
		}
		if len(all) == 0 {
			return nil
		}
		out = append(out, all)
	}
	return out
}

// key returns component group g of value i.
func (c *Condition) key(i, g int) NameKey {
	k := NameKey{Pattern: c.names[i][g], Wild: c.Kind == Pattern}
	if c.words != nil && g == 0 {
		k.words = c.words[i]
	}
	return k
}

// Overlap is a way to be found by tokens, see Tokens: to have Need of them.
type Overlap struct {
	Tokens []string
	Need   int
}

// WordKey is what one word, at least, of a folded component group must meet, for the group
// to meet a NameKey.
type WordKey struct {
	Ways         []Overlap // it is found by one of them
	near         *word     // nil when not fuzzy
	text         string
	starts, ends bool // the word begins, or ends, with the text
}

// Match reports whether a folded word meets the key.
func (w *WordKey) Match(s string) bool {
	switch {
	case w.near != nil:
		return w.near.near(s)
	case w.starts && w.ends:
		return s == w.text
	case w.starts:
		return strings.HasPrefix(s, w.text)
	case w.ends:
		return strings.HasSuffix(s, w.text)
	}
	return strings.Contains(s, w.text)
}

// Words returns the words that a group must have to meet the key, of those that tokens can
// find: none when it is too short for that.
func (k *NameKey) Words() (out []WordKey) {
	if !k.Fuzzy() {
		return wordsOfPattern(k.Pattern)
	}
	for i := range k.words {
		if ways := k.words[i].ways(); ways != nil {
			out = append(out, WordKey{Ways: ways, near: &k.words[i]})
		}
	}
	return out
}

// Literal returns text that every group has which meets the key; empty when there is none.
func (k *NameKey) Literal() (longest string) {
	if k.Fuzzy() {
		return ""
	}
	for _, piece := range strings.FieldsFunc(k.Pattern, func(r rune) bool { return r == '*' || r == '?' }) {
		if piece = strings.Trim(piece, " "); len(piece) > len(longest) {
			longest = piece
		}
	}
	return longest
}

// ways returns how a word of a name that is near is found; nil when it cannot be.
func (w *word) ways() []Overlap {
	var out []Overlap
	if w.sound != "" {
		out = append(out, Overlap{[]string{soundToken(w.sound)}, 1})
	} else {
		out = append(out, Overlap{w.grams, len(w.grams)})
	}
	if n := needed(len(w.grams)); n > 0 && n < len(w.grams) {
		out = append(out, Overlap{w.grams, n})
	}
	if w.open {
		begin := appendGrams(nil, w.text, true, false)
		if len(begin) == 0 {
			return nil
		}
		begin = begin[:min(len(begin), maxGrams)]
		out = append(out, Overlap{begin, len(begin)})
	}
	return out
}

// soundToken is the token of a phonetic code. A gram may look the same, which finds a name
// too many but none too few.
func soundToken(code string) string { return "~" + code }

// Tokens returns all by which a folded word is found, sorted, each once: its grams and its
// phonetic code.
func Tokens(word string) []string {
	out := Grams(word)
	if s := Sound(word); s != "" {
		out = append(out, soundToken(s))
	}
	slices.Sort(out)
	return slices.Compact(out)
}
