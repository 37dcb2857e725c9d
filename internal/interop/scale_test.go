//go:build unix

package interop

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestStoreInFlatMemory sends few and many files: the client's peak memory must not follow
// their number. With GANTRY_LONG it is 100,000.
func TestStoreInFlatMemory(t *testing.T) {
	few, many := 300, 3000
	if os.Getenv("GANTRY_LONG") != "" {
		many = 100_000
	}
	s := serve(t, "--log-level", "warning")
	dir := t.TempDir()
	for k := 0; k*100 < many; k++ {
		below := filepath.Join(dir, fmt.Sprintf("%04d", k))
		if err := os.Mkdir(below, 0o700); err != nil {
			t.Fatal(err)
		}
		for _, o := range study(k, 100) {
			o.file(t, below)
		}
	}
	var peaks [2]int64
	for i, from := range []string{"000[0-2]", "*"} {
		cmd := exec.Command(gantry, "store", "GANTRY@"+addr(s.port), "-j", "4", filepath.Join(dir, from))
		out, err := cmd.CombinedOutput()
		if want := fmt.Sprintf("%d sent", []int{few, many}[i]); err != nil || !strings.Contains(string(out), want) {
			t.Fatalf("%v: %s", err, tail(string(out), 2000))
		}
		peaks[i] = cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss / 1024
	}
	t.Logf("%d files: %d MB, %d files: %d MB", few, peaks[0], many, peaks[1])
	if peaks[1] > peaks[0]+16 {
		t.Errorf("memory follows the number of files: %d MB for %d, %d MB for %d", peaks[0], few, peaks[1], many)
	}
}
