//go:build unix

package interop

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// gantry is the path of the program under test.
var gantry string

func TestMain(m *testing.M) {
	os.Exit(buildAndRun(m))
}

func buildAndRun(m *testing.M) int {
	dir, err := os.MkdirTemp("", "gantry-interop-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	gantry = filepath.Join(dir, "gantry")
	build := exec.Command("go", "build", "-o", gantry, "gantry/cmd/gantry")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "%v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// peer returns the path of a peer's program. Where it is missing the test is skipped,
// loudly, but under CI it fails.
func peer(t testing.TB, path string) string {
	t.Helper()
	if _, err := os.Stat(path); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("%s is missing: scripts/setup installs it", path)
		}
		t.Skipf("%s IS MISSING: nothing was tested; scripts/setup installs it", path)
	}
	return path
}

func dcmtk(t testing.TB, program string) string { return peer(t, "/usr/bin/"+program) }

// freePort returns a port that nothing listens on.
func freePort(t testing.TB) int {
	t.Helper()
	for range 1000 { // below those that the system gives to whoever connects
		port := 10_000 + rand.IntN(20_000)
		l, err := net.Listen("tcp", addr(port))
		if err != nil {
			continue
		}
		l.Close()
		return port
	}
	t.Fatal("no port is free")
	return 0
}

const runLimit = 2 * time.Minute

// run executes a program to its end and returns all that it printed, and its exit code.
func run(t testing.TB, program string, args ...string) (string, int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), runLimit)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Env = append(os.Environ(), "TCP_NODELAY=1", "DCMDICTPATH=/usr/share/libdcmtk17/dicom.dic")
	out, err := cmd.CombinedOutput()
	if ctx.Err() != nil {
		t.Fatalf("%s %v: did not end in %v\n%s", program, args, runLimit, out)
	}
	if err != nil && cmd.ProcessState == nil {
		t.Fatalf("%s: %v", program, err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

// must is run for programs that have to succeed.
func must(t testing.TB, program string, args ...string) string {
	t.Helper()
	out, code := run(t, program, args...)
	if code != 0 {
		t.Fatalf("%s %s: exit code %d\n%s", filepath.Base(program), strings.Join(args, " "), code, tail(out, 4000))
	}
	return out
}

func tail(s string, n int) string {
	if len(s) > n {
		return "..." + s[len(s)-n:]
	}
	return s
}

// server is a program that listens.
type server struct {
	t    testing.TB
	cmd  *exec.Cmd
	port int
	http int
	dir  string
	out  *syncBuffer
}

// start runs a program and waits until it accepts connections on its port.
func start(t testing.TB, port int, program string, args ...string) *server {
	t.Helper()
	s := launch(t, port, program, args...)
	if !s.await(port) {
		t.Fatalf("%s does not listen on %d\n%s", s.cmd.Path, port, tail(s.out.String(), 4000))
	}
	return s
}

// launch runs a program.
func launch(t testing.TB, port int, program string, args ...string) *server {
	t.Helper()
	s := &server{t: t, port: port, out: new(syncBuffer)}
	s.cmd = exec.Command(program, args...)
	s.cmd.Env = append(os.Environ(), "TCP_NODELAY=1", "DCMDICTPATH=/usr/share/libdcmtk17/dicom.dic")
	s.cmd.Stdout, s.cmd.Stderr = s.out, s.out
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.kill)
	return s
}

// await waits until something listens on a port; it is false when the program says that
// another one does.
func (s *server) await(port int) bool {
	s.t.Helper()
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if lines(s.out.String(), "address already in use") > 0 {
			return false
		}
		c, err := net.Dial("tcp", addr(port))
		if err == nil {
			c.Close()
			return true
		}
	}
	s.t.Fatalf("%s does not listen on %d\n%s", s.cmd.Path, port, tail(s.out.String(), 4000))
	return false
}

func (s *server) kill() {
	if s.cmd.ProcessState == nil {
		syscall.Kill(-s.cmd.Process.Pid, syscall.SIGKILL)
		s.cmd.Wait()
	}
	if said := s.out.String(); s.t.Failed() && said != "" {
		s.t.Logf("%s said:\n%s", filepath.Base(s.cmd.Path), tail(said, 6000))
	}
}

// stop ends a server in order and returns what it printed.
func (s *server) stop() string {
	s.t.Helper()
	s.cmd.Process.Signal(syscall.SIGTERM)
	done := make(chan error, 1)
	go func() { done <- s.cmd.Wait() }()
	select {
	case err := <-done:
		if err != nil {
			s.t.Errorf("%s: %v", s.cmd.Path, err)
		}
	case <-time.After(40 * time.Second):
		s.t.Errorf("%s does not stop", s.cmd.Path)
	}
	return s.out.String()
}

func addr(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

// serve starts an archive in a new folder.
func serve(t testing.TB, args ...string) *server {
	t.Helper()
	return serveIn(t, t.TempDir(), args...)
}

func serveIn(t testing.TB, dir string, args ...string) *server {
	t.Helper()
	for {
		port, web := freePort(t), freePort(t)
		all := append([]string{"serve", "--storage-dir", filepath.Join(dir, "data"), "--port", strconv.Itoa(port), "--http", addr(web)}, args...)
		s := launch(t, port, gantry, all...)
		if s.await(port) {
			s.dir, s.http = dir, web
			s.ready()
			return s
		}
		s.cmd.Wait() // somebody else has the port by now
	}
}

func (s *server) ready() {
	s.t.Helper()
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if status, _ := s.get("/readyz", ""); status == http.StatusOK {
			return
		}
	}
	s.t.Fatal("not ready in 30 s")
}

// get asks the HTTP side.
func (s *server) get(path, token string) (int, string) {
	r, err := http.NewRequest("GET", "http://"+addr(s.http)+path, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	rsp, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, err.Error()
	}
	defer rsp.Body.Close()
	b, _ := io.ReadAll(rsp.Body)
	return rsp.StatusCode, string(b)
}

// syncBuffer collects what a process prints while others look.
type syncBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// lines counts the lines of s that contain part.
func lines(s, part string) int {
	n := 0
	for scan := bufio.NewScanner(strings.NewReader(s)); scan.Scan(); {
		if strings.Contains(scan.Text(), part) {
			n++
		}
	}
	return n
}
