package fsblob

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"gantry/internal/archive/blob"
	"gantry/internal/archive/record"
	"gantry/internal/vfs"
)

// staged is an object on its way in: in memory while it is small and the budget lasts,
// else in tmp/, at last perhaps under its final name.
type staged struct {
	s     *Store
	head  []byte
	sum   uint32
	size  int64 // of what was written
	mem   chunks
	file  vfs.File // not nil: spilled
	filed int64    // how much of what was written is in it
	tmp   string   // its name while it has one
	final string   // its name in objects/, relative, with slashes
	err   error
	done  bool
}

var (
	_ blob.Staged = (*staged)(nil)
	_ blob.Roomy  = (*staged)(nil)
)

// Stage implements blob.Store.
func (s *Store) Stage(ctx context.Context, h blob.Hint) (blob.Staged, error) {
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	if err := s.Healthy(); err != nil {
		return nil, err
	}
	if h.Size > s.o.MaxObject {
		return nil, fmt.Errorf("%w: %d bytes announced, at most %d", blob.ErrTooLarge, h.Size, s.o.MaxObject)
	}
	return &staged{s: s, head: h.Head}, nil
}

// Write implements io.Writer.
func (g *staged) Write(p []byte) (int, error) {
	if g.err != nil {
		return 0, g.err
	}
	if int64(len(p)) > g.s.o.MaxObject-g.size {
		g.err = fmt.Errorf("%w: more than %d bytes", blob.ErrTooLarge, g.s.o.MaxObject)
		return 0, g.err
	}
	if err := g.put(p); err != nil {
		g.err = asFull(err)
		return 0, g.err
	}
	g.sum = crc32.Update(g.sum, castagnoli, p)
	g.size += int64(len(p))
	return len(p), nil
}

// Room implements blob.Roomy.
func (g *staged) Room() ([]byte, error) {
	if g.err == nil && len(g.mem.room()) == 0 {
		g.err = asFull(g.grow())
	}
	if g.err != nil {
		return nil, g.err
	}
	room := g.mem.room()
	return room[:min(int64(len(room)), g.s.o.MaxObject-g.size+1)], nil
}

// Filled implements blob.Roomy.
func (g *staged) Filled(n int) {
	g.sum = crc32.Update(g.sum, castagnoli, g.mem.room()[:n])
	g.mem.filled(n)
	if g.size += int64(n); g.size > g.s.o.MaxObject {
		g.err = fmt.Errorf("%w: more than %d bytes", blob.ErrTooLarge, g.s.o.MaxObject)
	}
}

// asFull makes lack of room a blob.ErrFull.
func asFull(err error) error {
	if vfs.IsNoSpace(err) {
		return fmt.Errorf("%w: %w", blob.ErrFull, err)
	}
	return err
}

func (g *staged) put(p []byte) error {
	for len(p) > 0 {
		if len(g.mem.room()) == 0 {
			if err := g.grow(); err != nil {
				return err
			}
		}
		p = p[g.mem.fill(p):]
	}
	return nil
}

// grow makes room for more: a further chunk, or the file takes what the memory holds.
func (g *staged) grow() error {
	if g.file == nil && g.mem.size+int64(len(g.head)) <= g.s.o.PackMax && g.s.reserve(g.mem.wants()) {
		g.mem.add()
		return nil
	}
	if err := g.spill(); err != nil {
		return err
	}
	if len(g.mem.list) == 0 { // without budget: one small chunk for each object
		g.s.staging.Add(firstChunk)
		g.mem.add()
	}
	return nil
}

// reserve takes n bytes of the staging budget.
func (s *Store) reserve(n int64) bool {
	if s.staging.Add(n) <= s.o.StageBudget {
		return true
	}
	s.staging.Add(-n)
	return false
}

// spill moves what is in memory to the file and keeps one chunk to write through.
func (g *staged) spill() error {
	if g.file == nil {
		if err := g.create(); err != nil {
			return err
		}
	}
	if g.mem.size == 0 {
		return nil
	}
	if _, err := g.file.WriteVec(g.mem.list, int64(len(g.head))+g.filed); err != nil {
		return err
	}
	g.filed += g.mem.size
	if len(g.mem.list) > 1 {
		g.s.staging.Add(-g.mem.free())
		return nil
	}
	g.mem.list[0], g.mem.size = g.mem.list[0][:0], 0
	return nil
}

