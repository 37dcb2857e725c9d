package vfs

import (
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// Mem is a file system in memory that knows which bytes and names would survive a power
// cut; Crash makes the file system that a machine would find after one. The zero value
// is not usable, see NewMem.
type Mem struct {
	mu      sync.Mutex
	names   map[string]*node // as programs see it
	durable map[string]*node // as the disk has it
	pending []nameOp         // done, not yet on disk, in order
	locked  map[string]bool
	quota   int64 // bytes all files may take; negative is no limit
	used    int64
	syncErr error // returned once by the next File.Sync
}

var _ FS = (*Mem)(nil)

// NewMem returns an empty file system, its root durable.
func NewMem() *Mem {
	root := &node{dir: true}
	sep := string(filepath.Separator)
	return &Mem{
		names: map[string]*node{sep: root, ".": root}, durable: map[string]*node{sep: root, ".": root},
		locked: map[string]bool{}, quota: -1,
	}
}

// node is a file or a folder.
type node struct {
	dir     bool
	data    []byte
	synced  []byte  // data as of the last Sync
	pending []write // since then
	links   int
}

// write is a change of a file's bytes; a nil data is a change of its length.
type write struct {
	off  int64
	data []byte
}

// nameOp is a change of names; it is durable once one of its folders was synced.
type nameOp struct {
	set    map[string]*node // nil node removes
	folder []string
}

func (o nameOp) apply(names map[string]*node) {
	for name, n := range o.set {
		if n == nil {
			delete(names, name)
		} else {
			names[name] = n
		}
	}
}

// SetQuota limits the bytes all files take together; negative removes the limit.
func (m *Mem) SetQuota(bytes int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.quota = bytes
}

// Used returns the bytes all files take together.
func (m *Mem) Used() int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.used
}

// FailSync makes the next File.Sync return err. As on Linux, what it should have written
// is then counted as clean without being on disk, and no later Sync brings it there.
func (m *Mem) FailSync(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.syncErr = err
}

func (m *Mem) change(set map[string]*node) {
	op := nameOp{set: set}
	for name := range set {
		op.folder = append(op.folder, filepath.Dir(name))
	}
	op.apply(m.names)
	m.pending = append(m.pending, op)
}

func memError(op, name string, err error) error {
	return &fs.PathError{Op: op, Path: name, Err: err}
}

// OpenFile implements FS.
func (m *Mem) OpenFile(name string, flag int, _ fs.FileMode) (File, error) {
	name = filepath.Clean(name)
	m.mu.Lock()
	defer m.mu.Unlock()
	n, ok := m.names[name]
	switch {
	case ok && n.dir:
		return nil, memError("open", name, fmt.Errorf("is a folder"))
	case ok && flag&os.O_EXCL != 0:
		return nil, memError("open", name, fs.ErrExist)
	case !ok && flag&os.O_CREATE == 0:
		return nil, memError("open", name, fs.ErrNotExist)
	case !ok:
		if p := m.names[filepath.Dir(name)]; p == nil || !p.dir {
			return nil, memError("open", name, fs.ErrNotExist)
		}
		n = &node{links: 1}
		m.change(map[string]*node{name: n})
	case flag&os.O_TRUNC != 0:
		if err := m.resize(n, 0); err != nil {
			return nil, memError("open", name, err)
		}
	}
	return &memFile{m: m, n: n, name: name}, nil
}

// Mkdir implements FS.
func (m *Mem) Mkdir(name string, _ fs.FileMode) error {
	name = filepath.Clean(name)
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.names[name] != nil {
		return memError("mkdir", name, fs.ErrExist)
	}
	if p := m.names[filepath.Dir(name)]; p == nil || !p.dir {
		return memError("mkdir", name, fs.ErrNotExist)
	}
	m.change(map[string]*node{name: {dir: true}})
	return nil
}

// Rename implements FS for files.
func (m *Mem) Rename(oldname, newname string) error {
	oldname, newname = filepath.Clean(oldname), filepath.Clean(newname)
	m.mu.Lock()
	defer m.mu.Unlock()
	n := m.names[oldname]
	if n == nil || n.dir || m.names[filepath.Dir(newname)] == nil {
		return memError("rename", oldname, fs.ErrNotExist)
	}
	if old := m.names[newname]; old != nil {
		m.drop(old)
	}
	m.change(map[string]*node{oldname: nil, newname: n})
	return nil
}

