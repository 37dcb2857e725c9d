//go:build unix

package interop

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"gantry/dicom/uid"
	"gantry/dimse"
)

func TestShutdownPrintsStatistics(t *testing.T) {
	s := serve(t)
	must(t, dcmtk(t, "storescu"), "-aec", "GANTRY", "+sd", "localhost", strconv.Itoa(s.port), files(t, study(1, 4)))
	run(t, dcmtk(t, "echoscu"), "-aec", "WRONG", "localhost", strconv.Itoa(s.port))
	out := s.stop()
	for _, want := range []string{"PACS Server Statistics", "Total Associations:    1\n", "Rejected Associations: 1\n", "Messages Processed:    4\n", "Active Associations:   0\n"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, tail(out, 1500))
		}
	}
}

func TestHTTP(t *testing.T) {
	s := serve(t)
	must(t, dcmtk(t, "echoscu"), "-aec", "GANTRY", "localhost", strconv.Itoa(s.port))
	if code, body := s.get("/health", ""); code != 200 || !strings.Contains(body, `"database":{"status":"healthy"`) || !strings.Contains(body, `"associations"`) {
		t.Errorf("health: %d %s", code, body)
	}
	if code, _ := s.get("/metrics", ""); code != 401 {
		t.Errorf("metrics without the token: %d", code)
	}
	b, err := os.ReadFile(filepath.Join(s.dir, "data", "token"))
	if err != nil {
		t.Fatal(err)
	}
	if st, _ := os.Stat(filepath.Join(s.dir, "data", "token")); st.Mode().Perm() != 0o600 {
		t.Errorf("token file has mode %v", st.Mode())
	}
	code, body := s.get("/metrics", strings.TrimSpace(string(b)))
	if code != 200 || !strings.Contains(body, `gantry_dimse_operation_duration_seconds_count{operation="C-ECHO",status="success"} 1`) {
		t.Errorf("metrics: %d\n%s", code, tail(body, 1000))
	}
	open := serve(t, "--auth", "off")
	if code, _ := open.get("/metrics", ""); code != 200 {
		t.Errorf("metrics with --auth off: %d", code)
	}
	if out, code := run(t, gantry, "serve", "--auth", "off", "--bind", "0.0.0.0"); code != 2 || !strings.Contains(out, "refused while a listener is not on loopback") {
		t.Errorf("--auth off beyond loopback: %d %s", code, out)
	}
}

func TestSecondServerOnTheSameFolderIsRefused(t *testing.T) {
	s := serve(t)
	out, code := run(t, gantry, "serve", "--storage-dir", filepath.Join(s.dir, "data"), "--port", strconv.Itoa(freePort(t)), "--http", "")
	if code != 1 || !strings.Contains(out, "LOCK") {
		t.Errorf("%d %s", code, out)
	}
}

// TestReload changes peers and log level with SIGHUP, without a restart.
func TestReload(t *testing.T) {
	dir := t.TempDir()
	cfg := filepath.Join(dir, "gantry.yaml")
	write := func(text string) {
		if err := os.WriteFile(cfg, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("server: {unknown_ae: refuse}\npeers: ['CT1:127.0.0.1:104']\n")
	s := serveIn(t, dir, "--config", cfg)
	echo := func(ae string) int {
		_, code := run(t, dcmtk(t, "echoscu"), "-aet", ae, "-aec", "GANTRY", "localhost", strconv.Itoa(s.port))
		return code
	}
	if echo("CT1") != 0 || echo("MR1") == 0 {
		t.Error("before the reload: CT1 must be known and MR1 not")
	}
	write("server: {unknown_ae: refuse}\npeers: ['MR1:127.0.0.1:104']\n")
	s.cmd.Process.Signal(syscall.SIGHUP)
	for end := time.Now().Add(10 * time.Second); echo("MR1") != 0; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("MR1 is not known after the reload")
		}
	}
	if echo("CT1") == 0 {
		t.Error("CT1 is still known after the reload")
	}
	for _, c := range []struct {
		policy string
		want   bool
	}{{"echo", true}, {"refuse", false}} {
		write("server: {unknown_ae: " + c.policy + "}\npeers: ['MR1:127.0.0.1:104']\n")
		s.cmd.Process.Signal(syscall.SIGHUP)
		for end := time.Now().Add(10 * time.Second); (echo("STRANGER") == 0) != c.want; time.Sleep(50 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("unknown_ae: %s is not in force after the reload", c.policy)
			}
		}
	}
	write("peers: [nonsense]\n")
	s.cmd.Process.Signal(syscall.SIGHUP)
	time.Sleep(300 * time.Millisecond)
	if echo("MR1") != 0 {
		t.Error("a broken file was taken over")
	}
	if !strings.Contains(s.out.String(), "reload refused") {
		t.Errorf("the refusal is not logged:\n%s", tail(s.out.String(), 1000))
	}
}

