package service_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"gantry/dicom"
	"gantry/dicom/part10"
	"gantry/dicom/tag"
	"gantry/dicom/uid"
	"gantry/dicomtest"
	"gantry/dimse"
	"gantry/service/retrieve"
)

const dcmtkBin = "/usr/bin/"

// needDCMTK skips without DCMTK, which CI must have.
func needDCMTK(t testing.TB) {
	t.Helper()
	if _, err := os.Stat(dcmtkBin + "echoscu"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("DCMTK is not installed (Debian package dcmtk), and CI must not skip")
		}
		t.Skip("SKIPPED: DCMTK is not installed (Debian package dcmtk)")
	}
}

func dcmtk(ctx context.Context, name string, args ...string) *exec.Cmd {
	c := exec.CommandContext(ctx, dcmtkBin+name, args...)
	c.Env = append(os.Environ(), "TCP_NODELAY=1")
	c.Dir, _ = ctx.Value(workDir{}).(string)
	return c
}

// workDir is the context key of the directory that a tool runs in: movescu ignores its
// output directory when it preserves bits.
type workDir struct{}

// run runs a DCMTK tool and returns its output.
func run(t testing.TB, name string, args ...string) (string, error) {
	t.Helper()
	return runIn(t, t.TempDir(), name, args...)
}

func runIn(t testing.TB, dir, name string, args ...string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithValue(context.Background(), workDir{}, dir), 30*time.Second)
	defer cancel()
	out, err := dcmtk(ctx, name, args...).CombinedOutput()
	return string(out), err
}

func mustRun(t testing.TB, name string, args ...string) string {
	t.Helper()
	out, err := run(t, name, args...)
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return out
}

// background runs a DCMTK server until the test ends, and waits until it listens.
func background(t testing.TB, port string, name string, args ...string) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	c := dcmtk(ctx, name, args...)
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, &out
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		c.Wait()
		if t.Failed() {
			t.Logf("%s: %s", name, out.String())
		}
	})
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		nc, err := net.Dial("tcp", "127.0.0.1:"+port)
		if err == nil {
			nc.Close()
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%s does not listen: %v", name, err)
		}
	}
}

func freePort(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return port(l.Addr().String())
}

func port(addr string) string { _, p, _ := net.SplitHostPort(addr); return p }

// files writes made-up objects as files and returns their names and data sets.
func files(t testing.TB, dir string, objects ...dicomtest.Object) (names []string, data map[uid.UID][]byte) {
	t.Helper()
	data = make(map[uid.UID][]byte)
	for _, o := range objects {
		ds, err := o.DataSet()
		if err != nil {
			t.Fatal(err)
		}
		if o.Syntax == "" {
			o.Syntax = uid.ExplicitVRLittleEndian
		}
		inst := dicomtest.Instance(o.N)
		meta, err := part10.MetaInfo{Class: ds.UID(tag.SOPClassUID), Instance: inst, Syntax: o.Syntax}.Meta()
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if err := part10.Write(&b, meta, ds, o.Syntax); err != nil {
			t.Fatal(err)
		}
		name := filepath.Join(dir, fmt.Sprintf("o%d.dcm", o.N))
		if err := os.WriteFile(name, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		names = append(names, name)
		if data[inst], err = o.Encode(); err != nil {
			t.Fatal(err)
		}
	}
	return names, data
}

// stored returns the data sets of the files that a DCMTK tool wrote in dir.
func stored(t testing.TB, dir string) map[uid.UID][]byte {
	t.Helper()
	out := make(map[uid.UID][]byte)
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range list {
		f, err := part10.Open(filepath.Join(dir, e.Name()), dicom.DecodeOptions{})
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if _, err := b.ReadFrom(f.DataSetReader()); err != nil {
			t.Fatal(err)
		}
		out[f.DataSet.UID(tag.SOPInstanceUID)] = b.Bytes()
		f.Close()
	}
	return out
}

func same(t testing.TB, got, want map[uid.UID][]byte) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%d objects, want %d", len(got), len(want))
	}
	for inst, b := range want {
		if !bytes.Equal(got[inst], b) {
			t.Errorf("object %s differs: %d bytes, want %d", inst, len(got[inst]), len(b))
		}
	}
}

