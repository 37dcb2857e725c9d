package ul

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"gantry/dicom/uid"
)

// tcpPair returns both ends of a loopback connection.
func tcpPair(t testing.TB) (client, server net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	client, err = net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	server, err = l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close(); server.Close() })
	return client, server
}

func simpleRQ() *AssociateRQ {
	return &AssociateRQ{Called: "SCP", Calling: "SCU",
		Contexts: []ProposedContext{{1, "1.2.840.10008.1.1", []uid.UID{"1.2.840.10008.1.2"}}}}
}

func simpleAC() *AssociateAC {
	return &AssociateAC{Contexts: []AnsweredContext{{1, ContextAccepted, "1.2.840.10008.1.2"}}}
}

// pair returns an established association, the requestor first.
func pair(t testing.TB, rqOpts, acOpts Options) (*Conn, *Conn) {
	t.Helper()
	cn, sn := tcpPair(t)
	ch := make(chan *Conn, 1)
	go func() {
		s := NewAcceptor(sn, acOpts)
		if _, err := s.ReadRequest(); err != nil {
			t.Error(err)
		} else if err := s.Accept(simpleAC()); err != nil {
			t.Error(err)
		}
		ch <- s
	}()
	c, err := Request(context.Background(), cn, simpleRQ(), rqOpts)
	if err != nil {
		t.Fatal(err)
	}
	s := <-ch
	s.StartMessage(0)
	c.StartMessage(0)
	return c, s
}

// readSet reads the fragments of one set of a message.
func readSet(c *Conn) (p PDV, b []byte, fragments int, err error) {
	for {
		if p, err = c.NextPDV(); err != nil {
			return
		}
		fragments++
		part, err := io.ReadAll(c)
		if err != nil {
			return p, b, fragments, err
		}
		if b = append(b, part...); p.Last {
			return p, b, fragments, nil
		}
	}
}

func TestMessagesOfAllSizes(t *testing.T) {
	data := make([]byte, 300_001)
	for i := range data {
		data[i] = byte(i * 7)
	}
	for _, size := range []uint32{1, 7, 4096, 16384, 32768, 131072, Unlimited} {
		for _, n := range []int{0, 1, 2, 1023, 1024, 4084, 4090, 16378, 131066, len(data)} {
			if size < 4096 && n > 5000 {
				continue
			}
			t.Run(fmt.Sprintf("%d/%d", size, n), func(t *testing.T) {
				c, s := pair(t, Options{}, Options{MaxLength: size})
				defer c.Close()
				command := bytes.Repeat([]byte("cmd!"), 5)
				go func() {
					if err := c.WriteMessage(1, command, data[:n]); err != nil {
						t.Error(err)
					}
					if sent, err := c.WriteMessageFrom(1, command, bytes.NewReader(data[:n])); err != nil || sent != int64(n) {
						t.Error(sent, err)
					}
				}()
				for range 2 {
					p, b, _, err := readSet(s)
					if err != nil || !p.Command || p.Context != 1 || !bytes.Equal(b, command) {
						t.Fatal(p, b, err)
					}
					p, b, frags, err := readSet(s)
					if err != nil || p.Command || !bytes.Equal(b, data[:n]) {
						t.Fatal(p, len(b), err)
					}
					most := s.opts.sendLimit(0)
					if size != Unlimited {
						most = (&Options{SendLength: defaultLength}).sendLimit(size)
					}
					if want := max(1, (n+most-1)/most); frags != want {
						t.Errorf("%d fragments, want %d", frags, want)
					}
				}
				go s.Close()
			})
		}
	}
}

func TestReleaseInOrder(t *testing.T) {
	c, s := pair(t, Options{}, Options{})
	done := make(chan error, 1)
	go func() {
		_, err := s.NextPDV()
		if errors.Is(err, ErrReleaseRequested) {
			err = s.ReplyRelease()
		}
		s.Close()
		done <- err
	}()
	if err := c.Release(t.Context()); err != nil {
		t.Fatal(err)
	}
	if c.State() != Sta1 || !errors.Is(c.Err(), ErrClosed) {
		t.Error(c.State(), c.Err())
	}
	c.Close()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if s.State() != Sta1 {
		t.Error(s.State())
	}
	if err := c.WriteMessage(1, []byte{0}, nil); !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
}

