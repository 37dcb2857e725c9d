package verb

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"time"

	"gantry/dicom"
	"gantry/dicom/uid"
	"gantry/dimse"
)

// Retrieve has a peer send objects: to another application entity or to a port of ours
// (C-MOVE), or on the same association (C-GET) (PS3.4 C.4.2, C.4.3).
type Retrieve struct {
	Common
	Peer
	Query
	ByMove   bool   // C-MOVE, else C-GET
	Dest     string // AE title to send to
	Receive  int    // port to receive what a C-MOVE sends to us; 0 for none
	Folder   Folder // where what is received goes
	Syntaxes []uid.UID
	Prefer   []uid.UID // transfer syntaxes to receive, best first; empty: as it is stored
	Only     bool      // no other than Prefer
	Progress bool
	Resume   bool   // ask only for what Folder, or Have, has not
	Have     string // AE@host:port of the destination of a C-MOVE, to ask what it has
	Retries  int    // how often to go on after a broken association
	Most     int    // cancel after so many responses, 0 is never
	Repeat   int
	Abort    bool

	Media Media // what of the files a DICOMDIR is made of

	retryAfter time.Duration
}

// Run asks, and prints what came of it.
func (o *Retrieve) Run(ctx context.Context, s *Stdio) error {
	operation := gets
	if o.ByMove {
		operation = moves
		if err := dimse.AETitle(o.Dest).Check(); err != nil {
			return Fail(Usage, "destination: %w", err)
		}
	}
	class, err := o.class(operation)
	if err != nil {
		return err
	}
	identifiers, err := o.identifiers()
	if err != nil {
		return err
	}
	if _, err := o.Media.extra(); err != nil {
		return err
	}
	switch f := &o.Folder; {
	case o.Media.Directory && !f.ISO9660:
		return Fail(Usage, "a DICOMDIR wants names that media take: ISO 9660")
	case f.ISO9660 && f.Naming != ByInstance && f.Naming != ByPatient:
		return Fail(Usage, "names that media take go with the namings flat and tree only")
	case o.Media.Directory && o.ByMove && o.Receive == 0:
		return Fail(Usage, "a DICOMDIR wants the objects to be received here: a port for them")
	}
	if _, err := o.dialer(nil); err != nil {
		return err
	}
	if !o.ByMove || o.Receive > 0 {
		if err := o.Folder.prepare(); err != nil {
			return Fail(Output, "%w", err)
		}
	}
	o.Folder.fromCalled = !o.ByMove
	files := o.Media.collect(&o.Folder)
	r := retrieving{o: o, s: s, class: class, start: time.Now()}
	r.progress = newProgress(s, o.Progress && o.Say == Normal, r.howFar)
	err = r.retrieve(ctx, identifiers)
	r.progress.end()
	if err != nil {
		return err
	}
	err = r.end()
	return firstError(err, o.directory(ctx, s, files()))
}

// directory makes the DICOMDIR of what came, and of what was there where that was resumed.
func (o *Retrieve) directory(ctx context.Context, s *Stdio, files []string) error {
	if o.Media.Directory && o.Resume {
		var err error
		if files, err = dicomFiles([]string{o.Folder.Dir}); err != nil {
			return err
		}
	}
	if len(files) == 0 {
		return nil
	}
	dir, err := filepath.Abs(o.Folder.Dir)
	if err != nil {
		return Fail(Output, "%w", err)
	}
	return o.Media.write(ctx, &o.Common, s, dir, files)
}

// retrieving is a Retrieve under way.
type retrieving struct {
	o        *Retrieve
	s        *Stdio
	class    uid.UID
	start    time.Time
	progress *progress
	total    tallied

	done, all, failures atomic.Int64 // as last heard

	there  int // were there already
	failed []uid.UID
	err    error
}

func (r *retrieving) retrieve(ctx context.Context, identifiers []*dicom.DataSet) error {
	if r.o.ByMove && r.o.Receive > 0 {
		stop, err := r.listen(ctx)
		if err != nil {
			return err
		}
		defer stop()
	}
	resume := r.o.Resume
	for tries, wait := 0, r.o.retryAfter; ; wait = min(2*wait, maxRetryPause) {
		done := r.o.Folder.files.Load() // what a peer claims to have sent is no progress
		err := r.associate(ctx, identifiers, resume)
		if r.o.Folder.files.Load() != done {
			tries, wait = 0, r.o.retryAfter
		}
		if tries++; tries > r.o.Retries || !r.passing(err) || ctx.Err() != nil {
			return err
		}
		wait = max(wait, time.Second/4)
		r.progress.clear()
		r.o.says(r.s, Normal, "%v; trying again in %v", firstError(err, r.err), wait)
		if err := pause(ctx, wait); err != nil {
			return err
		}
		r.err, resume = nil, true
		r.o.Folder.failed.Store(0) // what was cut is missing, and is asked for
	}
}

