// Package fsck compares an archive's object store with its index, both ways, and reads
// every stored byte again to compare it with its checksum. It changes nothing.
package fsck

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"iter"

	"gantry/dicom/uid"
	"gantry/internal/archive/blob"
	"gantry/internal/archive/index"
	"gantry/internal/archive/record"
)

// Store is the part of an object store that is looked at.
type Store interface {
	Open(context.Context, record.Ref) (blob.Object, error)
	blob.Replayer
	blob.Lister
}

// Index is the part of an index that is looked at.
type Index interface {
	Kept(ctx context.Context, instance uid.UID) ([]index.Location, error)
	// All yields every instance there is, hidden ones and all versions too.
	All(context.Context) iter.Seq2[index.Location, error]
}

// Kind says what is wrong.
type Kind string

// What can be wrong, and what mends it.
const (
	DamagedRecord Kind = "damaged record" // a record of the log cannot be read: restore it from a backup
	DamagedObject Kind = "damaged object" // stored bytes are not those that came: restore it from a backup
	NotIndexed    Kind = "not indexed"    // in the store, not in the index: reindex
	NotStored     Kind = "not stored"     // in the index, not in the store: restore it from a backup, then reindex
	Orphan        Kind = "orphan"         // a file that no record names: left by a crash, may be removed
	Differs       Kind = "index differs"  // the index says something else of it than the log: reindex
)

// Mend says what to do about a finding.
func (k Kind) Mend() string {
	switch k {
	case NotIndexed, Differs:
		return "gantry reindex"
	case Orphan:
		return "remove the file"
	}
	return "restore from a backup"
}

// Finding is one thing that is wrong. It names no patient.
type Finding struct {
	Kind     Kind       `json:"kind"`
	Instance uid.UID    `json:"sopInstanceUID,omitempty"`
	Record   record.ID  `json:"record,omitempty"`
	Ref      record.Ref `json:"ref,omitempty"`
	Where    string     `json:"where,omitempty"` // position in the log
	Reason   string     `json:"reason,omitempty"`
	Mend     string     `json:"mend"`
}

// Options tune a check.
type Options struct {
	Quick  bool                               // leave the objects' bytes unread
	Report func(Finding)                      // told of everything that is wrong
	Step   func(objects int, readBytes int64) // told how far it is, after each object
}

// Summary is what was looked at.
type Summary struct {
	Objects  int   `json:"objects"` // of the store
	Bytes    int64 `json:"bytes"`   // that were read and compared
	Indexed  int   `json:"indexed"` // instances of the index
	Findings int   `json:"findings"`
}

// Run checks an archive that nobody writes to.
func Run(ctx context.Context, s Store, x Index, o Options) (Summary, error) {
	c := &check{store: s, index: x, o: o, purged: map[record.ID]bool{}, stored: map[record.ID]bool{}}
	for _, step := range []func(context.Context) error{c.purges, c.log, c.indexed, c.orphans} {
		if err := step(ctx); err != nil {
			return c.sum, err
		}
	}
	return c.sum, nil
}

type check struct {
	store  Store
	index  Index
	o      Options
	sum    Summary
	purged map[record.ID]bool // objects that were deleted for good
	stored map[record.ID]bool // objects of the log
	buf    [64 << 10]byte
}

func (c *check) report(f Finding) {
	c.sum.Findings++
	f.Mend = f.Kind.Mend()
	if c.o.Report != nil {
		c.o.Report(f)
	}
}

// purges finds what the log says is gone.
func (c *check) purges(ctx context.Context) error {
	for l, err := range c.store.Replay(ctx, record.Position{}) {
		if err != nil {
			return err
		}
		if l.Err == nil && l.Envelope.Kind == record.Purge {
			c.purged[l.Envelope.Of] = true
		}
	}
	return nil
}

// log goes over the records: each object must be whole and in the index.
func (c *check) log(ctx context.Context) error {
	for l, err := range c.store.Replay(ctx, record.Position{}) {
		if err != nil {
			return err
		}
		if c.purged[l.Envelope.ID] {
			continue
		}
		if l.Err != nil {
			c.stored[l.Envelope.ID] = true // as far as it can be read: said once is enough
			c.report(Finding{Kind: DamagedRecord, Instance: l.Envelope.Instance, Record: l.Envelope.ID, Where: l.Stored.Position.String(), Reason: l.Err.Error()})
			continue
		}
		if !l.Envelope.Kind.HasObject() {
			continue
		}
		if err := c.object(ctx, &l); err != nil {
			return err
		}
	}
	return nil
}

func (c *check) object(ctx context.Context, l *record.Logged) error {
	e := &l.Envelope
	c.stored[e.ID] = true
	c.sum.Objects++
	f := Finding{Instance: e.Instance, Record: e.ID, Ref: l.Stored.Ref, Where: l.Stored.Position.String()}
	if !c.o.Quick {
		if err := c.read(ctx, l); err != nil {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			f.Kind, f.Reason = DamagedObject, err.Error()
			c.report(f)
		}
	}
	if err := c.compare(ctx, l, f); err != nil {
		return err
	}
	if c.o.Step != nil {
		c.o.Step(c.sum.Objects, c.sum.Bytes)
	}
	return nil
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// read compares the stored bytes with their checksums.
func (c *check) read(ctx context.Context, l *record.Logged) error {
	obj, err := c.store.Open(ctx, l.Stored.Ref)
	if err != nil {
		return err
	}
	defer obj.Close()
	s := l.Stored.Sums
	if obj.Size() != s.Size() {
		return fmt.Errorf("%d bytes, %d were stored", obj.Size(), s.Size())
	}
	head, err1 := c.crc(io.NewSectionReader(obj, 0, s.Head))
	data, err2 := c.crc(io.NewSectionReader(obj, s.Head, s.Data))
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	if head != s.HeadCRC || data != s.DataCRC {
		return errors.New("the bytes are not those that were stored")
	}
	return nil
}

func (c *check) crc(r io.Reader) (uint32, error) {
	sum := uint32(0)
	for {
		n, err := r.Read(c.buf[:])
		sum = crc32.Update(sum, castagnoli, c.buf[:n])
		c.sum.Bytes += int64(n)
		if err == io.EOF {
			return sum, nil
		}
		if err != nil {
			return sum, err
		}
	}
}

// compare asks the index what it knows of an object.
func (c *check) compare(ctx context.Context, l *record.Logged, f Finding) error {
	kept, err := c.index.Kept(ctx, l.Envelope.Instance)
	if err != nil {
		return err
	}
	for i := range kept {
		k := &kept[i]
		if k.Record != l.Envelope.ID {
			continue
		}
		if k.Ref != l.Stored.Ref || k.Sums != l.Stored.Sums || k.Syntax != l.Envelope.Syntax || k.Class != l.Envelope.Class {
			f.Kind = Differs
			c.report(f)
		}
		return nil
	}
	f.Kind = NotIndexed
	c.report(f)
	return nil
}

// indexed goes over the index: what it has must be in the log.
func (c *check) indexed(ctx context.Context) error {
	for l, err := range c.index.All(ctx) {
		if err != nil {
			return err
		}
		c.sum.Indexed++
		if !c.stored[l.Record] {
			c.report(Finding{Kind: NotStored, Instance: l.Instance, Record: l.Record, Ref: l.Ref})
		}
	}
	return nil
}

func (c *check) orphans(ctx context.Context) error {
	for info, err := range c.store.List(ctx) {
		if err != nil {
			return err
		}
		if info.Orphan {
			c.report(Finding{Kind: Orphan, Ref: info.Ref})
		}
	}
	return nil
}
