// Package retrieve is the retrieve side of the Query/Retrieve Service Class (PS3.4 annex
// C): C-MOVE and C-GET.
package retrieve

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"sync"

	"gantry/dicom"
	"gantry/dicom/tag"
	"gantry/dicom/uid"
	"gantry/dimse"
	"gantry/service/query"
)

// Retriever finds what a C-MOVE or C-GET asks for.
type Retriever interface {
	Retrieve(context.Context, *query.Query) (*Retrieval, error)
}

// RetrieverFunc is a function as a Retriever.
type RetrieverFunc func(context.Context, *query.Query) (*Retrieval, error)

// Retrieve calls f.
func (f RetrieverFunc) Retrieve(ctx context.Context, q *query.Query) (*Retrieval, error) {
	return f(ctx, q)
}

// Retrieval is what was found. Count comes first, as "remaining" is mandatory in pending
// responses; Instances yields as many. An error of Instances counts as one failed
// sub-operation and ends the retrieval.
type Retrieval struct {
	Count     int
	Instances iter.Seq2[*dimse.Outgoing, error]

	// Prefer are transfer syntaxes that the requestor of a C-GET is sent objects in, best
	// first, if it takes them and Open can give them.
	Prefer []uid.UID
	// Others are the compressed transfer syntaxes that Open may turn objects into: C-MOVE
	// proposes them too, beside the uncompressed ones.
	Others []uid.UID
}

// Failure tells about one failed sub-operation. Err is nil when the peer answered with
// Status.
type Failure struct {
	Request  *dimse.Request
	Instance uid.UID
	Status   dimse.Status
	Err      error
}

// Options tunes GetSCP and MoveSCP; the zero value is ready for use.
type Options struct {
	Query query.Options // which extended negotiation is accepted, and Lenient

	// OnFailure, if set, sees each failed sub-operation, for the log.
	OnFailure func(Failure)
}

// maxFailedList is the most bytes of Failed SOP Instance UID List: what the 16-bit length
// of VR UI holds. Longer lists are cut.
const maxFailedList = 65534

// tally counts the sub-operations of one request.
type tally struct {
	mu   sync.Mutex // held by done
	w    dimse.ResponseWriter
	r    *dimse.Request
	opts *Options

	total                      int
	completed, failed, warning int
	list                       []uid.UID
	listBytes                  int
	first                      string // why the first failure
}

// done counts a sub-operation and tells the requestor; an error means stop. It may be called
// by several goroutines.
func (t *tally) done(instance uid.UID, s dimse.Status, err error) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.add(instance, s, err)
	return t.pending()
}

// add counts a sub-operation's outcome.
func (t *tally) add(instance uid.UID, s dimse.Status, err error) {
	switch {
	case err == nil && s.Class() == dimse.ClassSuccess:
		t.completed++
	case err == nil && s.Class() == dimse.Warning:
		t.warning++
	default:
		t.fail(instance, s, err)
	}
}

func (t *tally) fail(instance uid.UID, s dimse.Status, err error) {
	t.failed++
	if n := t.listBytes + len(instance) + 1; instance != "" && n <= maxFailedList {
		t.list, t.listBytes = append(t.list, instance), n
	}
	if t.first == "" {
		t.first = reason(s, err)
	}
	if t.opts.OnFailure != nil {
		t.opts.OnFailure(Failure{t.r, instance, s, err})
	}
}

// reason tells a failure in the few words that Error Comment has room for, and without
// what concerns nobody outside.
func reason(s dimse.Status, err error) string {
	var nc *dimse.ErrNoContext
	var rj *dimse.RejectedError
	var ab *dimse.AbortedError
	var se *dimse.StatusError
	switch {
	case err == nil:
		return "first failure " + s.String()
	case errors.As(err, &nc):
		return "no context accepted for class or syntax"
	case errors.As(err, &rj):
		return "destination " + rj.Reject.String()
	case errors.As(err, &ab):
		return "destination aborted the association"
	case errors.As(err, &se) && se.Comment != "":
		return se.Comment
	case errors.As(err, &se):
		return "first failure " + se.Status.String()
	case errors.Is(err, errConnect):
		return "destination cannot be reached"
	}
	return "an object could not be sent"
}

func (t *tally) counts() *dimse.SubOperations {
	return &dimse.SubOperations{
		Remaining: clamp(t.total - t.completed - t.failed - t.warning),
		Completed: clamp(t.completed), Failed: clamp(t.failed), Warning: clamp(t.warning),
	}
}

func clamp(n int) uint16 { return uint16(max(0, min(n, math.MaxUint16))) }

// pending sends the counts; an error means stop.
func (t *tally) pending() error {
	if t.completed+t.failed+t.warning >= t.total {
		return nil // the final response follows at once
	}
	return t.w.Send(&dimse.Response{Status: dimse.PendingMatch, SubOps: t.counts()})
}

// final sends the final response (PS3.4 C.4.2.3, C.4.3.3): Success, B000H when some
// sub-operations failed, A702H when all did, or what the end of the context asks for.
func (t *tally) final() {
	rsp := &dimse.Response{Status: dimse.Success, SubOps: t.counts()}
	cause := context.Cause(t.r.Context())
	switch {
	case errors.Is(cause, dimse.ErrPeerGone):
		return
	case errors.Is(cause, dimse.ErrCancelRQ):
		rsp.Status = dimse.Canceled
	case cause != nil:
		dimse.Fail(t.w, t.r, cause)
		return
	case t.failed > 0 && t.completed+t.warning == 0:
		rsp.Status, rsp.Comment = dimse.OutOfResourcesSubOperations, t.first
	case t.failed > 0:
		rsp.Status, rsp.Comment = dimse.SubOperationsFailed, t.first
	}
	if len(t.list) > 0 {
		ds, err := new(dicom.DataSet).Edit().SetUID(tag.FailedSOPInstanceUIDList, t.list...).Build()
		if err == nil {
			rsp.Data = ds
		} else {
			rsp.Comment = "the list of failed instances cannot be encoded"
		}
	}
	t.w.Send(rsp)
}

// begin parses the request and asks the retriever; nil when it has answered already.
func begin(rt Retriever, o *Options, w dimse.ResponseWriter, r *dimse.Request) (*tally, *Retrieval) {
	q, err := query.Parse(r, o.Query)
	if err != nil {
		dimse.Fail(w, r, err)
		return nil, nil
	}
	res, err := rt.Retrieve(r.Context(), q)
	if err != nil {
		dimse.Fail(w, r, err)
		return nil, nil
	}
	return &tally{w: w, r: r, opts: o, total: res.Count}, res
}

// errConnect marks an error of opening the connection to a destination.
var errConnect = errors.New("retrieve: no association with the destination")

func connectError(err error) error { return fmt.Errorf("%w: %w", errConnect, err) }
