package dicom

import (
	"bytes"
	"testing"

	"gantry/dicom/tag"
	"gantry/dicom/uid"
	"gantry/dicom/vr"
)

// ctHeader is a data set of 124 elements and a 512 x 512 16-bit frame.
func ctHeader(b *testing.B) []byte {
	e := sample(b).Edit().SetBytes(tag.PixelData, vr.OW, make([]byte, 512*512*2))
	for i := range 112 {
		e.SetTextAs(tag.New(0x0018, uint16(0x1000+i)), vr.DS, "1.234567")
	}
	ds, err := e.Build()
	if err != nil {
		b.Fatal(err)
	}
	raw, err := AppendEncode(nil, ds, uid.ExplicitVRLittleEndian)
	if err != nil {
		b.Fatal(err)
	}
	return raw
}

func BenchmarkDecodeHeader(b *testing.B) {
	raw := ctHeader(b)
	r := bytes.NewReader(raw)
	b.ReportAllocs()
	for b.Loop() {
		o := DecodeOptions{Syntax: uid.ExplicitVRLittleEndian, Until: tag.PixelData}
		if ds, err := DecodeAt(r, int64(len(raw)), o); err != nil || ds.Size() == 0 {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecodeWhole(b *testing.B) {
	raw := ctHeader(b)
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := DecodeBytes(raw, DecodeOptions{Syntax: uid.ExplicitVRLittleEndian}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkText(b *testing.B) {
	ds, err := DecodeBytes(ctHeader(b), DecodeOptions{Syntax: uid.ExplicitVRLittleEndian})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if ds.Text(tag.PatientName) == "" {
			b.Fatal("no name")
		}
	}
}
