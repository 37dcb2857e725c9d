package verb

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// maxSpec bounds a test specification.
const maxSpec = 64 << 10

// filter is one of the alternatives of a test specification: all of it must fit.
type filter []pattern

// pattern is a tag or a name that a scenario must have, or must not have.
type pattern struct {
	text string // lower case; of a name * is anything
	tag  bool
	not  bool
}

// parseSpec reads a test specification in Catch2's grammar: names with * at their ends,
// [tags], ~ for not, side by side for and, a comma for or.
func parseSpec(spec string) ([]filter, error) {
	if len(spec) > maxSpec {
		return nil, fmt.Errorf("test specification: longer than %d bytes", maxSpec)
	}
	var out []filter
	var now filter
	end := func() {
		if len(now) > 0 {
			out = append(out, now)
		}
		now = nil
	}
	for rest := strings.TrimSpace(spec); rest != ""; rest = strings.TrimLeft(rest, " \t\r\n") {
		if rest[0] == ',' {
			end()
			rest = rest[1:]
			continue
		}
		var p pattern
		var err error
		if p, rest, err = nextPattern(rest); err != nil {
			return nil, fmt.Errorf("test specification %q: %w", spec, err)
		}
		now = append(now, p)
	}
	end()
	return out, nil
}

func nextPattern(s string) (p pattern, rest string, err error) {
	if t, ok := strings.CutPrefix(s, "exclude:"); ok {
		p.not, s = true, t
	} else if s[0] == '~' {
		p.not, s = true, s[1:]
	}
	switch {
	case strings.HasPrefix(s, "["):
		name, rest, ok := strings.Cut(s[1:], "]")
		if !ok || name == "" {
			return p, "", fmt.Errorf("a tag is written [name]")
		}
		p.tag, p.text = true, strings.ToLower(name)
		return p, rest, nil
	case strings.HasPrefix(s, `"`):
		name, rest, ok := strings.Cut(s[1:], `"`)
		if !ok {
			return p, "", fmt.Errorf("a quote is not closed")
		}
		p.text = strings.ToLower(name)
		return p, rest, nil
	}
	p.text, rest = bareName(s)
	if p.text == "" {
		return p, "", fmt.Errorf("~ excludes nothing")
	}
	return p, rest, nil
}

// bareName reads a name up to a comma or a tag; a backslash takes either for a character.
func bareName(s string) (name, rest string) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' && i+1 < len(s):
			i++
			b.WriteByte(s[i])
		case c == ',' || c == '[' || c == '~' && i > 0 && s[i-1] == ' ':
			return strings.ToLower(strings.TrimSpace(b.String())), s[i:]
		default:
			b.WriteByte(c)
		}
	}
	return strings.ToLower(strings.TrimSpace(b.String())), ""
}

// fits reports whether a scenario is meant; without filters all are.
func fits(filters []filter, s *scenario) bool {
	return len(filters) == 0 || slices.ContainsFunc(filters, func(f filter) bool {
		return !slices.ContainsFunc(f, func(p pattern) bool { return p.fits(s) == p.not })
	})
}

func (p *pattern) fits(s *scenario) bool {
	if p.tag {
		return slices.Contains(s.tags, p.text)
	}
	// Only * has a meaning; what else path.Match knows is quoted.
	quoted := strings.NewReplacer(`\`, `\\`, "?", `\?`, "[", `\[`, "/", "\x00").Replace(p.text)
	ok, err := path.Match(quoted, strings.ReplaceAll(strings.ToLower(s.name), "/", "\x00"))
	return ok && err == nil
}
