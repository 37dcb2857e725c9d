package ingest

import (
	"context"
	"fmt"
	"sync"
	"time"

	"gantry/dicom/uid"
	"gantry/internal/archive/blob"
	"gantry/internal/archive/index"
	"gantry/internal/archive/record"
)

// Bounds of a batch.
const (
	maxBatch      = 64
	maxBatchBytes = 16 << 20
	retryEvery    = time.Second
)

// job is an object that waits to be committed.
type job struct {
	env    record.Envelope
	staged blob.Staged // nil for a record about another one
	entry  index.Entry
	since  uint64 // recent.now when its UID was looked up
	answer chan answer
	shares *job // identical to this one of the same batch

	restore record.ID  // the deleted object that came again
	erase   record.Ref // what a purge lets erase
}

type answer struct {
	out    Outcome
	err    error
	stored bool // the staged object is the store's now
}

// submit queues a job and waits for its answer.
func (in *Ingester) submit(j *job) answer {
	if err := in.enqueue(j); err != nil {
		return answer{err: err}
	}
	return <-j.answer
}

func (in *Ingester) enqueue(j *job) error {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.closed {
		return ErrClosed
	}
	in.queue = append(in.queue, j)
	in.signal()
	return nil
}

// signal wakes the committer; called with mu held.
func (in *Ingester) signal() {
	select {
	case in.wake <- struct{}{}:
	default:
	}
}

// take returns what waits, at most a batch of it.
func (in *Ingester) take() (jobs []*job, closed bool) {
	in.mu.Lock()
	defer in.mu.Unlock()
	n, bytes := 0, int64(0)
	for n < len(in.queue) && n < maxBatch && !crosses(in.queue[:n], in.queue[n]) {
		if bytes += in.queue[n].weight(); bytes > maxBatchBytes && n > 0 {
			break
		}
		n++
	}
	jobs = in.queue[:n:n]
	in.queue = in.queue[n:]
	if len(in.queue) == 0 {
		in.queue = nil
	} else {
		in.signal()
	}
	return jobs, in.closed
}

// crosses reports whether a job and an earlier one of the batch have one UID, and either
// is a record about what is kept: the later one must see in the index what became of it.
func crosses(earlier []*job, j *job) bool {
	if j.env.Kind == record.Note {
		return false
	}
	for _, k := range earlier {
		if (j.staged == nil || k.staged == nil) && j.env.Instance == k.env.Instance {
			return true
		}
	}
	return false
}

// weight is what a job adds to a batch: the bytes that go into the log.
func (j *job) weight() int64 {
	if j.staged == nil || j.env.Kind == record.File {
		return 0
	}
	return j.staged.Size()
}

// batch is what was stored together and is now to be applied to the index.
type batch struct {
	jobs    []*job
	shared  []*job
	entries []index.Entry
}

// run is the committer: it stores batches in the log. The next one is stored while apply
// brings the last one into the index, at most one ahead.
func (in *Ingester) run() {
	batches := make(chan *batch)
	go in.apply(batches)
	defer close(batches)
	for range in.wake {
		jobs, closed := in.take()
		if len(jobs) == 0 {
			if closed {
				return
			}
			continue
		}
		if b := in.storeBatch(jobs); b != nil {
			batches <- b
		}
		if closed {
			in.mu.Lock()
			in.signal()
			in.mu.Unlock()
		}
	}
}

// apply is the committer's second half: batches go into the index in the order of the
// log, and then those who wait are answered.
func (in *Ingester) apply(batches <-chan *batch) {
	defer close(in.done)
	tick := time.NewTicker(retryEvery)
	defer tick.Stop()
	for {
		select {
		case b, ok := <-batches:
			if !ok {
				return
			}
			in.finish(b)
		case <-tick.C:
			in.catchUp()
		}
	}
}

func refuse(jobs []*job, err error) {
	for _, j := range jobs {
		j.answer <- answer{err: err}
	}
}