// TestUnknownCallers lets strangers do no more than the configuration says.
func TestUnknownCallers(t *testing.T) {
	for policy, want := range map[string]struct{ echo, store bool }{"refuse": {}, "echo": {echo: true}, "serve": {true, true}} {
		dir := t.TempDir()
		cfg := filepath.Join(dir, "gantry.yaml")
		os.WriteFile(cfg, []byte("server: {unknown_ae: "+policy+"}\n"), 0o600)
		s := serveIn(t, dir, "--config", cfg)
		_, echo := run(t, dcmtk(t, "echoscu"), "-aet", "STRANGER", "-aec", "GANTRY", "localhost", strconv.Itoa(s.port))
		_, store := run(t, dcmtk(t, "storescu"), "-aet", "STRANGER", "-aec", "GANTRY", "+sd", "localhost", strconv.Itoa(s.port), files(t, study(1, 1)))
		if (echo == 0) != want.echo || (store == 0) != want.store {
			t.Errorf("%s: echo exits %d, store %d", policy, echo, store)
		}
	}
}

// TestQuarantine holds what a stranger sends until it is released over HTTP.
func TestQuarantine(t *testing.T) {
	dir := t.TempDir()
	cfg := filepath.Join(dir, "gantry.yaml")
	os.WriteFile(cfg, []byte("server: {unknown_ae: quarantine}\npeers: ['KNOWN:127.0.0.1:104']\nhttp: {auth: off}\n"), 0o600)
	s := serveIn(t, dir, "--config", cfg)
	port := strconv.Itoa(s.port)
	o := study(1, 1)
	must(t, dcmtk(t, "storescu"), "-aet", "STRANGER", "-aec", "GANTRY", "+sd", "localhost", port, files(t, o))
	find := []string{"find", "GANTRY@" + addr(s.port), "-k", "PatientID=P0001"}
	if out, code := run(t, gantry, append(find, "--calling", "KNOWN")...); code != 1 {
		t.Errorf("held, and found: %s", out)
	}
	if out, code := run(t, gantry, append(find, "--calling", "STRANGER")...); code == 0 {
		t.Errorf("a stranger may query: %s", out)
	}
	var held []map[string]any
	_, body := s.get("/quarantine", "")
	if err := json.Unmarshal([]byte(body), &held); err != nil || len(held) != 1 || held[0]["sopInstanceUID"] != string(o[0].instance) {
		t.Fatalf("quarantine: %s", body)
	}
	b, _ := json.Marshal(held[0])
	rsp, err := http.Post("http://"+addr(s.http)+"/quarantine/release", "application/json", bytes.NewReader(b))
	if err != nil || rsp.StatusCode != 200 {
		t.Fatalf("release: %v %v", rsp, err)
	}
	rsp.Body.Close()
	must(t, gantry, append(find, "--calling", "KNOWN")...)
	if _, body := s.get("/quarantine", ""); strings.TrimSpace(body) != "[]" {
		t.Errorf("after the release: %s", body)
	}
}

