package fsblob

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"gantry/internal/archive/blob"
	"gantry/internal/vfs"
)

type segment struct {
	number uint64
	f      vfs.File
}

func (s *Store) segmentPath(number uint64) string {
	return filepath.Join(s.dir, "log", fmt.Sprintf("%020d.tar", number))
}

// SegmentNumber returns the number of a segment from its file name.
func SegmentNumber(name string) (uint64, bool) {
	digits, ok := strings.CutSuffix(name, ".tar")
	n, err := strconv.ParseUint(digits, 10, 62)
	return n, ok && err == nil && len(digits) == 20
}

// segments lists the numbers of all segments, ascending.
func (s *Store) segments() ([]uint64, error) {
	l, err := s.fs.ReadDir(filepath.Join(s.dir, "log"))
	if err != nil {
		return nil, err
	}
	var out []uint64
	for _, e := range l {
		if n, ok := SegmentNumber(e.Name()); ok {
			out = append(out, n)
		}
	}
	return out, nil
}

// createSegment makes a segment with its whole room reserved, and durable, so that a full
// disk shows before anything is promised.
func (s *Store) createSegment(number uint64) (*segment, error) {
	name := s.segmentPath(number)
	f, err := s.fs.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	err = f.Allocate(s.o.SegmentSize)
	if err == nil {
		err = f.Sync()
	}
	if err == nil {
		err = s.fs.SyncDir(filepath.Join(s.dir, "log"))
	}
	if err != nil {
		return nil, errors.Join(err, f.Close(), s.fs.Remove(name))
	}
	return &segment{number, f}, nil
}

// seal ends a segment behind its last record: two zero blocks, no reserved room.
func (s *Store) seal(g *segment, end int64) error {
	if _, err := g.f.WriteAt(make([]byte, 2*block), end); err != nil {
		return err
	}
	if err := g.f.Truncate(end + 2*block); err != nil {
		return err
	}
	if err := g.f.Sync(); err != nil {
		return err
	}
	return g.f.Close()
}

func (s *Store) openSegment(number uint64) (vfs.File, error) {
	return s.fs.OpenFile(s.segmentPath(number), os.O_RDWR, 0)
}

// maxIdle is how many segments stay open for reading though nobody reads them.
const maxIdle = 32

// handles shares the open segments among readers.
type handles struct {
	open func(uint64) (vfs.File, error)
	mu   sync.Mutex
	m    map[uint64]*handle
	shut bool
}

type handle struct {
	number uint64
	f      vfs.File
	users  int
}

func (h *handles) get(number uint64) (*handle, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.shut {
		return nil, blob.ErrClosed
	}
	if e := h.m[number]; e != nil {
		e.users++
		return e, nil
	}
	f, err := h.open(number)
	if err != nil {
		return nil, err
	}
	if h.m == nil {
		h.m = map[uint64]*handle{}
	}
	e := &handle{number, f, 1}
	h.m[number] = e
	h.trim()
	return e, nil
}

// trim closes an unused handle when too many are open.
func (h *handles) trim() {
	if len(h.m) <= maxIdle {
		return
	}
	for n, e := range h.m {
		if e.users == 0 {
			delete(h.m, n)
			_ = e.f.Close() // read only: nothing can be lost
			return
		}
	}
}

func (h *handles) put(e *handle) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if e.users--; e.users == 0 && h.shut {
		_ = e.f.Close()
	}
}

// closeAll closes what nobody uses; the rest closes with its last user.
func (h *handles) closeAll() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.shut = true
	for n, e := range h.m {
		if e.users == 0 {
			_ = e.f.Close()
		}
		delete(h.m, n)
	}
}
