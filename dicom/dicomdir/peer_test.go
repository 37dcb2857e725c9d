package dicomdir_test

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gantry/dicom"
	"gantry/dicom/dicomdir"
	"gantry/dicom/part10"
	"gantry/dicom/tag"
	"gantry/dicom/vr"
)

// peer is a program of Debian's, by its path so that it is never one of ours.
func peer(t *testing.T, path string) string {
	t.Helper()
	if _, err := os.Stat(path); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skipf("NOTHING WAS COMPARED: %v", err)
	}
	return path
}

func samples(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("GANTRY_SAMPLES")
	if dir == "" {
		if os.Getenv("CI") != "" {
			t.Fatal("CI needs GANTRY_SAMPLES")
		}
		t.Skip("NO REAL FILE WAS READ: GANTRY_SAMPLES is not set")
	}
	return dir
}

// fileSet copies the real files that a directory takes into a folder, under File IDs, and
// builds their directory there.
func fileSet(t *testing.T, extra map[string][]dicomdir.Key) (dir string, b *dicomdir.Builder) {
	dir, b = t.TempDir(), &dicomdir.Builder{Extra: extra}
	n, refused := 0, map[string]int{}
	err := filepath.WalkDir(samples(t), func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasPrefix(d.Name(), "DICOMDIR") {
			return err
		}
		if st, err := d.Info(); err != nil || st.Size() > 600<<10 {
			return err
		}
		f, err := part10.Open(name, dicom.DecodeOptions{})
		if err != nil {
			return nil
		}
		defer f.Close()
		id := []string{fmt.Sprintf("DIR%05d", n/50), fmt.Sprintf("F%07d", n)}
		n++
		if err := b.Add(id, f.Syntax, f.DataSet); err != nil {
			refused[regexp.MustCompile(`[0-9.]{12,}`).ReplaceAllString(err.Error(), "...")]++
			return nil
		}
		path := filepath.Join(append([]string{dir}, id...)...)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		content, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		return os.WriteFile(path, content, 0o644)
	})
	if err != nil {
		t.Fatal(err)
	}
	if b.Len() < 150 {
		t.Fatalf("%d of %d files are in the directory: %v", b.Len(), n, refused)
	}
	if err := os.WriteFile(filepath.Join(dir, "DICOMDIR"), written(t, b), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir, b
}

// TestDcmdump has dcmdump read the directory of all real files: it prints where each record
// stands, which is where the offsets must lead.
func TestDcmdump(t *testing.T) {
	dcmdump := peer(t, "/usr/bin/dcmdump")
	dir, b := fileSet(t, nil)
	cmd := exec.Command(dcmdump, filepath.Join(dir, "DICOMDIR"))
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil || errs.Len() > 0 {
		t.Fatalf("%v: %s", err, errs.String())
	}
	stands := map[string]bool{"0": true}
	for _, m := range regexp.MustCompile(`offset=\$(\d+)`).FindAllSubmatch(out, -1) {
		stands[string(m[1])] = true
	}
	led := regexp.MustCompile(`\(0004,1[24][024][02]\) up (\d+)`).FindAllSubmatch(out, -1)
	for _, m := range led {
		if !stands[string(m[1])] {
			t.Errorf("%s: no record stands there", m[0])
		}
	}
	d := read(t, written(t, b))
	if len(stands)-1 != d.Len() || len(led) != 2*d.Len()+2 {
		t.Errorf("%d records, %d offsets, want %d", len(stands)-1, len(led), d.Len())
	}
	t.Logf("%d objects, %d records", b.Len(), d.Len())
}

