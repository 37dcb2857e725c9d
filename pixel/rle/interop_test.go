package rle

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"gantry/dicom/uid"
	"gantry/pixel/internal/codectest"
)

// TestSamples decodes every real file. GDCM's sums are of all frames, native.
func TestSamples(t *testing.T) {
	seen := 0
	for _, s := range codectest.Samples(t, uid.RLELossless) {
		m := s.Image
		i := Info{Width: m.Width, Height: m.Height, Components: m.Samples, Bits: m.Allocated}
		var px []byte
		for k, f := range s.Frames {
			var err error
			if px, err = Decode(px, f, i, DecodeOptions{}); err != nil {
				t.Errorf("%s: frame %d: %v", s.Name, k, err)
			}
		}
		want := s.Want
		if twin := twin(s.Name); twin != "" {
			want = codectest.Sum(alignFrames(codectest.ReadNative(t, codectest.SamplePath(twin)), m))
		}
		if sum := codectest.Sum(px); sum != want {
			t.Errorf("%s: %s, not %s", s.Name, sum, want)
		}
		seen++
	}
	if seen < 35 {
		t.Errorf("%d files of the syntax, there were 35", seen)
	}
}

// twin names the native form of the files that GDCM cannot decode, or decodes wrongly (RGB
// of more than 8 bits).
func twin(name string) string {
	base := filepath.Base(name)
	if !strings.HasPrefix(base, "liver") && !strings.HasPrefix(base, "SC_rgb_rle_") || base == "SC_rgb_rle_2frame.dcm" {
		return ""
	}
	return "pydicom+pydicom-data/data_store/data/" + strings.Replace(base, "_rle", "", 1)
}

// alignFrames lets each frame of one-bit pixels begin with a byte, which native pixel data
// does not.
func alignFrames(px []byte, m codectest.Image) []byte {
	n := m.Width * m.Height
	if m.Allocated != 1 || n%8 == 0 {
		return px
	}
	out := make([]byte, m.Frames*m.FrameBytes())
	for k := range n * m.Frames {
		out[k/n*m.FrameBytes()+k%n/8] |= px[k/8] >> (k % 8) & 1 << (k % n % 8)
	}
	return out
}

func images() []codectest.Image {
	var out []codectest.Image
	for _, size := range [][2]int{{1, 1}, {3, 5}, {127, 9}, {130, 66}} {
		for _, samples := range []int{1, 3} {
			for _, bits := range []int{8, 16} {
				m := codectest.Image{Width: size[0], Height: size[1], Samples: samples, Allocated: bits, Stored: bits}
				out = append(out, m)
				m.Signed = samples == 1
				out = append(out, m)
			}
		}
	}
	return out
}

// TestDCMTKDecodesOurs compares what dcmdrle makes of our streams.
func TestDCMTKDecodesOurs(t *testing.T) {
	tool := codectest.Tool(t, "/usr/bin/dcmdrle")
	for k, m := range images() {
		px := m.CT(uint64(k))
		i := Info{Width: m.Width, Height: m.Height, Components: m.Samples, Bits: m.Allocated}
		coded, err := Encode(nil, px, i, EncodeOptions{})
		if err != nil {
			t.Fatal(err)
		}
		in, out := m.WriteEncapsulated(t, uid.RLELossless, coded), filepath.Join(t.TempDir(), "out.dcm")
		codectest.Run(t, tool, in, out)
		if got := codectest.ReadNative(t, out); !bytes.Equal(got[:len(px)], px) {
			t.Errorf("%+v: came out different", m)
		}
	}
}

// TestOursDecodesDCMTK compares what we make of dcmcrle's streams.
func TestOursDecodesDCMTK(t *testing.T) {
	tool := codectest.Tool(t, "/usr/bin/dcmcrle")
	for k, m := range images() {
		px := m.CT(uint64(k))
		in, out := m.WriteNative(t, px), filepath.Join(t.TempDir(), "out.dcm")
		codectest.Run(t, tool, in, out)
		i := Info{Width: m.Width, Height: m.Height, Components: m.Samples, Bits: m.Allocated}
		got, err := Decode(nil, codectest.ReadFrames(t, out)[0], i, DecodeOptions{})
		if err != nil || !bytes.Equal(got, px) {
			t.Errorf("%s: came out different (%v)", fmt.Sprintf("%+v", m), err)
		}
	}
}
