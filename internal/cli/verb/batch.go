package verb

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"
	"time"

	"gantry/dicom"
	"gantry/dicom/uid"
	"gantry/dimse"
)

// heldAnswers is how many answers of a query wait while those of the queries before it are
// printed. The association of a query that has more stands still meanwhile, so that memory
// stays flat however long the batch and the answers are.
const heldAnswers = 16

// maxAnswer bounds one answer of a batch.
const maxAnswer = 1 << 20

// task is a query of a batch under way.
type task struct {
	batchQuery
	answers chan *dicom.DataSet // closed at the end; err is set before
	failure error
}

// batching is a batch under way: one goroutine reads lines, Jobs ask, and the caller's
// prints in the order of the lines.
type batching struct {
	o     *Find
	s     *Stdio
	class uid.UID
	pool  *dimse.Pool
	w     *bufio.Writer
	out   batchAnswers
	told  sync.Once // of what the peer does not do

	asked, found, failed int
	connect              error
}

// runBatch asks what the lines of a file say.
func (o *Find) runBatch(ctx context.Context, s *Stdio) (err error) {
	b := &batching{o: o, s: s}
	base, err := b.prepare()
	if err != nil {
		return err
	}
	in, err := batchFile(o.Batch, s.In)
	if err != nil {
		return err
	}
	defer in.Close()
	defer b.pool.Close()
	w, done, err := o.output(s)
	if err != nil {
		return err
	}
	b.w = w
	b.out = o.batchAnswers(w, base)
	ctx, cancel := context.WithCancel(ctx)
	var workers sync.WaitGroup
	err = b.print(ctx, b.start(ctx, &workers, batch(in, base)))
	interrupted := ctx.Err() != nil
	cancel()
	if o.Batch != "-" { // a read of standard input ends when it likes
		workers.Wait()
	}
	if e := errors.Join(b.out.end(), done()); e != nil && err == nil {
		err = Fail(Output, "%w", e)
	}
	if err != nil {
		return err
	}
	return b.outcome(interrupted)
}

// prepare finds what is wrong before anything is sent.
func (b *batching) prepare() (*dicom.DataSet, error) {
	o := b.o
	switch {
	case o.Jobs < 1 || o.Jobs > maxJobs:
		return nil, Fail(Usage, "%d associations at a time: want 1 to %d", o.Jobs, maxJobs)
	case o.Extract != "" || o.OneXML != "":
		return nil, Fail(Usage, "answers to a batch are printed, not extracted")
	}
	var err error
	if b.class, err = o.class(finds); err != nil {
		return nil, err
	}
	identifiers, err := o.questions()
	if err != nil {
		return nil, err
	}
	if o.batchAnswers(nil, identifiers[0]) == nil {
		return nil, Fail(Usage, "format %q: want %s", o.Layout, layouts[Modern])
	}
	d, err := o.dialer([]dimse.Context{{Class: b.class, Syntaxes: o.Syntaxes}})
	if err != nil {
		return nil, err
	}
	d.Limits.MaxIdentifier = maxAnswer
	b.pool = &dimse.Pool{Dialer: *d, Called: o.Called, Addr: o.Addr, Max: o.Jobs, Idle: time.Minute}
	return identifiers[0], nil
}

// start returns the tasks in the order of their lines. A task is there before a worker has
// it, and workers take them in that order: the one being printed is always being asked.
func (b *batching) start(ctx context.Context, workers *sync.WaitGroup, queries iter.Seq[batchQuery]) <-chan *task {
	work, tasks := make(chan *task), make(chan *task, 2*b.o.Jobs)
	for range b.o.Jobs {
		workers.Go(func() {
			for t := range work {
				t.failure = b.ask(ctx, t)
				close(t.answers)
			}
		})
	}
	workers.Go(func() {
		defer close(tasks)
		defer close(work)
		for q := range queries {
			t := &task{batchQuery: q, answers: make(chan *dicom.DataSet, heldAnswers)}
			select {
			case tasks <- t:
			case <-ctx.Done():
				return
			}
			select {
			case work <- t:
			case <-ctx.Done():
				t.failure = ctx.Err()
				close(t.answers)
				return
			}
		}
	})
	return tasks
}

// ask sends a query, once more when the held association turns out to have ended before
// anything came.
func (b *batching) ask(ctx context.Context, t *task) error {
	if t.err != nil {
		return t.err
	}
	for again := true; ; again = false {
		a, err := b.pool.Get(ctx)
		if err != nil {
			return Fail(Connect, "%s at %s: %w%s", b.o.Called, b.o.Addr, err, hint(err))
		}
		n, err := b.stream(ctx, a, t)
		ended := a.Err() != nil
		b.pool.Put(a)
		if err == nil || n > 0 || !ended || !again || ctx.Err() != nil {
			return err
		}
	}
}

func (b *batching) stream(ctx context.Context, a *dimse.Assoc, t *task) (n int, err error) {
	b.told.Do(func() { b.o.optionsOf(b.s, a, b.class) })
	for ds, err := range a.FindAt(ctx, b.o.priority(), b.class, t.identifier) {
		if err != nil {
			return n, fmt.Errorf("C-FIND: %w", err)
		}
		if n++; b.o.Most > 0 && n > b.o.Most {
			break // which sends C-CANCEL
		}
		select {
		case t.answers <- ds:
		case <-ctx.Done():
			return n, ctx.Err()
		}
	}
	return n, nil
}

// print prints the answers, query by query. Without an association there is no use in going
// on: it stops at the first query that got none.
func (b *batching) print(ctx context.Context, tasks <-chan *task) error {
	for {
		t := next(ctx, tasks)
		if t == nil {
			return nil
		}
		if err := b.out.begin(t.batchQuery); err != nil {
			return Fail(Output, "%w", err)
		}
		for ds := range t.answers {
			b.found++
			if err := b.out.answer(ds); err != nil {
				return Fail(Output, "%w", err)
			}
		}
		if ctx.Err() != nil {
			t.failure = errors.New("stopped")
		}
		if err := errors.Join(b.out.finish(t.failure), b.w.Flush()); err != nil {
			return Fail(Output, "%w", err)
		}
		if b.asked++; t.failure == nil {
			continue
		}
		b.failed++
		b.o.says(b.s, Normal, "%s line %d: %v", b.o.Batch, t.line, t.failure)
		var e *Error
		if errors.As(t.failure, &e) && e.Outcome == Connect {
			b.connect = Fail(Connect, "stopped: nothing from line %d on was asked", t.line)
			return nil
		}
	}
}

// next waits for a task; nil is the end.
func next(ctx context.Context, tasks <-chan *task) *task {
	select {
	case t := <-tasks:
		return t
	case <-ctx.Done():
		return nil
	}
}

func (b *batching) outcome(interrupted bool) error {
	b.o.says(b.s, Verbose, "%d queries, %d answers, %d failed", b.asked, b.found, b.failed)
	switch {
	case b.connect != nil && b.asked == b.failed:
		return b.connect
	case b.connect != nil:
		return Fail(Partial, "%w", b.connect)
	case b.asked == 0 && !interrupted:
		return Fail(NoInput, "no query in %s", b.o.Batch)
	case b.failed == 0 && b.found > 0 && !interrupted:
		return nil
	case b.failed == 0 && !interrupted:
		return Ended(Nothing)
	case b.failed < b.asked:
		return Ended(Partial)
	}
	return Ended(Failed)
}