// Link implements FS.
func (m *Mem) Link(oldname, newname string) error {
	oldname, newname = filepath.Clean(oldname), filepath.Clean(newname)
	m.mu.Lock()
	defer m.mu.Unlock()
	n := m.names[oldname]
	if n == nil || n.dir || m.names[filepath.Dir(newname)] == nil {
		return memError("link", oldname, fs.ErrNotExist)
	}
	if m.names[newname] != nil {
		return memError("link", newname, fs.ErrExist)
	}
	n.links++
	m.change(map[string]*node{newname: n})
	return nil
}

func (m *Mem) drop(n *node) {
	if n.links--; n.links == 0 {
		m.used -= int64(len(n.data))
	}
}

// Remove implements FS.
func (m *Mem) Remove(name string) error {
	name = filepath.Clean(name)
	m.mu.Lock()
	defer m.mu.Unlock()
	n := m.names[name]
	if n == nil {
		return memError("remove", name, fs.ErrNotExist)
	}
	if n.dir && len(m.list(name)) > 0 {
		return memError("remove", name, fmt.Errorf("folder not empty"))
	}
	if !n.dir {
		m.drop(n)
	}
	m.change(map[string]*node{name: nil})
	return nil
}

func (m *Mem) list(dir string) []fs.DirEntry {
	var out []fs.DirEntry
	for name, n := range m.names {
		if name != dir && name != "." && filepath.Dir(name) == dir {
			out = append(out, fs.FileInfoToDirEntry(memInfo{filepath.Base(name), int64(len(n.data)), n.dir}))
		}
	}
	slices.SortFunc(out, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return out
}

// ReadDir implements FS.
func (m *Mem) ReadDir(name string) ([]fs.DirEntry, error) {
	name = filepath.Clean(name)
	m.mu.Lock()
	defer m.mu.Unlock()
	if n := m.names[name]; n == nil || !n.dir {
		return nil, memError("readdir", name, fs.ErrNotExist)
	}
	return m.list(name), nil
}

// Stat implements FS.
func (m *Mem) Stat(name string) (fs.FileInfo, error) {
	name = filepath.Clean(name)
	m.mu.Lock()
	defer m.mu.Unlock()
	n := m.names[name]
	if n == nil {
		return nil, memError("stat", name, fs.ErrNotExist)
	}
	return memInfo{filepath.Base(name), int64(len(n.data)), n.dir}, nil
}

// SyncDir implements FS.
func (m *Mem) SyncDir(name string) error {
	name = filepath.Clean(name)
	m.mu.Lock()
	defer m.mu.Unlock()
	if n := m.names[name]; n == nil || !n.dir {
		return memError("sync", name, fs.ErrNotExist)
	}
	rest := m.pending[:0]
	for _, op := range m.pending {
		if slices.Contains(op.folder, name) {
			op.apply(m.durable)
		} else {
			rest = append(rest, op)
		}
	}
	clear(m.pending[len(rest):])
	m.pending = rest
	return nil
}

// Space implements FS.
func (m *Mem) Space(string) (Space, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.quota < 0 {
		return Space{Free: math.MaxInt64 / 2, Total: math.MaxInt64 / 2}, nil
	}
	return Space{Free: max(0, m.quota-m.used), Total: m.quota}, nil
}

// Lock implements FS.
func (m *Mem) Lock(name string) (io.Closer, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.locked[name] {
		return nil, memError("lock", name, ErrLocked)
	}
	m.locked[name] = true
	return &memLock{m, name}, nil
}

type memLock struct {
	m    *Mem
	name string
}

func (l *memLock) Close() error {
	l.m.mu.Lock()
	defer l.m.mu.Unlock()
	delete(l.m.locked, l.name)
	return nil
}

type memInfo struct {
	name string
	size int64
	dir  bool
}

func (i memInfo) Name() string       { return i.name }
func (i memInfo) Size() int64        { return i.size }
func (i memInfo) ModTime() time.Time { return time.Time{} }
func (i memInfo) IsDir() bool        { return i.dir }
func (i memInfo) Sys() any           { return nil }
func (i memInfo) Mode() fs.FileMode {
	if i.dir {
		return fs.ModeDir | 0o700
	}
	return 0o600
}
