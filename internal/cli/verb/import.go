package verb

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"gantry/dicom"
	"gantry/dicom/part10"
	"gantry/internal/archive/blob"
	"gantry/internal/archive/ingest"
)

// Archive is what objects are imported into.
type Archive interface {
	Begin(context.Context, ingest.Hint) (*ingest.Writer, error)
}

// Import brings files into an archive that lies on this machine.
type Import struct {
	Common
	Sources
	Jobs      int  // files at a time
	Truncated bool // take files that were cut off, too
	Halt      bool // stop at the first that fails
	Progress  bool // show progress, even when not on a terminal
}

// Run imports everything.
func (o *Import) Run(ctx context.Context, s *Stdio, into Archive) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	t := &importing{o: o, s: s, into: into, start: time.Now(), cancel: cancel}
	t.progress = newProgress(s, o.Say == Normal && (o.Progress || isTerminal(s.Err)), t.howFar)
	t.all(ctx)
	t.progress.end()
	if err := t.summary(); err != nil {
		return err
	}
	return t.outcome(ctx)
}

// importing is an Import under way. Its counters are read while it works.
type importing struct {
	o        *Import
	s        *Stdio
	into     Archive
	progress *progress
	start    time.Time
	cancel   context.CancelCauseFunc

	kinds                [ingest.Ignored + 1]atomic.Int64
	found, failed, other atomic.Int64 // other: no DICOM files
	bytes                atomic.Int64
	scanned, full        atomic.Bool
}

// all imports on o.Jobs goroutines what another one finds. That one is not waited for when
// ctx ends: it may wait for a name on standard input.
func (t *importing) all(ctx context.Context) {
	files := make(chan source)
	go t.scan(ctx, files)
	var workers sync.WaitGroup
	for range max(1, t.o.Jobs) {
		workers.Go(func() {
			for t.next(ctx, files) {
			}
		})
	}
	workers.Wait()
}

// scan finds the files.
func (t *importing) scan(ctx context.Context, files chan<- source) {
	defer close(files)
	for src, err := range t.o.Sources.all(t.s) {
		if ctx.Err() != nil {
			return
		}
		t.found.Add(1)
		if err != nil {
			t.fail(src, err)
			continue
		}
		select {
		case files <- src:
		case <-ctx.Done():
		}
	}
	t.scanned.Store(true)
}

// next imports the next file, and reports whether there was one.
func (t *importing) next(ctx context.Context, files <-chan source) bool {
	select {
	case src, ok := <-files:
		if ok {
			t.one(ctx, src)
		}
		return ok
	case <-ctx.Done():
		return false
	}
}

// one imports one file.
func (t *importing) one(ctx context.Context, src source) {
	out, err := t.bring(ctx, src)
	switch {
	case errors.Is(err, part10.ErrNotDICOM):
		t.other.Add(1)
		t.o.says(t.s, Verbose, "%s: not a DICOM file", src.name)
		return
	case err != nil:
		t.fail(src, err)
		return
	}
	t.kinds[out.Kind].Add(1)
	t.bytes.Add(out.Size)
	t.o.says(t.s, Verbose, "%s: %s", src.name, kindNames[out.Kind])
}

var kindNames = [...]string{
	ingest.Stored: "stored", ingest.Identical: "was there", ingest.Conflict: "kept beside a different object of its UID",
	ingest.Superseded: "kept in place of a different object of its UID", ingest.Ignored: "left out: a different object of its UID is there",
}

// flaw stops at a file that ends where none should, and so may have lost frames. Whatever
// else deviates is kept as it is.
func (o *Import) flaw(f dicom.Flaw) error {
	switch f.Kind {
	case dicom.FlawTruncated, dicom.FlawTrailing, dicom.FlawNoDelimiter:
		if !o.Truncated {
			return &f
		}
	}
	return nil
}

