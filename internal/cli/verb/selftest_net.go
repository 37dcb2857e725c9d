package verb

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"path/filepath"
	"sync"
	"time"

	"gantry/dicom/tag"
	"gantry/dicom/uid"
	"gantry/dimse"
	"gantry/internal/tlsconf"
)

var verification = dimse.Context{Class: uid.Verification}

func testEcho(c *check) {
	a := c.wants(verification)
	c.must(a.Echo(c.ctx), "C-ECHO")
	c.release(a)
}

func testEchoes(c *check) {
	a := c.wants(verification)
	for i := range 10 {
		c.must(a.Echo(c.ctx), "C-ECHO %d", i+1)
	}
	c.release(a)
}

func testSideBySide(c *check) {
	var all []*dimse.Assoc
	for range 8 {
		all = append(all, c.wants(verification))
	}
	for i, a := range all {
		c.must(a.Echo(c.ctx), "C-ECHO on association %d", i+1)
	}
	for _, a := range all {
		c.release(a)
	}
}

func testUnknownSyntax(c *check) {
	const unknown = "2.25.286493201478125463829101836452718293645"
	a := c.dial(verification, dimse.Context{Class: uid.StudyRootQueryRetrieveInformationModelFind, Syntaxes: []uid.UID{unknown}})
	c.that(len(a.Accepted(uid.StudyRootQueryRetrieveInformationModelFind)) == 0, "a context with a transfer syntax that nobody knows is rejected")
	c.must(a.Echo(c.ctx), "C-ECHO on the other context")
	c.release(a)
}

func testAbort(c *check) {
	a := c.wants(verification)
	c.must(a.Echo(c.ctx), "C-ECHO")
	c.must(a.Abort(), "abort")
	testEcho(c)
}

func testTLSEcho(c *check) {
	p := c.secure()
	a, err := p.dial(c.ctx, []dimse.Context{verification})
	c.must(err, "associate over TLS")
	defer a.Abort()
	c.must(a.Echo(c.ctx), "C-ECHO over TLS")
	c.release(a)
}

// testTLSStore runs a scenario on the peer's TLS port.
func testTLSStore(c *check) {
	w := &world{peer: c.secure(), own: c.own}
	over := &check{ctx: c.ctx, world: w, result: c.result, ends: c.ends}
	defer func() { c.ends = over.ends; c.sent.Add(w.sent.Load()) }()
	testGet(over)
}

func testTLSUntrusted(c *check) {
	p, dir := c.secure(), filepath.Join(c.folder(), "other")
	c.must(tlsconf.Generate(dir, []string{"localhost"}, time.Hour, time.Now()), "make another authority")
	p.Secure.CA, p.Secure.NoVerify, p.MoreCAs = filepath.Join(dir, "ca.pem"), false, nil
	a, err := p.dial(c.ctx, []dimse.Context{verification})
	if err == nil {
		a.Abort()
	}
	c.that(untrusted(err), "the certificate of the peer, which this authority did not sign, is refused: %v", err)
}

func testTLSGarbage(c *check) {
	p := c.secure()
	d := tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true}} // what is sent there is no secret
	nc, err := d.DialContext(c.ctx, "tcp", p.Addr)
	c.must(err, "TLS connection")
	c.garbage(nc)
	testTLSEcho(c)
}

func testGarbage(c *check) {
	nc, err := (&net.Dialer{}).DialContext(c.ctx, "tcp", c.peer.Addr)
	c.must(err, "connect")
	c.garbage(nc)
	testEcho(c)
}

// garbageWait is how long a peer may take to be rid of a connection that is none of DICOM's.
const garbageWait = 45 * time.Second

// garbage writes what is no PDU; the peer must end the connection.
func (c *check) garbage(nc net.Conn) {
	defer nc.Close()
	nc.SetDeadline(time.Now().Add(garbageWait))
	_, err := nc.Write([]byte("GET / HTTP/1.1\r\nHost: gantry\r\n\r\n"))
	c.must(err, "write what is no PDU")
	_, err = io.Copy(io.Discard, io.LimitReader(nc, 1<<20))
	var timeout net.Error
	c.that(!errors.As(err, &timeout) || !timeout.Timeout(), "the peer ends the connection")
}

