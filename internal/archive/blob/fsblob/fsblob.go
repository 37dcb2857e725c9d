// Package fsblob keeps objects in a folder: a log of TAR segments for objects of up to
// PackMax bytes and for the records of all others, and plain files beside it.
//
//	LOCK                    held while the store is open
//	log/<20 digits>.tar     the segments, of which only the last one is written to
//	log/<20 digits>-<n>.tar one that was rewritten n times, see Rewrite
//	objects/...             large objects, or all of them when a Naming is chosen
//	tmp/                    objects on their way in, emptied at start
//	reserve                 room for the index on a full disk
//
// `for f in log/*.tar; do tar --ignore-zeros -xf $f; done` restores the objects of the
// segments as DICOM files without this program; those in objects/ are such files.
package fsblob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"gantry/internal/archive/blob"
	"gantry/internal/archive/record"
	"gantry/internal/vfs"
)

// Options configure a Store; the zero value is what `gantry serve` uses.
type Options struct {
	FS          vfs.FS          // nil is the system's
	Naming      Naming          // of plain files; Pack keeps small objects in segments
	PackMax     int64           // largest object in a segment; 0 is 4 MiB
	SegmentSize int64           // 0 is 256 MiB, 4 MiB when all objects are files of their own
	StageBudget int64           // memory for objects on their way in; 0 is 32 MiB
	MaxObject   int64           // largest object; 0 is 1 TiB
	MinFree     int64           // room that stays free; 0 is the larger of 1 GiB and 1 %, negative none
	Reserve     int64           // size of the reserve file; 0 is 64 MiB, negative none
	Applied     record.Position // what the index has applied; the zero Position when it is lost
	Log         *slog.Logger    // nil is slog.Default
}

