package verb

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"gantry/dicom"
	"gantry/dicom/part10"
	"gantry/dicom/tag"
	"gantry/dicom/uid"
	"gantry/internal/cli/capture"
)

// Identity says whose an object is, and of which study and series.
type Identity struct {
	Template   string // DICOM file whose data set is the object's, pixel data apart
	StudyFrom  string // DICOM file, a worklist item too, whose patient and study are taken
	SeriesFrom string // DICOM file whose patient, study and series are taken
	Next       bool   // Instance Number is one more than that of SeriesFrom
	Keys       []string

	// What is set where no file gives it.
	PatientName, PatientID, StudyDescription, SeriesDescription, Modality string
}

var patientAndStudy = []tag.Tag{tag.SpecificCharacterSet, tag.PatientName, tag.PatientID, tag.IssuerOfPatientID, tag.PatientBirthDate,
	tag.PatientSex, tag.StudyInstanceUID, tag.StudyDate, tag.StudyTime, tag.StudyDescription, tag.ReferringPhysicianName, tag.StudyID, tag.AccessionNumber}

var ofSeries = []tag.Tag{tag.SeriesInstanceUID, tag.SeriesNumber, tag.SeriesDescription, tag.Modality, tag.SeriesDate, tag.SeriesTime, tag.Laterality,
	tag.BodyPartExamined, tag.ProtocolName, tag.PerformingPhysicianName, tag.OperatorsName}

// prepare reads the files that say whose the objects are.
func (o *Image) prepare() error {
	base := new(dicom.DataSet)
	if name := o.Identity.Template; name != "" {
		f, err := part10.Open(name, dicom.DecodeOptions{})
		if err != nil {
			return Fail(NoInput, "template %s: %w", name, withoutName(err))
		}
		defer f.Close()
		e := f.DataSet.Edit()
		for el := range f.DataSet.All() {
			if el.Tag.IsGroupLength() || el.Tag.Group() >= 0x7FE0 || el.Tag == tag.SOPInstanceUID || el.Tag.Group() == 0x0028 {
				e.Delete(el.Tag)
			}
		}
		if base, err = e.Build(); err != nil {
			return Fail(Failed, "template %s: %w", name, err)
		}
		base, err = detached(base)
		if err != nil {
			return Fail(Failed, "template %s: %w", name, err)
		}
	}
	var err error
	if base, err = o.from(base, o.Identity.StudyFrom, false); err != nil {
		return err
	}
	if base, err = o.from(base, o.Identity.SeriesFrom, true); err != nil {
		return err
	}
	if o.base, err = o.defaults(base); err != nil {
		return Fail(Usage, "%w", err)
	}
	o.keys = new(keyTree)
	for _, k := range o.Identity.Keys {
		if err := o.keys.add(k); err != nil {
			return Fail(Usage, "key %q: %w", k, err)
		}
	}
	return nil
}

// detached is a data set whose values are all in memory, so that its file can be closed.
func detached(ds *dicom.DataSet) (*dicom.DataSet, error) {
	b, err := dicom.AppendEncode(nil, ds, uid.ExplicitVRLittleEndian)
	if err != nil {
		return nil, err
	}
	return dicom.DecodeBytes(b, dicom.DecodeOptions{Syntax: uid.ExplicitVRLittleEndian})
}

// from takes patient and study, and the series if that is wanted, from a file.
func (o *Image) from(base *dicom.DataSet, name string, series bool) (*dicom.DataSet, error) {
	if name == "" {
		return base, nil
	}
	f, err := part10.Open(name, dicom.DecodeOptions{Until: tag.PixelData})
	if err != nil {
		return nil, Fail(NoInput, "%s: %w", name, withoutName(err))
	}
	defer f.Close()
	e := base.Edit()
	take(e, f.DataSet, patientAndStudy)
	if series {
		take(e, f.DataSet, ofSeries)
		if o.Identity.Next {
			n, _ := f.DataSet.Int(tag.InstanceNumber)
			o.number = int(n)
		}
	}
	if step, ok := f.DataSet.Item(tag.ScheduledProcedureStepSequence, 0); ok {
		if err := request(e, f.DataSet, step); err != nil {
			return nil, Fail(NoInput, "%s: %w", name, err)
		}
	}
	ds, err := e.Build()
	if err != nil {
		return nil, Fail(NoInput, "%s: %w", name, err)
	}
	return ds, nil
}

