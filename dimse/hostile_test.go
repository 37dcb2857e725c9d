package dimse_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gantry/dicom"
	"gantry/dicom/tag"
	"gantry/dicom/uid"
	"gantry/dicomtest"
	"gantry/dimse"
	"gantry/ul"
)

const studyFind = uid.StudyRootQueryRetrieveInformationModelFind

func newArchive(t testing.TB, n int) *dicomtest.Archive {
	t.Helper()
	a := new(dicomtest.Archive)
	for i := range n {
		if err := a.Add(dicomtest.Object{N: i}); err != nil {
			t.Fatal(err)
		}
	}
	return a
}

// session returns the bytes that a proper client sends: association, echo, store, find,
// release; in fragments of odd sizes. With a window it need not wait for responses.
func session(t testing.TB, window uint16) []byte {
	t.Helper()
	rq := ul.AssociateRQ{Called: "SCP", Calling: "CUT", ApplicationContext: ul.ApplicationContext}
	if window > 1 {
		rq.User.Async = &ul.AsyncWindow{Invoked: window, Performed: window}
	}
	for i, c := range []uid.UID{uid.Verification, uid.CTImageStorage, studyFind} {
		rq.Contexts = append(rq.Contexts, ul.ProposedContext{ID: byte(2*i + 1), AbstractSyntax: c, TransferSyntaxes: []uid.UID{uid.ImplicitVRLittleEndian}})
	}
	b, err := rq.Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	command := func(pc byte, c dimse.Command) { b = ul.AppendPData(b, pc, true, true, c.Append(nil)) }
	data := func(pc byte, d []byte) {
		for ; len(d) > 300; d = d[300:] {
			b = ul.AppendPData(b, pc, false, false, d[:300])
		}
		b = ul.AppendPData(b, pc, false, true, d)
	}
	command(1, dimse.Command{Op: dimse.CEcho, MessageID: 1, AffectedClass: uid.Verification})
	obj, err := dicomtest.Object{N: 1, Syntax: uid.ImplicitVRLittleEndian, Pixels: 2000}.Encode()
	if err != nil {
		t.Fatal(err)
	}
	command(3, dimse.Command{Op: dimse.CStore, MessageID: 2, HasData: true, AffectedClass: uid.CTImageStorage, AffectedInstance: dicomtest.Instance(1)})
	data(3, obj)
	ds, err := new(dicom.DataSet).Edit().SetText(tag.QueryRetrieveLevel, "STUDY").SetText(tag.PatientID, "").Build()
	if err != nil {
		t.Fatal(err)
	}
	id, err := dicom.AppendEncode(nil, ds, uid.ImplicitVRLittleEndian)
	if err != nil {
		t.Fatal(err)
	}
	command(5, dimse.Command{Op: dimse.CFind, MessageID: 3, HasData: true, AffectedClass: studyFind})
	data(5, id)
	return ul.ReleaseRQ{}.Append(b)
}

// settled waits until no association is left and goroutines are back to base.
func settled(t testing.TB, s *dimse.Server, base int) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		n := runtime.NumGoroutine()
		if s.Stats().Active == 0 && n <= base {
			return
		}
		if time.Now().After(end) {
			buf := make([]byte, 1<<20)
			t.Fatalf("%d associations, %d goroutines, %d at the start\n%s", s.Stats().Active, n, base, buf[:runtime.Stack(buf, true)])
		}
	}
}

