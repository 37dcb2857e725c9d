package verb

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"sync/atomic"
	"time"

	"gantry/dicom/uid"
	"gantry/internal/archive/egress"
)

// Store sends objects to a peer (C-STORE, PS3.4 annex B).
type Store struct {
	Common
	Peer
	Sources
	OnlyFiles  bool // what has no file meta information is refused
	Halt       bool // stop at the first object that fails
	Allowed    []uid.UID
	Decoding   Decoding // what compressed objects may become where the peer does not take them
	Combine    bool     // one context for a class, with all syntaxes
	Single     bool     // one association, whatever it takes
	Jobs       int      // associations at a time
	Retries    int      // how often to try again after a failure that may pass
	Repeat     int      // how often to send everything
	Report     string
	Resume     bool // leave out what the report says was sent
	Progress   bool // show progress, even when not on a terminal
	Rename     bool // append .done or .bad to files
	Abort      bool
	retryAfter time.Duration // first pause before trying again; default one second
	gate       *egress.Gate
}

// Decoding says which objects may be decoded where the peer does not take their transfer
// syntax. Nothing is ever compressed with loss.
type Decoding uint8

// What may be decoded.
const (
	DecodeAll      Decoding = iota
	DecodeLossless          // what is compressed without loss
	DecodeNever             // nothing, nor is anything encoded
)

// maxRetryPause bounds the pause before a retry.
const maxRetryPause = time.Minute

// Run sends everything.
func (o *Store) Run(ctx context.Context, s *Stdio) error {
	if err := o.check(); err != nil {
		return err
	}
	if _, err := o.dialer(nil); err != nil {
		return err
	}
	r, err := openReport(o)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	t := &storing{o: o, s: s, report: r, start: time.Now(), cancel: cancel}
	shown := o.Say == Normal && o.Form != DCMTK && o.Form != Odil && (o.Progress || isTerminal(s.Err))
	t.progress = newProgress(s, shown, t.howFar)
	t.all(ctx)
	t.progress.end()
	if err := r.finish(t); err != nil {
		return Fail(Output, "report: %w", err)
	}
	t.summary()
	return t.outcome(ctx)
}

func (o *Store) check() error {
	if len(o.Inputs) == 0 {
		return Fail(NoInput, "no file to send")
	}
	if o.Resume && o.Report == "" {
		return Fail(Usage, "to resume, the report file of the run before is wanted")
	}
	o.gate = egress.New("")
	if o.Jobs < 1 {
		o.Jobs = 1
	}
	if o.Jobs > maxJobs {
		return Fail(Usage, "%d associations at a time are too many: at most %d", o.Jobs, maxJobs)
	}
	return nil
}

const maxJobs = 64

// errHalt ends the work at the first failure, when that is wanted.
var errHalt = errors.New("stopped at the first failure")

// storing is a Store under way. Its counters are read while it works.
type storing struct {
	o        *Store
	s        *Stdio
	report   *report
	progress *progress
	start    time.Time
	cancel   context.CancelCauseFunc

	found, skipped       atomic.Int64
	absent               atomic.Int64 // of found: there is no such file
	sent, warned, failed atomic.Int64
	bytes                atomic.Int64
	scanned              atomic.Bool

	mu      sync.Mutex
	connect error // why there was no association
}

// all scans on this goroutine and sends on o.Jobs others.
func (t *storing) all(ctx context.Context) {
	batches := make(chan []sending)
	var workers sync.WaitGroup
	for range t.o.Jobs {
		workers.Go(func() {
			for b := range batches {
				t.send(ctx, b)
			}
		})
	}
	for range max(1, t.o.Repeat) {
		t.scan(ctx, batches)
	}
	t.scanned.Store(true)
	close(batches)
	workers.Wait()
}

// scan plans batches.
func (t *storing) scan(ctx context.Context, batches chan<- []sending) {
	p := planner{o: t.o}
	emit := func() {
		if len(p.batch) == 0 {
			return
		}
		select {
		case batches <- p.batch:
		case <-ctx.Done():
		}
		p = planner{o: t.o}
	}
	for src, err := range t.o.Sources.all(t.s) {
		if ctx.Err() != nil {
			return
		}
		if t.report.had(src.name) {
			t.skipped.Add(1)
			continue
		}
		t.found.Add(1)
		var f sending
		if err == nil {
			f, err = t.o.inspect(src)
		}
		if err != nil {
			t.fail(src, err, 0)
			continue
		}
		if !p.fits(f) {
			emit()
		}
		p.add(f)
	}
	emit()
}

