package ingest

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"gantry/dicom/uid"
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
	_, err := in.about(ctx, record.Delete, t)
	return err
}

// Restore undoes a Delete.
func (in *Ingester) Restore(ctx context.Context, t Target) error {
	_, err := in.about(ctx, record.Restore, t)
	return err
}

// Purge removes a deleted object for good: the purge is made durable, then the object
// leaves the index, then its bytes are erased, which waits for readers. A crash before the
// last step leaks the room until the log is replayed as a whole.
func (in *Ingester) Purge(ctx context.Context, t Target) error {
	ref, err := in.about(ctx, record.Purge, t)
	if err != nil {
		return err
	}
	return in.store.Erase(ctx, ref)
}

// erasure is what a purge record notes, so that a replay can erase again.
type erasure struct {
	Ref record.Ref `json:"ref"`
}

// about commits a record about an object that is kept.
func (in *Ingester) about(ctx context.Context, k record.Kind, t Target) (record.Ref, error) {
	kept, err := in.index.Kept(ctx, t.Instance)
	if err != nil {
		return "", err
	}
	i := slices.IndexFunc(kept, func(l index.Location) bool { return l.Record == t.Record })
	if i < 0 {
		return "", fmt.Errorf("%s: %w", k, index.ErrNotFound)
	}
	if k == record.Purge && !kept[i].Hidden {
		return "", fmt.Errorf("%s: the object is not deleted", k)
	}
	now := in.o.Now().UTC()
	env := record.Envelope{V: record.Version, Kind: k, ID: record.NewID(now), Received: now, Instance: t.Instance, Of: t.Record}
	if k == record.Purge {
		if env.Note, err = json.Marshal(erasure{kept[i].Ref}); err != nil {
			return "", err
		}
	}
	a := in.submit(&job{env: env, entry: index.Entry{}, answer: make(chan answer, 1)})
	return kept[i].Ref, a.err
}

// eraseAgain repeats what a purge may not have got to.
func (in *Ingester) eraseAgain(ctx context.Context, e *record.Envelope) {
	var note erasure
	if err := json.Unmarshal(e.Note, &note); err != nil || note.Ref == "" {
		return
	}
	if err := in.store.Erase(ctx, note.Ref); err != nil {
		in.o.Log.Warn("purged object cannot be erased", "record", e.Of, "error", err)
	}
}
