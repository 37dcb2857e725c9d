package service_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"testing"
	"time"

	"gantry/dicom"
	"gantry/dicom/tag"
	"gantry/dicom/uid"
	"gantry/dicomtest"
	"gantry/dimse"
	"gantry/service/query"
	"gantry/service/retrieve"
	"gantry/ul"
)

// halting is an object that stops in its middle until it may go on, and ends with its context.
type halting struct {
	io.Reader
	ctx  context.Context
	goOn chan struct{}
	n    int
}

func (h *halting) Read(p []byte) (int, error) {
	if h.n > 1<<20 {
		<-h.goOn
	}
	if err := h.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := h.Reader.Read(p)
	h.n += n
	return n, err
}

func (h *halting) Close() error { return nil }

// TestGetCanceledInside: C-CANCEL in the middle of an object lets that come to its end; the
// association lives on.
func TestGetCanceledInside(t *testing.T) {
	goOn, canceled := make(chan struct{}), make(chan struct{})
	const size = 3 << 20
	mux := new(dimse.ServeMux)
	retrieve.RegisterGet(mux, retrieve.RetrieverFunc(func(ctx context.Context, _ *query.Query) (*retrieve.Retrieval, error) {
		context.AfterFunc(ctx, func() { close(canceled) })
		o := &dimse.Outgoing{Class: uid.CTImageStorage, Instance: "1.2.3", Syntax: uid.ExplicitVRLittleEndian,
			Open: func(ctx context.Context, _ uid.UID) (io.ReadCloser, error) {
				return &halting{Reader: bytes.NewReader(make([]byte, size)), ctx: ctx, goOn: goOn}, nil
			}}
		return &retrieve.Retrieval{Count: 1, Instances: func(yield func(*dimse.Outgoing, error) bool) { yield(o, nil) }}, nil
	}), retrieve.Options{})
	nc, err := net.Dial("tcp", dicomtest.Serve(t, &dimse.Server{Handler: mux}))
	if err != nil {
		t.Fatal(err)
	}
	explicit := []uid.UID{uid.ExplicitVRLittleEndian}
	rq := &ul.AssociateRQ{Called: "SCP", Calling: "SCU", Contexts: []ul.ProposedContext{{ID: 1, AbstractSyntax: studyGet, TransferSyntaxes: explicit},
		{ID: 3, AbstractSyntax: uid.CTImageStorage, TransferSyntaxes: explicit}}}
	rq.User.Roles = []ul.RoleSelection{{Class: uid.CTImageStorage, SCP: true}}
	conn, err := ul.Request(t.Context(), nc, rq, ul.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	send := func(pc byte, c dimse.Command, data []byte) {
		t.Helper()
		if err := conn.WriteMessage(pc, c.Append(nil), data); err != nil {
			t.Fatal(err)
		}
	}
	id, err := dicom.AppendEncode(nil, keys(t, "STUDY", tag.StudyInstanceUID, "1.2"), uid.ExplicitVRLittleEndian)
	if err != nil {
		t.Fatal(err)
	}
	send(1, dimse.Command{Op: dimse.CGet, MessageID: 5, HasData: true, AffectedClass: studyGet}, id)
	store := command(t, conn)
	if store.Op != dimse.CStore || store.Response {
		t.Fatalf("%+v", store)
	}
	send(1, dimse.Command{Op: dimse.CCancel, RespondedTo: 5}, nil)
	<-canceled
	close(goOn)
	got := 0
	for last := false; !last; {
		p, err := conn.NextPDV()
		if err != nil {
			t.Fatalf("after %d bytes: %v", got, err)
		}
		got, last = got+int(p.Length), p.Last
	}
	send(3, dimse.Command{Op: dimse.CStore, Response: true, RespondedTo: store.MessageID, AffectedClass: store.AffectedClass, AffectedInstance: "1.2.3"}, nil)
	final := command(t, conn)
	if got != size || final.Status != dimse.Canceled || final.SubOps.Completed != 1 {
		t.Errorf("%d bytes, %+v", got, final)
	}
	if err := conn.Release(t.Context()); err != nil {
		t.Error(err)
	}
}

// command reads a command set of one fragment.
func command(t *testing.T, conn *ul.Conn) *dimse.Command {
	t.Helper()
	conn.StartMessage(10 * time.Second)
	p, err := conn.NextPDV()
	if err != nil || !p.Command || !p.Last {
		t.Fatal(p, err)
	}
	b := make([]byte, p.Length)
	if _, err := io.ReadFull(conn, b); err != nil {
		t.Fatal(err)
	}
	c, err := dimse.DecodeCommand(b)
	if err != nil {
		t.Fatal(err)
	}
	return c
}
