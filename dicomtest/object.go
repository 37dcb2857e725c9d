package dicomtest

import (
	"bytes"
	"context"
	"fmt"
	"io"

	"gantry/dicom"
	"gantry/dicom/tag"
	"gantry/dicom/uid"
	"gantry/dicom/vr"
	"gantry/dimse"
)

// Object describes a made-up object. Zero fields get values from N, so that objects with
// different N differ, ten to a series and a hundred to a study.
type Object struct {
	N       int
	Class   uid.UID // default CT Image Storage
	Syntax  uid.UID // default Explicit VR Little Endian
	Patient string  // Patient's Name and ID; default from N
	Pixels  int     // bytes of Pixel Data; default 64
}

// root is the UID root of made-up objects: a UUID below 2.25.
const root = "2.25.88470281356041372916"

// Study returns the Study Instance UID of the object with number n.
func Study(n int) uid.UID { return uid.UID(fmt.Sprintf("%s.1.%d", root, n/100)) }

// Series returns the Series Instance UID of the object with number n.
func Series(n int) uid.UID { return uid.UID(fmt.Sprintf("%s.2.%d", root, n/10)) }

// Instance returns the SOP Instance UID of the object with number n.
func Instance(n int) uid.UID { return uid.UID(fmt.Sprintf("%s.3.%d", root, n)) }

// DataSet builds the object's data set.
func (o Object) DataSet() (*dicom.DataSet, error) {
	o = o.withDefaults()
	pixels := make([]byte, o.Pixels)
	for i := range pixels {
		pixels[i] = byte(i * (o.N + 3))
	}
	return new(dicom.DataSet).Edit().
		SetUID(tag.SOPClassUID, o.Class).
		SetUID(tag.SOPInstanceUID, Instance(o.N)).
		SetText(tag.Modality, "CT").
		SetText(tag.StudyDate, fmt.Sprintf("2024%02d%02d", o.N%12+1, o.N%28+1)).
		SetText(tag.PatientName, o.Patient+"^TEST").
		SetText(tag.PatientID, o.Patient).
		SetUID(tag.StudyInstanceUID, Study(o.N)).
		SetUID(tag.SeriesInstanceUID, Series(o.N)).
		SetText(tag.InstanceNumber, fmt.Sprint(o.N)).
		SetInt(tag.Rows, 8).SetInt(tag.Columns, 8).SetInt(tag.BitsAllocated, 8).
		SetBytes(tag.PixelData, vr.OW, pixels).
		Build()
}

func (o Object) withDefaults() Object {
	if o.Class == "" {
		o.Class = uid.CTImageStorage
	}
	if o.Syntax == "" {
		o.Syntax = uid.ExplicitVRLittleEndian
	}
	if o.Patient == "" {
		o.Patient = fmt.Sprintf("P%d", o.N/100)
	}
	if o.Pixels == 0 {
		o.Pixels = 64
	}
	return o
}

// Encode returns the object's data set in its transfer syntax.
func (o Object) Encode() ([]byte, error) {
	ds, err := o.DataSet()
	if err != nil {
		return nil, err
	}
	return dicom.AppendEncode(nil, ds, o.withDefaults().Syntax)
}

// Outgoing returns the object ready to be sent; Open encodes it in the syntax asked for.
func (o Object) Outgoing() (*dimse.Outgoing, error) {
	ds, err := o.DataSet()
	if err != nil {
		return nil, err
	}
	o = o.withDefaults()
	return &dimse.Outgoing{Class: o.Class, Instance: Instance(o.N), Syntax: o.Syntax,
		Open: func(_ context.Context, ts uid.UID) (io.ReadCloser, error) {
			b, err := dicom.AppendEncode(nil, ds, ts)
			if err != nil {
				return nil, err
			}
			return io.NopCloser(bytes.NewReader(b)), nil
		}}, nil
}
