package capture

import (
	"encoding/binary"
	"math"
	"strconv"

	"gantry/dicom"
	"gantry/dicom/tag"
	"gantry/dicom/uid"
	"gantry/dicom/vr"
)

// attribute is one to set, by one of its values.
type attribute struct {
	t    tag.Tag
	s    []string
	n    []int64
	v    vr.VR
	bulk dicom.Bulk
}

// always are the attributes of type 2 that every object here has (PS3.3 C.7.1.1, C.7.2.1).
var always = []tag.Tag{tag.StudyDate, tag.StudyTime, tag.AccessionNumber, tag.ReferringPhysicianName, tag.PatientName, tag.PatientID,
	tag.PatientBirthDate, tag.PatientSex, tag.StudyID, tag.SeriesNumber, tag.InstanceNumber}

// Attributes is base with all that the object's modules need: the form of its picture always,
// the rest where base does not have it. Without fill it is an error if base lacks one of type 2.
// Texts are in base's character set.
func (ob *Object) Attributes(base *dicom.DataSet, fill bool) (*dicom.DataSet, error) {
	a := &adder{e: base.Edit(), base: base, fill: fill}
	for _, t := range []tag.Tag{tag.PixelData, tag.FloatPixelData, tag.DoubleFloatPixelData, tag.ExtendedOffsetTable, tag.ExtendedOffsetTableLengths,
		tag.PlanarConfiguration, tag.NumberOfFrames, tag.FrameIncrementPointer, tag.FrameTime, tag.FrameTimeVector, tag.DataSetTrailingPadding} {
		a.e.Delete(t)
	}
	a.e.SetUID(tag.SOPClassUID, ob.Class)
	for _, t := range []tag.Tag{tag.SOPInstanceUID, tag.StudyInstanceUID, tag.SeriesInstanceUID} {
		a.uid(t)
	}
	a.empty(always...)
	for _, at := range ob.attrs {
		a.set(at)
	}
	switch ob.Class {
	case uid.EncapsulatedPDFStorage:
		a.document()
	case uid.VLPhotographicImageStorage, uid.VideoPhotographicImageStorage:
		a.photo(ob)
	default:
		a.capture(ob)
	}
	if ob.Desc.Rows > 0 {
		a.image(ob)
	}
	if a.missing != 0 {
		return nil, wrong("no %v, which may be empty but not missing: set it", a.missing)
	}
	return a.e.Build()
}

// adder adds to a data set what it lacks.
type adder struct {
	e    *dicom.Editor
	base *dicom.DataSet
	fill bool

	missing tag.Tag // the first of type 2
}

// has reports whether base has a value.
func (a *adder) has(t tag.Tag) bool {
	e, ok := a.base.Get(t)
	return ok && !e.Empty()
}

func (a *adder) uid(t tag.Tag) {
	if !a.has(t) {
		a.e.SetUID(t, uid.New())
	}
}

// empty adds attributes without a value.
func (a *adder) empty(tags ...tag.Tag) {
	for _, t := range tags {
		switch {
		case a.base.Has(t):
		case a.fill:
			a.e.SetText(t)
		case a.missing == 0:
			a.missing = t
		}
	}
}

// text adds an attribute of type 1.
func (a *adder) text(t tag.Tag, values ...string) {
	if !a.has(t) {
		a.e.SetText(t, values...)
	}
}

func (a *adder) set(at attribute) {
	switch {
	case at.bulk != nil:
		a.e.SetBulk(at.t, at.v, at.bulk)
	case at.n != nil:
		a.e.SetInt(at.t, at.n...)
	default:
		a.e.SetText(at.t, at.s...)
	}
}

// document adds what the modules of PS3.3 A.45.1 have more.
func (a *adder) document() {
	a.text(tag.Modality, "DOC")
	a.text(tag.ConversionType, "WSD")
	a.text(tag.SeriesNumber, "1")
	a.text(tag.InstanceNumber, "1")
	a.text(tag.BurnedInAnnotation, "YES")
	a.empty(tag.Manufacturer, tag.ContentDate, tag.ContentTime, tag.AcquisitionDateTime, tag.DocumentTitle)
	if a.fill && !a.base.Has(tag.ConceptNameCodeSequence) {
		a.e.SetItems(tag.ConceptNameCodeSequence)
	}
}

