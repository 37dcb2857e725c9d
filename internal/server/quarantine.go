package server

import (
	"context"
	"slices"

	"gantry/dicom/uid"
	"gantry/internal/archive/index"
	"gantry/internal/archive/ingest"
	"gantry/internal/archive/record"
	"gantry/internal/front/adminapi"
)

// quarantine is what strangers sent, for the HTTP side.
type quarantine struct {
	index  index.Index
	holder index.Holder
	ingest *ingest.Ingester
}

// Held implements adminapi.Quarantine.
func (q quarantine) Held(ctx context.Context, limit int) ([]adminapi.Held, error) {
	list, err := q.holder.Held(ctx, limit)
	out := make([]adminapi.Held, len(list))
	for i := range list {
		l := &list[i]
		out[i] = adminapi.Held{Record: string(l.Record), Instance: string(l.Instance), Class: string(l.Class), Study: string(l.Study),
			Size: l.Size(), Received: l.Received}
	}
	return out, err
}

// Release implements adminapi.Quarantine.
func (q quarantine) Release(ctx context.Context, instance, rec string) error {
	t, err := q.target(ctx, instance, rec)
	if err != nil {
		return err
	}
	return q.ingest.Restore(ctx, t)
}

// Delete implements adminapi.Quarantine.
func (q quarantine) Delete(ctx context.Context, instance, rec string) error {
	t, err := q.target(ctx, instance, rec)
	if err != nil {
		return err
	}
	return q.ingest.Purge(ctx, t)
}

// target finds an object that is hidden; a visible one is no business of the quarantine.
func (q quarantine) target(ctx context.Context, instance, rec string) (ingest.Target, error) {
	t := ingest.Target{Instance: uid.UID(instance), Record: record.ID(rec)}
	kept, err := q.index.Kept(ctx, t.Instance)
	if err != nil {
		return t, err
	}
	if !slices.ContainsFunc(kept, func(l index.Location) bool { return l.Record == t.Record && l.Held }) {
		return t, adminapi.ErrNotHeld
	}
	return t, nil
}
