package dimse

import (
	"encoding/binary"
	"fmt"
	"strings"

	"gantry/dicom/tag"
	"gantry/dicom/uid"
)

// Element numbers of group 0000 (PS3.7 E.1).
const (
	elGroupLength       = 0x0000
	elAffectedClass     = 0x0002
	elRequestedClass    = 0x0003
	elCommandField      = 0x0100
	elMessageID         = 0x0110
	elRespondedTo       = 0x0120
	elMoveDestination   = 0x0600
	elPriority          = 0x0700
	elDataSetType       = 0x0800
	elStatus            = 0x0900
	elOffending         = 0x0901
	elComment           = 0x0902
	elErrorID           = 0x0903
	elAffectedInstance  = 0x1000
	elRequestedInstance = 0x1001
	elEventType         = 0x1002
	elAttributes        = 0x1005
	elActionType        = 0x1008
	elRemaining         = 0x1020
	elCompleted         = 0x1021
	elFailed            = 0x1022
	elWarning           = 0x1023
	elMoveOriginator    = 0x1030
	elMoveOriginatorID  = 0x1031
)

const (
	noDataSet   = 0x0101 // Command Data Set Type without a data set
	withDataSet = 0x0000
)

// MaxCommand caps the bytes of a command set. The longest lists of attributes and
// offending elements stay far below.
const MaxCommand = 64 << 10

// CommandError reports a command set that breaks PS3.7 6.3.1 or annex E.
type CommandError struct{ Msg string }

func (e *CommandError) Error() string { return "dimse: command set: " + e.Msg }

// Append appends c to dst as it goes over the wire: Implicit VR Little Endian with group
// length, ascending.
func (c *Command) Append(dst []byte) []byte {
	start := len(dst)
	dst = appendHead(dst, elGroupLength, 4)
	dst = append(dst, 0, 0, 0, 0)
	dst = appendUID(dst, elAffectedClass, c.AffectedClass)
	dst = appendUID(dst, elRequestedClass, c.RequestedClass)
	field := uint16(c.Op)
	if c.Response {
		field |= responseBit
	}
	dst = appendUS(dst, elCommandField, field)
	if !c.Response && c.Op != CCancel {
		dst = appendUS(dst, elMessageID, c.MessageID)
	} else {
		dst = appendUS(dst, elRespondedTo, c.RespondedTo)
	}
	if c.Response {
		dst = c.appendResponse(dst)
	} else {
		dst = c.appendRequest(dst)
	}
	binary.LittleEndian.PutUint32(dst[start+8:], uint32(len(dst)-start-12))
	return dst
}

func (c *Command) dataSetType() uint16 {
	if c.HasData {
		return withDataSet
	}
	return noDataSet
}

func (c *Command) appendRequest(dst []byte) []byte {
	if c.Op == CMove {
		dst = appendText(dst, elMoveDestination, string(c.MoveDestination))
	}
	if c.Op == CStore || c.Op == CFind || c.Op == CGet || c.Op == CMove {
		dst = appendUS(dst, elPriority, uint16(c.Priority))
	}
	dst = appendUS(dst, elDataSetType, c.dataSetType())
	dst = c.appendInstances(dst)
	if c.Op == CStore && c.MoveOriginator != "" {
		dst = appendText(dst, elMoveOriginator, string(c.MoveOriginator))
		dst = appendUS(dst, elMoveOriginatorID, c.MoveOriginatorID)
	}
	return dst
}

func (c *Command) appendResponse(dst []byte) []byte {
	dst = appendUS(dst, elDataSetType, c.dataSetType())
	dst = appendUS(dst, elStatus, uint16(c.Status))
	dst = appendTags(dst, elOffending, c.Offending)
	dst = appendText(dst, elComment, comment(c.Comment))
	if c.ErrorID != 0 {
		dst = appendUS(dst, elErrorID, c.ErrorID)
	}
	dst = c.appendInstances(dst)
	if !c.HasSubOps {
		return dst
	}
	if k := c.Status.Class(); k == Pending || k == Cancel { // PS3.7 9.3.3.2: not otherwise
		dst = appendUS(dst, elRemaining, c.SubOps.Remaining)
	}
	dst = appendUS(dst, elCompleted, c.SubOps.Completed)
	dst = appendUS(dst, elFailed, c.SubOps.Failed)
	return appendUS(dst, elWarning, c.SubOps.Warning)
}

