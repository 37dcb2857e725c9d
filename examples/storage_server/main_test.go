package main

import (
	"context"
	"net"
	"testing"

	"gantry/dicom"
	"gantry/dicom/part10"
	"gantry/dicom/tag"
	"gantry/dicom/uid"
	"gantry/dicomtest"
	"gantry/dimse"
)

func TestRun(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	names, done := make(chan string, 1), make(chan error, 1)
	go func() { done <- run(ctx, l, t.TempDir(), func(n string) { names <- n }) }()
	d := dimse.Dialer{Contexts: []dimse.Context{{Class: uid.CTImageStorage}}}
	a, err := d.Dial(ctx, "STORE", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	o, err := dicomtest.Object{N: 7}.Outgoing()
	if err != nil {
		t.Fatal(err)
	}
	if s, err := a.Store(ctx, o); err != nil || s != dimse.Success {
		t.Fatal(s, err)
	}
	f, err := part10.Open(<-names, dicom.DecodeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if f.DataSet.UID(tag.SOPInstanceUID) != dicomtest.Instance(7) {
		t.Error(f.DataSet.UID(tag.SOPInstanceUID))
	}
	o.Instance = "../../escape"
	if s, err := a.Store(ctx, o); err != nil || s != dimse.InvalidSOPInstance {
		t.Error(s, err)
	}
	a.Release(ctx)
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
