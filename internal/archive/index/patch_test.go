package index

import (
	"bytes"
	"testing"

	"gantry/dicom"
	"gantry/dicom/tag"
	"gantry/dicom/uid"
)

func raw(t testing.TB, set map[tag.Tag]string) []byte {
	t.Helper()
	e := new(dicom.DataSet).Edit()
	for k, v := range set {
		e.SetText(k, v)
	}
	ds, err := e.Build()
	if err != nil {
		t.Fatal(err)
	}
	b, err := dicom.AppendEncode(nil, ds, uid.ExplicitVRLittleEndian)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestPatch(t *testing.T) {
	long := string(bytes.Repeat([]byte("x"), 300))
	base := raw(t, map[tag.Tag]string{tag.PatientID: "P", tag.StudyDescription: long, tag.InstanceNumber: "1", tag.SOPInstanceUID: "1.1", tag.PatientComments: long})
	for i, c := range []map[tag.Tag]string{
		{tag.PatientID: "P", tag.StudyDescription: long, tag.InstanceNumber: "1", tag.SOPInstanceUID: "1.1", tag.PatientComments: long},
		{tag.PatientID: "P", tag.StudyDescription: long, tag.InstanceNumber: "22", tag.SOPInstanceUID: "1.222", tag.PatientComments: long},
		{tag.PatientID: "P", tag.StudyDescription: long, tag.PatientComments: long, tag.StudyID: "new", tag.Modality: "CT"},
		{}, {tag.PatientName: "A"},
	} {
		want := raw(t, c)
		p := Patch(base, want)
		got, err := Unpatch(base, p)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("case %d: %v", i, err)
		}
		if i < 3 && len(p) > 80 {
			t.Errorf("case %d: patch of %d bytes", i, len(p))
		}
	}
}

func FuzzPatch(f *testing.F) {
	f.Add([]byte("\x10\x00\x20\x00LO\x02\x00P \x20\x00\x0D\x00UI\x04\x001.1\x00"), []byte("\x10\x00\x20\x00LO\x02\x00Q "))
	f.Add([]byte("\x08\x00\x05\x00SQ\x00\x00\xff\xff\xff\xff"), []byte("\x08\x00"))
	f.Fuzz(func(t *testing.T, base, raw []byte) {
		if len(raw) > maxUnpacked {
			return
		}
		got, err := Unpatch(base, Patch(base, raw))
		if err != nil || !bytes.Equal(got, raw) {
			t.Fatal(err)
		}
		if out, err := Unpatch(base, raw); err == nil && len(out) > maxUnpacked {
			t.Fatal("no bound")
		}
	})
}
