// Package memory is an index in memory: the plainest reading of the contract, against
// which the others are tested.
package memory

import (
	"cmp"
	"context"
	"iter"
	"slices"
	"sync"
	"sync/atomic"

	"gantry/dicom"
	"gantry/dicom/uid"
	"gantry/internal/archive/index"
	"gantry/internal/archive/record"
)

// Index is an index.Index in memory. The zero value is empty.
type Index struct {
	mu          sync.RWMutex
	patients    []*entity
	studies     []*entity
	series      []*entity
	instances   []*instance
	changes     []index.Change
	quarantined []record.ID
	applied     record.Position
	generations map[uint64]uint32
	facts       map[[2]string]record.Fact
}

var _ index.Index = (*Index)(nil)

// entity is a patient, a study or a series.
type entity struct {
	id        int64
	born      uint64
	parent    *entity
	key       [2]string // issuer and ID, or the UID
	rep       *instance // the first current one
	instances int64     // current ones
	bytes     int64
}

type instance struct {
	id     int64
	born   uint64
	series *entity
	e      index.Entry
	hidden bool
	gone   bool
	attrs  [5]atomic.Pointer[dicom.DataSet] // by level, once they were asked for
}

func (i *instance) visible() bool { return i.e.Envelope.Current && !i.hidden && !i.gone }

// Commit implements index.Index.
func (x *Index) Commit(ctx context.Context, entries []index.Entry) ([]index.Outcome, error) {
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	out := make([]index.Outcome, len(entries))
	for i := range entries {
		out[i] = x.apply(entries[i])
		if p := entries[i].Stored.Position; p.Compare(x.applied) > 0 {
			x.applied = p
		}
	}
	return out, nil
}

func (x *Index) apply(e index.Entry) index.Outcome {
	switch {
	case e.Fault != nil:
		x.quarantined = append(x.quarantined, e.Envelope.ID)
		return index.Outcome{Problem: e.Fault}
	case e.Envelope.Kind.HasObject():
		return x.add(e)
	case e.Envelope.Kind == record.Delete, e.Envelope.Kind == record.Restore, e.Envelope.Kind == record.Purge:
		return x.mark(e)
	case e.Envelope.Kind == record.Note:
		x.fact(&e.Envelope)
	}
	return index.Outcome{}
}

func (x *Index) add(e index.Entry) index.Outcome {
	env := &e.Envelope
	env.Number = max(env.Number, 1)
	hasCurrent, top, taken := false, 0, false
	for _, v := range x.versions(env.Instance) {
		if v.e.Envelope.ID == env.ID {
			return index.Outcome{Known: true}
		}
		hasCurrent = hasCurrent || v.e.Envelope.Current
		taken = taken || v.e.Envelope.Number == env.Number
		top = max(top, v.e.Envelope.Number)
	}
	if taken {
		env.Number, env.Conflict, env.Current = top+1, true, false
	}
	if !hasCurrent {
		env.Current = true
	}
	feed := uint64(len(x.changes)) + 1
	p := x.entity(&x.patients, nil, [2]string{env.Issuer, env.PatientID}, feed)
	st := x.entity(&x.studies, p, [2]string{string(env.Study)}, feed)
	se := x.entity(&x.series, st, [2]string{string(env.Series)}, feed)
	in := &instance{id: int64(len(x.instances)) + 1, born: feed, series: se, e: e, hidden: env.Held}
	isNew := st.instances == 0
	if in.e.Envelope.Current {
		for _, v := range x.versions(env.Instance) {
			v.e.Envelope.Current = false
		}
	}
	x.instances = append(x.instances, in)
	x.recount()
	x.change(in, env, isNew)
	return index.Outcome{Feed: feed}
}

func (x *Index) change(in *instance, env *record.Envelope, isNew bool) {
	e := &in.e.Envelope
	x.changes = append(x.changes, index.Change{Number: uint64(len(x.changes)) + 1, Kind: env.Kind, Record: e.ID, Instance: e.Instance,
		Study: e.Study, Series: e.Series, At: env.Received.UTC(), New: isNew, Conflict: e.Conflict})
}

func (x *Index) mark(e index.Entry) index.Outcome {
	for _, in := range x.instances {
		if in.e.Envelope.ID != e.Envelope.Of || in.gone {
			continue
		}
		switch e.Envelope.Kind {
		case record.Delete:
			in.hidden = true
		case record.Restore:
			in.hidden, in.e.Envelope.Held = false, false
		default:
			in.gone = true
			x.promote(in)
		}
		x.recount()
		x.change(in, &e.Envelope, false)
		return index.Outcome{Feed: uint64(len(x.changes))}
	}
	return index.Outcome{Known: true}
}

// promote makes another version current when the current one is gone.
func (x *Index) promote(gone *instance) {
	if !gone.e.Envelope.Current {
		return
	}
	left := x.versions(gone.e.Envelope.Instance)
	list := make([]index.Location, len(left))
	for i, v := range left {
		list[i] = v.location()
	}
	if i := index.Heir(list, gone.e.Envelope.Number); i >= 0 {
		left[i].e.Envelope.Current = true
	}
}

func (x *Index) versions(u uid.UID) []*instance {
	var out []*instance
	for _, in := range x.instances {
		if in.e.Envelope.Instance == u && !in.gone {
			out = append(out, in)
		}
	}
	return out
}

