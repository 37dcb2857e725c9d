package compat

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"gantry/dimse"
)

// names splits "-aet/--aetitle".
func names(s string) []string { return strings.Split(s, "/") }

// to sets *p to a constant.
func to[T any](p *T, v T) func([]string) error {
	return func([]string) error { *p = v; return nil }
}

// text sets a string.
func text[T ~string](p *T) func([]string) error {
	return func(v []string) error { *p = T(v[0]); return nil }
}

// more appends to a list.
func more(p *[]string) func([]string) error {
	return func(v []string) error { *p = append(*p, v[0]); return nil }
}

// title sets an AE title.
func title[T ~string](p *T) func([]string) error {
	return func(v []string) error {
		if err := dimse.AETitle(v[0]).Check(); err != nil {
			return err
		}
		*p = T(v[0])
		return nil
	}
}

// number sets a number within bounds.
func number[T ~int | ~int64 | ~uint32](p *T, low, high int64) func([]string) error {
	return func(v []string) error {
		n, err := strconv.ParseInt(v[0], 10, 64)
		if err != nil || n < low || n > high {
			return fmt.Errorf("%q: want a number from %d to %d", v[0], low, high)
		}
		*p = T(n)
		return nil
	}
}

// years bounds waits: nobody means more.
const years = 10 * 365 * 24 * time.Hour

// wait sets a time in units; zero is no limit.
func wait(p *time.Duration, unit time.Duration) func([]string) error {
	return func(v []string) error {
		n, err := strconv.ParseInt(v[0], 10, 64)
		if err != nil || n < 0 || n > int64(years/unit) {
			return fmt.Errorf("%q: want a number of %v, 0 for no limit", v[0], unit)
		}
		if *p = time.Duration(n) * unit; n == 0 {
			*p = -1
		}
		return nil
	}
}

// delay sets a time of which zero is none.
func delay(p *time.Duration, unit time.Duration) func([]string) error {
	return func(v []string) error {
		n, err := strconv.ParseInt(v[0], 10, 64)
		if err != nil || n < 0 || n > int64(years/unit) {
			return fmt.Errorf("%q: want a number of %v", v[0], unit)
		}
		*p = time.Duration(n) * unit
		return nil
	}
}

// oneOf sets a string to one of a list, given in any case.
func oneOf[T ~string](p *T, allowed ...T) func([]string) error {
	return func(v []string) error {
		for _, a := range allowed {
			if strings.EqualFold(string(a), v[0]) {
				*p = a
				return nil
			}
		}
		return fmt.Errorf("%q: want one of %v", v[0], allowed)
	}
}

// both calls setters that share a flag.
func both(fs ...func([]string) error) func([]string) error {
	return func(v []string) error {
		for _, f := range fs {
			if err := f(v); err != nil {
				return err
			}
		}
		return nil
	}
}

// maxCommandFile bounds a command file.
const maxCommandFile = 1 << 20

// expand puts the words of command files, @name, in their place.
func expand(args []string) ([]string, error) {
	var out []string
	for _, a := range args {
		name, ok := strings.CutPrefix(a, "@")
		if !ok || name == "" {
			out = append(out, a)
			continue
		}
		f, err := os.Open(name)
		if err != nil {
			return nil, fmt.Errorf("command file: %w", err)
		}
		b, err := io.ReadAll(io.LimitReader(f, maxCommandFile))
		f.Close()
		if err != nil {
			return nil, fmt.Errorf("command file: %w", err)
		}
		words, err := split(string(b))
		if err != nil {
			return nil, fmt.Errorf("command file %s: %w", name, err)
		}
		out = append(out, words...)
	}
	return out, nil
}

// split splits text into words; quotes keep blanks.
func split(s string) ([]string, error) {
	var out []string
	var word strings.Builder
	quote, in := byte(0), false
	for i := range len(s) {
		switch c := s[i]; {
		case quote != 0 && c == quote:
			quote = 0
		case quote != 0:
			word.WriteByte(c)
		case c == '"' || c == '\'':
			quote, in = c, true
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			if in {
				out = append(out, word.String())
				word.Reset()
				in = false
			}
		default:
			word.WriteByte(c)
			in = true
		}
	}
	if quote != 0 {
		return nil, errors.New("a quote is not closed")
	}
	if in {
		out = append(out, word.String())
	}
	return out, nil
}
