package fsblob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"gantry/internal/archive/blob"
	"gantry/internal/archive/record"
	"gantry/internal/vfs"
)

// A sealed segment can be rewritten: into a file of the next generation, with the same
// records in the same order, but for those of objects that are gone, and with objects moved
// between segment and files. The new generation counts as soon as it has its name; the one
// before stays until nobody has its refs any more.

// Rewriting says what becomes of a segment's records.
type Rewriting struct {
	Purged  func(record.ID) bool                     // objects that are left out, with what is recorded about them but their purge
	Migrate bool                                     // bring the objects into the store's own layout
	Pace    func(ctx context.Context, n int64) error // told of bytes before they are copied; may wait
	// Switch is given where the objects are now, when that is durable. When it returns
	// without an error nobody is given the old refs any more.
	Switch func(ctx context.Context, segment uint64, generation uint32) error
}

// Rewritten is what came of it.
type Rewritten struct {
	Before, After  int64 // bytes of the segment
	Dropped, Moved int   // objects left out, objects that have another layout now
	Unreadable     int   // objects left as they are since their bytes are not what was stored
}

// Errors of Rewrite.
var (
	ErrActive  = errors.New("segment is still written to")
	ErrDamaged = errors.New("segment is damaged: mend it first, see gantry fsck")
)

// Rewrite rewrites a sealed segment.
func (s *Store) Rewrite(ctx context.Context, number uint64, o Rewriting) (Rewritten, error) {
	s.rewriting.Lock()
	defer s.rewriting.Unlock()
	w := &rewriter{s: s, o: o, dropped: map[record.ID]bool{}}
	if err := w.open(number); err != nil {
		return w.did, fmt.Errorf("rewrite segment %d: %w", number, err)
	}
	defer s.handles.put(w.from)
	err := w.write(ctx)
	if err == nil {
		err = o.Switch(ctx, number, w.to.generation)
	}
	if err != nil {
		return w.did, fmt.Errorf("rewrite segment %d: %w", number, err)
	}
	return w.did, nil
}

type rewriter struct {
	s       *Store
	o       Rewriting
	from    *handle
	size    int64
	to      segmentID
	f       vfs.File
	end     int64
	folders map[string]bool // to be synced
	dropped map[record.ID]bool
	did     Rewritten
}

// open finds the segment's last generation.
func (w *rewriter) open(number uint64) error {
	w.s.mu.Lock()
	active := w.s.seg == nil || number >= w.s.seg.number
	w.s.mu.Unlock()
	if active {
		return ErrActive
	}
	id, err := w.s.current(number)
	if err != nil {
		return err
	}
	w.to = segmentID{number, id.generation + 1}
	if w.from, err = w.s.handles.get(id); err != nil {
		return err
	}
	w.size, err = w.from.f.Size()
	w.did.Before = w.size
	if err != nil {
		w.s.handles.put(w.from)
	}
	return err
}

// current returns the last generation of a segment.
func (s *Store) current(number uint64) (segmentID, error) {
	segs, err := s.segments()
	for _, id := range segs {
		if id.number == number {
			return id, nil
		}
	}
	return segmentID{}, errors.Join(err, fmt.Errorf("segment %d: %w", number, blob.ErrNotFound))
}

// write makes the new generation durable under its name.
func (w *rewriter) write(ctx context.Context) (err error) {
	tmp := filepath.Join(w.s.dir, "tmp", w.to.String())
	if w.f, err = w.s.fs.OpenFile(tmp, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600); err != nil {
		return err
	}
	err = w.records(ctx)
	if err == nil {
		err = w.syncFolders()
	}
	if err == nil {
		err = w.f.Truncate(w.end + 2*block) // the end of a TAR archive
	}
	if err == nil {
		err = w.f.Sync()
	}
	if err = errors.Join(err, w.f.Close()); err != nil {
		return errors.Join(asFull(err), w.s.fs.Remove(tmp))
	}
	w.did.After = w.end + 2*block
	if err := w.s.fs.Rename(tmp, w.s.idPath(w.to)); err != nil {
		return err
	}
	return w.s.fs.SyncDir(filepath.Join(w.s.dir, "log"))
}

func (w *rewriter) syncFolders() error {
	for dir := range w.folders {
		if err := w.s.fs.SyncDir(dir); err != nil {
			return err
		}
	}
	return nil
}

