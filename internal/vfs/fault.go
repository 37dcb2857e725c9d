package vfs

import (
	"io"
	"io/fs"
)

// Call is one call of a file system or a file, as a Fault sees it.
type Call struct {
	Op   string // the method's name: "OpenFile", "WriteAt", "Sync" ...
	Name string
	Off  int64
	Len  int64
}

// Fault is a file system with errors on demand. Hook sees each call before it is made;
// an error it returns is returned instead of making the call. A *Short error on a write
// first writes as many bytes as it says. Hook may be called concurrently; nil does nothing.
type Fault struct {
	FS
	Hook func(Call) error
}

// Short makes a write stop after N bytes with Err.
type Short struct {
	N   int64
	Err error
}

// Error implements error.
func (s *Short) Error() string { return "short write: " + s.Err.Error() }

// Unwrap returns Err.
func (s *Short) Unwrap() error { return s.Err }

func (f *Fault) hook(c Call) error {
	if f.Hook == nil {
		return nil
	}
	return f.Hook(c)
}

// OpenFile implements FS.
func (f *Fault) OpenFile(name string, flag int, perm fs.FileMode) (File, error) {
	if err := f.hook(Call{Op: "OpenFile", Name: name}); err != nil {
		return nil, err
	}
	file, err := f.FS.OpenFile(name, flag, perm)
	if err != nil {
		return nil, err
	}
	return &faultFile{file, f, name}, nil
}

// Mkdir implements FS.
func (f *Fault) Mkdir(name string, perm fs.FileMode) error {
	if err := f.hook(Call{Op: "Mkdir", Name: name}); err != nil {
		return err
	}
	return f.FS.Mkdir(name, perm)
}

// Rename implements FS.
func (f *Fault) Rename(oldname, newname string) error {
	if err := f.hook(Call{Op: "Rename", Name: newname}); err != nil {
		return err
	}
	return f.FS.Rename(oldname, newname)
}

// Link implements FS.
func (f *Fault) Link(oldname, newname string) error {
	if err := f.hook(Call{Op: "Link", Name: newname}); err != nil {
		return err
	}
	return f.FS.Link(oldname, newname)
}

// Remove implements FS.
func (f *Fault) Remove(name string) error {
	if err := f.hook(Call{Op: "Remove", Name: name}); err != nil {
		return err
	}
	return f.FS.Remove(name)
}

// SyncDir implements FS.
func (f *Fault) SyncDir(name string) error {
	if err := f.hook(Call{Op: "SyncDir", Name: name}); err != nil {
		return err
	}
	return f.FS.SyncDir(name)
}

// Lock implements FS.
func (f *Fault) Lock(name string) (io.Closer, error) {
	if err := f.hook(Call{Op: "Lock", Name: name}); err != nil {
		return nil, err
	}
	return f.FS.Lock(name)
}

type faultFile struct {
	File
	f    *Fault
	name string
}

func (f *faultFile) ReadAt(p []byte, off int64) (int, error) {
	if err := f.f.hook(Call{"ReadAt", f.name, off, int64(len(p))}); err != nil {
		return 0, err
	}
	return f.File.ReadAt(p, off)
}

func (f *faultFile) WriteAt(p []byte, off int64) (int, error) {
	err := f.f.hook(Call{"WriteAt", f.name, off, int64(len(p))})
	if short, ok := err.(*Short); ok {
		n, _ := f.File.WriteAt(p[:min(short.N, int64(len(p)))], off)
		return n, short.Err
	}
	if err != nil {
		return 0, err
	}
	return f.File.WriteAt(p, off)
}

func (f *faultFile) WriteVec(bufs [][]byte, off int64) (int64, error) {
	var n int64
	for _, b := range bufs {
		n += int64(len(b))
	}
	err := f.f.hook(Call{"WriteVec", f.name, off, n})
	if short, ok := err.(*Short); ok {
		done, _ := f.File.WriteVec(head(bufs, short.N), off)
		return done, short.Err
	}
	if err != nil {
		return 0, err
	}
	return f.File.WriteVec(bufs, off)
}

// head returns the first n bytes of bufs.
func head(bufs [][]byte, n int64) [][]byte {
	var out [][]byte
	for _, b := range bufs {
		k := min(n, int64(len(b)))
		out, n = append(out, b[:k]), n-k
	}
	return out
}

func (f *faultFile) Sync() error {
	if err := f.f.hook(Call{Op: "Sync", Name: f.name}); err != nil {
		return err
	}
	return f.File.Sync()
}

func (f *faultFile) Truncate(size int64) error {
	if err := f.f.hook(Call{Op: "Truncate", Name: f.name, Len: size}); err != nil {
		return err
	}
	return f.File.Truncate(size)
}

func (f *faultFile) Allocate(size int64) error {
	if err := f.f.hook(Call{Op: "Allocate", Name: f.name, Len: size}); err != nil {
		return err
	}
	return f.File.Allocate(size)
}
