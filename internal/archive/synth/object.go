package synth

import (
	"encoding/binary"
	"fmt"
	"time"

	"gantry/dicom"
	"gantry/dicom/tag"
	"gantry/dicom/uid"
	"gantry/dicom/vr"
)

// modalities are those that studies have, with the class of their objects.
var modalities = []struct {
	name  string
	class uid.UID
}{
	{"CT", uid.CTImageStorage}, {"CT", uid.CTImageStorage}, {"MR", uid.MRImageStorage},
	{"CR", uid.ComputedRadiographyImageStorage}, {"US", uid.UltrasoundImageStorage}, {"PT", uid.PositronEmissionTomographyImageStorage},
}

var regions = []string{"HEAD", "CHEST", "ABDOMEN", "PELVIS", "KNEE", "SPINE"}

// firstDay is when the first study was; the others follow through ten years.
var firstDay = time.Date(2015, 1, 1, 8, 0, 0, 0, time.UTC)

const days = 3650

// maker makes the objects of a plan, one series after the other. It is for one goroutine.
type maker struct {
	*Plan
	pixels []byte // as many as the plan has, or more, so that the last row is whole
	rows   int64
	series int64
	shared *dicom.DataSet // what the objects of the series share
	class  uid.UID
}

func newMaker(p *Plan) *maker {
	samples := (p.Pixels + 1) / 2
	columns := min(samples, rowLength)
	rows := (samples + columns - 1) / columns
	m := &maker{Plan: p, pixels: make([]byte, 2*rows*columns), rows: int64(rows), series: -1}
	for i := range m.pixels {
		m.pixels[i] = byte(i)
		if i%2 > 0 {
			m.pixels[i] &= 1<<(bitsStored-8) - 1
		}
	}
	return m
}

// The form of the images: rows are so long where there are several.
const (
	rowLength  = 512
	bitsStored = 12
)

// uid names entity n of a kind with a UUID (PS3.5 B.2) that the seed and n decide. The first
// half is that of the seed and the kind, so that the UIDs of one device follow each other.
func (m *maker) uid(kind byte, n int64) uid.UID {
	var id [16]byte
	binary.BigEndian.PutUint64(id[:], mix(uint64(m.Seed), uint64(kind)))
	binary.BigEndian.PutUint64(id[8:], uint64(n))
	id[6], id[8] = id[6]&0x0F|0x80, id[8]&0x3F|0x80
	return uid.FromUUID(id)
}

// object is instance n without its pixels.
func (m *maker) object(n int64) (*dicom.DataSet, error) {
	if s := n / m.PerSeries; s != m.series {
		if err := m.begin(s); err != nil {
			return nil, err
		}
	}
	i := n % m.PerSeries
	return m.shared.Edit().
		SetUID(tag.SOPInstanceUID, m.uid('i', n)).SetInt(tag.InstanceNumber, i+1).
		SetText(tag.ContentTime, fmt.Sprintf("%06d.%03d", 90000+i/60%60*100+i%60, i%1000)).
		SetText(tag.ImagePositionPatient, "-125", "-125", fmt.Sprintf("%.1f", float64(i)*1.5-100)).
		SetText(tag.SliceLocation, fmt.Sprintf("%.1f", float64(i)*1.5-100)).
		Build()
}

// begin makes what the objects of series s share.
func (m *maker) begin(s int64) error {
	study := s / m.PerStudy
	patient := study / m.PerPatient
	h := mix(uint64(m.Seed)+1, uint64(study))
	kind := pick(modalities, &h)
	region := pick(regions, &h)
	at := firstDay.AddDate(0, 0, int(study*days/m.Studies())).Add(time.Duration(take(&h, 36000)) * time.Second)
	born := mix(uint64(m.Seed)+2, uint64(patient))
	ds, err := new(dicom.DataSet).Edit().
		SetText(tag.SpecificCharacterSet, "ISO_IR 192").
		SetText(tag.ImageType, "ORIGINAL", "PRIMARY", "AXIAL").SetUID(tag.SOPClassUID, kind.class).
		SetText(tag.StudyDate, at.Format("20060102")).SetText(tag.SeriesDate, at.Format("20060102")).
		SetText(tag.StudyTime, at.Format("150405")).SetText(tag.SeriesTime, at.Format("150405")).
		SetText(tag.AccessionNumber, fmt.Sprintf("A%09d", study)).SetText(tag.Modality, kind.name).
		SetText(tag.Manufacturer, "Gantry").SetText(tag.InstitutionName, "Nowhere General").SetText(tag.StationName, kind.name+fmt.Sprint(study%7)).
		SetText(tag.ReferringPhysicianName, Person(m.Seed+3, study%500)).
		SetText(tag.StudyDescription, kind.name+" "+region).SetText(tag.SeriesDescription, fmt.Sprintf("%s series %d", region, s%m.PerStudy+1)).
		SetText(tag.PatientName, Person(m.Seed, patient)).SetText(tag.PatientID, fmt.Sprintf("P%08d", patient)).
		SetText(tag.PatientBirthDate, time.Date(1930, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, int(take(&born, 30000))).Format("20060102")).
		SetText(tag.PatientSex, []string{"F", "M", "O"}[take(&born, 3)]).
		SetText(tag.BodyPartExamined, region).SetText(tag.SliceThickness, "1.5").SetText(tag.KVP, "120").SetText(tag.PatientPosition, "HFS").
		SetUID(tag.StudyInstanceUID, m.uid('t', study)).SetUID(tag.SeriesInstanceUID, m.uid('s', s)).
		SetText(tag.StudyID, fmt.Sprint(study)).SetInt(tag.SeriesNumber, s%m.PerStudy+1).
		SetText(tag.ImageOrientationPatient, "1", "0", "0", "0", "1", "0").SetUID(tag.FrameOfReferenceUID, m.uid('f', study)).
		SetInt(tag.SamplesPerPixel, 1).SetText(tag.PhotometricInterpretation, "MONOCHROME2").
		SetInt(tag.Rows, m.rows).SetInt(tag.Columns, int64(len(m.pixels))/2/m.rows).SetText(tag.PixelSpacing, "0.5", "0.5").
		SetInt(tag.BitsAllocated, 16).SetInt(tag.BitsStored, bitsStored).SetInt(tag.HighBit, bitsStored-1).SetInt(tag.PixelRepresentation, 0).
		SetText(tag.RescaleIntercept, "-1024").SetText(tag.RescaleSlope, "1").
		Build()
	m.series, m.shared, m.class = s, ds, kind.class
	return err
}

// whole is a data set with its pixels, encoded as stored.
func (m *maker) whole(dst []byte, ds *dicom.DataSet) ([]byte, error) {
	ds, err := ds.Edit().SetBytes(tag.PixelData, vr.OW, m.pixels).Build()
	if err != nil {
		return dst, err
	}
	return dicom.AppendEncode(dst, ds, uid.ExplicitVRLittleEndian)
}
