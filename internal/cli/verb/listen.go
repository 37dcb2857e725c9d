package verb

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os/signal"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"gantry/dicom/uid"
	"gantry/dimse"
	"gantry/internal/tlsconf"
	"gantry/ul"
)

// Listen is what the servers under other names have in common. They listen on every
// interface and serve any caller, as their originals do, unless narrowed.
type Listen struct {
	Common
	Name      string // of the program
	Title     string
	Bind      string // empty: every interface
	Port      int
	PortText  string // the port as it was given
	AnyCalled bool   // answer to any called AE title

	AlsoCalled []dimse.AETitle // further titles to answer to
	AcceptAE   []string        // calling AE titles to serve, * and ? allowed; empty: all
	MaxAssoc   int             // at a time; 0: a thousand

	Idle      time.Duration // an association without work ends after this; negative: never
	Associate time.Duration
	Socket    time.Duration
	MaxPDU    uint32

	TLS     bool
	Secure  tlsconf.Options
	MoreCAs []string
	Callers CallerCerts

	Syntaxes     []uid.UID // preferred, best first
	OnlySyntaxes bool
	Classes      []uid.UID // storage classes to accept; empty: all
	KnownOnly    bool      // refuse storage classes that the standard does not have
	Refuse       bool      // reject every association
	RefuseNoUID  bool      // reject associations without an Implementation Class UID

	judge func(*dimse.Proposal) error // may reject
}

// CallerCerts is what DCMTK's servers do with the certificates of callers.
type CallerCerts uint8

// The policies. The zero value leaves it to Secure.
const (
	CertsRequired CallerCerts = iota + 1
	CertsIfGiven
	CertsIgnored
)

// apply sets the TLS options by the policy.
func (c CallerCerts) apply(o *tlsconf.Options) {
	switch c {
	case CertsRequired:
		o.RequireClientCert = true
	case CertsIfGiven:
		o.RequireClientCert = false
	case CertsIgnored:
		o.RequireClientCert, o.CA = false, ""
	}
}

// At sets port and AE title from arguments.
func (o *Listen) At(port, title string) error {
	n, err := strconv.Atoi(port)
	if err != nil || n < 1 || n > 65535 {
		return Fail(Usage, "port %q: want a number from 1 to 65535", port)
	}
	if err := dimse.AETitle(title).Check(); err != nil {
		return Fail(Usage, "AE title: %w", err)
	}
	o.Port, o.Title = n, title
	return nil
}

// shutdownTime is how long running operations may take to end.
const shutdownTime = 10 * time.Second

// serve serves until ctx ends or the process is told to hang up; then it lets operations
// end.
func (o *Listen) serve(ctx context.Context, s *Stdio, h dimse.Handler, trace *dimse.Trace) (*dimse.Server, error) {
	server := &dimse.Server{AETitle: dimse.AETitle(o.Title), Handler: h, Policy: o.policy(), Trace: trace, Log: quietLog(s, o.Say),
		Limits: dimse.NetLimits{MaxPDU: o.MaxPDU, MaxConns: o.MaxAssoc, MaxConnsPerPeer: o.MaxAssoc, ARTIM: limit(o.Associate), Idle: limit(o.Idle),
			Read: limit(o.Socket), Write: limit(o.Socket), Window: 1}} // their originals negotiate none
	if o.TLS {
		if o.Secure.CA == "" && len(o.MoreCAs) == 1 {
			o.Secure.CA = o.MoreCAs[0]
		}
		o.Callers.apply(&o.Secure)
		t, err := tlsconf.NewServer(o.Secure)
		if err != nil {
			return nil, Fail(Usage, "TLS: %w", err)
		}
		server.TLSConfig = t.Config()
	}
	if err := server.Validate(); err != nil {
		return nil, Fail(Usage, "%w", err)
	}
	ctx, stop := signal.NotifyContext(ctx, hangUp()...)
	defer stop()
	l, err := net.Listen("tcp", net.JoinHostPort(o.Bind, strconv.Itoa(o.Port)))
	if err != nil {
		return nil, Fail(Connect, "%w; is another server running?", err)
	}
	o.greet(s, l.Addr())
	return server, o.run(ctx, server, l)
}