// storeBatch checks a batch again, stores it and syncs. It returns nil when nothing is left to
// be applied.
func (in *Ingester) storeBatch(jobs []*job) *batch {
	if b := in.behind.Load(); b != nil {
		refuse(jobs, fmt.Errorf("%w: %w", ErrBehind, b.err))
		return nil
	}
	in.flight.settle(jobs)
	ctx := context.Background()
	jobs, shared := in.recheck(ctx, jobs)
	if len(jobs) == 0 {
		return nil
	}
	recs := make([]blob.Record, len(jobs))
	for i, j := range jobs {
		recs[i] = blob.Record{Envelope: j.env, Staged: j.staged}
	}
	stored, err := in.store.Commit(ctx, recs)
	if err != nil {
		refuse(append(jobs, shared...), err)
		return nil
	}
	b := &batch{jobs, shared, make([]index.Entry, len(jobs))}
	for i, j := range jobs {
		j.env = recs[i].Envelope
		j.entry.Envelope, j.entry.Stored = j.env, stored[i]
		b.entries[i] = j.entry
	}
	in.flight.begin(jobs)
	return b
}

// finish applies a stored batch and answers.
func (in *Ingester) finish(b *batch) {
	outs, err := in.applyEntries(context.Background(), b.entries)
	in.stats.batches.Add(1)
	for _, j := range b.jobs {
		in.recent.add(j.env.Instance)
	}
	in.flight.end(b.jobs)
	for i, j := range b.jobs {
		j.answer <- in.answerOf(j, outs, i, err)
	}
	for _, j := range b.shared {
		a := in.answerOf(j.shares, outs, indexOf(b.jobs, j.shares), err)
		a.stored = false
		if a.err == nil {
			a.out = in.known(j, a.out.Record, a.out.Version)
		}
		j.answer <- a
	}
	if err == nil && in.o.Changed != nil {
		in.o.Changed(outs[len(outs)-1].Feed)
	}
}

// flight knows the UIDs that are stored but not yet in the index: the index does not
// answer for them, so the next batch waits when it has one of them.
type flight struct {
	mu   sync.Mutex
	idle sync.Cond
	uids map[uid.UID]int
}

func (f *flight) init() {
	f.idle.L = &f.mu
	f.uids = map[uid.UID]int{}
}

func (f *flight) begin(jobs []*job) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, j := range jobs {
		f.uids[j.env.Instance]++
	}
}

func (f *flight) end(jobs []*job) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, j := range jobs {
		if f.uids[j.env.Instance]--; f.uids[j.env.Instance] == 0 {
			delete(f.uids, j.env.Instance)
		}
	}
	f.idle.Broadcast()
}

// settle waits until none of the jobs' UIDs is under way.
func (f *flight) settle(jobs []*job) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := 0; i < len(jobs); {
		if f.uids[jobs[i].env.Instance] > 0 {
			f.idle.Wait()
			i = 0
			continue
		}
		i++
	}
}

func indexOf(jobs []*job, j *job) int {
	for i := range jobs {
		if jobs[i] == j {
			return i
		}
	}
	return 0
}

func (in *Ingester) answerOf(j *job, outs []index.Outcome, i int, err error) answer {
	if err == nil && outs[i].Problem != nil {
		err = outs[i].Problem
	}
	if err != nil {
		return answer{err: err, stored: true}
	}
	if j.staged == nil {
		return answer{out: Outcome{Feed: outs[i].Feed}}
	}
	k := Stored
	switch {
	case j.env.Conflict:
		k = Conflict
		in.stats.conflicts.Add(1)
	case j.env.Number > 1:
		k = Superseded
	}
	in.stats.stored.Add(1)
	in.stats.bytes.Add(j.entry.Stored.Sums.Data)
	out := outcome(j, k, j.env.ID, j.env.Number, outs[i].Feed)
	out.Size = j.entry.Stored.Sums.Data
	return answer{out: out, stored: true}
}