func contents(a *dicomtest.Archive) map[uid.UID][]byte {
	out := make(map[uid.UID][]byte)
	for _, o := range a.Objects() {
		out[o.Instance] = o.Data
	}
	return out
}

func TestDCMTKEcho(t *testing.T) {
	needDCMTK(t)
	s := &dimse.Server{Handler: new(dicomtest.Archive).Mux(nil)}
	p := port(dicomtest.Serve(t, s))
	for _, args := range [][]string{
		nil, {"-pdu", "4096"}, {"-pdu", "131072"}, {"-ppc", "128", "-pts", "38"}, {"--repeat", "10"}, {"--abort"},
	} {
		mustRun(t, "echoscu", append(args, "-aec", "SCP", "127.0.0.1", p)...)
	}
	out, err := run(t, "echoscu", "-v", "-aec", "NOBODY", "127.0.0.1", p)
	if err == nil || !strings.Contains(out, "Called AE Title Not Recognized") {
		t.Errorf("wrong AE title: %v %s", err, out)
	}
	full := &dimse.Server{Handler: new(dicomtest.Archive).Mux(nil), Limits: dimse.NetLimits{MaxConns: 1}}
	addr := dicomtest.Serve(t, full)
	dicomtest.Dial(t, addr)
	out, err = run(t, "echoscu", "-v", "-aec", "SCP", "127.0.0.1", port(addr))
	if err == nil || !strings.Contains(out, "Rejected Transient") || !strings.Contains(out, "Local Limit Exceeded") {
		t.Errorf("full: %v %s", err, out)
	}
}

func TestDCMTKStore(t *testing.T) {
	needDCMTK(t)
	for _, c := range []struct {
		syntax uid.UID
		args   []string
	}{
		{uid.ExplicitVRLittleEndian, nil},
		{uid.ExplicitVRLittleEndian, []string{"-xe", "-pdu", "4096"}},
		{uid.ExplicitVRLittleEndian, []string{"-xe", "-R", "--max-send-pdu", "4096"}},
		{uid.ExplicitVRLittleEndian, []string{"-x=", "-R", "+C", "-pdu", "131072"}},
		{uid.ExplicitVRLittleEndian, []string{"-R", "-usr", "me", "-pwd", "secret"}},
		{uid.ImplicitVRLittleEndian, []string{"-xi"}},
		{uid.ExplicitVRBigEndian, []string{"-xb", "-R"}},
		{uid.DeflatedExplicitVRLittleEndian, []string{"-xd", "-R"}},
	} {
		t.Run(fmt.Sprint(c.syntax.Name(), c.args), func(t *testing.T) {
			arch := new(dicomtest.Archive)
			p := port(dicomtest.Serve(t, &dimse.Server{Handler: arch.Mux(nil)}))
			names, want := files(t, t.TempDir(), dicomtest.Object{N: 1, Syntax: c.syntax}, dicomtest.Object{N: 2, Syntax: c.syntax, Pixels: 300_000},
				dicomtest.Object{N: 3, Syntax: c.syntax, Class: uid.MRImageStorage})
			mustRun(t, "storescu", append(append(c.args, "-aec", "SCP", "127.0.0.1", p), names...)...)
			if c.syntax == uid.DeflatedExplicitVRLittleEndian { // its deflater is not ours: compare what it deflated
				for _, o := range arch.Objects() {
					if o.Syntax != c.syntax || o.DataSet.Text(tag.PatientID) != "P0" {
						t.Errorf("%+v", o)
					}
				}
				return
			}
			same(t, contents(arch), want)
		})
	}
}

