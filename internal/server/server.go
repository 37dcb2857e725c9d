// Package server puts the archive together from its configuration and runs it. It is the
// only package that knows all the others.
package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"gantry/dimse"
	"gantry/internal/archive/scrub"
	"gantry/internal/config"
	"gantry/internal/front/adminapi"
	"gantry/internal/obs"
	"gantry/internal/tlsconf"
)

// Server is a running archive.
type Server struct {
	cfg     *config.Config
	log     *obs.Log
	metrics *obs.Metrics
	health  *obs.Health
	archive *archive
	peers   atomic.Pointer[peerTable]
	tls     *tlsconf.Server
	sending dimse.Pools // associations with those that objects are sent to
	dicom   []*listener
	web     []*webListener
	ready   atomic.Bool
	token   string
	guard   *scrub.Guard
	work    []func(context.Context) // in the background, from Run to its end
}

// mostSending bounds the associations with one destination; sendingIdle is how long one is
// kept for the next C-MOVE: not long, as there are receivers to which its end says that all
// has come.
const (
	mostSending = 16
	sendingIdle = time.Second / 4
)

// listener is a DICOM port.
type listener struct {
	net.Listener
	server *dimse.Server
	secure bool
}

// webListener is an HTTP port.
type webListener struct {
	net.Listener
	server *http.Server
}

// New opens the archive and its ports; console is where the log goes when it is not off.
// Nothing is served before Run.
func New(ctx context.Context, c *config.Config, console io.Writer) (_ *Server, err error) {
	s := &Server{cfg: c, metrics: obs.NewMetrics(time.Now()), sending: dimse.Pools{Max: mostSending, Idle: sendingIdle}}
	if !c.Logging.Console {
		console = nil
	}
	if s.log, err = obs.NewLog(console, c.Logging.File, c.Logging.Level); err != nil {
		return nil, fmt.Errorf("log: %w", err)
	}
	defer func() {
		if err != nil {
			s.Close()
		}
	}()
	s.peers.Store(newPeerTable(ctx, c))
	if s.archive, err = openArchive(ctx, c, s.log.Logger, s.ingestOptions(c)); err != nil {
		return nil, err
	}
	s.health = s.newHealth(c)
	s.work = append(s.work, s.newPurger(c).Run, s.fillIndex)
	scrubber, err := s.newScrubber(ctx, c)
	if err != nil {
		return nil, err
	}
	if s.guard = scrubber.Guard; scrubs(c) {
		s.work = append(s.work, scrubber.Run)
	}
	s.work = append(s.work, s.compactor(c))
	if c.Archive.Settle > 0 {
		s.work = append(s.work, s.newSettle(c).Run)
	}
	if err := s.listenDICOM(c); err != nil {
		return nil, err
	}
	return s, s.listenHTTP(c)
}

// Close closes what New opened. Run does it too.
func (s *Server) Close() error {
	var errs []error
	for _, l := range s.dicom {
		l.Close()
	}
	for _, l := range s.web {
		l.Close()
	}
	if s.archive != nil {
		errs = append(errs, s.archive.close())
	}
	return errors.Join(append(errs, s.log.Close())...)
}

// Log is the server's log.
func (s *Server) Log() *obs.Log { return s.log }

func (s *Server) listenDICOM(c *config.Config) error {
	if err := s.listen(c, c.Server.Port, false); err != nil {
		return err
	}
	if !c.TLS.Enabled {
		return nil
	}
	var err error
	s.tls, err = tlsconf.NewServer(tlsconf.Options{
		Files:      tlsconf.Files{Cert: c.TLS.CertPath, Key: c.TLS.KeyPath, CA: c.TLS.CAPath},
		MinVersion: c.TLS.MinVersion, RequireClientCert: c.TLS.RequireClientCert,
	})
	if err != nil {
		return fmt.Errorf("TLS: %w", err)
	}
	return s.listen(c, c.TLS.Port, true)
}

func (s *Server) listen(c *config.Config, port int, secure bool) error {
	addr := net.JoinHostPort(c.Server.Bind, strconv.Itoa(port))
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return fmt.Errorf("DICOM port %s: %w; is another archive running?", addr, err)
	}
	d := &dimse.Server{
		AETitle: dimse.AETitle(c.Server.AETitle),
		Handler: s.front(c).Mux(),
		Policy:  policy(c, &s.peers),
		Limits: dimse.NetLimits{MaxPDU: uint32(c.Server.MaxPDU), MaxConns: c.Server.MaxAssociations,
			MaxConnsPerPeer: c.Server.MaxPerHost, Window: c.Server.Window, Idle: c.Server.IdleTimeout},
		Trace: s.trace(),
		Log:   s.log.Logger,
	}
	if secure {
		d.TLSConfig = s.tls.Config()
	}
	s.dicom = append(s.dicom, &listener{l, d, secure})
	return d.Validate()
}

