package ul

import "fmt"

// State is a state of the association state machine (PS3.8 9.2.1).
type State uint8

// The states, with the standard's names.
const (
	Sta1  State = iota + 1 // idle
	Sta2                   // transport connection open, awaiting A-ASSOCIATE-RQ
	Sta3                   // awaiting local A-ASSOCIATE response
	Sta4                   // awaiting transport connection opening
	Sta5                   // awaiting A-ASSOCIATE-AC or -RJ
	Sta6                   // association established, ready for data transfer
	Sta7                   // awaiting A-RELEASE-RP
	Sta8                   // awaiting local A-RELEASE response
	Sta9                   // release collision, requestor: awaiting local A-RELEASE response
	Sta10                  // release collision, acceptor: awaiting A-RELEASE-RP
	Sta11                  // release collision, requestor: awaiting A-RELEASE-RP
	Sta12                  // release collision, acceptor: awaiting local A-RELEASE response
	Sta13                  // awaiting transport connection close
)

// String returns the standard's name, such as "Sta6".
func (s State) String() string { return fmt.Sprintf("Sta%d", uint8(s)) }

// Event is an event of the association state machine (PS3.8 9.2.2).
type Event uint8

// The events, with the standard's names.
const (
	Evt1  Event = iota + 1 // A-ASSOCIATE request (local user)
	Evt2                   // transport connection confirmed
	Evt3                   // A-ASSOCIATE-AC received
	Evt4                   // A-ASSOCIATE-RJ received
	Evt5                   // transport connection indicated
	Evt6                   // A-ASSOCIATE-RQ received
	Evt7                   // A-ASSOCIATE response, accept (local user)
	Evt8                   // A-ASSOCIATE response, reject (local user)
	Evt9                   // P-DATA request (local user)
	Evt10                  // P-DATA-TF received
	Evt11                  // A-RELEASE request (local user)
	Evt12                  // A-RELEASE-RQ received
	Evt13                  // A-RELEASE-RP received
	Evt14                  // A-RELEASE response (local user)
	Evt15                  // A-ABORT request (local user)
	Evt16                  // A-ABORT received
	Evt17                  // transport connection closed
	Evt18                  // ARTIM timer expired
	Evt19                  // unrecognized or invalid PDU received
)

// String returns the standard's name, such as "Evt12".
func (e Event) String() string { return fmt.Sprintf("Evt%d", uint8(e)) }

// Action is an action of the association state machine (PS3.8 tables 9-6 to 9-9).
type Action uint8

// The actions, with the standard's names. ActionNone marks an empty cell.
const (
	ActionNone Action = iota
	AE1               // issue TRANSPORT CONNECT request
	AE2               // send A-ASSOCIATE-RQ
	AE3               // issue A-ASSOCIATE confirmation (accept)
	AE4               // issue A-ASSOCIATE confirmation (reject), close
	AE5               // issue TRANSPORT CONNECT response, start ARTIM
	AE6               // stop ARTIM; acceptable: issue indication (Sta3), else send -RJ, start ARTIM (Sta13)
	AE7               // send A-ASSOCIATE-AC
	AE8               // send A-ASSOCIATE-RJ, start ARTIM
	DT1               // send P-DATA-TF
	DT2               // issue P-DATA indication
	AR1               // send A-RELEASE-RQ
	AR2               // issue A-RELEASE indication
	AR3               // issue A-RELEASE confirmation, close
	AR4               // send A-RELEASE-RP, start ARTIM
	AR5               // stop ARTIM
	AR6               // issue P-DATA indication
	AR7               // send P-DATA-TF
	AR8               // issue A-RELEASE indication (collision): requestor Sta9, acceptor Sta10
	AR9               // send A-RELEASE-RP
	AR10              // issue A-RELEASE confirmation
	AA1               // send A-ABORT (service-user source), start ARTIM
	AA2               // stop ARTIM, close
	AA3               // issue A-ABORT or A-P-ABORT indication, close
	AA4               // issue A-P-ABORT indication
	AA5               // stop ARTIM
	AA6               // ignore PDU
	AA7               // send A-ABORT
	AA8               // send A-ABORT (service-provider source), issue A-P-ABORT indication, start ARTIM
)

