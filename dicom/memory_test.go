package dicom

import (
	"bytes"
	"testing"

	"gantry/dicom/tag"
	"gantry/dicom/uid"
)

// TestMemory decodes into memory of the caller, which the next data set takes over, and
// into borrowed memory, which it must not.
func TestMemory(t *testing.T) {
	made := func(name string) []byte {
		ds, err := new(DataSet).Edit().SetText(tag.PatientName, name).SetText(tag.PatientID, "4711").Build()
		if err != nil {
			t.Fatal(err)
		}
		b, err := AppendEncode(nil, ds, uid.ExplicitVRLittleEndian)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	a, b := made("First^Patient"), made("Other^Patient")
	for _, m := range []*Memory{nil, new(Memory)} {
		o := DecodeOptions{Syntax: uid.ExplicitVRLittleEndian, Memory: m}
		first, err := DecodeAt(bytes.NewReader(a), int64(len(a)), o)
		if err != nil || first.Text(tag.PatientName) != "First^Patient" {
			t.Fatal(first.Text(tag.PatientName), err)
		}
		second, err := DecodeAt(bytes.NewReader(b), int64(len(b)), o)
		if err != nil || second.Text(tag.PatientName) != "Other^Patient" {
			t.Fatal(second.Text(tag.PatientName), err)
		}
		if kept := first.Text(tag.PatientName) == "First^Patient"; kept != (m == nil) {
			t.Errorf("the first data set is kept: %v", kept)
		}
	}
}
