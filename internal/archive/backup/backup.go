// Package backup copies an archive's folder while the archive may be at work. A backup is
// an archive: it can be checked by fsck and served as it is.
//
// The index is copied first, in one transaction; it says how far it has applied the log.
// The log up to there never changes again, so that what is copied after it belongs to it.
package backup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"time"

	"gantry/internal/archive/blob/fsblob"
	"gantry/internal/archive/index"
	"gantry/internal/vfs"
)

// Index is the part of an index that is copied.
type Index interface {
	// CopyTo writes a consistent copy to a file that must not be there.
	CopyTo(ctx context.Context, name string) error
}

// Copy is an index that was copied, as it lies in the backup.
type Copy interface {
	State(context.Context) (index.State, error)
	All(context.Context) iter.Seq2[index.Location, error]
	Close() error
}

// Options name what is copied where.
type Options struct {
	From, To string // storage folders
	// Open opens the copied index.
	Open func(ctx context.Context, name string) (Copy, error)
	Step func(files int, bytes int64) // told how far it is, after each file
}

// Summary is what was done.
type Summary struct {
	State  index.State
	Copied int   // files
	Kept   int   // files that an earlier backup had copied
	Bytes  int64 // copied
}

// Run brings the backup in Options.To up to date. Files of an earlier backup that are
// still right are kept, so that the second one costs what is new. When it returns
// without an error all is on disk.
func Run(ctx context.Context, x Index, o Options) (_ Summary, err error) {
	b := &run{ctx: ctx, o: o}
	lock, err := b.lock()
	if err != nil {
		return b.sum, err
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	for _, d := range []string{"log", "objects", "tmp"} {
		if err := os.MkdirAll(filepath.Join(o.To, d), 0o700); err != nil {
			return b.sum, err
		}
	}
	copied, err := b.index(x)
	if err != nil {
		return b.sum, fmt.Errorf("index: %w", err)
	}
	defer copied.Close()
	if err := b.log(); err != nil {
		return b.sum, fmt.Errorf("log: %w", err)
	}
	if err := b.files(copied); err != nil {
		return b.sum, fmt.Errorf("objects: %w", err)
	}
	return b.sum, b.finish()
}

// LockName is the file of a storage folder that is locked while the log is copied, or a
// part of it is rewritten: one waits for the other.
const LockName = "REWRITE"

func (b *run) lock() (io.Closer, error) {
	for {
		l, err := vfs.OS{}.Lock(filepath.Join(b.o.From, LockName))
		if !errors.Is(err, vfs.ErrLocked) {
			return l, err
		}
		select {
		case <-time.After(200 * time.Millisecond):
		case <-b.ctx.Done():
			return nil, context.Cause(b.ctx)
		}
	}
}

type run struct {
	ctx  context.Context
	o    Options
	sum  Summary
	dirs map[string]bool // to be synced
}

const (
	indexName = "index.db"
	newIndex  = "index.new" // the copied index, until all that it names is there
)

func (b *run) index(x Index) (Copy, error) {
	name := filepath.Join(b.o.To, newIndex)
	if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if err := x.CopyTo(b.ctx, name); err != nil {
		return nil, err
	}
	if err := syncPath(name); err != nil {
		return nil, err
	}
	c, err := b.o.Open(b.ctx, name)
	if err != nil {
		return nil, err
	}
	if b.sum.State, err = c.State(b.ctx); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

// log copies the segments up to the position that the index has applied.
func (b *run) log() error {
	entries, err := os.ReadDir(filepath.Join(b.o.From, "log"))
	if err != nil {
		return err
	}
	for _, e := range entries {
		n, _, ok := fsblob.ParseSegment(e.Name())
		applied := b.sum.State.Applied
		if !ok || n > applied.Segment {
			continue
		}
		limit := int64(-1)
		if n == applied.Segment {
			limit = applied.Offset
		}
		if err := b.copy(filepath.Join("log", e.Name()), limit); err != nil {
			return err
		}
	}
	return nil
}

// files copies the objects that are files of their own.
func (b *run) files(x Copy) error {
	for l, err := range x.All(b.ctx) {
		if err != nil {
			return err
		}
		if path, ok := fsblob.FileOf(l.Ref); ok {
			if err := b.copy(filepath.Join("objects", filepath.FromSlash(path)), -1); err != nil {
				return err
			}
		}
	}
	return nil
}

// tarEnd is the end of a TAR archive: two blocks of zeros.
const tarEnd = 1024

// copy copies a file, or limit bytes of it and the end of a TAR archive. One that is there
// with the right size is kept: what is copied here never changes.
func (b *run) copy(name string, limit int64) error {
	if err := context.Cause(b.ctx); err != nil {
		return err
	}
	src, err := os.Open(filepath.Join(b.o.From, name))
	if err != nil {
		return err
	}
	defer src.Close()
	st, err := src.Stat()
	if err != nil {
		return err
	}
	size := st.Size()
	if limit >= 0 {
		size = limit + tarEnd
	}
	to := filepath.Join(b.o.To, name)
	if have, err := os.Stat(to); err == nil && have.Size() == size {
		b.sum.Kept++
		return nil
	}
	if limit < 0 {
		limit = size
	}
	if err := b.write(to, io.NewSectionReader(src, 0, limit), size); err != nil {
		return err
	}
	b.sum.Copied++
	b.sum.Bytes += limit
	if b.o.Step != nil {
		b.o.Step(b.sum.Copied, b.sum.Bytes)
	}
	return nil
}

// write makes a whole file of a size or none: what r lacks of it is zeros.
func (b *run) write(to string, r io.Reader, size int64) (err error) {
	dir := filepath.Dir(to)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	tmp, err := os.CreateTemp(filepath.Join(b.o.To, "tmp"), "copy-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			os.Remove(tmp.Name())
		}
	}()
	_, err = io.Copy(tmp, r)
	err = errors.Join(err, tmp.Truncate(size), tmp.Sync(), tmp.Close())
	if err != nil {
		return err
	}
	for d := dir; len(d) >= len(b.o.To); d = filepath.Dir(d) {
		if b.dirs == nil {
			b.dirs = map[string]bool{}
		}
		b.dirs[d] = true
	}
	return os.Rename(tmp.Name(), to)
}

// finish makes the backup the one that its new index describes.
func (b *run) finish() error {
	for d := range b.dirs {
		if err := syncPath(d); err != nil {
			return err
		}
	}
	if err := b.outdated(); err != nil {
		return err
	}
	for _, suffix := range []string{"-wal", "-shm"} { // of a backup that was served
		if err := os.Remove(filepath.Join(b.o.To, indexName+suffix)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	if err := os.Rename(filepath.Join(b.o.To, newIndex), filepath.Join(b.o.To, indexName)); err != nil {
		return err
	}
	return syncPath(b.o.To)
}

// outdated removes segments that were rewritten since an earlier backup copied them.
func (b *run) outdated() error {
	entries, err := os.ReadDir(filepath.Join(b.o.To, "log"))
	if err != nil {
		return err
	}
	for _, e := range entries {
		n, _, ok := fsblob.ParseSegment(e.Name())
		if !ok || n >= b.sum.State.Applied.Segment {
			continue
		}
		_, err := os.Stat(filepath.Join(b.o.From, "log", e.Name()))
		if errors.Is(err, fs.ErrNotExist) {
			err = os.Remove(filepath.Join(b.o.To, "log", e.Name()))
		}
		if err != nil {
			return err
		}
	}
	return nil
}
