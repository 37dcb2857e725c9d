package ul

import "encoding/binary"

// pdvHeaderLength is the bytes of a presentation data value item before its fragment:
// length (4), presentation context ID (1), message control header (1).
const pdvHeaderLength = 6

// Bits of the message control header (PS3.8 annex E.2).
const (
	controlCommand = 1 << 0
	controlLast    = 1 << 1
)

// PDV describes one presentation data value item of a P-DATA-TF PDU (PS3.8 9.3.5.1):
// a fragment of a message.
type PDV struct {
	Context byte   // presentation context ID, odd
	Command bool   // the fragment belongs to the command set, not the data set
	Last    bool   // it is the last one of that set
	Length  uint32 // bytes of the fragment
}

// appendPDVHeader appends PDU header and PDV header of a P-DATA-TF PDU that carries the
// one fragment p; p.Length bytes must follow.
func appendPDVHeader(dst []byte, p PDV) []byte {
	dst = append(dst, byte(TypePData), 0)
	dst = binary.BigEndian.AppendUint32(dst, p.Length+pdvHeaderLength)
	dst = binary.BigEndian.AppendUint32(dst, p.Length+2)
	return append(dst, p.Context, p.control())
}

func (p PDV) control() byte {
	var c byte
	if p.Command {
		c |= controlCommand
	}
	if p.Last {
		c |= controlLast
	}
	return c
}

// decodePDVHeader decodes the header of a PDV item in a P-DATA-TF PDU of which left bytes,
// the header included, are still to come. h holds pdvHeaderLength bytes.
func decodePDVHeader(h []byte, left uint32) (PDV, error) {
	n := binary.BigEndian.Uint32(h)
	if n < 2 || n > left-4 {
		return PDV{}, invalid(TypePData, "PDV item length %d in %d bytes", n, left)
	}
	if h[4]&1 == 0 {
		return PDV{}, invalid(TypePData, "presentation context ID %d is not odd", h[4])
	}
	return PDV{h[4], h[5]&controlCommand != 0, h[5]&controlLast != 0, n - 2}, nil
}

// AppendPData appends a P-DATA-TF PDU that carries one fragment to dst.
func AppendPData(dst []byte, context byte, command, last bool, fragment []byte) []byte {
	dst = appendPDVHeader(dst, PDV{context, command, last, uint32(len(fragment))})
	return append(dst, fragment...)
}

// DecodePData walks the variable field of a P-DATA-TF PDU and calls f for each item; the
// fragment aliases body. Conn does not use it: it reads fragments as they arrive.
func DecodePData(body []byte, f func(PDV, []byte) error) error {
	if len(body) == 0 {
		return invalid(TypePData, "no PDV item")
	}
	for len(body) > 0 {
		if len(body) < pdvHeaderLength {
			return invalid(TypePData, "%d bytes left, too few for a PDV item", len(body))
		}
		p, err := decodePDVHeader(body, uint32(len(body)))
		if err != nil {
			return err
		}
		end := pdvHeaderLength + int(p.Length)
		if err := f(p, body[pdvHeaderLength:end:end]); err != nil {
			return err
		}
		body = body[end:]
	}
	return nil
}
