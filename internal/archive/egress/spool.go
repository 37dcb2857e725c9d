package egress

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
)

// spool takes bytes into memory, those beyond a limit into a temporary file, and gives them
// back.
type spool struct {
	ctx           context.Context // writing ends with it
	dir           string
	max, inMemory int64
	gate          *Gate // nil has no bounds of its own

	n    int64 // bytes written
	mem  []byte
	held int64 // of Gate.held
	file *os.File
	name string // of the file, while it has one
	r    io.Reader
}

func (s *spool) Write(b []byte) (int, error) {
	if s.ctx.Err() != nil {
		return 0, context.Cause(s.ctx)
	}
	if s.n += int64(len(b)); s.n > s.max {
		return 0, fmt.Errorf("it becomes longer than %d bytes", s.max)
	}
	if s.file == nil && s.n <= s.inMemory && s.hold(int64(len(b))) {
		s.mem = append(s.mem, b...)
		return len(b), nil
	}
	if s.gate != nil && s.gate.Room != nil {
		if err := s.gate.Room(); err != nil {
			return 0, err
		}
	}
	if s.file == nil {
		if err := s.create(); err != nil {
			return 0, err
		}
	}
	return s.file.Write(b)
}

// spool returns one within the bounds of all.
func (g *Gate) spool(ctx context.Context) *spool {
	return &spool{ctx: ctx, dir: g.dir, max: maxObject, inMemory: maxInMemory, gate: g}
}

// hold takes n bytes of the memory of all; false when there is no more.
func (s *spool) hold(n int64) bool {
	if s.gate == nil {
		return true
	}
	if s.gate.held.Add(n) > s.gate.most {
		s.gate.held.Add(-n)
		return false
	}
	s.held += n
	return true
}

// create makes the file. Where an open file may lose its name it does so at once: nothing
// is left over then, whatever becomes of the process.
func (s *spool) create() (err error) {
	if s.file, err = os.CreateTemp(s.dir, "gantry-egress-*"); err != nil {
		return err
	}
	if s.name = s.file.Name(); os.Remove(s.name) == nil {
		s.name = ""
	}
	return nil
}

// rewind ends the writing.
func (s *spool) rewind() error {
	s.r = bytes.NewReader(s.mem)
	if s.file == nil {
		return nil
	}
	if _, err := s.file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	s.r = io.MultiReader(s.r, s.file)
	return nil
}

// ReadAt implements io.ReaderAt over what was written.
func (s *spool) ReadAt(b []byte, off int64) (n int, err error) {
	if off < int64(len(s.mem)) {
		if n = copy(b, s.mem[off:]); n == len(b) {
			return n, nil
		}
	}
	if s.file == nil {
		return n, io.EOF
	}
	m, err := s.file.ReadAt(b[n:], off+int64(n)-int64(len(s.mem)))
	return n + m, err
}

func (s *spool) Read(b []byte) (int, error) { return s.r.Read(b) }

// Close implements io.Closer. It removes the file.
func (s *spool) Close() error {
	s.mem, s.r = nil, bytes.NewReader(nil)
	if s.held > 0 {
		s.gate.held.Add(-s.held)
		s.held = 0
	}
	if s.file == nil {
		return nil
	}
	err := s.file.Close()
	if s.name != "" {
		os.Remove(s.name)
	}
	return err
}