func TestDCMTKStoreParallel(t *testing.T) {
	needDCMTK(t)
	arch := new(dicomtest.Archive)
	p := port(dicomtest.Serve(t, &dimse.Server{Handler: arch.Mux(nil)}))
	dir, all := t.TempDir(), map[uid.UID][]byte{}
	var wg sync.WaitGroup
	for i := range 16 {
		objects := make([]dicomtest.Object, 5)
		for j := range objects {
			objects[j] = dicomtest.Object{N: 10*i + j, Pixels: 20_000}
		}
		names, data := files(t, dir, objects...)
		for k, v := range data {
			all[k] = v
		}
		wg.Go(func() {
			if out, err := run(t, "storescu", append([]string{"-R", "-aec", "SCP", "127.0.0.1", p}, names...)...); err != nil {
				t.Errorf("%v %s", err, out)
			}
		})
	}
	wg.Wait()
	same(t, contents(arch), all)
}

func TestDCMTKFind(t *testing.T) {
	needDCMTK(t)
	p := port(dicomtest.Serve(t, &dimse.Server{Handler: filled(t, 250).Mux(nil)}))
	for _, c := range []struct {
		n    int
		args []string
	}{
		{3, []string{"-S", "-k", "QueryRetrieveLevel=STUDY", "-k", "StudyInstanceUID", "-k", "PatientName=P*"}},
		{1, []string{"-P", "-k", "QueryRetrieveLevel=PATIENT", "-k", "PatientID=P2"}},
		{10, []string{"-S", "-k", "QueryRetrieveLevel=SERIES", "-k", "StudyInstanceUID=" + string(dicomtest.Study(0)), "-k", "SeriesInstanceUID"}},
		{0, []string{"-S", "-k", "QueryRetrieveLevel=STUDY", "-k", "PatientID=NOBODY"}},
	} {
		out := mustRun(t, "findscu", append(c.args, "-v", "-aec", "SCP", "127.0.0.1", p)...)
		if n := strings.Count(out, "(Pending)"); n != c.n || !strings.Contains(out, "Received Final Find Response (Success)") {
			t.Errorf("%v: %d answers\n%s", c.args, n, out)
		}
	}
	out := mustRun(t, "findscu", "-v", "--cancel", "3", "-S", "-k", "QueryRetrieveLevel=IMAGE", "-k", "StudyInstanceUID="+string(dicomtest.Study(0)),
		"-k", "SeriesInstanceUID="+string(dicomtest.Series(0)), "-k", "SOPInstanceUID", "-aec", "SCP", "127.0.0.1", p)
	if !strings.Contains(out, "Sending Cancel Request") {
		t.Errorf("cancel: %s", out)
	}
	out, _ = run(t, "findscu", "-v", "-S", "-k", "QueryRetrieveLevel=PATIENT", "-aec", "SCP", "127.0.0.1", p)
	if !strings.Contains(out, "Failed") && !strings.Contains(out, "Error") {
		t.Errorf("wrong level: %s", out)
	}
}

func TestDCMTKGet(t *testing.T) {
	needDCMTK(t)
	arch := filled(t, 12)
	p := port(dicomtest.Serve(t, &dimse.Server{Handler: arch.Mux(nil)}))
	dir := t.TempDir()
	mustRun(t, "getscu", "+B", "-S", "-k", "QueryRetrieveLevel=STUDY", "-k", "StudyInstanceUID="+string(dicomtest.Study(0)), "-od", dir, "-aec", "SCP", "127.0.0.1", p)
	same(t, stored(t, dir), contents(arch))
}

