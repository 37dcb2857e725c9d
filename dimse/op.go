package dimse

import "fmt"

// Op is a DIMSE operation or notification: the command field of its request (PS3.7 E.1).
type Op uint16

// The operations.
const (
	CStore       Op = 0x0001
	CGet         Op = 0x0010
	CFind        Op = 0x0020
	CMove        Op = 0x0021
	CEcho        Op = 0x0030
	NEventReport Op = 0x0100
	NGet         Op = 0x0110
	NSet         Op = 0x0120
	NAction      Op = 0x0130
	NCreate      Op = 0x0140
	NDelete      Op = 0x0150
	CCancel      Op = 0x0FFF
)

// responseBit marks the command field of a response.
const responseBit = 0x8000

// String returns the standard's name, such as "C-STORE".
func (o Op) String() string {
	switch o {
	case CStore:
		return "C-STORE"
	case CGet:
		return "C-GET"
	case CFind:
		return "C-FIND"
	case CMove:
		return "C-MOVE"
	case CEcho:
		return "C-ECHO"
	case NEventReport:
		return "N-EVENT-REPORT"
	case NGet:
		return "N-GET"
	case NSet:
		return "N-SET"
	case NAction:
		return "N-ACTION"
	case NCreate:
		return "N-CREATE"
	case NDelete:
		return "N-DELETE"
	case CCancel:
		return "C-CANCEL"
	}
	return fmt.Sprintf("operation %04XH", uint16(o))
}

// Known reports whether o is an operation of PS3.7.
func (o Op) Known() bool {
	switch o {
	case CStore, CGet, CFind, CMove, CEcho, NEventReport, NGet, NSet, NAction, NCreate, NDelete, CCancel:
		return true
	}
	return false
}

// composite reports whether o is one of the DIMSE-C services.
func (o Op) composite() bool { return o < NEventReport }

// requested reports whether a request of o names class and instance in the Requested, not
// the Affected, fields (PS3.7 chapter 10.3).
func (o Op) requested() bool { return o == NGet || o == NSet || o == NAction || o == NDelete }

// inline reports whether o runs on the owner of the association: the operations that
// answer once and that C-CANCEL cannot reach.
func (o Op) inline() bool { return o != CFind && o != CGet && o != CMove }

// Priority is the priority of a C-STORE, C-FIND, C-GET or C-MOVE (PS3.7 E.1).
type Priority uint16

// The priorities.
const (
	PriorityMedium Priority = 0
	PriorityHigh   Priority = 1
	PriorityLow    Priority = 2
)
