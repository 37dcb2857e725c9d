package dimse

import (
	"sync"
	"time"
)

// Pools has a Pool for each destination. The zero value is ready for use; it is for several
// goroutines and must not be copied.
type Pools struct {
	Max  int           // of each Pool
	Idle time.Duration // of each Pool

	mu     sync.Mutex
	m      map[destination]*Pool
	closed bool
}

// destination is what associations have to agree in.
type destination struct {
	calling, called AETitle
	addr            string
	tls             bool
	window          int
}

// mostPools is how many destinations are kept before those without an association go.
const mostPools = 256

// To returns the Pool of a destination. What it opens from now on it opens with d, whose
// Contexts are those of Get.
func (p *Pools) To(d Dialer, called AETitle, addr string) *Pool {
	k := destination{d.Calling, called, addr, d.TLS != nil, d.Window}
	p.mu.Lock()
	defer p.mu.Unlock()
	pool := p.m[k]
	if pool == nil {
		pool = &Pool{Called: called, Addr: addr, Max: p.Max, Idle: p.Idle, closed: p.closed}
		pool.init()
		p.add(k, pool)
	}
	pool.mu.Lock()
	pool.Dialer = d
	pool.mu.Unlock()
	return pool
}

func (p *Pools) add(k destination, pool *Pool) {
	if p.m == nil {
		p.m = make(map[destination]*Pool)
	}
	if len(p.m) >= mostPools {
		for k, old := range p.m {
			if old.unused() {
				delete(p.m, k)
			}
		}
	}
	p.m[k] = pool
}

func (p *Pool) unused() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.idle)+len(p.slots) == 0
}

// Close closes all Pools, as Pool.Close does.
func (p *Pools) Close() {
	p.mu.Lock()
	p.closed = true
	all := make([]*Pool, 0, len(p.m))
	for _, pool := range p.m {
		all = append(all, pool)
	}
	p.mu.Unlock()
	for _, pool := range all {
		pool.Close()
	}
}
