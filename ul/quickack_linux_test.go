package ul

import (
	"io"
	"net"
	"sync/atomic"
	"testing"
)

// withQuickAck runs with another setter, nil for none.
func withQuickAck(t testing.TB, set func(uintptr)) {
	old := setQuickAck
	setQuickAck = set
	t.Cleanup(func() { setQuickAck = old })
}

// receiveMessage reads a command and, when there is one, its data set.
func receiveMessage(t testing.TB, c *Conn, sets int) {
	c.StartMessage(0)
	for range sets {
		if _, _, _, err := readSet(c); err != nil {
			t.Error(err)
		}
	}
}

// TestQuickAck checks who is acknowledged at once: a peer that sends a message piece by
// piece, and not one that sends it whole.
func TestQuickAck(t *testing.T) {
	var asked atomic.Int32
	real := setQuickAck
	withQuickAck(t, func(fd uintptr) { asked.Add(1); real(fd) })
	client, server := pair(t, Options{}, Options{})
	asked.Store(0)
	if err := client.WriteMessage(1, []byte("command"), []byte("data")); err != nil {
		t.Fatal(err)
	}
	receiveMessage(t, server, 2)
	if n := asked.Load(); n != 0 {
		t.Errorf("%d times for a message that came whole", n)
	}
	arrived := make(chan struct{})
	go func() {
		client.NetConn().Write(AppendPData(nil, 1, true, true, []byte("command")))
		<-arrived
		client.NetConn().Write(AppendPData(nil, 1, false, true, []byte("data")))
	}()
	server.StartMessage(0)
	readSet(server)
	close(arrived)
	if _, b, _, err := readSet(server); err != nil || string(b) != "data" {
		t.Fatal(string(b), err)
	}
	if n := asked.Load(); n == 0 {
		t.Error("never for a message in pieces")
	}
}

// BenchmarkPieces receives messages of a peer with Nagle's algorithm on that writes the
// command and the data set separately. asked/never is the ratio of interest.
func BenchmarkPieces(b *testing.B) {
	for name, set := range map[string]func(uintptr){"asked": setQuickAck, "never": nil} {
		b.Run(name, func(b *testing.B) {
			withQuickAck(b, set)
			client, server := pair(b, Options{}, Options{})
			nc := client.NetConn().(*net.TCPConn)
			nc.SetNoDelay(false)
			answer := AppendPData(nil, 1, true, true, []byte("answer"))
			go func() {
				for {
					nc.Write(AppendPData(nil, 1, true, true, []byte("command")))
					if _, err := nc.Write(AppendPData(nil, 1, false, true, []byte("data"))); err != nil {
						return
					}
					if _, err := io.ReadFull(nc, make([]byte, len(answer))); err != nil {
						return
					}
				}
			}()
			for b.Loop() {
				receiveMessage(b, server, 2)
				if _, err := server.NetConn().Write(answer); err != nil {
					b.Fatal(err)
				}
			}
			nc.Close()
		})
	}
}
