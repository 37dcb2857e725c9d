package dimsefront

import (
	"context"
	"slices"
	"sync"

	"gantry/dimse"
)

// fairly is how often a turn goes to the one who waited longest, whatever its priority, so
// that queries of low priority end too.
const fairly = 4

// turns lets few queries search at a time, those of high priority first (PS3.7 E.1). A
// query takes a turn for each page of its answers and holds none while it sends. The zero
// value has defaultParallel of them. It is safe for concurrent use.
type turns struct {
	Parallel int

	mu      sync.Mutex
	busy    int
	given   uint64
	waiting []*waiter // in the order they came
}

const defaultParallel = 4

type waiter struct {
	rank int // 0 is first
	turn chan struct{}
}

// rankOf orders the priorities; unknown ones are medium.
func rankOf(p dimse.Priority) int {
	switch p {
	case dimse.PriorityHigh:
		return 0
	case dimse.PriorityLow:
		return 2
	}
	return 1
}

// take waits for a turn and returns what ends it.
func (t *turns) take(ctx context.Context, p dimse.Priority) (done func(), err error) {
	t.mu.Lock()
	most := t.Parallel
	if most <= 0 {
		most = defaultParallel
	}
	if t.busy < most {
		t.busy++
		t.mu.Unlock()
		return t.end, nil
	}
	w := &waiter{rankOf(p), make(chan struct{})}
	t.waiting = append(t.waiting, w)
	t.mu.Unlock()
	select {
	case <-w.turn:
		return t.end, nil
	case <-ctx.Done():
		t.leave(w)
		return nil, context.Cause(ctx)
	}
}

// leave takes back a waiter; one that has got its turn meanwhile passes it on.
func (t *turns) leave(w *waiter) {
	t.mu.Lock()
	i := slices.Index(t.waiting, w)
	if i >= 0 {
		t.waiting = slices.Delete(t.waiting, i, i+1)
	}
	t.mu.Unlock()
	if i < 0 {
		t.end()
	}
}

// end gives the turn to the next one.
func (t *turns) end() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.waiting) == 0 {
		t.busy--
		return
	}
	next := 0
	if t.given++; t.given%fairly != 0 {
		for i, w := range t.waiting {
			if w.rank < t.waiting[next].rank {
				next = i
			}
		}
	}
	w := t.waiting[next]
	t.waiting = slices.Delete(t.waiting, next, next+1)
	close(w.turn)
}
