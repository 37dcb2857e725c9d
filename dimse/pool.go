package dimse

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

// Pool keeps associations with one destination for reuse. An idle one is released in
// order, not aborted, when its time is up or when it makes room for another. It is for
// several goroutines. Set the fields before the first Get; a Pool must not be copied.
type Pool struct {
	Dialer Dialer
	Called AETitle
	Addr   string
	Max    int           // associations at a time; Get waits for one to come back. Default 4
	Idle   time.Duration // an unused association is released after this; default 10 s

	mu     sync.Mutex
	slots  chan struct{} // one value for each association that is out
	idle   []*pooled     // most recently used last
	closed bool
}

type pooled struct {
	assoc *Assoc
	timer *time.Timer
	since time.Time
}

// trusted is how long an idle association is handed out again without a look whether it
// still lives.
const trusted = 10 * time.Millisecond

// ErrPoolClosed is returned by Get after Close.
var ErrPoolClosed = errors.New("dimse: pool is closed")

func (p *Pool) init() {
	if p.slots != nil {
		return
	}
	set(&p.Max, 4)
	set(&p.Idle, 10*time.Second)
	p.slots = make(chan struct{}, p.Max)
}

// Get returns an idle association that still lives, or opens one with the contexts of the
// Dialer. It waits, as long as ctx lets it, while Max are in use. Give it back by Put.
func (p *Pool) Get(ctx context.Context) (*Assoc, error) {
	p.mu.Lock()
	contexts := p.Dialer.Contexts
	p.mu.Unlock()
	return p.GetFor(ctx, contexts)
}

// GetFor is Get for an association on which contexts were proposed, each as it is here; one
// that is opened has just them. What the peer made of them may differ.
func (p *Pool) GetFor(ctx context.Context, contexts []Context) (*Assoc, error) {
	p.mu.Lock()
	p.init()
	slots := p.slots
	p.mu.Unlock()
	select {
	case slots <- struct{}{}:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	for {
		e, err := p.take(contexts)
		if err != nil {
			<-slots
			return nil, err
		}
		if e == nil {
			break
		}
		if time.Since(e.since) < trusted || e.assoc.alive() {
			return e.assoc, nil
		}
		e.assoc.Abort()
	}
	p.makeRoom()
	p.mu.Lock()
	d := p.Dialer
	p.mu.Unlock()
	d.Contexts = contexts
	a, err := d.Dial(ctx, p.Called, p.Addr)
	if err != nil {
		<-slots
		return nil, err
	}
	return a, nil
}

// take removes the most recently used idle association that has the contexts; nil when
// there is none.
func (p *Pool) take(contexts []Context) (*pooled, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, ErrPoolClosed
	}
	for i := len(p.idle) - 1; i >= 0; i-- {
		e := p.idle[i]
		if e.assoc.fits(contexts) && e.timer.Stop() { // else its release is under way
			p.idle = slices.Delete(p.idle, i, i+1)
			return e, nil
		}
	}
	return nil, nil
}

// makeRoom releases what has been idle longest, until one more association may be opened.
func (p *Pool) makeRoom() {
	for {
		p.mu.Lock()
		if len(p.idle) == 0 || len(p.idle)+len(p.slots) <= p.Max {
			p.mu.Unlock()
			return
		}
		e := p.idle[0]
		p.idle = slices.Delete(p.idle, 0, 1)
		p.mu.Unlock()
		if e.timer.Stop() {
			release(e.assoc)
		}
	}
}

// fits reports whether each of contexts was proposed on a.
func (a *Assoc) fits(contexts []Context) bool {
	for _, c := range contexts {
		same := func(p Context) bool {
			return p.Class == c.Class && p.SCP == c.SCP && p.OnlySCP == c.OnlySCP && slices.Equal(p.Syntaxes, c.Syntaxes)
		}
		if !slices.ContainsFunc(a.proposed, same) {
			return false
		}
	}
	return true
}

// Put gives an association back. One that has ended, or comes after Close, is not kept.
func (p *Pool) Put(a *Assoc) { p.back(a, true) }

// Drop is Put for an association that is of no more use: it is released at once.
func (p *Pool) Drop(a *Assoc) { p.back(a, false) }

func (p *Pool) back(a *Assoc, keep bool) {
	p.mu.Lock()
	keep = keep && !p.closed && a.Err() == nil
	if keep {
		e := &pooled{assoc: a, since: time.Now()}
		e.timer = time.AfterFunc(p.Idle, func() { p.expire(e) })
		p.idle = append(p.idle, e)
	}
	slots := p.slots
	p.mu.Unlock()
	if !keep {
		release(a)
	}
	<-slots
}

func (p *Pool) expire(e *pooled) {
	p.mu.Lock()
	p.idle = slices.DeleteFunc(p.idle, func(o *pooled) bool { return o == e })
	p.mu.Unlock()
	release(e.assoc)
}

// release ends an association: in order if it lives.
func release(a *Assoc) {
	ctx, cancel := context.WithTimeout(context.Background(), cancelWait)
	defer cancel()
	if a.Err() != nil || a.Release(ctx) != nil {
		a.Abort()
	}
}

// Close releases the idle associations. Those that are out are released by Put.
func (p *Pool) Close() {
	p.mu.Lock()
	p.closed = true
	idle := p.idle
	p.idle = nil
	p.mu.Unlock()
	for _, e := range idle {
		if e.timer.Stop() {
			release(e.assoc)
		}
	}
}