// TestCutsFlood: 10,000 connections cut at random offsets.
func TestCutsFlood(t *testing.T) {
	s := &dimse.Server{Handler: newArchive(t, 3).Mux(nil), Limits: dimse.NetLimits{ARTIM: 2 * time.Second}}
	addr := dicomtest.Serve(t, s)
	dicomtest.Dial(t, addr).Release(t.Context())
	sessions := [][]byte{session(t, 1), session(t, 4)}
	settled(t, s, runtime.NumGoroutine())
	base := runtime.NumGoroutine()
	cuts := scaled(10_000, 1_000_000)
	if testing.Short() {
		cuts = 500
	}
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			rnd := rand.New(rand.NewPCG(uint64(w), 1))
			for range cuts / 8 {
				nc, err := net.Dial("tcp", addr)
				if err != nil {
					t.Error(err)
					return
				}
				all := sessions[rnd.IntN(2)]
				nc.Write(all[:rnd.IntN(len(all)+1)])
				if rnd.IntN(4) == 0 { // let it answer first
					nc.SetReadDeadline(time.Now().Add(time.Millisecond))
					nc.Read(make([]byte, 100))
				}
				if rnd.IntN(2) == 0 {
					nc.(*net.TCPConn).SetLinger(0) // RST
				}
				nc.Close()
			}
		})
	}
	wg.Wait()
	settled(t, s, base)
	if st := s.Stats(); st.Connections < uint64(cuts) || st.Associations == 0 {
		t.Errorf("%+v", st)
	}
	if err := dicomtest.Dial(t, addr).Echo(t.Context()); err != nil {
		t.Error(err)
	}
}

// scaled returns a count: small for every day, long for "make long", which sets GANTRY_LONG.
func scaled(small, long int) int {
	if os.Getenv("GANTRY_LONG") != "" {
		return long
	}
	return small
}

// TestSilentFlood is attack S05: silent and half-open peers beside an honest one.
func TestSilentFlood(t *testing.T) {
	s := &dimse.Server{Handler: newArchive(t, 0).Mux(nil), Limits: dimse.NetLimits{MaxPending: 200, MaxConns: 50}}
	addr := dicomtest.Serve(t, s)
	all := session(t, 1)
	for i := range scaled(500, 9000) {
		nc, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		defer nc.Close()
		nc.Write(all[:i%60])
	}
	start := time.Now()
	if err := dicomtest.Dial(t, addr).Echo(t.Context()); err != nil {
		t.Fatal(err)
	}
	if d := time.Since(start); d > time.Second {
		t.Errorf("an honest echo took %v", d)
	}
}

// TestIdleMemory: an idle association is cheap.
func TestIdleMemory(t *testing.T) {
	const n = 400
	s := &dimse.Server{Handler: newArchive(t, 0).Mux(nil), Limits: dimse.NetLimits{MaxConnsPerPeer: n}}
	addr := dicomtest.Serve(t, s)
	b, err := (&ul.AssociateRQ{Called: "SCP", Calling: "IDLE", ApplicationContext: ul.ApplicationContext,
		Contexts: []ul.ProposedContext{{ID: 1, AbstractSyntax: uid.Verification, TransferSyntaxes: []uid.UID{uid.ImplicitVRLittleEndian}}}}).Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	before := inUse()
	for range n {
		nc, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		defer nc.Close()
		nc.Write(b)
		nc.Read(make([]byte, 500))
	}
	if s.Stats().Active != n {
		t.Fatal(s.Stats().Active)
	}
	each := (inUse() - before) / n
	t.Logf("%d bytes an idle association, both ends of the socket", each)
	if each > 16<<10 {
		t.Errorf("%d bytes an idle association", each)
	}
}

// inUse returns the bytes of heap and stacks in use.
func inUse() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}

// TestFlood is attack S06: connect and close, associate and abort.
func TestFlood(t *testing.T) {
	s := &dimse.Server{Handler: newArchive(t, 0).Mux(nil)}
	addr := dicomtest.Serve(t, s)
	settled(t, s, runtime.NumGoroutine())
	base := runtime.NumGoroutine()
	before := inUse()
	for i := range scaled(1000, 1_000_000) {
		if i%2 == 0 {
			nc, err := net.Dial("tcp", addr)
			if err != nil {
				t.Fatal(err)
			}
			nc.Close()
			continue
		}
		a, err := (&dimse.Dialer{}).Dial(t.Context(), "SCP", addr)
		if err != nil {
			t.Fatal(err)
		}
		a.Abort()
	}
	settled(t, s, base)
	if grown := inUse() - before; grown > 4<<20 {
		t.Errorf("%d bytes more in use than before", grown)
	}
}

