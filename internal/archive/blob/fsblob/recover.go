package fsblob

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"gantry/internal/archive/record"
	"gantry/internal/vfs"
)

// superseded is the note that begins a segment made by recovery: all behind this position
// of an earlier segment was copied and is to be cut off.
type superseded struct {
	Segment uint64 `json:"superseded_segment"`
	Offset  int64  `json:"superseded_offset"`
	Damaged bool   `json:"damaged,omitempty"` // keep the earlier one aside, for a closer look
}

// recover finds the log's end. Records behind what the index applied are copied into a
// new segment with its own sync: after kill -9 their pages may be in memory only, and
// after a failed sync they may be marked as written without being on disk.
func (s *Store) recover(ctx context.Context) error {
	segs, err := s.segments()
	if err != nil {
		return err
	}
	applied := s.o.Applied
	if len(segs) == 0 {
		if !applied.IsZero() {
			return fmt.Errorf("%w: it applied %v, the log is empty", ErrAhead, applied)
		}
		s.seg, err = s.createSegment(1)
		s.next = 2
		return err
	}
	last := segs[len(segs)-1].number // never rewritten
	f, err := s.openSegment(segmentID{number: last})
	if err != nil {
		return err
	}
	s.seg, s.next = &segment{last, f}, last+1
	size, err := f.Size()
	if err != nil {
		return err
	}
	if applied.Segment > last || applied.Segment == last && applied.Offset > size {
		return fmt.Errorf("%w: it applied %v, the log ends at %d:%d at the latest", ErrAhead, applied, last, size)
	}
	if err := s.finishRecovery(f, size); err != nil {
		return err
	}
	from := int64(0)
	if applied.Segment == last {
		from = applied.Offset
	}
	tail, damaged, err := s.tail(ctx, f, from, size, applied.IsZero())
	if err != nil {
		return err
	}
	if len(tail) == 0 && !damaged {
		return s.reuse(from)
	}
	return s.moveTail(tail, superseded{last, from, damaged})
}

// finishRecovery cuts off what the last recovery has copied, if it was interrupted then.
func (s *Store) finishRecovery(f vfs.File, size int64) error {
	m, err := readMember(f, 0, size)
	if err != nil || m.env.Kind != record.Note {
		return nil
	}
	var note superseded
	if err := json.Unmarshal(m.env.Note, &note); err != nil || note.Segment == 0 {
		return nil
	}
	return s.cut(note)
}

// cut ends a segment at an offset, or removes it when nothing is left. One with damage
// that nobody can date is kept under another name.
func (s *Store) cut(at superseded) error {
	name := s.segmentPath(at.Segment)
	st, err := s.fs.Stat(name)
	if errors.Is(err, fs.ErrNotExist) || err == nil && st.Size() == at.Offset+2*block {
		return nil
	}
	if err != nil {
		return err
	}
	if at.Damaged {
		return errors.Join(s.fs.Rename(name, name+".damaged"), s.fs.SyncDir(filepath.Dir(name)))
	}
	if at.Offset == 0 {
		return errors.Join(s.fs.Remove(name), s.fs.SyncDir(filepath.Dir(name)))
	}
	f, err := s.openSegment(segmentID{number: at.Segment})
	if err != nil {
		return err
	}
	return errors.Join(f.Truncate(at.Offset), f.Truncate(at.Offset+2*block), f.Sync(), f.Close())
}

// tail returns the whole records from an offset on. The first damage ends it: nothing
// behind was acknowledged. Only when nobody knows what was, all is searched.
func (s *Store) tail(ctx context.Context, r io.ReaderAt, at, limit int64, search bool) (out []scanned, damaged bool, err error) {
	erased, err := purges(r, at, limit, search)
	if err != nil {
		return nil, false, err
	}
	for at < limit {
		if err := context.Cause(ctx); err != nil {
			return nil, false, err
		}
		m, err := readMember(r, at, limit)
		if err == nil && !erased[m.env.ID] {
			err = m.verify(r)
		}
		if errors.Is(err, io.EOF) || errors.Is(err, errBadMember) {
			if !search {
				return out, false, nil
			}
			next, garbage, rerr := resync(r, at+block, limit)
			if rerr != nil {
				return nil, false, rerr
			}
			if !errors.Is(err, io.EOF) || garbage || next < limit {
				s.o.Log.Warn("damage in the last segment", "segment", s.seg.number, "offset", at, "error", err)
				damaged = true
			}
			at = next
			continue
		}
		if err != nil {
			return nil, false, err
		}
		at = m.end
		var note superseded
		if m.env.Kind == record.Note && json.Unmarshal(m.env.Note, &note) == nil && note.Segment != 0 {
			continue
		}
		if err := s.checkFile(&m); err != nil && !erased[m.env.ID] {
			s.o.Log.Warn("record of a file that was not kept", "segment", s.seg.number, "offset", m.start, "error", err)
			continue
		}
		out = append(out, m)
	}
	return out, damaged, nil
}