// take copies attributes that have a value.
func take(e *dicom.Editor, from *dicom.DataSet, tags []tag.Tag) {
	for _, t := range tags {
		if el, ok := from.Get(t); ok && !el.Empty() {
			e.SetTextAs(t, el.VR, el.Texts()...)
		}
	}
}

// request notes what a worklist item (PS3.4 K.6.1.2.2) asked for in the Request Attributes
// Sequence (PS3.3 C.7.3.1).
func request(e *dicom.Editor, item, step *dicom.DataSet) error {
	r := new(dicom.DataSet).Edit()
	take(r, item, []tag.Tag{tag.RequestedProcedureID, tag.RequestedProcedureDescription})
	take(r, step, []tag.Tag{tag.ScheduledProcedureStepID, tag.ScheduledProcedureStepDescription})
	ds, err := r.Build()
	if err != nil {
		return err
	}
	e.SetItems(tag.RequestAttributesSequence, ds)
	if text := item.Text(tag.RequestedProcedureDescription); text != "" && item.Text(tag.StudyDescription) == "" {
		e.SetText(tag.StudyDescription, text)
	}
	return nil
}

// defaults sets what no file gave: all objects of a run are of one study and one series.
func (o *Image) defaults(ds *dicom.DataSet) (*dicom.DataSet, error) {
	e, id := ds.Edit(), &o.Identity
	set := func(t tag.Tag, value string) {
		if el, ok := ds.Get(t); value != "" && (!ok || el.Empty()) {
			e.SetText(t, value)
		}
	}
	if o.NoMadeUp {
		for _, t := range []tag.Tag{tag.StudyInstanceUID, tag.SeriesInstanceUID} {
			if ds.UID(t) == "" {
				return nil, fmt.Errorf("no %v: give a file that has it", t)
			}
		}
	}
	set(tag.StudyInstanceUID, string(uid.New()))
	set(tag.SeriesInstanceUID, string(uid.New()))
	if o.Form != DCMTK {
		now := time.Now()
		set(tag.SpecificCharacterSet, "ISO_IR 192")
		set(tag.StudyDate, now.Format("20060102"))
		set(tag.StudyTime, now.Format("150405"))
		set(tag.StudyID, "1")
		set(tag.SeriesNumber, "1")
		set(tag.PatientID, id.PatientID)
		if id.PatientID == "" {
			set(tag.PatientID, fmt.Sprintf("G%d", now.UnixNano()))
		}
		e.SetText(tag.ContentDate, now.Format("20060102")).SetText(tag.ContentTime, now.Format("150405"))
	}
	set(tag.PatientName, id.PatientName)
	set(tag.StudyDescription, id.StudyDescription)
	set(tag.SeriesDescription, id.SeriesDescription)
	return e.Build()
}

// attributes are those of an object, the user's keys last.
func (o *Image) attributes(ob *capture.Object) (*dicom.DataSet, error) {
	e := o.base.Edit()
	if o.number++; o.Form != DCMTK || o.Identity.Next && o.Identity.SeriesFrom != "" {
		e.SetText(tag.InstanceNumber, strconv.Itoa(o.number))
	}
	picture := ob.Class != uid.EncapsulatedPDFStorage && ob.Class != uid.VideoPhotographicImageStorage && ob.Class != uid.VLPhotographicImageStorage
	if m := o.Identity.Modality; m != "" && picture && o.base.Text(tag.Modality) == "" {
		e.SetText(tag.Modality, m)
	}
	base, err := e.Build()
	if err != nil {
		return nil, err
	}
	ds, err := ob.Attributes(base, !o.NoEmpty)
	if err != nil {
		return nil, err
	}
	if ds, err = o.keys.build(ds); err != nil {
		return nil, err
	}
	if !ds.UID(tag.SOPInstanceUID).Valid() || !ds.UID(tag.StudyInstanceUID).Valid() || !ds.UID(tag.SeriesInstanceUID).Valid() {
		return nil, errors.New("SOP, study and series instance UIDs must be valid UIDs: look at the keys")
	}
	return ds, nil
}
