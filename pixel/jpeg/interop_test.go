package jpeg

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"gantry/dicom/uid"
	"gantry/pixel/internal/codectest"
)

// pnm writes an image of 8 bits as cjpeg reads it.
func pnm(t testing.TB, m codectest.Image, px []byte) string {
	t.Helper()
	kind := "P5"
	if m.Samples == 3 {
		kind = "P6"
	}
	name := filepath.Join(t.TempDir(), "in.pnm")
	b := append(fmt.Appendf(nil, "%s\n%d %d\n255\n", kind, m.Width, m.Height), px...)
	if err := os.WriteFile(name, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// cjpeg encodes an image.
func cjpeg(t testing.TB, m codectest.Image, px []byte, args ...string) []byte {
	t.Helper()
	out := filepath.Join(t.TempDir(), "out.jpg")
	codectest.Run(t, codectest.Tool(t, "/usr/bin/cjpeg"), append(args, "-outfile", out, pnm(t, m, px))...)
	return read(t, out)
}

func read(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// djpeg decodes a stream to grey or RGB samples.
func djpeg(t testing.TB, stream []byte, size int) []byte {
	t.Helper()
	dir := t.TempDir()
	in, out := filepath.Join(dir, "in.jpg"), filepath.Join(dir, "out.pnm")
	if err := os.WriteFile(in, stream, 0o600); err != nil {
		t.Fatal(err)
	}
	codectest.Run(t, codectest.Tool(t, "/usr/bin/djpeg"), "-dct", "int", "-pnm", "-outfile", out, in)
	b := read(t, out)
	if len(b) < size {
		t.Fatalf("djpeg made %d bytes", len(b))
	}
	return b[len(b)-size:]
}

// rgb converts samples as libjpeg does.
func rgb(px []byte) []byte {
	out := bytes.Clone(px)
	clip := func(v int) byte { return byte(min(max(v, 0), 255)) }
	for k := 0; k < len(px); k += 3 {
		y, cb, cr := int(px[k]), int(px[k+1])-128, int(px[k+2])-128
		out[k] = clip(y + (91881*cr+32768)>>16)
		out[k+1] = clip(y + (-22554*cb-46802*cr+32768)>>16)
		out[k+2] = clip(y + (116130*cb+32768)>>16)
	}
	return out
}

// worst returns how far two images are apart.
func worst(a, b []byte, wide bool) int {
	if len(a) != len(b) {
		return 1 << 20
	}
	most := 0
	for k := 0; k < len(a); k++ {
		d := int(a[k]) - int(b[k])
		if wide {
			k++
			d += 256 * (int(a[k]) - int(b[k]))
		}
		most = max(most, d, -d)
	}
	return most
}

// TestOursDecodesTurbo decodes what cjpeg makes, of every sampling, sequential and
// progressive: the samples are those of djpeg.
func TestOursDecodesTurbo(t *testing.T) {
	codectest.Tool(t, "/usr/bin/cjpeg")
	samplings := []string{"1x1", "2x1", "2x2", "1x2", "4x1", "4x2", "2x1,1x2,1x1"}
	for k, size := range [][2]int{{1, 1}, {3, 2}, {16, 16}, {65, 33}, {100, 71}} {
		for _, samples := range []int{1, 3} {
			for j, sampling := range samplings[:1+6*(samples/3)] {
				for _, mode := range [][]string{{}, {"-progressive"}, {"-restart", "1"}, {"-optimize", "-restart", "3B"}, {"-progressive", "-restart", "2B"}} {
					m := codectest.Image{Width: size[0], Height: size[1], Samples: samples, Allocated: 8, Stored: 8}
					args := append([]string{"-quality", fmt.Sprint(50 + 10*(j%6)), "-sample", sampling}, mode...)
					stream := cjpeg(t, m, m.CT(uint64(k)), args...)
					got, i, err := Decode(nil, stream, DecodeOptions{})
					if err != nil {
						t.Errorf("%v %v: %v", size, args, err)
						continue
					}
					if i.YCbCr {
						got = rgb(got)
					}
					if w := worst(got, djpeg(t, stream, m.FrameBytes()), false); w > 0 || i.YCbCr != (samples == 3) {
						t.Errorf("%v %v: %+v samples are off by %d", size, args, i, w)
					}
				}
			}
		}
	}
}

// TestSamples decodes every real file and compares with djpeg or, of 12 bits, dcmdjpeg.
func TestSamples(t *testing.T) {
	seen := 0
	for _, s := range codectest.Samples(t, uid.JPEGBaseline8Bit, uid.JPEGExtended12Bit) {
		for k, f := range s.Frames[:min(len(s.Frames), 3)] {
			got, i, err := Decode(nil, f, DecodeOptions{})
			if err != nil {
				t.Errorf("%s: frame %d: %+v %v", s.Name, k, i, err)
				continue
			}
			if i.Bits == 12 {
				compareDCMTK(t, s, got)
				break
			}
			if i.YCbCr {
				got = rgb(got)
			}
			if w := worst(got, djpeg(t, f, int(i.Size())), false); w > 0 {
				t.Errorf("%s: frame %d: %+v samples are off by %d", s.Name, k, i, w)
			}
		}
		seen++
	}
	if seen < 27 {
		t.Errorf("%d files of the syntaxes, there were 27", seen)
	}
}

func compareDCMTK(t *testing.T, s codectest.Sample, got []byte) {
	t.Helper()
	out := filepath.Join(t.TempDir(), "out.dcm")
	codectest.Run(t, codectest.Tool(t, "/usr/bin/dcmdjpeg"), codectest.SamplePath(s.Name), out)
	if w := worst(got, codectest.ReadNative(t, out)[:len(got)], true); w > 1 {
		t.Errorf("%s: samples are off by %d", s.Name, w)
	}
}

// TestOursDecodesDCMTK decodes streams of 12 bits.
func TestOursDecodesDCMTK(t *testing.T) {
	encode, decode := codectest.Tool(t, "/usr/bin/dcmcjpeg"), codectest.Tool(t, "/usr/bin/dcmdjpeg")
	for k, size := range [][2]int{{1, 1}, {16, 9}, {77, 50}} {
		for _, args := range [][]string{{"+ee", "+q", "90"}, {"+ee", "+q", "20"}, {"+es", "+q", "80"}, {"+ep", "+q", "95"}} {
			m := codectest.Image{Width: size[0], Height: size[1], Samples: 1, Allocated: 16, Stored: 12}
			dir := t.TempDir()
			coded, out := filepath.Join(dir, "coded.dcm"), filepath.Join(dir, "out.dcm")
			codectest.Run(t, encode, append(args, m.WriteNative(t, m.CT(uint64(k))), coded)...)
			codectest.Run(t, decode, coded, out)
			got, i, err := Decode(nil, codectest.ReadFrames(t, coded)[0], DecodeOptions{})
			if err != nil {
				t.Errorf("%v %v: %v", size, args, err)
				continue
			}
			if w := worst(got, codectest.ReadNative(t, out)[:len(got)], true); w > 0 {
				t.Errorf("%v %v: %+v samples are off by %d", size, args, i, w)
			}
		}
	}
}