// TestTLS runs DCMTK and Gantry's own client over TLS, with and without certificates.
func TestTLS(t *testing.T) {
	dir := t.TempDir()
	certs := filepath.Join(dir, "certs")
	must(t, gantry, "cert", certs)
	in := func(name string) string { return filepath.Join(certs, name) }
	secure := freePort(t)
	cfg := filepath.Join(dir, "gantry.yaml")
	os.WriteFile(cfg, []byte("tls:\n  enabled: true\n  port: "+strconv.Itoa(secure)+"\n  cert_path: "+in("server.pem")+"\n  key_path: "+in("server.key")+
		"\n  ca_path: "+in("ca.pem")+"\nserver: {tls: {require_client_cert: true}}\n"), 0o600)
	s := serveIn(t, dir, "--config", cfg)
	port := strconv.Itoa(secure)
	with := []string{"+tls", in("client.key"), in("client.pem"), "+cf", in("ca.pem"), "-aec", "GANTRY"}
	must(t, dcmtk(t, "echoscu"), append(with, "localhost", port)...)
	objects := study(5, 3)
	must(t, dcmtk(t, "storescu"), append(with, "+sd", "localhost", port, files(t, objects))...)
	must(t, dcmtk(t, "findscu"), append(with, "-S", "-k", "0008,0052=STUDY", "-k", "0020,000d", "localhost", port)...)
	if out, code := run(t, dcmtk(t, "echoscu"), "+tla", "+cf", in("ca.pem"), "-aec", "GANTRY", "localhost", port); code == 0 {
		t.Errorf("a client without certificate was let in:\n%s", out)
	}
	must(t, gantry, "echo", "GANTRY@localhost:"+port, "--tls", "--tls-ca", in("ca.pem"), "--tls-cert", in("client.pem"), "--tls-key", in("client.key"))
	if out, code := run(t, gantry, "echo", "GANTRY@localhost:"+port); code != 3 || !strings.Contains(out, "TLS") {
		t.Errorf("plain client on the TLS port: %d %s", code, out)
	}
	if out, code := run(t, gantry, "echo", "GANTRY@localhost:"+strconv.Itoa(s.port), "--tls", "--tls-no-verify"); code != 3 || !strings.Contains(out, "TLS") {
		t.Errorf("TLS client on the plain port: %d %s", code, out)
	}
	must(t, dcmtk(t, "echoscu"), "-aec", "GANTRY", "localhost", strconv.Itoa(s.port))
}

// TestNegotiationIsConfigurable prefers a syntax that comes last otherwise, and refuses
// classes that the dictionary does not have.
func TestNegotiationIsConfigurable(t *testing.T) {
	private := study(1, 1)
	private[0].class = "1.2.826.0.1.3680043.10.99.4711"
	dir := files(t, private)
	if out, code := run(t, gantry, "store", "GANTRY@"+addr(serve(t).port), dir); code != 0 {
		t.Errorf("a private class is refused by default: %s", out)
	}
	cfg := filepath.Join(t.TempDir(), "gantry.yaml")
	os.WriteFile(cfg, []byte("server: {accept_unknown_classes: false, transfer_syntaxes: [ExplicitVRBigEndian]}\n"), 0o600)
	s := serve(t, "--config", cfg)
	if out, code := run(t, gantry, "store", "GANTRY@"+addr(s.port), dir); code == 0 {
		t.Errorf("a private class is taken: %s", out)
	}
	three := dimse.Context{Class: uid.CTImageStorage, Syntaxes: []uid.UID{uid.ImplicitVRLittleEndian, uid.ExplicitVRLittleEndian, uid.ExplicitVRBigEndian}}
	a := contender{name: "gantry", aet: "GANTRY", port: s.port}.dial(t, three)
	defer a.Abort()
	if got := a.Accepted(uid.CTImageStorage); len(got) != 1 || got[0] != uid.ExplicitVRBigEndian {
		t.Errorf("%v is chosen", got)
	}
	plain := contender{name: "gantry", aet: "GANTRY", port: serve(t).port}.dial(t, three)
	defer plain.Abort()
	if got := plain.Accepted(uid.CTImageStorage); len(got) != 1 || got[0] != uid.ExplicitVRLittleEndian {
		t.Errorf("%v is chosen by default", got)
	}
}
