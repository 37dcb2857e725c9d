package dimse

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gantry/dicom"
	"gantry/dicom/tag"
	"gantry/dicom/uid"
	"gantry/ul"
)

const findClass = uid.StudyRootQueryRetrieveInformationModelFind

// start serves s on loopback and returns its address.
func start(t testing.TB, s *Server) string {
	t.Helper()
	if s.AETitle == "" {
		s.AETitle = "SCP"
	}
	if s.Log == nil {
		s.Log = slog.New(slog.DiscardHandler)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- s.Serve(context.Background(), l) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
		defer cancel()
		s.Shutdown(ctx)
		if err := <-done; !errors.Is(err, ErrServerClosed) {
			t.Errorf("Serve: %v", err)
		}
	})
	return l.Addr().String()
}

func dial(t testing.TB, addr string, contexts ...Context) *Assoc {
	t.Helper()
	d := Dialer{Calling: "SCU", Contexts: contexts}
	a, err := d.Dial(context.Background(), "SCP", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Abort() })
	return a
}

func echo(w ResponseWriter, r *Request) { w.Final(Success, nil) }

func echoMux() *ServeMux {
	m := new(ServeMux)
	m.HandleFunc(CEcho, uid.Verification, echo)
	return m
}

func object(class uid.UID, instance uid.UID, data []byte) *Outgoing {
	return &Outgoing{Class: class, Instance: instance, Syntax: uid.ExplicitVRLittleEndian,
		Open: func(context.Context, uid.UID) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil }}
}

func identifier(t testing.TB, name string) *dicom.DataSet {
	t.Helper()
	ds, err := new(dicom.DataSet).Edit().SetText(tag.QueryRetrieveLevel, "STUDY").SetText(tag.PatientName, name).Build()
	if err != nil {
		t.Fatal(err)
	}
	return ds
}