func (o *Options) setDefaults() error {
	if o.FS == nil {
		o.FS = vfs.OS{}
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.SegmentSize == 0 && o.Naming != Pack { // what is rewritten at a time is bounded by its objects
		o.SegmentSize = 4 << 20
	}
	for _, d := range []struct {
		v   *int64
		def int64
	}{{&o.PackMax, 4 << 20}, {&o.SegmentSize, 256 << 20}, {&o.StageBudget, 32 << 20}, {&o.MaxObject, 1 << 40}, {&o.Reserve, 64 << 20}} {
		if *d.v == 0 {
			*d.v = d.def
		}
	}
	if !o.Naming.valid() {
		return fmt.Errorf("storage naming %q: want hierarchical, date_hierarchical or flat", o.Naming)
	}
	if o.SegmentSize > 1<<40 || o.SegmentSize < 8*block {
		return fmt.Errorf("segment size %d out of range", o.SegmentSize)
	}
	o.PackMax = max(0, min(o.PackMax, maxTarSize))
	return nil
}

// ErrAhead says that the index has applied more than the log holds: one of the two was
// restored from an older copy. Rebuilding the index from the log mends it.
var ErrAhead = errors.New("index is ahead of the object store")

// Store is a blob.Store in a folder. It is safe for concurrent use.
type Store struct {
	o   Options
	fs  vfs.FS
	dir string

	lock    io.Closer
	closed  atomic.Bool
	staging atomic.Int64 // bytes of Options.StageBudget in use
	roomAt  atomic.Int64 // time of the last look at the free room, in nanoseconds
	room    atomic.Bool  // what it said

	failed atomic.Pointer[error] // not nil: FAILED, for good
	fullAt atomic.Int64          // not zero: FULL since, in nanoseconds

	mu   sync.Mutex // the appender, held while it syncs: all below
	seg  *segment   // the last one
	end  int64      // where the next record goes
	next uint64     // number of the next segment

	rewriting sync.Mutex // held while a segment is rewritten, an older one is removed, or an object is mended

	handles handles
	dirs    folders
	inUse   users
}

var (
	_ blob.Store    = (*Store)(nil)
	_ blob.Replayer = (*Store)(nil)
	_ blob.Lister   = (*Store)(nil)
	_ blob.Reserver = (*Store)(nil)
)

// Open opens the store in dir, which it makes when missing, and recovers it: what lies in
// the log behind Options.Applied is copied into a new segment, synced, and what cannot be
// read there is dropped. The caller then replays from Options.Applied.
func Open(ctx context.Context, dir string, o Options) (_ *Store, err error) {
	if err := o.setDefaults(); err != nil {
		return nil, err
	}
	s := &Store{o: o, fs: o.FS, dir: dir}
	s.handles.open = s.openSegment
	for _, d := range []string{"log", "objects", "tmp"} {
		if err := s.dirs.ensure(s.fs, filepath.Join(dir, d)); err != nil {
			return nil, fmt.Errorf("object store: %w", err)
		}
	}
	if s.lock, err = s.fs.Lock(filepath.Join(dir, "LOCK")); err != nil {
		return nil, fmt.Errorf("object store: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("object store %s: %w", dir, err), s.release())
		}
	}()
	if err := s.emptyTmp(); err != nil {
		return nil, err
	}
	if err := s.recover(ctx); err != nil {
		return nil, err
	}
	if err := s.RestoreReserve(); err != nil && !vfs.IsNoSpace(err) {
		return nil, err
	}
	return s, nil
}

func (s *Store) release() error {
	s.handles.closeAll()
	var err error
	if s.seg != nil {
		err = s.seg.f.Close()
		s.seg = nil
	}
	return errors.Join(err, s.lock.Close())
}

// Close ends the store; what was committed is durable without it. Objects that are open
// stay readable until they are closed.
func (s *Store) Close() error {
	if s.closed.Swap(true) {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.release()
}

// emptyTmp removes what was on its way in when the last run ended.
func (s *Store) emptyTmp() error {
	dir := filepath.Join(s.dir, "tmp")
	l, err := s.fs.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range l {
		if err := s.fs.Remove(filepath.Join(dir, e.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// Healthy returns nil, or why nothing can be stored now: an error that is blob.ErrFailed,
// blob.ErrFull or blob.ErrClosed.
func (s *Store) Healthy() error {
	if err := s.usable(); err != nil {
		return err
	}
	return s.checkRoom()
}

// usable waits for nothing. A full store is tried again after a second.
func (s *Store) usable() error {
	if s.closed.Load() {
		return blob.ErrClosed
	}
	if err := s.failed.Load(); err != nil {
		return fmt.Errorf("%w: %w", blob.ErrFailed, *err)
	}
	if at := s.fullAt.Load(); at != 0 && time.Since(time.Unix(0, at)) < time.Second {
		return blob.ErrFull
	}
	return nil
}

// checkRoom looks at the free room at most once in a second.
func (s *Store) checkRoom() error {
	if s.o.MinFree < 0 {
		return nil
	}
	now := time.Now().UnixNano()
	if last := s.roomAt.Load(); last == 0 || now-last > int64(time.Second) || now < last {
		sp, err := s.fs.Space(s.dir)
		if err != nil {
			return fmt.Errorf("object store: %w", err)
		}
		s.room.Store(sp.Free > s.floor(sp))
		s.roomAt.Store(now)
	}
	if !s.room.Load() {
		return fmt.Errorf("%w: free room is below the limit", blob.ErrFull)
	}
	return nil
}

// floor is the room that stays free.
func (s *Store) floor(sp vfs.Space) int64 {
	if s.o.MinFree != 0 {
		return s.o.MinFree
	}
	return max(1<<30, sp.Total/100)
}

// ReleaseReserve removes the reserve file, so that the index can write its last words.
func (s *Store) ReleaseReserve() error {
	err := s.fs.Remove(filepath.Join(s.dir, "reserve"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// RestoreReserve makes the reserve file when it is missing.
func (s *Store) RestoreReserve() error {
	name := filepath.Join(s.dir, "reserve")
	if s.o.Reserve < 0 {
		return nil
	}
	if st, err := s.fs.Stat(name); err == nil && st.Size() == s.o.Reserve {
		return nil
	}
	f, err := s.fs.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	if err := errors.Join(f.Allocate(min(s.o.Reserve, math.MaxInt64)), f.Close()); err != nil {
		return errors.Join(err, s.fs.Remove(name))
	}
	return nil
}
