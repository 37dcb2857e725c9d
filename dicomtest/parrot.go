package dicomtest

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"testing"
	"time"

	"gantry/dicom/uid"
	"gantry/dimse"
	"gantry/ul"
)

// Parrot is a peer that says what it is told, byte by byte, and checks what it hears. It
// has no state machine, so that it can say what no proper peer would.
type Parrot struct {
	T    testing.TB
	Conn net.Conn
}

// NewParrot connects to addr.
func NewParrot(t testing.TB, addr string) *Parrot {
	t.Helper()
	nc, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	return &Parrot{t, nc}
}

// Send sends bytes as they are.
func (p *Parrot) Send(b []byte) {
	p.T.Helper()
	if _, err := p.Conn.Write(b); err != nil {
		p.T.Fatalf("parrot: %v", err)
	}
}

// Receive reads one PDU; the time limit is ten seconds.
func (p *Parrot) Receive() (ul.PDUType, []byte) {
	p.T.Helper()
	t, body, err := p.receive()
	if err != nil {
		p.T.Fatalf("parrot: %v", err)
	}
	return t, body
}

func (p *Parrot) receive() (ul.PDUType, []byte, error) {
	p.Conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	var h [ul.HeaderLength]byte
	if _, err := io.ReadFull(p.Conn, h[:]); err != nil {
		return 0, nil, err
	}
	var body bytes.Buffer
	_, err := io.CopyN(&body, p.Conn, int64(binary.BigEndian.Uint32(h[2:])))
	return ul.PDUType(h[0]), body.Bytes(), err
}

// Expect reads one PDU of a type and returns its variable field.
func (p *Parrot) Expect(t ul.PDUType) []byte {
	p.T.Helper()
	got, body := p.Receive()
	if got != t {
		p.T.Fatalf("parrot: %v, expected %v (% x)", got, t, body[:min(len(body), 16)])
	}
	return body
}

// ExpectAbort reads up to an A-ABORT, dropping P-DATA-TF, and checks it.
func (p *Parrot) ExpectAbort(want ul.Abort) {
	p.T.Helper()
	for {
		t, body := p.Receive()
		if t == ul.TypePData {
			continue
		}
		got, err := ul.DecodeAbort(body)
		if t != ul.TypeAbort || err != nil || got != want {
			p.T.Fatalf("parrot: %v %+v %v, expected an abort by %v: %v", t, got, err, want.Source, want.Reason)
		}
		return
	}
}

// ExpectClose reads away what comes until the peer closes.
func (p *Parrot) ExpectClose() {
	p.T.Helper()
	p.Conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	if _, err := io.Copy(io.Discard, p.Conn); err != nil {
		p.T.Fatalf("parrot: the peer did not close: %v", err)
	}
}

// Associate asks for an association with SCP with one context each for the classes, IDs 1,
// 3, 5..., Implicit VR Little Endian, and expects it to be accepted.
func (p *Parrot) Associate(classes ...uid.UID) *ul.AssociateAC {
	p.T.Helper()
	rq := ul.AssociateRQ{Called: "SCP", Calling: "PARROT", ApplicationContext: ul.ApplicationContext}
	for i, c := range classes {
		rq.Contexts = append(rq.Contexts, ul.ProposedContext{ID: byte(2*i + 1), AbstractSyntax: c, TransferSyntaxes: []uid.UID{uid.ImplicitVRLittleEndian}})
	}
	b, err := rq.Append(nil)
	if err != nil {
		p.T.Fatal(err)
	}
	p.Send(b)
	ac, err := ul.DecodeAssociateAC(p.Expect(ul.TypeAssociateAC))
	if err != nil {
		p.T.Fatal(err)
	}
	return ac
}

// Command sends a command set on a context, in one PDU.
func (p *Parrot) Command(context byte, c dimse.Command) {
	p.T.Helper()
	p.Send(ul.AppendPData(nil, context, true, true, c.Append(nil)))
}

// Data sends a fragment of a data set.
func (p *Parrot) Data(context byte, last bool, b []byte) {
	p.T.Helper()
	p.Send(ul.AppendPData(nil, context, false, last, b))
}

// ExpectCommand reads a P-DATA-TF with one whole command set.
func (p *Parrot) ExpectCommand() *dimse.Command {
	p.T.Helper()
	var c *dimse.Command
	err := ul.DecodePData(p.Expect(ul.TypePData), func(v ul.PDV, b []byte) (err error) {
		if v.Command && v.Last && c == nil {
			c, err = dimse.DecodeCommand(b)
		}
		return err
	})
	if err != nil || c == nil {
		p.T.Fatalf("parrot: no command set: %v", err)
	}
	return c
}