// fail counts an object that was not sent.
func (t *storing) fail(src source, err error, status uint16) {
	t.failed.Add(1)
	if errors.Is(err, fs.ErrNotExist) {
		t.absent.Add(1)
	}
	t.progress.clear()
	if t.o.Form == Odil {
		fmt.Fprintf(t.s.Out, "Could not store %s: %v\n", src.name, err)
	} else {
		t.o.says(t.s, Normal, "%s: %v", src.name, withoutPrefix(err, src.name))
	}
	t.report.add(src.name, false, err, status)
	t.o.rename(t.s, src, ".bad")
	if t.o.Halt {
		t.cancel(errHalt)
	}
}

func (t *storing) outcome(ctx context.Context) error {
	sent, failed := t.sent.Load(), t.failed.Load()
	t.mu.Lock()
	connect := t.connect
	t.mu.Unlock()
	switch {
	case connect != nil && sent == 0:
		return connect
	case t.found.Load() == 0 && t.skipped.Load() > 0:
		return nil
	case t.found.Load() == t.absent.Load():
		return Fail(NoInput, "no file to send")
	case failed == 0 && ctx.Err() == nil:
		return nil
	case sent > 0:
		return Ended(Partial)
	}
	return Ended(Failed)
}

func (t *storing) summary() {
	o, d := t.o, time.Since(t.start)
	sent, warned, failed, bytes := t.sent.Load(), t.warned.Load(), t.failed.Load(), t.bytes.Load()
	switch {
	case o.JSON:
		outcomeJSON(t.s.Out, map[string]any{"sent": sent, "warnings": warned, "failed": failed, "sentBefore": t.skipped.Load(), "bytes": bytes, "seconds": d.Seconds()})
	case o.Form == Modern:
		more := ""
		if n := t.skipped.Load(); n > 0 {
			more = fmt.Sprintf(", %d sent before", n)
		}
		fmt.Fprintf(t.s.Out, "%d sent, %d with a warning, %d failed, %d bytes%s\n", sent, warned, failed, bytes, more)
	case o.Form == Described && o.Say > Quiet:
		fmt.Fprintf(t.s.Out, "\nSummary\n  Files processed: %d\n  Successful:      %d\n  Warnings:        %d\n  Failed:          %d\n", t.found.Load(), sent-warned, warned, failed)
		fmt.Fprintf(t.s.Out, "  Data sent:       %s\n  Total time:      %d ms\n  Throughput:      %.2f MB/s\n  Avg time/file:   %.1f ms\n  Status:          %s\n",
			size(bytes), d.Milliseconds(), rate(bytes, d), milliseconds(d)/float64(max(1, t.found.Load())), t.status())
	default:
		o.says(t.s, Verbose, "%d sent, %d with a warning, %d failed", sent, warned, failed)
	}
}

func (t *storing) status() string {
	switch {
	case t.failed.Load() == 0:
		return "SUCCESS"
	case t.sent.Load() > 0:
		return "PARTIAL FAILURE"
	}
	return "FAILURE"
}

// rate is in MB/s.
func rate(bytes int64, d time.Duration) float64 {
	if d <= 0 {
		return 0
	}
	return float64(bytes) / 1e6 / d.Seconds()
}

// size is a number of bytes for people.
func size(n int64) string {
	switch {
	case n >= 1<<30:
		return fmt.Sprintf("%.2f GB", float64(n)/(1<<30))
	case n >= 1<<20:
		return fmt.Sprintf("%.2f MB", float64(n)/(1<<20))
	case n >= 1<<10:
		return fmt.Sprintf("%.2f KB", float64(n)/(1<<10))
	}
	return fmt.Sprintf("%d bytes", n)
}

// howFar is the line of progress.
func (t *storing) howFar() string {
	done, found := t.sent.Load()+t.failed.Load(), t.found.Load()
	if !t.scanned.Load() {
		found = 0
	}
	return howFar(done, found, t.failed.Load(), t.bytes.Load(), time.Since(t.start))
}
