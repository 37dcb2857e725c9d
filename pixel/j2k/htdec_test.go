package j2k

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gantry/pixel/internal/codectest"
)

const (
	ojphCompress = "/usr/bin/ojph_compress"
	ojphExpand   = "/usr/bin/ojph_expand"
)

// openJPH compresses an image with OpenJPH, which takes grey and colour in the formats of
// Netpbm.
func openJPH(t testing.TB, m codectest.Image, px []byte, args string) []byte {
	t.Helper()
	dir := t.TempDir()
	ext := ".pgm"
	if m.Samples == 3 {
		ext = ".ppm"
	}
	b := netpbm(m, px)
	in, out := filepath.Join(dir, "a"+ext), filepath.Join(dir, "a.j2c")
	if err := os.WriteFile(in, b, 0o600); err != nil {
		t.Fatal(err)
	}
	codectest.Run(t, codectest.Tool(t, ojphCompress), append([]string{"-i", in, "-o", out}, strings.Fields(args)...)...)
	code, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return code
}

// netpbm is an image in the binary formats for grey and colour, high bytes first.
func netpbm(m codectest.Image, px []byte) []byte {
	kind := 5
	if m.Samples == 3 {
		kind = 6
	}
	b := fmt.Appendf(nil, "P%d\n%d %d\n%d\n", kind, m.Width, m.Height, 1<<m.Stored-1)
	for i := 0; i < len(px); i += m.Allocated / 8 {
		if m.Allocated == 16 {
			b = append(b, px[i+1])
		}
		b = append(b, px[i])
	}
	return b
}

// TestDecodeOpenJPH decodes what OpenJPH encodes: without loss the samples are the same,
// with loss they are OpenJPEG's.
func TestDecodeOpenJPH(t *testing.T) {
	for _, m := range []codectest.Image{
		{Width: 77, Height: 61, Samples: 1, Allocated: 8, Stored: 8},
		{Width: 130, Height: 135, Samples: 1, Allocated: 16, Stored: 12},
		{Width: 200, Height: 71, Samples: 1, Allocated: 16, Stored: 16},
		{Width: 67, Height: 63, Samples: 3, Allocated: 8, Stored: 8},
		{Width: 1, Height: 1, Samples: 1, Allocated: 8, Stored: 8},
		{Width: 3, Height: 90, Samples: 1, Allocated: 16, Stored: 12},
	} {
		for _, args := range []string{"", "-num_decomps 1", "-block_size {32,32}", "-block_size {4,1024}", "-block_size {128,32}",
			"-prog_order PCRL", "-prog_order CPRL -precincts {64,64},{32,32}", "-tile_size {37,29}"} {
			for name, px := range map[string][]byte{"noise": m.Noise(1), "ct": m.CT(2), "flat": m.Flat(3)} {
				code := openJPH(t, m, px, "-reversible true "+args)
				got, info, err := Decode(nil, code, DecodeOptions{})
				if err != nil || !info.HT || !info.Reversible {
					t.Fatalf("%+v %s %s: %+v, %v", m, args, name, info, err)
				}
				if !bytes.Equal(got, px) {
					t.Errorf("%+v %s %s: other samples", m, args, name)
				}
			}
		}
		for _, step := range []string{"0.0001", "0.01", "0.2"} {
			code := openJPH(t, m, m.CT(2), "-reversible false -qstep "+step)
			got, _, err := Decode(nil, code, DecodeOptions{})
			if err != nil {
				t.Fatalf("%+v %s: %v", m, step, err)
			}
			if d := worst(got, reference(t, code, m.Samples, m.Allocated/8), m.Allocated/8, false); d > 2 {
				t.Errorf("%+v, step %s: %d from OpenJPEG", m, step, d)
			}
		}
	}
}

// FuzzHT decodes any bytes as a block with a cleanup pass and two that refine it.
func FuzzHT(f *testing.F) {
	f.Add([]byte{0x7F, 0x20, 0, 0, 0, 0x2F, 0}, uint16(0x0404))
	f.Fuzz(func(t *testing.T, b []byte, form uint16) {
		cb := codeBlock{x1: int64(form&63) + 1, y1: int64(form>>6&63) + 1, zero: int(form >> 12)}
		n := len(b) - len(b)/4
		cb.segs = []codeword{{passes: 1, data: b[:n]}, {passes: 2, data: b[n:]}}
		var d htDecoder
		if err := d.decode(&cb, styleHT|byte(form&styleCausal), 16-cb.zero); err != nil {
			return
		}
		for _, v := range d.data {
			if v&^signBit > 1<<30+1<<29 {
				t.Fatalf("a coefficient of %x", v)
			}
		}
	})
}