// recheck decides again on objects whose UID came in since they were looked up, in the
// index or earlier in the batch. Those that need no storing are answered; shared ones are
// identical to an earlier one of the batch and get its answer.
func (in *Ingester) recheck(ctx context.Context, jobs []*job) (store, shared []*job) {
	batch := make(map[uid.UID][]*job, len(jobs))
	for _, j := range jobs {
		if j.staged == nil {
			if err := in.recheckAbout(ctx, j); err != nil {
				j.answer <- answer{err: err}
				continue
			}
			store = append(store, j)
			continue
		}
		earlier := batch[j.env.Instance]
		if in.recent.since(j.env.Instance, j.since) {
			out, decided, err := in.decide(ctx, j)
			if err == nil && j.restore != "" { // deleted since it was looked up
				err = errDeleted
			}
			if err != nil || decided {
				j.answer <- answer{out: out, err: err}
				continue
			}
		}
		if len(earlier) > 0 {
			out, decided, err := in.among(j, earlier)
			if j.shares != nil {
				shared = append(shared, j)
				continue
			}
			if err != nil || decided {
				j.answer <- answer{out: out, err: err}
				continue
			}
		}
		batch[j.env.Instance] = append(earlier, j)
		store = append(store, j)
	}
	return store, shared
}

// among decides on an object that meets others with its UID in the batch.
func (in *Ingester) among(j *job, earlier []*job) (Outcome, bool, error) {
	for _, k := range earlier {
		same, err := j.sameAs(k)
		if err != nil {
			return Outcome{}, false, err
		}
		if same && in.o.Duplicates == Reject {
			return Outcome{}, false, errDuplicate()
		}
		if same {
			j.shares = k
			return Outcome{}, true, nil
		}
	}
	return in.applyPolicy(j, earlier[len(earlier)-1].env.Number)
}

// backlog is what the log holds and the index has not applied: while there is any, nothing
// is stored, because the index applies in the order of the log.
type backlog struct {
	entries []index.Entry
	err     error
}

// applyEntries brings a stored batch into the index. When that fails, room is made for it
// once; then the batch stays behind and is tried again each second.
func (in *Ingester) applyEntries(ctx context.Context, entries []index.Entry) ([]index.Outcome, error) {
	if b := in.behind.Load(); b != nil { // stored before that was known
		in.behind.Store(&backlog{append(b.entries[:len(b.entries):len(b.entries)], entries...), b.err})
		return nil, fmt.Errorf("%w: %w", ErrBehind, b.err)
	}
	outs, err := in.index.Commit(ctx, entries)
	if err == nil {
		return outs, nil
	}
	if r, ok := in.store.(blob.Reserver); ok {
		if rerr := r.ReleaseReserve(); rerr == nil {
			if outs, err2 := in.index.Commit(ctx, entries); err2 == nil {
				in.o.Log.Warn("index had no room and took the reserve", "error", err)
				return outs, nil
			}
		}
	}
	in.o.Log.Error("index cannot apply what was stored, storing is refused until it can", "error", err)
	in.behind.Store(&backlog{entries, err})
	return nil, fmt.Errorf("%w: %w", ErrBehind, err)
}

// catchUp tries again what stayed behind.
func (in *Ingester) catchUp() {
	b := in.behind.Load()
	if b == nil {
		return
	}
	outs, err := in.index.Commit(context.Background(), b.entries)
	if err != nil {
		return
	}
	in.behind.Store(nil)
	in.o.Log.Info("index has caught up, storing goes on")
	for i := range b.entries {
		in.recent.add(b.entries[i].Envelope.Instance)
	}
	if r, ok := in.store.(blob.Reserver); ok {
		if err := r.RestoreReserve(); err != nil {
			in.o.Log.Warn("reserve cannot be made again", "error", err)
		}
	}
	if in.o.Changed != nil && len(outs) > 0 {
		in.o.Changed(outs[len(outs)-1].Feed)
	}
}