func (s *Server) listenHTTP(c *config.Config) error {
	if c.HTTP.Auth {
		var err error
		if s.token, err = token(filepath.Join(c.Storage.Directory, "token")); err != nil {
			return fmt.Errorf("HTTP token: %w", err)
		}
	}
	h := adminapi.Handler(adminapi.Config{Ready: s.ready.Load, Health: s.health, Metrics: s.metrics.Handler(), Token: s.token,
		Held:    quarantine{s.archive.index, s.archive.index, s.archive.ingest},
		Deleted: s.archive.deletions(c, s.log.Logger), Labels: s.archive.labels(), Damaged: s.damaged})
	addrs := []string{c.HTTP.Address}
	if c.Monitoring.Enabled {
		addrs = append(addrs, net.JoinHostPort(c.Server.Bind, strconv.Itoa(c.Monitoring.MetricsPort)))
	}
	for _, addr := range addrs {
		if addr == "" {
			continue
		}
		l, err := net.Listen("tcp", addr)
		if err != nil {
			return fmt.Errorf("HTTP port %s: %w", addr, err)
		}
		s.web = append(s.web, &webListener{l, adminapi.NewServer(h)})
	}
	return nil
}

// Greet says where to point a modality and a browser.
func (s *Server) Greet(w io.Writer) {
	fmt.Fprintf(w, "Gantry keeps its data in %s\n", s.cfg.Storage.Directory)
	for _, l := range s.dicom {
		kind := "DICOM"
		if l.secure {
			kind = "DICOM over TLS"
		}
		fmt.Fprintf(w, "%s: AE title %s on %s\n", kind, s.cfg.Server.AETitle, l.Addr())
	}
	for _, l := range s.web {
		fmt.Fprintf(w, "Health and metrics: http://%s/health\n", l.Addr())
	}
	if s.cfg.Loopback() {
		fmt.Fprintln(w, "Only this machine can reach it. To open it: gantry serve --bind 0.0.0.0 --peer AE:host:port")
	}
}

// Run serves until ctx ends; then it lets the work under way end, for as long as the
// configuration says, and closes everything.
func (s *Server) Run(ctx context.Context) error {
	failed := make(chan error, len(s.dicom)+len(s.web))
	serving, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	for _, l := range s.dicom {
		go func() { failed <- l.server.Serve(serving, l.Listener) }()
	}
	for _, l := range s.web {
		go func() { failed <- l.server.Serve(l.Listener) }()
	}
	working, rest := context.WithCancel(serving)
	var background sync.WaitGroup
	for _, w := range s.work {
		background.Go(func() { w(working) })
	}
	s.ready.Store(true)
	var err error
	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	s.ready.Store(false)
	rest()
	s.shutdown()
	background.Wait()
	return errors.Join(err, s.Close())
}

// shutdown drains the associations.
func (s *Server) shutdown() {
	ctx, cancel := context.WithTimeout(context.Background(), s.cfg.Server.ShutdownTimeout)
	defer cancel()
	for _, l := range s.dicom {
		if err := l.server.Shutdown(ctx); err != nil {
			s.log.Warn("associations were cut off at shutdown", "err", err)
		}
	}
	s.sending.Close()
	for _, l := range s.web {
		l.server.Shutdown(ctx)
	}
}

// Reload takes over what can change without a restart: peers, allowed callers, the log
// and the TLS files.
func (s *Server) Reload(c *config.Config) error {
	if s.tls != nil {
		if err := s.tls.Reload(); err != nil {
			return err
		}
	}
	if err := s.log.Reopen(c.Logging.File); err != nil {
		return err
	}
	s.log.SetLevel(c.Logging.Level)
	s.peers.Store(newPeerTable(context.Background(), c))
	s.log.Info("configuration read again", "peers", len(c.Peers))
	return nil
}

// Statistics prints what the server did since its start.
func (s *Server) Statistics(w io.Writer) {
	m := s.metrics
	fmt.Fprintf(w, `
PACS Server Statistics
  Uptime:                %d seconds
  Total Associations:    %d
  Active Associations:   %d
  Rejected Associations: %d
  Messages Processed:    %d
  Bytes Received:        %d
  Bytes Sent:            %d
`, int(time.Since(m.Started).Seconds()), m.Associations.Load(), m.Active.Load(), m.Rejected.Load(), m.Messages.Load(), m.BytesIn.Load(), m.BytesOut.Load())
}

// DICOMAddr is where the first DICOM port listens.
func (s *Server) DICOMAddr() net.Addr { return s.dicom[0].Addr() }
