package cli

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestNamesAreFree holds the names that links makes to being nobody else's.
func TestNamesAreFree(t *testing.T) {
	taken := []string{"find", "store", "get", "move", "echo", "dump", "serve", "link", "man", "print", "convert", "import", "export"}
	for _, name := range linkNames(true) {
		if slices.Contains(taken, name) {
			t.Errorf("%s is the name of something else", name)
		}
	}
}

// TestDispatch runs a program by the name that a link gives it.
func TestDispatch(t *testing.T) {
	for _, name := range []string{"find_scu", "/usr/bin/findscu", "storescp.exe"} {
		var out, errs bytes.Buffer
		code := Run(context.Background(), []string{name, "--help"}, Stdio{In: strings.NewReader(""), Out: &out, Err: &errs})
		base := strings.TrimSuffix(filepath.Base(name), ".exe")
		if code != 0 || !strings.Contains(out.String(), "Usage: "+base) {
			t.Errorf("%s: %d %s%s", name, code, out.String(), errs.String())
		}
	}
}

func TestManual(t *testing.T) {
	dir := t.TempDir()
	if code, out, errs := run(t, "man", "--dcmtk", dir); code != ExitOK || !strings.Contains(out, "pages written") {
		t.Fatalf("%d %s", code, errs)
	}
	for name, want := range map[string]string{
		"gantry": ".SH \"NAME\"", "gantry-store": `\-\-resume`, "gantry-config-check": "Check a configuration file", "find_scu": `\-\-max\-results`, "storescp": "refused:",
	} {
		b, err := os.ReadFile(filepath.Join(dir, name+".1"))
		if err != nil || !strings.Contains(string(b), want) {
			t.Errorf("%s.1: %v, no %q", name, err, want)
		}
		for line := range strings.Lines(string(b)) {
			if strings.HasPrefix(line, ".") && !strings.HasPrefix(line, ".TH ") && !strings.HasPrefix(line, ".SH ") && !strings.HasPrefix(line, ".B ") &&
				line != ".TP\n" && line != ".nf\n" && line != ".fi\n" {
				t.Errorf("%s.1: %q is an order by accident", name, line)
			}
		}
	}
}

func TestCompletion(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		if code, out, _ := run(t, "completion", shell); code != ExitOK || !strings.Contains(out, "gantry") {
			t.Errorf("%s: %d", shell, code)
		}
	}
}
