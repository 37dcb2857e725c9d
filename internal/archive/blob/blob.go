// Package blob is the contract of the object store: bytes go in once, are durable when
// Commit returns, and come back as they were. It knows nothing of DICOM; blobtest holds
// the tests that every implementation passes.
package blob

import (
	"context"
	"errors"
	"io"
	"iter"

	"gantry/internal/archive/record"
)

// Errors that a store's callers decide on. ErrFull and ErrFailed mean that nothing can be
// stored now (out of resources, status A700); reading goes on.
var (
	ErrFull     = errors.New("object store is full")
	ErrFailed   = errors.New("object store has failed and needs a restart")
	ErrNotFound = errors.New("no such object")
	ErrClosed   = errors.New("object store is closed")
	ErrTooLarge = errors.New("object is too large")
)

// Hint is what is known of an object before its bytes come.
type Hint struct {
	Head []byte // what the stored file begins with; not changed after Stage
	Size int64  // expected bytes behind it, 0 when unknown
}

// Staged is an object on its way in: invisible, not durable, used by one goroutine until
// it is given to Commit. Write, ReadAt, Size and Sum are about the bytes behind the head.
type Staged interface {
	io.Writer
	io.ReaderAt
	Size() int64
	Sum() uint32 // crc32c
	// Prepare does what can be done before the commit and sets the envelope's Kind and
	// Path. Calling it is optional.
	Prepare(context.Context, *record.Envelope) error
	// Discard drops the object; it does nothing after a Commit that succeeded.
	Discard()
}

// Roomy is a Staged whose memory can be read into, which saves a copy.
type Roomy interface {
	// Room returns memory for what comes next, at least a byte.
	Room() ([]byte, error)
	// Filled takes the first n bytes of it as if they had been written.
	Filled(n int)
}

// Record is one thing to commit. Staged is nil for kinds without an object.
type Record struct {
	Envelope record.Envelope
	Staged   Staged
}

// Store keeps objects. All methods are safe for concurrent use.
type Store interface {
	Stage(context.Context, Hint) (Staged, error)
	// Commit stores records in their order. When it returns without an error all of them
	// survive a power cut; with an error none of them may be acknowledged. The records'
	// envelopes get their final Kind and Path.
	Commit(context.Context, []Record) ([]record.Stored, error)
	Open(context.Context, record.Ref) (Object, error)
	// Erase gives an object's room back, after the readers that have it open are done. It
	// is idempotent, and allowed only behind a durable Purge record.
	Erase(context.Context, record.Ref) error
}

// Object is a stored object, the head first. It is safe for concurrent use.
type Object interface {
	io.ReaderAt
	io.Closer
	Size() int64
	Head() int64 // length of the head
	// Section reads a part; it ends early with the context's error.
	Section(ctx context.Context, off, n int64) io.ReadCloser
}

// Replayer is a store that has its records in order.
type Replayer interface {
	// Replay yields the records behind a position. Damage is yielded as a Logged with Err.
	Replay(context.Context, record.Position) iter.Seq2[record.Logged, error]
}

// Lister is a store that can list what it holds, in no order.
type Lister interface {
	List(context.Context) iter.Seq2[Info, error]
}

// Info is an object that a store holds. An orphan has bytes but no record.
type Info struct {
	Ref    record.Ref
	Size   int64
	Orphan bool
}

// Reserver is a store that keeps room aside for the index on a full disk.
type Reserver interface {
	ReleaseReserve() error
	RestoreReserve() error
}

// Section reads n bytes of r from off on, until ctx ends; implementations of Object use it.
func Section(ctx context.Context, r io.ReaderAt, off, n int64) io.ReadCloser {
	return &section{ctx, io.NewSectionReader(r, off, n)}
}

type section struct {
	ctx context.Context
	r   *io.SectionReader
}

func (s *section) Read(p []byte) (int, error) {
	if err := context.Cause(s.ctx); err != nil {
		return 0, err
	}
	return s.r.Read(p)
}

func (s *section) Close() error { return nil }
