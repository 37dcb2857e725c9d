package server

import (
	"context"
	"fmt"
	"log/slog"

	"gantry/dimse"
	"gantry/service/retrieve"
	"gantry/ul"
)

// trace counts and logs what the network does. Log lines carry AE titles, addresses, UIDs
// of services and statuses: nothing of a patient.
func (s *Server) trace() *dimse.Trace {
	m := s.metrics
	return &dimse.Trace{
		Rejected: func(p *dimse.Peer, r ul.Reject, err error) {
			m.Rejected.Add(1)
			s.log.Warn("association rejected", "calling", p.Calling, "called", p.Called, "peer", p.Addr.String(), "reason", r.String(), "err", err)
		},
		Accepted: func(p *dimse.Peer) {
			m.Opened()
			s.log.Debug("association", "calling", p.Calling, "peer", p.Addr.String())
		},
		Ended: func(p *dimse.Peer, a dimse.AssociationSummary) {
			m.Closed(a.Err != nil)
			m.BytesIn.Add(a.BytesIn)
			m.BytesOut.Add(a.BytesOut)
			if a.Err != nil {
				return // dimse logs it
			}
			s.log.Info("association ended", "calling", p.Calling, "peer", p.Addr.String(), "duration", a.Duration, "in", a.BytesIn, "out", a.BytesOut)
		},
		Operation: s.operation,
	}
}

func (s *Server) operation(p *dimse.Peer, o dimse.OperationSummary) {
	m := s.metrics
	m.Messages.Add(1)
	m.Operation(o.Op.String(), statusClass(o), o.Duration)
	switch o.Op {
	case dimse.CStore:
		if c := o.Status.Class(); c == dimse.ClassSuccess || c == dimse.Warning {
			m.Stored.Add(1)
		}
	case dimse.CFind:
		m.Queries.Add(1)
	case dimse.CMove:
		m.Moves.Add(1)
	case dimse.CGet:
		m.Gets.Add(1)
	}
	if !s.log.Enabled(context.Background(), slog.LevelDebug) {
		return // the line is not made for nothing at every operation
	}
	s.log.Debug("operation", "op", o.Op, "class", o.Class, "status", fmt.Sprintf("%04X", uint16(o.Status)), "calling", p.Calling, "duration", o.Duration, "bytes", o.Bytes)
}

// failed logs a sub-operation of C-GET or C-MOVE that failed, with the reason. The UID of
// the instance is not told.
func (s *Server) failed(f retrieve.Failure) {
	s.log.Warn("object not sent", "op", f.Request.Command.Op, "calling", f.Request.Peer.Calling, "destination", f.Request.Command.MoveDestination,
		"status", fmt.Sprintf("%04X", uint16(f.Status)), "err", f.Err)
}

func statusClass(o dimse.OperationSummary) string {
	if !o.Answered {
		return "none"
	}
	switch o.Status.Class() {
	case dimse.ClassSuccess:
		return "success"
	case dimse.Warning:
		return "warning"
	case dimse.Cancel:
		return "cancel"
	}
	return "failure"
}
