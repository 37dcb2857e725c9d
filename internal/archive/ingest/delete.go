package ingest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"gantry/dicom/uid"
	"gantry/internal/archive/blob"
	"gantry/internal/archive/index"
	"gantry/internal/archive/record"
)

// Target names one version of an instance.
type Target struct {
	Instance uid.UID
	Record   record.ID
}

// Delete hides an object from queries and retrievals. It stays restorable until Purge.
func (in *Ingester) Delete(ctx context.Context, t Target) error {
	return in.about(ctx, record.Delete, t)
}

// Restore undoes a Delete.
func (in *Ingester) Restore(ctx context.Context, t Target) error {
	return in.about(ctx, record.Restore, t)
}

// Purge removes a deleted object for good: the purge is made durable, then the object
// leaves the index, then its bytes are erased, which waits for readers. A crash before the
// last step leaks the room until the log is replayed as a whole.
func (in *Ingester) Purge(ctx context.Context, t Target) error {
	return in.about(ctx, record.Purge, t)
}

// about is Each for one.
func (in *Ingester) about(ctx context.Context, k record.Kind, t Target) error {
	return in.Each(ctx, k, []Target{t})[0]
}

// Each deletes, restores or purges several at once, so that they share syncs. It returns
// an error or nil for each of them.
func (in *Ingester) Each(ctx context.Context, k record.Kind, targets []Target) []error {
	errs := make([]error, len(targets))
	jobs := make([]*job, len(targets))
	for i, t := range targets {
		if errs[i] = context.Cause(ctx); errs[i] != nil {
			continue
		}
		now := in.o.Now().UTC()
		env := record.Envelope{V: record.Version, Kind: k, ID: record.NewID(now), Received: now, Instance: t.Instance, Of: t.Record}
		jobs[i] = &job{env: env, answer: make(chan answer, 1)}
		if err := in.enqueue(jobs[i]); err != nil {
			jobs[i].answer <- answer{err: err}
		}
	}
	for i, j := range jobs {
		if j == nil {
			continue
		}
		a := <-j.answer
		if errs[i] = a.err; errs[i] == nil && k == record.Purge {
			errs[i] = in.store.Erase(ctx, j.erase)
		}
	}
	return errs
}

// erasure is what a purge record notes, so that a replay can erase again.
type erasure struct {
	Ref record.Ref `json:"ref"`
}

// recheckAbout sees whether a record about an object still holds, when nothing else about
// its UID is under way: an object that came again meanwhile is not purged, and one that was
// purged cannot be restored.
func (in *Ingester) recheckAbout(ctx context.Context, j *job) error {
	e := &j.env
	if e.Kind == record.Note {
		return nil
	}
	kept, err := in.index.Kept(ctx, e.Instance)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(kept, func(l index.Location) bool { return l.Record == e.Of })
	if i < 0 {
		return fmt.Errorf("%s: %w", e.Kind, index.ErrNotFound)
	}
	if e.Kind != record.Purge {
		return nil
	}
	if !kept[i].Hidden {
		return fmt.Errorf("%s: %w", e.Kind, ErrNotDeleted)
	}
	j.erase = kept[i].Ref
	e.Note, err = json.Marshal(erasure{j.erase})
	return err
}

// erasures are what the purges of a log let erase, and may not have got to. They wait for
// the end of a replay: an object that came again later may lie in the purged one's place.
type erasures map[string]record.Envelope

// placer is a store that may use a place again for an object with other bytes.
type placer interface {
	Place(record.Ref) string
}

func (in *Ingester) placeOf(r record.Ref) string {
	if p, ok := in.store.(placer); ok {
		return p.Place(r)
	}
	return string(r)
}

// noteErasure keeps in mind what a record lets erase, or that it has taken the place since.
func (in *Ingester) noteErasure(w erasures, l *record.Logged, purged map[record.ID]bool) {
	switch e := &l.Envelope; {
	case e.Kind == record.Purge:
		var n erasure
		if err := json.Unmarshal(e.Note, &n); err == nil && n.Ref != "" {
			w[in.placeOf(n.Ref)] = *e
		}
	case e.Kind == record.File && !purged[e.ID]:
		delete(w, in.placeOf(l.Stored.Ref))
	}
}

// eraseAgain repeats what purges may not have got to.
func (in *Ingester) eraseAgain(ctx context.Context, w erasures) {
	for _, e := range w {
		var n erasure
		if err := json.Unmarshal(e.Note, &n); err != nil {
			continue
		}
		if err := in.store.Erase(ctx, n.Ref); err != nil && !errors.Is(err, blob.ErrNotFound) {
			in.o.Log.Warn("purged object cannot be erased", "record", e.Of, "error", err)
		}
	}
}
