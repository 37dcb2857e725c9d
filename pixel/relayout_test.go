package pixel

import (
	"bytes"
	"testing"

	"gantry/dicom"
	"gantry/dicom/tag"
	"gantry/dicom/uid"
	"gantry/dicom/vr"
)

// TestLayOutWithoutRows lays a native object out anew although nobody could make an image of
// it; to compress it is refused.
func TestLayOutWithoutRows(t *testing.T) {
	px := []byte{1, 2, 3, 4}
	ds, err := new(dicom.DataSet).Edit().SetUID(tag.SOPClassUID, uid.SecondaryCaptureImageStorage).SetUID(tag.SOPInstanceUID, "1.2.3").
		SetInt(tag.BitsAllocated, 16).SetBytes(tag.PixelData, vr.OW, px).Build()
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if _, err := TranscodeDataSet(t.Context(), &b, ds, uid.ExplicitVRLittleEndian, uid.ImplicitVRLittleEndian, Options{}); err != nil {
		t.Fatal(err)
	}
	back, err := dicom.DecodeBytes(b.Bytes(), dicom.DecodeOptions{Syntax: uid.ImplicitVRLittleEndian})
	if err != nil {
		t.Fatal(err)
	}
	if e, _ := back.Get(tag.PixelData); !bytes.Equal(e.Bytes(), px) {
		t.Errorf("pixels %v", e.Bytes())
	}
	if _, err := TranscodeDataSet(t.Context(), &b, ds, uid.ExplicitVRLittleEndian, uid.RLELossless, Options{}); err == nil {
		t.Error("an image without rows was compressed")
	}
}
