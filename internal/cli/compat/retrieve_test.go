package compat

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gantry/dicom"
	"gantry/dicom/part10"
	"gantry/dicom/tag"
	"gantry/dicomtest"
	"gantry/dimse"
	"gantry/service/retrieve"
)

// files counts the regular files below a folder.
func files(t *testing.T, dir string) (out []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(name string, d os.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			out = append(out, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestGetPrograms(t *testing.T) {
	_, host, port := archive(t, 120)
	study := "StudyInstanceUID=" + string(dicomtest.Study(0))
	dir := t.TempDir()
	code, out, errs := run(t, "get_scu", "-k", study, "-od", dir, host, port)
	if code != 0 || len(files(t, dir)) != 100 {
		t.Fatalf("%d, %d files %s", code, len(files(t, dir)), errs)
	}
	wants(t, "get_scu", out, "C-GET", "Received files", "Data Size", "Completed", "Average Speed")
	dir = t.TempDir()
	code, out, _ = run(t, "retrieve_scu", host, port, "PACS", "--study-uid", string(dicomtest.Study(100)), "-o", dir)
	if code != 0 {
		t.Errorf("retrieve_scu: %d", code)
	}
	wants(t, "retrieve_scu", out, "Mode:", "Level:", "STUDY", "Completed:     20")
	want := filepath.Join(dir, string(dicomtest.Study(100)), string(dicomtest.Series(100)), string(dicomtest.Instance(100))+".dcm")
	f, err := part10.Open(want, dicom.DecodeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if got := f.DataSet.UID(tag.SOPInstanceUID); got != dicomtest.Instance(100) {
		t.Errorf("%s is %s", want, got)
	}
	f.Close()
	dir = t.TempDir()
	if code, _, errs := run(t, "getscu", "-S", "+xi", "-od", dir, "-k", "0008,0052=STUDY", "-k", study, host, port); code != 0 {
		t.Errorf("getscu: %d %s", code, errs)
	}
	if f, err := part10.Open(filepath.Join(dir, "CT."+string(dicomtest.Instance(0))), dicom.DecodeOptions{}); err != nil || f.Syntax != "1.2.840.10008.1.2" {
		t.Errorf("getscu +xi: %v", err)
	}
	if code, _, _ := run(t, "getscu", "-od", "/no/such/folder", host, port); code != 1 {
		t.Errorf("no folder: %d", code)
	}
	if code, _, _ := run(t, "get_scu", "-k", "StudyInstanceUID=1.2.3", host, closed(t)); code != 2 {
		t.Errorf("nobody there: %d", code)
	}
}

// movable is an archive that can move to a port of ours.
func movable(t *testing.T, n int, port string) (host, at string) {
	t.Helper()
	a := new(dicomtest.Archive)
	for i := range n {
		if err := a.Add(dicomtest.Object{N: i}); err != nil {
			t.Fatal(err)
		}
	}
	to := func(_ context.Context, _ *dimse.Request, ae dimse.AETitle) (*retrieve.Destination, error) {
		if ae != "ME" {
			return nil, retrieve.ErrUnknownDestination
		}
		return &retrieve.Destination{Called: ae, Addr: net.JoinHostPort("127.0.0.1", port)}, nil
	}
	host, at, err := net.SplitHostPort(dicomtest.Serve(t, &dimse.Server{Handler: a.Mux(retrieve.ResolverFunc(to)), Policy: dimse.Policy{AnyCalled: true}}))
	if err != nil {
		t.Fatal(err)
	}
	return host, at
}

func TestMovePrograms(t *testing.T) {
	receive := closed(t)
	host, port := movable(t, 30, receive)
	study := string(dicomtest.Study(0))
	dir := t.TempDir()
	code, out, errs := run(t, "move_scu", "-S", "-aem", "ME", "--port", receive, "-od", dir, "-k", "0020,000D="+study, host, port)
	if code != 0 || len(files(t, dir)) != 30 {
		t.Errorf("move_scu: %d, %d files %s", code, len(files(t, dir)), errs)
	}
	wants(t, "move_scu", out, "Destination:   ME", "Completed:     30", "Total Time:")
	dir = t.TempDir()
	if code, _, errs := run(t, "movescu", "-S", "-aem", "ME", "+P", receive, "-od", dir, "-k", "0008,0052=STUDY", "-k", "0020,000D="+study, host, port); code != 0 || len(files(t, dir)) != 30 {
		t.Errorf("movescu: %d, %d files %s", code, len(files(t, dir)), errs)
	}
	if code, _, errs := run(t, "movescu", "-S", "-aem", "OTHER", "-k", "0008,0052=STUDY", "-k", "0020,000D="+study, host, port); code != 69 || !strings.Contains(errs, "A801") {
		t.Errorf("unknown destination: %d %s", code, errs)
	}
	if code, _, _ := run(t, "movescu", host, closed(t)); code != 61 {
		t.Errorf("nobody there: %d", code)
	}
	if code, _, errs := run(t, "move_scu", host, port); code != 2 || !strings.Contains(errs, "-aem") {
		t.Errorf("no destination: %d %s", code, errs)
	}
	// Nobody listens there: every sub-operation fails.
	if code, _, _ := run(t, "retrieve_scu", host, port, "PACS", "--mode", "move", "--dest-ae", "ME", "--study-uid", study); code != 2 {
		t.Errorf("all failed: %d", code)
	}
}
