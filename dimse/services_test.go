package dimse

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"testing"

	"gantry/dicom"
	"gantry/dicom/tag"
	"gantry/dicom/uid"
)

func TestUnhandled(t *testing.T) {
	m := echoMux()
	m.HandleFunc(NCreate, "1.2.840.10008.5.1.1.1", echo)
	addr := start(t, &Server{Handler: m})
	a := dial(t, addr, Context{Class: uid.Verification}, Context{Class: "1.2.840.10008.5.1.1.1"})
	rep, err := a.NDelete(t.Context(), "1.2.840.10008.5.1.1.1", "1.2")
	if err != nil || rep.Status != UnrecognizedOperation {
		t.Error(rep, err)
	}
	pc, _ := a.pick(uid.Verification)
	for _, c := range []struct {
		cmd  Command
		want Status
	}{
		{Command{Op: CStore, MessageID: 9, AffectedClass: uid.CTImageStorage}, SOPClassNotSupported},
		{Command{Op: NGet, MessageID: 9, RequestedClass: "1.2.3"}, NoSuchSOPClass},
		{Command{Op: 0x0777, MessageID: 9, AffectedClass: uid.Verification}, UnrecognizedOperation},
	} {
		if _, err := a.exchange(t.Context(), pc, &c.cmd, nil); err != nil || a.rsp.Status != c.want {
			t.Errorf("%v: %v %v", c.cmd.Op, a.rsp.Status, err)
		}
	}
}

func TestNServices(t *testing.T) {
	const class, inst = uid.UID("1.2.840.10008.5.1.1.1"), uid.UID("1.2.3.4")
	m := new(ServeMux)
	for _, op := range []Op{NCreate, NSet, NGet, NAction, NDelete, NEventReport} {
		m.HandleFunc(op, class, func(w ResponseWriter, r *Request) {
			if r.Class != class || r.Op != op {
				t.Errorf("%v: %+v", op, r.Command)
			}
			ds, err := r.ReadDataSet()
			if err != nil {
				Fail(w, r, err)
				return
			}
			rsp := &Response{Status: Success, Data: ds}
			switch op {
			case NCreate:
				rsp.Instance = inst
			case NGet:
				if len(r.Command.Attributes) != 2 || r.Instance != inst {
					t.Errorf("%+v", r.Command)
				}
			case NAction:
				if r.Command.ActionType != 7 {
					t.Errorf("%+v", r.Command)
				}
			case NEventReport:
				if r.Command.EventType != 3 {
					t.Errorf("%+v", r.Command)
				}
			case NSet:
				rsp.Status, rsp.Comment = AttributeValueOutOfRange, "clipped"
			case NDelete:
				Fail(w, r, &StatusError{Status: NoSuchSOPInstance})
				return
			}
			w.Send(rsp)
		})
	}
	addr := start(t, &Server{Handler: m})
	a := dial(t, addr, Context{Class: class})
	ctx, in := t.Context(), identifier(t, "N")
	check := func(name string, r *Reply, err error, want Status) {
		t.Helper()
		if err != nil || r.Status != want {
			t.Fatalf("%s: %+v %v", name, r, err)
		}
	}
	r, err := a.NCreate(ctx, class, "", in)
	check("create", r, err, Success)
	if r.Instance != inst || r.Data.Text(tag.PatientName) != "N" {
		t.Errorf("%+v", r)
	}
	r, err = a.NSet(ctx, class, inst, in)
	check("set", r, err, AttributeValueOutOfRange)
	if r.Err() != nil || r.Comment != "clipped" || r.Instance != inst {
		t.Errorf("%+v", r)
	}
	r, err = a.NGet(ctx, class, inst, tag.PatientName, tag.PatientID)
	check("get", r, err, Success)
	r, err = a.NAction(ctx, class, inst, 7, nil)
	check("action", r, err, Success)
	if a.rsp.ActionType != 7 {
		t.Error(a.rsp.ActionType)
	}
	r, err = a.NEventReport(ctx, class, inst, 3, in)
	check("event", r, err, Success)
	r, err = a.NDelete(ctx, class, inst)
	check("delete", r, err, NoSuchSOPInstance)
	if r.Err() == nil {
		t.Error("no error for 0112H")
	}
}

func TestGetSubOperations(t *testing.T) {
	const class = uid.StudyRootQueryRetrieveInformationModelGet
	data := bytes.Repeat([]byte("pixels.."), 100_000)
	m := echoMux()
	m.HandleFunc(CGet, class, func(w ResponseWriter, r *Request) {
		if _, err := r.ReadDataSet(); err != nil {
			t.Error(err)
		}
		var so SubOperations
		for i := range 3 {
			o := object(uid.CTImageStorage, uid.UID(fmt.Sprintf("1.2.%d", i)), data)
			if i == 2 {
				o.Class = uid.MRImageStorage
			}
			s, err := r.SubStore(r.Context(), o)
			switch {
			case err != nil:
				so.Failed++
			case s.Class() == Warning:
				so.Warning++
			case s == Success:
				so.Completed++
			}
			so.Remaining = uint16(2 - i)
			w.Send(&Response{Status: PendingMatch, SubOps: &so})
		}
		failed, _ := new(dicom.DataSet).Edit().SetUID(tag.FailedSOPInstanceUIDList, "1.2.2").Build()
		w.Send(&Response{Status: SubOperationsFailed, SubOps: &so, Data: failed})
	})
	addr := start(t, &Server{Handler: m})
	a := dial(t, addr, Context{Class: class}, Context{Class: uid.CTImageStorage, OnlySCP: true})
	var stored []string
	st := StorerFunc(func(ctx context.Context, in *Incoming) error {
		b, err := io.ReadAll(in.Body)
		if err != nil || !bytes.Equal(b, data) {
			t.Errorf("%d bytes %v", len(b), err)
		}
		stored = append(stored, string(in.Instance))
		if in.Instance == "1.2.1" {
			return &StatusError{Status: CoercionOfDataElements}
		}
		return nil
	})
	var last Progress
	n := 0
	for p, err := range a.Get(t.Context(), class, identifier(t, "X"), st) {
		if err != nil {
			t.Fatal(err)
		}
		last, n = p, n+1
	}
	if n != 4 || strings.Join(stored, " ") != "1.2.0 1.2.1" {
		t.Error(n, stored)
	}
	if last.SubOperations != (SubOperations{0, 1, 1, 1}) || last.Status != SubOperationsFailed || len(last.Failed) != 1 || last.Failed[0] != "1.2.2" {
		t.Errorf("%+v", last)
	}
}
