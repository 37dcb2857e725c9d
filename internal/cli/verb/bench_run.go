package verb

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"gantry/dimse"
	"gantry/ul"
)

// load is clients of one kind.
type load struct {
	name     string
	clients  int
	contexts []dimse.Context
	dialer   *dimse.Dialer
	apart    bool // do opens an association itself
	do       func(context.Context, *dimse.Assoc) (bytes int64, err error)
	beside   func() int64 // bytes that arrive on other associations

	before int64 // of beside, when the measure began
	total  tally
}

// tally is what came of operations. Each client has one.
type tally struct {
	histogram
	bytes   int64
	failed  int64
	reasons map[string]*reason
}

// reason is a kind of failure and how one of it was put.
type reason struct {
	n       int64
	example string
}

func (t *tally) fail(err error) {
	t.failed++
	name := reasonOf(err)
	if t.reasons == nil {
		t.reasons = map[string]*reason{}
	}
	if t.reasons[name] == nil {
		t.reasons[name] = &reason{example: err.Error()}
	}
	t.reasons[name].n++
}

func (t *tally) add(from *tally) {
	t.merge(&from.histogram)
	t.bytes += from.bytes
	t.failed += from.failed
	for name, r := range from.reasons {
		if t.reasons == nil {
			t.reasons = map[string]*reason{}
		}
		if have := t.reasons[name]; have != nil {
			have.n += r.n
		} else {
			t.reasons[name] = r
		}
	}
}

// errLate ends what is not answered when the load is over.
var errLate = errors.New("no answer when the time was over")

// reasonOf sorts failures, into few.
func reasonOf(err error) string {
	var status *dimse.StatusError
	var context *dimse.ErrNoContext
	var rejected *dimse.RejectedError
	var aborted *dimse.AbortedError
	var source *ul.SourceError
	var e *Error
	switch {
	case errors.Is(err, errLate):
		return "no answer in time"
	case errors.As(err, &status):
		return status.Status.String()
	case errors.As(err, &context):
		return "no presentation context"
	case errors.As(err, &rejected):
		return "association rejected"
	case errors.As(err, &aborted):
		return "association aborted by the peer"
	case errors.As(err, &source):
		return "object not readable"
	case errors.Is(err, errNothing):
		return errNothing.Error()
	case errors.As(err, &e) && e.Outcome == Connect:
		return "no association"
	}
	return "association lost"
}

// benching is a Bench under way.
type benching struct {
	o     *Bench
	s     *Stdio
	ctx   context.Context // of the user: its end is no failure
	kinds []string
	loads []*load
	stops []func()

	start, from, until time.Time // until is zero when only the count ends it
	ended              time.Time
	begun              atomic.Int64 // measured operations of a closed loop, all of an open one
}

func (b *benching) stop() {
	for _, stop := range b.stops {
		stop()
	}
}

// lateGrace is how long answers are waited for when the time is over.
const lateGrace = 10 * time.Second

// run connects all clients, lets them go at once, and adds up what they counted.
func (b *benching) run(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var ready, done sync.WaitGroup
	var all []*benchClient
	start := make(chan struct{})
	for _, l := range b.loads {
		for range l.clients {
			link := new(benchLink)
			for range l.width(b.o) {
				c := &benchClient{b: b, l: l, link: link}
				all = append(all, c)
				ready.Add(1)
				done.Go(func() {
					_, c.refused = c.connect(ctx)
					ready.Done()
					<-start
					c.work(ctx)
				})
			}
		}
	}
	ready.Wait()
	if err := refused(all); err != nil {
		cancel(err)
		close(start)
		done.Wait()
		for _, c := range all {
			c.close()
		}
		return err
	}
	b.schedule(cancel)
	close(start)
	done.Wait()
	b.ended = time.Now()
	for _, c := range all {
		c.close()
		c.l.total.add(&c.tally)
	}
	b.missed(ctx)
	return nil
}

// refused is the error of all clients, nil when one of them has an association.
func refused(all []*benchClient) error {
	for _, c := range all {
		if c.refused == nil {
			return nil
		}
	}
	return all[0].refused
}

func (b *benching) schedule(cancel context.CancelCauseFunc) {
	b.start = time.Now()
	b.from = b.start.Add(b.o.Warmup)
	if b.o.Warmup > 0 {
		t := time.AfterFunc(b.o.Warmup, b.beginBeside)
		b.stops = append(b.stops, func() { t.Stop() })
	} else {
		b.beginBeside()
	}
	if b.o.Duration == 0 {
		return
	}
	b.until = b.from.Add(b.o.Duration)
	grace := b.o.grace
	if grace == 0 {
		grace = lateGrace
	}
	t := time.AfterFunc(time.Until(b.until)+grace, func() { cancel(errLate) })
	b.stops = append(b.stops, func() { t.Stop() })
}

