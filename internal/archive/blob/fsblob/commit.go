package fsblob

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"gantry/internal/archive/blob"
	"gantry/internal/archive/record"
	"gantry/internal/vfs"
)

// member is a record made ready to be appended.
type member struct {
	bufs [][]byte
	lead int64 // bytes before the body
	size int64 // all bytes, padded
	sums record.Sums
	path string // of a file
	load *chunks
}

// Commit implements blob.Store: folders are synced, then the segment is written once and
// synced once for all records.
func (s *Store) Commit(ctx context.Context, recs []blob.Record) ([]record.Stored, error) {
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	members := make([]member, len(recs))
	defer func() {
		for i := range members {
			if members[i].load != nil {
				members[i].load.free()
			}
		}
	}()
	for i := range recs {
		if err := s.ready(ctx, &recs[i], &members[i]); err != nil {
			return nil, err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.usable(); err != nil {
		return nil, err
	}
	if err := s.syncFolders(members); err != nil {
		return nil, s.fail(err)
	}
	stored, err := s.append(members)
	if err != nil {
		return nil, err
	}
	s.fullAt.Store(0)
	for i := range recs {
		if g, ok := recs[i].Staged.(*staged); ok {
			g.finish()
		}
	}
	return stored, nil
}

// ready encodes a record.
func (s *Store) ready(ctx context.Context, r *blob.Record, m *member) error {
	e := &r.Envelope
	var g *staged
	if r.Staged != nil {
		var ok bool
		if g, ok = r.Staged.(*staged); !ok || g.s != s {
			return errors.New("object staged in another store")
		}
		if err := g.Prepare(ctx, e); err != nil {
			return err
		}
		m.sums = g.sums()
	} else if e.Kind.HasObject() {
		return fmt.Errorf("a %s record without an object", e.Kind)
	}
	env, err := e.Marshal()
	if err != nil {
		return err
	}
	name := ""
	if e.Kind == record.Put {
		name = Hierarchical.name(e, false)
	}
	lead := appendMember(nil, env, name, m.sums, e.Received)
	m.bufs, m.lead, m.size, m.path = [][]byte{lead}, int64(len(lead)), int64(len(lead)), e.Path
	if e.Kind == record.Put {
		return m.addBody(g)
	}
	return nil
}

func (m *member) addBody(g *staged) error {
	body := &g.mem
	if g.file != nil { // spilled for want of memory, small enough to be packed
		m.load = new(chunks)
		body = m.load
		if err := load(body, g); err != nil {
			return err
		}
	}
	m.bufs = append(append(m.bufs, g.head), body.list...)
	m.size += align(m.sums.Size())
	m.bufs = append(m.bufs, make([]byte, align(m.sums.Size())-m.sums.Size()))
	return nil
}

func load(c *chunks, g *staged) error {
	for c.size < g.size {
		c.add()
		room := c.room()
		n, err := g.ReadAt(room[:min(int64(len(room)), g.size-c.size)], c.size)
		if n == 0 {
			return fmt.Errorf("read back a staged object: %w", err)
		}
		last := &c.list[len(c.list)-1]
		*last = (*last)[:len(*last)+n]
		c.size += int64(n)
	}
	return nil
}

// syncFolders makes the names of the batch's files durable, each folder once.
func (s *Store) syncFolders(members []member) error {
	var dirs []string
	for _, m := range members {
		if m.path != "" {
			dirs = append(dirs, filepath.Dir(s.objectPath(m.path)))
		}
	}
	slices.SortFunc(dirs, strings.Compare)
	for _, d := range slices.Compact(dirs) {
		if err := s.fs.SyncDir(d); err != nil {
			return err
		}
	}
	return nil
}

// append writes the members behind each other and syncs. A batch is never divided between
// two segments: it is in the log as a whole, or no part of it is.
func (s *Store) append(members []member) ([]record.Stored, error) {
	var size int64
	for i := range members {
		size += members[i].size
	}
	if s.end > 0 && s.end+size+2*block > s.o.SegmentSize {
		if err := s.roll(); err != nil {
			return nil, err
		}
	}
	out := make([]record.Stored, len(members))
	return out, s.write(members, out)
}

func (s *Store) write(members []member, out []record.Stored) error {
	var bufs [][]byte
	at := s.end
	for i := range members {
		m := &members[i]
		bufs = append(bufs, m.bufs...)
		p := place{segment: segmentID{number: s.seg.number}, offset: at + m.lead, head: m.sums.Head, size: m.sums.Size(), path: m.path}
		at += m.size
		out[i] = record.Stored{Position: record.Position{Segment: s.seg.number, Offset: at}, Sums: m.sums}
		if m.sums.Size() > 0 || m.path != "" {
			out[i].Ref = p.ref()
		}
	}
	if _, err := s.seg.f.WriteVec(bufs, s.end); err != nil {
		return s.undo(err)
	}
	if err := s.seg.f.Sync(); err != nil {
		return s.fail(err)
	}
	s.end = at
	return nil
}

// undo takes a batch back that found no room. Any other error is final.
func (s *Store) undo(err error) error {
	if !vfs.IsNoSpace(err) {
		return s.fail(err)
	}
	if terr := s.seg.f.Truncate(s.end); terr != nil {
		return s.fail(errors.Join(err, terr))
	}
	return s.full(err)
}

// Seal ends the last segment, so that it can be rewritten when a record in the next one was
// applied.
func (s *Store) Seal() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.usable(); err != nil || s.end == 0 {
		return err
	}
	return s.roll()
}

// roll seals the segment and makes the next one.
func (s *Store) roll() error {
	next, err := s.createSegment(s.next)
	if err != nil {
		if vfs.IsNoSpace(err) {
			return s.full(err)
		}
		return s.fail(err)
	}
	if err := s.seal(s.seg, s.end); err != nil {
		return s.fail(errors.Join(err, next.f.Close(), s.fs.Remove(s.segmentPath(next.number))))
	}
	s.seg, s.end, s.next = next, 0, next.number+1
	return nil
}

func (s *Store) full(err error) error {
	if s.fullAt.Swap(time.Now().UnixNano()) == 0 {
		s.o.Log.Error("object store is full, storing is refused until there is room", "error", err)
	}
	return fmt.Errorf("%w: %w", blob.ErrFull, err)
}

// fail ends all storing until the store is opened again, which recovers it: after an
// error nobody knows what of the tail is on disk, and another sync would not tell.
func (s *Store) fail(err error) error {
	if s.failed.CompareAndSwap(nil, &err) {
		s.o.Log.Error("object store failed, storing is refused until a restart recovers it", "error", err)
	}
	return fmt.Errorf("%w: %w", blob.ErrFailed, err)
}

// syncFailed is fail for an object's own file: a disk that lost one write is not trusted
// with the next.
func (s *Store) syncFailed(err error) error {
	if vfs.IsNoSpace(err) {
		return err
	}
	return s.fail(err)
}