func (x *Index) entity(list *[]*entity, parent *entity, key [2]string, feed uint64) *entity {
	for _, e := range *list {
		if e.parent == parent && e.key == key {
			return e
		}
	}
	e := &entity{id: int64(len(*list)) + 1, born: feed, parent: parent, key: key}
	*list = append(*list, e)
	return e
}

// recount counts everything anew.
func (x *Index) recount() {
	for _, l := range [][]*entity{x.patients, x.studies, x.series} {
		for _, e := range l {
			e.instances, e.bytes, e.rep = 0, 0, nil
		}
	}
	for _, in := range x.instances {
		if !in.visible() {
			continue
		}
		for e := in.series; e != nil; e = e.parent {
			e.instances++
			e.bytes += in.e.Stored.Sums.Data
			if e.rep == nil {
				e.rep = in
			}
		}
	}
}

// children counts the visible entities below e.
func children(list []*entity, e *entity) (n int64) {
	for _, c := range list {
		if c.instances > 0 && (c.parent == e || c.parent != nil && c.parent.parent == e) {
			n++
		}
	}
	return n
}

// Versions implements index.Index.
func (x *Index) Versions(ctx context.Context, u uid.UID) ([]index.Location, error) {
	all, err := x.Kept(ctx, u)
	return slices.DeleteFunc(all, func(l index.Location) bool { return l.Hidden }), err
}

// Kept implements index.Index.
func (x *Index) Kept(_ context.Context, u uid.UID) ([]index.Location, error) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	var out []index.Location
	for _, in := range x.versions(u) {
		out = append(out, in.location())
	}
	slices.SortStableFunc(out, func(a, b index.Location) int {
		return cmp.Or(-cmp.Compare(b2i(a.Current), b2i(b.Current)), cmp.Compare(a.Version, b.Version))
	})
	return out, nil
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// Select implements index.Index.
func (x *Index) Select(_ context.Context, s index.Selector) iter.Seq2[index.Location, error] {
	return x.locations(func(in *instance) bool {
		e := &in.e.Envelope
		return in.visible() && !s.Empty() && in1(s.PatientIDs, e.PatientID) && in1(s.Studies, e.Study) && in1(s.Series, e.Series) && in1(s.Instances, e.Instance)
	})
}

// SelectKept implements index.Index.
func (x *Index) SelectKept(_ context.Context, s index.Selector, hidden bool) iter.Seq2[index.Location, error] {
	return x.locations(func(in *instance) bool {
		e := &in.e.Envelope
		return in.hidden == hidden && !(in.hidden && e.Held) && !s.Empty() &&
			in1(s.PatientIDs, e.PatientID) && in1(s.Studies, e.Study) && in1(s.Series, e.Series) && in1(s.Instances, e.Instance)
	})
}

func in1[T comparable](list []T, v T) bool { return len(list) == 0 || slices.Contains(list, v) }

// Referrers implements index.Index.
func (x *Index) Referrers(_ context.Context, u uid.UID) iter.Seq2[index.Location, error] {
	return x.locations(func(in *instance) bool { return in.visible() && slices.Contains(in.e.References, u) })
}

func (x *Index) locations(want func(*instance) bool) iter.Seq2[index.Location, error] {
	return func(yield func(index.Location, error) bool) {
		x.mu.RLock()
		var out []index.Location
		for _, in := range x.instances {
			if !in.gone && want(in) {
				out = append(out, in.location())
			}
		}
		x.mu.RUnlock()
		for _, l := range out {
			if !yield(l, nil) {
				return
			}
		}
	}
}

// Changes implements index.Index.
func (x *Index) Changes(_ context.Context, after uint64) iter.Seq2[index.Change, error] {
	return func(yield func(index.Change, error) bool) {
		for i := after; ; i++ {
			x.mu.RLock()
			if i >= uint64(len(x.changes)) {
				x.mu.RUnlock()
				return
			}
			c := x.changes[i]
			x.mu.RUnlock()
			if !yield(c, nil) {
				return
			}
		}
	}
}

// State implements index.Index.
func (x *Index) State(context.Context) (index.State, error) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	s := index.State{Applied: x.applied, Feed: uint64(len(x.changes)), Quarantined: int64(len(x.quarantined))}
	for _, p := range x.patients {
		if p.instances > 0 {
			s.Patients++
			s.Studies += children(x.studies, p)
			s.Series += children(x.series, p)
			s.Instance += p.instances
			s.Bytes += p.bytes
		}
	}
	for _, in := range x.instances {
		if !in.gone {
			s.Versions++
		}
	}
	return s, nil
}

// Reset implements index.Index.
func (x *Index) Reset(context.Context) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.patients, x.studies, x.series, x.instances, x.changes, x.quarantined = nil, nil, nil, nil, nil, nil
	x.facts, x.generations = nil, nil
	x.applied = record.Position{}
	return nil
}

// Close implements index.Index.
func (x *Index) Close() error { return nil }

// Held implements index.Holder.
func (x *Index) Held(_ context.Context, limit int) ([]index.Location, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	var out []index.Location
	for _, in := range x.instances {
		if in.hidden && in.e.Envelope.Held && !in.gone && len(out) < limit {
			out = append(out, in.location())
		}
	}
	return out, nil
}