func (b *benching) beginBeside() {
	for _, l := range b.loads {
		if l.beside != nil {
			atomic.StoreInt64(&l.before, l.beside())
		}
	}
}

// missed counts what an open loop should have begun and no client was free for: a server
// that stalls must not look better for it.
func (b *benching) missed(ctx context.Context) {
	if b.o.Rate == 0 || !errors.Is(context.Cause(ctx), errLate) {
		return
	}
	l := b.loads[0]
	wanted := int64(b.o.Duration.Seconds() * b.o.Rate)
	if b.o.Count > 0 {
		wanted = min(wanted, b.o.Count)
	}
	if n := wanted - l.total.n - l.total.failed; n > 0 {
		l.total.fail(errLate)
		l.total.failed += n - 1
		l.total.reasons[reasonOf(errLate)].n += n - 1
	}
}

// width is how many operations a client has running at a time: those that answer once go
// side by side in an asynchronous window.
func (l *load) width(o *Bench) int {
	if l.name != "echo" && l.name != "store" {
		return 1
	}
	return max(1, o.Window)
}

// benchLink is the association of a client.
type benchLink struct {
	mu sync.Mutex
	a  *dimse.Assoc
}

// benchClient does one thing over and over.
type benchClient struct {
	b       *benching
	l       *load
	link    *benchLink
	refused error
	tally
}

// reconnect is the pause after an association could not be had.
const reconnect = 100 * time.Millisecond

func (c *benchClient) work(ctx context.Context) {
	if c.refused != nil && pause(ctx, reconnect) != nil {
		return
	}
	for {
		due, ok := c.b.turn(ctx)
		if !ok {
			return
		}
		c.once(ctx, due)
		if c.b.o.Think > 0 { // between half and one and a half of it
			pause(ctx, c.b.o.Think/2+rand.N(c.b.o.Think))
		}
	}
}

// turn waits until an operation is due and returns when that was; false is the end.
func (b *benching) turn(ctx context.Context) (time.Time, bool) {
	now := time.Now()
	if ctx.Err() != nil {
		return now, false
	}
	if b.o.Rate == 0 {
		counts := !now.Before(b.from)
		return now, b.inTime(now) && (!counts || b.o.Count == 0 || b.begun.Add(1) <= b.o.Count)
	}
	n := b.begun.Add(1) - 1
	due := b.start.Add(time.Duration(float64(n) / b.o.Rate * float64(time.Second)))
	if !b.inTime(due) || b.o.Count > 0 && float64(n) >= b.o.Warmup.Seconds()*b.o.Rate+float64(b.o.Count) {
		return due, false
	}
	return due, pause(ctx, due.Sub(now)) == nil
}

func (b *benching) inTime(t time.Time) bool { return b.until.IsZero() || t.Before(b.until) }

// once does one operation. In a closed loop its time begins here; in an open one it began
// when it was due, whatever held it up.
func (c *benchClient) once(ctx context.Context, due time.Time) {
	measured := !due.Before(c.b.from)
	a, err := c.connect(ctx)
	connected := err == nil
	var n int64
	if connected {
		if c.b.o.Rate == 0 {
			due = time.Now()
		}
		n, err = c.l.do(ctx, a)
	}
	took := time.Since(due)
	if c.b.ctx.Err() != nil && err != nil {
		return // stopped by the user
	}
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	if measured {
		c.note(took, n, err)
	}
	if err != nil && (c.l.apart || !connected) {
		pause(ctx, reconnect)
	}
}

func (c *benchClient) note(took time.Duration, bytes int64, err error) {
	if err != nil {
		c.fail(err)
		return
	}
	c.histogram.add(took)
	c.bytes += bytes
}

// connect returns the client's association; it opens one if there is none that lives.
func (c *benchClient) connect(ctx context.Context) (*dimse.Assoc, error) {
	if c.l.apart {
		return nil, nil
	}
	c.link.mu.Lock()
	defer c.link.mu.Unlock()
	if c.link.a != nil && c.link.a.Err() == nil {
		return c.link.a, nil
	}
	a, err := c.l.open(ctx, c.b.o)
	c.link.a = a
	return a, err
}

func (l *load) open(ctx context.Context, o *Bench) (*dimse.Assoc, error) {
	a, err := l.dialer.Dial(ctx, o.Called, o.Addr)
	if err != nil {
		return nil, Fail(Connect, "%s at %s: %w%s", o.Called, o.Addr, err, hint(err))
	}
	return a, nil
}

func (c *benchClient) close() {
	a := c.link.a
	if c.link.a = nil; a == nil {
		return
	}
	if a.Err() == nil {
		release(context.WithoutCancel(c.b.ctx), a)
	}
	a.Abort()
}
