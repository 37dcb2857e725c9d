package pixel

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gantry/dicom/tag"
	"gantry/dicom/uid"
	"gantry/pixel/internal/codectest"
)

// jxlOf compresses a frame of whole bytes with libjxl, without loss.
func jxlOf(t testing.TB, m codectest.Image, px []byte) []byte {
	t.Helper()
	in, out := filepath.Join(t.TempDir(), "a.pnm"), filepath.Join(t.TempDir(), "a.jxl")
	b := fmt.Appendf(nil, "P%d\n%d %d\n%d\n", 5+m.Samples/2, m.Width, m.Height, 1<<m.Allocated-1)
	if m.Allocated == 8 {
		b = append(b, px...)
	}
	for i := 0; m.Allocated == 16 && i < len(px); i += 2 {
		b = append(b, px[i+1], px[i])
	}
	os.WriteFile(in, b, 0o600)
	codectest.Run(t, codectest.Tool(t, "/usr/bin/cjxl"), in, out, "-d", "0", "-e", "3")
	code, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return code
}

// TestJPEGXL decodes and transcodes objects of JPEG XL.
func TestJPEGXL(t *testing.T) {
	for _, m := range []codectest.Image{
		{Width: 65, Height: 40, Samples: 1, Frames: 1, Allocated: 8, Stored: 8},
		{Width: 300, Height: 200, Samples: 1, Frames: 2, Allocated: 16, Stored: 12},
		{Width: 61, Height: 40, Samples: 1, Frames: 1, Allocated: 16, Stored: 16, Signed: true},
		{Width: 65, Height: 40, Samples: 3, Frames: 2, Allocated: 8, Stored: 8, Photometric: YBRRCT},
	} {
		var want []byte
		var frames [][]byte
		for k := range m.Frames {
			px := m.CT(uint64(k))
			want, frames = append(want, px...), append(frames, jxlOf(t, m, px))
		}
		f := readFile(t, m.WriteEncapsulated(t, uid.JPEGXLLossless, frames...))
		for _, to := range []uid.UID{uid.ExplicitVRLittleEndian, uid.JPEGLSLossless} {
			out, r, err := transcode(t, f, to, Options{})
			if err != nil || r.Derived {
				t.Fatalf("%+v: %+v %v", m, r, err)
			}
			s, err := Frames(out.DataSet, out.Syntax, Limits{})
			if err != nil {
				t.Fatal(err)
			}
			got, d, err := decodeAll(t, s)
			if err != nil || !bytes.Equal(got, want) || d.Lossy || m.Samples == 3 && s.Desc().Photometric != RGB {
				t.Errorf("%+v to %s: %+v %v", m, to.Name(), d, err)
			}
		}
	}
}

// TestRebuild unpacks the JPEG files of an object: they are those that libjxl unpacks.
func TestRebuild(t *testing.T) {
	f, err := openSample("dcm4che+dcm4che/dcm4che-test-data/src/main/resources/will-jxl.dcm")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	out, r, err := transcode(t, f, uid.JPEGBaseline8Bit, Options{})
	if err != nil || r.Derived || r.Instance != f.DataSet.UID(tag.SOPInstanceUID) {
		t.Fatalf("%+v %v", r, err)
	}
	from, err := Frames(f.DataSet, f.Syntax, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	to, err := Frames(out.DataSet, out.Syntax, Limits{})
	if err != nil || to.Len() != from.Len() || to.Desc().Photometric != YBRFull422 {
		t.Fatalf("%d frames of %d, %s, %v", to.Len(), from.Len(), to.Desc().Photometric, err)
	}
	for _, i := range []int{0, from.Len() - 1} {
		packed, err := from.Frame(t.Context(), i, nil)
		if err != nil {
			t.Fatal(err)
		}
		got, err := to.Frame(t.Context(), i, nil)
		if want := unpacked(t, packed); err != nil || !bytes.HasPrefix(got, want) || len(got) > len(want)+1 {
			t.Errorf("frame %d: %v, %d bytes, want %d", i+1, err, len(got), len(want))
		}
	}
	lossless := jxlOf(t, codectest.Image{Width: 9, Height: 9, Samples: 1, Allocated: 8}, make([]byte, 81))
	m := codectest.Image{Width: 9, Height: 9, Samples: 1, Frames: 1, Allocated: 8, Stored: 8}
	f = readFile(t, m.WriteEncapsulated(t, uid.JPEGXLJPEGRecompression, lossless))
	if _, _, err := transcode(t, f, uid.JPEGBaseline8Bit, Options{}); err == nil || !strings.Contains(err.Error(), "not made from a JPEG file") {
		t.Error(err)
	}
}

// unpacked is what libjxl makes of a stream.
func unpacked(t testing.TB, packed []byte) []byte {
	t.Helper()
	in, out := filepath.Join(t.TempDir(), "a.jxl"), filepath.Join(t.TempDir(), "a.jpg")
	os.WriteFile(in, packed, 0o600)
	codectest.Run(t, codectest.Tool(t, "/usr/bin/djxl"), in, out)
	b, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestJPEGXLReal has libjxl compress real images of up to 16 bits, which come back as they were.
func TestJPEGXLReal(t *testing.T) {
	names, _ := samples(t)
	done := map[string]bool{}
	for _, name := range names {
		f, err := openSample(name)
		if err != nil {
			continue
		}
		s, err := Frames(f.DataSet, f.Syntax, Limits{})
		if err != nil || s.Desc().pixels() > 600*600 || s.Desc().BitsAllocated != map[int]int{1: 16, 3: 8}[s.Desc().Samples] {
			f.Close()
			continue
		}
		d := s.Desc()
		kind := fmt.Sprint(d.BitsStored, d.Signed, d.Samples)
		raw, err := s.Frame(t.Context(), 0, nil)
		if px, out, err2 := s.Decode(0, raw, nil); err == nil && err2 == nil && !done[kind] && (d.Samples == 1 || out.Photometric == RGB) {
			done[kind] = true
			again(t, name, codectest.Image{Width: d.Columns, Height: d.Rows, Samples: d.Samples, Frames: 1, Allocated: d.BitsAllocated, Stored: d.BitsStored, Signed: d.Signed}, px)
		}
		f.Close()
	}
	if len(done) < 6 {
		t.Errorf("only %d kinds of real images: %v", len(done), done)
	}
}

// again packs an image and unpacks it.
func again(t *testing.T, name string, m codectest.Image, px []byte) {
	f := readFile(t, m.WriteEncapsulated(t, uid.JPEGXLLossless, jxlOf(t, m, px)))
	s, err := Frames(f.DataSet, f.Syntax, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if got, _, err := decodeAll(t, s); err != nil || !bytes.Equal(got, px) {
		t.Errorf("%s: %v, or other samples", name, err)
	}
}
