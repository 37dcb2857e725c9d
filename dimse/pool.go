package dimse

import (
	"context"
	"errors"
	"sync"
	"time"
)

// Pool keeps associations with one destination for reuse. An idle one is released in
// order, not aborted, when its time is up. Set the fields before the first Get; a Pool must
// not be copied.
type Pool struct {
	Dialer Dialer
	Called AETitle
	Addr   string
	Max    int           // associations at a time; Get waits for one to come back. Default 4
	Idle   time.Duration // an unused association is released after this; default 10 s

	mu     sync.Mutex
	slots  chan struct{} // one value for each association out or idle
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

// Get returns an idle association that still lives, or opens one. It waits, as long as ctx
// lets it, while Max are in use. Give it back by Put.
func (p *Pool) Get(ctx context.Context) (*Assoc, error) {
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
		e, err := p.take()
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
	a, err := p.Dialer.Dial(ctx, p.Called, p.Addr)
	if err != nil {
		<-slots
		return nil, err
	}
	return a, nil
}

// take removes the most recently used idle association; nil when there is none.
func (p *Pool) take() (*pooled, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, ErrPoolClosed
	}
	for n := len(p.idle); n > 0; n = len(p.idle) {
		e := p.idle[n-1]
		p.idle = p.idle[:n-1]
		if e.timer.Stop() {
			return e, nil
		} // else its release is under way
	}
	return nil, nil
}

// Put gives an association back. One that has ended, or comes after Close, is not kept.
func (p *Pool) Put(a *Assoc) {
	p.mu.Lock()
	keep := !p.closed && a.Err() == nil
	if keep {
		e := &pooled{assoc: a, since: time.Now()}
		e.timer = time.AfterFunc(p.Idle, func() { p.expire(e) })
		p.idle = append(p.idle, e)
	}
	slots := p.slots
	p.mu.Unlock()
	<-slots
	if !keep {
		release(a)
	}
}

func (p *Pool) expire(e *pooled) {
	p.mu.Lock()
	for i := range p.idle {
		if p.idle[i] == e {
			p.idle = append(p.idle[:i], p.idle[i+1:]...)
			break
		}
	}
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
