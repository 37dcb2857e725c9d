package fsblob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"path/filepath"
	"strings"

	"gantry/internal/archive/blob"
	"gantry/internal/archive/record"
)

// Replay implements blob.Replayer. Bodies are not read; damaged places are yielded with
// an error and left behind. A segment that was rewritten is read from its begin: the offset
// may be one of the generation before, of an index that is older than the log.
func (s *Store) Replay(ctx context.Context, from record.Position) iter.Seq2[record.Logged, error] {
	return func(yield func(record.Logged, error) bool) {
		segs, err := s.segments()
		if err != nil {
			yield(record.Logged{}, err)
			return
		}
		for _, n := range segs {
			if n.number < from.Segment {
				continue
			}
			at := int64(0)
			if n.number == from.Segment && n.generation == 0 {
				at = from.Offset
			}
			if more, err := s.replaySegment(ctx, n, at, yield); err != nil {
				yield(record.Logged{}, err)
				return
			} else if !more {
				return
			}
		}
	}
}

func (s *Store) replaySegment(ctx context.Context, n segmentID, at int64, yield func(record.Logged, error) bool) (more bool, err error) {
	h, err := s.handles.get(n)
	if err != nil {
		return false, err
	}
	defer s.handles.put(h)
	limit, err := s.limit(h)
	if err != nil {
		return false, err
	}
	for at < limit {
		if err := context.Cause(ctx); err != nil {
			return false, err
		}
		m, err := readMember(h.f, at, limit)
		l := m.logged(n)
		switch {
		case errors.Is(err, io.EOF) || errors.Is(err, errBadMember):
			next, garbage, rerr := resync(h.f, at+block, limit)
			if rerr != nil {
				return false, rerr
			}
			at = next
			if errors.Is(err, io.EOF) && (next == limit && !garbage) {
				continue // the end
			}
			l = record.Logged{Stored: record.Stored{Position: record.Position{Segment: n.number, Offset: next}}, Err: err}
		case err != nil:
			return false, err
		default:
			at = m.end
			l.Err = s.checkFile(&m)
		}
		if !yield(l, nil) {
			return false, nil
		}
	}
	return true, nil
}

// limit returns where a segment's records end at the latest.
func (s *Store) limit(h *handle) (int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.seg != nil && h.id == (segmentID{number: s.seg.number}) {
		return s.end, nil
	}
	return h.f.Size()
}

// checkFile returns an error when the file that a record names is missing or has not the
// length that it had.
func (s *Store) checkFile(m *scanned) error {
	if m.env.Kind != record.File {
		return nil
	}
	if !filepath.IsLocal(filepath.FromSlash(m.env.Path)) {
		return fmt.Errorf("%w: path leads out of the store", errBadMember)
	}
	st, err := s.fs.Stat(s.objectPath(m.env.Path))
	if err != nil {
		return err
	}
	if st.Size() != m.sums.Size() {
		return fmt.Errorf("%w: file of %d bytes had %d", errBadMember, st.Size(), m.sums.Size())
	}
	return nil
}

// List implements blob.Lister: the objects of all records, then the files that no record
// names, or that a crash kept from being erased.
func (s *Store) List(ctx context.Context) iter.Seq2[blob.Info, error] {
	return func(yield func(blob.Info, error) bool) {
		named, paths := map[string]bool{}, map[record.ID]string{}
		for l, err := range s.Replay(ctx, record.Position{}) {
			if err != nil {
				yield(blob.Info{}, err)
				return
			}
			if path := paths[l.Envelope.Of]; l.Envelope.Kind == record.Purge && path != "" {
				delete(named, path)
			}
			if l.Envelope.Kind == record.File { // of a damaged one too: it is no orphan
				named[l.Envelope.Path], paths[l.Envelope.ID] = true, l.Envelope.Path
			}
			if l.Err != nil || !l.Envelope.Kind.HasObject() {
				continue
			}
			if !yield(blob.Info{Ref: l.Stored.Ref, Size: l.Stored.Sums.Size()}, nil) {
				return
			}
		}
		s.listFiles(ctx, "", named, yield)
	}
}

func (s *Store) listFiles(ctx context.Context, dir string, named map[string]bool, yield func(blob.Info, error) bool) bool {
	l, err := s.fs.ReadDir(s.objectPath(dir))
	if err != nil {
		return errors.Is(err, fs.ErrNotExist) || yield(blob.Info{}, err)
	}
	for _, e := range l {
		name := strings.TrimPrefix(dir+"/"+e.Name(), "/")
		if e.IsDir() {
			if ctx.Err() != nil || !s.listFiles(ctx, name, named, yield) {
				return false
			}
			continue
		}
		if named[name] {
			continue
		}
		st, err := s.fs.Stat(s.objectPath(name))
		if err != nil {
			continue // gone meanwhile
		}
		if !yield(blob.Info{Ref: place{size: st.Size(), path: name}.ref(), Size: st.Size(), Orphan: true}, nil) {
			return false
		}
	}
	return true
}