func TestReleaseCollision(t *testing.T) {
	c, s := pair(t, Options{}, Options{})
	if err := s.WriteMessage(1, []byte("late"), nil); err != nil { // AR-6 drops it
		t.Fatal(err)
	}
	errs := make(chan error, 2)
	var start sync.WaitGroup
	start.Add(2)
	for _, x := range []*Conn{c, s} {
		go func() {
			// Both send A-RELEASE-RQ before either reads.
			if _, err := x.step(Evt11, false); err != nil {
				errs <- err
				return
			}
			err := x.control(ReleaseRQ{}.Append(nil))
			x.rd.mode, x.rd.until = waitARTIM, time.Now().Add(5*time.Second)
			start.Done()
			start.Wait()
			if err == nil {
				err = x.awaitRelease()
			}
			x.Close()
			errs <- err
		}()
	}
	for range 2 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	if c.State() != Sta1 || s.State() != Sta1 {
		t.Error(c.State(), s.State())
	}
}

func TestAbortReachesBlockedPeer(t *testing.T) {
	c, s := pair(t, Options{}, Options{})
	got := make(chan error, 1)
	go func() { _, err := s.NextPDV(); got <- err }()
	own := make(chan error, 1)
	go func() { _, err := c.NextPDV(); own <- err }()
	time.Sleep(10 * time.Millisecond)
	c.Abort(SourceProvider, ReasonUnexpectedParameter)
	c.Abort(SourceUser, ReasonNotSpecified) // does nothing
	var ae *AbortedError
	if err := <-got; !errors.As(err, &ae) || ae.Abort != (Abort{SourceProvider, ReasonUnexpectedParameter}) {
		t.Error(err)
	}
	if err := <-own; !errors.Is(err, ErrAborted) {
		t.Error(err)
	}
	s.Close()
	c.Close()
}

// TestAbortFreesBlockedWriter: a peer that does not read must not keep an abort waiting.
func TestAbortFreesBlockedWriter(t *testing.T) {
	c, _ := pair(t, Options{}, Options{})
	got := make(chan error, 1)
	go func() {
		data := make([]byte, 64<<20)
		got <- c.WriteMessage(1, []byte("x"), data)
	}()
	time.Sleep(50 * time.Millisecond)
	start := time.Now()
	c.Abort(SourceUser, 0)
	if err := <-got; err == nil {
		t.Error("the write went through")
	}
	if d := time.Since(start); d > 3*time.Second {
		t.Errorf("took %v", d)
	}
}

func TestInterruptAndResume(t *testing.T) {
	c, s := pair(t, Options{}, Options{})
	defer c.Close()
	got := make(chan error, 1)
	go func() { _, err := c.NextPDV(); got <- err }()
	time.Sleep(10 * time.Millisecond)
	c.Interrupt()
	if err := <-got; !errors.Is(err, ErrInterrupted) {
		t.Fatal(err)
	}
	if err := c.WriteMessage(1, []byte("x"), nil); !errors.Is(err, ErrInterrupted) {
		t.Fatal(err)
	}
	c.Resume()
	if err := s.WriteMessage(1, []byte("hello"), nil); err != nil {
		t.Fatal(err)
	}
	if _, b, _, err := readSet(c); err != nil || string(b) != "hello" {
		t.Fatal(b, err)
	}
	c.nc.Close()
	s.Close()
}

