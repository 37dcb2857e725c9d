// Package ingest is the one way into the archive: bytes are staged while they come, their
// header is checked, and one committer makes objects and index entries durable, in the
// same order, before anyone is told of success.
package ingest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"gantry/dicom/part10"
	"gantry/dicom/uid"
	"gantry/internal/archive/blob"
	"gantry/internal/archive/index"
	"gantry/internal/archive/record"
)

// Policy says what becomes of an object that differs from the one under its UID. One that
// is identical is a success that stores nothing, save with Reject.
type Policy string

// The policies.
const (
	Keep    Policy = "keep"    // both are kept, the later one flagged; the first stays current
	Reject  Policy = "reject"  // refused with status 0111, identical ones too
	Ignore  Policy = "ignore"  // dropped, answered with success
	Replace Policy = "replace" // both are kept, the later one becomes current
)

// Options configure an Ingester; the zero value is what `gantry serve` uses.
type Options struct {
	Duplicates Policy                     // "" is Keep
	Issuer     func(source string) string // of Patient IDs that come without one, by calling AE title; nil is none
	Changed    func(feed uint64)          // told of new changes, on the committer's goroutine; must not block
	Now        func() time.Time           // nil is time.Now
	Log        *slog.Logger               // nil is slog.Default
}

func (o *Options) setDefaults() error {
	switch o.Duplicates {
	case "":
		o.Duplicates = Keep
	case Keep, Reject, Ignore, Replace:
	default:
		return fmt.Errorf("duplicate policy %q: want keep, reject, ignore or replace", o.Duplicates)
	}
	if o.Issuer == nil {
		o.Issuer = func(string) string { return "" }
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	return nil
}

// Ingester brings objects into a store and its index. It is safe for concurrent use.
type Ingester struct {
	o     Options
	store blob.Store
	index index.Index

	mu     sync.Mutex // queue and closed
	queue  []*job
	wake   chan struct{} // has one element while the queue is not empty
	closed bool
	done   chan struct{}

	parsing chan struct{} // has one element for each header being parsed
	recent  recent
	flight  flight
	behind  atomic.Pointer[backlog]
	stats   counters
}

type counters struct{ stored, identical, conflicts, refused, bytes, batches atomic.Int64 }

// Stats are counts since the start.
type Stats struct{ Stored, Identical, Conflicts, Refused, Bytes, Batches int64 }

// maxParsing is how many headers are parsed at a time.
const maxParsing = 4

// New starts an Ingester. What the store's log holds behind the index's applied position
// is applied first; the store must have been opened with that position.
func New(ctx context.Context, store blob.Store, idx index.Index, o Options) (*Ingester, error) {
	if err := o.setDefaults(); err != nil {
		return nil, err
	}
	in := &Ingester{o: o, store: store, index: idx, wake: make(chan struct{}, 1), parsing: make(chan struct{}, maxParsing), done: make(chan struct{})}
	st, err := idx.State(ctx)
	if err != nil {
		return nil, err
	}
	if err := in.replay(ctx, st.Applied, nil); err != nil {
		return nil, fmt.Errorf("apply the log: %w", err)
	}
	in.flight.init()
	go in.run()
	return in, nil
}

// Close waits for what is queued and ends the Ingester. Store and index stay open.
func (in *Ingester) Close() error {
	in.mu.Lock()
	if !in.closed {
		in.closed = true
		in.signal()
	}
	in.mu.Unlock()
	<-in.done
	return nil
}

// Stats returns the counts since the start.
func (in *Ingester) Stats() Stats {
	c := &in.stats
	return Stats{c.stored.Load(), c.identical.Load(), c.conflicts.Load(), c.refused.Load(), c.bytes.Load(), c.batches.Load()}
}

// Stored returns how many objects were stored since the start.
func (in *Ingester) Stored() int64 { return in.stats.stored.Load() }

// Healthy returns nil, or an *Error that says why nothing can be stored now.
func (in *Ingester) Healthy() error {
	if b := in.behind.Load(); b != nil {
		return refusal(fmt.Errorf("%w: %w", ErrBehind, b.err))
	}
	if h, ok := in.store.(interface{ Healthy() error }); ok {
		if err := h.Healthy(); err != nil {
			return refusal(err)
		}
	}
	return nil
}

// Hint is what is known of an object before its data set comes. Class and Instance are
// those of the command; the data set must have the same. They may be empty for an object
// that comes without a command.
type Hint struct {
	Source, Called string // AE titles
	Address        string
	Association    string
	Class          uid.UID
	Instance       uid.UID
	Syntax         uid.UID
	Came           uid.UID // the transfer syntax it came in, when that was another one
	Meta           []byte  // the sender's preamble and file meta, at most 64 KiB are kept
	Size           int64   // expected bytes, 0 when unknown
	Hold           bool    // keep it hidden until somebody releases it: the sender is a stranger
}

const maxMeta = 64 << 10

// Begin starts an object. The caller writes its data set and ends with Commit or Discard.
func (in *Ingester) Begin(ctx context.Context, h Hint) (*Writer, error) {
	if b := in.behind.Load(); b != nil {
		in.stats.refused.Add(1)
		return nil, refusal(fmt.Errorf("%w: %w", ErrBehind, b.err))
	}
	if h.Syntax == "" {
		return nil, &Error{Status: StatusCannotUnderstand, Comment: "no transfer syntax"}
	}
	w := &Writer{in: in, h: h, begun: in.o.Now().UTC()}
	if err := w.stage(ctx); err != nil {
		in.stats.refused.Add(1)
		return nil, refusal(err)
	}
	return w, nil
}

func (w *Writer) stage(ctx context.Context) error {
	head, err := headOf(w.h)
	if err != nil {
		return &Error{Status: StatusCannotUnderstand, Comment: "no file meta can be made", Err: err}
	}
	w.staged, err = w.in.store.Stage(ctx, blob.Hint{Head: head, Size: w.h.Size})
	return err
}

// headOf makes what the stored file begins with: a preamble of zeros and our file meta
// (PS3.10 7.1).
func headOf(h Hint) ([]byte, error) {
	meta, err := part10.MetaInfo{Class: h.Class, Instance: h.Instance, Syntax: h.Syntax}.Meta()
	if err != nil {
		return nil, err
	}
	return part10.AppendHeader(nil, meta)
}

// Kind says what became of an object that was accepted.
type Kind uint8

// The kinds of outcomes.
const (
	Stored     Kind = iota + 1 // new
	Identical                  // was there already
	Conflict                   // kept beside a different one, not current
	Superseded                 // kept, current instead of a different one
	Ignored                    // dropped by policy
)

// Outcome tells of an accepted object. Bytes and index entry are durable.
type Outcome struct {
	Kind     Kind
	Record   record.ID // of the object that is kept, "" when Ignored
	Version  int
	Instance uid.UID
	Class    uid.UID
	Study    uid.UID
	Series   uid.UID
	Size     int64  // of the data set
	Feed     uint64 // number of the change, 0 when nothing changed
}

var errNoReplay = errors.New("object store has no log to rebuild the index from")
