package ingest

import (
	"cmp"
	"errors"
	"fmt"

	"gantry/dicom/dict"
	"gantry/dicom/tag"
	"gantry/internal/archive/blob"
)

// Statuses that an Error can have (PS3.4 Table B.2-1, PS3.7 annex C).
const (
	StatusDuplicate        uint16 = 0x0111 // Duplicate SOP Instance
	StatusOutOfResources   uint16 = 0xA700 // Refused: Out of Resources
	StatusMismatch         uint16 = 0xA900 // Error: Data Set does not match SOP Class
	StatusCannotUnderstand uint16 = 0xC000 // Error: Cannot understand
)

// Error says why an object was not stored. Comment may be told to the peer: it names no
// path and no patient. Nothing of the object is visible.
type Error struct {
	Status    uint16
	Comment   string
	Offending []tag.Tag
	Err       error // for the log, nil when Comment says it all
}

// Error implements error.
func (e *Error) Error() string {
	text := fmt.Sprintf("not stored (%04X): %s", e.Status, e.Comment)
	for i, t := range e.Offending {
		e, _ := dict.Lookup(t)
		text += [...]string{": ", ", "}[min(i, 1)] + cmp.Or(e.Keyword, t.String())
	}
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Unwrap returns Err.
func (e *Error) Unwrap() error { return e.Err }

// Errors in an Error's chain.
var (
	ErrBehind = errors.New("index has not applied what the object store holds")
	ErrClosed = errors.New("archive is shutting down")

	// ErrNotDeleted refuses to purge an object that is not deleted, or not any more.
	ErrNotDeleted = errors.New("the object is not deleted")

	errDeleted = errors.New("object was deleted while it was sent again")
)

// refusal makes any error of the stores an Error that a sender can retry on.
func refusal(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	comment := "storage failed"
	switch {
	case errors.Is(err, blob.ErrFull):
		comment = "storage is full"
	case errors.Is(err, blob.ErrTooLarge):
		comment = "object is too large"
	case errors.Is(err, ErrClosed), errors.Is(err, blob.ErrClosed):
		comment = "shutting down"
	case errors.Is(err, ErrBehind):
		comment = "index is not available"
	}
	return &Error{Status: StatusOutOfResources, Comment: comment, Err: err}
}
