package dimse_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"log/slog"
	"net"
	"testing"
	"time"

	"gantry/dimse"
	"gantry/ul"
)

// bytesConn is a connection that reads from memory and forgets what is written, so that
// fuzzing needs no ports and no time.
type bytesConn struct{ r *bytes.Reader }

func (c *bytesConn) Read(p []byte) (int, error) { return c.r.Read(p) }

func (c *bytesConn) Write(p []byte) (int, error) { return len(p), nil }
func (c *bytesConn) Close() error                { return nil }

func (c *bytesConn) LocalAddr() net.Addr { return &net.UnixAddr{Name: "memory"} }

func (c *bytesConn) RemoteAddr() net.Addr { return &net.UnixAddr{Name: "memory"} }

func (c *bytesConn) SetDeadline(time.Time) error { return nil }

func (c *bytesConn) SetReadDeadline(time.Time) error { return nil }

func (c *bytesConn) SetWriteDeadline(time.Time) error { return nil }

// oneListener accepts one connection.
type oneListener struct{ conn net.Conn }

func (l *oneListener) Accept() (net.Conn, error) {
	c := l.conn
	l.conn = nil
	if c == nil {
		return nil, net.ErrClosed
	}
	return c, nil
}

func (l *oneListener) Close() error { return nil }

func (l *oneListener) Addr() net.Addr { return &net.UnixAddr{Name: "memory"} }

// FuzzServer is attack S03 for all layers: any bytes after a proper association request.
// Serve must return, which it does when no goroutine of the association is left.
func FuzzServer(f *testing.F) {
	all := session(f, 1)
	windowed := session(f, 4)
	rq := ul.HeaderLength + int(binary.BigEndian.Uint32(all[2:])) // the bytes of the A-ASSOCIATE-RQ
	f.Add(all[rq:])
	f.Add(cancelOf(3))
	f.Add(append(bytes.Clone(all[rq:rq+100]), all[rq:]...))
	arch := newArchive(f, 2)
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, head := range [][]byte{all[:rq], windowed[:len(windowed)-len(all)+rq]} {
			s := &dimse.Server{AETitle: "SCP", Handler: arch.Mux(nil), Log: slog.New(slog.DiscardHandler)}
			in := append(bytes.Clone(head), b...)
			if err := s.Serve(context.Background(), &oneListener{&bytesConn{bytes.NewReader(in)}}); !errors.Is(err, net.ErrClosed) {
				t.Fatal(err)
			}
			if st := s.Stats(); st.Associations != 1 || st.Active != 0 {
				t.Fatalf("%+v", st)
			}
		}
	})
}
