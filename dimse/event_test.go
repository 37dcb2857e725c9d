package dimse

import (
	"context"
	"testing"
	"time"

	"gantry/dicom/tag"
	"gantry/dicom/uid"
)

// TestEventReportFromServer is storage commitment on one association: the requestor acts,
// the server reports later, the requestor's handler answers.
func TestEventReportFromServer(t *testing.T) {
	const class, inst = uid.StorageCommitmentPushModel, uid.StorageCommitmentPushModelInstance
	replies := make(chan *Reply, 1)
	m := new(ServeMux)
	m.HandleFunc(NAction, class, func(w ResponseWriter, r *Request) {
		ds, err := r.ReadDataSet()
		if err != nil {
			t.Error(err)
		}
		w.Final(Success, nil)
		peer := r.Peer
		go func() {
			rep, err := peer.EventReport(context.Background(), class, inst, 1, ds)
			if err != nil {
				t.Error(err)
			}
			replies <- rep
		}()
	})
	addr := start(t, &Server{Handler: m})
	served := make(chan *Request, 1)
	mine := new(ServeMux)
	mine.HandleFunc(NEventReport, class, func(w ResponseWriter, r *Request) {
		ds, err := r.ReadDataSet()
		if err != nil || ds.Text(tag.PatientName) != "COMMIT" || r.Command.EventType != 1 || r.Instance != inst {
			t.Errorf("%+v %v", r.Command, err)
		}
		served <- r
		w.Final(Success, ds)
	})
	d := Dialer{Contexts: []Context{{Class: class}}, Handler: mine}
	a, err := d.Dial(t.Context(), "SCP", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Abort()
	rep, err := a.NAction(t.Context(), class, inst, 1, identifier(t, "COMMIT"))
	if err != nil || rep.Status != Success {
		t.Fatal(rep, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if err := a.Serve(ctx); err != context.DeadlineExceeded {
		t.Errorf("Serve: %v", err)
	}
	select {
	case rep := <-replies:
		if rep.Status != Success || rep.Instance != inst || rep.Data.Text(tag.PatientName) != "COMMIT" {
			t.Errorf("%+v", rep)
		}
	case <-time.After(5 * time.Second):
		t.Fatal("no reply")
	}
	<-served
	if err := a.Release(t.Context()); err != nil { // Serve's end left the association in order
		t.Error(err)
	}
	if _, err := a.Peer().EventReport(t.Context(), class, inst, 1, nil); err == nil {
		t.Error("the requestor's Peer reports")
	}
}
