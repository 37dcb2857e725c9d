package dimse

import (
	"context"
	"errors"
	"iter"
	"time"

	"gantry/dicom"
	"gantry/dicom/tag"
	"gantry/dicom/uid"
	"gantry/ul"
)

// cancelWait is how long a canceled operation may take to end before the association is
// aborted.
const cancelWait = 10 * time.Second

// Find queries (C-FIND, PS3.7 9.1.2) and yields the answers. A failure status ends the
// iteration as a *StatusError. Leaving the loop sends C-CANCEL, reads what is still on its
// way, and keeps the association.
func (a *Assoc) Find(ctx context.Context, class uid.UID, identifier *dicom.DataSet) iter.Seq2[*dicom.DataSet, error] {
	return a.FindAt(ctx, PriorityMedium, class, identifier)
}

// FindAt is Find with a priority for the request (PS3.7 E.1).
func (a *Assoc) FindAt(ctx context.Context, p Priority, class uid.UID, identifier *dicom.DataSet) iter.Seq2[*dicom.DataSet, error] {
	return func(yield func(*dicom.DataSet, error) bool) {
		cmd := Command{Op: CFind, AffectedClass: class, Priority: p}
		status, err := a.iterate(ctx, &cmd, identifier, nil, func(ds *dicom.DataSet) bool {
			return a.rsp.Status.Class() != Pending || ds == nil || yield(ds, nil)
		})
		if err == nil {
			err = status
		}
		if err != nil && !errors.Is(err, errStopped) {
			yield(nil, err)
		}
	}
}

// Progress is a response of a C-MOVE or C-GET: pending ones, then the final one.
type Progress struct {
	SubOperations
	Status  Status
	Comment string
	Failed  []uid.UID // Failed SOP Instance UID List of the final response
}

// Final reports whether p is the last.
func (p *Progress) Final() bool { return p.Status.Class() != Pending }

// Move asks the peer to send what matches identifier to a destination (C-MOVE, PS3.7 9.1.4)
// and yields its progress. The final response comes last, with a *StatusError when its
// status is a failure. Leaving the loop early cancels the operation.
func (a *Assoc) Move(ctx context.Context, class uid.UID, dest AETitle, identifier *dicom.DataSet) iter.Seq2[Progress, error] {
	return a.retrieve(ctx, Command{Op: CMove, AffectedClass: class, MoveDestination: dest}, identifier, nil)
}

// Get asks the peer to send what matches identifier on this association (C-GET, PS3.7
// 9.1.3); the objects go to st, the progress is yielded as in Move. Storage classes must
// have been proposed with the SCP role.
func (a *Assoc) Get(ctx context.Context, class uid.UID, identifier *dicom.DataSet, st Storer) iter.Seq2[Progress, error] {
	return a.retrieve(ctx, Command{Op: CGet, AffectedClass: class}, identifier, st)
}

func (a *Assoc) retrieve(ctx context.Context, cmd Command, identifier *dicom.DataSet, st Storer) iter.Seq2[Progress, error] {
	return func(yield func(Progress, error) bool) {
		cmd := cmd
		var last Progress
		status, err := a.iterate(ctx, &cmd, identifier, st, func(ds *dicom.DataSet) bool {
			last = Progress{SubOperations: a.rsp.SubOps, Status: a.rsp.Status, Comment: a.rsp.Comment}
			if last.Final() {
				last.Failed = failedList(ds)
				return true
			}
			return yield(last, nil)
		})
		switch {
		case errors.Is(err, errStopped):
		case err != nil:
			yield(Progress{}, err)
		default:
			yield(last, status)
		}
	}
}

func failedList(ds *dicom.DataSet) []uid.UID {
	if ds == nil {
		return nil
	}
	var out []uid.UID
	for _, s := range ds.Texts(tag.FailedSOPInstanceUIDList) {
		out = append(out, uid.UID(s))
	}
	return out
}

// errStopped ends an iteration whose caller left the loop.
var errStopped = errors.New("dimse: iteration stopped")

// iterate sends a request and calls each with the data set of every response, the
// final one included; a.rsp is the response. When each returns false, or ctx ends, the
// operation is canceled. It returns what the final status says, and why there was none.
func (a *Assoc) iterate(ctx context.Context, cmd *Command, identifier *dicom.DataSet, st Storer, each func(*dicom.DataSet) bool) (status, err error) {
	if err := a.acquireAll(ctx); err != nil {
		return nil, err
	}
	a.iterating.Store(true)
	a.storer = st
	defer func() { a.storer = nil; a.iterating.Store(false); a.yieldAll() }()
	pc, err := a.pick(cmd.AffectedClass)
	if err != nil {
		return nil, err
	}
	cmd.MessageID = a.messageID()
	if identifier == nil {
		identifier = new(dicom.DataSet)
	}
	undo := a.watch(ctx)
	err = a.responses(ctx, pc, cmd, identifier, each)
	undo()
	switch {
	case errors.Is(err, errStopped):
		return nil, a.cancel(ctx, pc, cmd, errStopped)
	case errors.Is(err, ul.ErrInterrupted) && ctx.Err() != nil && a.conn.Err() == nil:
		return nil, a.cancel(ctx, pc, cmd, context.Cause(ctx))
	case err != nil:
		return nil, err
	}
	return statusOf(&a.rsp), nil
}

func (a *Assoc) responses(ctx context.Context, pc *presentation, cmd *Command, identifier *dicom.DataSet, each func(*dicom.DataSet) bool) error {
	if err := a.write(pc, cmd, identifier); err != nil {
		return err
	}
	for {
		rpc, err := a.next(ctx, cmd.MessageID, a.limits.Response)
		if err != nil {
			return err
		}
		ds, err := a.body(rpc)
		if err != nil {
			return err
		}
		final := a.rsp.Status.Class() != Pending
		if ok := each(ds); final {
			return nil
		} else if !ok {
			return errStopped
		}
	}
}

// cancel sends C-CANCEL and reads away what still comes, for cancelWait; then it aborts.
// It returns why.
func (a *Assoc) cancel(ctx context.Context, pc *presentation, cmd *Command, why error) error {
	drain, stop := context.WithTimeout(context.WithoutCancel(ctx), cancelWait)
	defer stop()
	defer a.watch(drain)()
	rq := Command{Op: CCancel, RespondedTo: cmd.MessageID}
	if err := a.write(pc, &rq, nil); err != nil {
		a.conn.Abort(ul.SourceUser, ul.ReasonNotSpecified)
		return why
	}
	if a.rest(drain, cmd.MessageID) != nil {
		a.conn.Abort(ul.SourceUser, ul.ReasonNotSpecified)
	}
	return why
}

// rest reads responses to message id up to the final one.
func (a *Assoc) rest(ctx context.Context, id uint16) error {
	if a.rcvd.err == nil && a.rcvd.s != nil { // interrupted inside a data set
		if err := a.rcvd.drain(a.limits.MaxDrain); err != nil {
			return err
		}
	}
	for {
		if _, err := a.next(ctx, id, cancelWait); err != nil {
			return err
		}
		if a.rsp.HasData {
			if err := a.rcvd.drain(a.limits.MaxDrain); err != nil {
				return err
			}
		}
		if a.rsp.Status.Class() != Pending {
			return nil
		}
	}
}