// TestForeignProtocols is attack S07: plain words in the log, within the first bytes.
func TestForeignProtocols(t *testing.T) {
	for in, want := range map[string]string{
		"GET / HTTP/1.1\r\nHost: x\r\n\r\n":    "speaks HTTP",
		"\x16\x03\x01\x02\x00\x01\x00\x01\xfc": "speaks TLS",
		"\x0bMSH|^~\\&|":                       "speaks HL7 (MLLP)",
		"SSH-2.0-OpenSSH":                      "speaks SSH",
		"\x00\xff\x00\xff\x00\xff\x00":         "does not speak DICOM",
	} {
		var log syncBuffer
		s := &dimse.Server{Handler: newArchive(t, 0).Mux(nil), Log: slog.New(slog.NewTextHandler(&log, nil))}
		p := dicomtest.NewParrot(t, dicomtest.Serve(t, s))
		p.Send([]byte(in))
		p.ExpectAbort(ul.Abort{Source: ul.SourceUser})
		p.Conn.(*net.TCPConn).CloseWrite()
		p.ExpectClose()
		for end := time.Now().Add(5 * time.Second); !strings.Contains(log.String(), want); time.Sleep(time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("%q: log %q", in, log.String())
			}
		}
	}
}

type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string { s.mu.Lock(); defer s.mu.Unlock(); return s.b.String() }

// TestBrokenMessages sends what PS3.7 forbids inside a proper association.
func TestBrokenMessages(t *testing.T) {
	echo := (&dimse.Command{Op: dimse.CEcho, MessageID: 1, AffectedClass: uid.Verification}).Append(nil)
	store := (&dimse.Command{Op: dimse.CStore, MessageID: 1, HasData: true, AffectedClass: uid.CTImageStorage, AffectedInstance: "1.2"}).Append(nil)
	join := func(b ...[]byte) []byte { return bytes.Join(b, nil) }
	user := ul.Abort{Source: ul.SourceUser}
	s := &dimse.Server{Handler: newArchive(t, 0).Mux(nil), Limits: dimse.NetLimits{Read: 300 * time.Millisecond}}
	addr := dicomtest.Serve(t, s)
	for name, c := range map[string]struct {
		send []byte
		want ul.Abort
	}{
		"context not accepted":       {ul.AppendPData(nil, 9, true, true, echo), user},
		"data without command":       {ul.AppendPData(nil, 1, false, true, echo), user},
		"rubbish command":            {ul.AppendPData(nil, 1, true, true, []byte("rubbish rubbish rubbish")), user},
		"huge command":               {ul.AppendPData(nil, 1, true, false, make([]byte, 70000)), user},
		"command changes context":    {join(ul.AppendPData(nil, 1, true, false, echo[:20]), ul.AppendPData(nil, 3, true, true, echo[20:])), user},
		"endless empty fragments":    {bytes.Repeat(ul.AppendPData(nil, 1, true, false, nil), 2000), user},
		"data on another context":    {join(ul.AppendPData(nil, 3, true, true, store), ul.AppendPData(nil, 1, false, true, echo)), user},
		"command inside data":        {join(ul.AppendPData(nil, 3, true, true, store), ul.AppendPData(nil, 1, true, true, echo)), user},
		"release inside data":        {join(ul.AppendPData(nil, 3, true, true, store), ul.ReleaseRQ{}.Append(nil)), user},
		"response to nothing":        {ul.AppendPData(nil, 3, true, true, (&dimse.Command{Op: dimse.CStore, Response: true, RespondedTo: 5}).Append(nil)), user},
		"silence inside data":        {ul.AppendPData(nil, 3, true, true, store), ul.Abort{Source: ul.SourceProvider}},
		"silence inside command":     {ul.AppendPData(nil, 1, true, false, echo[:20]), ul.Abort{Source: ul.SourceProvider}},
		"second A-ASSOCIATE-RQ":      {session(t, 1)[:400], ul.Abort{Source: ul.SourceProvider, Reason: ul.ReasonUnexpectedPDU}},
		"unsolicited A-RELEASE-RP":   {ul.ReleaseRP{}.Append(nil), ul.Abort{Source: ul.SourceProvider, Reason: ul.ReasonUnexpectedPDU}},
		"C-CANCEL of nothing, twice": {join(cancelOf(7), cancelOf(7), ul.AppendPData(nil, 9, true, true, echo)), user},
	} {
		t.Run(name, func(t *testing.T) {
			p := dicomtest.NewParrot(t, addr)
			p.Associate(uid.Verification, uid.CTImageStorage)
			p.Send(c.send)
			p.ExpectAbort(c.want)
			p.Conn.Close()
		})
	}
	if err := dicomtest.Dial(t, addr).Echo(t.Context()); err != nil {
		t.Error(err)
	}
}

