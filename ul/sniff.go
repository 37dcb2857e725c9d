package ul

import (
	"bytes"
	"fmt"
)

// Protocol is what the first bytes of a connection look like.
type Protocol uint8

// The protocols told apart by six bytes.
const (
	ProtocolUnknown Protocol = iota
	ProtocolDICOM
	ProtocolTLS
	ProtocolHTTP
	ProtocolMLLP
	ProtocolSSH
)

var protocolNames = [...]string{"unknown bytes", "DICOM", "TLS", "HTTP", "HL7 (MLLP)", "SSH"}

// String names the protocol.
func (p Protocol) String() string {
	if int(p) < len(protocolNames) {
		return protocolNames[p]
	}
	return protocolNames[ProtocolUnknown]
}

// Sniff names the protocol that head, the first bytes of a connection (six are enough),
// belongs to. It is used for plain words in errors and logs, never to switch protocols.
func Sniff(head []byte) Protocol {
	switch {
	case len(head) < 3:
		return ProtocolUnknown
	case head[0] >= 0x14 && head[0] <= 0x17 && head[1] == 3 && head[2] <= 4:
		return ProtocolTLS
	case head[0] == 0x0B:
		return ProtocolMLLP
	case bytes.HasPrefix(head, []byte("SSH-")):
		return ProtocolSSH
	case isHTTP(head):
		return ProtocolHTTP
	case PDUType(head[0]).Known() && head[1] == 0:
		return ProtocolDICOM
	}
	return ProtocolUnknown
}

func isHTTP(head []byte) bool {
	for _, m := range [...]string{"GET ", "PUT ", "POST", "HEAD", "OPTI", "DELE", "PATC", "CONN", "TRAC", "PRI ", "HTTP"} {
		if len(head) >= len(m) && string(head[:len(m)]) == m {
			return true
		}
	}
	return false
}

// ProtocolError reports bytes of another protocol where a PDU should start.
type ProtocolError struct {
	Got  Protocol
	Head [HeaderLength]byte
}

func (e *ProtocolError) Error() string {
	switch e.Got {
	case ProtocolTLS:
		return "ul: the peer speaks TLS where plain DICOM was expected: switch TLS off there or on here"
	case ProtocolHTTP:
		return "ul: the peer speaks HTTP where DICOM was expected: check the port number"
	case ProtocolMLLP:
		return "ul: the peer speaks HL7 (MLLP) where DICOM was expected: check the port number"
	case ProtocolSSH:
		return "ul: the peer speaks SSH where DICOM was expected: check the port number"
	}
	return fmt.Sprintf("ul: the peer does not speak DICOM: it sent % X", e.Head[:])
}
