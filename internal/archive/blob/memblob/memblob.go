// Package memblob keeps objects in memory, for tests and for archives that may forget.
package memblob

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"iter"
	"strconv"
	"sync"

	"gantry/internal/archive/blob"
	"gantry/internal/archive/record"
)

// MaxObject is the largest object a Store takes.
const MaxObject = 1 << 30

// Store is a blob.Store in memory, safe for concurrent use. The zero value is empty.
type Store struct {
	mu  sync.Mutex
	log []entry
}

type entry struct {
	env   record.Envelope
	sums  record.Sums
	bytes []byte
	gone  bool
}

var (
	_ blob.Store    = (*Store)(nil)
	_ blob.Replayer = (*Store)(nil)
	_ blob.Lister   = (*Store)(nil)
)

type staged struct {
	head, data []byte
	done       bool
}

// Stage implements blob.Store.
func (s *Store) Stage(ctx context.Context, h blob.Hint) (blob.Staged, error) {
	return &staged{head: h.Head}, context.Cause(ctx)
}

func (g *staged) Write(p []byte) (int, error) {
	if g.done {
		return 0, blob.ErrClosed
	}
	if len(g.data)+len(p) > MaxObject {
		return 0, blob.ErrTooLarge
	}
	g.data = append(g.data, p...)
	return len(p), nil
}

func (g *staged) ReadAt(p []byte, off int64) (int, error) {
	return bytes.NewReader(g.data).ReadAt(p, off)
}

func (g *staged) Size() int64 { return int64(len(g.data)) }
func (g *staged) Sum() uint32 { return crc(g.data) }
func (g *staged) Discard()    { g.done = true }

func (g *staged) Prepare(ctx context.Context, e *record.Envelope) error {
	e.Kind, e.Path = record.Put, ""
	return context.Cause(ctx)
}

func crc(b []byte) uint32 { return crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)) }

// Commit implements blob.Store.
func (s *Store) Commit(ctx context.Context, recs []blob.Record) ([]record.Stored, error) {
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	for _, r := range recs {
		if r.Staged == nil && r.Envelope.Kind.HasObject() {
			return nil, fmt.Errorf("a %s record without an object", r.Envelope.Kind)
		}
		if g, ok := r.Staged.(*staged); r.Staged != nil && (!ok || g.done) {
			return nil, errors.New("object staged in another store, or discarded")
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]record.Stored, len(recs))
	for i := range recs {
		out[i] = s.add(&recs[i])
	}
	return out, nil
}

func (s *Store) add(r *blob.Record) record.Stored {
	e := entry{env: r.Envelope}
	if g, ok := r.Staged.(*staged); ok {
		r.Envelope.Kind, r.Envelope.Path = record.Put, ""
		e.env = r.Envelope
		e.sums = record.Sums{Head: int64(len(g.head)), Data: g.Size(), HeadCRC: crc(g.head), DataCRC: g.Sum()}
		e.bytes = append(bytes.Clone(g.head), g.data...)
		g.done = true
	}
	s.log = append(s.log, e)
	return s.stored(len(s.log) - 1)
}

func (s *Store) stored(i int) record.Stored {
	st := record.Stored{Position: record.Position{Segment: 1, Offset: int64(i) + 1}, Sums: s.log[i].sums}
	if s.log[i].env.Kind.HasObject() {
		st.Ref = record.Ref(strconv.Itoa(i))
	}
	return st
}

func (s *Store) find(r record.Ref) (*entry, error) {
	i, err := strconv.Atoi(string(r))
	if err != nil || i < 0 || i >= len(s.log) {
		return nil, fmt.Errorf("%w: %.40q", blob.ErrNotFound, string(r))
	}
	return &s.log[i], nil
}

type object struct {
	*bytes.Reader
	head int64
}

func (o object) Head() int64  { return o.head }
func (o object) Close() error { return nil }
func (o object) Section(ctx context.Context, off, n int64) io.ReadCloser {
	return blob.Section(ctx, o, off, n)
}

// Open implements blob.Store.
func (s *Store) Open(ctx context.Context, r record.Ref) (blob.Object, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, err := s.find(r)
	if err != nil {
		return nil, err
	}
	if e.gone {
		return nil, blob.ErrNotFound
	}
	return object{bytes.NewReader(e.bytes), e.sums.Head}, context.Cause(ctx)
}

// Erase implements blob.Store.
func (s *Store) Erase(_ context.Context, r record.Ref) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, err := s.find(r)
	if err != nil {
		return err
	}
	e.gone, e.bytes = true, nil
	return nil
}

// Replay implements blob.Replayer.
func (s *Store) Replay(ctx context.Context, from record.Position) iter.Seq2[record.Logged, error] {
	return func(yield func(record.Logged, error) bool) {
		for i := int(from.Offset); ; i++ {
			s.mu.Lock()
			if i >= len(s.log) {
				s.mu.Unlock()
				return
			}
			l := record.Logged{Envelope: s.log[i].env, Stored: s.stored(i)}
			s.mu.Unlock()
			if !yield(l, context.Cause(ctx)) {
				return
			}
		}
	}
}

// List implements blob.Lister.
func (s *Store) List(ctx context.Context) iter.Seq2[blob.Info, error] {
	return func(yield func(blob.Info, error) bool) {
		for l, err := range s.Replay(ctx, record.Position{}) {
			if l.Stored.Ref != "" && !yield(blob.Info{Ref: l.Stored.Ref, Size: l.Stored.Sums.Size()}, err) {
				return
			}
		}
	}
}
