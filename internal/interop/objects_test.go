//go:build unix

package interop

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"gantry/dicom"
	"gantry/dicom/part10"
	"gantry/dicom/tag"
	"gantry/dicom/uid"
	"gantry/dicom/vr"
)

// object is a made image and what it is known by.
type object struct {
	patient, name           string
	study, series, instance uid.UID
	class, syntax           uid.UID
	date, modality          string
	number                  int
}

// study makes n objects of one series.
func study(k, n int) []object {
	out := make([]object, n)
	for i := range out {
		out[i] = object{
			patient: fmt.Sprintf("P%04d", k), name: fmt.Sprintf("Doe%04d^Jane", k),
			study:    uid.UID(fmt.Sprintf("1.2.826.0.1.3680043.10.99.%d", k)),
			series:   uid.UID(fmt.Sprintf("1.2.826.0.1.3680043.10.99.%d.1", k)),
			instance: uid.UID(fmt.Sprintf("1.2.826.0.1.3680043.10.99.%d.1.%d", k, i+1)),
			class:    uid.CTImageStorage, syntax: uid.ExplicitVRLittleEndian,
			date: fmt.Sprintf("2026%02d15", k%12+1), modality: "CT", number: i + 1,
		}
	}
	return out
}

func (o object) dataSet(t testing.TB) *dicom.DataSet {
	t.Helper()
	pixels := make([]byte, 64*64*2)
	for i := range pixels {
		pixels[i] = byte(i * (o.number + 3))
	}
	ds, err := new(dicom.DataSet).Edit().
		SetText(tag.SpecificCharacterSet, "ISO_IR 100").
		SetText(tag.ImageType, "ORIGINAL", "PRIMARY", "AXIAL").
		SetUID(tag.SOPClassUID, o.class).SetUID(tag.SOPInstanceUID, o.instance).
		SetText(tag.StudyDate, o.date).SetText(tag.StudyTime, "101500").
		SetText(tag.AccessionNumber, "A"+o.patient).SetText(tag.Modality, o.modality).
		SetText(tag.ReferringPhysicianName, "House^Gregory").
		SetText(tag.StudyDescription, "Thorax").
		SetText(tag.PatientName, o.name).SetText(tag.PatientID, o.patient).
		SetText(tag.PatientBirthDate, "19700101").SetText(tag.PatientSex, "O").
		SetUID(tag.StudyInstanceUID, o.study).SetUID(tag.SeriesInstanceUID, o.series).
		SetText(tag.StudyID, "1").SetInt(tag.SeriesNumber, 1).SetInt(tag.InstanceNumber, int64(o.number)).
		SetInt(tag.SamplesPerPixel, 1).SetText(tag.PhotometricInterpretation, "MONOCHROME2").
		SetInt(tag.Rows, 64).SetInt(tag.Columns, 64).SetInt(tag.BitsAllocated, 16).SetInt(tag.BitsStored, 16).
		SetInt(tag.HighBit, 15).SetInt(tag.PixelRepresentation, 0).
		SetBytes(tag.PixelData, vr.OW, pixels).Build()
	if err != nil {
		t.Fatal(err)
	}
	return ds
}

// file writes the object into dir and returns its path.
func (o object) file(t testing.TB, dir string) string {
	t.Helper()
	meta, err := part10.MetaInfo{Class: o.class, Instance: o.instance, Syntax: o.syntax}.Meta()
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := part10.Write(&b, meta, o.dataSet(t), o.syntax); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(dir, string(o.instance)+".dcm")
	if err := os.WriteFile(name, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// files writes objects into a new folder and returns it.
func files(t testing.TB, objects []object) string {
	t.Helper()
	dir := t.TempDir()
	for _, o := range objects {
		o.file(t, dir)
	}
	return dir
}

// dataSets reads a folder of DICOM files: the bytes of each data set by SOP Instance UID.
func dataSets(t testing.TB, dir string) map[uid.UID][]byte {
	t.Helper()
	out := map[uid.UID][]byte{}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		f, err := part10.Open(filepath.Join(dir, e.Name()), dicom.DecodeOptions{Until: tag.StudyDate})
		if err != nil {
			t.Errorf("%v", err)
			continue
		}
		var b bytes.Buffer
		if _, err := b.ReadFrom(f.DataSetReader()); err != nil {
			t.Fatal(err)
		}
		out[f.DataSet.UID(tag.SOPInstanceUID)] = b.Bytes()
		f.Close()
	}
	return out
}

// same compares two folders of objects.
func same(t testing.TB, want, got map[uid.UID][]byte) {
	t.Helper()
	for u, b := range want {
		if g, ok := got[u]; !ok {
			t.Errorf("%s is missing", u)
		} else if !bytes.Equal(b, g) {
			t.Errorf("%s: %d bytes came back as %d others", u, len(b), len(g))
		}
	}
	for u := range got {
		if _, ok := want[u]; !ok {
			t.Errorf("%s was not asked for", u)
		}
	}
}
