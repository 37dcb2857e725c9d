package retrieve

import (
	"context"
	"errors"
	"sync"

	"gantry/dicom/uid"
	"gantry/dimse"
)

// lookAhead is how many instances are looked at for the contexts to propose.
const lookAhead = 128

// maxDialFailures is how many associations in a row may fail before the rest is given up.
const maxDialFailures = 2

// mover sends to one destination. It has an association for the kinds of instances ahead,
// and takes another when a kind comes that was not proposed.
type mover struct {
	dest   *Destination
	pool   *dimse.Pool
	own    bool // pool is of this mover alone
	r      *dimse.Request
	t      *tally
	others []uid.UID       // syntaxes that objects may be transcoded to
	ctx    context.Context // of one sub-operation

	failures int   // associations in a row that could not be had or broke
	last     error // of them

	mu       sync.Mutex // for what follows, and failures and last: several goroutines send
	feed     *feed
	queue    []*dimse.Outgoing // what comes next
	answered bool              // the destination has, on the present association
	again    bool              // objects were sent once more, which happens once
	stopped  bool
}

func newMover(dest *Destination, t *tally, res *Retrieval) *mover {
	m := &mover{dest: dest, pool: dest.Pool, own: dest.Pool == nil, r: t.r, t: t, others: res.Others, feed: newFeed(res.Instances)}
	if m.own {
		m.pool = &dimse.Pool{Dialer: dest.Dialer, Called: dest.Called, Addr: dest.Addr, Max: 1}
	}
	return m
}

func (m *mover) close() {
	m.feed.stop()
	if m.own {
		m.pool.Close()
	}
}

// run sends everything, and lets go of what it holds, even when something panics.
func (m *mover) run() {
	defer m.close()
	for m.more() {
		wanted, proposed := contexts(m.queue, m.dest.Prefer, m.others)
		a, err := m.open(wanted)
		if err != nil {
			m.count(m.take(), 0, err)
			continue
		}
		m.over(a, proposed)
	}
	if m.feed.err != nil && m.r.Context().Err() == nil {
		m.t.fail("", 0, m.feed.err)
	}
}

// over sends over a what can go there. After a panic nobody knows what is under way on it.
func (m *mover) over(a *dimse.Assoc, proposed map[kind]bool) {
	whole := false
	defer func() {
		if !whole {
			a.Abort()
		}
		m.giveBack(a)
	}()
	m.answered = false
	sideBySide(min(a.Window(), len(m.queue)), func() {
		for m.one(a, proposed) {
		}
	})
	whole = true
}

// more looks ahead, and reports whether there is something to send.
func (m *mover) more() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	for len(m.queue) < lookAhead {
		o := m.feed.next()
		if o == nil {
			break
		}
		m.queue = append(m.queue, o)
	}
	return len(m.queue) > 0 && !m.stopped && m.r.Context().Err() == nil
}

func (m *mover) take() *dimse.Outgoing {
	m.mu.Lock()
	defer m.mu.Unlock()
	o := m.queue[0]
	m.queue = m.queue[1:]
	return o
}

// open returns an association on which contexts were proposed.
func (m *mover) open(contexts []dimse.Context) (*dimse.Assoc, error) {
	if m.failures >= maxDialFailures {
		return nil, m.last
	}
	a, err := m.pool.GetFor(m.r.Context(), contexts)
	if err != nil {
		m.failures++
		m.last = connectError(err)
		return nil, m.last
	}
	return a, nil
}

// giveBack keeps the association where nothing is left to send: it is of no use for what
// is, and not every destination takes two.
func (m *mover) giveBack(a *dimse.Assoc) {
	switch {
	case a.Err() == nil:
	case m.mayRepeat():
		m.again = true
	default:
		m.failures++
	}
	if len(m.queue) > 0 {
		m.pool.Drop(a)
	} else {
		m.pool.Put(a)
	}
}

// one sends the next object that can go over a; false when there is none.
func (m *mover) one(a *dimse.Assoc, proposed map[kind]bool) bool {
	if !m.more() {
		return false
	}
	m.mu.Lock()
	if len(m.queue) == 0 || a.Err() != nil || !proposed[kind{m.queue[0].Class, m.queue[0].Syntax}] {
		m.mu.Unlock()
		return false
	}
	o := m.queue[0]
	m.queue = m.queue[1:]
	m.mu.Unlock()
	return m.send(a, o)
}

// send sends an object; false when a is of no more use.
func (m *mover) send(a *dimse.Assoc, o *dimse.Outgoing) bool {
	marked := *o
	marked.MoveOriginator, marked.MoveOriginatorID = m.r.Peer.Calling, m.r.MessageID
	status, err := preferring(&marked, m.dest.Prefer, func(o *dimse.Outgoing) (dimse.Status, error) { return a.Store(m.ctx, o) })
	lost := err != nil && a.Err() != nil
	if m.settled(o, lost, err) {
		m.count(o, status, err)
	}
	return !lost
}

// settled notes what became of the association. It is false when the object is to be sent
// again: it was not sent, or the association may have been dead since it was used last, which
// shows only now.
func (m *mover) settled(o *dimse.Outgoing, lost bool, err error) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !lost {
		m.answered, m.failures = true, 0
		return true
	}
	m.last = err
	if !m.mayRepeat() && !errors.Is(err, dimse.ErrUnsent) {
		return true
	}
	m.queue = append([]*dimse.Outgoing{o}, m.queue...)
	return false
}

// mayRepeat reports whether what the present association lost is sent again.
func (m *mover) mayRepeat() bool { return !m.own && !m.answered && !m.again }

// count counts what became of an object, unless the operation was canceled with it.
func (m *mover) count(o *dimse.Outgoing, status dimse.Status, err error) {
	if err != nil && m.r.Context().Err() != nil || m.t.done(o.Instance, status, err) != nil {
		m.mu.Lock()
		m.stopped = true
		m.mu.Unlock()
	}
}
