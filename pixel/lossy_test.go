package pixel

import (
	"bytes"
	"strings"
	"testing"

	"gantry/dicom"
	"gantry/dicom/part10"
	"gantry/dicom/tag"
	"gantry/dicom/uid"
	"gantry/pixel/internal/codectest"
)

// baseline is a colour image under JPEG Baseline, without a word on what it lost.
func baseline(t testing.TB) *part10.File {
	t.Helper()
	m := codectest.Image{Width: 16, Height: 16, Samples: 3, Frames: 1, Allocated: 8, Stored: 8}
	f, _, err := transcode(t, readFile(t, m.WriteNative(t, m.CT(3))), uid.JPEGBaseline8Bit, Options{Lossy: &Lossy{}})
	if err != nil {
		t.Fatal(err)
	}
	e := f.DataSet.Edit().Delete(tag.LossyImageCompression).Delete(tag.LossyImageCompressionRatio).Delete(tag.LossyImageCompressionMethod)
	ds, err := e.Build()
	if err != nil {
		t.Fatal(err)
	}
	f.DataSet = ds
	return f
}

// TestHistory records the loss of an object that does not say it when it is decoded.
func TestHistory(t *testing.T) {
	f := baseline(t)
	for _, to := range []uid.UID{uid.ExplicitVRLittleEndian, uid.RLELossless} {
		out, r, err := transcode(t, f, to, Options{})
		if err != nil || r.Derived {
			t.Fatalf("%+v %v", r, err)
		}
		ds := out.DataSet
		ratio, err := ds.Float(tag.LossyImageCompressionRatio)
		if ds.Text(tag.LossyImageCompression) != "01" || ds.Text(tag.LossyImageCompressionMethod) != "ISO_10918_1" || err != nil || ratio <= 0.5 || ratio > 50 {
			t.Errorf("%s: %s %s %v %v", to.Name(), ds.Text(tag.LossyImageCompression), ds.Text(tag.LossyImageCompressionMethod), ratio, err)
		}
		if ds.Text(tag.PhotometricInterpretation) != RGB {
			t.Errorf("%s: %s", to.Name(), ds.Text(tag.PhotometricInterpretation))
		}
	}
}

// TestSampling writes what YBR_FULL_422 means: colours of half the width.
func TestSampling(t *testing.T) {
	s, err := Frames(baseline(t).DataSet, uid.JPEGBaseline8Bit, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	b, err := s.Frame(t.Context(), 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	at := bytes.Index(b, []byte{0xFF, 0xC0}) // T.81 B.2.2: each component has its number, factors, table
	if at < 0 || b[at+11] != 0x21 || b[at+14] != 0x11 || b[at+17] != 0x11 {
		t.Errorf("frame header % x", b[at:at+19])
	}
}

// TestIconAlone makes the icon of an object without pixels native, in its decoded colours.
func TestIconAlone(t *testing.T) {
	icon := baseline(t)
	ds, err := new(dicom.DataSet).Edit().SetText(tag.PatientName, "Doe^Jane").SetItems(tag.IconImageSequence, icon.DataSet).Build()
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if _, err := TranscodeDataSet(t.Context(), &b, ds, uid.JPEGBaseline8Bit, uid.ExplicitVRLittleEndian, Options{}); err != nil {
		t.Fatal(err)
	}
	out, err := dicom.DecodeBytes(b.Bytes(), dicom.DecodeOptions{Syntax: uid.ExplicitVRLittleEndian, OnFlaw: dicom.Strict})
	if err != nil {
		t.Fatal(err)
	}
	in, _ := out.Item(tag.IconImageSequence, 0)
	e, _ := in.Get(tag.PixelData)
	if in.Text(tag.PhotometricInterpretation) != RGB || !bytes.Equal(e.Bytes(), pixels(t, icon)) {
		t.Errorf("%s, %d bytes", in.Text(tag.PhotometricInterpretation), e.Len())
	}
}

// TestMixedColours refuses an object whose frames turn out to have different colours: one
// attribute speaks for all of them.
func TestMixedColours(t *testing.T) {
	m := codectest.Image{Width: 16, Height: 16, Samples: 3, Frames: 1, Allocated: 8, Stored: 8, Photometric: YBRFull}
	origin := readFile(t, m.WriteNative(t, noise(m)))
	var frames [][]byte
	for to, o := range map[uid.UID]Options{uid.JPEGLSLossless: {}, uid.JPEGBaseline8Bit: {Lossy: &Lossy{}}} {
		f, _, err := transcode(t, origin, to, o)
		if err != nil {
			t.Fatal(err)
		}
		s, err := Frames(f.DataSet, to, Limits{})
		if err != nil {
			t.Fatal(err)
		}
		b, err := s.Frame(t.Context(), 0, nil)
		if err != nil {
			t.Fatal(err)
		}
		frames = append(frames, b)
	}
	m.Frames = 2
	mixed := readFile(t, m.WriteEncapsulated(t, uid.JPEGLSLossless, frames...))
	if _, _, err := transcode(t, mixed, uid.RLELossless, Options{}); err == nil || !strings.Contains(err.Error(), "the first one is") {
		t.Error(err)
	}
}
