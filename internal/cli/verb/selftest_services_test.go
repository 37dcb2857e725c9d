package verb

import (
	"context"
	"strings"
	"testing"
	"time"

	"gantry/dicom"
	"gantry/dicom/tag"
	"gantry/dicom/uid"
	"gantry/dicomtest"
	"gantry/dimse"
)

// services are what the archive in memory does not have: a worklist of one step, procedure
// steps that end, and commitments.
func services(n int, forgiving bool) dimse.Handler {
	mux := new(dicomtest.Archive).Mux(nil)
	mux.HandleFunc(dimse.CFind, uid.ModalityWorklistInformationModelFind, func(w dimse.ResponseWriter, r *dimse.Request) {
		step, _ := new(dicom.DataSet).Edit().SetText(tag.Modality, "CT").Build()
		ds, err := new(dicom.DataSet).Edit().SetText(tag.PatientID, "1").SetItems(tag.ScheduledProcedureStepSequence, step).Build()
		if err == nil {
			w.Pending(ds)
		}
		w.Final(dimse.Success, nil)
	})
	completed := false
	class := uid.ModalityPerformedProcedureStep
	mux.HandleFunc(dimse.NCreate, class, func(w dimse.ResponseWriter, r *dimse.Request) { w.Final(dimse.Success, nil) })
	mux.HandleFunc(dimse.NSet, class, func(w dimse.ResponseWriter, r *dimse.Request) {
		if completed && !forgiving {
			w.Final(dimse.ProcessingFailure, nil)
			return
		}
		completed = true
		w.Final(dimse.Success, nil)
	})
	mux.HandleFunc(dimse.NAction, uid.StorageCommitmentPushModel, func(w dimse.ResponseWriter, r *dimse.Request) {
		ds, err := r.ReadDataSet()
		if err != nil {
			dimse.Fail(w, r, err)
			return
		}
		w.Final(dimse.Success, nil)
		go commits(r.Peer, ds.UID(tag.TransactionUID), n)
	})
	return mux
}

func commits(p *dimse.Peer, transaction uid.UID, n int) {
	e := new(dicom.DataSet).Edit().SetUID(tag.TransactionUID, transaction)
	var items []*dicom.DataSet
	for range n {
		items = append(items, new(dicom.DataSet))
	}
	ds, err := e.SetItems(tag.ReferencedSOPSequence, items...).Build()
	if err != nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	p.EventReport(ctx, uid.StorageCommitmentPushModel, uid.StorageCommitmentPushModelInstance, 1, ds)
}

// TestSelftestServices runs the scenarios of services that Gantry's archive does not have
// against ones made for it, which do them right and then wrong.
func TestSelftestServices(t *testing.T) {
	const spec = "[worklist],storage is committed"
	if out, err := selftest(t, services(2, false), spec, "console"); err != nil || !strings.Contains(out, "All tests passed") {
		t.Errorf("%v %s", err, out)
	}
	out, err := selftest(t, services(1, true), spec, "compact")
	if err != FailedTests(2) || !strings.Contains(out, "1 objects are committed") || !strings.Contains(out, "is not changed any more") {
		t.Errorf("%v %s", err, out)
	}
}
