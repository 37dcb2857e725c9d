package compat

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// scriptLines are the commands of testdata/scripts by the program that they run.
type scriptLine struct {
	script string
	args   []string
}

func scriptLines(t *testing.T) map[string][]scriptLine {
	t.Helper()
	names, err := filepath.Glob(filepath.Join("..", "..", "..", "testdata", "scripts", "*.txtar"))
	if err != nil || len(names) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	out := map[string][]scriptLine{}
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		commands, _, _ := strings.Cut(string(b), "\n-- ")
		for line := range strings.Lines(commands) {
			if program, args, ok := command(line); ok {
				out[program] = append(out[program], scriptLine{filepath.Base(name), args})
			}
		}
	}
	return out
}

// command takes the program and its arguments out of a script's line.
func command(line string) (program string, args []string, ok bool) {
	f := strings.Fields(strings.ReplaceAll(line, "'", ""))
	for len(f) > 0 && (f[0] == "!" || f[0] == "?" || strings.HasPrefix(f[0], "[")) {
		f = f[1:]
	}
	switch {
	case len(f) > 1 && f[0] == "exec":
		f = f[1:]
	case len(f) > 2 && f[0] == "exits":
		f = f[2:]
	default:
		return "", nil, false
	}
	if len(f) > 1 {
		if _, ok := named(f[0] + " " + f[1]); ok {
			return f[0] + " " + f[1], f[2:], true
		}
	}
	return f[0], f[1:], true
}

// uses tells whether the arguments have the flag under one of its names.
func (l scriptLine) uses(f *Flag) bool {
	return slices.ContainsFunc(l.args, func(a string) bool {
		name, _, _ := strings.Cut(a, "=")
		return slices.Contains(f.Names, a) || strings.HasPrefix(a, "--") && slices.Contains(f.Names, name)
	})
}

func scriptOf(lines []scriptLine, f *Flag) string {
	for _, l := range lines {
		if l.uses(f) {
			return l.script
		}
	}
	return ""
}
