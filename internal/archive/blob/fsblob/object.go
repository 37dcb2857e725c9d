package fsblob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"gantry/internal/archive/blob"
	"gantry/internal/archive/record"
)

// object is an open object: a part of a segment or a file of its own.
type object struct {
	*io.SectionReader
	head  int64
	close func() error
	once  sync.Once
}

// Head implements blob.Object.
func (o *object) Head() int64 { return o.head }

// Section implements blob.Object.
func (o *object) Section(ctx context.Context, off, n int64) io.ReadCloser {
	return blob.Section(ctx, o, off, n)
}

// Close implements blob.Object.
func (o *object) Close() (err error) {
	o.once.Do(func() { err = o.close() })
	return err
}

// Open implements blob.Store.
func (s *Store) Open(ctx context.Context, r record.Ref) (blob.Object, error) {
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	if s.closed.Load() {
		return nil, blob.ErrClosed
	}
	p, err := parseRef(r)
	if err != nil {
		return nil, err
	}
	if !s.inUse.add(r) {
		return nil, fmt.Errorf("%w: being erased", blob.ErrNotFound)
	}
	o, err := s.openPlace(p)
	if err != nil {
		s.inUse.done(r)
		return nil, err
	}
	inner := o.close
	o.close = func() error { s.inUse.done(r); return inner() }
	return o, nil
}

func (s *Store) openPlace(p place) (*object, error) {
	if p.path != "" {
		return s.openFile(p)
	}
	h, err := s.handles.get(p.segment)
	if err != nil {
		return nil, notFound(err)
	}
	return &object{SectionReader: io.NewSectionReader(h.f, p.offset, p.size), head: p.head,
		close: func() error { s.handles.put(h); return nil }}, nil
}

func notFound(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w: %w", blob.ErrNotFound, err)
	}
	return err
}

func (s *Store) openFile(p place) (*object, error) {
	f, err := s.fs.OpenFile(s.objectPath(p.path), os.O_RDONLY, 0)
	if err != nil {
		return nil, notFound(err)
	}
	size, err := f.Size()
	if err == nil && size != p.size {
		err = fmt.Errorf("%w: %d bytes on disk, %d when it was stored", ErrSize, size, p.size)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &object{SectionReader: io.NewSectionReader(f, 0, p.size), head: p.head, close: f.Close}, nil
}

// eraseWait is how long Erase waits for readers.
const eraseWait = 10 * time.Minute

// Erase implements blob.Store: a hole is punched into the segment, or the file removed.
func (s *Store) Erase(ctx context.Context, r record.Ref) error {
	p, err := parseRef(r)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, eraseWait)
	defer cancel()
	if err := s.inUse.erase(ctx, r); err != nil {
		return fmt.Errorf("erase: object is still being read: %w", err)
	}
	defer s.inUse.erased(r)
	if p.path != "" {
		return s.eraseFile(p)
	}
	h, err := s.handles.get(p.segment)
	if errors.Is(err, fs.ErrNotExist) && s.isCurrent(p) != nil {
		return nil // the segment was rewritten; its next rewriting leaves the object out
	}
	if err != nil {
		return notFound(err)
	}
	defer s.handles.put(h)
	return errors.Join(h.f.PunchHole(p.offset, p.size), h.f.Sync())
}

func (s *Store) eraseFile(p place) error {
	name := s.objectPath(p.path)
	if err := s.fs.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if _, err := s.fs.Stat(filepath.Dir(name)); err != nil {
		return nil
	}
	return s.fs.SyncDir(filepath.Dir(name))
}

// users counts the readers of each object, so that none loses its bytes while reading.
type users struct {
	mu sync.Mutex
	m  map[record.Ref]*use
}

type use struct {
	n       int
	erasing bool
	gone    chan struct{} // closed when an erase may go on
}

// add counts a reader; it is false while the object is erased.
func (u *users) add(r record.Ref) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.m == nil {
		u.m = map[record.Ref]*use{}
	}
	e := u.m[r]
	if e == nil {
		e = &use{}
		u.m[r] = e
	}
	if e.erasing {
		return false
	}
	e.n++
	return true
}

func (u *users) done(r record.Ref) {
	u.mu.Lock()
	defer u.mu.Unlock()
	e := u.m[r]
	if e.n--; e.n > 0 {
		return
	}
	if e.erasing {
		close(e.gone)
		return
	}
	delete(u.m, r)
}

// erase waits until nobody reads the object and keeps new readers out.
func (u *users) erase(ctx context.Context, r record.Ref) error {
	u.mu.Lock()
	if u.m == nil {
		u.m = map[record.Ref]*use{}
	}
	e := u.m[r]
	if e == nil {
		e = &use{}
		u.m[r] = e
	}
	if e.erasing {
		u.mu.Unlock()
		return errors.New("another erase is under way")
	}
	e.erasing, e.gone = true, make(chan struct{})
	if e.n == 0 {
		close(e.gone)
	}
	gone := e.gone
	u.mu.Unlock()
	select {
	case <-gone:
		return nil
	case <-ctx.Done():
		u.erased(r)
		return context.Cause(ctx)
	}
}

func (u *users) erased(r record.Ref) {
	u.mu.Lock()
	defer u.mu.Unlock()
	e := u.m[r]
	if e.erasing = false; e.n == 0 {
		delete(u.m, r)
	}
}
