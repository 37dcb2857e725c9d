package cli

import (
	"encoding/xml"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestSelftestOwn runs all but the slow ones against an archive of the program's own.
func TestSelftestOwn(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	file := filepath.Join(t.TempDir(), "out.xml")
	code, out, errs := run(t, "selftest", "-t", "~[stress]~[dcmtk]", "--reporter", "xml", "-s", "-d", "--order", "rand", "--seed", "7", "--out", file)
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if code != ExitOK {
		t.Fatalf("%d %s%s\n%s", code, out, errs, b)
	}
	var r struct {
		Cases struct {
			Successes int `xml:"successes,attr"`
			Skips     int `xml:"skips,attr"`
		} `xml:"OverallResultsCases"`
	}
	if err := xml.Unmarshal(b, &r); err != nil || r.Cases.Successes < 26 || r.Cases.Successes+r.Cases.Skips != 29 {
		t.Errorf("%v %+v", err, r)
	}
	if left, _ := filepath.Glob(filepath.Join(os.TempDir(), "gantry-selftest-*")); len(left) > 0 {
		t.Errorf("folders are left: %v", left)
	}
}

// TestSelftestDCMTK runs scenarios against DCMTK's archive, which must pass what it has.
func TestSelftestDCMTK(t *testing.T) {
	t.Parallel()
	receive := freePort(t)
	at := dcmqrscp(t, receive)
	code, out, errs := run(t, "selftest", at, "--calling", "ME", "--receive", receive, "-t", "[smoke]", "-t", "[dcmtk]", "-t", "*C-MOVE*", "-t", "[worklist]", "-t", "[xa]", "-s")
	if code != ExitOK || !strings.Contains(out, "2 skipped") || !strings.Contains(out, "PASSED: 3 completed, 0 failed, of 3") || !strings.Contains(errs, "stay at the peer") {
		t.Errorf("%d %s%s", code, out, errs)
	}
}

func TestSelftestLists(t *testing.T) {
	if code, out, _ := run(t, "selftest", "--list-tags"); code != ExitOK || !strings.Contains(out, "[store_query]") || !strings.Contains(out, "11 tags") {
		t.Errorf("%d %s", code, out)
	}
	if code, out, _ := run(t, "selftest", "--list-tests", "-t", "[worklist]"); code != ExitOK || !strings.HasPrefix(out, "Matching test cases:") || !strings.Contains(out, "2 test cases") {
		t.Errorf("%d %s", code, out)
	}
	for _, c := range []struct {
		code int
		args []string
		want string
	}{
		{ExitUsage, []string{"-t", "[open"}, "a tag is written"},
		{ExitUsage, []string{"--order", "up"}, "decl, lex or rand"},
		{ExitUsage, []string{"--reporter", "tap"}, "console, compact"},
		{ExitFailed, []string{"-t", "nothing of this name"}, "no scenario matches"},
		{ExitConnect, []string{"localhost:1"}, "is the peer running"},
		{ExitFailed, []string{"--out", "/no/such/folder/x"}, "no such file"},
	} {
		if code, out, errs := run(t, append([]string{"selftest"}, c.args...)...); code != c.code || !strings.Contains(errs, c.want) {
			t.Errorf("%v: %d %s%s", c.args, code, out, errs)
		}
	}
}
