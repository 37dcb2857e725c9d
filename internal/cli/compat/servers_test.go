package compat

import (
	"bytes"
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"gantry/dicom/uid"
	"gantry/dicomtest"
	"gantry/internal/cli/verb"
	"gantry/internal/tlsconf"
)

// output is a buffer that may be read while a server writes.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// serve runs a server under its name; stop ends it and returns its exit code and output.
func serve(t *testing.T, port, name string, args ...string) (stop func() (int, string, string)) {
	t.Helper()
	p, ok := Lookup(name)
	if !ok {
		t.Fatalf("no program %s", name)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var out, errs output
	ended := make(chan int, 1)
	go func() { ended <- p.Main(ctx, args, &verb.Stdio{In: strings.NewReader(""), Out: &out, Err: &errs}) }()
	once := sync.OnceValues(func() (int, string) {
		cancel()
		select {
		case code := <-ended:
			return code, out.String()
		case <-time.After(20 * time.Second):
			return -1, "does not stop"
		}
	})
	t.Cleanup(func() { once() })
	for range 200 {
		c, err := net.Dial("tcp", "127.0.0.1:"+port)
		if err == nil {
			c.Close()
			return func() (int, string, string) {
				code, text := once()
				return code, text, errs.String()
			}
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("%s does not listen: %s", name, errs.String())
	return nil
}

func TestEchoServers(t *testing.T) {
	port := closed(t)
	stop := serve(t, port, "echo_scp", port, "ECHO", "--max-assoc", "5", "--accept-ae", "GOOD*")
	if code, out, errs := run(t, "echo_scu", "-aet", "GOOD1", "-aec", "ECHO", "localhost", port, "-r", "3"); code != 0 {
		t.Errorf("%d %s%s", code, out, errs)
	}
	if code, _, errs := run(t, "echo_scu", "-aet", "BAD", "-aec", "ECHO", "localhost", port); code != 1 || !strings.Contains(errs, "rejected") {
		t.Errorf("a caller that is not accepted: %d %s", code, errs)
	}
	code, out, errs := stop()
	if code != 0 {
		t.Errorf("exit %d", code)
	}
	wants(t, "start", errs, "every interface", "SIGHUP", "--bind", "callers GOOD*")
	wants(t, "statistics", out, "Total Associations:", "Rejected Associations: 1", "Messages Processed:    3", "Bytes Received:", "Bytes Sent:", "Uptime:")
	if code, _, _ := run(t, "echo_scp", "70000", "ECHO"); code != 1 {
		t.Errorf("port 70000: %d", code)
	}
	if code, _, _ := run(t, "echo_scp", "11112", "A TITLE THAT IS TOO LONG"); code != 1 {
		t.Errorf("long title: %d", code)
	}
}

func TestSecureEchoServer(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "certs")
	if err := tlsconf.Generate(dir, []string{"localhost", "127.0.0.1"}, time.Hour, time.Now()); err != nil {
		t.Fatal(err)
	}
	in := func(name string) string { return filepath.Join(dir, name) }
	port := closed(t)
	serve(t, port, "secure_echo_scp", port, "ECHO", "--cert", in("server.pem"), "--key", in("server.key"), "--ca", in("ca.pem"), "--tls-version", "1.3")
	for _, c := range []struct {
		code int
		args []string
	}{
		{0, []string{"--ca", in("ca.pem"), "--cert", in("client.pem"), "--key", in("client.key")}},
		{0, []string{"--no-verify", "--cert", in("client.pem"), "--key", in("client.key"), "--tls-version", "1.3"}},
		{1, []string{"--ca", in("ca.pem")}},
		{1, []string{"--cert", in("client.pem"), "--key", in("client.key")}},
	} {
		if code, out, errs := run(t, "secure_echo_scu", append([]string{"localhost", port, "ECHO"}, c.args...)...); code != c.code {
			t.Errorf("%v: %d %s%s", c.args, code, out, errs)
		}
	}
	if code, _, errs := run(t, "echoscu", "-aec", "ECHO", "+tls", in("client.key"), in("client.pem"), "+cf", in("ca.pem"), "localhost", port); code != 0 {
		t.Errorf("echoscu +tls: %d %s", code, errs)
	}
	if code, _, errs := run(t, "secure_echo_scp", port, "ECHO"); code != 1 || !strings.Contains(errs, "gantry cert") {
		t.Errorf("no certificate: %d %s", code, errs)
	}
}

func TestStoreServer(t *testing.T) {
	dir, in, port := t.TempDir(), filepath.Join(t.TempDir(), "in"), closed(t)
	index := filepath.Join(t.TempDir(), "in.db")
	stop := serve(t, port, "store_scp", port, "STORE", "--storage-dir", in, "--accept", "CT", "--index-db", index)
	ct := object(t, filepath.Join(dir, "ct.dcm"), dicomtest.Object{N: 1})
	mr := object(t, filepath.Join(dir, "mr.dcm"), dicomtest.Object{N: 2, Class: uid.MRImageStorage})
	if code, _, errs := run(t, "store_scu", "-aec", "STORE", "localhost", port, ct); code != 0 {
		t.Errorf("CT: %d %s", code, errs)
	}
	if code, _, errs := run(t, "store_scu", "-aec", "STORE", "localhost", port, ct); code != 1 || !strings.Contains(errs, "0111") {
		t.Errorf("CT again: %d %s", code, errs)
	}
	if code, _, errs := run(t, "store_scu", "-aec", "STORE", "localhost", port, mr); code != 1 || !strings.Contains(errs, "context") {
		t.Errorf("MR: %d %s", code, errs)
	}
	code, out, _ := stop()
	if code != 0 {
		t.Errorf("exit %d", code)
	}
	wants(t, "statistics", out, "Images Received:       1", "Bytes Received:", "Uptime:")
	want := filepath.Join(in, string(dicomtest.Study(1)), string(dicomtest.Series(1)), string(dicomtest.Instance(1))+".dcm")
	if got := files(t, in); len(got) != 1 || got[0] != want {
		t.Errorf("%v, want %s", got, want)
	}
}

func TestStoreServerNaming(t *testing.T) {
	for _, c := range []struct{ naming, policy, pattern string }{
		{"flat", "ignore", "*.dcm"}, {"date", "replace", "*/*/*/*/*.dcm"}, {"date", "replace", "????/??/??/*/*.dcm"},
	} {
		in, port := t.TempDir(), closed(t)
		stop := serve(t, port, "store_scp", "--port", port, "--ae-title", "S", "--storage-dir", in, "--naming", c.naming, "--duplicate", c.policy)
		name := object(t, filepath.Join(t.TempDir(), "a.dcm"), dicomtest.Object{N: 1})
		for range 2 {
			if code, _, errs := run(t, "store_scu", "-aec", "S", "localhost", port, name); code != 0 {
				t.Errorf("%+v: %d %s", c, code, errs)
			}
		}
		stop()
		if got, _ := filepath.Glob(filepath.Join(in, c.pattern)); len(got) != 1 {
			if got, _ := filepath.Glob(filepath.Join(in, "unknown", "*", "*.dcm")); len(got) != 1 || c.naming != "date" {
				t.Errorf("%+v: %v", c, files(t, in))
			}
		}
	}
}

func TestQRServer(t *testing.T) {
	dir := folderOf(t, 12)
	os.WriteFile(filepath.Join(dir, "notes"), []byte("no DICOM"), 0o600)
	index := filepath.Join(t.TempDir(), "qr.db")
	code, out, _ := run(t, "qr_scp", "11112", "QR", "--storage-dir", dir, "--index-db", index, "--scan-only")
	if code != 0 {
		t.Fatalf("--scan-only: %d", code)
	}
	wants(t, "--scan-only", out, "Indexed 12 files in total, left out 1")
	port, receive := closed(t), closed(t)
	stop := serve(t, port, "qr_scp", port, "QR", "--storage-dir", dir, "--index-db", index, "--peer", "ME:localhost:"+receive)
	study := string(dicomtest.Study(0))
	_, out, _ = run(t, "query_scu", "localhost", port, "QR", "--level", "IMAGE", "--study-uid", study, "--series-uid", string(dicomtest.Series(0)))
	wants(t, "query_scu", out, "Total: 10 result(s)")
	in := t.TempDir()
	if code, _, errs := run(t, "get_scu", "-aec", "QR", "-k", "StudyInstanceUID="+study, "-od", in, "localhost", port); code != 0 || len(files(t, in)) != 12 {
		t.Errorf("get_scu: %d, %d files %s", code, len(files(t, in)), errs)
	}
	in = t.TempDir()
	if code, _, errs := run(t, "move_scu", "-S", "-aec", "QR", "-aem", "ME", "--port", receive, "-k", "StudyInstanceUID="+study, "-od", in, "localhost", port); code != 0 || len(files(t, in)) != 12 {
		t.Errorf("move_scu: %d, %d files %s", code, len(files(t, in)), errs)
	}
	code, out, _ = stop()
	if code != 0 {
		t.Errorf("exit %d", code)
	}
	wants(t, "statistics", out, "Queries Processed:     2", "C-MOVE Operations:     1", "C-GET Operations:      1", "Images Transferred:    24")
	if code, _, _ := run(t, "qr_scp", "11112", "QR", "--storage-dir", "/no/such/folder"); code != 1 {
		t.Errorf("no folder: %d", code)
	}
}

// TestServersForDCMTK runs DCMTK's callers against our servers.
func TestServersForDCMTK(t *testing.T) {
	t.Parallel()
	in, port := t.TempDir(), closed(t)
	mark := filepath.Join(t.TempDir(), "mark-")
	serve(t, port, "storescp", "-od", in, "-su", "st", "-fe", ".img", "-xcr", "touch "+mark+"#f", "-xs", port)
	name := object(t, filepath.Join(t.TempDir(), "a.dcm"), dicomtest.Object{N: 1})
	call := func(name string, args ...string) string {
		t.Helper()
		out, err := exec.Command(dcmtk(t, name), args...).CombinedOutput()
		if err != nil {
			t.Errorf("%s %v: %v\n%s", name, args, err, out)
		}
		return string(out)
	}
	call("echoscu", "localhost", port)
	call("storescu", "localhost", port, name)
	call("dcmsend", "localhost", port, name)
	base := "CT." + string(dicomtest.Instance(1)) + ".img"
	want := filepath.Join(in, "st_"+string(dicomtest.Study(1)), base)
	if got := files(t, in); len(got) != 1 || got[0] != want {
		t.Errorf("%v, want %s", got, want)
	}
	if _, err := os.Stat(mark + base); err != nil {
		t.Error(err)
	}
	qr := closed(t)
	serve(t, qr, "qr_scp", qr, "QR", "--storage-dir", folderOf(t, 3))
	found := call("findscu", "-S", "-aec", "QR", "-k", "0008,0052=STUDY", "-k", "0020,000d", "localhost", qr)
	wants(t, "findscu", found, string(dicomtest.Study(0)))
	out := t.TempDir()
	call("getscu", "-S", "-aec", "QR", "-od", out, "-k", "0008,0052=STUDY", "-k", "0020,000d="+string(dicomtest.Study(0)), "localhost", qr)
	if got := files(t, out); len(got) != 3 {
		t.Errorf("getscu: %v", got)
	}
	recv, in2 := closed(t), t.TempDir()
	serve(t, recv, "dcmrecv", "-od", in2, recv)
	call("dcmsend", "localhost", recv, name)
	if got := files(t, in2); len(got) != 1 {
		t.Errorf("dcmrecv: %v", got)
	}
}
