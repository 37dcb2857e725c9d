package synth

import (
	"context"
	"errors"
	"time"

	"gantry/dicom/part10"
	"gantry/dicom/tag"
	"gantry/dicom/uid"
	"gantry/internal/archive/blob"
	"gantry/internal/archive/index"
	"gantry/internal/archive/record"
)

// ErrNotEmpty says that there is an archive already.
var ErrNotEmpty = errors.New("the archive is not empty: name a folder that does not exist yet")

// How many instances are made durable together. The store has room for two such batches of
// small objects in memory, the one that is made and the one that is committed; entries of the
// index alone are smaller.
const (
	perBatch      = 200
	perIndexBatch = 4000
)

// filler brings a plan's objects into a store and an index.
type filler struct {
	*maker
	store blob.Store
	index index.Index
	at    time.Time
	data  []byte // the last instance made, encoded
}

// made is a batch that was made and is to be committed.
type made struct {
	records []blob.Record
	entries []index.Entry
	err     error
}

// Fill makes the objects of a plan and brings them into an empty archive in the order of
// their numbers. Objects are made on one goroutine while those before are committed on
// another. Step is told how many are durable so far.
func Fill(ctx context.Context, p *Plan, store blob.Store, idx index.Index, step func(done int64)) error {
	if err := p.Check(); err != nil {
		return err
	}
	if st, err := idx.State(ctx); err != nil || st.Versions+st.Quarantined > 0 {
		return errors.Join(err, ErrNotEmpty)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	f := &filler{maker: newMaker(p), store: store, index: idx, at: time.Now().UTC()}
	batches := make(chan made)
	go f.make(ctx, batches)
	done := int64(0)
	for b := range batches {
		if b.err == nil {
			b.err = f.commit(ctx, b)
		}
		if b.err != nil {
			cancel()
			discard(batches)
			return b.err
		}
		done += int64(len(b.entries))
		step(done)
	}
	return context.Cause(ctx)
}

// discard waits for the maker to end; what it staged is dropped.
func discard(batches <-chan made) {
	for b := range batches {
		discardAll(b.records)
	}
}

func (f *filler) make(ctx context.Context, out chan<- made) {
	defer close(out)
	size := int64(perBatch)
	if f.IndexOnly {
		size = perIndexBatch
	}
	for n := int64(0); n < f.Instances && ctx.Err() == nil; n += size {
		b := f.batch(ctx, n, min(n+size, f.Instances))
		out <- b
		if b.err != nil {
			return
		}
	}
}

func (f *filler) batch(ctx context.Context, from, to int64) (b made) {
	for n := from; n < to && b.err == nil; n++ {
		b.err = f.add(ctx, &b, n)
	}
	if b.err != nil {
		discardAll(b.records)
	}
	return b
}

// add makes instance n a part of a batch.
func (f *filler) add(ctx context.Context, b *made, n int64) error {
	ds, err := f.object(n)
	if err != nil {
		return err
	}
	env := f.envelope(ds.Text(tag.PatientID), ds.Text(tag.StudyDate), n)
	if f.data, err = f.whole(f.data[:0], ds); err != nil {
		return err
	}
	e, err := index.EntryOf(ds, env, record.Stored{Sums: record.Sums{Data: int64(len(f.data))}})
	if err != nil {
		return err
	}
	b.entries = append(b.entries, e)
	if f.IndexOnly {
		return nil
	}
	staged, err := f.stage(ctx, &env)
	if err == nil {
		b.records = append(b.records, blob.Record{Envelope: env, Staged: staged})
	}
	return err
}

func discardAll(records []blob.Record) {
	for i := range records {
		records[i].Staged.Discard()
	}
}

// envelope is that of instance n, as the maker is in its series.
func (f *filler) envelope(patient, date string, n int64) record.Envelope {
	study := f.series / f.PerStudy
	return record.Envelope{V: record.Version, Kind: record.Put, ID: record.NewID(f.at), Received: f.at, Source: "SYNTH",
		Syntax: uid.ExplicitVRLittleEndian, Class: f.class, Instance: f.uid('i', n), Series: f.uid('s', f.series), Study: f.uid('t', study),
		PatientID: patient, StudyDate: date, Number: 1, Current: true}
}

// stage gives the store what add has encoded.
func (f *filler) stage(ctx context.Context, env *record.Envelope) (blob.Staged, error) {
	meta, err := part10.MetaInfo{Class: env.Class, Instance: env.Instance, Syntax: env.Syntax}.Meta()
	if err != nil {
		return nil, err
	}
	head, err := part10.AppendHeader(nil, meta)
	if err != nil {
		return nil, err
	}
	s, err := f.store.Stage(ctx, blob.Hint{Head: head, Size: int64(len(f.data))})
	if err != nil {
		return nil, err
	}
	if _, err := s.Write(f.data); err != nil {
		s.Discard()
		return nil, err
	}
	return s, nil
}

// commit makes a batch durable: first the objects, then their entries, as ingest does.
func (f *filler) commit(ctx context.Context, b made) error {
	if !f.IndexOnly {
		stored, err := f.store.Commit(ctx, b.records)
		if err != nil {
			discardAll(b.records)
			return err
		}
		for i := range b.entries {
			b.entries[i].Envelope, b.entries[i].Stored = b.records[i].Envelope, stored[i]
		}
	}
	outs, err := f.index.Commit(ctx, b.entries)
	for i := range outs {
		err = errors.Join(err, outs[i].Problem)
	}
	return err
}