// broken is a data set that ends in the middle.
type broken struct{ io.Reader }

func (broken) Close() error { return nil }

var errCut = errors.New("cut short on purpose")

func (b broken) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if err == io.EOF {
		err = errCut
	}
	return n, err
}

func testCutShort(c *check) {
	m := c.maker("CT", 256<<10)
	o, err := m.outgoing(0)
	c.must(err, "make up an object")
	whole := o.Open
	o.Open = func(ctx context.Context, syntax uid.UID) (io.ReadCloser, error) {
		r, err := whole(ctx, syntax)
		return broken{io.LimitReader(r, 100<<10)}, err
	}
	a := c.wants(m.contexts()...)
	_, err = a.Store(c.ctx, o)
	c.that(errors.Is(err, errCut), "the sender stops in the middle: %v", err)
	a.Abort()
	c.found(0, "QueryRetrieveLevel=STUDY", "StudyInstanceUID="+string(m.study(0)))
	c.store(m, 0, 1)
	c.found(1, "QueryRetrieveLevel=STUDY", "StudyInstanceUID="+string(m.study(0)))
}

func testPause(c *check) {
	a := c.wants(verification)
	for range 2 {
		c.must(a.Echo(c.ctx), "C-ECHO")
		c.must(pause(c.ctx, 1500*time.Millisecond), "pause")
	}
	c.must(a.Echo(c.ctx), "C-ECHO after the pause")
	c.release(a)
}

func testHundred(c *check) {
	for range 100 {
		a := c.wants(verification)
		c.must(a.Echo(c.ctx), "C-ECHO")
		c.release(a)
	}
}

func testSenders(c *check) {
	const senders, each = 8, 25
	m := c.maker("CT", 32<<10)
	var wg sync.WaitGroup
	errs := make([]error, senders)
	for i := range senders {
		wg.Go(func() { errs[i] = c.sender(m, each) })
	}
	wg.Wait()
	for i, err := range errs {
		c.must(err, "sender %d stores %d objects", i+1, each)
	}
	instances := 0
	for s := range int64(senders * each / perSeries) {
		n := s * perSeries
		instances += len(c.find("QueryRetrieveLevel=IMAGE", "StudyInstanceUID="+string(m.study(n)), "SeriesInstanceUID="+string(m.series(n)), "SOPInstanceUID="))
	}
	c.that(instances == senders*each, "%d objects are found, of %d", instances, senders*each)
}

func (c *check) sender(m *maker, each int) error {
	a, err := c.peer.dial(c.ctx, m.contexts())
	if err != nil {
		return err
	}
	defer a.Abort()
	for range each {
		if _, err := m.send(c.ctx, a); err != nil {
			return err
		}
		c.sent.Add(1)
	}
	return a.Release(c.ctx)
}

// testMixedLoad is gantry bench for two seconds.
func testMixedLoad(c *check) {
	o := &Bench{Peer: c.peer, Query: Query{Model: "study", Level: "STUDY"}, Kind: "mixed", Mix: "echo=2,associate=1,store=2,find=2", Jobs: 1,
		Think: 5 * time.Millisecond, Duration: 2 * time.Second, Size: 32 << 10, Modality: "CT", Layout: "json", patient: testPatient}
	b := &benching{o: o, s: &Stdio{Out: io.Discard, Err: io.Discard}, ctx: c.ctx}
	defer b.stop()
	c.must(b.prepare(c.ctx), "prepare a mixed load")
	c.must(b.run(c.ctx), "put it on")
	for _, k := range b.report().Kinds {
		if k.Kind == "store" {
			c.sent.Add(k.Done)
		}
		why := ""
		for _, f := range k.Failures {
			why += "; " + f.Example
		}
		c.that(k.Failed == 0 && k.Done > 0, "%s: %d done, %d failed%s", k.Kind, k.Done, k.Failed, why)
	}
}

func testLarge(c *check) {
	m := c.maker("DX", 64<<20)
	c.store(m, 0, 1)
	sent, err := m.whole(0)
	c.must(err, "make up the object again")
	c.same(sent, c.get(m.class, "QueryRetrieveLevel=STUDY", "StudyInstanceUID="+string(sent.UID(tag.StudyInstanceUID))))
}
