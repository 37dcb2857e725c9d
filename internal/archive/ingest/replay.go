package ingest

import (
	"context"
	"fmt"

	"gantry/dicom"
	"gantry/internal/archive/blob"
	"gantry/internal/archive/index"
	"gantry/internal/archive/record"
)

// Reindex builds an index anew from the store's log alone. No Ingester may be at work on
// the two. Progress, when not nil, is told the records applied so far.
func Reindex(ctx context.Context, store blob.Store, idx index.Index, o Options, progress func(records int)) error {
	if err := o.setDefaults(); err != nil {
		return err
	}
	if _, ok := store.(blob.Replayer); !ok {
		return errNoReplay
	}
	if err := idx.Reset(ctx); err != nil {
		return err
	}
	in := &Ingester{o: o, store: store, index: idx}
	return in.replay(ctx, record.Position{}, progress)
}

// replay applies what the log holds behind a position. Decisions are in the envelopes and
// not taken again.
func (in *Ingester) replay(ctx context.Context, from record.Position, progress func(int)) error {
	r, ok := in.store.(blob.Replayer)
	if !ok {
		return nil
	}
	purged, err := purgedBehind(ctx, r, from)
	if err != nil {
		return err
	}
	var batch []index.Entry
	waiting := erasures{}
	done := 0
	flush := func() error {
		if _, err := in.index.Commit(ctx, batch); err != nil {
			return err
		}
		done += len(batch)
		batch = batch[:0]
		if progress != nil {
			progress(done)
		}
		return nil
	}
	for l, err := range r.Replay(ctx, from) {
		if err != nil {
			return err
		}
		in.noteErasure(waiting, &l, purged)
		batch = append(batch, in.entryOf(ctx, &l, purged))
		if len(batch) == 4*maxBatch {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	if len(batch) > 0 {
		if err := flush(); err != nil {
			return err
		}
	}
	in.eraseAgain(ctx, waiting)
	return nil
}

// purgedBehind finds the objects whose bytes a later record let erase: they are not
// looked for.
func purgedBehind(ctx context.Context, r blob.Replayer, from record.Position) (map[record.ID]bool, error) {
	out := map[record.ID]bool{}
	for l, err := range r.Replay(ctx, from) {
		if err != nil {
			return nil, err
		}
		if l.Err == nil && l.Envelope.Kind == record.Purge {
			out[l.Envelope.Of] = true
		}
	}
	return out, nil
}

// entryOf makes the index entry of a logged record. What cannot be read is quarantined.
func (in *Ingester) entryOf(ctx context.Context, l *record.Logged, purged map[record.ID]bool) index.Entry {
	e := index.Entry{Envelope: l.Envelope, Stored: l.Stored, Fault: l.Err}
	if purged[l.Envelope.ID] { // its file may be gone, which is no fault
		e.Envelope.Kind, e.Fault = record.Note, nil
		return e
	}
	if e.Fault != nil {
		in.o.Log.Error("damaged record in the log", "position", l.Stored.Position.String(), "record", l.Envelope.ID, "error", l.Err)
		return e
	}
	if !l.Envelope.Kind.HasObject() {
		return e
	}
	full, err := in.readStored(ctx, l)
	if err != nil {
		in.o.Log.Error("stored object cannot be indexed", "position", l.Stored.Position.String(), "record", l.Envelope.ID, "error", err)
		e.Fault = err
		return e
	}
	return full
}

func (in *Ingester) readStored(ctx context.Context, l *record.Logged) (index.Entry, error) {
	o, err := in.store.Open(ctx, l.Stored.Ref)
	if err != nil {
		return index.Entry{}, err
	}
	defer o.Close()
	var ds *dicom.DataSet
	if ds, err = header(behind{o, o.Head()}, o.Size()-o.Head(), l.Envelope.Syntax); err != nil {
		return index.Entry{}, fmt.Errorf("header: %w", err)
	}
	return index.EntryOf(ds, l.Envelope, l.Stored)
}

// behind reads an object behind its head.
type behind struct {
	o    blob.Object
	head int64
}

// ReadAt implements io.ReaderAt.
func (b behind) ReadAt(p []byte, off int64) (int, error) { return b.o.ReadAt(p, b.head+off) }
