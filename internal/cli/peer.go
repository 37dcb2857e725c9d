package cli

import (
	"context"
	"errors"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"gantry/dimse"
	"gantry/internal/tlsconf"
	"gantry/ul"
)

// peerOptions say whom a client command calls and how.
type peerOptions struct {
	called  dimse.AETitle
	addr    string
	calling string
	wait    time.Duration
	tls     bool
	files   tlsconf.Options
	maxPDU  uint32
}

func (o *peerOptions) flags(c *cobra.Command) {
	f := c.Flags()
	f.StringVar(&o.calling, "calling", "GANTRY", "our AE title")
	f.DurationVar(&o.wait, "timeout", 30*time.Second, "how long to wait for a connection and an association")
	f.Uint32Var(&o.maxPDU, "max-pdu", 128<<10, "longest PDU to receive, in bytes; 0 is any")
	f.BoolVar(&o.tls, "tls", false, "use TLS")
	f.StringVar(&o.files.CA, "tls-ca", "", "who signs the peer's certificate, PEM file; the system's authorities without it")
	f.StringVar(&o.files.Cert, "tls-cert", "", "our certificate, PEM file")
	f.StringVar(&o.files.Key, "tls-key", "", "its private key, PEM file")
	f.StringVar(&o.files.MinVersion, "tls-version", "1.2", "oldest TLS version: 1.2 or 1.3")
	f.BoolVar(&o.files.NoVerify, "tls-no-verify", false, "believe any certificate")
}

const peerHelp = `PEER is AE@host:port, or host:port for the AE title ANY-SCP. Without a port it is 11112,
2762 with --tls.`

// parse reads AE@host:port.
func (o *peerOptions) parse(peer string) error {
	o.called, o.addr = "ANY-SCP", peer
	if ae, addr, ok := strings.Cut(peer, "@"); ok {
		o.called, o.addr = dimse.AETitle(ae), addr
	}
	if err := o.called.Check(); err != nil {
		return fail(ExitUsage, "peer %q: %w", peer, err)
	}
	host, port, err := net.SplitHostPort(o.addr)
	if err != nil {
		host, port = strings.Trim(o.addr, "[]"), strconv.Itoa(o.defaultPort())
	}
	if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 || host == "" {
		return fail(ExitUsage, "peer %q: want AE@host:port", peer)
	}
	o.addr = net.JoinHostPort(host, port)
	return nil
}

func (o *peerOptions) defaultPort() int {
	if o.tls {
		return 2762
	}
	return 11112
}

// dialer returns what opens associations with these contexts.
func (o *peerOptions) dialer(contexts []dimse.Context) (*dimse.Dialer, error) {
	d := &dimse.Dialer{Calling: dimse.AETitle(o.calling), Contexts: contexts, Limits: dimse.NetLimits{ARTIM: o.wait, MaxPDU: o.maxPDU}}
	if err := d.Calling.Check(); err != nil {
		return nil, fail(ExitUsage, "--calling: %w", err)
	}
	if !o.tls {
		return d, nil
	}
	cfg, err := tlsconf.Client(o.files)
	if err != nil {
		return nil, fail(ExitUsage, "%w", err)
	}
	d.TLS = cfg
	return d, nil
}

// dial opens an association.
func (o *peerOptions) dial(ctx context.Context, contexts []dimse.Context) (*dimse.Assoc, error) {
	d, err := o.dialer(contexts)
	if err != nil {
		return nil, err
	}
	a, err := d.Dial(ctx, o.called, o.addr)
	if err != nil {
		return nil, fail(ExitConnect, "%s at %s: %w%s", o.called, o.addr, err, hint(err))
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
	case errors.As(err, &broken):
		return "; does the peer want TLS, or its absence?"
	case errors.As(err, &op) && op.Op == "dial":
		return "; is the peer running, and is the port right?"
	}
	return ""
}