// photo adds what the modules of PS3.3 A.32.4 and A.32.7 have more.
func (a *adder) photo(ob *Object) {
	a.text(tag.Modality, "XC")
	a.text(tag.ImageType, "DERIVED", "SECONDARY")
	a.empty(tag.Manufacturer, tag.PatientOrientation)
	if ob.Class != uid.VideoPhotographicImageStorage {
		a.empty(tag.Laterality)
	}
	if !ob.Lossy() {
		a.empty(tag.LossyImageCompression)
	}
	if !a.base.Has(tag.AcquisitionContextSequence) {
		a.e.SetItems(tag.AcquisitionContextSequence)
	}
	if ob.Class == uid.VideoPhotographicImageStorage && !a.base.Has(tag.AnatomicRegionSequence) {
		// Required of video (PS3.3 C.8.12.1). The widest region is said where none is given.
		item, err := new(dicom.DataSet).Edit().SetText(tag.CodeValue, "38266002").SetText(tag.CodingSchemeDesignator, "SCT").
			SetText(tag.CodeMeaning, "Entire body").Build()
		if err == nil {
			a.e.SetItems(tag.AnatomicRegionSequence, item)
		}
	}
}

// capture adds what the modules of PS3.3 A.8 have more.
func (a *adder) capture(ob *Object) {
	a.text(tag.ConversionType, "WSD")
	a.empty(tag.Laterality, tag.PatientOrientation)
	if ob.Class == uid.SecondaryCaptureImageStorage {
		return
	}
	a.text(tag.BurnedInAnnotation, "YES") // which nobody can rule out
	if ob.Desc.Samples == 1 {
		a.e.SetText(tag.RescaleIntercept, "0").SetText(tag.RescaleSlope, "1").SetText(tag.RescaleType, "US")
		a.e.SetText(tag.PresentationLUTShape, "IDENTITY")
	}
}

// image sets the form of the picture (PS3.3 C.7.6.3, C.7.6.6, C.7.6.5).
func (a *adder) image(ob *Object) {
	d := ob.Desc
	signed := int64(0)
	if d.Signed {
		signed = 1
	}
	a.e.SetInt(tag.SamplesPerPixel, int64(d.Samples)).SetText(tag.PhotometricInterpretation, d.Photometric).
		SetInt(tag.Rows, int64(d.Rows)).SetInt(tag.Columns, int64(d.Columns)).SetInt(tag.BitsAllocated, int64(d.BitsAllocated)).
		SetInt(tag.BitsStored, int64(d.BitsStored)).SetInt(tag.HighBit, int64(d.HighBit)).SetInt(tag.PixelRepresentation, signed)
	if d.Samples > 1 {
		a.e.SetInt(tag.PlanarConfiguration, 0)
	}
	if multi := ob.Class != uid.SecondaryCaptureImageStorage && ob.Class != uid.VLPhotographicImageStorage; multi || d.Frames > 1 {
		a.e.SetText(tag.NumberOfFrames, strconv.Itoa(d.Frames))
	}
	if d.Frames > 1 {
		a.times(ob)
	}
	if ob.Lossy() {
		a.e.SetText(tag.LossyImageCompression, "01").SetText(tag.LossyImageCompressionRatio, decimal(ob.ratio)).
			SetText(tag.LossyImageCompressionMethod, ob.lossy)
	}
}

// times sets the time of each frame: one for all, or a vector. Where nothing is known they
// come one a second.
func (a *adder) times(ob *Object) {
	times, same := ob.times, true
	if len(times) == 0 {
		times = []float64{1000}
	}
	for _, t := range times {
		same = same && t == times[0]
	}
	if same {
		a.pointer(tag.FrameTime).SetText(tag.FrameTime, decimal(times[0]))
		if ob.Class == uid.VideoPhotographicImageStorage {
			a.e.SetText(tag.CineRate, strconv.Itoa(max(int(math.Round(1000/times[0])), 1)))
		}
		return
	}
	// Each value is the time from the frame before; the first is 0 (PS3.3 C.7.6.5).
	values := []string{"0"}
	for _, t := range times[:len(times)-1] {
		values = append(values, decimal(t))
	}
	a.pointer(tag.FrameTimeVector).SetText(tag.FrameTimeVector, values...)
}

// pointer makes t what frames differ by.
func (a *adder) pointer(t tag.Tag) *dicom.Editor {
	b := binary.LittleEndian.AppendUint16(nil, t.Group())
	return a.e.SetBytes(tag.FrameIncrementPointer, vr.AT, binary.LittleEndian.AppendUint16(b, t.Element()))
}

// decimal is a number of 16 characters at most (PS3.5 6.2, DS).
func decimal(v float64) string { return strconv.FormatFloat(v, 'g', 8, 64) }