// purges finds the objects that records behind an offset let erase: an index that is older
// than the log has them before it, and their bytes are gone without being damaged.
func purges(r io.ReaderAt, at, limit int64, search bool) (map[record.ID]bool, error) {
	out := map[record.ID]bool{}
	for at < limit {
		m, err := readMember(r, at, limit)
		switch {
		case (errors.Is(err, io.EOF) || errors.Is(err, errBadMember)) && !search:
			return out, nil
		case errors.Is(err, io.EOF) || errors.Is(err, errBadMember):
			if at, _, err = resync(r, at+block, limit); err != nil {
				return nil, err
			}
			continue
		case err != nil:
			return nil, err
		case m.env.Kind == record.Purge:
			out[m.env.Of] = true
		}
		at = m.end
	}
	return out, nil
}

// reuse goes on in the last segment behind what the index applied.
func (s *Store) reuse(end int64) error {
	f := s.seg.f
	if err := f.Truncate(end); err != nil {
		return err
	}
	if err := f.Allocate(max(end, s.o.SegmentSize)); err != nil && !vfs.IsNoSpace(err) {
		return err
	}
	s.end = end
	return f.Sync()
}

// moveTail copies records into a new segment, which becomes the last one, and cuts the
// old one.
func (s *Store) moveTail(tail []scanned, from superseded) error {
	old := s.seg
	next, end, err := s.copyTail(tail, from)
	if vfs.IsNoSpace(err) {
		if err = s.ReleaseReserve(); err == nil {
			next, end, err = s.copyTail(tail, from)
		}
	}
	if err != nil {
		return err
	}
	s.seg, s.end, s.next = next, end, next.number+1
	return errors.Join(old.f.Close(), s.cut(from))
}

func (s *Store) copyTail(tail []scanned, from superseded) (_ *segment, end int64, err error) {
	number := s.seg.number + 1
	tmp := filepath.Join(s.dir, "tmp", filepath.Base(s.segmentPath(number)))
	f, err := s.fs.OpenFile(tmp, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, 0, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, f.Close())
		}
	}()
	if end, err = s.writeTail(f, tail, from); err != nil {
		return nil, 0, err
	}
	if err := f.Allocate(max(end, s.o.SegmentSize)); err != nil && !vfs.IsNoSpace(err) {
		return nil, 0, err
	}
	if err := f.Sync(); err != nil {
		return nil, 0, err
	}
	if err := s.fs.Rename(tmp, s.segmentPath(number)); err != nil {
		return nil, 0, err
	}
	if err := s.fs.SyncDir(filepath.Join(s.dir, "log")); err != nil {
		return nil, 0, err
	}
	return &segment{number, f}, end, nil
}

func (s *Store) writeTail(f vfs.File, tail []scanned, from superseded) (int64, error) {
	note, err := json.Marshal(from)
	if err != nil {
		return 0, err
	}
	now := time.Now().UTC()
	env := record.Envelope{V: record.Version, Kind: record.Note, ID: record.NewID(now), Received: now, Note: note}
	b, err := env.Marshal()
	if err != nil {
		return 0, err
	}
	lead := appendMember(nil, b, "", record.Sums{}, now)
	if _, err := f.WriteAt(lead, 0); err != nil {
		return 0, err
	}
	end := int64(len(lead))
	for _, m := range tail {
		if end, err = copyRange(f, end, s.seg.f, m.start, m.end-m.start); err != nil {
			return 0, err
		}
	}
	return end, nil
}

// copyRange copies n bytes and returns the block-aligned end of the copy.
func copyRange(dst vfs.File, to int64, src io.ReaderAt, from, n int64) (int64, error) {
	buf := make([]byte, min(n, 1<<20))
	for n > 0 {
		b := buf[:min(n, int64(len(buf)))]
		if err := readFull(src, b, from); err != nil {
			return 0, err
		}
		if _, err := dst.WriteAt(b, to); err != nil {
			return 0, err
		}
		k := int64(len(b))
		to, from, n = to+k, from+k, n-k
	}
	return align(to), nil
}
