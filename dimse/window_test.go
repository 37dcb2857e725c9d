package dimse

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gantry/dicom/uid"
	"gantry/ul"
)

func TestAnswerWindow(t *testing.T) {
	for _, c := range []struct {
		proposed, want ul.AsyncWindow
		most           int
	}{
		{ul.AsyncWindow{Invoked: 0, Performed: 0}, ul.AsyncWindow{Invoked: 8, Performed: 8}, 8},
		{ul.AsyncWindow{Invoked: 3, Performed: 20}, ul.AsyncWindow{Invoked: 3, Performed: 8}, 8},
		{ul.AsyncWindow{Invoked: 65535, Performed: 1}, ul.AsyncWindow{Invoked: 255, Performed: 1}, 255},
		{ul.AsyncWindow{Invoked: 5, Performed: 0}, ul.AsyncWindow{Invoked: 1, Performed: 1}, 1},
	} {
		if got := answerWindow(c.proposed, c.most); *got != c.want {
			t.Errorf("%+v of %d: %+v, want %+v", c.proposed, c.most, *got, c.want)
		}
	}
	if in, out := windowOf(nil); in != 1 || out != 1 {
		t.Error(in, out)
	}
	if in, out := windowOf(&ul.AsyncWindow{Invoked: 0, Performed: 7}); in != maxWindow || out != 7 {
		t.Error(in, out)
	}
	if proposeWindow(1) != nil || proposeWindow(1000).Invoked != maxWindow {
		t.Error("what is proposed")
	}
}

// dialWindow opens an association with a window.
func dialWindow(t testing.TB, addr string, window int, contexts ...Context) *Assoc {
	t.Helper()
	d := Dialer{Calling: "SCU", Contexts: contexts, Window: window}
	a, err := d.Dial(context.Background(), "SCP", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Abort() })
	return a
}

// meeting is a handler of C-STORE that answers when n requests are there, the last first.
type meeting struct {
	n     int
	mu    sync.Mutex
	there []chan struct{}
	read  atomic.Int64
}

func (m *meeting) ServeDIMSE(w ResponseWriter, r *Request) {
	n, _ := io.Copy(io.Discard, r.Data)
	m.read.Add(n)
	turn := make(chan struct{})
	m.mu.Lock()
	if m.there = append(m.there, turn); len(m.there) == m.n {
		close(turn)
	}
	m.mu.Unlock()
	select {
	case <-turn:
		w.Final(Success, nil)
	case <-r.Context().Done():
		return
	}
	m.mu.Lock()
	for i, c := range m.there {
		if c == turn && i > 0 {
			close(m.there[i-1])
		}
	}
	m.mu.Unlock()
}