// bring brings an object in as it stands in its file, whose elements are looked at first.
func (t *importing) bring(ctx context.Context, src source) (ingest.Outcome, error) {
	f, done, err := src.open(dicom.DecodeOptions{OnFlaw: t.o.flaw})
	if err != nil {
		return ingest.Outcome{}, err
	}
	defer done()
	head, err := f.Head()
	if err != nil {
		return ingest.Outcome{}, err
	}
	w, err := t.into.Begin(ctx, ingest.Hint{Syntax: f.Syntax, Meta: head, Size: f.Size() - f.DataSetOffset})
	if err != nil {
		return ingest.Outcome{}, err
	}
	defer w.Discard()
	data := f.DataSetReader()
	switch n, err := io.Copy(w, data); {
	case err != nil:
		return ingest.Outcome{}, err
	case n != data.Size():
		return ingest.Outcome{}, errChanged
	}
	return w.Commit(ctx)
}

var errChanged = errors.New("became shorter while it was read: import it again when nobody writes it")

// fail counts a file that did not get in. Without room no other would.
func (t *importing) fail(src source, err error) {
	if errors.Is(err, context.Canceled) || errors.Is(err, errHalt) {
		return // a failure before stopped it
	}
	t.failed.Add(1)
	t.progress.clear()
	t.o.says(t.s, Normal, "%s: %v", src.name, withoutPrefix(err, src.name))
	if full := errors.Is(err, blob.ErrFull); full || t.o.Halt {
		if full && !t.full.Swap(true) {
			t.o.says(t.s, Normal, "make room and import again: what is there already is not stored twice")
		}
		t.cancel(errHalt)
	}
}

func (t *importing) done() (n int64) {
	for i := range t.kinds {
		n += t.kinds[i].Load()
	}
	return n
}

func (t *importing) outcome(ctx context.Context) error {
	switch {
	case t.found.Load() == 0 && ctx.Err() == nil:
		return Fail(NoInput, "no file to import")
	case t.failed.Load() == 0 && ctx.Err() == nil && t.done() > 0:
		return nil
	case t.done() > 0:
		return Ended(Partial)
	case t.failed.Load() == 0 && ctx.Err() == nil:
		return Fail(Nothing, "none of %d files is a DICOM file", t.found.Load())
	}
	return Ended(Failed)
}

func (t *importing) summary() error {
	stored, there := t.kinds[ingest.Stored].Load(), t.kinds[ingest.Identical].Load()
	beside, instead, ignored := t.kinds[ingest.Conflict].Load(), t.kinds[ingest.Superseded].Load(), t.kinds[ingest.Ignored].Load()
	if t.o.JSON {
		return outcomeJSON(t.s.Out, map[string]any{"stored": stored, "wasThere": there, "keptBeside": beside, "keptInPlace": instead,
			"leftOut": ignored, "failed": t.failed.Load(), "notDicom": t.other.Load(), "bytes": t.bytes.Load(), "seconds": time.Since(t.start).Seconds()})
	}
	fmt.Fprintf(t.s.Out, "%d stored, %d were there", stored, there)
	for _, more := range []struct {
		n    int64
		what string
	}{{beside, "kept beside a different object of their UID"}, {instead, "kept in place of a different object of their UID"},
		{ignored, "left out beside a different object of their UID"}, {t.other.Load(), "not DICOM"}} {
		if more.n > 0 {
			fmt.Fprintf(t.s.Out, ", %d %s", more.n, more.what)
		}
	}
	_, err := fmt.Fprintf(t.s.Out, ", %d failed, %d bytes\n", t.failed.Load(), t.bytes.Load())
	return err
}

// howFar is the line of progress.
func (t *importing) howFar() string {
	all := t.found.Load()
	if !t.scanned.Load() {
		all = 0
	}
	return howFar(t.done()+t.failed.Load()+t.other.Load(), all, t.failed.Load(), t.bytes.Load(), time.Since(t.start))
}