func (c *Command) appendInstances(dst []byte) []byte {
	dst = appendUID(dst, elAffectedInstance, c.AffectedInstance)
	dst = appendUID(dst, elRequestedInstance, c.RequestedInstance)
	if c.Op == NEventReport && (!c.Response || c.EventType != 0) {
		dst = appendUS(dst, elEventType, c.EventType)
	}
	dst = appendTags(dst, elAttributes, c.Attributes)
	if c.Op == NAction && (!c.Response || c.ActionType != 0) {
		dst = appendUS(dst, elActionType, c.ActionType)
	}
	return dst
}

// comment makes s fit Error Comment: LO, at most 64 characters of the default repertoire.
func comment(s string) string {
	ok := func(r rune) bool { return r >= 0x20 && r <= 0x7E && r != '\\' }
	if strings.IndexFunc(s, func(r rune) bool { return !ok(r) }) >= 0 {
		s = strings.Map(func(r rune) rune {
			if ok(r) {
				return r
			}
			return '?'
		}, s)
	}
	return s[:min(len(s), 64)]
}

func appendHead(dst []byte, element uint16, length int) []byte {
	dst = append(dst, 0, 0, byte(element), byte(element>>8))
	return binary.LittleEndian.AppendUint32(dst, uint32(length))
}

func appendUS(dst []byte, element, v uint16) []byte {
	return append(appendHead(dst, element, 2), byte(v), byte(v>>8))
}

func appendUID(dst []byte, element uint16, u uid.UID) []byte {
	return appendPadded(dst, element, string(u), 0)
}

func appendText(dst []byte, element uint16, s string) []byte {
	return appendPadded(dst, element, s, ' ')
}

// appendPadded appends a value padded to even length; an empty one is left out.
func appendPadded(dst []byte, element uint16, s string, pad byte) []byte {
	if s == "" {
		return dst
	}
	dst = append(appendHead(dst, element, len(s)+len(s)&1), s...)
	if len(s)&1 == 1 {
		dst = append(dst, pad)
	}
	return dst
}

func appendTags(dst []byte, element uint16, tags []tag.Tag) []byte {
	if len(tags) == 0 {
		return dst
	}
	dst = appendHead(dst, element, 4*len(tags))
	for _, t := range tags {
		dst = binary.LittleEndian.AppendUint16(dst, t.Group())
		dst = binary.LittleEndian.AppendUint16(dst, t.Element())
	}
	return dst
}

// DecodeCommand decodes a command set. Unknown elements of group 0000 are skipped.
func DecodeCommand(b []byte) (*Command, error) {
	c := new(Command)
	return c, c.decode(b, "")
}

// decode decodes b into c, which is the zero Command. A class equal to known shares its
// memory. Nothing of c aliases b.
func (c *Command) decode(b []byte, known uid.UID) error {
	if len(b) > MaxCommand {
		return &CommandError{fmt.Sprintf("%d bytes, more than %d", len(b), MaxCommand)}
	}
	var seen struct{ field, id, responded, status bool }
	for len(b) > 0 {
		if len(b) < 8 {
			return &CommandError{fmt.Sprintf("%d bytes left, too few for an element", len(b))}
		}
		group, element := binary.LittleEndian.Uint16(b), binary.LittleEndian.Uint16(b[2:])
		n := binary.LittleEndian.Uint32(b[4:])
		if group != 0 {
			return &CommandError{fmt.Sprintf("element %v is not of group 0000", tag.New(group, element))}
		}
		if uint64(n) > uint64(len(b)-8) {
			return &CommandError{fmt.Sprintf("element (0000,%04X) of %d bytes, but %d are left", element, n, len(b)-8)}
		}
		v := b[8 : 8+n]
		b = b[8+n:]
		switch element {
		case elCommandField:
			seen.field = true
		case elMessageID:
			seen.id = true
		case elRespondedTo:
			seen.responded = true
		case elStatus:
			seen.status = true
		}
		if err := c.element(element, v, known); err != nil {
			return err
		}
	}
	switch {
	case !seen.field:
		return &CommandError{"no Command Field (0000,0100)"}
	case !c.Op.Known():
		return nil // the dispatcher answers 0211H
	case !c.Response && c.Op != CCancel && !seen.id:
		return &CommandError{"a request without Message ID (0000,0110)"}
	case (c.Response || c.Op == CCancel) && !seen.responded:
		return &CommandError{"a response without Message ID Being Responded To (0000,0120)"}
	case c.Response && !seen.status:
		return &CommandError{"a response without Status (0000,0900)"}
	}
	return nil
}

