// Package scrub reads stored objects again, little by little, and compares them with the
// sums they were stored with. A damaged one is mended from another copy, or flagged: then
// queries still find it, and nobody is sent wrong bytes.
package scrub

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync/atomic"
	"syscall"
	"time"

	"gantry/dicom/uid"
	"gantry/internal/archive/blob"
	"gantry/internal/archive/blob/fsblob"
	"gantry/internal/archive/index"
	"gantry/internal/archive/record"
)

// Store is the part of an object store that is needed.
type Store interface {
	Open(context.Context, record.Ref) (blob.Object, error)
	Mend(ctx context.Context, r record.Ref, s record.Sums, from io.ReaderAt) error
}

// Index is the part of an index that is needed.
type Index interface {
	After(ctx context.Context, key int64, n int) (page []index.Location, last int64, err error)
	Kept(context.Context, uid.UID) ([]index.Location, error)
	Scrub(context.Context) (key int64, ended time.Time, err error)
	SetScrub(ctx context.Context, key int64, ended time.Time) error
	SetDamaged(ctx context.Context, l *index.Location, reason string, now time.Time) error
	SetMended(context.Context, *index.Location) error
	Damaged(ctx context.Context, limit int) ([]index.Damaged, error)
}

// Scrubber reads an archive again and again.
type Scrubber struct {
	Store  Store
	Index  Index
	Guard  *Guard
	Rate   int64         // bytes a second
	Every  time.Duration // from the end of a round to the begin of the next
	Backup string        // folder of a backup to mend from, empty for none
	Busy   func() bool   // whether senders are at work: then it reads at a quarter of the rate; nil is never
	Now    func() time.Time
	Sleep  func(context.Context, time.Duration) error // nil is by the clock
	Log    *slog.Logger

	Read, Objects, Found, Mended atomic.Int64 // bytes, objects, damage, since the start
}

// Run scrubs until ctx ends.
func (s *Scrubber) Run(ctx context.Context) {
	for ctx.Err() == nil {
		_, ended, err := s.Index.Scrub(ctx)
		if err == nil {
			// A clock that was set back must not stop it for ever, nor one set forward.
			err = s.sleep(ctx, min(s.Every, max(0, s.Every-s.Now().Sub(ended))))
		}
		if err == nil {
			err = s.Round(ctx)
		}
		if err != nil && ctx.Err() == nil {
			s.Log.Error("stored objects cannot be read again, trying later", "error", err)
			err = s.sleep(ctx, time.Minute)
		}
		if err != nil {
			return
		}
	}
}

