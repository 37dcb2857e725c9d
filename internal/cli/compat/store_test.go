package compat

import (
	"archive/zip"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gantry/dicom"
	"gantry/dicom/part10"
	"gantry/dicom/tag"
	"gantry/dicom/uid"
	"gantry/dicomtest"
	"gantry/dimse"
)

// object writes a made-up object to a file.
func object(t *testing.T, name string, o dicomtest.Object) string {
	t.Helper()
	ds, err := o.DataSet()
	if err != nil {
		t.Fatal(err)
	}
	if o.Syntax == "" {
		o.Syntax = uid.ExplicitVRLittleEndian
	}
	meta, err := part10.MetaInfo{Class: ds.UID(tag.SOPClassUID), Instance: ds.UID(tag.SOPInstanceUID), Syntax: o.Syntax}.Meta()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := part10.Write(f, meta, ds, o.Syntax); err != nil {
		t.Fatal(err)
	}
	return name
}

// folderOf writes n objects, half of them one folder down.
func folderOf(t *testing.T, n int) string {
	t.Helper()
	dir := t.TempDir()
	for i := range n {
		object(t, filepath.Join(dir, [...]string{"", "below"}[i%2], fmt.Sprintf("%04d.dcm", i)), dicomtest.Object{N: i})
	}
	return dir
}

