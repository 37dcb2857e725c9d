package ul

import (
	"encoding/binary"

	"gantry/dicom/uid"
)

// Item types of A-ASSOCIATE-RQ and -AC (PS3.8 9.3.2, 9.3.3, annex D; PS3.7 annex D.3.3).
const (
	itemApplicationContext    = 0x10
	itemContextRQ             = 0x20
	itemContextAC             = 0x21
	itemAbstractSyntax        = 0x30
	itemTransferSyntax        = 0x40
	itemUserInformation       = 0x50
	itemMaximumLength         = 0x51
	itemImplementationClass   = 0x52
	itemAsyncWindow           = 0x53
	itemRoleSelection         = 0x54
	itemImplementationVersion = 0x55
	itemExtendedNegotiation   = 0x56
	itemCommonExtended        = 0x57
	itemUserIdentityRQ        = 0x58
	itemUserIdentityAC        = 0x59
)

// items walks a run of items: type (1), reserved (1), length (2), value. Unknown types
// reach f like all others; f ignores what it does not know (PS3.8 9.3.1).
func items(t PDUType, b []byte, f func(kind byte, value []byte) error) error {
	for len(b) > 0 {
		if len(b) < 4 {
			return invalid(t, "%d bytes left, too few for an item", len(b))
		}
		n := int(binary.BigEndian.Uint16(b[2:]))
		if n > len(b)-4 {
			return invalid(t, "item %02XH of %d bytes, but %d are left", b[0], n, len(b)-4)
		}
		if err := f(b[0], b[4:4+n:4+n]); err != nil {
			return err
		}
		b = b[4+n:]
	}
	return nil
}

// builder appends items and remembers the first value that does not fit its length field.
type builder struct {
	b   []byte
	pdu PDUType
	err error
}

// open starts an item and returns where it starts, for close.
func (w *builder) open(kind byte) int {
	w.b = append(w.b, kind, 0, 0, 0)
	return len(w.b)
}

func (w *builder) close(start int) {
	n := len(w.b) - start
	if n > 0xFFFF && w.err == nil {
		w.err = invalid(w.pdu, "item %02XH is %d bytes long, more than its length field holds", w.b[start-4], n)
	}
	binary.BigEndian.PutUint16(w.b[start-2:], uint16(n))
}

func (w *builder) item(kind byte, value string) {
	s := w.open(kind)
	w.b = append(w.b, value...)
	w.close(s)
}

// sized appends a value with a two-byte length before it.
func (w *builder) sized(value string) {
	if len(value) > 0xFFFF && w.err == nil {
		w.err = invalid(w.pdu, "a value of %d bytes is more than its length field holds", len(value))
	}
	w.b = binary.BigEndian.AppendUint16(w.b, uint16(len(value)))
	w.b = append(w.b, value...)
}

// cutSized splits a value with a two-byte length from the front of b.
func cutSized(t PDUType, b []byte) (value, rest []byte, err error) {
	if len(b) < 2 {
		return nil, nil, invalid(t, "%d bytes left, too few for a length", len(b))
	}
	n := int(binary.BigEndian.Uint16(b))
	if n > len(b)-2 {
		return nil, nil, invalid(t, "a value of %d bytes, but %d are left", n, len(b)-2)
	}
	return b[2 : 2+n : 2+n], b[2+n:], nil
}

func cutUID(t PDUType, b []byte) (uid.UID, []byte, error) {
	v, rest, err := cutSized(t, b)
	return uid.Parse(v), rest, err
}
