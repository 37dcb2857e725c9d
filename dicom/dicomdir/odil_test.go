package dicomdir_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"gantry/dicom/dicomdir"
	"gantry/dicom/part10"
	"gantry/dicom/tag"
)

// TestOdil compares the directory that odil makes of the same files with ours, further keys
// included. It is given images only: odil makes an IMAGE record of everything.
func TestOdil(t *testing.T) {
	odil := peer(t, "/usr/bin/odil")
	dir := t.TempDir()
	b := &dicomdir.Builder{Extra: map[string][]dicomdir.Key{
		"PATIENT": {{Tag: tag.PatientSex, Type: "2"}}, "SERIES": {{Tag: tag.SeriesDescription, Type: "3"}}, "IMAGE": {{Tag: tag.SOPClassUID, Type: "1"}},
	}}
	args := []string{"dicomdir", "-p", "PatientSex:2", "-s", "SeriesDescription", "-i", "SOPClassUID:1"}
	for i := range 25 {
		ds := object(t, i)
		meta, err := part10.MetaInfo{Class: ds.UID(tag.SOPClassUID), Instance: ds.UID(tag.SOPInstanceUID), Syntax: le}.Meta()
		if err != nil {
			t.Fatal(err)
		}
		var file bytes.Buffer
		if err := part10.Write(&file, meta, ds, le); err != nil {
			t.Fatal(err)
		}
		name := filepath.Join(append([]string{dir}, fileID(i)...)...)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, file.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := b.Add(fileID(i), le, ds); err != nil {
			t.Fatal(err)
		}
		args = append(args, name)
	}
	if out, err := exec.Command(odil, append(args, dir)...).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	theirs, err := dicomdir.Open(filepath.Join(dir, "DICOMDIR"))
	if err != nil || len(theirs.Flaws) > 0 {
		t.Fatalf("%v %v", err, theirs.Flaws)
	}
	want, got := ways(theirs), ways(read(t, written(t, b)))
	if len(want) != 25 || len(got) != 25 {
		t.Errorf("%d files, we have %d", len(want), len(got))
	}
	for file, way := range want {
		if got[file] != way {
			t.Errorf("%s:\n%s\nodil has\n%s", file, got[file], way)
		}
	}
}
