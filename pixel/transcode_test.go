package pixel

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gantry/dicom"
	"gantry/dicom/part10"
	"gantry/dicom/tag"
	"gantry/dicom/uid"
	"gantry/pixel/internal/codectest"
)

// targets are the syntaxes that lose nothing.
var targets = []uid.UID{
	uid.ImplicitVRLittleEndian, uid.ExplicitVRLittleEndian, uid.ExplicitVRBigEndian, uid.DeflatedExplicitVRLittleEndian,
	uid.EncapsulatedUncompressedExplicitVRLittleEndian, uid.DeflatedImageFrameCompression, uid.RLELossless,
	uid.JPEGLossless, uid.JPEGLosslessSV1, uid.JPEGLSLossless, uid.JPEGLSNearLossless,
	uid.JPEG2000Lossless, uid.JPEG2000, uid.HTJ2KLossless, uid.HTJ2KLosslessRPCL, uid.HTJ2K,
}

func readFile(t testing.TB, name string) *part10.File {
	t.Helper()
	f, err := part10.Open(name, dicom.DecodeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func readBytes(t testing.TB, b []byte) *part10.File {
	t.Helper()
	f, err := part10.NewFile(bytes.NewReader(b), int64(len(b)), dicom.DecodeOptions{OnFlaw: dicom.Strict})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// transcode returns the result of Transcode as a file.
func transcode(t testing.TB, f *part10.File, to uid.UID, o Options) (*part10.File, Result, error) {
	t.Helper()
	var b bytes.Buffer
	r, err := Transcode(t.Context(), &b, f, to, o)
	if err != nil {
		return nil, r, err
	}
	out := readBytes(t, b.Bytes())
	if out.Syntax != to {
		t.Fatalf("the file says %s", out.Syntax)
	}
	return out, r, nil
}

// pixels decodes all frames, which must be without a flaw.
func pixels(t testing.TB, f *part10.File) []byte {
	t.Helper()
	s, err := Frames(f.DataSet, f.Syntax, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	px, _, err := decodeAll(t, s)
	if err != nil {
		t.Fatal(err)
	}
	if flaws := s.Flaws(); len(flaws) > 0 {
		t.Fatal(flaws)
	}
	return px
}

// images are points of the parameter space, with several frames and odd sizes.
func images() (out []codectest.Image) {
	for _, bits := range [][2]int{{8, 8}, {8, 5}, {8, 1}, {16, 16}, {16, 12}, {16, 8}, {16, 9}, {32, 32}, {32, 20}} {
		for _, samples := range []int{1, 3} {
			for _, signed := range []bool{false, true} {
				if signed && samples == 3 {
					continue
				}
				out = append(out, codectest.Image{Width: 13, Height: 7, Samples: samples, Frames: 3, Allocated: bits[0], Stored: bits[1], Signed: signed})
			}
		}
	}
	out = append(out, codectest.Image{Width: 1, Height: 1, Samples: 1, Frames: 1, Allocated: 8, Stored: 8},
		codectest.Image{Width: 300, Height: 2, Samples: 1, Frames: 1, Allocated: 16, Stored: 14},
		codectest.Image{Width: 9, Height: 9, Samples: 1, Frames: 2, Allocated: 8, Stored: 8, Photometric: PaletteColor},
		codectest.Image{Width: 9, Height: 9, Samples: 3, Frames: 2, Allocated: 8, Stored: 8, Photometric: YBRFull})
	return out
}

// noise makes frames of all values, signed ones with their sign extended.
func noise(m codectest.Image) []byte {
	var px []byte
	for k := range m.Frames {
		f := m.Noise(uint64(k))
		if m.Signed {
			extend(f, m.Allocated/8, m.Stored)
		}
		px = append(px, f...)
	}
	return px
}

// TestAnyToAny transcodes images of the whole parameter space from every syntax to every
// other: the pixels stay equal, and what a syntax cannot hold is refused.
func TestAnyToAny(t *testing.T) {
	refused := 0
	for _, m := range images() {
		px := noise(m)
		origin := readFile(t, m.WriteNative(t, px))
		for _, a := range targets {
			mid, _, err := transcode(t, origin, a, Options{Offsets: OffsetTable(len(a) % 3)})
			if err != nil {
				var un *UnsupportedError
				if !errors.As(err, &un) || m.Allocated < 32 || !strings.Contains(string(a), ".1.2.4.") {
					t.Errorf("%+v to %s: %v", m, a.Name(), err)
				}
				refused++
				continue
			}
			if !bytes.Equal(pixels(t, mid), px) {
				t.Errorf("%+v to %s: other pixels", m, a.Name())
			}
			for _, b := range targets {
				end, r, err := transcode(t, mid, b, Options{Workers: 2, Offsets: OffsetTable(len(b) % 3)})
				if err != nil {
					refused++
					continue
				}
				if got := pixels(t, end); !bytes.Equal(got, px) || r.Derived {
					t.Errorf("%+v from %s to %s: other pixels, %+v", m, a.Name(), b.Name(), r)
				}
			}
		}
	}
	if refused != 6*4*(1+12) { // four know 16 bits at most, of images that twelve others hold
		t.Errorf("%d were refused", refused)
	}
}

// TestUnusedBits keeps what old writers put above the highest bit.
func TestUnusedBits(t *testing.T) {
	m := codectest.Image{Width: 31, Height: 9, Samples: 1, Frames: 1, Allocated: 16, Stored: 12}
	px := codectest.Image{Width: 31, Height: 9, Samples: 1, Allocated: 16, Stored: 16}.Noise(4)
	origin := readFile(t, m.WriteNative(t, px))
	for _, to := range targets {
		out, _, err := transcode(t, origin, to, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(pixels(t, out), px) {
			t.Errorf("%s: other pixels", to.Name())
		}
	}
}

// TestSingleBits transcodes frames of one bit that end inside of a byte.
func TestSingleBits(t *testing.T) {
	f := bitImage(t, 5, 3, 4)
	want := pixels(t, f)
	for _, a := range []uid.UID{uid.RLELossless, uid.DeflatedImageFrameCompression, uid.EncapsulatedUncompressedExplicitVRLittleEndian} {
		mid, _, err := transcode(t, f, a, Options{})
		if err != nil {
			t.Fatal(err)
		}
		back, _, err := transcode(t, mid, uid.ExplicitVRBigEndian, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(pixels(t, mid), want) || !bytes.Equal(pixels(t, back), want) {
			t.Errorf("%s: other pixels", a.Name())
		}
	}
	if _, _, err := transcode(t, f, uid.JPEGLSLossless, Options{}); err == nil {
		t.Error("single bits went into JPEG-LS")
	}
}

// bitImage is an image of one bit with every third pixel set.
func bitImage(t testing.TB, width, height, frames int) *part10.File {
	t.Helper()
	m := codectest.Image{Width: width, Height: height, Samples: 1, Frames: frames, Allocated: 1, Stored: 1}
	px := make([]byte, (width*height*frames+7)/8)
	for k := 0; k < width*height*frames; k += 3 {
		px[k/8] |= 1 << (k % 8)
	}
	return readFile(t, m.WriteNative(t, px))
}

// TestTheyReadOurs gives what was transcoded to DCMTK, which decodes to equal pixels.
func TestTheyReadOurs(t *testing.T) {
	tools := map[uid.UID]string{uid.RLELossless: "/usr/bin/dcmdrle", uid.JPEGLossless: "/usr/bin/dcmdjpeg",
		uid.JPEGLosslessSV1: "/usr/bin/dcmdjpeg", uid.JPEGLSLossless: "/usr/bin/dcmdjpls", uid.JPEGLSNearLossless: "/usr/bin/dcmdjpls",
		uid.ExplicitVRBigEndian: "/usr/bin/dcmconv", uid.ImplicitVRLittleEndian: "/usr/bin/dcmconv", uid.DeflatedExplicitVRLittleEndian: "/usr/bin/dcmconv"}
	for _, m := range images() {
		if m.Allocated > 16 {
			continue
		}
		px := noise(m)
		origin := readFile(t, m.WriteNative(t, px))
		for to, tool := range tools {
			var b bytes.Buffer
			if _, err := Transcode(t.Context(), &b, origin, to, Options{}); err != nil {
				t.Fatal(err)
			}
			in, out := filepath.Join(t.TempDir(), "in.dcm"), filepath.Join(t.TempDir(), "out.dcm")
			if err := os.WriteFile(in, b.Bytes(), 0o600); err != nil {
				t.Fatal(err)
			}
			args := []string{in, out}
			if tool == "/usr/bin/dcmdjpeg" {
				args = []string{"+cn", in, out}
			}
			codectest.Run(t, codectest.Tool(t, tool), args...)
			if w := apart(nativePixels(t, out), px, mustDesc(t, origin)); w != 0 {
				t.Errorf("%+v to %s: %s is %d off", m, to.Name(), tool, w)
			}
		}
	}
}

func mustDesc(t testing.TB, f *part10.File) Desc {
	t.Helper()
	d, err := ReadDesc(f.DataSet, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestLossy makes derived objects: what PS3.3 C.7.6.1.1.5 and C.12.4 ask for is there, and
// DCMTK sees the pixels that this package sees.
func TestLossy(t *testing.T) {
	grey := codectest.Image{Width: 40, Height: 31, Samples: 1, Frames: 3, Allocated: 8, Stored: 8}
	colour := codectest.Image{Width: 40, Height: 31, Samples: 3, Frames: 1, Allocated: 8, Stored: 8}
	deep := codectest.Image{Width: 40, Height: 31, Samples: 1, Frames: 1, Allocated: 16, Stored: 12}
	for _, c := range []struct {
		m           codectest.Image
		to          uid.UID
		tool        string
		photometric string
		method      string
		off         int // how far pixels may be from the original's
	}{
		{grey, uid.JPEGBaseline8Bit, "/usr/bin/dcmdjpeg", Monochrome2, "ISO_10918_1", 40},
		{colour, uid.JPEGBaseline8Bit, "/usr/bin/dcmdjpeg", YBRFull422, "ISO_10918_1", 120},
		{deep, uid.JPEGExtended12Bit, "/usr/bin/dcmdjpeg", Monochrome2, "ISO_10918_1", 200},
		{deep, uid.JPEGLSNearLossless, "/usr/bin/dcmdjpls", Monochrome2, "ISO_14495_1", 2},
		{colour, uid.JPEGLSNearLossless, "/usr/bin/dcmdjpls", RGB, "ISO_14495_1", 2},
		{grey, uid.JPEG2000, "", Monochrome2, "ISO_15444_1", 10},
		{colour, uid.JPEG2000, "", YBRICT, "ISO_15444_1", 20},
		{deep, uid.JPEG2000, "", Monochrome2, "ISO_15444_1", 80},
		{grey, uid.HTJ2K, "", Monochrome2, "ISO_15444_15", 10},
		{colour, uid.HTJ2K, "", YBRICT, "ISO_15444_15", 20},
		{deep, uid.HTJ2K, "", Monochrome2, "ISO_15444_15", 80},
	} {
		px := bytes.Repeat(c.m.CT(1), c.m.Frames)
		origin := readFile(t, c.m.WriteNative(t, px))
		if _, _, err := transcode(t, origin, c.to, Options{}); c.to != uid.JPEGLSNearLossless && c.to != uid.JPEG2000 && c.to != uid.HTJ2K && err == nil {
			t.Errorf("%s: lossy without being asked", c.to.Name())
		}
		out, r, err := transcode(t, origin, c.to, Options{Lossy: &Lossy{Quality: 95}})
		if err != nil {
			t.Fatal(err)
		}
		ds := out.DataSet
		ref, _ := ds.Item(tag.SourceImageSequence, 0)
		got := fmt.Sprint(r.Derived, r.Instance == ds.UID(tag.SOPInstanceUID), r.Instance != "1.2.3.4", out.Meta.UID(tag.MediaStorageSOPInstanceUID) == r.Instance,
			ref.UID(tag.ReferencedSOPInstanceUID), ds.Text(tag.PhotometricInterpretation), ds.Text(tag.LossyImageCompression), ds.Texts(tag.LossyImageCompressionMethod),
			strings.HasPrefix(ds.Text(tag.DerivationDescription), "Lossy compression: "))
		want := fmt.Sprint(true, true, true, true, "1.2.3.4", c.photometric, "01", []string{c.method}, true)
		if got != want {
			t.Errorf("%s: %s, want %s", c.to.Name(), got, want)
		}
		if ratio, err := ds.Float(tag.LossyImageCompressionRatio); err != nil || ratio < 1 || ratio > 100 {
			t.Errorf("ratio %v %v", ratio, err)
		}
		ours := pixels(t, out)
		if w := apart(ours, px, mustDesc(t, origin)); w == 0 || w > c.off {
			t.Errorf("%s: %d off", c.to.Name(), w)
		}
		if c.tool == "" { // package j2k compares with OpenJPEG
			continue
		}
		name, theirs := filepath.Join(t.TempDir(), "in.dcm"), filepath.Join(t.TempDir(), "out.dcm")
		var b bytes.Buffer
		out.WriteTo(&b)
		os.WriteFile(name, b.Bytes(), 0o600)
		codectest.Run(t, codectest.Tool(t, c.tool), name, theirs)
		if w := apart(ours, nativePixels(t, theirs), mustDesc(t, origin)); w < 0 || w > 1 {
			t.Errorf("%s: DCMTK is %d off", c.to.Name(), w)
		}
		// Once lossy, always lossy: the history stays when it is decoded again.
		back, r, err := transcode(t, out, uid.ExplicitVRLittleEndian, Options{})
		if err != nil || r.Derived || back.DataSet.Text(tag.LossyImageCompression) != "01" || !bytes.Equal(pixels(t, back), ours) {
			t.Errorf("%s: back: %v %+v", c.to.Name(), err, r)
		}
	}
}
