package fsblob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"gantry/internal/archive/blob"
	"gantry/internal/archive/record"
)

// Errors of damaged objects.
var (
	ErrSums = errors.New("the bytes are not those that were stored")
	ErrSize = errors.New("the object has another length than when it was stored")
)

// Verify compares an object's bytes, which r has from its head on, with their sums.
func Verify(r io.ReaderAt, s record.Sums) error {
	for _, p := range [2]struct {
		off, n int64
		crc    uint32
	}{{0, s.Head, s.HeadCRC}, {s.Head, s.Data, s.DataCRC}} {
		section := &counter{r: io.NewSectionReader(r, p.off, p.n)}
		crc, err := checksum(section)
		if err != nil {
			return err
		}
		if section.n != p.n {
			return fmt.Errorf("%w: %d bytes of %d", ErrSums, section.n, p.n)
		}
		if crc != p.crc {
			return ErrSums
		}
	}
	return nil
}

type counter struct {
	r io.Reader
	n int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

// mendWait is how long Mend waits for readers.
const mendWait = time.Minute

// Mend writes an object's bytes again, from a copy that has been verified, syncs them, and
// reads them back. Nobody reads the object meanwhile. A crash leaves it as damaged as it was.
func (s *Store) Mend(ctx context.Context, r record.Ref, sums record.Sums, from io.ReaderAt) error {
	p, err := parseRef(r)
	if err != nil {
		return err
	}
	if p.size != sums.Size() {
		return fmt.Errorf("mend: %d bytes for a place of %d", sums.Size(), p.size)
	}
	if err := Verify(from, sums); err != nil {
		return fmt.Errorf("mend: the copy: %w", err)
	}
	s.rewriting.Lock()
	defer s.rewriting.Unlock()
	if err := s.isCurrent(p); err != nil {
		return fmt.Errorf("mend: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, mendWait)
	defer cancel()
	if err := s.inUse.erase(ctx, r); err != nil {
		return fmt.Errorf("mend: object is still being read: %w", err)
	}
	defer s.inUse.erased(r)
	if p.path != "" {
		return s.mendFile(p, sums, from)
	}
	h, err := s.handles.get(p.segment)
	if err != nil {
		return notFound(err)
	}
	defer s.handles.put(h)
	if _, err := copyRange(h.f, p.offset, from, 0, p.size); err != nil {
		return fmt.Errorf("mend: %w", err)
	}
	if err := h.f.Sync(); err != nil {
		return s.syncFailed(err)
	}
	return Verify(io.NewSectionReader(h.f, p.offset, p.size), sums)
}

// isCurrent returns an error for a place in a generation of a segment that is no more read.
func (s *Store) isCurrent(p place) error {
	if p.path != "" {
		return nil
	}
	id, err := s.current(p.segment.number)
	if err == nil && id != p.segment {
		err = fmt.Errorf("%w: the segment was rewritten meanwhile", blob.ErrNotFound)
	}
	return err
}

// mendFile writes a file beside the damaged one and puts it in its place.
func (s *Store) mendFile(p place, sums record.Sums, from io.ReaderAt) error {
	tmp := filepath.Join(s.dir, "tmp", "mend-"+string(record.NewID(time.Now())))
	f, err := s.fs.OpenFile(tmp, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = copyRange(f, 0, from, 0, p.size)
	if err == nil {
		err = f.Sync()
	}
	if err == nil {
		err = Verify(f, sums)
	}
	if err = errors.Join(err, f.Close()); err != nil {
		s.remove(tmp)
		return err
	}
	name := s.objectPath(p.path)
	if err := s.dirs.ensure(s.fs, filepath.Dir(name)); err != nil {
		return err
	}
	if err := s.fs.Rename(tmp, name); err != nil {
		return err
	}
	return s.fs.SyncDir(filepath.Dir(name))
}

// OpenCopy opens an object in the folder of a backup, where it lies as it does here, or in
// a segment that was rewritten here or there since.
func OpenCopy(dir string, r record.Ref, id record.ID) (blob.Object, error) {
	p, err := parseRef(r)
	if err != nil {
		return nil, err
	}
	o, err := openCopy(dir, p)
	if p.path != "" || !errors.Is(err, blob.ErrNotFound) {
		return o, err
	}
	entries, derr := os.ReadDir(filepath.Join(dir, "log"))
	if derr != nil {
		return nil, notFound(derr)
	}
	for _, e := range entries {
		if n, g, ok := ParseSegment(e.Name()); ok && n == p.segment.number {
			if q, ok := findCopy(filepath.Join(dir, "log", e.Name()), segmentID{n, g}, id); ok {
				return openCopy(dir, q)
			}
		}
	}
	return nil, err
}

func openCopy(dir string, p place) (blob.Object, error) {
	file, least, _ := Where(p.ref())
	f, err := os.Open(filepath.Join(dir, filepath.FromSlash(file)))
	if err != nil {
		return nil, notFound(err)
	}
	st, err := f.Stat()
	if err == nil && st.Size() < least {
		err = fmt.Errorf("%w: the backup is older", blob.ErrNotFound)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &object{SectionReader: io.NewSectionReader(f, p.offset, p.size), head: p.head, close: f.Close}, nil
}

// findCopy looks for an object in a segment of a backup.
func findCopy(name string, segment segmentID, id record.ID) (place, bool) {
	f, err := os.Open(name)
	if err != nil {
		return place{}, false
	}
	defer f.Close()
	st, err := f.Stat()
	for at := int64(0); err == nil && at < st.Size(); {
		var m scanned
		if m, err = readMember(f, at, st.Size()); err == nil && m.env.ID == id && m.packed() {
			return place{segment: segment, offset: m.body, head: m.sums.Head, size: m.sums.Size()}, true
		}
		at = m.end
	}
	return place{}, false
}