// passing tells whether a failure may be gone when tried again, and what is left can be
// told from what is done.
func (r *retrieving) passing(err error) bool {
	var status *dimse.StatusError
	var failed *Error
	switch {
	case r.o.ByMove && r.o.Receive == 0 && r.o.Have == "":
		return false
	case errors.As(err, &failed):
		return failed.Outcome == Connect
	}
	return err == nil && r.err != nil && !errors.As(r.err, &status)
}

// associate asks for everything, or for what is missing, on one association.
func (r *retrieving) associate(ctx context.Context, identifiers []*dicom.DataSet, resume bool) error {
	r.o.says(r.s, Verbose, "Requesting Association")
	contexts := r.contexts(ctx, identifiers)
	a, err := r.o.dial(ctx, contexts)
	if err != nil {
		return err
	}
	defer a.Abort()
	r.o.says(r.s, Verbose, "Association Accepted")
	r.o.negotiated(r.s, a, contexts)
	ask := r.each
	if resume {
		ask = r.rest
	}
	if err := ask(ctx, a, identifiers); err != nil || r.err != nil {
		return err
	}
	if r.o.Abort {
		r.o.says(r.s, Verbose, "Aborting Association")
		return nil
	}
	r.o.says(r.s, Verbose, "Releasing Association")
	release(ctx, a)
	return nil
}

func (r *retrieving) each(ctx context.Context, a *dimse.Assoc, identifiers []*dicom.DataSet) error {
	for range max(1, r.o.Repeat) {
		for _, q := range identifiers {
			if r.err == nil {
				r.one(ctx, a, q)
			}
		}
	}
	return nil
}

func (r *retrieving) contexts(ctx context.Context, identifiers []*dicom.DataSet) []dimse.Context {
	if r.o.ByMove {
		return []dimse.Context{{Class: r.class, Syntaxes: r.o.Syntaxes}}
	}
	own := dimse.Context{Class: r.class, Syntaxes: r.o.Syntaxes}
	return getContexts(own, r.o.Prefer, r.o.classesOf(ctx, identifiers[0]))
}

func (r *retrieving) one(ctx context.Context, a *dimse.Assoc, q *dicom.DataSet) {
	steps := a.Get(ctx, r.class, q, &r.o.Folder)
	if r.o.ByMove {
		steps = a.Move(ctx, r.class, dimse.AETitle(r.o.Dest), q)
	}
	r.o.says(r.s, Verbose, "Sending %s Request", r.name())
	var last dimse.Progress
	n := 0
	for step, err := range steps {
		if err != nil {
			r.err = err
		}
		if step.Status != 0 || err == nil {
			last = step
		}
		r.show(step)
		if n++; r.o.Most > 0 && n >= r.o.Most && !step.Final() {
			r.o.says(r.s, Normal, "canceled after %d responses", n)
			break
		}
	}
	r.o.says(r.s, Verbose, "Received %s Response (%v)", r.name(), last.Status)
	r.total.add(last.SubOperations)
	r.failed = append(r.failed, last.Failed...)
}

// tallied sums sub-operations of many requests, which may be more than one message counts.
type tallied struct{ Completed, Warning, Failed int64 }

func (t *tallied) add(s dimse.SubOperations) {
	t.Completed += int64(s.Completed)
	t.Warning += int64(s.Warning)
	t.Failed += int64(s.Failed)
}

func (t *tallied) sum() int64 { return t.Completed + t.Warning + t.Failed }

func (r *retrieving) name() string {
	if r.o.ByMove {
		return "C-MOVE"
	}
	return "C-GET"
}

// show notes how far it is.
func (r *retrieving) show(p dimse.Progress) {
	done := int64(p.Completed) + int64(p.Warning) + int64(p.SubOperations.Failed)
	r.done.Store(r.total.sum() + done)
	r.all.Store(r.total.sum() + done + int64(p.Remaining))
	r.failures.Store(r.total.Failed + int64(p.SubOperations.Failed))
}

func (r *retrieving) howFar() string {
	return howFar(r.done.Load(), r.all.Load(), r.failures.Load(), r.o.Folder.bytes.Load(), time.Since(r.start))
}

