package ul

import (
	"encoding/binary"
	"strings"

	"gantry/dicom/uid"
)

// ApplicationContext is the DICOM Application Context Name (PS3.7 annex A.2.1).
const ApplicationContext uid.UID = "1.2.840.10008.3.1.1.1"

// MaxContexts is how many presentation contexts one association can have: the odd
// numbers of one byte (PS3.8 7.1.1.13).
const MaxContexts = 128

// maxSyntaxes caps the transfer syntaxes of one proposed context; the dictionary has 74.
const maxSyntaxes = 512

// ContextResult is the answer to a proposed presentation context (PS3.8 9.3.3.2).
type ContextResult byte

// The results of table 9-18.
const (
	ContextAccepted                     ContextResult = 0
	ContextUserRejection                ContextResult = 1
	ContextNoReason                     ContextResult = 2
	ContextAbstractSyntaxNotSupported   ContextResult = 3
	ContextTransferSyntaxesNotSupported ContextResult = 4
)

var contextResults = [...]string{"accepted", "rejected by the user", "rejected, no reason given",
	"abstract syntax not supported", "transfer syntaxes not supported"}

// String returns the result in words.
func (r ContextResult) String() string {
	if int(r) < len(contextResults) {
		return contextResults[r]
	}
	return "unknown result"
}

// ProposedContext is a Presentation Context item of A-ASSOCIATE-RQ (PS3.8 9.3.2.2).
type ProposedContext struct {
	ID               byte // odd
	AbstractSyntax   uid.UID
	TransferSyntaxes []uid.UID // in the proposer's order
}

// AnsweredContext is a Presentation Context item of A-ASSOCIATE-AC (PS3.8 9.3.3.2).
type AnsweredContext struct {
	ID             byte
	Result         ContextResult
	TransferSyntax uid.UID // not significant unless accepted
}

// AssociateRQ is the A-ASSOCIATE-RQ PDU (PS3.8 9.3.2).
type AssociateRQ struct {
	Version            uint16 // protocol version bits; bit 0 is version 1. Zero is sent as 1
	Called, Calling    string // AE titles without padding, at most 16 characters
	ApplicationContext uid.UID
	Contexts           []ProposedContext
	User               UserInformation
}

// AssociateAC is the A-ASSOCIATE-AC PDU (PS3.8 9.3.3).
type AssociateAC struct {
	Version            uint16
	Called, Calling    string // returned as they came; not tested on receipt
	ApplicationContext uid.UID
	Contexts           []AnsweredContext
	User               UserInformation
}

// fixedLength is the bytes of the variable field before its items: version (2), reserved
// (2), called (16), calling (16), reserved (32).
const fixedLength = 68

// Append appends the encoded PDU to dst; the error tells of a value that its field
// cannot hold.
func (a *AssociateRQ) Append(dst []byte) ([]byte, error) {
	w := builder{b: dst, pdu: TypeAssociateRQ}
	start := w.begin(a.Version, a.Called, a.Calling, a.ApplicationContext)
	if len(a.Contexts) > MaxContexts {
		return dst, invalid(w.pdu, "%d presentation contexts; one association has at most %d", len(a.Contexts), MaxContexts)
	}
	for i := range a.Contexts {
		c := &a.Contexts[i]
		s := w.open(itemContextRQ)
		w.b = append(w.b, c.ID, 0, 0, 0)
		w.item(itemAbstractSyntax, string(c.AbstractSyntax))
		for _, ts := range c.TransferSyntaxes {
			w.item(itemTransferSyntax, string(ts))
		}
		w.close(s)
	}
	return w.end(start, &a.User)
}

// Append appends the encoded PDU to dst; the error tells of a value that its field
// cannot hold.
func (a *AssociateAC) Append(dst []byte) ([]byte, error) {
	w := builder{b: dst, pdu: TypeAssociateAC}
	start := w.begin(a.Version, a.Called, a.Calling, a.ApplicationContext)
	for _, c := range a.Contexts {
		s := w.open(itemContextAC)
		w.b = append(w.b, c.ID, 0, byte(c.Result), 0)
		w.item(itemTransferSyntax, string(c.TransferSyntax))
		w.close(s)
	}
	return w.end(start, &a.User)
}

func (w *builder) begin(version uint16, called, calling string, context uid.UID) int {
	start := len(w.b)
	w.b = appendHeader(w.b, w.pdu)
	w.b = binary.BigEndian.AppendUint16(w.b, max(version, 1))
	w.b = append(w.b, 0, 0)
	w.title(called)
	w.title(calling)
	w.b = append(w.b, make([]byte, 32)...)
	w.item(itemApplicationContext, string(context))
	return start
}

