package ul

import "fmt"

// AbortSource tells who aborts an association (PS3.8 9.3.8).
type AbortSource byte

// The sources of table 9-26; 1 is reserved.
const (
	SourceUser     AbortSource = 0 // the DICOM upper layer service-user: the application
	SourceProvider AbortSource = 2 // the service-provider: the protocol machine
)

// AbortReason tells why a service-provider aborts; zero from a service-user.
type AbortReason byte

// The reasons of table 9-26; 3 is reserved.
const (
	ReasonNotSpecified          AbortReason = 0
	ReasonUnrecognizedPDU       AbortReason = 1
	ReasonUnexpectedPDU         AbortReason = 2
	ReasonUnrecognizedParameter AbortReason = 4
	ReasonUnexpectedParameter   AbortReason = 5
	ReasonInvalidParameter      AbortReason = 6
)

var abortReasons = [7]string{"reason not specified", "unrecognized PDU", "unexpected PDU", "reserved reason 3",
	"unrecognized PDU parameter", "unexpected PDU parameter", "invalid PDU parameter value"}

// String returns the standard's words.
func (r AbortReason) String() string {
	if int(r) < len(abortReasons) {
		return abortReasons[r]
	}
	return fmt.Sprintf("reason %d", byte(r))
}

// String returns "service-user" or "service-provider".
func (s AbortSource) String() string {
	switch s {
	case SourceUser:
		return "service-user"
	case SourceProvider:
		return "service-provider"
	}
	return fmt.Sprintf("source %d", byte(s))
}

// Abort is the A-ABORT PDU (PS3.8 9.3.8).
type Abort struct {
	Source AbortSource
	Reason AbortReason
}

// Append appends the encoded PDU to dst.
func (a Abort) Append(dst []byte) []byte {
	return append(dst, byte(TypeAbort), 0, 0, 0, 0, 4, 0, 0, byte(a.Source), byte(a.Reason))
}

// DecodeAbort decodes the variable field of an A-ABORT PDU. Reserved bytes and values
// are not tested (PS3.8 9.3.8).
func DecodeAbort(body []byte) (Abort, error) {
	if len(body) != 4 {
		return Abort{}, invalid(TypeAbort, "length %d, not 4", len(body))
	}
	return Abort{AbortSource(body[2]), AbortReason(body[3])}, nil
}

// AbortedError reports that the peer aborted the association.
type AbortedError struct{ Abort }

func (e *AbortedError) Error() string {
	if e.Source == SourceUser {
		return "ul: association aborted by the peer's application"
	}
	return fmt.Sprintf("ul: association aborted by the peer's %v: %v", e.Source, e.Reason)
}
