package dimse

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"gantry/dicom"
	"gantry/dicom/tag"
	"gantry/dicom/uid"
)

// ResponseWriter sends the responses of one operation. Its methods may be called from any
// goroutine, until the handler returns.
type ResponseWriter interface {
	// Pending sends one answer of a C-FIND, status FF00H. An error means that the
	// association is gone or the operation canceled: stop.
	Pending(*dicom.DataSet) error
	// Final sends the final response; ds may be nil. A second one is an error.
	Final(Status, *dicom.DataSet) error
	// Send sends any response: pending by its status, else final.
	Send(*Response) error
}

// Response holds all that a response can say. Class and instance of the request are
// filled in when they are empty.
type Response struct {
	Status     Status
	Data       *dicom.DataSet
	Comment    string
	Offending  []tag.Tag
	ErrorID    uint16
	Class      uid.UID
	Instance   uid.UID // Affected SOP Instance UID, as of N-CREATE
	EventType  uint16
	ActionType uint16
	Attributes []tag.Tag
	SubOps     *SubOperations // of C-GET and C-MOVE

	// More, of a pending response, says that another one follows without waiting: this one
	// may be kept back until then, to leave in the same write.
	More bool
}

// Fail sends the final response that answers err: a *StatusError as it says, the end of
// the operation's context by its cause, anything else as the operation's general failure.
// When the peer is gone nothing is sent.
func Fail(w ResponseWriter, r *Request, err error) error {
	if errors.Is(context.Cause(r.Context()), ErrPeerGone) {
		return ErrPeerGone
	}
	se := statusError(r.Context(), r.Op, err)
	return w.Send(&Response{Status: se.Status, Comment: se.Comment, Offending: se.Offending})
}

// Finish sends the final response of an operation that ended without an error of its own:
// Success, or what the end of its context asks for.
func Finish(w ResponseWriter, r *Request) error {
	if r.Context().Err() != nil {
		return Fail(w, r, context.Cause(r.Context()))
	}
	return w.Final(Success, nil)
}

// responseWriter implements ResponseWriter for one request of an association or Assoc.
type responseWriter struct {
	s    *session
	pc   *presentation
	req  *Request
	done func() // called before the final response goes out

	mu      sync.Mutex
	final   bool
	sent    Status // of the final response
	failed  error  // first failure of writing
	twice   bool   // a second final response was tried
	rsp     Command
	started time.Time
}

func (w *responseWriter) Pending(ds *dicom.DataSet) error {
	return w.Send(&Response{Status: PendingMatch, Data: ds})
}

func (w *responseWriter) Final(s Status, ds *dicom.DataSet) error {
	if s.Class() == Pending {
		return fmt.Errorf("dimse: %v is no final status", s)
	}
	return w.Send(&Response{Status: s, Data: ds})
}

// errSecondFinal reports a handler that answers twice.
var errSecondFinal = errors.New("dimse: a second final response to one request")

func (w *responseWriter) Send(r *Response) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.final {
		w.twice = true
		return errSecondFinal
	}
	if r.Status.Class() != Pending {
		w.final, w.sent = true, r.Status
		if w.done != nil {
			w.done()
		}
	} else if err := w.req.ctx.Err(); err != nil {
		return context.Cause(w.req.ctx)
	}
	w.fill(r)
	write := w.s.conn.WriteMessage
	if r.More && r.Status.Class() == Pending {
		write = w.s.conn.HoldMessage
	}
	err := w.s.send(w.pc, &w.rsp, r.Data, write)
	if err != nil && w.failed == nil {
		w.failed = err
	}
	return err
}

// fill makes rsp the command set of r.
func (w *responseWriter) fill(r *Response) {
	q := w.req
	w.rsp = Command{Op: q.Op, Response: true, RespondedTo: q.MessageID, Status: r.Status, AffectedClass: r.Class,
		AffectedInstance: r.Instance, Comment: r.Comment, Offending: r.Offending, ErrorID: r.ErrorID,
		EventType: r.EventType, ActionType: r.ActionType, Attributes: r.Attributes}
	if w.rsp.AffectedClass == "" {
		w.rsp.AffectedClass = q.Class
	}
	if w.rsp.AffectedInstance == "" {
		w.rsp.AffectedInstance = q.Instance
	}
	if r.SubOps != nil {
		w.rsp.SubOps, w.rsp.HasSubOps = *r.SubOps, true
	}
	if w.rsp.EventType == 0 && q.Op == NEventReport {
		w.rsp.EventType = q.Command.EventType
	}
	if w.rsp.ActionType == 0 && q.Op == NAction {
		w.rsp.ActionType = q.Command.ActionType
	}
}

// end answers for a handler that returned without a final response, and reports whether
// one was sent in the end.
func (w *responseWriter) end() {
	w.mu.Lock()
	final := w.final
	w.mu.Unlock()
	if !final && !errors.Is(context.Cause(w.req.ctx), ErrPeerGone) {
		Fail(w, w.req, nil)
	}
}