var actionNames = [...]string{"none", "AE-1", "AE-2", "AE-3", "AE-4", "AE-5", "AE-6", "AE-7", "AE-8", "DT-1", "DT-2",
	"AR-1", "AR-2", "AR-3", "AR-4", "AR-5", "AR-6", "AR-7", "AR-8", "AR-9", "AR-10",
	"AA-1", "AA-2", "AA-3", "AA-4", "AA-5", "AA-6", "AA-7", "AA-8"}

// String returns the standard's name, such as "AA-8".
func (a Action) String() string {
	if int(a) < len(actionNames) {
		return actionNames[a]
	}
	return fmt.Sprintf("Action(%d)", uint8(a))
}

// Transition is one cell of PS3.8 table 9-10. Alt is the other next state of the two
// cells that have one: AE-6 when the proposal is not acceptable, AR-8 on the acceptor.
type Transition struct {
	Action Action
	Next   State
	Alt    State
}

// Lookup returns the cell of table 9-10 for state s and event e; false when the standard
// leaves it empty, which means that the event cannot happen there.
func Lookup(s State, e Event) (Transition, bool) {
	if s < Sta1 || s > Sta13 || e < Evt1 || e > Evt19 {
		return Transition{}, false
	}
	t := table[e][s]
	return t, t.Action != ActionNone
}

type row = [Sta13 + 1]Transition

