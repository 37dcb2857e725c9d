package compat

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"gantry/dicomtest"
)

// dcmtk is the path of one of DCMTK's own programs.
func dcmtk(t *testing.T, name string) string {
	t.Helper()
	path := filepath.Join("/usr/bin", name)
	if _, err := os.Stat(path); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("%s is not installed", path)
		}
		t.Skipf("SKIPPED: %s is not installed; what it tests stays untested", path)
	}
	return path
}

// start runs a server of DCMTK's until the test ends.
func start(t *testing.T, port, name string, args ...string) {
	t.Helper()
	cmd := exec.Command(dcmtk(t, name), args...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	for range 100 {
		c, err := net.Dial("tcp", "127.0.0.1:"+port)
		if err == nil {
			c.Close()
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("%s does not listen", name)
}

// qr starts dcmqrscp with an empty database; moves to ME go to the port receive.
func qr(t *testing.T, receive string) (port string) {
	t.Helper()
	dir := t.TempDir()
	port = closed(t)
	config := filepath.Join(dir, "dcmqrscp.cfg")
	text := fmt.Sprintf(`NetworkTCPPort = %s
MaxPDUSize = 16384
MaxAssociations = 16
HostTable BEGIN
me = (ME, localhost, %s)
HostTable END
VendorTable BEGIN
VendorTable END
AETable BEGIN
QR %s RW (100, 1024mb) ANY
AETable END
`, port, receive, dir)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	start(t, port, "dcmqrscp", "-c", config)
	return port
}

// TestAgainstDCMTK runs the callers against DCMTK's archive.
func TestAgainstDCMTK(t *testing.T) {
	t.Parallel()
	receive := closed(t)
	port := qr(t, receive)
	dir := folderOf(t, 12)
	for _, args := range [][]string{
		{"echo_scu", "-aec", "QR", "localhost", port},
		{"echoscu", "-aec", "QR", "localhost", port},
		{"store_scu", "-r", "-aec", "QR", "localhost", port, dir},
		{"storescu", "+sd", "+r", "+C", "-xb", "-aec", "QR", "localhost", port, dir},
		{"dcmsend", "+sd", "+r", "-aec", "QR", "localhost", port, dir},
	} {
		if code, out, errs := run(t, args[0], args[1:]...); code != 0 {
			t.Errorf("%v: %d %s%s", args, code, out, errs)
		}
	}
	study := string(dicomtest.Study(0))
	_, out, _ := run(t, "find_scu", "-S", "-L", "IMAGE", "-k", "StudyInstanceUID="+study, "-k", "SeriesInstanceUID="+string(dicomtest.Series(0)), "-aec", "QR", "-o", "csv", "localhost", port)
	wants(t, "find_scu", out, string(dicomtest.Instance(9)))
	_, out, _ = run(t, "query_scu", "localhost", port, "QR", "--study-uid", study)
	wants(t, "query_scu", out, "Total: 1 result(s)")
	_, _, out = run(t, "findscu", "-S", "-aec", "QR", "-k", "0008,0052=STUDY", "-k", "0020,000d", "localhost", port)
	wants(t, "findscu", out, "Find Response: 1 (Pending)", study)
	for _, args := range [][]string{
		{"get_scu", "-aec", "QR", "-k", "0020,000d=" + study, "-od"},
		{"retrieve_scu", "localhost", port, "QR", "--study-uid", study, "-o"},
		{"getscu", "-S", "-aec", "QR", "-k", "0008,0052=STUDY", "-k", "0020,000d=" + study, "-od"},
		{"move_scu", "-S", "-aet", "ME", "-aem", "ME", "-aec", "QR", "--port", receive, "-k", "0020,000d=" + study, "-od"},
		{"movescu", "-S", "-aet", "ME", "-aem", "ME", "-aec", "QR", "+P", receive, "-k", "0008,0052=STUDY", "-k", "0020,000d=" + study, "-od"},
	} {
		in := t.TempDir()
		if args = append(args, in); args[0] != "retrieve_scu" {
			args = append(args, "localhost", port)
		}
		if code, out, errs := run(t, args[0], args[1:]...); code != 0 || len(files(t, in)) != 12 {
			t.Errorf("%v: %d, %d files %s%s", args, code, len(files(t, in)), out, errs)
		}
	}
}

// TestToStorescp sends real bytes to DCMTK's storage server and compares them.
func TestToStorescp(t *testing.T) {
	t.Parallel()
	port, in := closed(t), t.TempDir()
	start(t, port, "storescp", "+B", "+xa", "-od", in, port)
	name := object(t, filepath.Join(t.TempDir(), "a.dcm"), dicomtest.Object{N: 5, Pixels: 300_000})
	if code, _, errs := run(t, "storescu", "localhost", port, name); code != 0 {
		t.Fatalf("%d %s", code, errs)
	}
	got := files(t, in)
	if len(got) != 1 {
		t.Fatalf("%d files", len(got))
	}
	sent, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	kept, err := os.ReadFile(got[0])
	if err != nil {
		t.Fatal(err)
	}
	const tail = 300_000
	if string(sent[len(sent)-tail:]) != string(kept[len(kept)-tail:]) {
		t.Error("the pixels changed")
	}
}