func TestEcho(t *testing.T) {
	addr := start(t, &Server{Handler: echoMux()})
	a := dial(t, addr)
	for range 3 {
		if err := a.Echo(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if err := a.Release(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := a.Echo(t.Context()); err == nil {
		t.Error("echo after release")
	}
}

func TestStoreStreams(t *testing.T) {
	data := make([]byte, 3<<20)
	for i := range data {
		data[i] = byte(i * 31)
	}
	m := new(ServeMux)
	var got atomic.Int64
	m.HandleFunc(CStore, AnyClass, func(w ResponseWriter, r *Request) {
		ServeStore(StorerFunc(func(ctx context.Context, in *Incoming) error {
			b, err := io.ReadAll(in.Body)
			if err != nil {
				return err
			}
			if !bytes.Equal(b, data[:len(b)]) || in.Instance != "1.2.3" || in.Peer.Calling != "SCU" {
				return &StatusError{Status: 0xC001, Comment: "not what was sent"}
			}
			got.Add(int64(len(b)))
			return nil
		}), w, r)
	})
	addr := start(t, &Server{Handler: m})
	a := dial(t, addr, Context{Class: uid.CTImageStorage, Syntaxes: []uid.UID{uid.ExplicitVRLittleEndian}})
	want := int64(0)
	for _, n := range []int{0, 2, 100, 128 << 10, len(data)} {
		s, err := a.Store(t.Context(), object(uid.CTImageStorage, "1.2.3", data[:n]))
		if err != nil || s != Success {
			t.Fatalf("%d bytes: %v %v", n, s, err)
		}
		if want += int64(n); got.Load() != want {
			t.Fatalf("%d bytes arrived, want %d", got.Load(), want)
		}
	}
	var enc *ErrNoContext
	if _, err := a.Store(t.Context(), object(uid.MRImageStorage, "1", nil)); !errors.As(err, &enc) {
		t.Error(err)
	}
}

// TestStoreRefusedUnread: a handler that refuses without reading leaves the association in order.
func TestStoreRefusedUnread(t *testing.T) {
	m := echoMux()
	m.HandleFunc(CStore, AnyClass, func(w ResponseWriter, r *Request) {
		Fail(w, r, &StatusError{Status: OutOfResources, Comment: "disk full", Offending: []tag.Tag{tag.PixelData}, Err: errors.New("private detail")})
	})
	addr := start(t, &Server{Handler: m, Limits: NetLimits{MaxDrain: 1 << 20}})
	a := dial(t, addr, Context{Class: uid.CTImageStorage, Syntaxes: []uid.UID{uid.ExplicitVRLittleEndian}}, Context{Class: uid.Verification})
	s, err := a.Store(t.Context(), object(uid.CTImageStorage, "1.2", make([]byte, 1<<20)))
	if err != nil || s != OutOfResources {
		t.Fatal(s, err)
	}
	if a.rsp.Comment != "disk full" || len(a.rsp.Offending) != 1 {
		t.Errorf("%+v", a.rsp)
	}
	if err := a.Echo(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Store(t.Context(), object(uid.CTImageStorage, "1.2", make([]byte, 20<<20))); err == nil {
		if err = a.Echo(t.Context()); err == nil {
			t.Error("20 MiB were read away with a limit of 1 MiB")
		}
	}
}

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

func TestPanicKeepsToItsAssociation(t *testing.T) {
	m := echoMux()
	m.HandleFunc(CStore, AnyClass, func(ResponseWriter, *Request) { panic("boom") })
	m.HandleFunc(CFind, findClass, func(ResponseWriter, *Request) { panic("boom") })
	var ended atomic.Int32
	s := &Server{Handler: m, Trace: &Trace{Ended: func(_ *Peer, sum AssociationSummary) {
		if sum.Err != nil {
			ended.Add(1)
		}
	}}}
	addr := start(t, s)
	other := dial(t, addr)
	a := dial(t, addr, Context{Class: uid.CTImageStorage})
	if _, err := a.Store(t.Context(), object(uid.CTImageStorage, "1.2", []byte("xx"))); err == nil {
		t.Error("stored")
	}
	a = dial(t, addr, Context{Class: findClass})
	for _, err := range a.Find(t.Context(), findClass, identifier(t, "X")) {
		if err == nil {
			t.Error("found")
		}
	}
	if err := other.Echo(t.Context()); err != nil {
		t.Error(err)
	}
	waitFor(t, func() bool { return ended.Load() == 2 && s.Stats().Active == 1 })
}

func waitFor(t testing.TB, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(5 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it did not happen")
		}
	}
}

func TestNoFinalIsFailure(t *testing.T) {
	m := new(ServeMux)
	m.HandleFunc(CEcho, uid.Verification, func(ResponseWriter, *Request) {})
	m.HandleFunc(CFind, findClass, func(ResponseWriter, *Request) {})
	addr := start(t, &Server{Handler: m})
	a := dial(t, addr, Context{Class: findClass}, Context{Class: uid.Verification})
	var se *StatusError
	if err := a.Echo(t.Context()); !errors.As(err, &se) || se.Status != ProcessingFailure {
		t.Error(err)
	}
	for _, err := range a.Find(t.Context(), findClass, identifier(t, "X")) {
		if !errors.As(err, &se) || se.Status != UnableToProcess {
			t.Error(err)
		}
	}
}

func TestSecondFinalAborts(t *testing.T) {
	m := new(ServeMux)
	m.HandleFunc(CEcho, uid.Verification, func(w ResponseWriter, r *Request) {
		w.Final(Success, nil)
		if w.Final(Success, nil) == nil {
			t.Error("second final response accepted")
		}
	})
	addr := start(t, &Server{Handler: m})
	a := dial(t, addr)
	if err := a.Echo(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := a.Echo(t.Context()); err == nil {
		t.Error("the association lives")
	}
}

func TestRejections(t *testing.T) {
	for name, c := range map[string]struct {
		s      *Server
		called AETitle
		want   ul.Reject
	}{
		"called":   {&Server{}, "OTHER", ul.RejectCalledAETitle},
		"calling":  {&Server{Policy: Policy{Known: func(AETitle, string) bool { return false }, Unknown: RefuseUnknown}}, "SCP", ul.RejectCallingAETitle},
		"policy":   {&Server{Policy: Policy{Accept: func(*Proposal) (Grant, error) { return Grant{}, RejectWith(ul.RejectCongestion, nil) }}}, "SCP", ul.RejectCongestion},
		"error":    {&Server{Policy: Policy{Accept: func(*Proposal) (Grant, error) { return Grant{}, io.ErrUnexpectedEOF }}}, "SCP", ul.RejectNoReason},
		"limit":    {&Server{Limits: NetLimits{MaxConns: 1}}, "SCP", ul.RejectLocalLimit},
		"per host": {&Server{Limits: NetLimits{MaxConnsPerPeer: 1}}, "SCP", ul.RejectLocalLimit},
	} {
		t.Run(name, func(t *testing.T) {
			c.s.Handler = echoMux()
			addr := start(t, c.s)
			if c.want == ul.RejectLocalLimit {
				first := dial(t, addr)
				defer func() {
					first.Release(t.Context())
					waitFor(t, func() bool { return c.s.Stats().Active == 0 })
					if err := dial(t, addr).Echo(t.Context()); err != nil {
						t.Error("the place was not given back:", err)
					}
				}()
			}
			_, err := (&Dialer{Calling: "SCU"}).Dial(t.Context(), c.called, addr)
			var re *RejectedError
			if !errors.As(err, &re) || re.Reject != c.want {
				t.Errorf("%v", err)
			}
		})
	}
	addr := start(t, &Server{AETitle: "MAIN", Handler: echoMux(), Policy: Policy{CalledTitles: []AETitle{"SCP"}}})
	dial(t, addr)
}

func TestUnknownCallerMayEcho(t *testing.T) {
	m := echoMux()
	m.HandleFunc(CFind, findClass, echo)
	addr := start(t, &Server{Handler: m, Policy: Policy{Known: func(c AETitle, host string) bool { return c == "FRIEND" && host == "127.0.0.1" }, Unknown: EchoUnknown}})
	a := dial(t, addr, Context{Class: uid.Verification}, Context{Class: findClass})
	if err := a.Echo(t.Context()); err != nil {
		t.Error(err)
	}
	if a.Accepted(findClass) != nil {
		t.Error("C-FIND accepted")
	}
	if r := a.conn.Answer().Contexts[1].Result; r != ul.ContextUserRejection {
		t.Error(r)
	}
	f, err := (&Dialer{Calling: "FRIEND", Contexts: []Context{{Class: findClass}}}).Dial(t.Context(), "SCP", addr)
	if err != nil || f.Accepted(findClass) == nil {
		t.Error(err)
	}
	f.Abort()
}

func TestUnhandled(t *testing.T) {
	m := echoMux()
	m.HandleFunc(NCreate, "1.2.840.10008.5.1.1.1", echo)
	addr := start(t, &Server{Handler: m})
	a := dial(t, addr, Context{Class: uid.Verification}, Context{Class: "1.2.840.10008.5.1.1.1"})
	rep, err := a.NDelete(t.Context(), "1.2.840.10008.5.1.1.1", "1.2")
	if err != nil || rep.Status != UnrecognizedOperation {
		t.Error(rep, err)
	}
	pc, _ := a.pick(uid.Verification)
	for _, c := range []struct {
		cmd  Command
		want Status
	}{
		{Command{Op: CStore, MessageID: 9, AffectedClass: uid.CTImageStorage}, SOPClassNotSupported},
		{Command{Op: NGet, MessageID: 9, RequestedClass: "1.2.3"}, NoSuchSOPClass},
		{Command{Op: 0x0777, MessageID: 9, AffectedClass: uid.Verification}, UnrecognizedOperation},
	} {
		if _, err := a.exchange(t.Context(), pc, &c.cmd, nil); err != nil || a.rsp.Status != c.want {
			t.Errorf("%v: %v %v", c.cmd.Op, a.rsp.Status, err)
		}
	}
}

func TestNServices(t *testing.T) {
	const class, inst = uid.UID("1.2.840.10008.5.1.1.1"), uid.UID("1.2.3.4")
	m := new(ServeMux)
	for _, op := range []Op{NCreate, NSet, NGet, NAction, NDelete, NEventReport} {
		m.HandleFunc(op, class, func(w ResponseWriter, r *Request) {
			if r.Class != class || r.Op != op {
				t.Errorf("%v: %+v", op, r.Command)
			}
			ds, err := r.ReadDataSet()
			if err != nil {
				Fail(w, r, err)
				return
			}
			rsp := &Response{Status: Success, Data: ds}
			switch op {
			case NCreate:
				rsp.Instance = inst
			case NGet:
				if len(r.Command.Attributes) != 2 || r.Instance != inst {
					t.Errorf("%+v", r.Command)
				}
			case NAction:
				if r.Command.ActionType != 7 {
					t.Errorf("%+v", r.Command)
				}
			case NEventReport:
				if r.Command.EventType != 3 {
					t.Errorf("%+v", r.Command)
				}
			case NSet:
				rsp.Status, rsp.Comment = AttributeValueOutOfRange, "clipped"
			case NDelete:
				Fail(w, r, &StatusError{Status: NoSuchSOPInstance})
				return
			}
			w.Send(rsp)
		})
	}
	addr := start(t, &Server{Handler: m})
	a := dial(t, addr, Context{Class: class})
	ctx, in := t.Context(), identifier(t, "N")
	check := func(name string, r *Reply, err error, want Status) {
		t.Helper()
		if err != nil || r.Status != want {
			t.Fatalf("%s: %+v %v", name, r, err)
		}
	}
	r, err := a.NCreate(ctx, class, "", in)
	check("create", r, err, Success)
	if r.Instance != inst || r.Data.Text(tag.PatientName) != "N" {
		t.Errorf("%+v", r)
	}
	r, err = a.NSet(ctx, class, inst, in)
	check("set", r, err, AttributeValueOutOfRange)
	if r.Err() != nil || r.Comment != "clipped" || r.Instance != inst {
		t.Errorf("%+v", r)
	}
	r, err = a.NGet(ctx, class, inst, tag.PatientName, tag.PatientID)
	check("get", r, err, Success)
	r, err = a.NAction(ctx, class, inst, 7, nil)
	check("action", r, err, Success)
	if a.rsp.ActionType != 7 {
		t.Error(a.rsp.ActionType)
	}
	r, err = a.NEventReport(ctx, class, inst, 3, in)
	check("event", r, err, Success)
	r, err = a.NDelete(ctx, class, inst)
	check("delete", r, err, NoSuchSOPInstance)
	if r.Err() == nil {
		t.Error("no error for 0112H")
	}
}

func TestGetSubOperations(t *testing.T) {
	const class = uid.StudyRootQueryRetrieveInformationModelGet
	data := bytes.Repeat([]byte("pixels.."), 100_000)
	m := echoMux()
	m.HandleFunc(CGet, class, func(w ResponseWriter, r *Request) {
		if _, err := r.ReadDataSet(); err != nil {
			t.Error(err)
		}
		var so SubOperations
		for i := range 3 {
			o := object(uid.CTImageStorage, uid.UID(fmt.Sprintf("1.2.%d", i)), data)
			if i == 2 {
				o.Class = uid.MRImageStorage
			}
			s, err := r.SubStore(r.Context(), o)
			switch {
			case err != nil:
				so.Failed++
			case s.Class() == Warning:
				so.Warning++
			case s == Success:
				so.Completed++
			}
			so.Remaining = uint16(2 - i)
			w.Send(&Response{Status: PendingMatch, SubOps: &so})
		}
		failed, _ := new(dicom.DataSet).Edit().SetUID(tag.FailedSOPInstanceUIDList, "1.2.2").Build()
		w.Send(&Response{Status: SubOperationsFailed, SubOps: &so, Data: failed})
	})
	addr := start(t, &Server{Handler: m})
	a := dial(t, addr, Context{Class: class}, Context{Class: uid.CTImageStorage, OnlySCP: true})
	var stored []string
	st := StorerFunc(func(ctx context.Context, in *Incoming) error {
		b, err := io.ReadAll(in.Body)
		if err != nil || !bytes.Equal(b, data) {
			t.Errorf("%d bytes %v", len(b), err)
		}
		stored = append(stored, string(in.Instance))
		if in.Instance == "1.2.1" {
			return &StatusError{Status: CoercionOfDataElements}
		}
		return nil
	})
	var last Progress
	n := 0
	for p, err := range a.Get(t.Context(), class, identifier(t, "X"), st) {
		if err != nil {
			t.Fatal(err)
		}
		last, n = p, n+1
	}
	if n != 4 || strings.Join(stored, " ") != "1.2.0 1.2.1" {
		t.Error(n, stored)
	}
	if last.SubOperations != (SubOperations{0, 1, 1, 1}) || last.Status != SubOperationsFailed || len(last.Failed) != 1 || last.Failed[0] != "1.2.2" {
		t.Errorf("%+v", last)
	}
}

func TestContextsOverLimit(t *testing.T) {
	d := Dialer{Contexts: make([]Context, 129)}
	if _, err := d.Dial(t.Context(), "SCP", "127.0.0.1:1"); err == nil || !strings.Contains(err.Error(), "at most 128") {
		t.Error(err)
	}
}

func TestExchangeGivenUp(t *testing.T) {
	block := make(chan bool)
	m := new(ServeMux)
	m.HandleFunc(CEcho, uid.Verification, func(w ResponseWriter, r *Request) { <-block })
	addr := start(t, &Server{Handler: m})
	defer close(block)
	a := dial(t, addr)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := a.Echo(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	if a.Err() == nil {
		t.Error("the association lives although its state is unknown")
	}
}

func TestConcurrentCallsQueue(t *testing.T) {
	addr := start(t, &Server{Handler: echoMux()})
	a := dial(t, addr)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				if err := a.Echo(context.Background()); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
}
