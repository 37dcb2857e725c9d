package jpegls

import (
	"bytes"
	"fmt"
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
	for _, s := range codectest.Samples(t, uid.JPEGLSLossless, uid.JPEGLSNearLossless) {
		var px []byte
		var err error
		for k, f := range s.Frames {
			var i Info
			if px, i, err = Decode(px, f, DecodeOptions{}); err != nil {
				t.Errorf("%s: frame %d: %+v %v", s.Name, k, i, err)
				break
			}
		}
		if sum, want := codectest.Sum(px), sumOf(s); err != nil || sum != want {
			t.Errorf("%s: %s (%v), not %s", s.Name, sum, err, want)
		}
		seen++
	}
	if seen < 38 {
		t.Errorf("%d files of the syntaxes, there were 38", seen)
	}
}

// sumOf has the sums of what GDCM cannot decode: DCMTK's, and those of the same images
// under other syntaxes.
func sumOf(s codectest.Sample) string {
	switch base := filepath.Base(s.Name); {
	case s.Want != "gdcm-cannot":
		return s.Want
	case base == "MR1_JLSL":
		return "2541a628cb676972b37008a4fe6b5cce:524288"
	case strings.HasSuffix(base, ".80.dcm"):
		return "b6b202c4af4494a26933ffa7834f9ab6:1048576"
	case strings.HasSuffix(base, ".81.dcm"):
		return "280666ecce17e0beb242abfd0b6a403d:1048576"
	}
	return s.Want
}

type testCase struct {
	codectest.Image
	Info
}

func cases() []testCase {
	var out []testCase
	for k, size := range [][2]int{{1, 1}, {3, 7}, {66, 33}, {257, 5}} {
		for bits := 8; bits <= 16; bits += 1 + k%2 { // of fewer DCMTK refuses its own streams
			m := codectest.Image{Width: size[0], Height: size[1], Samples: 1, Allocated: 8, Stored: bits}
			if bits > 8 {
				m.Allocated = 16
			}
			near := min((bits+k)%4, (1<<bits-1)/2)
			out = append(out, testCase{m, Info{Width: m.Width, Height: m.Height, Components: 1, Bits: bits, Near: near}})
		}
		for mode := None; mode <= Sample; mode++ {
			m := codectest.Image{Width: size[0], Height: size[1], Samples: 3, Allocated: 8, Stored: 8}
			i := Info{Width: m.Width, Height: m.Height, Components: 3, Bits: 8, Near: 2 * (k % 2), Interleave: mode}
			if mode == Sample {
				i.Near = 0 // in this mode DCMTK refuses its own streams that are lossy or have presets
			}
			out = append(out, testCase{m, i})
		}
	}
	return out
}

func (c testCase) pictures() [][]byte {
	return [][]byte{c.CT(uint64(c.Bits)), c.Flat(uint64(c.Bits))}
}

// TestDCMTKDecodesOurs compares what dcmdjpls (CharLS) makes of our streams with what we do.
func TestDCMTKDecodesOurs(t *testing.T) {
	tool := codectest.Tool(t, "/usr/bin/dcmdjpls")
	for k, c := range cases() {
		for _, px := range c.pictures() {
			i := c.Info
			if k%3 == 0 && i.Interleave != Sample {
				i.Preset = Preset{T1: 4 + i.Near, T2: 9 + i.Near, T3: 30 + i.Near, Reset: 32 + k}
			}
			stream, err := Encode(nil, px, i, EncodeOptions{})
			if err != nil {
				t.Fatal(err)
			}
			want, _, err := Decode(nil, stream, DecodeOptions{})
			if err != nil {
				t.Fatal(err)
			}
			in, out := c.WriteEncapsulated(t, uid.JPEGLSNearLossless, stream), filepath.Join(t.TempDir(), "out.dcm")
			codectest.Run(t, tool, in, out)
			if got := codectest.ReadNative(t, out); !bytes.Equal(got[:len(px)], want) {
				t.Errorf("%+v: came out different", i)
			}
		}
	}
}

// TestOursDecodesDCMTK compares what we make of dcmcjpls's (CharLS) streams with what
// dcmdjpls makes of them.
func TestOursDecodesDCMTK(t *testing.T) {
	encode, decode := codectest.Tool(t, "/usr/bin/dcmcjpls"), codectest.Tool(t, "/usr/bin/dcmdjpls")
	modes := []string{"+in", "+il", "+is"}
	for k, c := range cases() {
		for _, px := range c.pictures() {
			if c.Info.Width < 60 {
				continue // dcmcjpls writes behind its buffer where a frame grows
			}
			dir := t.TempDir()
			in, coded, out := c.WriteNative(t, px), filepath.Join(dir, "coded.dcm"), filepath.Join(dir, "out.dcm")
			args := []string{"+el", "+pc", modes[c.Interleave]}
			if c.Near > 0 {
				args = []string{"+en", "+md", fmt.Sprint(c.Near), "+pc", modes[c.Interleave]}
			}
			if k%3 == 0 && c.Interleave != Sample {
				args = append(args, "+t1", "5", "+t2", "9", "+t3", "30", "+rs", strconv.Itoa(32+k))
			}
			codectest.Run(t, encode, append(args, in, coded)...)
			codectest.Run(t, decode, coded, out)
			got, i, err := Decode(nil, codectest.ReadFrames(t, coded)[0], DecodeOptions{})
			if want := codectest.ReadNative(t, out); err != nil || !bytes.Equal(got, want[:len(px)]) || i.Near != c.Near {
				t.Errorf("%+v: %+v came out different (%v)", c, i, err)
			}
		}
	}
}
