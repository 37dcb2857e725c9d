package tlsconf

import (
	"crypto/tls"
	"io"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func generate(t *testing.T) Files {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "certs")
	if err := Generate(dir, []string{"localhost", "127.0.0.1"}, time.Hour, time.Now()); err != nil {
		t.Fatal(err)
	}
	in := func(name string) string { return filepath.Join(dir, name) }
	return Files{Cert: in("server.pem"), Key: in("server.key"), CA: in("ca.pem")}
}

// handshake runs one TLS handshake over loopback and returns what each side made of it.
func handshake(t *testing.T, server, client *tls.Config) (serverErr, clientErr error) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	done := make(chan error, 1)
	go func() {
		c, err := l.Accept()
		if err == nil {
			defer c.Close()
			s := tls.Server(c, server)
			if err = s.Handshake(); err == nil {
				_, err = s.Write([]byte("x"))
			}
		}
		done <- err
	}()
	c, err := tls.Dial("tcp", l.Addr().String(), client)
	if err == nil {
		_, err = io.ReadFull(c, make([]byte, 1))
		c.Close()
	}
	return <-done, err
}

func TestMutualAuthentication(t *testing.T) {
	f := generate(t)
	s, err := NewServer(Options{Files: f, RequireClientCert: true})
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Dir(f.CA)
	with, err := Client(Options{Files: Files{Cert: filepath.Join(dir, "client.pem"), Key: filepath.Join(dir, "client.key"), CA: f.CA}, ServerName: "localhost"})
	if err != nil {
		t.Fatal(err)
	}
	if se, ce := handshake(t, s.Config(), with); se != nil || ce != nil {
		t.Errorf("with a certificate: %v, %v", se, ce)
	}
	without, _ := Client(Options{Files: Files{CA: f.CA}, ServerName: "localhost"})
	if _, ce := handshake(t, s.Config(), without); ce == nil {
		t.Error("a client without certificate is let in")
	}
	wrong, _ := Client(Options{Files: Files{CA: f.CA}, ServerName: "elsewhere"})
	if _, ce := handshake(t, s.Config(), wrong); ce == nil {
		t.Error("a server under another name is believed")
	}
}

func TestOldVersionsAndSuitesAreRefused(t *testing.T) {
	f := generate(t)
	s, err := NewServer(Options{Files: f, MinVersion: "1.3"})
	if err != nil {
		t.Fatal(err)
	}
	if se, _ := handshake(t, s.Config(), &tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS12}); se == nil {
		t.Error("TLS 1.2 is accepted where 1.3 is asked for")
	}
	s, _ = NewServer(Options{Files: f})
	rsa := &tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{tls.TLS_RSA_WITH_AES_128_CBC_SHA}}
	if se, _ := handshake(t, s.Config(), rsa); se == nil {
		t.Error("a suite without forward secrecy is accepted")
	}
}

func TestReloadWithoutRestart(t *testing.T) {
	f, other := generate(t), generate(t)
	s, err := NewServer(Options{Files: f})
	if err != nil {
		t.Fatal(err)
	}
	config := s.Config()
	for from, to := range map[string]string{other.Cert: f.Cert, other.Key: f.Key} {
		b, _ := os.ReadFile(from)
		if err := os.WriteFile(to, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	trustOther, _ := Client(Options{Files: Files{CA: other.CA}, ServerName: "localhost"})
	if _, ce := handshake(t, config, trustOther); ce == nil {
		t.Error("the new certificate is used before Reload")
	}
	if err := s.Reload(); err != nil {
		t.Fatal(err)
	}
	if se, ce := handshake(t, config, trustOther); se != nil || ce != nil {
		t.Errorf("after Reload: %v, %v", se, ce)
	}
	os.WriteFile(f.Cert, []byte("broken"), 0o600)
	if err := s.Reload(); err == nil {
		t.Error("a broken file is loaded")
	}
	if se, ce := handshake(t, config, trustOther); se != nil || ce != nil {
		t.Errorf("after a failed Reload: %v, %v", se, ce)
	}
}