func (o *Listen) run(ctx context.Context, server *dimse.Server, l net.Listener) error {
	serving, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(serving, l) }()
	select {
	case err := <-failed:
		return Fail(Failed, "%w", err)
	case <-ctx.Done():
	}
	late, end := context.WithTimeout(serving, shutdownTime)
	defer end()
	server.Shutdown(late)
	cancel()
	if err := <-failed; err != nil && !errors.Is(err, dimse.ErrServerClosed) && !errors.Is(err, context.Canceled) {
		return Fail(Failed, "%w", err)
	}
	return nil
}

// greet says what is open to whom.
func (o *Listen) greet(s *Stdio, at net.Addr) {
	if o.Say == Quiet {
		return
	}
	callers := "any caller"
	if len(o.AcceptAE) > 0 {
		callers = "callers " + strings.Join(o.AcceptAE, ", ")
	}
	where := at.String()
	if o.Bind == "" {
		where = fmt.Sprintf("port %d of every interface", o.Port)
	}
	secure := ""
	if o.TLS {
		secure = " over TLS"
	}
	fmt.Fprintf(s.Err, "%s: %s listens on %s%s and serves %s; SIGINT, SIGTERM and SIGHUP stop it.\n", o.Name, o.Title, where, secure, callers)
	if o.Bind == "" || len(o.AcceptAE) == 0 {
		fmt.Fprintf(s.Err, "%s: --bind ADDRESS and --accept-ae TITLE narrow that.\n", o.Name)
	}
}

func (o *Listen) policy() dimse.Policy {
	return dimse.Policy{AnyCalled: o.AnyCalled, CalledTitles: o.AlsoCalled, Syntaxes: o.Syntaxes, OnlySyntaxes: o.OnlySyntaxes, KnownStorage: o.KnownOnly, Accept: o.accept}
}

// accept decides about an association.
func (o *Listen) accept(p *dimse.Proposal) (dimse.Grant, error) {
	g := dimse.Grant{Syntaxes: o.Syntaxes, OnlySyntaxes: o.OnlySyntaxes}
	switch {
	case o.Refuse:
		return g, errors.New("every association is refused, as asked for")
	case o.RefuseNoUID && p.Request.User.ImplementationClass == "":
		return g, errors.New("the caller names no implementation class")
	case !accepts(o.AcceptAE, string(p.Peer.Calling)):
		return g, dimse.RejectWith(ul.RejectCallingAETitle, errors.New("the caller is not among those accepted"))
	}
	if o.judge != nil {
		if err := o.judge(p); err != nil {
			return g, err
		}
	}
	if len(o.Classes) > 0 {
		g.Classes = func(u uid.UID) bool { return !u.IsStorage() || slices.Contains(o.Classes, u) }
	}
	return g, nil
}

// accepts reports whether a title is in a list of patterns.
func accepts(patterns []string, title string) bool {
	if len(patterns) == 0 {
		return true
	}
	for _, p := range patterns {
		if ok, err := path.Match(strings.NewReplacer(`\`, `\\`, "[", `\[`).Replace(p), strings.TrimSpace(title)); ok && err == nil {
			return true
		}
	}
	return false
}

// statistics prints what a server did. More are lines between the messages and the bytes.
func (o *Listen) statistics(s *Stdio, server *dimse.Server, started time.Time, more ...stat) {
	if o.Form == DCMTK || o.Say == Quiet || server == nil {
		return
	}
	st := server.Stats()
	lines := []stat{{"Total Associations", st.Associations}, {"Rejected Associations", st.Rejected}, {"Messages Processed", st.Operations}}
	lines = append(lines, more...)
	has := func(name string) bool { return slices.ContainsFunc(more, func(m stat) bool { return m.name == name }) }
	if !has("Bytes Received") {
		lines = append(lines, stat{"Bytes Received", st.BytesIn}, stat{"Bytes Sent", st.BytesOut})
	}
	lines = append(lines, stat{"Uptime", fmt.Sprintf("%d seconds", int(time.Since(started).Seconds()))})
	fmt.Fprintf(s.Out, "\nStatistics\n")
	for _, l := range lines {
		fmt.Fprintf(s.Out, "  %-23s%v\n", l.name+":", l.value)
	}
}

// stat is a line of the statistics.
type stat struct {
	name  string
	value any
}