// TestDcmmkdir compares the directory that dcmmkdir makes of the same files with ours:
// the way from the root to each file, with the keys of every record on it.
func TestDcmmkdir(t *testing.T) {
	dcmmkdir := peer(t, "/usr/bin/dcmmkdir")
	// Which dcmmkdir copies too.
	dir, b := fileSet(t, map[string][]dicomdir.Key{"IMAGE": {{Tag: tag.ImageType, Type: "3"}, {Tag: tag.ReferencedImageSequence, Type: "3"}}})
	theirs := filepath.Join(t.TempDir(), "DICOMDIR")
	args := []string{"-q", "-W", "+I", "+Nrs", "-Nxc", "-Nec", "-Nrc", "+id", dir, "+D", theirs}
	for r := range read(t, written(t, b)).Files() { // in the same order: the first name of a patient stays
		args = append(args, strings.Join(r.FileID, "/"))
	}
	slices.SortFunc(args[len(args)-b.Len():], func(a, b string) int { return strings.Compare(a[len(a)-8:], b[len(b)-8:]) })
	cmd := exec.Command(dcmmkdir, args...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Logf("%v: %s", err, out)
	}
	d, err := dicomdir.Open(theirs)
	if err != nil {
		t.Fatal(err)
	}
	if len(d.Flaws) > 0 {
		t.Errorf("dcmmkdir's: %v", d.Flaws)
	}
	want, got := ways(d), ways(read(t, written(t, b)))
	same, differ := 0, 0
	for file, theirs := range want {
		switch ours, ok := got[file]; {
		case !ok:
			t.Errorf("%s is in dcmmkdir's only", file)
		case ours != theirs:
			if differ++; differ <= 5 {
				t.Errorf("%s:\n%s\ndcmmkdir has\n%s", file, ours, theirs)
			}
		default:
			same++
		}
	}
	if t.Logf("%d of %d ways are the same, %d differ", same, len(got), differ); same < 100 {
		t.Errorf("only %d files were compared", same)
	}
}

// ways prints the records from the root to each file.
func ways(d *dicomdir.Directory) map[string]string {
	out := map[string]string{}
	var open []string
	for level, r := range d.Walk() {
		open = append(open[:level], keysOf(r))
		if len(r.FileID) > 0 {
			out[strings.Join(r.FileID, "/")] = strings.Join(open, "\n")
		}
	}
	return out
}

// keysOf prints a record without what depends on the place.
func keysOf(r *dicomdir.Record) string {
	var keys []string
	for e := range r.DataSet.All() {
		if e.Tag > 0x00041500 && e.Tag != tag.SpecificCharacterSet {
			keys = append(keys, fmt.Sprintf("%v=%s", e.Tag, text(e)))
		}
	}
	return r.Type + " " + strings.Join(keys, " ")
}

func text(e dicom.Element) string {
	if e.VR == vr.SQ {
		return fmt.Sprintf("%d items", e.ItemCount())
	}
	return strings.Join(e.Texts(), `\`)
}

// TestSamples reads the real directories. Those made broken for pydicom's tests must be
// said to be that.
func TestSamples(t *testing.T) {
	read := 0
	for name, want := range directories(t) {
		d, err := dicomdir.Open(filepath.Join(samples(t), name))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		inTree := 0
		for _, r := range d.Walk() {
			if r.Type != r.DataSet.Text(tag.DirectoryRecordType) {
				t.Errorf("%s: %s", name, r.Type)
			}
			inTree++
		}
		got := fmt.Sprintf("%d %d %d %v", d.Len(), inTree, len(slices.Collect(d.Files())), len(d.Flaws) > 0)
		if got != want {
			t.Errorf("%s: %s, want %s: %v", name, got, want, d.Flaws)
		}
		read++
	}
	if read < 10 {
		t.Errorf("%d directories", read)
	}
}

// directories are the real ones: how many records they have, how many of those are in the
// tree, how many refer to a file, and whether something is wrong.
func directories(t *testing.T) map[string]string {
	const pydicom = "pydicom+pydicom/src/pydicom/data/test_files/dicomdirtests/"
	out := map[string]string{}
	for line := range strings.Lines(`
DICOMDIR 52 52 31 false
DICOMDIR-nopatient 52 1 31 true
DICOMDIR-implicit 52 52 31 false
DICOMDIR-empty.dcm 0 0 0 false
DICOMDIR-nooffset 52 52 31 true
DICOMDIR-reordered 52 52 31 false
DICOMDIR-bigEnd 52 52 31 false
TINY_ALPHA/DICOMDIR 53 53 50 false
`) {
		if name, want, _ := strings.Cut(strings.TrimSpace(line), " "); name != "" {
			out[pydicom+name] = want
		}
	}
	out["ivmartel+dwv/tests/data/DICOMDIR"] = "50 50 44 false"
	out["dcm4che+dcm4che/dcm4che-test-data/src/main/resources/DICOMDIR"] = "44 44 11 false"
	out["neurolabusc+dcm_qa_xa60/In/XA60/DICOMDIR"] = "74 74 60 false"
	return out
}
