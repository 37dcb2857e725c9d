// Package tlsconf makes TLS configurations for DICOM: the BCP 195 profiles of PS3.15
// annex B.9 to B.12 as RFC 9325 has them. TLS 1.2 is limited to ECDHE key exchange with
// AEAD ciphers; TLS 1.3 needs no limit. Go has no finite-field DHE suites and no
// certificate revocation lists: both are left out.
package tlsconf

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
)

// Files names the PEM files of one side.
type Files struct {
	Cert, Key string // certificate chain and private key; a client may have none
	CA        string // who signs the other side; empty: the system's authorities for a client, nobody for a server
}

// Options is what a configuration is made of.
type Options struct {
	Files
	MinVersion string // "1.2", the default, or "1.3"
	// RequireClientCert makes a server refuse callers without a certificate signed by CA.
	RequireClientCert bool
	// ServerName is the name that a server's certificate must have; a client's only.
	ServerName string
	// NoVerify lets a client talk to a server without checking its certificate.
	NoVerify bool
}

// suites are the TLS 1.2 suites of RFC 9325 section 4.2 that Go has.
var suites = []uint16{
	tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
	tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
	tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
	tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
	tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
	tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
}

func (o Options) base() (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12, CipherSuites: suites}
	switch o.MinVersion {
	case "", "1.2":
	case "1.3":
		c.MinVersion = tls.VersionTLS13
	default:
		return nil, fmt.Errorf("TLS version %q: want 1.2 or 1.3", o.MinVersion)
	}
	if (o.Cert == "") != (o.Key == "") {
		return nil, errors.New("a certificate and its private key go together: one of them is missing")
	}
	if o.Cert != "" {
		pair, err := tls.LoadX509KeyPair(o.Cert, o.Key)
		if err != nil {
			return nil, fmt.Errorf("certificate %s with key %s: %w", o.Cert, o.Key, err)
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return c, nil
}

func pool(name string) (*x509.CertPool, error) {
	b, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	p := x509.NewCertPool()
	if !p.AppendCertsFromPEM(b) {
		return nil, fmt.Errorf("%s: no certificate in PEM form", name)
	}
	return p, nil
}

// Client returns the configuration of a caller.
func Client(o Options) (*tls.Config, error) {
	c, err := o.base()
	if err != nil {
		return nil, err
	}
	c.ServerName = o.ServerName
	c.InsecureSkipVerify = o.NoVerify
	if o.CA != "" {
		if c.RootCAs, err = pool(o.CA); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// Server is the configuration of a listener whose files can be read again without a
// restart. It is safe for concurrent use.
type Server struct {
	opts    Options
	current atomic.Pointer[tls.Config]
}

// NewServer reads the files.
func NewServer(o Options) (*Server, error) {
	s := &Server{opts: o}
	if err := s.Reload(); err != nil {
		return nil, err
	}
	return s, nil
}

// Reload reads the files again. Handshakes from now on use them; on an error the old ones
// stay.
func (s *Server) Reload() error {
	c, err := s.opts.base()
	if err != nil {
		return err
	}
	if len(c.Certificates) == 0 {
		return errors.New("a TLS server needs a certificate and its private key")
	}
	if s.opts.CA != "" {
		if c.ClientCAs, err = pool(s.opts.CA); err != nil {
			return err
		}
		c.ClientAuth = tls.VerifyClientCertIfGiven
	}
	if s.opts.RequireClientCert {
		if s.opts.CA == "" {
			return errors.New("to require client certificates, name who signs them")
		}
		c.ClientAuth = tls.RequireAndVerifyClientCert
	}
	s.current.Store(c)
	return nil
}

// Config returns the configuration for a listener. It follows Reload.
func (s *Server) Config() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
			return s.current.Load(), nil
		},
	}
}
