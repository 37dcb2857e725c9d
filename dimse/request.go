package dimse

import (
	"context"
	"crypto/tls"
	"io"
	"net"

	"gantry/dicom"
	"gantry/dicom/uid"
	"gantry/ul"
)

// Request is a request as its handler sees it. It is valid until the handler returns.
type Request struct {
	Op        Op
	Class     uid.UID // Affected or Requested SOP Class UID, as the operation has it
	Instance  uid.UID // Affected or Requested SOP Instance UID; empty if there is none
	Syntax    uid.UID // transfer syntax of Data and of the response's data set
	MessageID uint16
	Peer      *Peer
	Command   *Command  // the whole command set
	Data      io.Reader // the data set as it arrives; nil if the message has none

	ctx     context.Context
	session *session
	pc      *presentation
	caller  subOperator
	limit   int64 // of ReadDataSet
}

// subOperator performs C-STORE sub-operations of C-GET on an association.
type subOperator interface {
	subStore(ctx context.Context, o *Outgoing, r *Request) (Status, error)
	subWindow() int
}

// Context returns the context of the operation. It ends by C-CANCEL, release, abort or
// shutdown; context.Cause tells which (ErrCancelRQ, ErrPeerGone, ErrShutdown). Operations
// that C-CANCEL cannot reach share the context of the association.
func (r *Request) Context() context.Context { return r.ctx }

// ReadDataSet reads and decodes the data set into memory; for identifiers and the lists of
// N-services, not for objects. A message without one is an empty data set. One that is too
// long or does not decode is a *StatusError.
func (r *Request) ReadDataSet() (*dicom.DataSet, error) {
	if r.Data == nil {
		return new(dicom.DataSet), nil
	}
	b, err := readAll(r.Data, r.limit)
	if err != nil {
		return nil, err
	}
	ds, err := dicom.DecodeBytes(b, dicom.DecodeOptions{Syntax: r.Syntax})
	if err != nil {
		return nil, &StatusError{Status: generalFailure(r.Op), Comment: "data set does not decode", Err: err}
	}
	return ds, nil
}

// negotiated returns the abstract syntax of the presentation context.
func (r *Request) negotiated() uid.UID { return r.pc.class }

// Window returns how many sub-operations the requestor of a C-GET takes at a time: SubStore
// may be called by so many goroutines; more wait.
func (r *Request) Window() int { return r.caller.subWindow() }

// SubStore sends an object to the requestor of a C-GET as a C-STORE sub-operation on the
// same association (PS3.7 9.1.3) and waits for its response. An error means that there is
// no response: no presentation context fits (*ErrNoContext), Open failed, or the
// association is gone.
func (r *Request) SubStore(ctx context.Context, o *Outgoing) (Status, error) {
	return r.caller.subStore(ctx, o, r)
}

// Peer tells about the other side of an association. It does not change once the
// association is established.
type Peer struct {
	ID             uint64 // of the association, unique in this process
	Calling        AETitle
	Called         AETitle
	Addr           net.Addr
	TLS            *tls.ConnectionState // nil without TLS
	Implementation uid.UID
	Version        string           // implementation version name
	Identity       *ul.UserIdentity // as proposed, nil if not
	Value          any              // Grant.Value

	assoc    *association             // nil on the requestor's side
	extended []ul.ExtendedNegotiation // as answered
	common   []ul.CommonExtended      // as proposed
}

// Host returns the peer's address without port.
func (p *Peer) Host() string { return hostOf(p.Addr) }

// Extended returns the service class application information that was negotiated for a
// SOP class (PS3.7 D.3.3.5), nil if none was.
func (p *Peer) Extended(class uid.UID) []byte {
	for i := range p.extended {
		if p.extended[i].Class == class {
			return p.extended[i].Info
		}
	}
	return nil
}

// related returns the related general SOP classes that the peer named for a class (PS3.7
// D.3.3.6).
func (p *Peer) related(class uid.UID) []uid.UID {
	for i := range p.common {
		if p.common[i].Class == class {
			return p.common[i].Related
		}
	}
	return nil
}

func hostOf(a net.Addr) string {
	if a == nil {
		return ""
	}
	if host, _, err := net.SplitHostPort(a.String()); err == nil {
		return host
	}
	return a.String()
}
