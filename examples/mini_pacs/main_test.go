package main

import (
	"context"
	"net"
	"testing"

	"gantry/dicom"
	"gantry/dicom/tag"
	"gantry/dicom/uid"
	"gantry/dicomtest"
	"gantry/dimse"
)

func TestServe(t *testing.T) {
	var sink dicomtest.Archive
	sinkAddr := dicomtest.Serve(t, &dimse.Server{AETitle: "SINK", Handler: sink.Mux(nil)})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- serve(ctx, l, []string{"SINK=" + sinkAddr}) }()
	const find, get, move = uid.StudyRootQueryRetrieveInformationModelFind, uid.StudyRootQueryRetrieveInformationModelGet, uid.StudyRootQueryRetrieveInformationModelMove
	d := dimse.Dialer{Contexts: []dimse.Context{{Class: uid.CTImageStorage, SCP: true}, {Class: find}, {Class: get}, {Class: move}}}
	a, err := d.Dial(ctx, "MINIPACS", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	for i := range 5 {
		o, err := dicomtest.Object{N: i}.Outgoing()
		if err != nil {
			t.Fatal(err)
		}
		if s, err := a.Store(ctx, o); err != nil || s != dimse.Success {
			t.Fatal(s, err)
		}
	}
	keys, err := new(dicom.DataSet).Edit().SetText(tag.QueryRetrieveLevel, "STUDY").SetUID(tag.StudyInstanceUID, dicomtest.Study(0)).Build()
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for ds, err := range a.Find(ctx, find, keys) {
		if err != nil || ds.UID(tag.StudyInstanceUID) != dicomtest.Study(0) {
			t.Fatal(err)
		}
		n++
	}
	if n != 1 {
		t.Errorf("%d studies", n)
	}
	var mine dicomtest.Archive
	for _, err := range a.Get(ctx, get, keys, &mine) {
		if err != nil {
			t.Error(err)
		}
	}
	for _, err := range a.Move(ctx, move, "SINK", keys) {
		if err != nil {
			t.Error(err)
		}
	}
	if len(mine.Objects()) != 5 || len(sink.Objects()) != 5 {
		t.Errorf("%d by C-GET, %d by C-MOVE", len(mine.Objects()), len(sink.Objects()))
	}
	a.Release(ctx)
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
