package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gantry/dicom"
	"gantry/dicom/part10"
	"gantry/dicom/tag"
	"gantry/dicom/uid"
)

// dicomFile is a small image's header as a file.
func dicomFile(t *testing.T) []byte {
	t.Helper()
	ds, err := new(dicom.DataSet).Edit().SetText(tag.PatientName, "Doe^Jane").SetText(tag.PatientComments, strings.Repeat("long ", 30)).Build()
	if err != nil {
		t.Fatal(err)
	}
	meta, err := part10.MetaInfo{Class: uid.CTImageStorage, Instance: "1.2.3", Syntax: uid.ExplicitVRLittleEndian}.Meta()
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := part10.Write(&b, meta, ds, uid.ExplicitVRLittleEndian); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestDump(t *testing.T) {
	dir := t.TempDir()
	raw := dicomFile(t)
	good, broken, text := filepath.Join(dir, "good.dcm"), filepath.Join(dir, "below", "cut.dcm"), filepath.Join(dir, "notes.txt")
	if err := os.Mkdir(filepath.Dir(broken), 0o777); err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string][]byte{good: raw, broken: raw[:len(raw)-100], text: []byte("no such thing as a header")} {
		if err := os.WriteFile(name, b, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		name      string
		args      []string
		stdin     string
		code      int
		out, errs string
		not       string
	}{
		{name: "one", args: []string{good}, out: "PN [Doe^Jane] ", not: "# " + good},
		{name: "shortened", args: []string{good}, out: "long l... # 150"},
		{name: "long", args: []string{"--long", good}, out: "long long] # 150"},
		{name: "dcmdump", args: []string{"--dcmdump", good}, out: "=LittleEndianExplicit"},
		{name: "no meta", args: []string{"--no-meta", good}, out: "PatientName", not: "(0002,"},
		{name: "tag", args: []string{"-t", "0010,0010", "-t", "TransferSyntaxUID", good}, out: "PatientName\n", not: "PatientComments"},
		{name: "input", args: []string{"-"}, stdin: string(raw), out: "PatientName"},
		{name: "folder", args: []string{"-r", dir}, code: ExitFailed, out: "# " + good + "\n", errs: "gantry: " + text + ": not a DICOM file"},
		{name: "flaws", args: []string{"--flaws", broken}, out: "PatientComments", errs: broken + ": (0010,4000) at byte"},
		{name: "folder without flag", args: []string{dir}, code: ExitUsage, errs: "--recursive"},
		{name: "two, one missing", args: []string{good, dir + "/none"}, code: ExitFailed, out: "PatientName", errs: "none: no such file"},
		{name: "no DICOM", args: []string{"-"}, stdin: "text", code: ExitFailed, errs: "gantry: -: not a DICOM file"},
		{name: "bad tag", args: []string{"-t", "NoSuchThing", good}, code: ExitUsage, errs: "NoSuchThing"},
		{name: "bad format", args: []string{"--format", "yaml", good}, code: ExitUsage, errs: `--format "yaml"`},
		{name: "no file", code: ExitUsage},
	} {
		t.Run(c.name, func(t *testing.T) {
			code, out, errs := runIn(t, c.stdin, append([]string{"dump"}, c.args...)...)
			if code != c.code || !strings.Contains(out, c.out) || !strings.Contains(errs, c.errs) || c.not != "" && strings.Contains(out, c.not) {
				t.Errorf("%d\n%s\n%s", code, out, errs)
			}
		})
	}
}
