package verb

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gantry/dicom"
	"gantry/dicom/part10"
	"gantry/dicom/tag"
	"gantry/dicom/uid"
	"gantry/dicom/vr"
	"gantry/pixel"
)

// TestDifference compares samples by their width and sign.
func TestDifference(t *testing.T) {
	for _, c := range []struct {
		what   string
		x, y   []byte
		bits   int
		signed bool
		want   int64
	}{
		{"equal", []byte{1, 2, 3}, []byte{1, 2, 3}, 8, false, 0},
		{"bytes", []byte{1, 250, 3}, []byte{1, 2, 3}, 8, false, 248},
		{"signed bytes", []byte{1, 250, 3}, []byte{1, 2, 3}, 8, true, 8},
		{"words", []byte{0, 1, 0xFF, 0}, []byte{0xFF, 0, 0xFF, 0}, 16, false, 1},
		{"signed words", []byte{0xFF, 0xFF}, []byte{1, 0}, 16, true, 2},
		{"long words", []byte{0, 0, 1, 0}, []byte{0, 0, 0, 0}, 32, false, 65536},
		{"bits", []byte{0b1000}, []byte{0b0000}, 1, false, 8},
	} {
		if got := difference(c.x, c.y, pixel.Desc{BitsAllocated: c.bits, Signed: c.signed}); got != c.want {
			t.Errorf("%s: %d, want %d", c.what, got, c.want)
		}
	}
	if difference([]byte{1}, nil, pixel.Desc{BitsAllocated: 8}) == 0 {
		t.Error("different lengths are equal")
	}
}

// picture writes a file with an image of 4 by 4 pixels.
func picture(t *testing.T, name string, px ...byte) string {
	t.Helper()
	ds, err := new(dicom.DataSet).Edit().SetUID(tag.SOPClassUID, uid.SecondaryCaptureImageStorage).SetUID(tag.SOPInstanceUID, "1.2.3").
		SetInt(tag.SamplesPerPixel, 1).SetText(tag.PhotometricInterpretation, "MONOCHROME2").
		SetInt(tag.Rows, 4).SetInt(tag.Columns, int64(len(px)/4)).SetInt(tag.BitsAllocated, 8).SetInt(tag.BitsStored, 8).
		SetInt(tag.HighBit, 7).SetInt(tag.PixelRepresentation, 0).SetBytes(tag.PixelData, vr.OB, px).Build()
	if err != nil {
		t.Fatal(err)
	}
	meta, err := part10.MetaInfo{Class: uid.SecondaryCaptureImageStorage, Instance: "1.2.3", Syntax: uid.ExplicitVRLittleEndian}.Meta()
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := part10.Write(&b, meta, ds, uid.ExplicitVRLittleEndian); err != nil {
		t.Fatal(err)
	}
	name = filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(name, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// TestVerifyFails hands verify results that are not what they should be.
func TestVerifyFails(t *testing.T) {
	px := []byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}
	other := bytes.Clone(px)
	other[7]--
	name := picture(t, "a.dcm", px...)
	f, err := part10.Open(name, dicom.DecodeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, c := range []struct {
		result string
		syntax uid.UID
		want   string
	}{
		{picture(t, "same.dcm", px...), uid.ExplicitVRLittleEndian, ""},
		{picture(t, "off.dcm", other...), uid.ExplicitVRLittleEndian, "off by 1"},
		{picture(t, "size.dcm", append(px, px...)...), uid.ExplicitVRLittleEndian, "another size"},
		{picture(t, "syntax.dcm", px...), uid.RLELossless, "not RLE"},
	} {
		var out bytes.Buffer
		v := &converting{Convert: &Convert{Syntax: c.syntax}, s: &Stdio{Out: &out, Err: &out}}
		err := v.verify(context.Background(), name, f, c.result)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v", filepath.Base(c.result), err)
		}
	}
}

// TestConvertLeavesNothing converts what cannot be encoded: neither a result nor half of one
// is left.
func TestConvertLeavesNothing(t *testing.T) {
	name := picture(t, "a.dcm", make([]byte, 16)...)
	dir := t.TempDir()
	var out bytes.Buffer
	o := Convert{Input: name, Output: filepath.Join(dir, "b.dcm"), Syntax: uid.JPEGExtended12Bit}
	o.Quality = 50
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, b[:len(b)-8], 0o600); err != nil {
		t.Fatal(err)
	}
	if err := o.Run(context.Background(), &Stdio{Out: &out, Err: &out}); err == nil {
		t.Errorf("half an image was converted: %s", &out)
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("%s is left", left[0].Name())
	}
}
