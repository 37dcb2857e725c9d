package dimse

import (
	"bytes"
	"context"
	"errors"
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
