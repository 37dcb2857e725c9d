package jpeg

import (
	"bytes"
	"fmt"
	"path/filepath"
	"testing"

	"gantry/dicom/uid"
	"gantry/pixel/internal/codectest"
)

func image(i Info) codectest.Image {
	return codectest.Image{
		Width: i.Width, Height: i.Height, Samples: i.Components,
		Allocated: 8 * i.bytesPerSample(), Stored: i.Bits,
	}
}

// TestEncode encodes pictures of every form. At quality 100 a decoded sample is near its
// original; the header is what was asked for.
func TestEncode(t *testing.T) {
	for _, size := range [][2]int{{1, 1}, {8, 8}, {9, 7}, {33, 50}} {
		for _, form := range []Info{{Components: 1}, {Components: 3}, {Components: 3, YCbCr: true}} {
			for _, bits := range []int{8, 12} {
				for _, restart := range []int{0, 1, 3} {
					i := form
					i.Width, i.Height, i.Bits = size[0], size[1], bits
					px := image(i).CT(3)
					stream, err := Encode([]byte("kept"), px, i, EncodeOptions{Quality: 100, RestartMCUs: restart})
					if err != nil {
						t.Fatalf("%+v: %v", i, err)
					}
					got, info, err := Decode(nil, stream[4:], DecodeOptions{})
					if err != nil || info != i || string(stream[:4]) != "kept" {
						t.Fatalf("%+v: %+v %v", i, info, err)
					}
					if w := worst(got, px, bits > 8); w > 3 {
						t.Errorf("%+v: samples are off by %d", i, w)
					}
				}
			}
		}
	}
}

// TestEncodeRefuses gives what cannot be coded.
func TestEncodeRefuses(t *testing.T) {
	good := Info{Width: 2, Height: 1, Components: 1, Bits: 12}
	for name, change := range map[string]func(*Info, *EncodeOptions){
		"width":        func(i *Info, _ *EncodeOptions) { i.Width = 3 },
		"huge":         func(i *Info, _ *EncodeOptions) { i.Width = 1 << 40 },
		"10 bits":      func(i *Info, _ *EncodeOptions) { i.Bits = 10 },
		"8 bits":       func(i *Info, _ *EncodeOptions) { i.Bits = 8 },
		"progressive":  func(i *Info, _ *EncodeOptions) { i.Progressive = true },
		"2 components": func(i *Info, _ *EncodeOptions) { i.Components, i.Width = 2, 1 },
		"grey colours": func(i *Info, _ *EncodeOptions) { i.YCbCr = true },
		"subsampling":  func(_ *Info, o *EncodeOptions) { o.Subsample = true },
		"quality":      func(_ *Info, o *EncodeOptions) { o.Quality = 101 },
		"restart":      func(_ *Info, o *EncodeOptions) { o.RestartMCUs = 1 << 16 },
	} {
		i, o := good, EncodeOptions{}
		change(&i, &o)
		if got, err := Encode([]byte{1}, []byte{1, 2, 3, 4}, i, o); err == nil || len(got) != 1 {
			t.Errorf("%s: no error", name)
		}
	}
	if _, err := Encode(nil, []byte{0, 0x10, 0, 0}, good, EncodeOptions{}); err == nil {
		t.Error("a sample of 4096 in 12 bits")
	}
}

// ycc converts samples as libjpeg does.
func ycc(px []byte) []byte {
	out := bytes.Clone(px)
	for k := 0; k < len(px); k += 3 {
		r, g, b := int(px[k]), int(px[k+1]), int(px[k+2])
		out[k] = byte((19595*r + 38470*g + 7471*b + 32768) >> 16)
		out[k+1] = byte((-11059*r - 21709*g + 32768*b + 128<<16 + 32767) >> 16)
		out[k+2] = byte((32768*r - 27439*g - 5329*b + 128<<16 + 32767) >> 16)
	}
	return out
}

