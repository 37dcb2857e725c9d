package index

import (
	"strconv"

	"gantry/dicom"
	"gantry/dicom/dict"
	"gantry/dicom/tag"
	"gantry/dicom/vr"
)

// computed returns the value of a key that is counted rather than stored.
func (r *Row) computed(t tag.Tag) ([]string, bool) {
	n := int64(0)
	switch t {
	case tag.NumberOfPatientRelatedStudies:
		n = r.Counts.PatientStudies
	case tag.NumberOfPatientRelatedSeries:
		n = r.Counts.PatientSeries
	case tag.NumberOfPatientRelatedInstances:
		n = r.Counts.PatientInstances
	case tag.NumberOfStudyRelatedSeries:
		n = r.Counts.StudySeries
	case tag.NumberOfStudyRelatedInstances:
		n = r.Counts.StudyInstances
	case tag.NumberOfSeriesRelatedInstances:
		n = r.Counts.SeriesInstances
	case tag.ModalitiesInStudy:
		return r.Modalities, true
	case tag.SOPClassesInStudy:
		out := make([]string, len(r.Classes))
		for i, u := range r.Classes {
			out[i] = string(u)
		}
		return out, true
	default:
		return nil, false
	}
	return []string{strconv.FormatInt(n, 10)}, true
}

// Answer returns the keys with their values: empty where the object has none or the key
// is of a level below the row's. Text that is not ASCII makes it UTF-8 (ISO_IR 192).
// Unsupported are keys that are known to no level above the row's (status FF01).
func (r *Row) Answer(keys []tag.Tag) (ds *dicom.DataSet, unsupported []tag.Tag, err error) {
	ed := new(dicom.DataSet).Edit()
	unsupported = r.AnswerIn(ed, keys)
	ds, err = ed.Build()
	return ds, unsupported, err
}

// AnswerIn is Answer into a data set that has more to say.
func (r *Row) AnswerIn(ed *dicom.Editor, keys []tag.Tag) (unsupported []tag.Tag) {
	for _, t := range keys {
		if values, ok := r.computed(t); ok && LevelOf(t) <= r.Level {
			ed.SetText(t, values...)
			continue
		}
		if LevelOf(t) > r.Level {
			unsupported = append(unsupported, t)
			setEmpty(ed, t)
			continue
		}
		e, ok := r.Attrs.Get(t)
		if !ok || e.Empty() {
			setEmpty(ed, t)
			continue
		}
		copyElement(ed, e)
	}
	return unsupported
}

func setEmpty(ed *dicom.Editor, t tag.Tag) {
	switch v := dict.VROf(t); {
	case v == vr.SQ:
		ed.SetItems(t)
	case v == 0:
		ed.SetBytes(t, vr.UN, nil)
	default:
		ed.SetBytes(t, v, nil)
	}
}

// copyElement copies a value; text is set as text, so that it gets the character set of
// the answer.
func copyElement(ed *dicom.Editor, e dicom.Element) {
	switch {
	case e.IsSequence():
		items := make([]*dicom.DataSet, e.ItemCount())
		for i := range items {
			items[i] = e.Item(i)
		}
		ed.SetItems(e.Tag, items...)
	case e.VR.HasCharset():
		ed.SetTextAs(e.Tag, e.VR, e.Texts()...)
	default:
		ed.SetBytes(e.Tag, e.VR, e.Bytes())
	}
}
