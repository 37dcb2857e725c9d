package ingest

import (
	"context"

	"gantry/internal/archive/record"
)

// Note makes a fact durable in the log and known to the index.
func (in *Ingester) Note(ctx context.Context, f record.Fact) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	note, err := f.Note()
	if err != nil {
		return err
	}
	now := in.o.Now().UTC()
	env := record.Envelope{V: record.Version, Kind: record.Note, ID: record.NewID(now), Received: now, Note: note}
	return in.submit(&job{env: env, answer: make(chan answer, 1)}).err
}
