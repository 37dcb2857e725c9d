package interop

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestDiskFull fills a small file system (R04): storing is refused with A700H, what was
// acknowledged stays and is found, and storing goes on by itself when there is room. Only
// root can mount; without, the archive's own tests over the file-system seam have to do.
func TestDiskFull(t *testing.T) {
	dir := t.TempDir()
	if os.Getuid() != 0 {
		t.Log("not root: no small file system can be mounted")
		return
	}
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=400m", "tmpfs", dir).CombinedOutput(); err != nil {
		t.Logf("no small file system can be mounted here: %v %s", err, out)
		return
	}
	t.Cleanup(func() { exec.Command("umount", "-l", dir).Run() })
	cfg := filepath.Join(t.TempDir(), "gantry.yaml")
	if err := os.WriteFile(cfg, []byte("storage: {min_free: 1}\nhttp: {auth: off}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := serveIn(t, dir, "--config", cfg)
	c := contender{name: "gantry", aet: "GANTRY", port: s.port}
	ct := newCT(t, 1)
	a := c.dial(t, ctContext)
	defer a.Abort()
	stored := 0
	var refused error
	for ; stored < 2000 && refused == nil; stored++ {
		refused = c.store(a, ct)
	}
	stored--
	if refused == nil || !strings.Contains(refused.Error(), "A700") || stored < 400 {
		t.Fatalf("after %d objects: %v", stored, refused)
	}
	out := must(t, gantry, "find", "GANTRY@"+addr(s.port), "--format", "csv", "-k", "NumberOfStudyRelatedInstances")
	if !strings.Contains(out, ","+strconv.Itoa(stored)) {
		t.Errorf("%d objects were acknowledged; found: %s", stored, out)
	}
	if code, body := s.get("/health", ""); code != 503 || !strings.Contains(body, "unhealthy") {
		t.Errorf("health on a full disk: %d %s", code, body)
	}
	if out, err := exec.Command("mount", "-o", "remount,size=1200m", dir).CombinedOutput(); err != nil {
		t.Fatalf("%v %s", err, out)
	}
	for end := time.Now().Add(15 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		if err := c.store(a, ct); err == nil {
			break
		} else if time.Now().After(end) || a.Err() != nil {
			t.Fatalf("with room again: %v", err)
		}
	}
	if err := a.Release(t.Context()); err != nil {
		t.Error(err)
	}
}
