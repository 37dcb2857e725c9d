package dimse

import "fmt"

// Status is the Status (0000,0900) of a response (PS3.7 annex C, PS3.4).
type Status uint16

// Statuses by their names in PS3.7 annex C and in the service classes of PS3.4.
const (
	Success                        Status = 0x0000
	RequestedOptionalNotSupported  Status = 0x0001
	NoSuchAttribute                Status = 0x0105
	InvalidAttributeValue          Status = 0x0106
	AttributeListWarning           Status = 0x0107
	ProcessingFailure              Status = 0x0110
	DuplicateSOPInstance           Status = 0x0111
	NoSuchSOPInstance              Status = 0x0112
	NoSuchEventType                Status = 0x0113
	NoSuchArgument                 Status = 0x0114
	InvalidArgumentValue           Status = 0x0115
	AttributeValueOutOfRange       Status = 0x0116
	InvalidSOPInstance             Status = 0x0117
	NoSuchSOPClass                 Status = 0x0118
	ClassInstanceConflict          Status = 0x0119
	MissingAttribute               Status = 0x0120
	MissingAttributeValue          Status = 0x0121
	SOPClassNotSupported           Status = 0x0122
	NoSuchAction                   Status = 0x0123
	NotAuthorized                  Status = 0x0124
	DuplicateInvocation            Status = 0x0210
	UnrecognizedOperation          Status = 0x0211
	MistypedArgument               Status = 0x0212
	ResourceLimitation             Status = 0x0213
	OutOfResources                 Status = 0xA700
	OutOfResourcesMatches          Status = 0xA701 // C-GET, C-MOVE: unable to calculate number of matches
	OutOfResourcesSubOperations    Status = 0xA702 // C-GET, C-MOVE: unable to perform sub-operations
	MoveDestinationUnknown         Status = 0xA801
	DataSetDoesNotMatchSOPClass    Status = 0xA900 // of an identifier: does not match SOP class
	NoRequestedFrames              Status = 0xAA00
	UnableToCreateForFrames        Status = 0xAA01
	UnsupportedFrameRequest        Status = 0xAA02
	UnableToSupportFrames          Status = 0xAA03
	UnableToSupportTime            Status = 0xAA04
	CoercionOfDataElements         Status = 0xB000 // C-GET, C-MOVE: one or more sub-operations failed
	ElementsDiscarded              Status = 0xB006
	DataSetDoesNotMatchWarning     Status = 0xB007
	UnableToProcess                Status = 0xC000 // C-STORE: cannot understand
	MoreThanOneMatch               Status = 0xC100
	UnableToSupportTemplate        Status = 0xC200
	Canceled                       Status = 0xFE00
	PendingMatch                   Status = 0xFF00
	PendingOptionalKeyNotSupported Status = 0xFF01
)

// SubOperationsFailed is the warning that ends a C-GET or C-MOVE of which some
// sub-operations failed (PS3.4 C.4.2.1.5): the same number as CoercionOfDataElements.
const SubOperationsFailed = CoercionOfDataElements

// StatusClass is the class of a status (PS3.7 annex C.1).
type StatusClass uint8

// The classes.
const (
	ClassSuccess StatusClass = iota
	Warning
	Failure
	Cancel
	Pending
)

// String returns the name of the class.
func (k StatusClass) String() string {
	return [...]string{"Success", "Warning", "Failure", "Cancel", "Pending"}[min(int(k), 4)]
}

// Class returns the class of s.
func (s Status) Class() StatusClass {
	switch {
	case s == Success:
		return ClassSuccess
	case s == RequestedOptionalNotSupported, s == AttributeListWarning, s == AttributeValueOutOfRange, s>>12 == 0xB:
		return Warning
	case s == Canceled:
		return Cancel
	case s == PendingMatch, s == PendingOptionalKeyNotSupported:
		return Pending
	}
	return Failure
}

// Name returns what the standard calls s, or the name of its class or range.
func (s Status) Name() string {
	if n := s.exactName(); n != "" {
		return n
	}
	switch {
	case s>>8 == 0xA7:
		return "Refused: Out of resources"
	case s>>8 == 0xA9:
		return "Data Set does not match SOP Class"
	case s>>12 == 0xC:
		return "Cannot understand"
	}
	return s.Class().String()
}

func (s Status) exactName() string {
	switch s {
	case Success:
		return "Success"
	case RequestedOptionalNotSupported:
		return "Requested optional Attributes are not supported"
	case NoSuchAttribute:
		return "No such Attribute"
	case InvalidAttributeValue:
		return "Invalid Attribute Value"
	case AttributeListWarning:
		return "Attribute List warning"
	case ProcessingFailure:
		return "Processing Failure"
	case DuplicateSOPInstance:
		return "Duplicate SOP Instance"
	case NoSuchSOPInstance:
		return "No such SOP Instance"
	case NoSuchEventType:
		return "No such Event Type"
	case NoSuchArgument:
		return "No such argument"
	case InvalidArgumentValue:
		return "Invalid argument value"
	case AttributeValueOutOfRange:
		return "Attribute Value out of range"
	case InvalidSOPInstance:
		return "Invalid SOP Instance"
	case NoSuchSOPClass:
		return "No such SOP Class"
	case ClassInstanceConflict:
		return "Class-Instance conflict"
	case MissingAttribute:
		return "Missing Attribute"
	case MissingAttributeValue:
		return "Missing Attribute Value"
	case SOPClassNotSupported:
		return "Refused: SOP Class not supported"
	case NoSuchAction:
		return "No such Action"
	case NotAuthorized:
		return "Refused: Not authorized"
	case DuplicateInvocation:
		return "Duplicate invocation"
	case UnrecognizedOperation:
		return "Unrecognized Operation"
	case MistypedArgument:
		return "Mistyped argument"
	case ResourceLimitation:
		return "Resource limitation"
	case OutOfResourcesMatches:
		return "Refused: Out of resources - Unable to calculate number of matches"
	case OutOfResourcesSubOperations:
		return "Refused: Out of resources - Unable to perform sub-operations"
	}
	return s.serviceName()
}

// serviceName names the statuses of the service classes of PS3.4.
func (s Status) serviceName() string {
	switch s {
	case MoveDestinationUnknown:
		return "Refused: Move Destination unknown"
	case NoRequestedFrames:
		return "None of the frames requested were found in the SOP Instance"
	case UnableToCreateForFrames:
		return "Unable to create new object for this SOP Class"
	case UnsupportedFrameRequest:
		return "Unable to extract frames"
	case UnableToSupportFrames:
		return "Time-based request received for a non-time-based original SOP Instance"
	case UnableToSupportTime:
		return "Invalid request"
	case CoercionOfDataElements:
		return "Coercion of Data Elements, or sub-operations complete with failures"
	case ElementsDiscarded:
		return "Elements discarded"
	case DataSetDoesNotMatchWarning:
		return "Data Set does not match SOP Class (warning)"
	case MoreThanOneMatch:
		return "More than one match found"
	case UnableToSupportTemplate:
		return "Unable to support requested template"
	case Canceled:
		return "Canceled"
	case PendingMatch:
		return "Pending"
	case PendingOptionalKeyNotSupported:
		return "Pending, one or more optional keys not supported"
	}
	return ""
}

// String returns the number and the name, such as "A700H (Refused: Out of resources)".
func (s Status) String() string { return fmt.Sprintf("%04XH (%s)", uint16(s), s.Name()) }
