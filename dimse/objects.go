package dimse

import (
	"context"
	"io"

	"gantry/dicom/uid"
)

// Incoming is an object that arrives by C-STORE (PS3.7 9.1.1).
type Incoming struct {
	Class, Instance uid.UID
	Syntax          uid.UID
	Peer            *Peer
	Body            io.Reader // the data set, encoded in Syntax; valid until Store returns

	MoveOriginator   AETitle // set when a C-MOVE caused it
	MoveOriginatorID uint16
}

// Storer takes objects.
type Storer interface {
	// Store keeps an object; nil is success. A *StatusError decides the response's status,
	// a warning included; any other error is C000H.
	Store(context.Context, *Incoming) error
}

// StorerFunc is a function as a Storer.
type StorerFunc func(context.Context, *Incoming) error

// Store calls f.
func (f StorerFunc) Store(ctx context.Context, in *Incoming) error { return f(ctx, in) }

// Outgoing is an object to send by C-STORE.
type Outgoing struct {
	Class, Instance uid.UID
	Syntax          uid.UID // as it is stored
	Size            int64   // bytes of the data set, zero if unknown

	// Open returns the data set encoded in a transfer syntax: Syntax, or another one when
	// the peer does not take that. It returns an error if it cannot transcode.
	Open func(context.Context, uid.UID) (io.ReadCloser, error)

	Priority         Priority
	MoveOriginator   AETitle // set when a C-MOVE causes it
	MoveOriginatorID uint16
}

// storeRequest returns the command of the C-STORE-RQ that sends o.
func (o *Outgoing) storeRequest(id uint16) Command {
	return Command{Op: CStore, MessageID: id, HasData: true, Priority: o.Priority, AffectedClass: o.Class,
		AffectedInstance: o.Instance, MoveOriginator: o.MoveOriginator, MoveOriginatorID: o.MoveOriginatorID}
}

// openFor opens o for the best of the contexts that usable allows: one with its own
// syntax, else uncompressed ones in order of preference, for which Open may transcode, else
// any other.
func (o *Outgoing) openFor(ctx context.Context, contexts []presentation, usable func(*presentation) bool) (*presentation, io.ReadCloser, error) {
	var last error = &ErrNoContext{o.Class, []uid.UID{o.Syntax}}
	for _, round := range [...]func(uid.UID) bool{
		func(ts uid.UID) bool { return ts == o.Syntax },
		func(ts uid.UID) bool { return ts != o.Syntax && ts == uid.ExplicitVRLittleEndian },
		func(ts uid.UID) bool { return ts != o.Syntax && ts == uid.ImplicitVRLittleEndian },
		func(ts uid.UID) bool {
			return ts != o.Syntax && ts != uid.ExplicitVRLittleEndian && ts != uid.ImplicitVRLittleEndian
		},
	} {
		for i := range contexts {
			pc := &contexts[i]
			if pc.class != o.Class || !round(pc.syntax) || !usable(pc) {
				continue
			}
			body, err := o.Open(ctx, pc.syntax)
			if err == nil {
				return pc, body, nil
			}
			last = err
			if pc.syntax == o.Syntax {
				return nil, nil, err // it is there but does not open: transcoding will not help
			}
		}
	}
	return nil, nil, last
}
