//go:build unix

package scripts

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gantry/internal/cli"
)

// TestEveryFlag finds every flag of every verb in a script testdata/scripts/gantry_*.txtar,
// under one of its names.
func TestEveryFlag(t *testing.T) {
	lines := gantryLines(t)
	verbs := cli.Flags()
	if len(verbs) < 25 || len(verbs["gantry store"]) < 15 {
		t.Fatalf("%d verbs, %d flags of store", len(verbs), len(verbs["gantry store"]))
	}
	for verb, flags := range verbs {
		if name := "gantry_" + script(verb) + ".txtar"; verb != "gantry" {
			if _, err := os.Stat(filepath.Join(root, "testdata", "scripts", name)); err != nil {
				t.Errorf("%s has no script: %v", verb, err)
			}
		}
		for _, f := range flags {
			if !used(lines, verb, f) {
				t.Errorf("no script uses %s %s", verb, strings.Join(f, ", "))
			}
		}
	}
}

// script is the name of a verb's script; what belongs to delete is shown there.
func script(verb string) string {
	words := strings.Fields(verb)
	if len(words) == 1 {
		return ""
	}
	switch words[1] {
	case "undelete", "deleted":
		return "delete"
	}
	return words[1]
}

// gantryLines are the commands of the scripts of the verbs, as words.
func gantryLines(t *testing.T) [][]string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(root, "testdata", "scripts", "gantry_*.txtar"))
	if err != nil || len(names) < 10 {
		t.Fatalf("%d scripts, %v", len(names), err)
	}
	var out [][]string
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		commands, _, _ := strings.Cut(string(b), "\n-- ")
		for line := range strings.Lines(commands) {
			words := strings.Fields(line)
			if i := slices.Index(words, "gantry"); i > 0 && slices.Contains([]string{"exec", "exits"}, words[0]) {
				out = append(out, words[i:])
			}
		}
	}
	return out
}

func used(lines [][]string, verb string, flag []string) bool {
	path := strings.Fields(verb)
	return slices.ContainsFunc(lines, func(words []string) bool {
		return len(words) > len(path) && slices.Equal(words[:len(path)], path) &&
			slices.ContainsFunc(words[len(path):], func(w string) bool {
				name, _, _ := strings.Cut(w, "=")
				return slices.Contains(flag, name)
			})
	})
}
