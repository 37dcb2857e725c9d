package dimse

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"
)

func TestPool(t *testing.T) {
	s := &Server{Handler: echoMux()}
	var mu sync.Mutex
	var ends []error
	s.Trace = &Trace{Ended: func(_ *Peer, sum AssociationSummary) { mu.Lock(); ends = append(ends, sum.Err); mu.Unlock() }}
	p := &Pool{Called: "SCP", Addr: start(t, s), Max: 2, Idle: 60 * time.Millisecond}
	use := func() {
		t.Helper()
		a, err := p.Get(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := a.Echo(t.Context()); err != nil {
			t.Error(err)
		}
		p.Put(a)
	}
	for range 20 {
		use()
	}
	if n := s.Stats().Associations; n != 1 {
		t.Errorf("%d associations for uses one after the other", n)
	}
	one, err1 := p.Get(t.Context())
	two, err2 := p.Get(t.Context())
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := p.Get(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a third one of two: %v", err)
	}
	p.Put(one)
	p.Put(two)
	waitFor(t, func() bool { return s.Stats().Active == 0 })
	mu.Lock()
	for _, err := range ends {
		if err != nil {
			t.Errorf("an idle association was not released in order: %v", err)
		}
	}
	mu.Unlock()
	use() // opens again
	a, err := p.Get(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	a.conn.NetConn().Close() // what a dead peer looks like
	p.Put(a)
	time.Sleep(2 * trusted)
	use()
	p.Close()
	if _, err := p.Get(t.Context()); !errors.Is(err, ErrPoolClosed) {
		t.Error(err)
	}
	waitFor(t, func() bool { return s.Stats().Active == 0 })
}

// TestPoolDropsDead: an association that the peer aborted while it was idle is not handed out.
func TestPoolDropsDead(t *testing.T) {
	s := &Server{Handler: echoMux(), Limits: NetLimits{Idle: 20 * time.Millisecond}}
	p := &Pool{Called: "SCP", Addr: start(t, s), Idle: time.Minute}
	defer p.Close()
	for range 3 {
		a, err := p.Get(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := a.Echo(t.Context()); err != nil {
			t.Error(err)
		}
		p.Put(a)
		waitFor(t, func() bool { return s.Stats().Active == 0 })
	}
}
