package dimse

import (
	"context"

	"gantry/dicom"
	"gantry/dicom/tag"
	"gantry/dicom/uid"
)

// Reply is the response to an N-service.
type Reply struct {
	Status    Status
	Comment   string
	Offending []tag.Tag
	Class     uid.UID
	Instance  uid.UID        // as the peer made it, after N-CREATE without one
	Data      *dicom.DataSet // attribute list, action reply or event reply; nil if none
}

// Err returns the status as a *StatusError; nil for success and warnings.
func (r *Reply) Err() error {
	return statusOf(&Command{Status: r.Status, Comment: r.Comment, Offending: r.Offending})
}

// NCreate asks for the creation of an instance (N-CREATE, PS3.7 10.1.5). An empty instance
// leaves its UID to the peer; attrs may be nil.
func (a *Assoc) NCreate(ctx context.Context, class, instance uid.UID, attrs *dicom.DataSet) (*Reply, error) {
	return a.normalized(ctx, class, &Command{Op: NCreate, AffectedClass: class, AffectedInstance: instance}, attrs)
}

// NSet asks for changes of an instance (N-SET, PS3.7 10.1.3).
func (a *Assoc) NSet(ctx context.Context, class, instance uid.UID, mods *dicom.DataSet) (*Reply, error) {
	return a.normalized(ctx, class, &Command{Op: NSet, RequestedClass: class, RequestedInstance: instance}, mods)
}

// NGet asks for attributes of an instance, all when none are named (N-GET, PS3.7 10.1.2).
func (a *Assoc) NGet(ctx context.Context, class, instance uid.UID, attrs ...tag.Tag) (*Reply, error) {
	return a.normalized(ctx, class, &Command{Op: NGet, RequestedClass: class, RequestedInstance: instance, Attributes: attrs}, nil)
}

// NAction asks for an action on an instance (N-ACTION, PS3.7 10.1.4); info may be nil.
func (a *Assoc) NAction(ctx context.Context, class, instance uid.UID, action uint16, info *dicom.DataSet) (*Reply, error) {
	return a.normalized(ctx, class, &Command{Op: NAction, RequestedClass: class, RequestedInstance: instance, ActionType: action}, info)
}

// NDelete asks for the deletion of an instance (N-DELETE, PS3.7 10.1.6).
func (a *Assoc) NDelete(ctx context.Context, class, instance uid.UID) (*Reply, error) {
	return a.normalized(ctx, class, &Command{Op: NDelete, RequestedClass: class, RequestedInstance: instance}, nil)
}

// NEventReport reports an event about an instance (N-EVENT-REPORT, PS3.7 10.1.1); this side
// is then the provider of the class, so that its SCP role must have been negotiated or be
// the one that the service has. info may be nil.
func (a *Assoc) NEventReport(ctx context.Context, class, instance uid.UID, event uint16, info *dicom.DataSet) (*Reply, error) {
	return a.normalized(ctx, class, &Command{Op: NEventReport, AffectedClass: class, AffectedInstance: instance, EventType: event}, info)
}

// normalized performs an N-service.
func (a *Assoc) normalized(ctx context.Context, class uid.UID, cmd *Command, ds *dicom.DataSet) (*Reply, error) {
	if err := a.acquire(ctx); err != nil {
		return nil, err
	}
	defer a.yield()
	pc, err := a.pickAny(class)
	if err != nil {
		return nil, err
	}
	rsp, err := a.exchange(ctx, pc, cmd, ds)
	if err != nil {
		return nil, err
	}
	return rsp.decoded()
}

// pickAny returns the first context of a class, in any role, else one of a meta SOP class,
// over which its members go.
func (a *Assoc) pickAny(class uid.UID) (*presentation, error) {
	for i := range a.contexts {
		if a.contexts[i].class == class {
			return &a.contexts[i], nil
		}
	}
	for i := range a.contexts {
		if info, ok := uid.Lookup(a.contexts[i].class); ok && info.Kind == uid.KindMetaSOPClass {
			return &a.contexts[i], nil
		}
	}
	return nil, &ErrNoContext{Class: class}
}