func cancelOf(id uint16) []byte {
	return ul.AppendPData(nil, 1, true, true, (&dimse.Command{Op: dimse.CCancel, RespondedTo: id}).Append(nil))
}

// TestFragmentedMessages: many fragments, several PDV items in one PDU, all byte by byte.
func TestFragmentedMessages(t *testing.T) {
	arch := newArchive(t, 0)
	addr := dicomtest.Serve(t, &dimse.Server{Handler: arch.Mux(nil)})
	p := dicomtest.NewParrot(t, addr)
	p.Conn = &dicomtest.SlowConn{Conn: p.Conn, Chunk: 7}
	p.Associate(uid.Verification, uid.CTImageStorage)
	obj, err := dicomtest.Object{N: 1, Syntax: uid.ImplicitVRLittleEndian}.Encode()
	if err != nil {
		t.Fatal(err)
	}
	cmd := (&dimse.Command{Op: dimse.CStore, MessageID: 1, HasData: true, AffectedClass: uid.CTImageStorage, AffectedInstance: dicomtest.Instance(1)}).Append(nil)
	item := func(command, last bool, b []byte) []byte {
		return ul.AppendPData(nil, 3, command, last, b)[ul.HeaderLength:]
	}
	var body []byte
	for i, c := range cmd {
		body = append(body, item(true, i == len(cmd)-1, []byte{c})...)
	}
	body = append(body, item(false, false, nil)...)
	body = append(body, item(false, false, obj[:10])...)
	body = append(body, item(false, true, obj[10:])...)
	p.Send(append([]byte{4, 0, 0, 0, byte(len(body) >> 8), byte(len(body))}, body...))
	if c := p.ExpectCommand(); c.Status != dimse.Success {
		t.Fatalf("%+v", c)
	}
	if o := arch.Objects(); len(o) != 1 || !bytes.Equal(o[0].Data, obj) {
		t.Error("the object is not what was sent")
	}
}

// TestSlowPeerHoldsNoMemory: a peer that does not read its answers, and one that sends a
// large object slowly, cost next to nothing.
func TestSlowPeerHoldsNoMemory(t *testing.T) {
	big := bytes.Repeat([]byte("x"), 100<<10)
	ds, err := new(dicom.DataSet).Edit().SetText(tag.PatientComments, string(big[:10000])).Build()
	if err != nil {
		t.Fatal(err)
	}
	var sent, got atomic.Int64
	m := new(dimse.ServeMux)
	m.HandleFunc(dimse.CFind, studyFind, func(w dimse.ResponseWriter, r *dimse.Request) {
		r.ReadDataSet()
		for w.Pending(ds) == nil {
			sent.Add(1)
		}
	})
	m.HandleFunc(dimse.CStore, dimse.AnyClass, func(w dimse.ResponseWriter, r *dimse.Request) {
		n, _ := io.Copy(io.Discard, r.Data)
		got.Add(n)
		w.Final(dimse.Success, nil)
	})
	s := &dimse.Server{Handler: m}
	addr := dicomtest.Serve(t, s)
	before := inUse()
	var peers []*dicomtest.Parrot
	for range 20 {
		p := dicomtest.NewParrot(t, addr)
		p.Associate(studyFind)
		p.Command(1, dimse.Command{Op: dimse.CFind, MessageID: 1, HasData: true, AffectedClass: studyFind})
		p.Data(1, true, nil)
		peers = append(peers, p)
		q := dicomtest.NewParrot(t, addr)
		q.Associate(uid.CTImageStorage)
		q.Command(1, dimse.Command{Op: dimse.CStore, MessageID: 1, HasData: true, AffectedClass: uid.CTImageStorage, AffectedInstance: "1.2"})
		for range 20 {
			q.Data(1, false, big)
		}
		peers = append(peers, q)
	}
	stable := int64(-1)
	for end := time.Now().Add(5 * time.Second); stable != sent.Load() && time.Now().Before(end); {
		stable = sent.Load()
		time.Sleep(50 * time.Millisecond)
	}
	if grown := inUse() - before; grown > 20<<20 {
		t.Errorf("%d bytes held for 40 slow peers", grown)
	}
	if err := dicomtest.Dial(t, addr, dimse.Context{Class: uid.CTImageStorage}).Release(t.Context()); err != nil {
		t.Error(err)
	}
	for _, p := range peers {
		p.Conn.Close()
	}
}

