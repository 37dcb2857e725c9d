package cli

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
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

// dcmqrscp starts DCMTK's archive, empty; it sends to ME at the port receive. The result is
// the peer argument.
func dcmqrscp(t *testing.T, receive string) string {
	t.Helper()
	dir, port := t.TempDir(), freePort(t)
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
QR %s RW (200, 1024mb) ANY
AETable END
`, port, receive, dir)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(dcmtk(t, "dcmqrscp"), "-c", config)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	for range 200 {
		if c, err := net.Dial("tcp", "127.0.0.1:"+port); err == nil {
			c.Close()
			return "QR@127.0.0.1:" + port
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatal("dcmqrscp does not listen")
	return ""
}

// TestLoadsOnDCMTK puts each kind of load on DCMTK's archive, and then asks it a batch.
// Objects go to it over one association: two that store in one study at a time get in each
// other's way there (C000H).
func TestLoadsOnDCMTK(t *testing.T) {
	t.Parallel()
	receive := freePort(t)
	at := dcmqrscp(t, receive)
	for _, args := range [][]string{
		{"--kind", "store", "--size", "8K", "--count", "20"},
		{"--kind", "echo", "--count", "50"},
		{"--kind", "associate", "--count", "5"},
		{"--kind", "find", "--count", "10"},
		{"--kind", "get", "--count", "2"},
		{"--kind", "move", "--count", "2", "--dest", "ME", "--receive", receive},
	} {
		code, out, errs := run(t, append([]string{"bench", at, "--calling", "ME", "--format", "json"}, args...)...)
		var r struct {
			Kinds []struct {
				Done, Failed int
				MB           float64 `json:"mb_per_second"`
			}
		}
		if err := json.Unmarshal([]byte(out), &r); code != ExitOK || err != nil || r.Kinds[0].Failed != 0 || r.Kinds[0].Done == 0 {
			t.Errorf("%v: %d %s%s", args, code, out, errs)
			continue
		}
		if quiet := args[1] == "echo" || args[1] == "associate"; quiet != (r.Kinds[0].MB == 0) {
			t.Errorf("%v: %v MB/s", args, r.Kinds[0].MB)
		}
	}
	var answers []struct{ Answers []any }
	code, out, errs := run(t, "find", at, "--batch", batchFile(t, "PatientName=BENCH*", "PatientName=NOBODY"), "-j", "2", "--format", "json")
	if err := json.Unmarshal([]byte(out), &answers); code != ExitOK || err != nil || len(answers) != 2 || len(answers[0].Answers) == 0 || len(answers[1].Answers) != 0 {
		t.Errorf("batch: %d %v %s%s", code, err, out, errs)
	}
}
