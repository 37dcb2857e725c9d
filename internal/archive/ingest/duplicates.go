package ingest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"sync"

	"gantry/dicom/uid"
	"gantry/internal/archive/blob"
	"gantry/internal/archive/index"
	"gantry/internal/archive/record"
)

// decide looks for other objects under the UID and applies the policy to the envelope.
// Decided means that nothing is to be stored. One that was deleted and comes again, the
// same, is restored; a different one is no reason for the policy.
func (in *Ingester) decide(ctx context.Context, j *job) (out Outcome, decided bool, err error) {
	versions, err := in.index.Kept(ctx, j.env.Instance)
	if err != nil {
		return Outcome{}, false, err
	}
	top, visible := 0, false
	for i := range versions {
		v := &versions[i]
		top, visible = max(top, v.Version), visible || !v.Hidden
		same, err := in.identical(ctx, j, v)
		if err != nil {
			return Outcome{}, false, err
		}
		if same && !v.Hidden && in.o.Duplicates == Reject {
			return Outcome{}, false, errDuplicate()
		}
		if same && v.Hidden && !j.env.Held { // a stranger releases nothing
			j.restore = v.Record
		}
		if same {
			return in.known(j, v.Record, v.Version), true, nil
		}
	}
	if j.env.Held && top > 0 { // nor does one replace anything
		j.env.Number, j.env.Current, j.env.Conflict = top+1, false, true
		return Outcome{}, false, nil
	}
	if !visible {
		j.env.Number, j.env.Current, j.env.Conflict = top+1, true, false
		return Outcome{}, false, nil
	}
	return in.applyPolicy(j, top)
}

func errDuplicate() error {
	return &Error{Status: StatusDuplicate, Comment: "SOP Instance UID is stored already"}
}

// known is the outcome of an object that is there already.
func (in *Ingester) known(j *job, id record.ID, version int) Outcome {
	in.stats.identical.Add(1)
	return outcome(j, Identical, id, version, 0)
}

func outcome(j *job, k Kind, id record.ID, version int, feed uint64) Outcome {
	e := &j.env
	return Outcome{Kind: k, Record: id, Version: version, Instance: e.Instance, Class: e.Class, Study: e.Study, Series: e.Series,
		Size: j.staged.Size(), Feed: feed}
}

// applyPolicy writes into the envelope what the policy says when versions up to top are kept.
func (in *Ingester) applyPolicy(j *job, top int) (out Outcome, decided bool, err error) {
	e := &j.env
	e.Number, e.Current, e.Conflict = top+1, true, false
	if top == 0 {
		return Outcome{}, false, nil
	}
	switch in.o.Duplicates {
	case Reject:
		return Outcome{}, false, errDuplicate()
	case Ignore:
		return outcome(j, Ignored, "", 0, 0), true, nil
	case Keep:
		e.Current, e.Conflict = false, true
	}
	return Outcome{}, false, nil
}

// identical compares a staged object with a stored one: by class, syntax, length and sum
// first, by the bytes of the data sets last.
func (in *Ingester) identical(ctx context.Context, j *job, v *index.Location) (bool, error) {
	if v.Class != j.env.Class || v.Syntax != j.env.Syntax || v.Sums.Data != j.staged.Size() || v.Sums.DataCRC != j.staged.Sum() {
		return false, nil
	}
	o, err := in.store.Open(ctx, v.Ref)
	if errors.Is(err, blob.ErrNotFound) {
		in.o.Log.Error("object is in the index but not in the store", "record", v.Record)
		return false, nil // kept as another version rather than lost
	}
	if err != nil {
		return false, err
	}
	defer o.Close()
	return equal(io.NewSectionReader(o, o.Head(), v.Sums.Data), io.NewSectionReader(j.staged, 0, j.staged.Size()))
}

func (j *job) sameAs(k *job) (bool, error) {
	if j.env.Class != k.env.Class || j.env.Syntax != k.env.Syntax || j.staged.Size() != k.staged.Size() || j.staged.Sum() != k.staged.Sum() {
		return false, nil
	}
	return equal(io.NewSectionReader(k.staged, 0, k.staged.Size()), io.NewSectionReader(j.staged, 0, j.staged.Size()))
}

// equal reports whether two readers have the same bytes.
func equal(a, b io.Reader) (bool, error) {
	p, q := make([]byte, 64<<10), make([]byte, 64<<10)
	for {
		n, err1 := io.ReadFull(a, p)
		m, err2 := io.ReadFull(b, q)
		if n != m || !bytes.Equal(p[:n], q[:m]) {
			return false, nil
		}
		end1, end2 := ended(err1), ended(err2)
		if end1 && end2 {
			return true, nil
		}
		if err1 != nil && !end1 || err2 != nil && !end2 {
			return false, errors.Join(err1, err2)
		}
	}
}

func ended(err error) bool { return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) }

// maxRecent is how many UIDs are remembered as just committed.
const maxRecent = 4096

// recent remembers which UIDs were committed of late, so that the committer asks the index
// again only for an object whose UID came in after its own check.
type recent struct {
	mu    sync.Mutex
	seq   uint64
	floor uint64 // what came up to here is forgotten
	at    map[uid.UID]uint64
}

// now returns the number of the last commit.
func (r *recent) now() uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.seq
}

// add notes a UID as committed.
func (r *recent) add(u uid.UID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.at == nil || len(r.at) >= maxRecent {
		r.at, r.floor = make(map[uid.UID]uint64, maxRecent), r.seq
	}
	r.seq++
	r.at[u] = r.seq
}

// since reports whether a UID may have been committed behind a number.
func (r *recent) since(u uid.UID, number uint64) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return number < r.floor || r.at[u] > number
}