// element takes over one element.
func (c *Command) element(element uint16, v []byte, known uid.UID) error {
	switch element {
	case elAffectedClass:
		c.AffectedClass = shared(v, known)
	case elRequestedClass:
		c.RequestedClass = shared(v, known)
	case elAffectedInstance:
		c.AffectedInstance = uid.Parse(v)
	case elRequestedInstance:
		c.RequestedInstance = uid.Parse(v)
	case elMoveDestination:
		c.MoveDestination = AETitle(text(v))
	case elMoveOriginator:
		c.MoveOriginator = AETitle(text(v))
	case elComment:
		c.Comment = text(v)
	case elOffending:
		c.Offending = tags(v)
	case elAttributes:
		c.Attributes = tags(v)
	default:
		return c.number(element, v)
	}
	return nil
}

// number takes over an element of VR US.
func (c *Command) number(element uint16, v []byte) error {
	var p *uint16
	var field, dataSet uint16
	switch element {
	case elCommandField:
		p = &field
	case elMessageID:
		p = &c.MessageID
	case elRespondedTo:
		p = &c.RespondedTo
	case elPriority:
		p = (*uint16)(&c.Priority)
	case elDataSetType:
		p = &dataSet
	case elStatus:
		p = (*uint16)(&c.Status)
	case elErrorID:
		p = &c.ErrorID
	case elEventType:
		p = &c.EventType
	case elActionType:
		p = &c.ActionType
	case elRemaining:
		p, c.HasSubOps = &c.SubOps.Remaining, true
	case elCompleted:
		p, c.HasSubOps = &c.SubOps.Completed, true
	case elFailed:
		p, c.HasSubOps = &c.SubOps.Failed, true
	case elWarning:
		p, c.HasSubOps = &c.SubOps.Warning, true
	case elMoveOriginatorID:
		p = &c.MoveOriginatorID
	default:
		return nil
	}
	if len(v) < 2 {
		if element == elCommandField || element == elStatus || element == elDataSetType {
			return &CommandError{fmt.Sprintf("(0000,%04X) of %d bytes", element, len(v))}
		}
		return nil // an empty optional number is as good as none
	}
	*p = binary.LittleEndian.Uint16(v)
	switch element {
	case elCommandField:
		c.Op, c.Response = Op(field&^responseBit), field&responseBit != 0
	case elDataSetType:
		c.HasData = dataSet != noDataSet
	}
	return nil
}

// shared returns the UID in v, as known when they are equal, which costs no memory.
func shared(v []byte, known uid.UID) uid.UID {
	if n := len(v); n > 0 && v[n-1] == 0 {
		v = v[:n-1]
	}
	if string(v) == string(known) {
		return known
	}
	return uid.Parse(v)
}

func text(v []byte) string { return strings.Trim(string(v), " \x00") }

func tags(v []byte) []tag.Tag {
	out := make([]tag.Tag, 0, len(v)/4)
	for ; len(v) >= 4; v = v[4:] {
		out = append(out, tag.New(binary.LittleEndian.Uint16(v), binary.LittleEndian.Uint16(v[2:])))
	}
	return out
}