func TestDCMTKMove(t *testing.T) {
	needDCMTK(t)
	arch := filled(t, 12)
	mine := freePort(t)
	p := port(dicomtest.Serve(t, &dimse.Server{Handler: arch.Mux(retrieve.ResolverFunc(
		func(_ context.Context, _ *dimse.Request, dest dimse.AETitle) (*retrieve.Destination, error) {
			if dest != "MOVESCU" {
				return nil, retrieve.ErrUnknownDestination
			}
			return &retrieve.Destination{Called: dest, Addr: "127.0.0.1:" + mine}, nil
		}))}))
	dir := t.TempDir()
	args := []string{"-v", "-S", "-k", "QueryRetrieveLevel=STUDY", "-k", "StudyInstanceUID=" + string(dicomtest.Study(0)), "+P", mine, "+B", "-aec", "SCP"}
	if out, err := runIn(t, dir, "movescu", append(args, "-aem", "MOVESCU", "127.0.0.1", p)...); err != nil {
		t.Fatalf("%v %s", err, out)
	}
	same(t, stored(t, dir), contents(arch))
	out, _ := run(t, "movescu", append(args, "-aem", "NOBODY", "127.0.0.1", p)...)
	if !strings.Contains(out, "MoveDestinationUnknown") && !strings.Contains(strings.ToLower(out), "move destination unknown") {
		t.Errorf("unknown destination: %s", out)
	}
}

func TestDCMTKStorescp(t *testing.T) {
	needDCMTK(t)
	for _, pdu := range []string{"4096", "16384", "131072"} {
		dir, p := t.TempDir(), freePort(t)
		background(t, p, "storescp", "+B", "-pdu", pdu, "-od", dir, p)
		d := dimse.Dialer{Contexts: []dimse.Context{{Class: uid.Verification}, {Class: uid.CTImageStorage}}}
		a, err := d.Dial(t.Context(), "STORESCP", "127.0.0.1:"+p)
		if err != nil {
			t.Fatal(err)
		}
		if err := a.Echo(t.Context()); err != nil {
			t.Error(err)
		}
		want := make(map[uid.UID][]byte)
		for i, n := range []int{2, 4000, 4096, 300_000} {
			obj := dicomtest.Object{N: i, Pixels: n}
			o, err := obj.Outgoing()
			if err != nil {
				t.Fatal(err)
			}
			if s, err := a.Store(t.Context(), o); err != nil || s != dimse.Success {
				t.Fatal(s, err)
			}
			if want[o.Instance], err = obj.Encode(); err != nil {
				t.Fatal(err)
			}
		}
		if err := a.Release(t.Context()); err != nil {
			t.Error(err)
		}
		same(t, stored(t, dir), want)
	}
}