// TestRawPeer feeds bytes to an acceptor and looks at what it answers, says and ends in.
func TestRawPeer(t *testing.T) {
	rq, _ := simpleRQ().Append(nil)
	noVersion := bytes.Clone(rq)
	noVersion[7] = 2
	short := bytes.Clone(rq)
	short[5]--
	est := func(b ...byte) string { return string(rq) + string(b) }
	const abortUser, abortUnexpected = "\x07\x00\x00\x00\x00\x04\x00\x00\x00\x00", "\x07\x00\x00\x00\x00\x04\x00\x00\x02\x02"
	const abortInvalid, abortUnknown = "\x07\x00\x00\x00\x00\x04\x00\x00\x02\x06", "\x07\x00\x00\x00\x00\x04\x00\x00\x02\x01"
	for _, c := range []struct{ name, in, out, err string }{
		{"http", "GET / HTTP/1.1\r\n\r\n", abortUser, "speaks HTTP"},
		{"tls", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", abortUser, "speaks TLS"},
		{"mllp", "\x0bMSH|^~\\&|A|B|", abortUser, "HL7"},
		{"random", "\xde\xad\xbe\xef\x00\x01\x02", abortUser, "DE AD BE EF"},
		{"4 GiB request", "\x01\x00\xff\xff\xff\xff0123456789", abortUser, "over the cap"},
		{"4 GiB data first", "\x04\x00\xff\xff\xff\xff0123456789", abortUser, "maximum length"},
		{"data first", string(AppendPData(nil, 1, true, true, []byte("x"))), abortUser, "not expected"},
		{"release first", string(ReleaseRQ{}.Append(nil)), abortUser, "not expected"},
		{"abort first", abortUser, "", "aborted by the peer's application"},
		{"close first", "", "", "Sta2"},
		{"version", string(noVersion), "\x03\x00\x00\x00\x00\x04\x00\x01\x02\x02", "protocol version"},
		{"cut item", string(short), abortUser, "A-ASSOCIATE-RQ"},
		{"second request", est(rq...), abortUnexpected, "not expected"},
		{"AC on acceptor", est(2, 0, 0, 0, 0, 4, 0, 0, 0, 0), abortUnexpected, "not expected"},
		{"RP unasked", est(6, 0, 0, 0, 0, 4, 0, 0, 0, 0), abortUnexpected, "not expected"},
		{"unknown type", est(9, 0, 0, 0, 0, 4, 0, 0, 0, 0), abortUnknown, "unknown PDU type"},
		{"empty P-DATA", est(4, 0, 0, 0, 0, 0), abortInvalid, "too short"},
		{"PDV too long", est(4, 0, 0, 0, 0, 7, 0, 0, 0, 4, 1, 3, 0), abortInvalid, "PDV item length 4"},
		{"PDV too short", est(4, 0, 0, 0, 0, 6, 0, 0, 0, 1, 1, 3), abortInvalid, "PDV item length 1"},
		{"even context", est(4, 0, 0, 0, 0, 6, 0, 0, 0, 2, 2, 3), abortInvalid, "not odd"},
		{"huge P-DATA", est(4, 0, 0xff, 0xff, 0xff, 0xff, 0, 0), abortInvalid, "maximum length"},
		{"abort", est(7, 0, 0, 0, 0, 4, 0, 0, 2, 1), "", "unrecognized PDU"},
		{"close", est(), "", "without release"},
		{"close in PDU", est(4, 0, 0), "", "without release"},
	} {
		t.Run(c.name, func(t *testing.T) {
			cn, sn := tcpPair(t)
			done := make(chan error, 1)
			s := NewAcceptor(sn, Options{ARTIM: 2 * time.Second})
			go func() {
				_, err := s.ReadRequest()
				if err == nil {
					if err = s.Accept(simpleAC()); err == nil {
						s.StartMessage(time.Second)
						_, err = s.NextPDV()
					}
				}
				s.Close()
				done <- err
			}()
			if _, err := io.WriteString(cn, c.in); err != nil {
				t.Fatal(err)
			}
			cn.(*net.TCPConn).CloseWrite()
			out, _ := io.ReadAll(cn)
			if strings.HasPrefix(c.in, string(rq)) { // skip the A-ASSOCIATE-AC
				ac, _ := s.ac.Append(nil)
				out = bytes.TrimPrefix(out, ac)
			}
			if string(out) != c.out {
				t.Errorf("answered % x, want % x", out, c.out)
			}
			if err := <-done; err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("error %v, want %q", err, c.err)
			}
			if s.State() != Sta1 {
				t.Errorf("ends in %v", s.State())
			}
		})
	}
}