func (w *rewriter) records(ctx context.Context) error {
	for at := int64(0); at < w.size; {
		m, err := readMember(w.from.f, at, w.size)
		if errors.Is(err, io.EOF) {
			next, garbage, err := resync(w.from.f, at+block, w.size)
			if err == nil && (garbage || next < w.size) {
				err = ErrDamaged
			}
			return err
		}
		if errors.Is(err, errBadMember) {
			return fmt.Errorf("%w: at %d: %w", ErrDamaged, at, err)
		}
		if err != nil {
			return err
		}
		if err := w.record(ctx, &m); err != nil {
			return err
		}
		at = m.end
	}
	return nil
}

// record copies a record, or what becomes of it.
func (w *rewriter) record(ctx context.Context, m *scanned) error {
	switch {
	case m.env.Kind.HasObject() && w.o.Purged(m.env.ID):
		w.dropped[m.env.ID] = true
		w.did.Dropped++
		return nil
	case w.dropped[m.env.Of] && m.env.Kind != record.Purge: // an older index is to hear of that
		return nil
	}
	if err := w.s.checkRoomFor(m.end - m.start + m.sums.Size()); err != nil {
		return err
	}
	if err := w.o.Pace(ctx, m.end-m.start); err != nil {
		return err
	}
	switch l := m.logged(w.to); {
	case !w.o.Migrate || !w.s.Misplaced(&l):
		return w.copy(m)
	case m.packed():
		return w.unpack(m)
	}
	return w.pack(m)
}

func (w *rewriter) copy(m *scanned) (err error) {
	w.end, err = copyRange(w.f, w.end, w.from.f, m.start, m.end-m.start)
	return err
}

// unpack makes an object a file of its own. One whose bytes are not what was stored stays
// where it is.
func (w *rewriter) unpack(m *scanned) error {
	body := io.NewSectionReader(w.from.f, m.body, m.sums.Size())
	if err := Verify(body, m.sums); err != nil {
		w.did.Unreadable++
		return w.copy(m)
	}
	path, err := w.file(&m.env, body, m.sums)
	if err != nil {
		return err
	}
	w.did.Moved++
	m.env.Kind, m.env.Path = record.File, path
	return w.lead(m, "")
}

// pack makes a file a part of the segment.
func (w *rewriter) pack(m *scanned) error {
	if err := w.s.checkFile(m); err != nil {
		w.did.Unreadable++
		return w.copy(m)
	}
	f, err := w.s.fs.OpenFile(w.s.objectPath(m.env.Path), os.O_RDONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := Verify(f, m.sums); err != nil {
		w.did.Unreadable++
		return w.copy(m)
	}
	w.did.Moved++
	m.env.Kind, m.env.Path = record.Put, ""
	if err := w.lead(m, Hierarchical.name(&m.env, false)); err != nil {
		return err
	}
	w.end, err = copyRange(w.f, w.end, f, 0, m.sums.Size())
	return err
}

// lead writes all of a record that comes before its body.
func (w *rewriter) lead(m *scanned, name string) error {
	env, err := m.env.Marshal()
	if err != nil {
		return err
	}
	lead := appendMember(nil, env, name, m.sums, m.env.Received)
	_, err = w.f.WriteAt(lead, w.end)
	w.end += int64(len(lead))
	return err
}

// file makes a file of an object and returns its path. One that an attempt before this one
// has left is taken as it is.
func (w *rewriter) file(e *record.Envelope, body io.ReaderAt, sums record.Sums) (string, error) {
	tmp := filepath.Join(w.s.dir, "tmp", "object-"+string(record.NewID(time.Now())))
	f, err := w.s.fs.OpenFile(tmp, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return "", err
	}
	_, err = copyRange(f, 0, body, 0, sums.Size())
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		var path string
		if path, err = w.name(tmp, e, sums); err == nil {
			return path, w.s.fs.Remove(tmp)
		}
	}
	return "", errors.Join(err, w.s.fs.Remove(tmp))
}

