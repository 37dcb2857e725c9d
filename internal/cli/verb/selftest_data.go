package verb

import (
	"context"
	"fmt"
	"time"

	"gantry/dicom"
	"gantry/dicom/tag"
	"gantry/dicom/uid"
	"gantry/dicom/vr"
	"gantry/dimse"
)

func testFindLevels(c *check) {
	m := c.maker("CT", 8<<10)
	c.store(m, 0, 1)
	study, series, instance := string(m.study(0)), string(m.series(0)), string(m.instance(0))
	header, err := m.header(0)
	c.must(err, "make up the object again")
	for _, ds := range c.found(1, "QueryRetrieveLevel=STUDY", "StudyInstanceUID="+study, "PatientID=", "PatientName=") {
		c.that(ds.Text(tag.PatientID) == header.Text(tag.PatientID), "Patient ID is %q", ds.Text(tag.PatientID))
		c.that(ds.Text(tag.PatientName) == header.Text(tag.PatientName), "Patient's Name is %q", ds.Text(tag.PatientName))
	}
	for _, ds := range c.found(1, "QueryRetrieveLevel=SERIES", "StudyInstanceUID="+study, "SeriesInstanceUID=", "Modality=") {
		c.that(string(ds.UID(tag.SeriesInstanceUID)) == series && ds.Text(tag.Modality) == "CT", "the series is the one sent, of modality %s", ds.Text(tag.Modality))
	}
	for _, ds := range c.found(1, "QueryRetrieveLevel=IMAGE", "StudyInstanceUID="+study, "SeriesInstanceUID="+series, "SOPInstanceUID=") {
		c.that(string(ds.UID(tag.SOPInstanceUID)) == instance, "the instance is the one sent")
	}
}

func testGet(c *check) { c.roundTrip(c.maker("CT", 128<<10)) }

// roundTrip stores the first object, fetches it by C-GET and compares.
func (c *check) roundTrip(m *maker) {
	c.store(m, 0, 1)
	sent, err := m.whole(0)
	c.must(err, "make up the object again")
	k := c.get(m.class, "QueryRetrieveLevel=STUDY", "StudyInstanceUID="+string(m.study(0)))
	c.that(k.len() == 1, "%d objects came, want 1", k.len())
	c.same(sent, k)
}

func testPatientRoot(c *check) {
	m := c.maker("MR", 8<<10)
	c.store(m, 0, 1)
	header, err := m.header(0)
	c.must(err, "make up the object again")
	out := c.findIn(uid.PatientRootQueryRetrieveInformationModelFind, "QueryRetrieveLevel=PATIENT", "PatientID="+header.Text(tag.PatientID), "PatientName=")
	c.that(len(out) == 1, "%d patients found, want 1", len(out))
	out = c.findIn(uid.PatientRootQueryRetrieveInformationModelFind, "QueryRetrieveLevel=STUDY", "PatientID="+header.Text(tag.PatientID), "StudyInstanceUID=")
	c.that(len(out) == 1 && out[0].UID(tag.StudyInstanceUID) == m.study(0), "its one study is found")
}

