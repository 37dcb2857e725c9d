//go:build linux

package interop

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"gantry/dicom/uid"
	"gantry/dimse"
	"gantry/ul"
)

// crowd is connections to a server that do next to nothing: attacks S05 to S07.
type crowd struct {
	t    testing.TB
	port int
	all  []net.Conn
	stop chan struct{}
	wg   sync.WaitGroup
}

// associated opens a connection with an association.
func (c *crowd) associated() net.Conn {
	c.t.Helper()
	rq, err := (&ul.AssociateRQ{Called: "GANTRY", Calling: "CROWD", ApplicationContext: ul.ApplicationContext,
		Contexts: []ul.ProposedContext{{ID: 1, AbstractSyntax: uid.CTImageStorage, TransferSyntaxes: []uid.UID{uid.ImplicitVRLittleEndian}}}}).Append(nil)
	if err != nil {
		c.t.Fatal(err)
	}
	nc := c.dial()
	nc.Write(rq)
	nc.SetReadDeadline(time.Now().Add(20 * time.Second))
	answer := make([]byte, 500)
	if n, err := nc.Read(answer); err != nil || n == 0 || ul.PDUType(answer[0]) != ul.TypeAssociateAC {
		c.t.Fatalf("no association: %v, % x", err, answer[:min(n, 20)])
	}
	return nc
}

func (c *crowd) dial() net.Conn {
	c.t.Helper()
	nc, err := net.Dial("tcp", addr(c.port))
	if err != nil {
		c.t.Fatal(err)
	}
	c.all = append(c.all, nc)
	return nc
}

// dribble sends a C-STORE byte by byte, ten a second.
func (c *crowd) dribble(nc net.Conn, k int) {
	cmd := dimse.Command{Op: dimse.CStore, MessageID: 1, HasData: true, AffectedClass: uid.CTImageStorage, AffectedInstance: uid.UID(fmt.Sprint("1.2.3.", k))}
	b := ul.AppendPData(nil, 1, true, true, cmd.Append(nil))
	if k%2 == 0 { // half of them get as far as the data set
		nc.Write(b)
		b = ul.AppendPData(nil, 1, false, true, make([]byte, 100_000))
	}
	c.wg.Go(func() {
		for i := 0; i < len(b); i++ {
			select {
			case <-c.stop:
				return
			case <-time.After(100 * time.Millisecond):
			}
			if _, err := nc.Write(b[i : i+1]); err != nil {
				return
			}
		}
	})
}

func (c *crowd) close() {
	close(c.stop)
	for _, nc := range c.all {
		nc.Close()
	}
	c.wg.Wait()
}

// memory is what the server has for itself, in bytes.
func (s *server) memory() int64 {
	s.t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		s.t.Fatal(err)
	}
	var kb int64
	for line := range strings.Lines(string(status)) {
		f := strings.Fields(line)
		if f[0] == "RssAnon:" || f[0] == "RssShmem:" {
			n, err := strconv.ParseInt(f[1], 10, 64)
			if err != nil {
				s.t.Fatal(err)
			}
			kb += n
		}
	}
	return kb << 10
}

// honest is the rate of a sender of objects that nothing is wrong with.
func (s *server) honest() float64 {
	s.t.Helper()
	out := must(s.t, gantry, "bench", "GANTRY@"+addr(s.port), "--kind", "store", "--size", "64K", "--duration", "1s", "--format", "json")
	var r struct{ Kinds []load }
	if err := json.Unmarshal([]byte(out), &r); err != nil || len(r.Kinds) != 1 || r.Kinds[0].Failed > 0 {
		s.t.Fatalf("%v\n%s", err, out)
	}
	return r.Kinds[0].PerSecond
}

// TestSlowPeers: beside 1,000 idle associations, 100 peers that send a byte now and then, and
// as many that never say what they want, an honest sender has at least half of its rate, and
// each of them costs less than 16 KiB. With GANTRY_LONG it is 5,000 and 200.
func TestSlowPeers(t *testing.T) {
	idle, slow := 1000, 100
	if os.Getenv("GANTRY_LONG") != "" {
		idle, slow = 5000, 200
	}
	t.Setenv("GANTRY_SERVER_MAX_ASSOCIATIONS", strconv.Itoa(2*idle))
	t.Setenv("GANTRY_SERVER_MAX_ASSOCIATIONS_PER_HOST", strconv.Itoa(2*idle))
	s := serve(t, "--log-level", "error")
	s.honest() // warm
	before := s.memory()
	c := &crowd{t: t, port: s.port, stop: make(chan struct{})}
	defer c.close()
	for range idle {
		c.associated()
	}
	for k := range slow {
		c.dribble(c.associated(), k)
		c.dial().Write([]byte{1, 0, 0, 1}[:k%5]) // the start of an A-ASSOCIATE-RQ, or nothing
	}
	time.Sleep(time.Second)
	n := int64(len(c.all))
	each := (s.memory() - before) / n
	t.Logf("%d bytes for each of %d peers, %d MB in all", each, n, s.memory()>>20)
	if each > 16<<10 {
		t.Errorf("%d bytes a peer", each)
	}
	// The machine has other work too: what counts is that it can be done.
	alone := serve(t, "--log-level", "error")
	alone.honest()
	var best float64
	for range 4 {
		ratio := s.honest() / alone.honest()
		if best = max(best, ratio); best >= 0.5 {
			break
		}
	}
	t.Logf("an honest sender has %.2f of its rate alone", best)
	if best < 0.5 {
		t.Errorf("an honest sender has %.2f of its rate alone", best)
	}
	for i, nc := range c.all[:idle] {
		nc.SetReadDeadline(time.Now())
		if _, err := nc.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("idle peer %d was not there all the time: %v", i, err)
		}
	}
}