// TestReleaseWhileRunning: the peer's error is tolerated: the operation is canceled, the
// release answered.
func TestReleaseWhileRunning(t *testing.T) {
	cause := make(chan error, 1)
	running := make(chan bool, 1)
	m := new(dimse.ServeMux)
	m.HandleFunc(dimse.CFind, studyFind, func(w dimse.ResponseWriter, r *dimse.Request) {
		r.ReadDataSet()
		running <- true
		<-r.Context().Done()
		cause <- context.Cause(r.Context())
	})
	p := dicomtest.NewParrot(t, dicomtest.Serve(t, &dimse.Server{Handler: m}))
	p.Associate(studyFind)
	p.Command(1, dimse.Command{Op: dimse.CFind, MessageID: 1, HasData: true, AffectedClass: studyFind})
	p.Data(1, true, nil)
	<-running
	p.Send(ul.ReleaseRQ{}.Append(nil))
	p.Expect(ul.TypeReleaseRP)
	if err := <-cause; !errors.Is(err, dimse.ErrPeerGone) {
		t.Error(err)
	}
}

// TestPDUSizes stores over every PDU size of note, to and from a server.
func TestPDUSizes(t *testing.T) {
	for _, size := range []uint32{4096, 16384, 32768, 65536, 131072, ul.Unlimited} {
		arch := newArchive(t, 0)
		addr := dicomtest.Serve(t, &dimse.Server{Handler: arch.Mux(nil), Limits: dimse.NetLimits{MaxPDU: size}})
		d := dimse.Dialer{Contexts: []dimse.Context{{Class: uid.CTImageStorage, SCP: true}, {Class: uid.StudyRootQueryRetrieveInformationModelGet}}, Limits: dimse.NetLimits{MaxPDU: size}}
		a, err := d.Dial(t.Context(), "SCP", addr)
		if err != nil {
			t.Fatal(err)
		}
		defer a.Abort()
		for i, n := range []int{2, int(size%200_000) - 6, int(size%200_000) - 12, 300_000} {
			o, err := dicomtest.Object{N: i, Pixels: n &^ 1}.Outgoing()
			if err != nil {
				t.Fatal(err)
			}
			if s, err := a.Store(t.Context(), o); err != nil || s != dimse.Success {
				t.Fatalf("size %d: %v %v", size, s, err)
			}
		}
		key, err := new(dicom.DataSet).Edit().SetText(tag.QueryRetrieveLevel, "STUDY").SetUID(tag.StudyInstanceUID, dicomtest.Study(0)).Build()
		if err != nil {
			t.Fatal(err)
		}
		var back dicomtest.Archive
		for _, err := range a.Get(t.Context(), uid.StudyRootQueryRetrieveInformationModelGet, key, &back) {
			if err != nil {
				t.Fatal(err)
			}
		}
		if len(back.Objects()) != 4 {
			t.Fatalf("size %d: %d objects came back", size, len(back.Objects()))
		}
		for i, o := range back.Objects() {
			if !bytes.Equal(o.Data, arch.Objects()[i].Data) {
				t.Errorf("size %d: object %d differs", size, i)
			}
		}
	}
}