func testMatching(c *check) {
	m := c.maker("CT", 8<<10)
	c.store(m, 0, 1)
	c.store(m, perStudy, perStudy+1)
	header, err := m.header(0)
	c.must(err, "make up the object again")
	// The run is part of the Patient ID, so that other runs do not match.
	patients := fmt.Sprintf("PatientID=%s-%X-*", testPatient, m.run[:3])
	day := time.Now()
	days := func(from, to int) string {
		return "StudyDate=" + day.AddDate(0, 0, from).Format("20060102") + "-" + day.AddDate(0, 0, to).Format("20060102")
	}
	c.found(2, "QueryRetrieveLevel=STUDY", patients, "StudyInstanceUID=")
	c.found(1, "QueryRetrieveLevel=STUDY", patients[:len(patients)-1]+"?", "PatientName="+header.Text(tag.PatientName), "StudyInstanceUID=")
	c.found(2, "QueryRetrieveLevel=STUDY", patients, days(-2, 2), "StudyInstanceUID=")
	c.found(0, "QueryRetrieveLevel=STUDY", patients, days(-9, -3), "StudyInstanceUID=")
	c.found(2, "QueryRetrieveLevel=STUDY", "StudyInstanceUID="+string(m.study(0))+`\`+string(m.study(perStudy))+`\`+"2.25.1")
}

func testNotFound(c *check) {
	m := c.maker("CT", 8<<10) // a study that nobody stored
	c.found(0, "QueryRetrieveLevel=STUDY", "StudyInstanceUID="+string(m.study(0)))
}

func testTwice(c *check) {
	m := c.maker("CR", 8<<10)
	c.store(m, 0, 1)
	c.store(m, 0, 1)
	c.found(1, "QueryRetrieveLevel=IMAGE", "StudyInstanceUID="+string(m.study(0)), "SeriesInstanceUID="+string(m.series(0)), "SOPInstanceUID=")
}

func testCancel(c *check) {
	m := c.maker("CT", 1<<10)
	c.store(m, 0, 50)
	class := uid.StudyRootQueryRetrieveInformationModelFind
	a := c.wants(dimse.Context{Class: class}, verification)
	q := c.identifier("QueryRetrieveLevel=IMAGE", "StudyInstanceUID="+string(m.study(0)), "SeriesInstanceUID="+string(m.series(0)), "SOPInstanceUID=")
	for _, err := range a.Find(c.ctx, class, q) {
		c.must(err, "the first answer")
		break // which sends C-CANCEL
	}
	c.must(a.Err(), "the association lives")
	c.must(a.Echo(c.ctx), "C-ECHO on it")
	c.release(a)
}

func testWorklist(c *check) {
	class := uid.ModalityWorklistInformationModelFind
	answers := c.findIn(class, "PatientName=", "PatientID=", "ScheduledProcedureStepSequence[0].Modality=CT", "ScheduledProcedureStepSequence[0].ScheduledProcedureStepStartDate=")
	for _, ds := range answers {
		step, ok := ds.Item(tag.ScheduledProcedureStepSequence, 0)
		c.that(ok && step.Text(tag.Modality) == "CT", "each answer is of the modality asked for")
	}
	c.that(true, "C-FIND succeeds, with %d answers", len(answers))
}

func testProcedureStep(c *check) {
	class := uid.ModalityPerformedProcedureStep
	a := c.wants(dimse.Context{Class: class})
	step := uid.New()
	now := time.Now()
	attrs, err := new(dicom.DataSet).Edit().
		SetText(tag.PerformedProcedureStepStatus, "IN PROGRESS").SetText(tag.PerformedProcedureStepID, "1").SetText(tag.Modality, "CT").
		SetText(tag.PatientName, testPatient).SetText(tag.PatientID, testPatient).SetText(tag.PerformedStationAETitle, testTitle).
		SetText(tag.PerformedProcedureStepStartDate, now.Format("20060102")).SetText(tag.PerformedProcedureStepStartTime, now.Format("150405")).
		SetItems(tag.ScheduledStepAttributesSequence).SetItems(tag.PerformedSeriesSequence).Build()
	c.must(err, "procedure step")
	reply, err := a.NCreate(c.ctx, class, step, attrs)
	c.must(replied(reply, err), "N-CREATE")
	done, err := new(dicom.DataSet).Edit().SetText(tag.PerformedProcedureStepStatus, "COMPLETED").
		SetText(tag.PerformedProcedureStepEndDate, now.Format("20060102")).SetText(tag.PerformedProcedureStepEndTime, now.Format("150405")).Build()
	c.must(err, "end of the procedure step")
	reply, err = a.NSet(c.ctx, class, step, done)
	c.must(replied(reply, err), "N-SET")
	reply, err = a.NSet(c.ctx, class, step, done)
	c.that(replied(reply, err) != nil, "a completed step is not changed any more (PS3.4 F.7.2.2.2)")
}

func replied(r *dimse.Reply, err error) error {
	if err != nil {
		return err
	}
	return r.Err()
}

func testWorkflow(c *check) {
	m := c.maker("CT", 64<<10)
	c.store(m, 0, perSeries+5)
	study := string(m.study(0))
	out := c.found(1, "QueryRetrieveLevel=STUDY", "StudyInstanceUID="+study, "AccessionNumber=")
	c.that(len(out) == 1 && out[0].Text(tag.AccessionNumber) == "A0", "with its accession number")
	c.found(2, "QueryRetrieveLevel=SERIES", "StudyInstanceUID="+study, "SeriesInstanceUID=")
	k := c.get(m.class, "QueryRetrieveLevel=STUDY", "StudyInstanceUID="+study)
	c.that(k.len() == perSeries+5, "%d objects came, of %d", k.len(), perSeries+5)
	for _, n := range []int64{0, perSeries, perSeries + 4} {
		sent, err := m.whole(n)
		c.must(err, "make up object %d again", n)
		c.same(sent, k)
	}
}

func testMove(c *check) {
	if c.sink == nil {
		c.skip("no port was given at which the peer knows %s: --calling, --receive", c.peer.Calling)
	}
	m := c.maker("MR", 32<<10)
	c.store(m, 0, 3)
	class := uid.StudyRootQueryRetrieveInformationModelMove
	a := c.wants(dimse.Context{Class: class})
	var last dimse.Progress
	for step, err := range a.Move(c.ctx, class, dimse.AETitle(c.peer.Calling), c.identifier("QueryRetrieveLevel=STUDY", "StudyInstanceUID="+string(m.study(0)))) {
		c.must(err, "C-MOVE")
		last = step
	}
	c.release(a)
	c.that(last.Completed == 3 && last.SubOperations.Failed == 0, "%d completed, %d failed, of 3", last.Completed, last.SubOperations.Failed)
	for n := range int64(3) {
		sent, err := m.whole(n)
		c.must(err, "make up object %d again", n)
		c.same(sent, c.sink)
	}
}

// commitmentWait is how long the result may take to come, on this association or another.
const commitmentWait = 20 * time.Second

func testCommitment(c *check) {
	class := uid.StorageCommitmentPushModel
	m := c.maker("CT", 8<<10)
	c.wants(dimse.Context{Class: class}).Abort() // or skip, before anything is stored
	c.store(m, 0, 2)
	d, err := c.peer.dialer([]dimse.Context{{Class: class}})
	c.must(err, "prepare")
	d.Handler = c.reports()
	a, err := d.Dial(c.ctx, c.peer.Called, c.peer.Addr)
	c.must(err, "associate")
	defer a.Abort()
	transaction := uid.New()
	var items []*dicom.DataSet
	for n := range int64(2) {
		item, err := new(dicom.DataSet).Edit().SetUID(tag.ReferencedSOPClassUID, m.class).SetUID(tag.ReferencedSOPInstanceUID, m.instance(n)).Build()
		c.must(err, "reference")
		items = append(items, item)
	}
	info, err := new(dicom.DataSet).Edit().SetUID(tag.TransactionUID, transaction).SetItems(tag.ReferencedSOPSequence, items...).Build()
	c.must(err, "request")
	reply, err := a.NAction(c.ctx, class, uid.StorageCommitmentPushModelInstance, 1, info)
	c.must(replied(reply, err), "N-ACTION")
	ctx, cancel := context.WithTimeout(c.ctx, commitmentWait)
	defer cancel()
	go a.Serve(ctx)
	for {
		select {
		case ds := <-c.events:
			if ds.UID(tag.TransactionUID) == transaction {
				done, failed := c.items(ds, tag.ReferencedSOPSequence), c.items(ds, tag.FailedSOPSequence)
				c.that(done == 2 && failed == 0, "%d objects are committed, %d failed, of 2", done, failed)
				return
			}
		case <-ctx.Done():
			c.skip("N-ACTION succeeded, but no event report came in %v, here or at --receive", commitmentWait)
		}
	}
}

func (c *check) items(ds *dicom.DataSet, t tag.Tag) int {
	e, ok := ds.Get(t)
	if !ok || !e.IsSequence() {
		return 0
	}
	return e.ItemCount()
}

func testModalities(c *check) {
	for _, modality := range modalities {
		m := c.maker(modality.name, 16<<10)
		a := c.dial(m.contexts()...)
		if len(a.Accepted(m.class)) == 0 {
			c.that(false, "%s is accepted", m.class.Name())
			continue
		}
		a.Abort()
		c.store(m, 0, 1)
		for _, ds := range c.found(1, "QueryRetrieveLevel=SERIES", "StudyInstanceUID="+string(m.study(0)), "SeriesInstanceUID=", "Modality=") {
			c.that(ds.Text(tag.Modality) == m.modality, "the series is of modality %s", m.modality)
		}
	}
}

func testTwoModalities(c *check) {
	pt, ct := c.maker("PT", 16<<10), c.maker("CT", 16<<10)
	ct.run = pt.run // so that their UIDs are of one study; the second series begins at 50
	c.store(pt, 0, 2)
	c.store(ct, perSeries, perSeries+2)
	study := string(pt.study(0))
	c.found(1, "QueryRetrieveLevel=STUDY", "StudyInstanceUID="+study)
	seen := map[string]bool{}
	for _, ds := range c.found(2, "QueryRetrieveLevel=SERIES", "StudyInstanceUID="+study, "SeriesInstanceUID=", "Modality=") {
		seen[ds.Text(tag.Modality)] = true
	}
	c.that(seen["PT"] && seen["CT"], "one series of each modality")
}

func testXA(c *check) { c.roundTrip(c.maker("XA", 256<<10)) }

func testXARun(c *check) {
	const frames = 8
	m := c.maker("XA", 16<<10)
	one, err := m.header(0)
	c.must(err, "make up a frame")
	pixels := make([]byte, frames*m.rows*m.columns)
	for i := range pixels {
		pixels[i] = byte(i / (m.rows * m.columns) * 16)
	}
	ds, err := one.Edit().SetInt(tag.NumberOfFrames, frames).SetText(tag.FrameTime, "33.3").SetInt(tag.CineRate, 30).
		SetBytes(tag.PixelData, vr.OW, pixels).Build()
	c.must(err, "make up a run")
	c.storeWhole(ds)
	c.same(ds, c.get(m.class, "QueryRetrieveLevel=STUDY", "StudyInstanceUID="+string(m.study(0))))
}
