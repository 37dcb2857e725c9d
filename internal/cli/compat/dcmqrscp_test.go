package compat

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"gantry/dicomtest"
)

// TestDCMQRSCP runs the archive by a configuration of DCMTK's, with our callers and with
// DCMTK's.
func TestDCMQRSCP(t *testing.T) {
	t.Parallel()
	port, receive, dir := closed(t), closed(t), t.TempDir()
	config := filepath.Join(dir, "dcmqrscp.cfg")
	for _, name := range []string{"rw", "ro"} {
		os.Mkdir(filepath.Join(dir, name), 0o755)
	}
	text := fmt.Sprintf(`NetworkTCPPort = %s
HostTable BEGIN
me = (ME, localhost, %s)
HostTable END
AETable BEGIN
RW %s/rw RW (1, 1024mb) ANY
RO %s/ro R (10, 1024mb) me
AETable END
`, port, receive, dir, dir)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	stop := serve(t, port, "dcmqrscp", "-c", config, "--allow-shutdown")
	if code, _, errs := run(t, "storescu", "+sd", "+r", "-aec", "RW", "localhost", port, folderOf(t, 12)); code != 0 {
		t.Errorf("storescu: %d %s", code, errs)
	}
	other := object(t, filepath.Join(t.TempDir(), "a"), dicomtest.Object{N: 200})
	if code, _, errs := run(t, "storescu", "-aec", "RW", "localhost", port, other); code != 1 || !strings.Contains(errs, "A700") {
		t.Errorf("a second study over the quota: %d %s", code, errs)
	}
	if code, _, errs := run(t, "storescu", "-aet", "ME", "-aec", "RO", "localhost", port, other); code != 1 || !strings.Contains(errs, "0124") {
		t.Errorf("store to a read-only AE title: %d %s", code, errs)
	}
	if code, _, errs := run(t, "echoscu", "-aet", "STRANGER", "-aec", "RO", "localhost", port); code != 1 || !strings.Contains(errs, "rejected") {
		t.Errorf("no peer of the AE title: %d %s", code, errs)
	}
	study := "0020,000d=" + string(dicomtest.Study(0))
	for _, args := range [][]string{
		{"getscu", "-S", "-aec", "RW", "-k", "0008,0052=STUDY", "-k", study, "-od"},
		{"movescu", "-S", "-aem", "ME", "-aec", "RW", "+P", receive, "-k", "0008,0052=STUDY", "-k", study, "-od"},
	} {
		in := t.TempDir()
		if code, out, errs := run(t, args[0], append(args[1:], in, "localhost", port)...); code != 0 || len(files(t, in)) != 12 {
			t.Errorf("%v: %d, %d files %s%s", args, code, len(files(t, in)), out, errs)
		}
		in = t.TempDir()
		if out, err := exec.Command(dcmtk(t, args[0]), append(args[1:], in, "localhost", port)...).CombinedOutput(); err != nil || len(files(t, in)) != 12 {
			t.Errorf("DCMTK's %v: %v, %d files %s", args, err, len(files(t, in)), out)
		}
	}
	if code, _, errs := run(t, "termscu", "-aec", "RW", "localhost", port); code != 0 {
		t.Errorf("termscu: %d %s", code, errs)
	}
	if code, _, _ := stop(); code != 0 {
		t.Errorf("exit %d", code)
	}
	serve(t, port, "dcmqrscp", "-c", config)
	if code, _, _ := run(t, "findscu", "-S", "-aec", "RW", "-k", "0008,0052=STUDY", "-k", study, "localhost", port); code != 0 {
		t.Errorf("after a restart: %d", code)
	}
	if code, _, _ := run(t, "termscu", "-aec", "RW", "localhost", port); code != 1 {
		t.Errorf("termscu without --allow-shutdown: %d", code)
	}
	if code, _, errs := run(t, "dcmqrscp", "-c", "/no/such/file"); code != 1 || !strings.Contains(errs, "/no/such/file") {
		t.Errorf("no configuration: %d %s", code, errs)
	}
}