// listen receives on a port of ours until stop is called.
func (r *retrieving) listen(ctx context.Context) (stop func(), err error) {
	l, err := net.Listen("tcp", ":"+strconv.Itoa(r.o.Receive))
	if err != nil {
		return nil, Fail(Connect, "port to receive on: %w", err)
	}
	server := &dimse.Server{AETitle: dimse.AETitle(r.o.Dest), Handler: receiver(&r.o.Folder), Log: quietLog(r.s, r.o.Say),
		Policy: dimse.Policy{AnyCalled: true, Syntaxes: r.o.Prefer, OnlySyntaxes: r.o.Only},
		Limits: dimse.NetLimits{MaxPDU: r.o.MaxPDU, ARTIM: limit(r.o.Associate)}}
	serving, cancel := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan struct{})
	go func() {
		defer close(done)
		server.Serve(serving, l)
	}()
	return func() {
		late, end := context.WithTimeout(serving, 10*time.Second)
		defer end()
		server.Shutdown(late)
		cancel()
		<-done
	}, nil
}

func (r *retrieving) end() error {
	r.summary()
	for _, u := range r.failed {
		r.o.says(r.s, Normal, "%s: failed", u)
	}
	if r.err != nil {
		var status *dimse.StatusError
		if errors.As(r.err, &status) && status.Status == dimse.Canceled && r.o.Most > 0 {
			return nil
		}
		if r.total.Completed+r.total.Warning > 0 {
			return Fail(Partial, "%s: %w", r.name(), r.err)
		}
		return Fail(Failed, "%s: %w", r.name(), r.err)
	}
	switch kept := r.o.Folder.failed.Load(); {
	case r.total.Failed == 0 && kept == 0 && r.total.Completed+r.total.Warning > 0:
		return nil
	case r.total.Failed == 0 && kept == 0 && r.there > 0:
		return nil
	case r.total.Failed == 0 && kept == 0:
		return Ended(Nothing)
	case r.total.Completed+r.total.Warning > 0:
		return Ended(Partial)
	}
	return Ended(Failed)
}

func (r *retrieving) summary() {
	w, o, t, d := r.s.Out, r.o, r.total, time.Since(r.start)
	if o.JSON {
		outcomeJSON(w, map[string]any{"completed": t.Completed, "warnings": t.Warning, "failed": t.Failed, "there": r.there, "failedInstances": append([]uid.UID{}, r.failed...),
			"files": o.Folder.files.Load(), "bytes": o.Folder.bytes.Load(), "seconds": d.Seconds()})
		return
	}
	switch o.Form {
	case Modern:
		fmt.Fprintf(w, "%d completed, %d with a warning, %d failed\n", t.Completed, t.Warning, t.Failed)
		if r.there > 0 {
			fmt.Fprintf(w, "%d were there already\n", r.there)
		}
		return
	case Odil:
		fmt.Fprintf(w, "Completed: %d, remaining: 0, failed: %d, warning: %d\n", t.Completed, t.Failed, t.Warning)
		return
	case DCMTK:
		o.says(r.s, Verbose, "Final status report from last %s message:", r.name())
		o.says(r.s, Verbose, "  Number of Completed Suboperations : %d", t.Completed)
		o.says(r.s, Verbose, "  Number of Failed Suboperations    : %d", t.Failed)
		o.says(r.s, Verbose, "  Number of Warning Suboperations   : %d", t.Warning)
		return
	}
	if o.Say == Quiet {
		return
	}
	fmt.Fprintf(w, "\nSummary\n")
	line := func(name, format string, args ...any) {
		fmt.Fprintf(w, "  %-14s "+format+"\n", append([]any{name + ":"}, args...)...)
	}
	if o.Form == Described3 || !o.ByMove {
		line("Mode", "%s", r.name())
	}
	if o.ByMove {
		line("Destination", "%s", o.Dest)
	}
	line("Level", "%s", o.Level)
	if !o.ByMove || o.Receive > 0 {
		line("Output", "%s", o.Folder.Dir)
	}
	bytes := o.Folder.bytes.Load()
	if o.Form == Described && !o.ByMove {
		line("Received files", "%d", o.Folder.files.Load())
		line("Data Size", "%s", size(bytes))
	}
	line("Completed", "%d", t.Completed)
	line("Warnings", "%d", t.Warning)
	line("Failed", "%d", t.Failed)
	line("Total Time", "%d ms", d.Milliseconds())
	if o.Form == Described && !o.ByMove {
		line("Average Speed", "%.2f MB/s", rate(bytes, d))
	}
}
