// Package vfs is the seam between the archive and the file system: the few calls whose
// order and durability the ingest protocol depends on, so that tests can lose power
// between any two of them.
package vfs

import (
	"errors"
	"io"
	"io/fs"
)

// FS is a file system with explicit durability. Names are paths in the system's own
// spelling. All implementations are safe for concurrent use.
type FS interface {
	// OpenFile opens a file with the os package's O_ flags.
	OpenFile(name string, flag int, perm fs.FileMode) (File, error)
	// Mkdir makes one folder; it is durable after SyncDir of its parent.
	Mkdir(name string, perm fs.FileMode) error
	// Rename moves a file over whatever has the new name.
	Rename(oldname, newname string) error
	// Link gives a file a second name and fails with fs.ErrExist when it is taken.
	Link(oldname, newname string) error
	// Remove removes a file or an empty folder.
	Remove(name string) error
	ReadDir(name string) ([]fs.DirEntry, error)
	Stat(name string) (fs.FileInfo, error)
	// SyncDir makes the names in a folder durable.
	SyncDir(name string) error
	// Space reports the room of the file system that holds name.
	Space(name string) (Space, error)
	// Lock takes an exclusive lock that ends with Close or with the process. It fails
	// with ErrLocked when another holds it, ErrNetwork where locks cannot be trusted.
	Lock(name string) (io.Closer, error)
}

// File is an open file. Sync makes its bytes and length durable, not its name. After
// Sync returned an error nothing is known about what was written since the last one
// that did not, and calling it again proves nothing.
type File interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
	// WriteVec writes the buffers one behind the other from off on.
	WriteVec(bufs [][]byte, off int64) (int64, error)
	Sync() error
	Size() (int64, error)
	Truncate(size int64) error
	// Allocate reserves room up to size and extends the file to it with zeros.
	Allocate(size int64) error
	// PunchHole gives the room of a range back; it reads as zeros from then on.
	PunchHole(off, n int64) error
}

// Space is the room of a file system in bytes.
type Space struct{ Free, Total int64 }

// Errors of Lock.
var (
	ErrLocked  = errors.New("in use by another process")
	ErrNetwork = errors.New("on a network file system, whose locks and syncs cannot be trusted")
)

// writeEach is WriteVec by single writes.
func writeEach(w io.WriterAt, bufs [][]byte, off int64) (int64, error) {
	var done int64
	for _, b := range bufs {
		n, err := w.WriteAt(b, off+done)
		done += int64(n)
		if err != nil {
			return done, err
		}
	}
	return done, nil
}

// zeroRange overwrites a range with zeros, for systems that cannot punch holes.
func zeroRange(w io.WriterAt, off, n int64) error {
	zeros := make([]byte, min(n, 1<<20))
	for n > 0 {
		k := min(n, int64(len(zeros)))
		if _, err := w.WriteAt(zeros[:k], off); err != nil {
			return err
		}
		off, n = off+k, n-k
	}
	return nil
}
