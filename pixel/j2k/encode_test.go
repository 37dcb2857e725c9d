package j2k

import (
	"bytes"
	"fmt"
	"math"
	"testing"

	"gantry/pixel/internal/codectest"
)

func infoOf(m codectest.Image) Info {
	return Info{Width: m.Width, Height: m.Height, Components: m.Samples, Bits: m.Stored, Signed: m.Signed}
}

// TestEncodeLossless goes over sizes, depths, signs and samples: our decoder and OpenJPEG's
// return the samples exactly.
func TestEncodeLossless(t *testing.T) {
	for _, bits := range []int{1, 2, 7, 8, 9, 12, 15, 16} {
		for _, size := range [][2]int{{1, 1}, {1, 7}, {5, 1}, {2, 3}, {17, 31}, {64, 64}, {65, 130}, {200, 77}} {
			for _, signed := range []bool{false, true} {
				if signed && bits%8 != 0 {
					continue // made-up samples are not sign-extended
				}
				for _, samples := range []int{1, 3} {
					m := codectest.Image{Width: size[0], Height: size[1], Samples: samples, Allocated: 8 * ((bits + 7) / 8), Stored: bits, Signed: signed}
					for name, px := range map[string][]byte{"noise": m.Noise(1), "ct": m.CT(2), "flat": m.Flat(3)} {
						code, err := Encode([]byte("x"), px, infoOf(m), EncodeOptions{})
						if err != nil || code[0] != 'x' {
							t.Fatalf("%+v %s: %v", m, name, err)
						}
						got, info, err := Decode(nil, code[1:], DecodeOptions{})
						if err != nil || !info.Reversible || !bytes.Equal(got, px) {
							t.Fatalf("%+v %s: %v, equal %v", m, name, err, bytes.Equal(got, px))
						}
						if name == "ct" && (size[0] == 65 || size[0] == 5) && bits > 1 {
							if theirs := reference(t, code[1:], samples, info.SampleBytes()); !bytes.Equal(theirs, px) {
								t.Fatalf("%+v: OpenJPEG decodes it differently", m)
							}
						}
					}
				}
			}
		}
	}
}

// TestEncodeLossy measures the errors of steps: the mean square follows the step, and
// OpenJPEG sees the same image.
func TestEncodeLossy(t *testing.T) {
	for _, m := range []codectest.Image{
		{Width: 200, Height: 155, Samples: 1, Allocated: 16, Stored: 12},
		{Width: 130, Height: 99, Samples: 3, Allocated: 8, Stored: 8},
		{Width: 64, Height: 64, Samples: 1, Allocated: 16, Stored: 16, Signed: true},
	} {
		px := m.CT(1)
		last := math.MaxInt
		for _, step := range []float64{0.5, 2, 8, 32} {
			code, err := Encode(nil, px, infoOf(m), EncodeOptions{Step: step})
			if err != nil {
				t.Fatal(err)
			}
			got, info, err := Decode(nil, code, DecodeOptions{})
			if err != nil || info.Reversible {
				t.Fatalf("%+v: %v", info, err)
			}
			if rms := rms(px, got, m); rms > step {
				t.Errorf("%+v: step %v: an error of %.2f", m, step, rms)
			}
			if len(code) >= last {
				t.Errorf("%+v: step %v: %d bytes, no fewer than before", m, step, len(code))
			}
			last = len(code)
			if far := rms(got, reference(t, code, m.Samples, info.SampleBytes()), m); far > 1 {
				t.Errorf("%+v: step %v: OpenJPEG is %.2f away", m, step, far)
			}
		}
	}
}

// rms is the square root of the mean of squared differences.
func rms(a, b []byte, m codectest.Image) float64 {
	width := m.Allocated / 8
	sum, n := 0.0, len(a)/width
	unused := 32 - m.Stored
	for i := range n {
		x, y := get(a[i*width:], width), get(b[i*width:], width)
		if m.Signed {
			x, y = x<<unused>>unused, y<<unused>>unused
		}
		sum += float64(x-y) * float64(x-y)
	}
	return math.Sqrt(sum / float64(n))
}

// TestEncodeRefuses goes over what cannot be encoded.
func TestEncodeRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		i Info
		n int
		o EncodeOptions
	}{
		"no image":   {Info{Width: 0, Height: 1, Components: 1, Bits: 8}, 0, EncodeOptions{}},
		"many":       {Info{Width: 1, Height: 1, Components: 17, Bits: 8}, 17, EncodeOptions{}},
		"deep":       {Info{Width: 1, Height: 1, Components: 1, Bits: 39}, 8, EncodeOptions{}},
		"short":      {Info{Width: 2, Height: 2, Components: 1, Bits: 8}, 3, EncodeOptions{}},
		"step":       {Info{Width: 1, Height: 1, Components: 1, Bits: 8}, 1, EncodeOptions{Step: -1}},
		"not a step": {Info{Width: 1, Height: 1, Components: 1, Bits: 8}, 1, EncodeOptions{Step: math.NaN()}},
	} {
		if b, err := Encode(nil, make([]byte, c.n), c.i, c.o); err == nil || len(b) > 0 {
			t.Errorf("%s: %d bytes, %v", name, len(b), err)
		}
	}
}

// BenchmarkEncode is against OpenJPEG in package bench's terms: MB/s of samples.
func BenchmarkEncode(b *testing.B) {
	for _, bits := range []int{8, 12} {
		b.Run(fmt.Sprint(bits), func(b *testing.B) {
			m := codectest.Image{Width: 512, Height: 512, Samples: 1, Allocated: 8 * ((bits + 7) / 8), Stored: bits}
			px := m.CT(1)
			b.SetBytes(int64(len(px)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Encode(nil, px, infoOf(m), EncodeOptions{Workers: 1}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// FuzzEncode encodes images of any form: what is decoded is what was encoded.
func FuzzEncode(f *testing.F) {
	f.Add([]byte("\x05\x03\x00\x08 some samples to begin with"))
	f.Add([]byte("\x40\x41\x03\x0C\x00\x01\x02"))
	f.Add([]byte("\x40\x41\x83\x8C\x00\x01\x02"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) < 4 {
			return
		}
		i := Info{Width: int(b[0]) + 1, Height: int(b[1]) + 1, Components: int(b[2]%4) + 1, Bits: int(b[3]&63)%MaxEncodeBits + 1, Signed: b[3]&64 != 0}
		px := make([]byte, i.Size())
		width := i.SampleBytes()
		for k := 0; k+width <= len(px); k += width {
			v := int32(0)
			for j := range width {
				v |= int32(b[(k+j)%len(b)]) << (8 * j)
			}
			if unused := 32 - i.Bits; i.Signed {
				v = v << unused >> unused
			} else {
				v = int32(uint32(v) << unused >> unused)
			}
			put(px[k:], v, width)
		}
		code, err := Encode(nil, px, i, EncodeOptions{Levels: int(b[2]>>2)%8 - 1, Workers: 1, HT: b[3]&128 != 0, ByResolution: b[2]&128 != 0})
		if err != nil {
			t.Fatal(err)
		}
		got, _, err := Decode(nil, code, DecodeOptions{Workers: 1})
		if err != nil || !bytes.Equal(got, px) {
			t.Fatalf("%+v: %v, equal %v", i, err, bytes.Equal(got, px))
		}
	})
}
