package dimse

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime/debug"
	"time"

	"gantry/ul"
)

// serveConn is the goroutine of one connection: TLS handshake, negotiation, and the owner
// loop of the association.
func (s *Server) serveConn(ctx context.Context, nc net.Conn, t *ticket) {
	defer s.wg.Done()
	defer t.leave()
	raw := nc
	defer s.forget(raw)
	addr := nc.RemoteAddr()
	if s.Trace != nil && s.Trace.Connected != nil {
		s.Trace.Connected(addr)
	}
	nc, err := s.handshake(ctx, nc)
	if err != nil {
		raw.Close()
		s.refused(addr, err)
		return
	}
	o := s.limits.ul()
	if s.Trace != nil && s.Trace.State != nil {
		o.OnTransition = func(from ul.State, e ul.Event, tr ul.Transition) { s.Trace.State(from, e, tr.Action) }
	}
	conn := ul.NewAcceptor(nc, o)
	defer conn.Close()
	defer s.recover(addr, conn)
	rq, err := conn.ReadRequest()
	if err != nil {
		s.refused(addr, err)
		return
	}
	a := s.negotiate(conn, rq, t)
	if a == nil {
		t.leave() // the wait for the peer's close needs no place
		return
	}
	if !s.register(ctx, a, raw) {
		conn.Abort(ul.SourceUser, ul.ReasonNotSpecified)
		return
	}
	a.serve()
	s.unregister(a, raw)
	t.leave()
}

func (s *Server) forget(raw net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, raw)
}

// handshake does the TLS handshake within ARTIM, if TLS is configured.
func (s *Server) handshake(ctx context.Context, nc net.Conn) (net.Conn, error) {
	if s.TLSConfig == nil {
		return nc, nil
	}
	ctx, cancel := context.WithTimeout(ctx, s.limits.ARTIM)
	defer cancel()
	tc := tls.Server(nc, s.TLSConfig)
	err := tc.HandshakeContext(ctx)
	var rh tls.RecordHeaderError
	if errors.As(err, &rh) {
		switch got := ul.Sniff(rh.RecordHeader[:]); got {
		case ul.ProtocolDICOM:
			return nil, errors.New("dimse: the peer speaks plain DICOM on a TLS port: switch TLS on there")
		case ul.ProtocolUnknown, ul.ProtocolTLS:
		default:
			return nil, fmt.Errorf("dimse: the peer speaks %v on a DICOM TLS port: check the port number", got)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("dimse: TLS handshake: %w", err)
	}
	return tc, nil
}

func (s *Server) refused(addr net.Addr, err error) {
	if !errors.Is(err, io.EOF) { // a port scan or a health check
		s.warn("no association", "peer", addr.String(), "err", err)
	}
	if s.Trace != nil && s.Trace.Refused != nil {
		s.Trace.Refused(addr, err)
	}
}

// recover keeps a panic to its association.
func (s *Server) recover(addr net.Addr, conn *ul.Conn) {
	if p := recover(); p != nil {
		s.log().Error("panic: the association is aborted", "peer", addr.String(), "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
		conn.Abort(ul.SourceUser, ul.ReasonNotSpecified)
	}
}

// negotiate judges the request and answers it; nil when there is no association.
func (s *Server) negotiate(conn *ul.Conn, rq *ul.AssociateRQ, t *ticket) *association {
	peer := &Peer{
		ID: s.nextID.Add(1), Calling: AETitle(rq.Calling), Called: AETitle(rq.Called), Addr: conn.NetConn().RemoteAddr(),
		Implementation: rq.User.ImplementationClass, Version: rq.User.ImplementationVersion, Identity: rq.User.Identity,
		common: rq.User.CommonExtended,
	}
	if tc, ok := conn.NetConn().(*tls.Conn); ok {
		cs := tc.ConnectionState()
		peer.TLS = &cs
	}
	grant, err := s.Policy.judge(s.AETitle, &Proposal{peer, rq})
	if err == nil && !t.associate(s.limits.MaxConns, s.limits.MaxConnsPerPeer) {
		err = RejectWith(ul.RejectLocalLimit, nil)
	}
	if err != nil {
		s.reject(conn, peer, err)
		return nil
	}
	n := negotiation{rq: rq, handler: s.Handler, grant: grant, knownStorage: s.Policy.KnownStorage, window: s.limits.Window}
	ac := n.answer()
	peer.Value, peer.extended = grant.Value, ac.User.Extended
	if err := conn.Accept(ac); err != nil {
		s.refused(peer.Addr, err)
		return nil
	}
	return newAssociation(s, conn, peer, n.accepted)
}

func (s *Server) reject(conn *ul.Conn, peer *Peer, err error) {
	r := ul.RejectNoReason
	var rj *rejection
	if errors.As(err, &rj) {
		r = rj.Reject
	}
	s.counters.rejected.Add(1)
	conn.Reject(r) // its error adds nothing to the log line
	s.warn("association rejected", "peer", peer.Addr.String(), "calling", string(peer.Calling), "called", string(peer.Called), "err", err)
	if s.Trace != nil && s.Trace.Rejected != nil {
		s.Trace.Rejected(peer, r, err)
	}
}

// register makes an association known to Shutdown; false when that has begun.
func (s *Server) register(ctx context.Context, a *association, raw net.Conn) bool {
	a.ctx, a.cancel = context.WithCancelCause(ctx)
	a.req.ctx = a.ctx
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing || ctx.Err() != nil {
		a.cancel(ErrShutdown)
		return false
	}
	s.conns[raw] = true
	s.serving[a] = struct{}{}
	s.counters.associations.Add(1)
	if s.Trace != nil && s.Trace.Accepted != nil {
		s.Trace.Accepted(a.peer)
	}
	return true
}

func (s *Server) unregister(a *association, raw net.Conn) {
	s.mu.Lock()
	delete(s.serving, a)
	s.conns[raw] = false
	s.mu.Unlock()
	in, out := a.conn.BytesIn(), a.conn.BytesOut()
	s.counters.bytesIn.Add(in)
	s.counters.bytesOut.Add(out)
	err := a.ended
	if err == nil { // a panic
		err = a.conn.Err()
	}
	if errors.Is(err, ul.ErrClosed) || errors.Is(err, ul.ErrReleaseRequested) {
		err = nil
	}
	if err != nil {
		s.counters.aborted.Add(1)
	}
	if err != nil && err != ErrShutdown { // which ends idle ones, as it should
		s.warn("association ended", "association", a.peer.ID, "peer", a.peer.Addr.String(), "calling", string(a.peer.Calling), "err", err)
	}
	if s.Trace != nil && s.Trace.Ended != nil {
		s.Trace.Ended(a.peer, AssociationSummary{err, time.Since(a.started), in, out})
	}
}
