package dimse

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"gantry/dicom/tag"
	"gantry/dicom/uid"
	"gantry/ul"
)

// StatusError is an error that knows its status. A handler or a typed service that returns
// one decides what the peer is told: Status, Comment and Offending go out, Err stays in
// the log. A client gets one for a status that its call reports as an error.
type StatusError struct {
	Status    Status
	Comment   string    // Error Comment, for the peer: nothing private
	Offending []tag.Tag // Offending Element
	Err       error     // the cause, never sent
}

func (e *StatusError) Error() string {
	var b strings.Builder
	b.WriteString("dimse: status " + e.Status.String())
	if e.Comment != "" {
		b.WriteString(": " + e.Comment)
	}
	for _, t := range e.Offending {
		b.WriteString(" " + t.String())
	}
	if e.Err != nil {
		b.WriteString(": " + e.Err.Error())
	}
	return b.String()
}

// Unwrap returns Err.
func (e *StatusError) Unwrap() error { return e.Err }

// Causes of the end of a Request's context; context.Cause returns them.
var (
	ErrCancelRQ = errors.New("dimse: the peer sent C-CANCEL")                      // the final status is FE00H
	ErrPeerGone = errors.New("dimse: the peer ended the association")              // nothing can be sent
	ErrShutdown = errors.New("dimse: the server is shutting down")                 // the final status is A700H
	ErrDeadline = errors.New("dimse: the operation's time ran out")                // the final status is C000H
	ErrBusy     = errors.New("dimse: an iteration on this association is running") // client: break out of it first
	ErrUnsent   = errors.New("dimse: not sent")                                    // client: the association had ended before
)

// RejectedError is ul.RejectedError: the peer rejected the association.
type RejectedError = ul.RejectedError

// AbortedError is ul.AbortedError: the peer aborted the association.
type AbortedError = ul.AbortedError

// ErrNoContext reports that no presentation context was accepted for a SOP class with any
// of the transfer syntaxes.
type ErrNoContext struct {
	Class    uid.UID
	Syntaxes []uid.UID // that were wanted; empty: any
}

func (e *ErrNoContext) Error() string {
	s := "dimse: no presentation context was accepted for " + e.Class.Name()
	for i, ts := range e.Syntaxes {
		if i == 0 {
			s += " with "
		} else {
			s += ", "
		}
		s += ts.Name()
	}
	return s
}

// ProtocolError reports a peer that breaks PS3.7; the association is aborted.
type ProtocolError struct{ Msg string }

func (e *ProtocolError) Error() string { return "dimse: protocol error: " + e.Msg }

func protocolError(format string, args ...any) error {
	return &ProtocolError{fmt.Sprintf(format, args...)}
}

// statusError returns what answers err to a request of op: the *StatusError in err's
// chain, a failure by the cause of ctx's end, or the operation's general failure.
func statusError(ctx context.Context, op Op, err error) *StatusError {
	var se *StatusError
	if errors.As(err, &se) {
		return se
	}
	if ended := ctx.Err(); ended != nil {
		if se := causeStatus(context.Cause(ctx)); se != nil {
			return se
		}
	}
	return &StatusError{Status: generalFailure(op), Err: err}
}

// causeStatus returns the final status that the cause of a context's end asks for; nil for
// one that tells nothing.
func causeStatus(cause error) *StatusError {
	switch {
	case errors.Is(cause, ErrCancelRQ):
		return &StatusError{Status: Canceled, Err: cause}
	case errors.Is(cause, ErrShutdown):
		return &StatusError{Status: OutOfResources, Comment: "shutting down", Err: cause}
	case errors.Is(cause, ErrDeadline), errors.Is(cause, context.DeadlineExceeded):
		return &StatusError{Status: UnableToProcess, Comment: "time limit", Err: cause}
	}
	return nil
}

// generalFailure is the failure that says nothing more: C000H where the service class
// defines the Cxxx range, 0110H elsewhere.
func generalFailure(op Op) Status {
	if op.composite() && op != CEcho {
		return UnableToProcess
	}
	return ProcessingFailure
}