func (w *rewriter) name(tmp string, e *record.Envelope, sums record.Sums) (string, error) {
	for _, unique := range []bool{false, true} {
		path := w.s.o.Naming.name(e, unique)
		full := w.s.objectPath(path)
		if err := w.s.dirs.ensure(w.s.fs, filepath.Dir(full)); err != nil {
			return "", err
		}
		err := w.s.fs.Link(tmp, full)
		if errors.Is(err, fs.ErrExist) && w.left(full, sums) {
			err = nil
		}
		if errors.Is(err, fs.ErrExist) && !unique {
			continue
		}
		if w.folders == nil {
			w.folders = map[string]bool{}
		}
		w.folders[filepath.Dir(full)] = true
		return path, err
	}
	return "", fs.ErrExist
}

// left reports whether a file has an object's bytes.
func (w *rewriter) left(name string, sums record.Sums) bool {
	f, err := w.s.fs.OpenFile(name, os.O_RDONLY, 0)
	if err != nil {
		return false
	}
	defer f.Close()
	size, err := f.Size()
	return err == nil && size == sums.Size() && Verify(f, sums) == nil
}

// checkRoomFor refuses to write n bytes that would take the room that is to stay free.
func (s *Store) checkRoomFor(n int64) error {
	if s.o.MinFree < 0 {
		return nil
	}
	sp, err := s.fs.Space(s.dir)
	if err == nil && sp.Free-n <= s.floor(sp) {
		err = fmt.Errorf("%w: %d bytes more would leave less free room than storage.min_free", blob.ErrFull, n)
	}
	return err
}

// Moves yields where the objects of a segment's last generation are.
func (s *Store) Moves(ctx context.Context, number uint64, yield func(record.Moved) error) error {
	id, err := s.current(number)
	if err != nil {
		return err
	}
	var failed error
	_, err = s.replaySegment(ctx, id, 0, func(l record.Logged, err error) bool {
		if err == nil && l.Err == nil && l.Envelope.Kind.HasObject() {
			err = yield(record.Moved{Record: l.Envelope.ID, Instance: l.Envelope.Instance, Ref: l.Stored.Ref})
		}
		failed = err
		return err == nil
	})
	return errors.Join(err, failed)
}

// Generations returns how often each segment was rewritten, those never rewritten left out,
// and whether an older generation is still there.
func (s *Store) Generations() (last map[uint64]uint32, older map[uint64]bool, err error) {
	all, err := s.generations()
	last, older = map[uint64]uint32{}, map[uint64]bool{}
	for i, id := range all {
		if id.generation > 0 {
			last[id.number] = id.generation
		}
		if i > 0 && all[i-1].number == id.number {
			older[id.number] = true
		}
	}
	return last, older, err
}

// Retire removes the generations of a segment before the last one, when all objects are
// known by their new refs: first the files whose objects the segment holds now.
func (s *Store) Retire(ctx context.Context, number uint64) error {
	s.rewriting.Lock()
	defer s.rewriting.Unlock()
	all, err := s.generations()
	if err != nil {
		return err
	}
	var ids []segmentID
	for _, id := range all {
		if id.number == number {
			ids = append(ids, id)
		}
	}
	for i := range max(0, len(ids)-1) {
		if err := s.removePacked(ctx, ids[i], ids[len(ids)-1]); err != nil {
			return err
		}
		s.handles.retire(ids[i])
		if err := s.fs.Remove(s.idPath(ids[i])); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return s.fs.SyncDir(filepath.Join(s.dir, "log"))
}

// removePacked removes the files that an old generation names and whose objects are in the
// segment by now.
func (s *Store) removePacked(ctx context.Context, old, last segmentID) error {
	packed := map[record.ID]bool{}
	_, err := s.replaySegment(ctx, last, 0, func(l record.Logged, err error) bool {
		if l.Err == nil && l.Envelope.Kind == record.Put {
			packed[l.Envelope.ID] = true
		}
		return err == nil
	})
	if err != nil {
		return err
	}
	var failed error
	_, err = s.replaySegment(ctx, old, 0, func(l record.Logged, err error) bool {
		if l.Err == nil && l.Envelope.Kind == record.File && packed[l.Envelope.ID] {
			failed = s.Erase(ctx, l.Stored.Ref)
		}
		return failed == nil
	})
	return errors.Join(err, failed)
}

// Misplaced reports whether an object lies in another layout than the store's own.
func (s *Store) Misplaced(l *record.Logged) bool {
	if s.o.Naming == Pack {
		return l.Envelope.Kind == record.File && l.Stored.Sums.Size() <= s.o.PackMax
	}
	return l.Envelope.Kind == record.Put
}
