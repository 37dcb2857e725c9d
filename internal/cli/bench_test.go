package cli

import (
	"context"
	"net"
	"path/filepath"
	"strings"
	"testing"

	"gantry/dicomtest"
	"gantry/dimse"
	"gantry/service/retrieve"
)

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}

// TestBenchMove has the peer send to a port of the load's own, and files sent before under
// fresh UIDs are what is moved.
func TestBenchMove(t *testing.T) {
	port := freePort(t)
	a := new(dicomtest.Archive)
	if err := a.Add(dicomtest.Object{N: 1}, dicomtest.Object{N: 2}); err != nil {
		t.Fatal(err)
	}
	resolve := retrieve.ResolverFunc(func(_ context.Context, _ *dimse.Request, dest dimse.AETitle) (*retrieve.Destination, error) {
		return &retrieve.Destination{Called: dest, Addr: "127.0.0.1:" + port}, nil
	})
	at := "PACS@" + dicomtest.Serve(t, &dimse.Server{Handler: a.Mux(resolve), Policy: dimse.Policy{AnyCalled: true}})
	dir := filepath.Join(t.TempDir(), "in")
	if code, _, errs := run(t, "get", at, "-k", "StudyInstanceUID="+string(dicomtest.Study(1)), "--dir", dir); code != ExitOK {
		t.Fatal(errs)
	}
	code, out, errs := run(t, "bench", at, dir, "--kind", "store", "--fresh-uids", "--count", "20", "-j", "2")
	if code != ExitOK || len(a.Objects()) != 22 {
		t.Errorf("store: %d, %d objects, %s%s", code, len(a.Objects()), out, errs)
	}
	code, out, errs = run(t, "bench", at, dir, "--kind", "store", "--count", "20")
	if code != ExitOK || len(a.Objects()) != 22 {
		t.Errorf("store again: %d, %d objects, %s%s", code, len(a.Objects()), out, errs)
	}
	code, out, errs = run(t, "bench", at, "--kind", "move", "--dest", "ME", "--receive", port, "--count", "10", "-k", "StudyInstanceUID="+string(dicomtest.Study(1)))
	if code != ExitOK || !strings.Contains(out, "move             1        10       0") || strings.Contains(out, " 0.00  ") {
		t.Errorf("move: %d %s%s", code, out, errs)
	}
	if code, out, _ := run(t, "bench", at, "--kind", "find", "--count", "5", "--keys-from", batchFile(t, "PatientID=P0", "PatientID=P1")); code != ExitOK || !strings.Contains(out, "find") {
		t.Errorf("find: %d %s", code, out)
	}
}

func TestBenchErrors(t *testing.T) {
	_, at := peer(t)
	for _, c := range []struct {
		code int
		args []string
		want string
	}{
		{ExitUsage, []string{at, "--kind", "nonsense"}, "echo, associate, store"},
		{ExitUsage, []string{at, "-j", "0"}, "want 1 to 1000"},
		{ExitUsage, []string{at, "--rate", "-1"}, "rate -1"},
		{ExitUsage, []string{at, "--rate", "5", "--think", "1s"}, "think"},
		{ExitUsage, []string{at, "--kind", "store", "--size", "1Q"}, "512K"},
		{ExitUsage, []string{at, "--kind", "store", "--size", "2G"}, "size"},
		{ExitUsage, []string{at, "--kind", "store", "--modality", "QQ"}, "CT, MR"},
		{ExitUsage, []string{at, "--kind", "store", "--fresh-uids"}, "files are wanted"},
		{ExitUsage, []string{at, "--kind", "mixed", "--mix", "echo"}, "kind=clients"},
		{ExitUsage, []string{at, "--kind", "move"}, "destination"},
		{ExitUsage, []string{at, "file"}, "files are for"},
		{ExitFailed, []string{at, "--kind", "get"}, "no study to ask for"},
		{ExitFailed, []string{at, "--kind", "get", "-k", "StudyInstanceUID=1.2", "--count", "1"}, ""},
		{ExitConnect, []string{"localhost:1", "--count", "1"}, "is the peer running"},
		{ExitConnect, []string{"localhost:1", "--kind", "associate", "--count", "1"}, "is the peer running"},
	} {
		code, out, errs := run(t, append([]string{"bench"}, c.args...)...)
		if code != c.code || !strings.Contains(errs, c.want) {
			t.Errorf("%v: %d %s%s", c.args, code, out, errs)
		}
	}
}
