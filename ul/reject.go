package ul

import "fmt"

// RejectResult tells whether a rejection may pass with time (PS3.8 9.3.4).
type RejectResult byte

// The results of table 9-21.
const (
	RejectedPermanent RejectResult = 1
	RejectedTransient RejectResult = 2
)

// RejectSource tells which part of the peer rejects.
type RejectSource byte

// The sources of table 9-21.
const (
	RejectByUser         RejectSource = 1 // the application
	RejectByACSE         RejectSource = 2 // service-provider, ACSE related function
	RejectByPresentation RejectSource = 3 // service-provider, presentation related function
)

// RejectReason is the reason; its meaning depends on the source.
type RejectReason byte

// Reasons of RejectByUser.
const (
	NoReason                       RejectReason = 1
	ApplicationContextNotSupported RejectReason = 2
	CallingAETitleNotRecognized    RejectReason = 3
	CalledAETitleNotRecognized     RejectReason = 7
)

// Reasons of RejectByACSE and RejectByPresentation.
const (
	acseNoReason                    RejectReason = 1
	acseProtocolVersionNotSupported RejectReason = 2
	presentationTemporaryCongestion RejectReason = 1
	presentationLocalLimitExceeded  RejectReason = 2
)

// The rejections that this package's users send; values, to be compared.
var (
	RejectApplicationContext = Reject{RejectedPermanent, RejectByUser, ApplicationContextNotSupported}
	RejectCallingAETitle     = Reject{RejectedPermanent, RejectByUser, CallingAETitleNotRecognized}
	RejectCalledAETitle      = Reject{RejectedPermanent, RejectByUser, CalledAETitleNotRecognized}
	RejectNoReason           = Reject{RejectedPermanent, RejectByUser, NoReason}
	RejectProtocolVersion    = Reject{RejectedPermanent, RejectByACSE, acseProtocolVersionNotSupported}
	RejectIdentity           = Reject{RejectedPermanent, RejectByACSE, acseNoReason}
	RejectCongestion         = Reject{RejectedTransient, RejectByPresentation, presentationTemporaryCongestion}
	RejectLocalLimit         = Reject{RejectedTransient, RejectByPresentation, presentationLocalLimitExceeded}
)

// Reject is the A-ASSOCIATE-RJ PDU (PS3.8 9.3.4).
type Reject struct {
	Result RejectResult
	Source RejectSource
	Reason RejectReason
}

// String returns result, source and reason in the standard's words.
func (r Reject) String() string {
	return fmt.Sprintf("%v, %v: %s", r.Result, r.Source, r.reason())
}

func (r Reject) reason() string {
	switch r {
	case Reject{r.Result, RejectByUser, NoReason}, Reject{r.Result, RejectByACSE, acseNoReason}:
		return "no reason given"
	case Reject{r.Result, RejectByUser, ApplicationContextNotSupported}:
		return "application context name not supported"
	case Reject{r.Result, RejectByUser, CallingAETitleNotRecognized}:
		return "calling AE title not recognized"
	case Reject{r.Result, RejectByUser, CalledAETitleNotRecognized}:
		return "called AE title not recognized"
	case Reject{r.Result, RejectByACSE, acseProtocolVersionNotSupported}:
		return "protocol version not supported"
	case Reject{r.Result, RejectByPresentation, presentationTemporaryCongestion}:
		return "temporary congestion"
	case Reject{r.Result, RejectByPresentation, presentationLocalLimitExceeded}:
		return "local limit exceeded"
	}
	return fmt.Sprintf("reason %d", byte(r.Reason))
}

// String returns "rejected permanent" or "rejected transient".
func (r RejectResult) String() string {
	switch r {
	case RejectedPermanent:
		return "rejected permanent"
	case RejectedTransient:
		return "rejected transient"
	}
	return fmt.Sprintf("result %d", byte(r))
}

// String names the source in the standard's words.
func (s RejectSource) String() string {
	switch s {
	case RejectByUser:
		return "service-user"
	case RejectByACSE:
		return "service-provider (ACSE)"
	case RejectByPresentation:
		return "service-provider (presentation)"
	}
	return fmt.Sprintf("source %d", byte(s))
}

// Append appends the encoded PDU to dst.
func (r Reject) Append(dst []byte) []byte {
	return append(dst, byte(TypeAssociateRJ), 0, 0, 0, 0, 4, 0, byte(r.Result), byte(r.Source), byte(r.Reason))
}

// DecodeReject decodes the variable field of an A-ASSOCIATE-RJ PDU.
func DecodeReject(body []byte) (Reject, error) {
	if len(body) != 4 {
		return Reject{}, invalid(TypeAssociateRJ, "length %d, not 4", len(body))
	}
	return Reject{RejectResult(body[1]), RejectSource(body[2]), RejectReason(body[3])}, nil
}

// RejectedError reports that the peer rejected the association.
type RejectedError struct{ Reject }

func (e *RejectedError) Error() string { return "ul: association " + e.String() }

// Temporary reports whether a later attempt may succeed.
func (e *RejectedError) Temporary() bool { return e.Result == RejectedTransient }
