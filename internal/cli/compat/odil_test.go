package compat

import (
	"bytes"
	"context"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gantry/dicom"
	"gantry/dicom/part10"
	"gantry/dicom/tag"
)

const odilPath = "/usr/bin/odil"

func needsOdil(t *testing.T) {
	t.Helper()
	if _, err := os.Stat(odilPath); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skipf("NOTHING WAS COMPARED: %v", err)
	}
}

// TestOdilPrint compares what we print of real files with what odil does. It fails for
// many of them, and those it prints in one go take their time: a part is compared, all with
// GANTRY_LONG.
func TestOdilPrint(t *testing.T) {
	needsOdil(t)
	dir := os.Getenv("GANTRY_SAMPLES")
	if dir == "" {
		if os.Getenv("CI") != "" {
			t.Fatal("CI needs GANTRY_SAMPLES")
		}
		t.Skip("NO REAL FILE WAS READ: GANTRY_SAMPLES is not set")
	}
	n, same, unread := 0, 0, 0
	filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !readable(name) {
			return err
		}
		if n++; n%16 > 0 && os.Getenv("GANTRY_LONG") == "" {
			return nil
		}
		want, err := exec.Command(odilPath, "print", "-H", "-u", name).Output()
		if err != nil {
			unread++
			return nil
		}
		code, out, errs := run(t, "odil print", "-H", "-u", name)
		if code != 0 {
			t.Errorf("%s: %d %s", name, code, errs)
		} else if ours, theirs, differ := firstDifference(out, string(want)); differ != slices.Contains(otherwise, d.Name()) {
			t.Errorf("%s:\nours   %.300s\ntheirs %.300s", strings.TrimPrefix(name, dir+"/"), ours, theirs)
		} else {
			same++
		}
		return nil
	})
	if t.Logf("%d print the same, %d odil cannot read", same, unread); same < 20 {
		t.Errorf("only %d files were compared", same)
	}
}

func readable(name string) bool {
	f, err := part10.Open(name, dicom.DecodeOptions{})
	if err != nil {
		return false
	}
	defer f.Close()
	// odil does not know code extensions.
	return f.HasPreamble && len(f.DataSet.Flaws())+len(f.Meta.Flaws()) == 0 && len(f.DataSet.Texts(tag.SpecificCharacterSet)) < 2
}

// otherwise are files that print otherwise on purpose: sequences of VR UN, which odil takes
// for bytes, and numbers that are none, of which odil shows the beginning or 0.
var otherwise = []string{"explicit_with_private_sequence_having_undefined_length_and_implicit_encoding.dcm", "MR.dcm", "xa_minimal.dcm", "badVR.dcm"}

// column is what stands between name and tag.
var column = regexp.MustCompile(` +([0-9a-f]{4},[0-9a-f]{4} [A-Z]{2} )`)

func firstDifference(ours, theirs string) (a, b string, differ bool) {
	o, w := strings.Split(ours, "\n"), strings.Split(theirs, "\n")
	for i := range max(len(o), len(w)) {
		a, b = "", ""
		if i < len(o) {
			a = o[i]
		}
		if i < len(w) {
			b = w[i]
		}
		// Names are newer than odil's, and so is their column; code extensions are beyond it.
		newer := strings.Contains(b, " UI ['1.2.840.10008.") || strings.Contains(b, `\x1b$`)
		if !newer && !strings.EqualFold(column.ReplaceAllString(a, " $1"), column.ReplaceAllString(b, " $1")) {
			return a, b, true
		}
	}
	return "", "", false
}

// TestResolve finds sub-commands, and takes no argument for one.
func TestResolve(t *testing.T) {
	for line, want := range map[string]string{
		"/usr/bin/odil print a":      "odil print [a]",
		"odil":                       "odil []",
		"odil frobnicate":            "odil [frobnicate]",
		"odil.exe find x":            "odil find [x]",
		"dcm_info /tmp/echo_scu":     "dcm_info [/tmp/echo_scu]",
		"echoscu print":              "echoscu [print]",
		"odil ../odil\u00a0print":    "odil [../odil\u00a0print]",
		"/some/where/gantry-unknown": "",
	} {
		p, args, ok := Resolve(strings.Split(line, " "))
		got := ""
		if ok {
			got = p.Name + " [" + strings.Join(args, " ") + "]"
		}
		if got != want {
			t.Errorf("%s: %q, want %q", line, got, want)
		}
	}
	var b bytes.Buffer
	p, _ := Lookup("odil")
	if p.Help(&b); !strings.Contains(b.String(), "transcode") || p.Run(context.Background(), nil) != nil {
		t.Errorf("%s", b.String())
	}
}
