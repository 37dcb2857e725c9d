package dimse

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"math/big"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"gantry/dicom/uid"
)

// newCert makes a self-signed certificate for 127.0.0.1 with a common name.
func newCert(t testing.TB, name string) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}

func TestTLS(t *testing.T) {
	serverCert, serverPool := newCert(t, "server")
	clientCert, clientPool := newCert(t, "client")
	var peerName atomic.Value
	m := new(ServeMux)
	m.HandleFunc(CEcho, "1.2.840.10008.1.1", func(w ResponseWriter, r *Request) {
		peerName.Store(r.Peer.TLS.PeerCertificates[0].Subject.CommonName)
		w.Final(Success, nil)
	})
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		addr := start(t, &Server{Handler: m, TLSConfig: &tls.Config{Certificates: []tls.Certificate{serverCert},
			ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: clientPool, MinVersion: version, MaxVersion: version}})
		d := Dialer{TLS: &tls.Config{RootCAs: serverPool, Certificates: []tls.Certificate{clientCert}}}
		a, err := d.Dial(t.Context(), "SCP", addr)
		if err != nil {
			t.Fatal(err)
		}
		if err := a.Echo(t.Context()); err != nil {
			t.Fatal(err)
		}
		if peerName.Load() != "client" || a.Peer().TLS.Version != version {
			t.Errorf("%v, version %x", peerName.Load(), a.Peer().TLS.Version)
		}
		if err := a.Release(t.Context()); err != nil {
			t.Error(err)
		}
		d.TLS = &tls.Config{RootCAs: serverPool}
		if a, err := d.Dial(t.Context(), "SCP", addr); err == nil {
			t.Error("an association without client certificate")
			a.Abort()
		}
	}
}

// TestTLSReload changes the certificate while the server runs.
func TestTLSReload(t *testing.T) {
	first, firstPool := newCert(t, "first")
	second, secondPool := newCert(t, "second")
	var now atomic.Pointer[tls.Certificate]
	now.Store(&first)
	addr := start(t, &Server{Handler: echoMux(), TLSConfig: &tls.Config{GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
		return &tls.Config{Certificates: []tls.Certificate{*now.Load()}}, nil
	}}})
	try := func(pool *x509.CertPool) error {
		a, err := (&Dialer{TLS: &tls.Config{RootCAs: pool}}).Dial(t.Context(), "SCP", addr)
		if err == nil {
			err = a.Release(t.Context())
		}
		return err
	}
	if err := try(firstPool); err != nil {
		t.Error(err)
	}
	now.Store(&second)
	if err := try(firstPool); err == nil {
		t.Error("the old certificate is still served")
	}
	if err := try(secondPool); err != nil {
		t.Error(err)
	}
}

func TestTLSMismatch(t *testing.T) {
	cert, pool := newCert(t, "server")
	refused := make(chan error, 10)
	s := &Server{Handler: echoMux(), TLSConfig: &tls.Config{Certificates: []tls.Certificate{cert}},
		Trace: &Trace{Refused: func(_ net.Addr, err error) { refused <- err }}}
	addr := start(t, s)
	silent, err := net.Dial("tcp", addr) // must hold nobody up
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	if _, err := (&Dialer{}).Dial(t.Context(), "SCP", addr); err == nil {
		t.Error("a plain association on a TLS port")
	}
	if err := <-refused; !strings.Contains(err.Error(), "plain DICOM on a TLS port") {
		t.Error(err)
	}
	nc, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(nc, "GET / HTTP/1.1\r\n\r\n")
	if err := <-refused; !strings.Contains(err.Error(), "HTTP on a DICOM TLS port") {
		t.Error(err)
	}
	nc.Close()
	a, err := (&Dialer{TLS: &tls.Config{RootCAs: pool}}).Dial(t.Context(), "SCP", addr)
	if err != nil {
		t.Fatal(err)
	}
	a.Release(t.Context())
	plain := start(t, &Server{Handler: echoMux()})
	_, err = (&Dialer{TLS: &tls.Config{RootCAs: pool}}).Dial(t.Context(), "SCP", plain)
	if err == nil || !strings.Contains(err.Error(), "does not speak TLS") {
		t.Error(err)
	}
}

// TestTLSCancel: deadlines that cut reads short must not break the TLS connection.
func TestTLSCancel(t *testing.T) {
	cert, pool := newCert(t, "server")
	cause := make(chan error, 20)
	m := echoMux()
	m.Handle(CFind, findClass, endless(t, cause))
	addr := start(t, &Server{Handler: m, TLSConfig: &tls.Config{Certificates: []tls.Certificate{cert}}, Limits: NetLimits{Idle: time.Minute}})
	d := Dialer{TLS: &tls.Config{RootCAs: pool}, Contexts: []Context{{Class: findClass}, {Class: uid.Verification}}}
	a, err := d.Dial(t.Context(), "SCP", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Abort()
	for i := range 20 {
		ctx, cancel := context.WithCancel(t.Context())
		n := 0
		for _, err := range a.Find(ctx, findClass, identifier(t, "DOE*")) {
			if err != nil {
				if !errors.Is(err, context.Canceled) {
					t.Fatal(err)
				}
				break
			}
			if n++; n == 1+i%5 {
				if i%2 == 0 {
					break
				}
				cancel()
			}
		}
		cancel()
		if err := <-cause; !errors.Is(err, ErrCancelRQ) {
			t.Fatal(err)
		}
		if err := a.Echo(t.Context()); err != nil {
			t.Fatalf("round %d: %v", i, err)
		}
	}
}

func TestValidate(t *testing.T) {
	for name, s := range map[string]*Server{
		"no handler": {AETitle: "X"}, "no title": {Handler: echoMux()}, "bad title": {AETitle: "A\\B", Handler: echoMux()},
		"syntax":  {AETitle: "X", Handler: echoMux(), Policy: Policy{Syntaxes: []uid.UID{"1.2.840.10008.1.2.7.1"}}},
		"no cert": {AETitle: "X", Handler: echoMux(), TLSConfig: new(tls.Config)},
	} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Serve(t.Context(), l); err == nil || errors.Is(err, ErrServerClosed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
