package cli

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// run executes a command line in process.
func run(t *testing.T, args ...string) (code int, out, errs string) {
	t.Helper()
	return runIn(t, "", args...)
}

func runIn(t *testing.T, stdin string, args ...string) (code int, out, errs string) {
	t.Helper()
	var o, e bytes.Buffer
	code = Run(context.Background(), append([]string{"gantry"}, args...), Stdio{In: strings.NewReader(stdin), Out: &o, Err: &e})
	return code, o.String(), e.String()
}

func TestVersionAndUsage(t *testing.T) {
	if code, out, _ := run(t, "version"); code != ExitOK || !strings.HasPrefix(out, "gantry "+Version) {
		t.Errorf("%d %q", code, out)
	}
	if code, _, errs := run(t, "version", "--no-such-flag"); code != ExitUsage || !strings.Contains(errs, "gantry version --help") {
		t.Errorf("%d %q", code, errs)
	}
	if code, _, _ := run(t, "no-such-verb"); code != ExitUsage {
		t.Errorf("unknown verb: %d", code)
	}
}

// TestHelp holds every command to a purpose, an example and the exit codes.
func TestHelp(t *testing.T) {
	for _, c := range newRoot(&Stdio{}).Commands() {
		if c.Name() == "help" || c.Name() == "completion" {
			continue
		}
		_, out, _ := run(t, c.Name(), "--help")
		for _, want := range []string{"Usage:", "Examples:", "Exit codes:"} {
			if !strings.Contains(out, want) {
				t.Errorf("%s --help has no %q", c.Name(), want)
			}
		}
	}
}

func TestConfigCommands(t *testing.T) {
	file := filepath.Join(t.TempDir(), "gantry.yaml")
	if code, _, errs := run(t, "config", "init", file); code != ExitOK {
		t.Fatal(errs)
	}
	if code, out, errs := run(t, "config", "check", file); code != ExitOK || !strings.Contains(out, "no errors") {
		t.Errorf("%d %s%s", code, out, errs)
	}
	if code, _, _ := run(t, "config", "init", file); code != ExitFailed {
		t.Errorf("init overwrites: %d", code)
	}
	os.WriteFile(file, []byte("server:\n  port: x\nnonsense: 1\n"), 0o600)
	if code, _, errs := run(t, "config", "check", file); code != ExitUsage || !strings.Contains(errs, file+":2:") || !strings.Contains(errs, file+":3:") {
		t.Errorf("%d %s", code, errs)
	}
	if code, out, _ := run(t, "config", "explain"); code != ExitOK || !strings.Contains(out, "server.ae_title = GANTRY") {
		t.Errorf("%d %s", code, out)
	}
}

func TestLinks(t *testing.T) {
	dir := t.TempDir()
	taken := filepath.Join(dir, "gantry-echo")
	if err := os.WriteFile(taken, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, errs := run(t, "links", dir); code != ExitFailed || !strings.Contains(errs, "left alone") {
		t.Errorf("%d %s", code, errs)
	}
	if b, _ := os.ReadFile(taken); string(b) != "mine" {
		t.Error("a file was overwritten")
	}
	os.Remove(taken)
	if code, _, errs := run(t, "links", dir); code != ExitOK {
		t.Errorf("%d %s", code, errs)
	}
	for _, name := range append(linkNames(false), "find_scu", "store_scp") {
		if _, err := os.Lstat(filepath.Join(dir, name+executable())); err != nil {
			t.Error(err)
		}
	}
	if _, err := os.Lstat(filepath.Join(dir, "findscu"+executable())); err == nil {
		t.Error("a DCMTK name without --dcmtk")
	}
	if code, _, errs := run(t, "links", "--dcmtk", dir); code != ExitOK {
		t.Errorf("%d %s", code, errs)
	}
	if _, err := os.Lstat(filepath.Join(dir, "findscu"+executable())); err != nil {
		t.Error(err)
	}
	if got := arguments([]string{filepath.Join(dir, "gantry-dump"), "a.dcm"}); strings.Join(got, " ") != "dump a.dcm" {
		t.Errorf("%v", got)
	}
}
