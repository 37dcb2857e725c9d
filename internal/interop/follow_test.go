//go:build unix

package interop

import (
	"crypto/sha256"
	"path/filepath"
	"strings"
	"testing"
)

// TestFollowTheBytes takes one object the way that docs/follow-the-bytes.md tells: over the
// network into the log, found by a query, out of the log by tar, and back by C-GET. It must
// be the same bytes at every stop.
func TestFollowTheBytes(t *testing.T) {
	s := serve(t)
	o := study(1, 1)
	sent := files(t, o)
	want := sha256.Sum256(dataSets(t, sent)[o[0].instance])
	must(t, gantry, "store", "GANTRY@"+addr(s.port), sent)
	out := must(t, gantry, "find", "GANTRY@"+addr(s.port), "-L", "IMAGE", "-k", "StudyInstanceUID="+string(o[0].study),
		"-k", "SeriesInstanceUID="+string(o[0].series))
	if !strings.Contains(out, string(o[0].instance)) {
		t.Errorf("not found: %s", out)
	}
	back := t.TempDir()
	must(t, gantry, "get", "GANTRY@"+addr(s.port), "-k", "StudyInstanceUID="+string(o[0].study), "--dir", back)
	if got := sha256.Sum256(dataSets(t, back)[o[0].instance]); got != want {
		t.Error("other bytes come back by C-GET")
	}
	s.stop()
	restored := t.TempDir()
	segments, _ := filepath.Glob(filepath.Join(s.dir, "data", "log", "*.tar"))
	for _, name := range segments {
		must(t, peer(t, "/usr/bin/tar"), "xf", name, "-C", restored)
	}
	dir := filepath.Join(restored, string(o[0].study), string(o[0].series))
	if got := sha256.Sum256(dataSets(t, dir)[o[0].instance]); got != want {
		t.Error("other bytes lie in the log")
	}
}
