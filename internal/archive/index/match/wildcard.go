package match

import "unicode/utf8"

// Wildcard reports whether s matches a pattern in which * stands for any characters and ?
// for one (PS3.4 C.2.2.2.4). The time is at most the product of the lengths.
func Wildcard(pattern, s string) bool {
	star, mark := -1, 0
	p, i := 0, 0
	for i < len(s) {
		_, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, i
			p++
		case p < len(pattern) && pattern[p] == '?':
			p, i = p+1, i+n
		case p < len(pattern) && i+n <= len(s) && hasAt(pattern, p, s[i:i+n]):
			p, i = p+n, i+n
		case star >= 0:
			_, n := utf8.DecodeRuneInString(s[mark:])
			mark += n
			p, i = star+1, mark
		default:
			return false
		}
	}
	for p < len(pattern) && pattern[p] == '*' {
		p++
	}
	return p == len(pattern)
}

func hasAt(pattern string, p int, s string) bool {
	return len(pattern)-p >= len(s) && pattern[p:p+len(s)] == s
}

// Prefix returns what a match of the pattern begins with, and whether the pattern is
// nothing but that and one * at the end.
func Prefix(pattern string) (prefix string, only bool) {
	for i := range len(pattern) {
		if pattern[i] == '*' || pattern[i] == '?' {
			return pattern[:i], pattern[i] == '*' && i == len(pattern)-1
		}
	}
	return pattern, false
}