// TestWindow has as many C-STOREs in flight as the window lets: the handler answers only
// when all are there, in reverse order.
func TestWindow(t *testing.T) {
	for _, n := range []int{2, 8} {
		m := &meeting{n: n}
		mux := echoMux()
		mux.Handle(CStore, AnyClass, m)
		s := &Server{Handler: mux}
		a := dialWindow(t, start(t, s), 20, Context{Class: uid.CTImageStorage}, Context{Class: uid.Verification})
		if a.Window() != 8 {
			t.Fatalf("window %d", a.Window())
		}
		var wg sync.WaitGroup
		for i := range n {
			wg.Go(func() {
				data := make([]byte, 100_000*i)
				status, err := a.Store(t.Context(), object(uid.CTImageStorage, uid.UID(fmt.Sprint("1.2.", i)), data))
				if err != nil || status != Success {
					t.Error(status, err)
				}
			})
		}
		wg.Wait()
		if want := int64(100_000 * n * (n - 1) / 2); m.read.Load() != want {
			t.Errorf("%d bytes of %d", m.read.Load(), want)
		}
		if err := a.Echo(t.Context()); err != nil {
			t.Error(err)
		}
		if err := a.Release(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

// TestWindowOfOne: without a proposal, and with a server that lets one, calls wait.
func TestWindowOfOne(t *testing.T) {
	var running, most atomic.Int32
	mux := new(ServeMux)
	mux.HandleFunc(CEcho, uid.Verification, func(w ResponseWriter, r *Request) {
		most.Store(max(most.Load(), running.Add(1)))
		time.Sleep(time.Millisecond)
		running.Add(-1)
		w.Final(Success, nil)
	})
	for _, c := range [][2]int{{0, 8}, {1, 8}, {8, 1}} {
		a := dialWindow(t, start(t, &Server{Handler: mux, Limits: NetLimits{Window: c[1]}}), c[0])
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() {
				if err := a.Echo(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if most.Load() != 1 || a.Window() != 1 {
			t.Errorf("%v: %d at a time, window %d", c, most.Load(), a.Window())
		}
	}
}

// raw opens an association of which the test sends and reads every message itself.
func raw(t testing.TB, addr string, window int, classes ...uid.UID) *session {
	t.Helper()
	a := dialWindow(t, addr, window, contextsOf(classes)...)
	return &a.session
}

func contextsOf(classes []uid.UID) (out []Context) {
	for _, c := range classes {
		out = append(out, Context{Class: c})
	}
	return out
}

func (s *session) request(t testing.TB, op Op, id uint16) {
	t.Helper()
	if err := s.write(&s.contexts[0], &Command{Op: op, MessageID: id, AffectedClass: s.contexts[0].class}, nil); err != nil {
		t.Fatal(err)
	}
}

// TestOverTheWindow: one request more than the window, or one with the Message ID of
// another, ends the association.
func TestOverTheWindow(t *testing.T) {
	for name, ids := range map[string][]uint16{"over": {1, 2, 3}, "twice": {7, 7}} {
		began := make(chan struct{}, 3)
		mux := new(ServeMux)
		mux.HandleFunc(CEcho, uid.Verification, func(w ResponseWriter, r *Request) {
			began <- struct{}{}
			<-r.Context().Done()
		})
		s := &Server{Handler: mux, Limits: NetLimits{Window: 2}}
		var ended atomic.Value
		s.Trace = &Trace{Ended: func(_ *Peer, sum AssociationSummary) { ended.Store(fmt.Sprint(sum.Err)) }}
		c := raw(t, start(t, s), 9, uid.Verification)
		for _, id := range ids {
			c.request(t, CEcho, id)
		}
		var aborted *AbortedError
		c.conn.StartMessage(5 * time.Second)
		if _, err := c.conn.NextPDV(); !errors.As(err, &aborted) {
			t.Errorf("%s: %v", name, err)
		}
		waitFor(t, func() bool { return s.Stats().Active == 0 })
		want := map[string]string{"over": "window is 2", "twice": "Message ID 7"}[name]
		if got := ended.Load().(string); !strings.Contains(got, want) || len(began) >= len(ids) {
			t.Errorf("%s: %s, %d began", name, got, len(began))
		}
	}
}

// script accepts one association with a window and runs f with it.
func script(t testing.TB, window uint16, f func(s *session)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		nc, err := l.Accept()
		if err != nil {
			return
		}
		conn := ul.NewAcceptor(nc, ul.Options{})
		defer nc.Close()
		rq, err := conn.ReadRequest()
		if err != nil {
			t.Error(err)
			return
		}
		n := negotiation{rq: rq, handler: new(ServeMux), window: int(window)}
		n.handler = HandlerFunc(echo)
		if err := conn.Accept(n.answer()); err != nil {
			t.Error(err)
			return
		}
		f(&session{conn: conn, contexts: n.accepted})
	}()
	t.Cleanup(func() { l.Close(); <-done })
	return l.Addr().String()
}

// take reads n requests without data sets and returns their Message IDs.
func (s *session) take(t testing.TB, n int) (ids []uint16) {
	for range n {
		var c Command
		s.conn.StartMessage(5 * time.Second)
		if _, err := s.readCommand(&c); err != nil {
			t.Error(err)
			return nil
		}
		ids = append(ids, c.MessageID)
	}
	return ids
}

func (s *session) answer(id uint16, status Status) error {
	return s.write(&s.contexts[0], &Command{Op: CEcho, Response: true, RespondedTo: id, Status: status}, nil)
}

// TestResponsesInAnyOrder: a peer answers the last request first; each caller gets its own.
func TestResponsesInAnyOrder(t *testing.T) {
	const n = 5
	rounds := 20
	addr := script(t, n, func(s *session) {
		for range rounds {
			ids := s.take(t, n)
			for i := len(ids) - 1; i >= 0; i-- {
				s.answer(ids[i], ProcessingFailure+Status(i%2)) // 0110H or 0111H
			}
		}
		s.conn.StartMessage(5 * time.Second)
		if _, err := s.conn.NextPDV(); !errors.Is(err, ul.ErrReleaseRequested) || s.conn.ReplyRelease() != nil {
			t.Error(err)
		}
	})
	a := dialWindow(t, addr, 64)
	if a.Window() != n {
		t.Fatalf("window %d", a.Window())
	}
	for range rounds {
		var odd atomic.Int32
		var wg sync.WaitGroup
		for range n {
			wg.Go(func() {
				var se *StatusError
				if err := a.Echo(t.Context()); !errors.As(err, &se) {
					t.Error(err)
				} else if se.Status == ProcessingFailure+1 {
					odd.Add(1)
				}
			})
		}
		if wg.Wait(); odd.Load() != n/2 {
			t.Errorf("%d of %d odd ones", odd.Load(), n/2)
		}
	}
	if err := a.Release(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestResponseUnasked and one that comes twice end the association for all who wait.
func TestResponseUnasked(t *testing.T) {
	for _, twice := range []bool{false, true} {
		addr := script(t, 3, func(s *session) {
			ids := s.take(t, 3)
			if twice {
				s.answer(ids[0], Success)
				s.answer(ids[0], Success)
			} else {
				s.answer(4711, Success)
			}
			s.conn.StartMessage(5 * time.Second)
			s.conn.NextPDV()
		})
		a := dialWindow(t, addr, 3)
		var wg sync.WaitGroup
		var failed atomic.Int32
		for range 3 {
			wg.Go(func() {
				if a.Echo(t.Context()) != nil {
					failed.Add(1)
				}
			})
		}
		if wg.Wait(); failed.Load() < 2 || a.Err() == nil {
			t.Errorf("twice %v: %d failed, %v", twice, failed.Load(), a.Err())
		}
	}
}

// TestNoResponse: who waits beside the reader waits no longer than the limit either.
func TestNoResponse(t *testing.T) {
	addr := script(t, 3, func(s *session) {
		s.take(t, 3)
		s.conn.StartMessage(10 * time.Second)
		s.conn.NextPDV()
	})
	d := Dialer{Window: 3, Limits: NetLimits{Response: 50 * time.Millisecond}}
	a, err := d.Dial(t.Context(), "SCP", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Abort()
	began := time.Now()
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			if err := a.Echo(t.Context()); err == nil {
				t.Error("an echo without a response")
			}
		})
	}
	if wg.Wait(); time.Since(began) > 5*time.Second {
		t.Error(time.Since(began))
	}
}

// TestGivenUp: the end of one operation's context ends the association, and nobody hangs.
func TestGivenUp(t *testing.T) {
	addr := script(t, 4, func(s *session) {
		s.take(t, 4)
		s.conn.StartMessage(10 * time.Second)
		s.conn.NextPDV()
	})
	a := dialWindow(t, addr, 4)
	why := errors.New("enough")
	ctx, cancel := context.WithTimeoutCause(t.Context(), 50*time.Millisecond, why)
	defer cancel()
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			if i > 0 {
				if err := a.Echo(t.Context()); err == nil {
					t.Error("an echo without a response")
				}
			} else if err := a.Echo(ctx); !errors.Is(err, why) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

// TestIteratorIsAlone: Find waits for what runs, and what begins meanwhile is refused.
func TestIteratorIsAlone(t *testing.T) {
	mux := echoMux()
	mux.HandleFunc(CFind, findClass, func(w ResponseWriter, r *Request) {
		r.ReadDataSet()
		w.Pending(identifier(t, "A"))
		w.Final(Success, nil)
	})
	a := dialWindow(t, start(t, &Server{Handler: mux}), 8, Context{Class: uid.Verification}, Context{Class: findClass})
	for range 20 {
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				if err := a.Echo(t.Context()); err != nil && !errors.Is(err, ErrBusy) {
					t.Error(err)
				}
			})
			wg.Go(func() {
				for _, err := range a.Find(t.Context(), findClass, identifier(t, "A")) {
					if errors.Is(err, ErrBusy) {
						return
					}
					if err := a.Echo(t.Context()); !errors.Is(err, ErrBusy) {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
	}
}

// TestShutdownInWindow: what runs ends with its own answer, what comes later is refused.
func TestShutdownInWindow(t *testing.T) {
	began, goOn := make(chan struct{}), make(chan struct{})
	mux := new(ServeMux)
	mux.HandleFunc(CEcho, uid.Verification, func(w ResponseWriter, r *Request) {
		began <- struct{}{}
		<-goOn
		w.Final(Success, nil)
	})
	s := &Server{Handler: mux}
	c := raw(t, start(t, s), 4, uid.Verification)
	c.request(t, CEcho, 1)
	<-began
	down := make(chan error, 1)
	go func() { down <- s.Shutdown(t.Context()) }()
	waitFor(t, func() bool { s.mu.Lock(); defer s.mu.Unlock(); return s.closing })
	time.Sleep(10 * time.Millisecond) // until the association knows
	c.request(t, CEcho, 2)
	var rsp Command
	c.conn.StartMessage(5 * time.Second)
	if _, err := c.readCommand(&rsp); err != nil || rsp.RespondedTo != 2 || rsp.Status != OutOfResources {
		t.Errorf("%+v, %v", rsp, err)
	}
	close(goOn)
	c.conn.StartMessage(5 * time.Second)
	if _, err := c.readCommand(&rsp); err != nil || rsp.RespondedTo != 1 || rsp.Status != Success {
		t.Errorf("%+v, %v", rsp, err)
	}
	if err := <-down; err != nil {
		t.Error(err)
	}
}

// TestPanicInWindow ends its association, with all that runs there, and no other.
func TestPanicInWindow(t *testing.T) {
	mux := new(ServeMux)
	mux.HandleFunc(CEcho, uid.Verification, func(w ResponseWriter, r *Request) {
		if r.MessageID == 2 {
			panic("broken")
		}
		<-r.Context().Done()
	})
	s := &Server{Handler: mux}
	c := raw(t, start(t, s), 4, uid.Verification)
	c.request(t, CEcho, 1)
	c.request(t, CEcho, 2)
	waitFor(t, func() bool { return s.Stats().Active == 0 })
}