// TestRawAcceptor is the reverse: what a requestor meets.
func TestRawAcceptor(t *testing.T) {
	for _, c := range []struct{ name, in, err string }{
		{"tls alert", "\x15\x03\x03\x00\x02\x02\x46", "speaks TLS"},
		{"http", "HTTP/1.1 400 Bad Request\r\n", "speaks HTTP"},
		{"reject", string(RejectLocalLimit.Append(nil)), "local limit exceeded"},
		{"abort", string(Abort{SourceProvider, ReasonNotSpecified}.Append(nil)), "service-provider"},
		{"data", string(AppendPData(nil, 1, true, true, []byte("x"))), "not expected"},
		{"request back", "\x01\x00\x00\x00\x00\x00", "not expected"},
		{"short AC", "\x02\x00\x00\x00\x00\x01\x00", "fixed fields"},
		{"gone", "", "without release"},
	} {
		t.Run(c.name, func(t *testing.T) {
			cn, sn := tcpPair(t)
			go func() { io.WriteString(sn, c.in); sn.(*net.TCPConn).CloseWrite(); io.Copy(io.Discard, sn); sn.Close() }()
			_, err := Request(t.Context(), cn, simpleRQ(), Options{ARTIM: 3 * time.Second})
			if err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("error %v, want %q", err, c.err)
			}
		})
	}
}

type brokenReader struct{ n int }

func (b *brokenReader) Read(p []byte) (int, error) {
	if b.n == 0 {
		return 0, os.ErrPermission
	}
	m := min(b.n, len(p))
	b.n -= m
	return m, nil
}

func TestSourceFails(t *testing.T) {
	c, s := pair(t, Options{}, Options{})
	var se *SourceError
	if _, err := c.WriteMessageFrom(1, []byte("x"), &brokenReader{10}); !errors.As(err, &se) || !errors.Is(err, os.ErrPermission) {
		t.Error(err)
	}
	if c.State() != Sta6 {
		t.Error("an error before the first byte must leave the association alone")
	}
	got := make(chan error, 1)
	go func() { readSet(s); _, _, _, err := readSet(s); got <- err; s.Close() }()
	if _, err := c.WriteMessageFrom(1, []byte("x"), &brokenReader{300_000}); !errors.As(err, &se) {
		t.Error(err)
	}
	var ae *AbortedError
	if err := <-got; !errors.As(err, &ae) {
		t.Error(err)
	}
	c.Close()
}

// memConn is a transport that reads from a slice, for fuzzing.
type memConn struct {
	net.Conn
	r io.Reader
	w int
}

func (m *memConn) Read(p []byte) (int, error) { return m.r.Read(p) }

func (m *memConn) Write(p []byte) (int, error) { m.w += len(p); return len(p), nil }

func (m *memConn) SetDeadline(time.Time) error { return nil }

func (m *memConn) SetReadDeadline(t time.Time) error { return nil }

func (m *memConn) SetWriteDeadline(t time.Time) error { return nil }

func (m *memConn) Close() error { return nil }

// FuzzConn is attack S03 on the wire: any bytes to an acceptor.
func FuzzConn(f *testing.F) {
	rq, _ := simpleRQ().Append(nil)
	f.Add([]byte("GET / HTTP/1.1\r\n"))
	f.Add(rq)
	f.Add(append(bytes.Clone(rq), AppendPData(nil, 1, true, true, []byte("abc"))...))
	f.Add(append(bytes.Clone(rq), ReleaseRQ{}.Append(nil)...))
	f.Add(append(append(bytes.Clone(rq), rq...), rq...))
	f.Fuzz(func(t *testing.T, b []byte) {
		m := &memConn{r: bytes.NewReader(b)}
		s := NewAcceptor(m, Options{ARTIM: time.Second, Read: time.Second})
		if _, err := s.ReadRequest(); err == nil {
			s.Accept(simpleAC())
			s.StartMessage(time.Second)
			buf := make([]byte, 100)
			for {
				if _, err := s.NextPDV(); errors.Is(err, ErrReleaseRequested) {
					s.ReplyRelease()
					break
				} else if err != nil {
					break
				}
				s.Read(buf)
			}
		}
		s.Close()
		if st := s.State(); st != Sta1 && st != Sta13 {
			t.Fatalf("ends in %v", st)
		}
		if s.Err() == nil {
			t.Fatal("no reason for the end")
		}
	})
}
