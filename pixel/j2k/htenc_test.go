package j2k

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"gantry/pixel/internal/codectest"
)

// expand decodes with OpenJPH, which writes the formats of Netpbm.
func expand(t testing.TB, code []byte, m codectest.Image) []byte {
	t.Helper()
	dir := t.TempDir()
	ext := ".pgm"
	if m.Samples == 3 {
		ext = ".ppm"
	}
	in, out := filepath.Join(dir, "a.j2c"), filepath.Join(dir, "a"+ext)
	if err := os.WriteFile(in, code, 0o600); err != nil {
		t.Fatal(err)
	}
	codectest.Run(t, codectest.Tool(t, ojphExpand), "-i", in, "-o", out)
	b, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	px := b[len(b)-m.FrameBytes():]
	if m.Allocated == 16 {
		for i := 0; i < len(px); i += 2 {
			px[i], px[i+1] = px[i+1], px[i]
		}
	}
	return px
}

// TestEncodeHT goes over sizes, depths, signs and samples: our decoder, OpenJPEG's and
// OpenJPH's return the samples exactly.
func TestEncodeHT(t *testing.T) {
	for bits := 1; bits <= 16; bits++ {
		for _, size := range [][2]int{{1, 1}, {1, 7}, {5, 1}, {2, 3}, {17, 31}, {64, 64}, {65, 130}, {200, 77}} {
			for _, samples := range []int{1, 3} {
				m := codectest.Image{Width: size[0], Height: size[1], Samples: samples, Allocated: 8 * ((bits + 7) / 8), Stored: bits, Signed: bits%8 == 0 && size[1] == 7}
				for name, px := range map[string][]byte{"noise": m.Noise(1), "ct": m.CT(2), "flat": m.Flat(3)} {
					o := EncodeOptions{HT: true, ByResolution: size[0]%2 == 1}
					code, err := Encode(nil, px, infoOf(m), o)
					if err != nil {
						t.Fatalf("%+v %s: %v", m, name, err)
					}
					got, info, err := Decode(nil, code, DecodeOptions{})
					if err != nil || !info.Reversible || !info.HT || !bytes.Equal(got, px) {
						t.Fatalf("%+v %s: %v, equal %v", m, name, err, bytes.Equal(got, px))
					}
					if size[0] == 65 || size[0] == 5 {
						if theirs := reference(t, code, samples, info.SampleBytes()); !bytes.Equal(theirs, px) {
							t.Fatalf("%+v %s: OpenJPEG decodes it differently", m, name)
						}
						if !m.Signed && bits >= 8 && !bytes.Equal(expand(t, code, m), px) {
							t.Fatalf("%+v %s: OpenJPH decodes it differently", m, name)
						}
					}
				}
			}
		}
	}
}
