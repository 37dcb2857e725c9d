package value

import (
	"strings"
	"unicode/utf8"
)

// Wildcard is a compiled key for wildcard matching (PS3.4 C.2.2.2.4): * is any number of
// characters, none included, and ? is one. The zero Wildcard matches the empty text only.
// It is safe for concurrent use.
type Wildcard struct {
	parts []string // between the stars
}

// MaxWildcard is the most bytes that a key for wildcard matching may have.
const MaxWildcard = 1024

// WildcardError says that a key is longer than MaxWildcard.
type WildcardError struct{ Length int }

func (e *WildcardError) Error() string { return "wildcard key is too long" }

// HasWildcard reports whether s holds * or ?.
func HasWildcard(s string) bool { return strings.ContainsAny(s, "*?") }

// ParseWildcard compiles a key. The error is a *WildcardError.
func ParseWildcard(key string) (Wildcard, error) {
	if len(key) > MaxWildcard {
		return Wildcard{}, &WildcardError{len(key)}
	}
	return Wildcard{parts: strings.Split(key, "*")}, nil
}

// Prefix returns the text that every match begins with, up to the first wildcard.
func (w Wildcard) Prefix() string {
	if len(w.parts) == 0 {
		return ""
	}
	prefix, _, _ := strings.Cut(w.parts[0], "?")
	return prefix
}

// Any reports whether w matches every text, being stars only.
func (w Wildcard) Any() bool {
	for _, p := range w.parts {
		if p != "" {
			return false
		}
	}
	return len(w.parts) > 1
}

// Match reports whether all of s matches. Each part is looked for once, from where the
// one before ended, so the time is at most the length of s times that of the longest part.
func (w Wildcard) Match(s string) bool {
	if len(w.parts) == 0 {
		return s == ""
	}
	n, ok := prefixLen(s, w.parts[0])
	if !ok {
		return false
	}
	s = s[n:]
	if len(w.parts) == 1 {
		return s == ""
	}
	last := len(w.parts) - 1
	for _, part := range w.parts[1:last] {
		end, ok := find(s, part)
		if !ok {
			return false
		}
		s = s[end:]
	}
	return endsWith(s, w.parts[last])
}

// prefixLen returns how many bytes of s a part without stars takes at its start.
func prefixLen(s, part string) (int, bool) {
	at := 0
	for i := 0; i < len(part); i++ {
		if at == len(s) {
			return 0, false
		}
		if part[i] == '?' {
			_, n := utf8.DecodeRuneInString(s[at:])
			at += n
			continue
		}
		if s[at] != part[i] {
			return 0, false
		}
		at++
	}
	return at, true
}

// find returns where the first match of a part in s ends.
func find(s, part string) (int, bool) {
	if !strings.Contains(part, "?") {
		i := strings.Index(s, part)
		return i + len(part), i >= 0
	}
	for i := 0; i <= len(s); {
		if n, ok := prefixLen(s[i:], part); ok {
			return i + n, true
		}
		_, n := utf8.DecodeRuneInString(s[i:])
		i += max(n, 1)
	}
	return 0, false
}

// endsWith reports whether a part takes exactly the end of s.
func endsWith(s, part string) bool {
	if !strings.Contains(part, "?") {
		return strings.HasSuffix(s, part)
	}
	at := len(s)
	for range utf8.RuneCountInString(part) {
		if at == 0 {
			return false
		}
		_, n := utf8.DecodeLastRuneInString(s[:at])
		at -= n
	}
	n, ok := prefixLen(s[at:], part)
	return ok && n == len(s)-at
}
