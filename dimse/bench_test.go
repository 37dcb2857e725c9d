package dimse

import (
	"bytes"
	"context"
	"io"
	"net"
	"testing"

	"gantry/dicom/uid"
)

// BenchmarkRawPingPong is the floor of BenchmarkEcho: the same bytes over TCP, one
// goroutine a side.
func BenchmarkRawPingPong(b *testing.B) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		buf := make([]byte, 1024)
		for {
			n, err := c.Read(buf)
			if err != nil {
				return
			}
			c.Write(buf[:n])
		}
	}()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	buf := make([]byte, 1024)
	for b.Loop() {
		c.Write(buf[:80])
		if _, err := io.ReadFull(c, buf[:80]); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEcho(b *testing.B) {
	addr := start(b, &Server{Handler: echoMux()})
	a := dial(b, addr)
	ctx := context.Background()
	b.ReportAllocs()
	for b.Loop() {
		if err := a.Echo(ctx); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkEchoServer measures the server alone: the client writes prepared bytes.
func BenchmarkEchoServer(b *testing.B) {
	addr := start(b, &Server{Handler: echoMux()})
	a := dial(b, addr)
	cmd := Command{Op: CEcho, MessageID: 1, AffectedClass: uid.Verification}
	rq := cmd.Append(nil)
	nc := a.conn.NetConn()
	pdu := append([]byte{4, 0, 0, 0, 0, byte(len(rq) + 6), 0, 0, 0, byte(len(rq) + 2), 1, 3}, rq...)
	rsp := make([]byte, len(pdu)+10)
	b.ReportAllocs()
	for b.Loop() {
		nc.Write(pdu)
		if _, err := io.ReadFull(nc, rsp); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAssociate(b *testing.B) {
	addr := start(b, &Server{Handler: echoMux()})
	d := Dialer{Calling: "SCU"}
	ctx := context.Background()
	b.ReportAllocs()
	for b.Loop() {
		a, err := d.Dial(ctx, "SCP", addr)
		if err != nil {
			b.Fatal(err)
		}
		if err := a.Echo(ctx); err != nil {
			b.Fatal(err)
		}
		if err := a.Release(ctx); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkStoreLoopback(b *testing.B) {
	m := new(ServeMux)
	m.HandleFunc(CStore, AnyClass, func(w ResponseWriter, r *Request) {
		ServeStore(StorerFunc(func(ctx context.Context, in *Incoming) error {
			buf := make([]byte, 64<<10)
			for {
				if _, err := in.Body.Read(buf); err != nil {
					if err == io.EOF {
						return nil
					}
					return err
				}
			}
		}), w, r)
	})
	addr := start(b, &Server{Handler: m})
	a := dial(b, addr, Context{Class: uid.CTImageStorage, Syntaxes: []uid.UID{uid.ExplicitVRLittleEndian}})
	data := bytes.Repeat([]byte("pixels.."), 66_000) // 528 KB
	o := object(uid.CTImageStorage, "1.2.3", data)
	ctx := context.Background()
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if s, err := a.Store(ctx, o); err != nil || s != Success {
			b.Fatal(s, err)
		}
	}
}
