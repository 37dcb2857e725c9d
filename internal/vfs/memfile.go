package vfs

import (
	"bytes"
	"io"
	"io/fs"
)

type memFile struct {
	m      *Mem
	n      *node
	name   string
	closed bool
}

func (f *memFile) begin(op string) error {
	f.m.mu.Lock()
	if f.closed {
		f.m.mu.Unlock()
		return memError(op, f.name, fs.ErrClosed)
	}
	return nil
}

func (f *memFile) ReadAt(p []byte, off int64) (int, error) {
	if err := f.begin("read"); err != nil {
		return 0, err
	}
	defer f.m.mu.Unlock()
	if off < 0 {
		return 0, memError("read", f.name, fs.ErrInvalid)
	}
	if off >= int64(len(f.n.data)) {
		return 0, io.EOF
	}
	n := copy(p, f.n.data[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// grow makes the file at least size long, as far as the quota allows, and returns the
// length reached.
func (m *Mem) grow(n *node, size int64) (int64, error) {
	have := int64(len(n.data))
	if size <= have {
		return size, nil
	}
	if m.quota >= 0 && m.used+size-have > m.quota {
		size = max(have, have+m.quota-m.used)
		n.data = append(n.data, make([]byte, size-have)...)
		m.used += size - have
		return size, errNoSpace
	}
	n.data = append(n.data, make([]byte, size-have)...)
	m.used += size - have
	return size, nil
}

func (m *Mem) resize(n *node, size int64) error {
	have := int64(len(n.data))
	if size > have {
		if m.quota >= 0 && m.used+size-have > m.quota {
			return errNoSpace
		}
		if _, err := m.grow(n, size); err != nil {
			return err
		}
	} else {
		n.data = n.data[:size:size]
		m.used -= have - size
	}
	n.pending = append(n.pending, write{off: size})
	return nil
}

// WriteAt implements File; without room it writes what fits.
func (f *memFile) WriteAt(p []byte, off int64) (int, error) {
	if err := f.begin("write"); err != nil {
		return 0, err
	}
	defer f.m.mu.Unlock()
	if off < 0 {
		return 0, memError("write", f.name, fs.ErrInvalid)
	}
	end, err := f.m.grow(f.n, off+int64(len(p)))
	fits := max(0, min(int64(len(p)), end-off))
	copy(f.n.data[min(off, int64(len(f.n.data))):], p[:fits])
	if fits > 0 {
		f.n.pending = append(f.n.pending, write{off, bytes.Clone(p[:fits])})
	}
	if err != nil {
		return int(fits), memError("write", f.name, err)
	}
	return len(p), nil
}

func (f *memFile) WriteVec(bufs [][]byte, off int64) (int64, error) { return writeEach(f, bufs, off) }

func (f *memFile) Sync() error {
	if err := f.begin("sync"); err != nil {
		return err
	}
	defer f.m.mu.Unlock()
	if err := f.m.syncErr; err != nil {
		f.m.syncErr = nil
		f.n.pending = nil // clean in memory, never on disk
		return memError("sync", f.name, err)
	}
	for _, w := range f.n.pending {
		f.n.synced = w.apply(f.n.synced)
	}
	f.n.pending = nil
	return nil
}

func (w write) apply(data []byte) []byte {
	if w.data == nil {
		if w.off <= int64(len(data)) {
			return data[:w.off:w.off]
		}
		return append(data, make([]byte, w.off-int64(len(data)))...)
	}
	if end := w.off + int64(len(w.data)); end > int64(len(data)) {
		data = append(data, make([]byte, end-int64(len(data)))...)
	}
	copy(data[w.off:], w.data)
	return data
}

func (f *memFile) Size() (int64, error) {
	if err := f.begin("stat"); err != nil {
		return 0, err
	}
	defer f.m.mu.Unlock()
	return int64(len(f.n.data)), nil
}

func (f *memFile) Truncate(size int64) error {
	if err := f.begin("truncate"); err != nil {
		return err
	}
	defer f.m.mu.Unlock()
	if err := f.m.resize(f.n, size); err != nil {
		return memError("truncate", f.name, err)
	}
	return nil
}

func (f *memFile) Allocate(size int64) error {
	if have, err := f.Size(); err != nil || size <= have {
		return err
	}
	return f.Truncate(size)
}

func (f *memFile) PunchHole(off, n int64) error {
	size, err := f.Size()
	if err != nil {
		return err
	}
	return zeroRange(f, off, max(0, min(n, size-off)))
}

func (f *memFile) Close() error {
	if err := f.begin("close"); err != nil {
		return err
	}
	defer f.m.mu.Unlock()
	f.closed = true
	return nil
}