// TestDCMTKqrscp drives dcmqrscp by our client: store, find, cancel, get, move.
func TestDCMTKqrscp(t *testing.T) {
	needDCMTK(t)
	dir, p := t.TempDir(), freePort(t)
	var sink dicomtest.Archive
	sinkPort := port(dicomtest.Serve(t, &dimse.Server{AETitle: "SINK", Handler: sink.Mux(nil)}))
	cfg := filepath.Join(dir, "qr.cfg")
	area := filepath.Join(dir, "area")
	if err := os.Mkdir(area, 0o755); err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf("NetworkTCPPort = %s\nMaxPDUSize = 131072\nMaxAssociations = 16\nHostTable BEGIN\nsink = (SINK, 127.0.0.1, %s)\nHostTable END\n"+
		"VendorTable BEGIN\nVendorTable END\nAETable BEGIN\nQR %s RW (500, 1024mb) ANY\nAETable END\n", p, sinkPort, area)
	if err := os.WriteFile(cfg, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	background(t, p, "dcmqrscp", "-c", cfg, p)
	d := dimse.Dialer{Contexts: []dimse.Context{{Class: uid.CTImageStorage, SCP: true}, {Class: studyFind}, {Class: studyGet}, {Class: studyMove}}}
	a, err := d.Dial(t.Context(), "QR", "127.0.0.1:"+p)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Abort()
	for i := range 20 {
		o, err := dicomtest.Object{N: i}.Outgoing()
		if err != nil {
			t.Fatal(err)
		}
		if s, err := a.Store(t.Context(), o); err != nil || s != dimse.Success {
			t.Fatal(s, err)
		}
	}
	got, err := find(a, studyFind, keys(t, "STUDY", tag.StudyInstanceUID, ""))
	if err != nil || len(got) != 1 || got[0].UID(tag.StudyInstanceUID) != dicomtest.Study(0) {
		t.Errorf("%d answers %v", len(got), err)
	}
	for range a.Find(t.Context(), studyFind, keys(t, "SERIES", tag.StudyInstanceUID, dicomtest.Study(0), tag.SeriesInstanceUID, "")) {
		break // cancels; the association must live on
	}
	study := keys(t, "STUDY", tag.StudyInstanceUID, dicomtest.Study(0))
	var mine dicomtest.Archive
	if _, last, err := retrieved(a.Get(t.Context(), studyGet, study, &mine)); err != nil || last.Completed != 20 || len(mine.Objects()) != 20 {
		t.Errorf("get: %+v %v, %d objects", last, err, len(mine.Objects()))
	}
	if _, last, err := retrieved(a.Move(t.Context(), studyMove, "SINK", study)); err != nil || last.Completed != 20 || len(sink.Objects()) != 20 {
		t.Errorf("move: %+v %v, %d objects", last, err, len(sink.Objects()))
	}
	if err := a.Release(t.Context()); err != nil {
		t.Error(err)
	}
}

// certificate makes a self-signed certificate for localhost in dir.
func certificate(t testing.TB, dir string) (certFile, keyFile string, pool *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: []string{"localhost"}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	kb, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	certPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	if err := os.WriteFile(certFile, certPEM, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: kb}), 0o600); err != nil {
		t.Fatal(err)
	}
	pool = x509.NewCertPool()
	pool.AppendCertsFromPEM(certPEM)
	return certFile, keyFile, pool
}

func TestDCMTKTLS(t *testing.T) {
	needDCMTK(t)
	dir := t.TempDir()
	certFile, keyFile, pool := certificate(t, dir)
	cert, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		t.Fatal(err)
	}
	arch := new(dicomtest.Archive)
	p := port(dicomtest.Serve(t, &dimse.Server{Handler: arch.Mux(nil), TLSConfig: &tls.Config{Certificates: []tls.Certificate{cert},
		ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool, MinVersion: tls.VersionTLS12}}))
	mustRun(t, "echoscu", "+tls", keyFile, certFile, "+cf", certFile, "-aec", "SCP", "127.0.0.1", p)
	names, want := files(t, dir, dicomtest.Object{N: 1, Pixels: 300_000})
	mustRun(t, "storescu", append([]string{"-R", "+tls", keyFile, certFile, "+cf", certFile, "-aec", "SCP", "127.0.0.1", p}, names...)...)
	same(t, contents(arch), want)
	if out, err := run(t, "echoscu", "-ta", "3", "-aec", "SCP", "127.0.0.1", p); err == nil {
		t.Errorf("plain echo on the TLS port: %s", out)
	}

	out, sp := t.TempDir(), freePort(t)
	background(t, sp, "storescp", "+tls", keyFile, certFile, "+cf", certFile, "+B", "-od", out, sp)
	d := dimse.Dialer{Contexts: []dimse.Context{{Class: uid.CTImageStorage}}, TLS: &tls.Config{RootCAs: pool, Certificates: []tls.Certificate{cert}}}
	a, err := d.Dial(t.Context(), "STORESCP", "127.0.0.1:"+sp)
	if err != nil {
		t.Fatal(err)
	}
	o, err := dicomtest.Object{N: 1, Pixels: 300_000}.Outgoing()
	if err != nil {
		t.Fatal(err)
	}
	if s, err := a.Store(t.Context(), o); err != nil || s != dimse.Success {
		t.Error(s, err)
	}
	if err := a.Release(t.Context()); err != nil {
		t.Error(err)
	}
	same(t, stored(t, out), want)
}
