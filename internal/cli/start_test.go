package cli

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// build makes the program once for a test.
func build(tb testing.TB) string {
	tb.Helper()
	name := filepath.Join(tb.TempDir(), "gantry"+executable())
	cmd := exec.Command("go", "build", "-o", name, "gantry/cmd/gantry")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		tb.Fatalf("%v\n%s", err, out)
	}
	return name
}

// fewAllocs are what wrapping a function in sync.OnceValue costs at start.
const fewAllocs = 8

// TestNoWorkBeforeMain holds our packages to having nothing to do at start.
func TestNoWorkBeforeMain(t *testing.T) {
	cmd := exec.Command(build(t), "version")
	cmd.Env = append(os.Environ(), "GODEBUG=inittrace=1")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(out), "init runtime") {
		t.Fatalf("no trace:\n%s", out)
	}
	for line := range strings.Lines(string(out)) {
		name, ok := strings.CutPrefix(line, "init gantry/")
		f := strings.Fields(line)
		if !ok || len(f) < 2 {
			continue
		}
		if n, err := strconv.Atoi(f[len(f)-2]); err != nil || n > fewAllocs {
			t.Errorf("work at start in %s", name)
		}
	}
}