func (s *Scrubber) sleep(ctx context.Context, d time.Duration) error {
	if s.Sleep != nil {
		return s.Sleep(ctx, d)
	}
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// pageObjects is after how many objects the position is written down.
const pageObjects = 64

// Round goes on where the last one was interrupted and ends behind the last object.
func (s *Scrubber) Round(ctx context.Context) error {
	key, ended, err := s.Index.Scrub(ctx)
	if err != nil {
		return err
	}
	for {
		page, last, err := s.Index.After(ctx, key, pageObjects)
		if err != nil {
			return err
		}
		if len(page) == 0 {
			return s.Index.SetScrub(ctx, 0, s.Now())
		}
		for i := range page {
			if err := s.object(ctx, &page[i]); err != nil {
				return err
			}
		}
		key = last
		if err := s.Index.SetScrub(ctx, key, ended); err != nil {
			return err
		}
	}
}

// object reads an object and does what is to be done about it.
func (s *Scrubber) object(ctx context.Context, l *index.Location) error {
	bad := s.verify(ctx, l)
	if bad != nil && ctx.Err() == nil {
		bad = s.verify(ctx, l) // what cannot be read twice is damaged
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	s.Objects.Add(1)
	if bad == nil {
		return s.clear(ctx, l)
	}
	if !isDamage(bad) {
		s.Log.Warn("object cannot be read now, trying in the next round", "record", l.Record, "error", bad)
		return nil
	}
	kept, err := s.Index.Kept(ctx, l.Instance)
	if err != nil {
		return err
	}
	switch now := find(kept, l); {
	case now == nil: // purged meanwhile
		return nil
	case now.Ref != l.Ref: // it lies elsewhere by now
		return s.object(ctx, now)
	}
	return s.Damage(ctx, l, kept, bad)
}

// isDamage tells damage from a machine in trouble.
func isDamage(err error) bool {
	return errors.Is(err, fsblob.ErrSums) || errors.Is(err, blob.ErrNotFound) || errors.Is(err, fsblob.ErrSize) || errors.Is(err, syscall.EIO) ||
		errors.Is(err, io.ErrUnexpectedEOF)
}

// find returns what is kept of an object.
func find(kept []index.Location, l *index.Location) *index.Location {
	for i := range kept {
		if kept[i].Record == l.Record {
			return &kept[i]
		}
	}
	return nil
}

// clear takes the flag off an object that was damaged and is well.
func (s *Scrubber) clear(ctx context.Context, l *index.Location) error {
	if !s.Guard.Has(l.Ref) {
		return nil
	}
	if err := s.Index.SetMended(ctx, l); err != nil {
		return err
	}
	s.Guard.Remove(l.Ref)
	return nil
}

func (s *Scrubber) verify(ctx context.Context, l *index.Location) error {
	return fsblob.Verify(&slow{s, ctx, l.Ref}, l.Sums)
}

// Damage flags a damaged object first, so that nobody is sent its bytes, and then mends it
// when there is another copy.
func (s *Scrubber) Damage(ctx context.Context, l *index.Location, kept []index.Location, bad error) error {
	if !s.Guard.Has(l.Ref) {
		s.Found.Add(1)
	}
	s.Guard.Add(l.Ref)
	if err := s.Index.SetDamaged(ctx, l, bad.Error(), s.Now()); err != nil {
		return err
	}
	from, err := s.mend(ctx, l, kept)
	if err != nil {
		s.Log.Error("damaged object: it is not sent to anybody until it is mended; see gantry fsck --repair",
			"record", l.Record, "instance", l.Instance, "error", bad, "mend", err)
		return ctx.Err()
	}
	s.Mended.Add(1)
	s.Log.Warn("damaged object was mended", "record", l.Record, "instance", l.Instance, "error", bad, "from", from)
	return s.clear(ctx, l)
}

var errNoCopy = errors.New("no other copy")

// mend writes the object's bytes again, from another version that has the same ones or from
// the backup.
func (s *Scrubber) mend(ctx context.Context, l *index.Location, kept []index.Location) (from string, err error) {
	err = errNoCopy
	for i := range kept {
		k := &kept[i]
		if k.Record == l.Record || k.Sums != l.Sums || k.Syntax != l.Syntax || k.Class != l.Class {
			continue
		}
		o, oerr := s.Store.Open(ctx, k.Ref)
		if oerr != nil {
			continue
		}
		err = s.Store.Mend(ctx, l.Ref, l.Sums, o)
		if o.Close(); err == nil {
			return "version " + fmt.Sprint(k.Version), nil
		}
	}
	if s.Backup == "" {
		return "", err
	}
	o, oerr := fsblob.OpenCopy(s.Backup, l.Ref, l.Record)
	if oerr != nil {
		return "", fmt.Errorf("backup: %w", oerr)
	}
	defer o.Close()
	return "backup", s.Store.Mend(ctx, l.Ref, l.Sums, o)
}

// slow reads at the scrubber's rate. It opens the object for each part: to be erased, a
// large one need not wait for the hours that the scrubber takes.
type slow struct {
	s   *Scrubber
	ctx context.Context
	ref record.Ref
}

// ReadAt implements io.ReaderAt.
func (r *slow) ReadAt(p []byte, off int64) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := r.part(p, off)
	r.s.Read.Add(int64(n))
	rate := r.s.Rate
	if r.s.Busy != nil && r.s.Busy() {
		rate /= 4
	}
	if rate > 0 {
		pause := time.Duration(float64(n) / float64(rate) * float64(time.Second))
		if serr := r.s.sleep(r.ctx, pause); serr != nil {
			return n, serr
		}
	}
	return n, err
}

func (r *slow) part(p []byte, off int64) (int, error) {
	o, err := r.s.Store.Open(r.ctx, r.ref)
	if err != nil {
		return 0, err
	}
	defer o.Close()
	return o.ReadAt(p, off)
}
