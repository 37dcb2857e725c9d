package jpegll

import (
	"bytes"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"gantry/dicom/uid"
	"gantry/pixel/internal/codectest"
)

// TestSamples decodes every real file. GDCM's sums are of all frames, native.
func TestSamples(t *testing.T) {
	seen := 0
	for _, s := range codectest.Samples(t, uid.JPEGLossless, uid.JPEGLosslessSV1) {
		var px []byte
		var err error
		for k, f := range s.Frames {
			var i Info
			px, i, err = Decode(px, f, DecodeOptions{})
			if err != nil {
				t.Logf("%s: frame %d: %+v %v", s.Name, k, i, err)
				break
			}
		}
		if strings.HasSuffix(s.Name, "/sample-op.dcm") { // a baseline stream under a wrong syntax
			s.Want = "gdcm-cannot"
		}
		if sum := codectest.Sum(px); (err != nil) != (s.Want == "gdcm-cannot") || err == nil && sum != s.Want {
			t.Errorf("%s: %s (%v), GDCM has %s", s.Name, sum, err, s.Want)
		}
		seen++
	}
	if seen < 18 {
		t.Errorf("%d files of the syntaxes, there were 18", seen)
	}
}

func images() []codectest.Image {
	var out []codectest.Image
	for k, size := range [][2]int{{1, 1}, {2, 7}, {65, 33}} {
		for bits := 2; bits <= 16; bits += 1 + k%2 {
			m := codectest.Image{Width: size[0], Height: size[1], Samples: 1, Allocated: 8, Stored: bits}
			if bits > 8 {
				m.Allocated = 16
			}
			out = append(out, m)
		}
		out = append(out, codectest.Image{Width: size[0], Height: size[1], Samples: 3, Allocated: 8, Stored: 8})
	}
	return out
}

// TestDCMTKDecodesOurs compares what dcmdjpeg makes of our streams.
func TestDCMTKDecodesOurs(t *testing.T) {
	tool := codectest.Tool(t, "/usr/bin/dcmdjpeg")
	for k, m := range images() {
		px := m.CT(uint64(k))
		i := Info{Width: m.Width, Height: m.Height, Components: m.Samples, Bits: max(m.Stored, 2), Predictor: 1 + k%7}
		stream, err := Encode(nil, px, i, EncodeOptions{RestartRows: k % 3})
		if err != nil {
			t.Fatal(err)
		}
		in, out := m.WriteEncapsulated(t, uid.JPEGLossless, stream), filepath.Join(t.TempDir(), "out.dcm")
		codectest.Run(t, tool, in, out)
		if got := codectest.ReadNative(t, out); !bytes.Equal(got[:len(px)], px) {
			t.Errorf("%+v %+v: came out different", m, i)
		}
	}
}

// TestOursDecodesDCMTK compares what we make of dcmcjpeg's streams.
func TestOursDecodesDCMTK(t *testing.T) {
	tool := codectest.Tool(t, "/usr/bin/dcmcjpeg")
	for k, m := range images() {
		px := m.CT(uint64(k))
		in, out := m.WriteNative(t, px), filepath.Join(t.TempDir(), "out.dcm")
		codectest.Run(t, tool, "+el", "+sv", strconv.Itoa(1+k%7), in, out)
		got, i, err := Decode(nil, codectest.ReadFrames(t, out)[0], DecodeOptions{})
		if err != nil || !bytes.Equal(got, px) {
			t.Errorf("%+v: %+v came out different (%v)", m, i, err)
		}
	}
}
