package verb

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"gantry/dimse"
	"gantry/internal/tlsconf"
	"gantry/ul"
)

// DICOM's registered ports (PS3.8 9.1.1).
const (
	Port    = 11112
	PortTLS = 2762
)

// endless is what "no limit" means for a wait: every wait ends some day.
const endless = 24 * time.Hour

// Peer says whom a client calls and how. A time of zero is the default of package dimse,
// a negative one is no limit.
type Peer struct {
	Called  dimse.AETitle
	Addr    string // host:port
	Calling string

	Extended []ul.ExtendedNegotiation // to be proposed

	Connect   time.Duration // for the connection
	Associate time.Duration // for the association
	Respond   time.Duration // for each response
	Socket    time.Duration // for the peer to take or give bytes

	MaxPDU  uint32
	MaxSend uint32 // longest PDU to send
	Window  int    // operations at a time on one association, if the peer lets; 0 and 1 are one

	TLS     bool
	Secure  tlsconf.Options
	MoreCAs []string // further certificate files to trust

	Identity *ul.UserIdentity
}

// Parse reads AE@host:port.
func (p *Peer) Parse(peer string) error {
	p.Called = "ANY-SCP"
	addr := peer
	if ae, rest, ok := strings.Cut(peer, "@"); ok {
		p.Called, addr = dimse.AETitle(ae), rest
	}
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		host, port = strings.Trim(addr, "[]"), strconv.Itoa(p.defaultPort())
	}
	if err := p.At(host, port); err != nil {
		return Fail(Usage, "peer %q: want AE@host:port", peer)
	}
	return nil
}

func (p *Peer) defaultPort() int {
	if p.TLS {
		return PortTLS
	}
	return Port
}

// At sets the address from its parts.
func (p *Peer) At(host, port string) error {
	if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 {
		return Fail(Usage, "port %q: want a number from 1 to 65535", port)
	}
	if host == "" {
		return Fail(Usage, "the host is missing")
	}
	p.Addr = net.JoinHostPort(host, port)
	return nil
}

// check finds what is wrong before anything is sent.
func (p *Peer) check() error {
	if err := p.Called.Check(); err != nil {
		return Fail(Usage, "called AE title: %w", err)
	}
	if err := dimse.AETitle(p.Calling).Check(); err != nil {
		return Fail(Usage, "calling AE title: %w", err)
	}
	if p.Window < 0 || p.Window > 255 {
		return Fail(Usage, "%d operations at a time: want 1 to 255", p.Window)
	}
	if (p.Secure.Cert == "") != (p.Secure.Key == "") {
		return Fail(Usage, "a certificate and its key come together")
	}
	return nil
}

// dialer returns what opens associations with these contexts.
func (p *Peer) dialer(contexts []dimse.Context) (*dimse.Dialer, error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	d := &dimse.Dialer{Calling: dimse.AETitle(p.Calling), Contexts: contexts, Identity: p.Identity, Extended: p.Extended}
	d.Window = p.Window
	d.Limits = dimse.NetLimits{ARTIM: limit(p.Associate), Response: limit(p.Respond), Read: limit(p.Socket), Write: limit(p.Socket), MaxPDU: p.MaxPDU}
	if p.Connect != 0 {
		d.Limits.ARTIM = max(d.Limits.ARTIM, limit(p.Connect))
		d.DialContext = (&net.Dialer{Timeout: limit(p.Connect)}).DialContext
	}
	if !p.TLS {
		return d, nil
	}
	var err error
	d.TLS, err = p.tlsConfig()
	return d, err
}

func limit(d time.Duration) time.Duration {
	if d < 0 {
		return endless
	}
	return d
}

func (p *Peer) tlsConfig() (*tls.Config, error) {
	o := p.Secure
	more := p.MoreCAs
	if o.CA == "" && len(more) > 0 {
		o.CA, more = more[0], more[1:]
	}
	cfg, err := tlsconf.Client(o)
	if err != nil {
		return nil, Fail(Usage, "%w", err)
	}
	for _, name := range more {
		if err := trust(cfg.RootCAs, name); err != nil {
			return nil, Fail(Usage, "%w", err)
		}
	}
	return cfg, nil
}

// maxPEM bounds a file of certificates.
const maxPEM = 4 << 20

func trust(pool *x509.CertPool, name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxPEM))
	if err != nil {
		return err
	}
	if !pool.AppendCertsFromPEM(b) {
		return fmt.Errorf("%s: no certificate in it; PEM is wanted", name)
	}
	return nil
}

// dial opens an association.
func (p *Peer) dial(ctx context.Context, contexts []dimse.Context) (*dimse.Assoc, error) {
	d, err := p.dialer(contexts)
	if err != nil {
		return nil, err
	}
	a, err := d.Dial(ctx, p.Called, p.Addr)
	if err != nil {
		return nil, Fail(Connect, "%s at %s: %w%s", p.Called, p.Addr, err, hint(err))
	}
	return a, nil
}

// hint says what to do about a failure to associate.
func hint(err error) string {
	var rejected *dimse.RejectedError
	var op *net.OpError
	var broken *ul.TransportError
	switch {
	case errors.As(err, &rejected):
		return "; compare the AE titles and the peer's list of callers"
	case errors.As(err, &broken), errors.As(err, &op) && op.Op == "read":
		return "; does the peer want TLS, or its absence?"
	case errors.As(err, &op) && op.Op == "dial":
		return "; is the peer running, and is the port right?"
	}
	return ""
}

// release ends an association in order; that this fails is no failure of the work done.
func release(ctx context.Context, a *dimse.Assoc) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	a.Release(ctx)
}

// pause waits, unless ctx ends.
func pause(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