// table is PS3.8 table 9-10, a row an event as the standard prints it.
var table = [Evt19 + 1]row{
	Evt1: {Sta1: {AE1, Sta4, 0}},
	Evt2: {Sta4: {AE2, Sta5, 0}},
	Evt3: {Sta2: {AA1, Sta13, 0}, Sta3: {AA8, Sta13, 0}, Sta5: {AE3, Sta6, 0}, Sta6: {AA8, Sta13, 0},
		Sta7: {AA8, Sta13, 0}, Sta8: {AA8, Sta13, 0}, Sta9: {AA8, Sta13, 0}, Sta10: {AA8, Sta13, 0},
		Sta11: {AA8, Sta13, 0}, Sta12: {AA8, Sta13, 0}, Sta13: {AA6, Sta13, 0}},
	Evt4: {Sta2: {AA1, Sta13, 0}, Sta3: {AA8, Sta13, 0}, Sta5: {AE4, Sta1, 0}, Sta6: {AA8, Sta13, 0},
		Sta7: {AA8, Sta13, 0}, Sta8: {AA8, Sta13, 0}, Sta9: {AA8, Sta13, 0}, Sta10: {AA8, Sta13, 0},
		Sta11: {AA8, Sta13, 0}, Sta12: {AA8, Sta13, 0}, Sta13: {AA6, Sta13, 0}},
	Evt5: {Sta1: {AE5, Sta2, 0}},
	Evt6: {Sta2: {AE6, Sta3, Sta13}, Sta3: {AA8, Sta13, 0}, Sta5: {AA8, Sta13, 0}, Sta6: {AA8, Sta13, 0},
		Sta7: {AA8, Sta13, 0}, Sta8: {AA8, Sta13, 0}, Sta9: {AA8, Sta13, 0}, Sta10: {AA8, Sta13, 0},
		Sta11: {AA8, Sta13, 0}, Sta12: {AA8, Sta13, 0}, Sta13: {AA7, Sta13, 0}},
	Evt7: {Sta3: {AE7, Sta6, 0}},
	Evt8: {Sta3: {AE8, Sta13, 0}},
	Evt9: {Sta6: {DT1, Sta6, 0}, Sta8: {AR7, Sta8, 0}},
	Evt10: {Sta2: {AA1, Sta13, 0}, Sta3: {AA8, Sta13, 0}, Sta5: {AA8, Sta13, 0}, Sta6: {DT2, Sta6, 0},
		Sta7: {AR6, Sta7, 0}, Sta8: {AA8, Sta13, 0}, Sta9: {AA8, Sta13, 0}, Sta10: {AA8, Sta13, 0},
		Sta11: {AA8, Sta13, 0}, Sta12: {AA8, Sta13, 0}, Sta13: {AA6, Sta13, 0}},
	Evt11: {Sta6: {AR1, Sta7, 0}},
	Evt12: {Sta2: {AA1, Sta13, 0}, Sta3: {AA8, Sta13, 0}, Sta5: {AA8, Sta13, 0}, Sta6: {AR2, Sta8, 0},
		Sta7: {AR8, Sta9, Sta10}, Sta8: {AA8, Sta13, 0}, Sta9: {AA8, Sta13, 0}, Sta10: {AA8, Sta13, 0},
		Sta11: {AA8, Sta13, 0}, Sta12: {AA8, Sta13, 0}, Sta13: {AA6, Sta13, 0}},
	Evt13: {Sta2: {AA1, Sta13, 0}, Sta3: {AA8, Sta13, 0}, Sta5: {AA8, Sta13, 0}, Sta6: {AA8, Sta13, 0},
		Sta7: {AR3, Sta1, 0}, Sta8: {AA8, Sta13, 0}, Sta9: {AA8, Sta13, 0}, Sta10: {AR10, Sta12, 0},
		Sta11: {AR3, Sta1, 0}, Sta12: {AA8, Sta13, 0}, Sta13: {AA6, Sta13, 0}},
	Evt14: {Sta8: {AR4, Sta13, 0}, Sta9: {AR9, Sta11, 0}, Sta12: {AR4, Sta13, 0}},
	Evt15: {Sta3: {AA1, Sta13, 0}, Sta4: {AA2, Sta1, 0}, Sta5: {AA1, Sta13, 0}, Sta6: {AA1, Sta13, 0},
		Sta7: {AA1, Sta13, 0}, Sta8: {AA1, Sta13, 0}, Sta9: {AA1, Sta13, 0}, Sta10: {AA1, Sta13, 0},
		Sta11: {AA1, Sta13, 0}, Sta12: {AA1, Sta13, 0}},
	Evt16: {Sta2: {AA2, Sta1, 0}, Sta3: {AA3, Sta1, 0}, Sta5: {AA3, Sta1, 0}, Sta6: {AA3, Sta1, 0},
		Sta7: {AA3, Sta1, 0}, Sta8: {AA3, Sta1, 0}, Sta9: {AA3, Sta1, 0}, Sta10: {AA3, Sta1, 0},
		Sta11: {AA3, Sta1, 0}, Sta12: {AA3, Sta1, 0}, Sta13: {AA2, Sta1, 0}},
	Evt17: {Sta2: {AA5, Sta1, 0}, Sta3: {AA4, Sta1, 0}, Sta4: {AA4, Sta1, 0}, Sta5: {AA4, Sta1, 0},
		Sta6: {AA4, Sta1, 0}, Sta7: {AA4, Sta1, 0}, Sta8: {AA4, Sta1, 0}, Sta9: {AA4, Sta1, 0},
		Sta10: {AA4, Sta1, 0}, Sta11: {AA4, Sta1, 0}, Sta12: {AA4, Sta1, 0}, Sta13: {AR5, Sta1, 0}},
	Evt18: {Sta2: {AA2, Sta1, 0}, Sta13: {AA2, Sta1, 0}},
	Evt19: {Sta2: {AA1, Sta13, 0}, Sta3: {AA8, Sta13, 0}, Sta5: {AA8, Sta13, 0}, Sta6: {AA8, Sta13, 0},
		Sta7: {AA8, Sta13, 0}, Sta8: {AA8, Sta13, 0}, Sta9: {AA8, Sta13, 0}, Sta10: {AA8, Sta13, 0},
		Sta11: {AA8, Sta13, 0}, Sta12: {AA8, Sta13, 0}, Sta13: {AA7, Sta13, 0}},
}
