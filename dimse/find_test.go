package dimse

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"gantry/dicom/tag"
	"gantry/dicom/uid"
)

// endless answers until the context ends and records why it did.
func endless(t testing.TB, cause chan<- error) HandlerFunc {
	return func(w ResponseWriter, r *Request) {
		ds, err := r.ReadDataSet()
		if err != nil || ds.Text(tag.PatientName) != "DOE*" {
			t.Errorf("identifier: %v", err)
		}
		for r.Context().Err() == nil {
			if w.Pending(ds) != nil {
				break
			}
		}
		cause <- context.Cause(r.Context())
		Finish(w, r)
	}
}

func TestFindBreakCancels(t *testing.T) {
	cause := make(chan error, 1)
	m := echoMux()
	m.Handle(CFind, findClass, endless(t, cause))
	addr := start(t, &Server{Handler: m})
	a := dial(t, addr, Context{Class: findClass}, Context{Class: uid.Verification})
	n := 0
	for ds, err := range a.Find(t.Context(), findClass, identifier(t, "DOE*")) {
		if err != nil || ds.Text(tag.PatientName) != "DOE*" {
			t.Fatal(err)
		}
		if n == 1 {
			if err := a.Echo(t.Context()); !errors.Is(err, ErrBusy) {
				t.Errorf("echo inside the loop: %v", err)
			}
		}
		if n++; n == 5 {
			break
		}
	}
	if err := <-cause; !errors.Is(err, ErrCancelRQ) {
		t.Errorf("cause %v", err)
	}
	if a.rsp.Status != Canceled {
		t.Errorf("final status %v", a.rsp.Status)
	}
	if err := a.Echo(t.Context()); err != nil {
		t.Errorf("the association is not usable: %v", err)
	}
}

func TestFindContextCancels(t *testing.T) {
	cause := make(chan error, 1)
	m := echoMux()
	m.Handle(CFind, findClass, endless(t, cause))
	addr := start(t, &Server{Handler: m})
	a := dial(t, addr, Context{Class: findClass}, Context{Class: uid.Verification})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	n := 0
	var last error
	for _, err := range a.Find(ctx, findClass, identifier(t, "DOE*")) {
		if last = err; err != nil {
			break
		}
		if n++; n == 3 {
			cancel()
		}
	}
	if !errors.Is(last, context.Canceled) {
		t.Errorf("error %v", last)
	}
	if err := <-cause; !errors.Is(err, ErrCancelRQ) {
		t.Errorf("cause %v", err)
	}
	if err := a.Echo(t.Context()); err != nil {
		t.Errorf("the association is not usable: %v", err)
	}
}

func TestCauses(t *testing.T) {
	for name, c := range map[string]struct {
		end  func(t *testing.T, s *Server, a *Assoc)
		want error
	}{
		"abort":   {func(t *testing.T, s *Server, a *Assoc) { a.conn.Abort(0, 0) }, ErrPeerGone},
		"close":   {func(t *testing.T, s *Server, a *Assoc) { a.conn.NetConn().Close() }, ErrPeerGone},
		"release": {func(t *testing.T, s *Server, a *Assoc) { go a.conn.Release(t.Context()) }, ErrPeerGone},
		"shutdown": {func(t *testing.T, s *Server, a *Assoc) {
			go func() { ctx, c := context.WithTimeout(t.Context(), 10*time.Millisecond); defer c(); s.Shutdown(ctx) }()
		}, ErrShutdown},
	} {
		t.Run(name, func(t *testing.T) {
			cause := make(chan error, 1)
			running := make(chan bool)
			m := echoMux()
			m.HandleFunc(CFind, findClass, func(w ResponseWriter, r *Request) {
				r.ReadDataSet()
				running <- true
				<-r.Context().Done()
				cause <- context.Cause(r.Context())
				Finish(w, r)
			})
			s := &Server{Handler: m}
			addr := start(t, s)
			a := dial(t, addr, Context{Class: findClass})
			pc, _ := a.pick(findClass)
			cmd := Command{Op: CFind, MessageID: 1, AffectedClass: findClass}
			if err := a.write(pc, &cmd, identifier(t, "X")); err != nil {
				t.Fatal(err)
			}
			<-running
			c.end(t, s, a)
			select {
			case err := <-cause:
				if !errors.Is(err, c.want) {
					t.Errorf("cause %v", err)
				}
			case <-time.After(5 * time.Second):
				t.Fatal("the operation was not reached")
			}
			if name == "shutdown" {
				if _, err := a.next(t.Context(), 1, time.Second); err != nil || a.rsp.Status != OutOfResources || a.rsp.Comment != "shutting down" {
					t.Errorf("%+v %v", a.rsp, err)
				}
			}
		})
	}
}

func TestShutdownWaitsForOperation(t *testing.T) {
	running, finish := make(chan bool), make(chan bool)
	m := echoMux()
	m.HandleFunc(CFind, findClass, func(w ResponseWriter, r *Request) {
		r.ReadDataSet()
		running <- true
		<-finish
		w.Pending(identifier(t, "LAST"))
		w.Final(Success, nil)
	})
	s := &Server{Handler: m}
	addr := start(t, s)
	idle := dial(t, addr)
	a := dial(t, addr, Context{Class: findClass})
	got := make(chan error, 1)
	go func() {
		n := 0
		for _, err := range a.Find(context.Background(), findClass, identifier(t, "X")) {
			if err != nil {
				got <- err
				return
			}
			n++
		}
		if n != 1 {
			got <- fmt.Errorf("%d answers", n)
			return
		}
		got <- nil
	}()
	<-running
	down := make(chan error, 1)
	go func() { down <- s.Shutdown(context.Background()) }()
	var ae *AbortedError
	if _, err := idle.conn.NextPDV(); !errors.As(err, &ae) {
		t.Errorf("idle association: %v", err)
	}
	if _, err := (&Dialer{}).Dial(t.Context(), "SCP", addr); err == nil {
		t.Error("accepts during shutdown")
	}
	select {
	case <-down:
		t.Error("Shutdown did not wait")
	case <-time.After(50 * time.Millisecond):
	}
	close(finish)
	if err := <-got; err != nil {
		t.Error(err)
	}
	if err := <-down; err != nil {
		t.Error(err)
	}
}

func TestWindowAbuse(t *testing.T) {
	m := echoMux()
	m.HandleFunc(CFind, findClass, func(w ResponseWriter, r *Request) {
		r.ReadDataSet()
		<-r.Context().Done()
		Finish(w, r)
	})
	addr := start(t, &Server{Handler: m})
	for _, op := range []Op{CFind, CEcho} {
		a := dial(t, addr, Context{Class: findClass}, Context{Class: uid.Verification})
		pc, _ := a.pick(findClass)
		for id := range uint16(2) {
			cmd := Command{Op: CFind, MessageID: id + 1, AffectedClass: findClass}
			ds := identifier(t, "X")
			if id == 1 && op == CEcho {
				pc, _ = a.pick(uid.Verification)
				cmd, ds = Command{Op: CEcho, MessageID: 2, AffectedClass: uid.Verification}, nil
			}
			if err := a.write(pc, &cmd, ds); err != nil {
				t.Fatal(err)
			}
		}
		var ae *AbortedError
		for {
			if _, err := a.next(t.Context(), 1, 5*time.Second); errors.As(err, &ae) {
				break
			} else if err != nil {
				t.Fatal(err)
			}
		}
	}
}