func (w *builder) end(start int, u *UserInformation) ([]byte, error) {
	u.append(w)
	if n := len(w.b) - start - HeaderLength; n > MaxAssociatePDU && w.err == nil {
		w.err = invalid(w.pdu, "%d bytes is over the cap of %d", n, MaxAssociatePDU)
	}
	setLength(w.b, start)
	return w.b, w.err
}

// title appends an AE title padded with spaces (PS3.8 9.3.2).
func (w *builder) title(s string) {
	if len(s) > 16 && w.err == nil {
		w.err = invalid(w.pdu, "AE title %q is longer than 16 characters", s)
	}
	const spaces = "                "
	w.b = append(w.b, (s + spaces)[:16]...)
}

// DecodeAssociateRQ decodes the variable field of an A-ASSOCIATE-RQ PDU. Unknown items are
// skipped. Nothing of the result aliases body.
func DecodeAssociateRQ(body []byte) (*AssociateRQ, error) {
	const t = TypeAssociateRQ
	a := new(AssociateRQ)
	var err error
	if a.Version, a.Called, a.Calling, err = decodeFixed(t, body); err != nil {
		return nil, err
	}
	var seen [256]bool
	var user once
	err = items(t, body[fixedLength:], func(kind byte, v []byte) error {
		switch kind {
		case itemApplicationContext:
			a.ApplicationContext = uid.Parse(v)
		case itemContextRQ:
			c, err := decodeProposed(v)
			if err != nil {
				return err
			}
			if seen[c.ID] {
				return invalid(t, "presentation context ID %d is there twice", c.ID)
			}
			seen[c.ID] = true
			a.Contexts = append(a.Contexts, c)
		case itemUserInformation:
			return user.decode(t, &a.User, v)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return a, nil
}

func decodeProposed(v []byte) (ProposedContext, error) {
	const t = TypeAssociateRQ
	if len(v) < 4 {
		return ProposedContext{}, invalid(t, "presentation context item of %d bytes", len(v))
	}
	c := ProposedContext{ID: v[0]}
	if c.ID&1 == 0 {
		return c, invalid(t, "presentation context ID %d is not odd", c.ID)
	}
	err := items(t, v[4:], func(kind byte, v []byte) error {
		switch kind {
		case itemAbstractSyntax:
			c.AbstractSyntax = uid.Parse(v)
		case itemTransferSyntax:
			if len(c.TransferSyntaxes) == maxSyntaxes {
				return invalid(t, "more than %d transfer syntaxes in one context", maxSyntaxes)
			}
			c.TransferSyntaxes = append(c.TransferSyntaxes, uid.Parse(v))
		}
		return nil
	})
	return c, err
}

// DecodeAssociateAC decodes the variable field of an A-ASSOCIATE-AC PDU. Unknown items are
// skipped. Nothing of the result aliases body.
func DecodeAssociateAC(body []byte) (*AssociateAC, error) {
	const t = TypeAssociateAC
	a := new(AssociateAC)
	var err error
	if a.Version, a.Called, a.Calling, err = decodeFixed(t, body); err != nil {
		return nil, err
	}
	var user once
	err = items(t, body[fixedLength:], func(kind byte, v []byte) error {
		switch kind {
		case itemApplicationContext:
			a.ApplicationContext = uid.Parse(v)
		case itemContextAC:
			c, err := decodeAnswered(v)
			if err != nil {
				return err
			}
			if len(a.Contexts) == MaxContexts {
				return invalid(t, "more than %d presentation contexts", MaxContexts)
			}
			a.Contexts = append(a.Contexts, c)
		case itemUserInformation:
			return user.decode(t, &a.User, v)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return a, nil
}

func decodeAnswered(v []byte) (AnsweredContext, error) {
	const t = TypeAssociateAC
	if len(v) < 4 {
		return AnsweredContext{}, invalid(t, "presentation context item of %d bytes", len(v))
	}
	c := AnsweredContext{ID: v[0], Result: ContextResult(v[2])}
	err := items(t, v[4:], func(kind byte, v []byte) error {
		if kind == itemTransferSyntax {
			c.TransferSyntax = uid.Parse(v)
		}
		return nil
	})
	return c, err
}

func decodeFixed(t PDUType, b []byte) (version uint16, called, calling string, err error) {
	if len(b) < fixedLength {
		return 0, "", "", invalid(t, "%d bytes, fewer than the %d of its fixed fields", len(b), fixedLength)
	}
	return binary.BigEndian.Uint16(b), trimText(b[4:20]), trimText(b[20:36]), nil
}

// trimText drops the padding of AE titles and version names: spaces on both sides, and
// the zero bytes that some writers use.
func trimText(b []byte) string { return strings.Trim(string(b), " \x00") }

// once decodes the User Information item, which a PDU has once.
type once bool

func (o *once) decode(t PDUType, u *UserInformation, v []byte) error {
	if *o {
		return invalid(t, "User Information item is there twice")
	}
	*o = true
	return u.decode(t, v)
}
