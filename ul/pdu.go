package ul

import (
	"encoding/binary"
	"fmt"
)

// PDUType is the first byte of a protocol data unit (PS3.8 9.3.1).
type PDUType byte

// The seven PDU types.
const (
	TypeAssociateRQ PDUType = 0x01
	TypeAssociateAC PDUType = 0x02
	TypeAssociateRJ PDUType = 0x03
	TypePData       PDUType = 0x04
	TypeReleaseRQ   PDUType = 0x05
	TypeReleaseRP   PDUType = 0x06
	TypeAbort       PDUType = 0x07
)

// HeaderLength is the number of bytes of a PDU before its variable field: type, a
// reserved byte, and the length of what follows.
const HeaderLength = 6

// MaxAssociatePDU caps the length field of A-ASSOCIATE-RQ and -AC. 128 contexts with
// forty transfer syntaxes each need about 350 KB.
const MaxAssociatePDU = 1 << 20

var typeNames = [8]string{"", "A-ASSOCIATE-RQ", "A-ASSOCIATE-AC", "A-ASSOCIATE-RJ", "P-DATA-TF",
	"A-RELEASE-RQ", "A-RELEASE-RP", "A-ABORT"}

// Known reports whether t is one of the seven types.
func (t PDUType) Known() bool { return t >= TypeAssociateRQ && t <= TypeAbort }

// String returns the standard's name of the PDU.
func (t PDUType) String() string {
	if t.Known() {
		return typeNames[t]
	}
	return fmt.Sprintf("PDU type %02XH", byte(t))
}

// event returns the state machine event of receiving a PDU of type t.
func (t PDUType) event() Event {
	if !t.Known() {
		return Evt19
	}
	return [8]Event{TypeAssociateRQ: Evt6, TypeAssociateAC: Evt3, TypeAssociateRJ: Evt4, TypePData: Evt10,
		TypeReleaseRQ: Evt12, TypeReleaseRP: Evt13, TypeAbort: Evt16}[t]
}

// FormatError reports a PDU that breaks PS3.8 chapter 9.3. Reason is what an A-ABORT
// answering it carries.
type FormatError struct {
	PDU    PDUType
	Reason AbortReason
	Msg    string
}

func (e *FormatError) Error() string { return fmt.Sprintf("ul: %v: %s", e.PDU, e.Msg) }

func invalid(t PDUType, format string, args ...any) error {
	return &FormatError{PDU: t, Reason: ReasonInvalidParameter, Msg: fmt.Sprintf(format, args...)}
}

// checkHeader vets type and length of a PDU before anything of its body is read.
// maxData caps P-DATA-TF; zero is no cap.
func checkHeader(t PDUType, length, maxData uint32) error {
	if !t.Known() {
		return &FormatError{PDU: t, Reason: ReasonUnrecognizedPDU, Msg: "unknown PDU type"}
	}
	switch t {
	case TypeAssociateRQ, TypeAssociateAC:
		if length > MaxAssociatePDU {
			return invalid(t, "length %d is over the cap of %d", length, MaxAssociatePDU)
		}
	case TypePData:
		if maxData != 0 && length > maxData {
			return invalid(t, "length %d is over the maximum length %d that was negotiated", length, maxData)
		}
	default:
		if length != 4 {
			return invalid(t, "length %d, not 4", length)
		}
	}
	return nil
}

// appendHeader appends a PDU header whose length setLength fills in later.
func appendHeader(dst []byte, t PDUType) []byte {
	return append(dst, byte(t), 0, 0, 0, 0, 0)
}

// setLength writes the length of the PDU that starts at dst[start].
func setLength(dst []byte, start int) {
	binary.BigEndian.PutUint32(dst[start+2:], uint32(len(dst)-start-HeaderLength))
}