// TestTurboDecodesOurs lets djpeg decode our streams and cjpeg's: they are the same image.
func TestTurboDecodesOurs(t *testing.T) {
	codectest.Tool(t, "/usr/bin/cjpeg")
	for k, size := range [][2]int{{1, 1}, {16, 16}, {65, 33}, {100, 71}} {
		for _, quality := range []int{30, 50, 90, 100} {
			for _, c := range []struct {
				args      []string
				ycc       bool
				samples   int
				subsample bool
			}{
				{nil, false, 1, false},
				{[]string{"-rgb"}, false, 3, false},
				{[]string{"-sample", "1x1"}, true, 3, false},
				{[]string{"-sample", "2x1"}, true, 3, true},
			} {
				m := codectest.Image{Width: size[0], Height: size[1], Samples: c.samples, Allocated: 8, Stored: 8}
				px := m.CT(uint64(k))
				theirs := cjpeg(t, m, px, append(c.args, "-dct", "int", "-quality", fmt.Sprint(quality))...)
				in := px
				if c.ycc {
					in = ycc(px)
				}
				i := Info{Width: m.Width, Height: m.Height, Components: m.Samples, Bits: 8, YCbCr: c.ycc}
				ours, err := Encode(nil, in, i, EncodeOptions{Quality: quality, Subsample: c.subsample, RestartMCUs: k})
				if err != nil {
					t.Fatal(err)
				}
				n := m.FrameBytes()
				if w := worst(djpeg(t, ours, n), djpeg(t, theirs, n), false); w > 0 {
					t.Errorf("%v quality %d %+v: off by %d", size, quality, c, w)
				}
			}
		}
	}
}

// TestDCMTKDecodesOurs compares what dcmdjpeg makes of our streams of 12 bits with what we do.
func TestDCMTKDecodesOurs(t *testing.T) {
	tool := codectest.Tool(t, "/usr/bin/dcmdjpeg")
	for k, size := range [][2]int{{1, 1}, {16, 9}, {77, 50}} {
		for _, quality := range []int{10, 60, 100} {
			i := Info{Width: size[0], Height: size[1], Components: 1, Bits: 12}
			m := image(i)
			stream, err := Encode(nil, m.CT(uint64(k)), i, EncodeOptions{Quality: quality})
			if err != nil {
				t.Fatal(err)
			}
			want, _, err := Decode(nil, stream, DecodeOptions{})
			if err != nil {
				t.Fatal(err)
			}
			out := filepath.Join(t.TempDir(), "out.dcm")
			codectest.Run(t, tool, m.WriteEncapsulated(t, uid.JPEGExtended12Bit, stream), out)
			if w := worst(codectest.ReadNative(t, out), want, true); w > 0 {
				t.Errorf("%+v quality %d: off by %d", i, quality, w)
			}
		}
	}
}

func FuzzEncode(f *testing.F) {
	f.Add([]byte("0123456789abcdef"), uint8(4), uint8(90), uint8(1), true, true)
	f.Fuzz(func(t *testing.T, px []byte, width, quality, restart uint8, colour, wide bool) {
		i := Info{Width: int(width), Height: 1, Components: 1, Bits: 8}
		o := EncodeOptions{Quality: int(quality) % 101, RestartMCUs: int(restart), Subsample: colour}
		if colour {
			i.Components, i.YCbCr = 3, true
		}
		if wide {
			i.Bits = 12
			for k := 1; k < len(px); k += 2 {
				px[k] &= 15
			}
		}
		if width == 0 || i.Size() > int64(len(px)) {
			return
		}
		i.Height = min(len(px)/int(i.Size()), 300)
		stream, err := Encode(nil, px[:i.Size()], i, o)
		if err != nil {
			t.Fatal(err)
		}
		if _, info, err := Decode(nil, stream, DecodeOptions{}); err != nil || info != i {
			t.Fatalf("%+v became %+v (%v)", i, info, err)
		}
	})
}

func BenchmarkEncode(b *testing.B) {
	for name, i := range map[string]Info{
		"Grey": {Width: 512, Height: 512, Components: 1, Bits: 8},
		"444":  {Width: 512, Height: 512, Components: 3, Bits: 8, YCbCr: true},
		"12":   {Width: 512, Height: 512, Components: 1, Bits: 12},
	} {
		px := image(i).CT(1)
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(px)))
			var dst []byte
			for b.Loop() {
				dst, _ = Encode(dst[:0], px, i, EncodeOptions{})
			}
		})
	}
}
