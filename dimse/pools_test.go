package dimse

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"gantry/dicom/uid"
)

// TestPoolFits: an idle association is used again only where its contexts are those wanted,
// and one that is of no use makes room.
func TestPoolFits(t *testing.T) {
	mux := new(ServeMux)
	mux.HandleFunc(CEcho, AnyClass, echo)
	s := &Server{Handler: mux}
	p := &Pool{Called: "SCP", Addr: start(t, s), Max: 2, Idle: time.Minute}
	defer p.Close()
	ct, mr := Context{Class: uid.CTImageStorage}, Context{Class: uid.MRImageStorage}
	use := func(contexts ...Context) *Assoc {
		t.Helper()
		a, err := p.GetFor(t.Context(), contexts)
		if err != nil {
			t.Fatal(err)
		}
		p.Put(a)
		return a
	}
	both := use(ct, mr)
	for _, c := range [][]Context{{ct}, {mr}, {mr, ct}} {
		if use(c...) != both {
			t.Errorf("%v: another association", c)
		}
	}
	for _, c := range []Context{{Class: uid.CTImageStorage, SCP: true}, {Class: uid.CTImageStorage, Syntaxes: []uid.UID{uid.JPEGLSLossless}}, {Class: uid.UltrasoundImageStorage}} {
		if use(c) == both {
			t.Errorf("%v was not proposed", c)
		}
	}
	waitFor(t, func() bool { return s.Stats().Active == 2 }) // the cap, idle ones included
	if both.Err() == nil {
		t.Error("the oldest one did not make room")
	}
}

// TestPools: associations are shared by those who agree, from many goroutines.
func TestPools(t *testing.T) {
	s := &Server{Handler: echoMux()}
	addr := start(t, s)
	p := &Pools{Max: 3, Idle: time.Minute}
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			for range 10 {
				pool := p.To(Dialer{Calling: "SCU"}, "SCP", addr)
				a, err := pool.Get(t.Context())
				if err != nil {
					t.Error(err)
					return
				}
				if err := a.Echo(t.Context()); err != nil {
					t.Error(err)
				}
				pool.Put(a)
			}
		})
	}
	wg.Wait()
	if n := s.Stats().Associations; n > 3 {
		t.Errorf("%d associations for 3", n)
	}
	if p.To(Dialer{Calling: "OTHER"}, "SCP", addr) == p.To(Dialer{Calling: "SCU"}, "SCP", addr) {
		t.Error("one pool for two calling titles")
	}
	for i := range 2 * mostPools {
		p.To(Dialer{}, "SCP", fmt.Sprint("host:", i))
	}
	if len(p.m) > mostPools {
		t.Errorf("%d pools", len(p.m))
	}
	p.Close()
	if _, err := p.To(Dialer{Calling: "SCU"}, "SCP", addr).Get(t.Context()); !errors.Is(err, ErrPoolClosed) {
		t.Error(err)
	}
	if _, err := p.To(Dialer{Calling: "NEW"}, "SCP", addr).Get(t.Context()); !errors.Is(err, ErrPoolClosed) {
		t.Error(err)
	}
	waitFor(t, func() bool { return s.Stats().Active == 0 })
}
