package dimse

import (
	"net"
	"sync/atomic"
	"time"

	"gantry/dicom/uid"
	"gantry/ul"
)

// Trace observes a Server. Each function may be nil; they are called from the goroutines
// of associations, must not block and must not keep their arguments' Peer beyond the
// association.
type Trace struct {
	Connected func(net.Addr)                      // a connection was accepted
	Refused   func(net.Addr, error)               // it ended before an association was asked for
	Rejected  func(*Peer, ul.Reject, error)       // an association was rejected
	Accepted  func(*Peer)                         // an association was established
	Ended     func(*Peer, AssociationSummary)     // it ended
	Operation func(*Peer, OperationSummary)       // an operation ended
	State     func(ul.State, ul.Event, ul.Action) // a step of the state machine
}

// AssociationSummary tells about an association that ended.
type AssociationSummary struct {
	Err               error // nil: released in order
	Duration          time.Duration
	BytesIn, BytesOut int64
}

// OperationSummary tells about an operation that ended.
type OperationSummary struct {
	Op       Op
	Class    uid.UID
	Status   Status // of the final response
	Answered bool   // false: none could be sent
	Duration time.Duration
	Bytes    int64 // of the request's data set
}

// Stats counts what a Server did since it was made.
type Stats struct {
	Connections  uint64 // accepted from the listener
	Associations uint64 // established
	Active       int    // established now
	Rejected     uint64
	Aborted      uint64 // ended by either side's abort, or by a failure
	Operations   uint64
	BytesIn      int64 // of associations that ended
	BytesOut     int64
}

type counters struct {
	connections, associations, rejected, aborted, operations atomic.Uint64
	bytesIn, bytesOut                                        atomic.Int64
}

// Stats returns the counters.
func (s *Server) Stats() Stats {
	c := &s.counters
	return Stats{
		Connections: c.connections.Load(), Associations: c.associations.Load(), Active: s.admission.associations(),
		Rejected: c.rejected.Load(), Aborted: c.aborted.Load(), Operations: c.operations.Load(),
		BytesIn: c.bytesIn.Load(), BytesOut: c.bytesOut.Load(),
	}
}
