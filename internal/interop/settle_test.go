//go:build unix

package interop

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestOneStudyBySixteen is R09: sixteen associations send the objects of one study in no
// order, one of them again and again. It is told of once when nothing more comes, with exact
// counts, and once more, as late, when something does.
func TestOneStudyBySixteen(t *testing.T) {
	t.Setenv("GANTRY_ARCHIVE_SETTLE", "3s")
	s := serve(t)
	objects := study(1, 161)
	late := objects[160].file(t, t.TempDir())
	rand.Shuffle(160, func(i, j int) { objects[i], objects[j] = objects[j], objects[i] })
	var wg sync.WaitGroup
	for k := range 16 {
		dir := files(t, objects[k*10:k*10+10])
		if err := os.Link(filepath.Join(dir, string(objects[k*10].instance)+".dcm"), filepath.Join(dir, "again.dcm")); err != nil {
			t.Fatal(err)
		}
		wg.Go(func() {
			if out, code := run(t, dcmtk(t, "storescu"), "-aec", "GANTRY", "+sd", "localhost", strconv.Itoa(s.port), dir); code != 0 {
				t.Errorf("sender %d: %d\n%s", k, code, out)
			}
		})
	}
	wg.Wait()
	told := func(n int) string {
		t.Helper()
		for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
			if out := s.out.String(); lines(out, "study is complete") >= n {
				return out
			}
		}
		t.Fatalf("told of %d times, want %d\n%s", lines(s.out.String(), "study is complete"), n, tail(s.out.String(), 2000))
		return ""
	}
	if out := told(1); lines(out, "instances=160 arrived=160 late=false") != 1 {
		t.Errorf("the study is not complete with 160:\n%s", tail(out, 2000))
	}
	must(t, dcmtk(t, "storescu"), "-aec", "GANTRY", "localhost", strconv.Itoa(s.port), late)
	if out := told(2); lines(out, "instances=161 arrived=1 late=true") != 1 || lines(out, "study is complete") != 2 {
		t.Errorf("the late object is not told of:\n%s", tail(out, 2000))
	}
	found := must(t, gantry, "find", "GANTRY@"+addr(s.port), "--format", "csv", "-k", "NumberOfStudyRelatedInstances", "-k", fmt.Sprint("StudyInstanceUID=", objects[0].study))
	if !strings.Contains(found, "161") {
		t.Errorf("counted: %s", found)
	}
}
