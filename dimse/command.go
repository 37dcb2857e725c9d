package dimse

import (
	"gantry/dicom/tag"
	"gantry/dicom/uid"
)

// Command is a command set (PS3.7 chapter 6.3.1 and annex E): all fields that any message
// has. Which of them are sent follows from Op and Response; fields that do not belong to a
// message are ignored on receipt. It is a plain value; it may be copied.
type Command struct {
	Op          Op
	Response    bool
	HasData     bool   // a data set follows: Command Data Set Type is not 0101H
	MessageID   uint16 // of a request
	RespondedTo uint16 // of a response or C-CANCEL: Message ID Being Responded To
	Status      Status // of a response
	Priority    Priority

	AffectedClass, RequestedClass       uid.UID
	AffectedInstance, RequestedInstance uid.UID

	MoveDestination  AETitle
	MoveOriginator   AETitle // Move Originator Application Entity Title; empty: none
	MoveOriginatorID uint16

	EventType  uint16    // Event Type ID, of N-EVENT-REPORT
	ActionType uint16    // Action Type ID, of N-ACTION
	Attributes []tag.Tag // Attribute Identifier List

	Offending []tag.Tag // Offending Element
	Comment   string    // Error Comment; cut to 64 characters when sent
	ErrorID   uint16    // zero is not sent

	SubOps    SubOperations
	HasSubOps bool // SubOps is there
}

// SubOperations counts the C-STORE sub-operations of a C-GET or C-MOVE (PS3.7 9.1.3,
// 9.1.4).
type SubOperations struct{ Remaining, Completed, Failed, Warning uint16 }

// Class returns the SOP class that a message is about: Affected or Requested, as the
// standard has it for the operation.
func (c *Command) Class() uid.UID {
	if c.Op.requested() && !c.Response {
		return c.RequestedClass
	}
	return c.AffectedClass
}

// Instance returns the SOP instance that a message is about: Affected or Requested.
func (c *Command) Instance() uid.UID {
	if c.Op.requested() && !c.Response {
		return c.RequestedInstance
	}
	return c.AffectedInstance
}