func (g *staged) create() error {
	g.tmp = filepath.Join(g.s.dir, "tmp", string(record.NewID(time.Now())))
	f, err := g.s.fs.OpenFile(g.tmp, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		g.tmp = ""
		return err
	}
	g.file = f
	_, err = f.WriteAt(g.head, 0)
	return err
}

// Size implements blob.Staged.
func (g *staged) Size() int64 { return g.size }

// Sum implements blob.Staged.
func (g *staged) Sum() uint32 { return g.sum }

// ReadAt implements io.ReaderAt.
func (g *staged) ReadAt(p []byte, off int64) (int, error) {
	if g.file == nil {
		return g.mem.ReadAt(p, off)
	}
	if err := g.spill(); err != nil {
		return 0, err
	}
	if off < 0 || off > g.size {
		return 0, io.EOF
	}
	return g.file.ReadAt(p, off+int64(len(g.head)))
}

func (g *staged) sums() record.Sums {
	return record.Sums{Head: int64(len(g.head)), Data: g.size, HeadCRC: crc32.Checksum(g.head, castagnoli), DataCRC: g.sum}
}

// packed reports whether the object goes into a segment.
func (g *staged) packed() bool {
	return g.s.o.Naming == Pack && g.final == "" && g.size+int64(len(g.head)) <= g.s.o.PackMax
}

// Prepare implements blob.Staged: an object that becomes a file is written, synced and
// named; only its folder is left to be synced by the commit.
func (g *staged) Prepare(ctx context.Context, e *record.Envelope) error {
	if g.err != nil {
		return g.err
	}
	if err := context.Cause(ctx); err != nil {
		return err
	}
	e.Kind, e.Path = record.Put, ""
	if g.packed() {
		return nil
	}
	if g.final == "" {
		if err := g.settle(e); err != nil {
			return asFull(err)
		}
	}
	e.Kind, e.Path = record.File, g.final
	return nil
}

func (g *staged) settle(e *record.Envelope) error {
	if err := g.spill(); err != nil {
		return err
	}
	if err := g.file.Sync(); err != nil {
		return g.s.syncFailed(err)
	}
	for _, unique := range []bool{false, true} {
		name := g.s.o.Naming.name(e, unique)
		err := g.nameFile(name)
		if errors.Is(err, fs.ErrExist) && !unique {
			continue
		}
		if err != nil {
			return err
		}
		g.final = name
		return nil
	}
	return nil
}

// nameFile gives the file its name without ever replacing another.
func (g *staged) nameFile(name string) error {
	full := g.s.objectPath(name)
	if err := g.s.dirs.ensure(g.s.fs, filepath.Dir(full)); err != nil {
		return err
	}
	if err := g.s.fs.Link(g.tmp, full); err != nil {
		return err
	}
	if err := g.s.fs.Remove(g.tmp); err != nil {
		return err
	}
	g.tmp = ""
	return nil
}

func (s *Store) objectPath(name string) string {
	return filepath.Join(s.dir, "objects", filepath.FromSlash(name))
}

// Discard implements blob.Staged.
func (g *staged) Discard() {
	if g.done {
		return
	}
	g.finish()
	if g.final != "" { // named, but no record will say so
		g.s.remove(g.s.objectPath(g.final))
	}
}

// finish lets go of memory and of the temporary file.
func (g *staged) finish() {
	g.done = true
	if g.err == nil {
		g.err = fs.ErrClosed
	}
	g.s.staging.Add(-g.mem.free())
	if g.file != nil {
		if err := g.file.Close(); err != nil {
			g.s.o.Log.Warn("close a staged object", "error", err)
		}
	}
	if g.tmp != "" {
		g.s.remove(g.tmp)
	}
}

func (s *Store) remove(name string) {
	if err := s.fs.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		s.o.Log.Warn("remove a file that is not needed", "error", err)
	}
}
