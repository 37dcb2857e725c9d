package fsblob

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
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

// segmentID names a segment's file: its number in the log, and how often it was rewritten.
type segmentID struct {
	number     uint64
	generation uint32
}

// String returns the file's name: 20 digits, and the generation behind a hyphen when there
// is one.
func (id segmentID) String() string {
	if id.generation == 0 {
		return fmt.Sprintf("%020d.tar", id.number)
	}
	return fmt.Sprintf("%020d-%04d.tar", id.number, id.generation)
}

// ParseSegment returns the number of a segment and its generation from its file's name.
func ParseSegment(name string) (number uint64, generation uint32, ok bool) {
	base, ok := strings.CutSuffix(name, ".tar")
	digits, rewritten, later := strings.Cut(base, "-")
	n, err := strconv.ParseUint(digits, 10, 62)
	if !ok || err != nil || len(digits) != 20 {
		return 0, 0, false
	}
	if !later {
		return n, 0, true
	}
	g, err := strconv.ParseUint(rewritten, 10, 31)
	return n, uint32(g), err == nil && g > 0 && segmentID{n, uint32(g)}.String() == name
}

func (s *Store) segmentPath(number uint64) string { return s.idPath(segmentID{number: number}) }

func (s *Store) idPath(id segmentID) string { return filepath.Join(s.dir, "log", id.String()) }

// generations lists the files of the log, ascending by number and by generation.
func (s *Store) generations() ([]segmentID, error) {
	l, err := s.fs.ReadDir(filepath.Join(s.dir, "log"))
	if err != nil {
		return nil, err
	}
	var out []segmentID
	for _, e := range l {
		if n, g, ok := ParseSegment(e.Name()); ok {
			out = append(out, segmentID{n, g})
		}
	}
	slices.SortFunc(out, func(a, b segmentID) int {
		return cmp.Or(cmp.Compare(a.number, b.number), cmp.Compare(a.generation, b.generation))
	})
	return out, nil
}

// segments lists all segments, ascending, each in its last generation.
func (s *Store) segments() ([]segmentID, error) {
	all, err := s.generations()
	var out []segmentID
	for i, id := range all {
		if i+1 == len(all) || all[i+1].number != id.number {
			out = append(out, id)
		}
	}
	return out, err
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

func (s *Store) openSegment(id segmentID) (vfs.File, error) {
	return s.fs.OpenFile(s.idPath(id), os.O_RDWR, 0)
}

// maxIdle is how many segments stay open for reading though nobody reads them.
const maxIdle = 32

// handles shares the open segments among readers.
type handles struct {
	open func(segmentID) (vfs.File, error)
	mu   sync.Mutex
	m    map[segmentID]*handle
	shut bool
}

type handle struct {
	id    segmentID
	f     vfs.File
	users int
	gone  bool // no longer in the map: closed with its last user
}

func (h *handles) get(id segmentID) (*handle, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.shut {
		return nil, blob.ErrClosed
	}
	if e := h.m[id]; e != nil {
		e.users++
		return e, nil
	}
	f, err := h.open(id)
	if err != nil {
		return nil, err
	}
	if h.m == nil {
		h.m = map[segmentID]*handle{}
	}
	e := &handle{id: id, f: f, users: 1}
	h.m[id] = e
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
	if e.users--; e.users == 0 && (h.shut || e.gone) {
		_ = e.f.Close()
	}
}

// retire lets go of a segment's file: those who read it go on, nobody else gets it.
func (h *handles) retire(id segmentID) {
	h.mu.Lock()
	defer h.mu.Unlock()
	e := h.m[id]
	if e == nil {
		return
	}
	delete(h.m, id)
	if e.gone = true; e.users == 0 {
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
