package dimse

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"gantry/dicom/uid"
)

// Server accepts associations and serves them with Handler. Its fields must not change
// once it serves. The TLS handshake happens on the association's goroutine, never in the
// accept loop; TLSConfig may reload certificates by GetConfigForClient.
type Server struct {
	AETitle   AETitle
	Handler   Handler
	Policy    Policy
	TLSConfig *tls.Config // nil: no TLS
	Limits    NetLimits
	Trace     *Trace
	Log       *slog.Logger // nil: slog.Default()

	once      sync.Once
	limits    NetLimits
	admission admission
	counters  counters
	logLimit  logLimit
	nextID    atomic.Uint64

	mu        sync.Mutex
	closing   bool
	listeners map[net.Listener]struct{}
	serving   map[*association]struct{}
	conns     map[net.Conn]bool // all; true while an association has it
	wg        sync.WaitGroup    // goroutines of connections
}

// ErrServerClosed is returned by Serve after Shutdown.
var ErrServerClosed = errors.New("dimse: server closed")

// Validate checks what can be checked before serving.
func (s *Server) Validate() error {
	var errs []error
	if s.Handler == nil {
		errs = append(errs, errors.New("dimse: server without Handler"))
	}
	if s.AETitle != "" || !s.Policy.AnyCalled {
		errs = append(errs, s.AETitle.Check())
	}
	for _, ts := range s.Policy.Syntaxes {
		if !acceptable(uid.CTImageStorage, ts) {
			errs = append(errs, fmt.Errorf("dimse: transfer syntax %s cannot be preferred: it is not one that is accepted", ts.Name()))
		}
	}
	if s.TLSConfig != nil && len(s.TLSConfig.Certificates) == 0 && s.TLSConfig.GetCertificate == nil && s.TLSConfig.GetConfigForClient == nil {
		errs = append(errs, errors.New("dimse: TLS without a certificate"))
	}
	return errors.Join(errs...)
}

func (s *Server) init() {
	s.once.Do(func() {
		s.limits = s.Limits.withDefaults()
		s.listeners = make(map[net.Listener]struct{})
		s.serving = make(map[*association]struct{})
		s.conns = make(map[net.Conn]bool)
	})
}

func (s *Server) log() *slog.Logger {
	if s.Log != nil {
		return s.Log
	}
	return slog.Default()
}

// Serve accepts connections on l until Shutdown, the end of ctx, or an error of l; it
// closes l. The end of ctx cancels all operations and aborts all associations; Shutdown is
// the gentle way. Serve waits for its associations before it returns.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	s.init()
	defer l.Close()
	if err := s.Validate(); err != nil {
		return err
	}
	if !s.track(l) {
		return ErrServerClosed
	}
	defer s.untrack(l)
	stop := context.AfterFunc(ctx, func() { l.Close(); s.abortAll(context.Cause(ctx)) })
	defer stop()
	err := s.accept(ctx, l)
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	s.mu.Lock()
	if s.closing {
		err = ErrServerClosed
	}
	s.mu.Unlock()
	s.wg.Wait()
	return err
}

// accept is the accept loop. Errors that pass, such as too many open files, are waited out.
func (s *Server) accept(ctx context.Context, l net.Listener) error {
	var delay time.Duration
	for {
		nc, err := l.Accept()
		if err == nil {
			delay = 0
			s.start(ctx, nc)
			continue
		}
		if errors.Is(err, net.ErrClosed) || ctx.Err() != nil {
			return err
		}
		delay = min(max(2*delay, 5*time.Millisecond), time.Second)
		s.log().Warn("accepting a connection failed", "err", err, "retry", delay)
		select {
		case <-time.After(delay):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// start runs a new connection on its own goroutine.
func (s *Server) start(ctx context.Context, nc net.Conn) {
	s.mu.Lock()
	if s.closing || ctx.Err() != nil {
		s.mu.Unlock()
		nc.Close()
		return
	}
	s.conns[nc] = false
	s.wg.Add(1)
	s.mu.Unlock()
	s.counters.connections.Add(1)
	t, evicted := s.admission.enter(nc, s.limits.MaxPending)
	if evicted != nil {
		s.warn("too many connections without association: the oldest is closed", "peer", evicted.RemoteAddr().String())
		evicted.Close()
	}
	go s.serveConn(ctx, nc, t)
}

func (s *Server) track(l net.Listener) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		return false
	}
	s.listeners[l] = struct{}{}
	return true
}

func (s *Server) untrack(l net.Listener) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.listeners, l)
}

// shutdownGrace is how long operations have for their final response after Shutdown's
// context ended.
const shutdownGrace = 500 * time.Millisecond

// Shutdown stops accepting, aborts idle associations, lets running operations end, and
// aborts theirs then. When ctx ends first the operations are canceled with ErrShutdown,
// which ends C-FIND, C-GET and C-MOVE with status A700H, and the error is ctx's.
func (s *Server) Shutdown(ctx context.Context) error {
	s.init()
	s.mu.Lock()
	s.closing = true
	for l := range s.listeners {
		l.Close()
	}
	s.closeUnassociated()
	for a := range s.serving {
		a.drain()
	}
	s.mu.Unlock()
	done := make(chan struct{})
	go func() { s.wg.Wait(); close(done) }()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
	}
	s.cancelAll(ErrShutdown)
	select {
	case <-done:
	case <-time.After(shutdownGrace):
		s.abortAll(ErrShutdown)
		<-done
	}
	return ctx.Err()
}

func (s *Server) cancelAll(cause error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for a := range s.serving {
		a.cancelOps(cause)
	}
}

func (s *Server) abortAll(cause error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closeUnassociated()
	for a := range s.serving {
		go a.abort(cause) // may wait a second for a peer
	}
}

// closeUnassociated closes the connections that have no association yet or no longer. mu
// is held.
func (s *Server) closeUnassociated() {
	for nc, associated := range s.conns {
		if !associated {
			nc.Close()
		}
	}
}
