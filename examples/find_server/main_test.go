package main

import (
	"context"
	"net"
	"testing"

	"gantry/dicom"
	"gantry/dicom/tag"
	"gantry/dicom/uid"
	"gantry/dimse"
)

func TestServe(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- serve(ctx, l, []string{"Doe^Jane", "Roe^Richard", "Doe^John"}) }()
	const class = uid.StudyRootQueryRetrieveInformationModelFind
	d := dimse.Dialer{Contexts: []dimse.Context{{Class: class}}}
	a, err := d.Dial(ctx, "FIND", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	keys, err := new(dicom.DataSet).Edit().SetText(tag.QueryRetrieveLevel, "STUDY").SetText(tag.PatientName, "Doe*").Build()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for ds, err := range a.Find(ctx, class, keys) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, ds.Text(tag.PatientName))
	}
	if len(got) != 2 || got[0] != "Doe^Jane" || got[1] != "Doe^John" {
		t.Error(got)
	}
	a.Release(ctx)
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