func TestStoreFolders(t *testing.T) {
	t.Parallel()
	dir := folderOf(t, 10)
	if err := os.WriteFile(filepath.Join(dir, "notes.txt"), []byte("no DICOM"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args []string
		code int
		n    int
	}{
		{[]string{"--scan-pattern", "*.dcm"}, 0, 5},
		{[]string{"-r", "--scan-pattern", "*.dcm"}, 0, 10},
		{[]string{"-r"}, 1, 10},
		{[]string{"-r", "--jobs", "3", "--scan-pattern", "000?.dcm"}, 0, 10},
		{[]string{"--scan-pattern", "*.none"}, 2, 0},
		{[]string{"-r", "-xv", "--scan-pattern", "*.dcm"}, 0, 10},
	} {
		a, host, port := archive(t, 0)
		code, out, errs := run(t, "store_scu", append(c.args, host, port, dir)...)
		if code != c.code || len(a.Objects()) != c.n {
			t.Errorf("%v: exit %d, %d stored\n%s%s", c.args, code, len(a.Objects()), out, errs)
		}
	}
}

func TestStoreSummary(t *testing.T) {
	a, host, port := archive(t, 0)
	file := object(t, filepath.Join(t.TempDir(), "a.dcm"), dicomtest.Object{N: 1})
	code, out, _ := run(t, "store_scu", host, port, file, "/no/such/file")
	if code != 1 || len(a.Objects()) != 1 {
		t.Errorf("exit %d", code)
	}
	wants(t, "summary", out, "Files processed: 2", "Successful:      1", "Failed:          1", "PARTIAL FAILURE")
	if code, _, _ := run(t, "store_scu", host, closed(t), file, "--retries", "0"); code != 2 {
		t.Errorf("nobody there: %d", code)
	}
	if code, _, _ := run(t, "store_scu", host, port); code != 2 {
		t.Errorf("no file: %d", code)
	}
}

// TestStoreRefused holds the sender to never saying success for what the peer refused.
func TestStoreRefused(t *testing.T) {
	for _, status := range []dimse.Status{dimse.OutOfResources, dimse.UnableToProcess, dimse.DuplicateSOPInstance, dimse.NotAuthorized} {
		a, host, port := archive(t, 0)
		a.OnStore = func(*dimse.Incoming) error { return &dimse.StatusError{Status: status} }
		file := object(t, filepath.Join(t.TempDir(), "a.dcm"), dicomtest.Object{N: 1})
		for name, want := range map[string]int{"store_scu": 1, "storescu": 1, "dcmsend": 62} {
			args := []string{host, port, file}
			if name == "store_scu" {
				args = append(args, "--retries", "0")
			}
			if code, out, errs := run(t, name, args...); code != want || !strings.Contains(errs, fmt.Sprintf("%04X", uint16(status))) {
				t.Errorf("%s, %v: exit %d %s%s", name, status, code, out, errs)
			}
		}
	}
}

// TestStoreBusy lets the peer be out of resources twice.
func TestStoreBusy(t *testing.T) {
	t.Parallel()
	a, host, port := archive(t, 0)
	left := 2
	a.OnStore = func(*dimse.Incoming) error {
		if left--; left >= 0 {
			return &dimse.StatusError{Status: dimse.OutOfResources}
		}
		return nil
	}
	if code, out, errs := run(t, "store_scu", host, port, object(t, filepath.Join(t.TempDir(), "a.dcm"), dicomtest.Object{N: 1})); code != 0 || len(a.Objects()) != 1 {
		t.Errorf("exit %d %s%s", code, out, errs)
	}
}

func TestStoreReportAndResume(t *testing.T) {
	a, host, port := archive(t, 0)
	dir := folderOf(t, 10)
	report := filepath.Join(t.TempDir(), "report.txt")
	a.OnStore = func(in *dimse.Incoming) error {
		if in.Instance == dicomtest.Instance(3) {
			return &dimse.StatusError{Status: dimse.UnableToProcess}
		}
		return nil
	}
	if code, _, errs := run(t, "store_scu", "-r", "--report-file", report, host, port, dir); code != 1 {
		t.Fatalf("exit %d %s", code, errs)
	}
	text, err := os.ReadFile(report)
	if err != nil {
		t.Fatal(err)
	}
	wants(t, "report", string(text), "Generated:", "Total Files: 10", "Successful: 9", "Failed: 1", "Success Rate: 90.0%", "Status: 0xC000", "[OK] "+filepath.Join(dir, "0000.dcm"), "[FAIL] ")
	seen := 0
	a.OnStore = func(*dimse.Incoming) error { seen++; return nil }
	// The run before may have been killed: its journal counts as well.
	os.WriteFile(report+".journal", []byte("[OK] "+filepath.Join(dir, "below", "0003.dcm")+"\n"), 0o600)
	if code, _, errs := run(t, "store_scu", "-r", "--report-file", report, "--resume", host, port, dir); code != 0 || seen != 0 {
		t.Errorf("exit %d, %d sent again %s", code, seen, errs)
	}
	object(t, filepath.Join(dir, "9999.dcm"), dicomtest.Object{N: 99})
	if code, _, errs := run(t, "store_scu", "-r", "--report-file", report, "--resume", host, port, dir); code != 0 || seen != 1 {
		t.Errorf("exit %d, %d sent %s", code, seen, errs)
	}
	text, _ = os.ReadFile(report)
	if n := strings.Count(string(text), "[OK] "); n != 11 {
		t.Errorf("%d lines of 11:\n%s", n, text)
	}
}

// TestStoreManyContexts sends more classes than one association has contexts for.
func TestStoreManyContexts(t *testing.T) {
	t.Parallel()
	dir, n := t.TempDir(), 0
	for class := range uid.StorageClasses() {
		object(t, filepath.Join(dir, fmt.Sprintf("%d.dcm", n)), dicomtest.Object{N: n, Class: class})
		n++
	}
	if n < 129 {
		t.Fatalf("only %d classes", n)
	}
	a, host, port := archive(t, 0)
	if code, _, errs := run(t, "store_scu", host, port, dir); code != 0 || len(a.Objects()) != n {
		t.Errorf("exit %d, %d of %d %s", code, len(a.Objects()), n, errs)
	}
	if code, _, _ := run(t, "dcmsend", "-ma", "+sd", host, port, dir); code != 62 {
		t.Errorf("one association for %d classes: exit %d", n, code)
	}
}

func TestStoreZipListDirectory(t *testing.T) {
	dir := folderOf(t, 4)
	zipName := filepath.Join(t.TempDir(), "study.zip")
	f, err := os.Create(zipName)
	if err != nil {
		t.Fatal(err)
	}
	w := zip.NewWriter(f)
	if err := w.AddFS(os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	w.Close()
	f.Close()
	a, host, port := archive(t, 0)
	if code, _, errs := run(t, "store_scu", host, port, zipName); code != 0 || len(a.Objects()) != 4 {
		t.Errorf("ZIP: exit %d, %d stored %s", code, len(a.Objects()), errs)
	}
	list := filepath.Join(dir, "0000.dcm") + "\n\n" + filepath.Join(dir, "below", "0001.dcm") + "\r\n"
	b, host, port := archive(t, 0)
	if code, _, errs := runIn(t, list, "storescu", host, port, "-"); code != 0 || len(b.Objects()) != 2 {
		t.Errorf("list: exit %d, %d stored %s", code, len(b.Objects()), errs)
	}
	c, host, port := archive(t, 0)
	code, _, errs := run(t, "dcmsend", "+rd", "-nh", host, port, dicomdir(t, dir))
	if code != 62 || len(c.Objects()) != 1 || !strings.Contains(errs, "outside") {
		t.Errorf("DICOMDIR: exit %d, %d stored %s", code, len(c.Objects()), errs)
	}
}

// dicomdir writes a DICOMDIR that refers to a file and to one outside of its folder.
func dicomdir(t *testing.T, dir string) string {
	t.Helper()
	var records []*dicom.DataSet
	for _, id := range [][]string{{"BELOW", "0001.DCM"}, {"..", "0000.dcm"}, nil} {
		ds, err := new(dicom.DataSet).Edit().SetText(tag.ReferencedFileID, id...).Build()
		if err != nil {
			t.Fatal(err)
		}
		records = append(records, ds)
	}
	ds, err := new(dicom.DataSet).Edit().SetItems(tag.DirectoryRecordSequence, records...).Build()
	if err != nil {
		t.Fatal(err)
	}
	meta, err := part10.MetaInfo{Class: uid.MediaStorageDirectoryStorage, Instance: "1.2.3", Syntax: uid.ExplicitVRLittleEndian}.Meta()
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(dir, "DICOMDIR")
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := part10.Write(f, meta, ds, uid.ExplicitVRLittleEndian); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestStoreCutAssociation(t *testing.T) {
	t.Parallel()
	a, host, port := archive(t, 0)
	dir := folderOf(t, 20)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go cutOnce(l, net.JoinHostPort(host, port))
	_, cut, _ := net.SplitHostPort(l.Addr().String())
	code, _, errs := run(t, "store_scu", "-r", host, cut, dir)
	if code != 0 || !strings.Contains(errs, "trying again") {
		t.Errorf("exit %d %s", code, errs)
	}
	seen := map[uid.UID]bool{}
	for _, o := range a.Objects() {
		seen[o.Instance] = true
	}
	if len(seen) != 20 {
		t.Errorf("%d of 20 arrived", len(seen))
	}
}

func TestDCMTKStoreRename(t *testing.T) {
	_, host, port := archive(t, 0)
	dir := t.TempDir()
	good, bad := object(t, filepath.Join(dir, "good"), dicomtest.Object{N: 1}), filepath.Join(dir, "bad")
	os.WriteFile(bad, []byte("no DICOM"), 0o600)
	if code, _, _ := run(t, "storescu", "+rn", "-nh", host, port, bad, good); code != 1 {
		t.Errorf("exit %d", code)
	}
	for _, name := range []string{good + ".done", bad + ".bad"} {
		if _, err := os.Stat(name); err != nil {
			t.Error(err)
		}
	}
	if code, _, errs := run(t, "storescu", host, port, dir); code != 1 || !strings.Contains(errs, "is a folder") {
		t.Errorf("folder without +sd: %d %s", code, errs)
	}
}
