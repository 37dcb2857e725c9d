package dimse

import (
	"container/list"
	"net"
	"sync"
)

// admission counts connections. Those without an association are many and cheap: when
// there are too many, the oldest is closed to let a new one in, so that silent peers never
// keep an honest one out. Associations are counted in all and by address.
type admission struct {
	mu      sync.Mutex
	pending list.List // of net.Conn, oldest first
	active  int
	byHost  map[string]int
}

// ticket is a connection's place in an admission.
type ticket struct {
	a    *admission
	wait *list.Element // in pending; nil once associated or left
	host string
	held bool
}

// enter takes a new connection in; it returns one to close when there are more than limit.
func (a *admission) enter(nc net.Conn, limit int) (t *ticket, evicted net.Conn) {
	a.mu.Lock()
	defer a.mu.Unlock()
	t = &ticket{a: a, host: hostOf(nc.RemoteAddr())}
	t.wait = a.pending.PushBack(nc)
	if a.pending.Len() > limit {
		first := a.pending.Front()
		evicted = first.Value.(net.Conn)
		a.pending.Remove(first)
	}
	return t, evicted
}

// associate moves a connection to the associations, unless one of the limits is reached.
func (t *ticket) associate(limit, perHost int) bool {
	a := t.a
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.active >= limit || a.byHost[t.host] >= perHost {
		return false
	}
	if a.byHost == nil {
		a.byHost = make(map[string]int)
	}
	a.active++
	a.byHost[t.host]++
	t.held = true
	a.pending.Remove(t.wait)
	return true
}

// leave gives the place back.
func (t *ticket) leave() {
	a := t.a
	a.mu.Lock()
	defer a.mu.Unlock()
	a.pending.Remove(t.wait) // nothing if it was evicted or associated
	if !t.held {
		return
	}
	t.held = false
	a.active--
	if a.byHost[t.host]--; a.byHost[t.host] == 0 {
		delete(a.byHost, t.host)
	}
}

func (a *admission) associations() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.active
}
