package jxl

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
	cjxl = "/usr/bin/cjxl"
	djxl = "/usr/bin/djxl"
)

// pnm writes an image as PGM or PPM, whose samples have 8 or 16 bits, the higher ones first.
func pnm(m codectest.Image, px []byte) []byte {
	kind := map[int]string{1: "P5", 3: "P6"}[m.Samples]
	out := fmt.Appendf(nil, "%s\n%d %d\n%d\n", kind, m.Width, m.Height, 1<<m.Allocated-1)
	top, all := 1<<m.Stored-1, 1<<m.Allocated-1
	for i := 0; i < len(px); i += m.Allocated / 8 {
		v := int(px[i])
		if m.Allocated == 16 {
			v |= int(px[i+1]) << 8
		}
		if v = (2*all*v + top) / (2 * top); m.Allocated == 16 {
			out = append(out, byte(v>>8))
		}
		out = append(out, byte(v))
	}
	return out
}

// samplesOf reads a PNM file as pnm writes it.
func samplesOf(t testing.TB, b []byte) []byte {
	t.Helper()
	var kind string
	var w, h, top int
	if _, err := fmt.Sscanf(string(b[:min(len(b), 40)]), "%s\n%d %d\n%d\n", &kind, &w, &h, &top); err != nil {
		t.Fatal(err)
	}
	n := w * h * map[string]int{"P5": 1, "P6": 3}[kind]
	if top > 255 {
		n *= 2
	}
	b = bytes.Clone(b[len(b)-n:])
	for i := 0; top > 255 && i < n; i += 2 {
		b[i], b[i+1] = b[i+1], b[i]
	}
	return b
}

// theirs compresses an image with libjxl.
func theirs(t testing.TB, m codectest.Image, px []byte, args string) []byte {
	t.Helper()
	return convert(t, cjxl, "in.pnm", pnm(m, px), "out.jxl", fmt.Sprintf("--override_bitdepth=%d %s", m.Stored, args))
}

// reference decodes with libjxl.
func reference(t testing.TB, src []byte, grey bool, args string) []byte {
	t.Helper()
	out := "out.ppm"
	if grey {
		out = "out.pgm"
	}
	return samplesOf(t, convert(t, djxl, "in.jxl", src, out, args))
}

func convert(t testing.TB, program, inName string, in []byte, outName, args string) []byte {
	t.Helper()
	dir := t.TempDir()
	from, to := filepath.Join(dir, inName), filepath.Join(dir, outName)
	if err := os.WriteFile(from, in, 0o600); err != nil {
		t.Fatal(err)
	}
	codectest.Run(t, codectest.Tool(t, program), append([]string{from, to, "--num_threads=1"}, strings.Fields(args)...)...)
	b, err := os.ReadFile(to)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// exact decodes a stream that lost nothing.
func exact(t *testing.T, m codectest.Image, px []byte, args string) {
	t.Helper()
	src := theirs(t, m, px, "-d 0 "+args)
	got, info, err := Decode(nil, src, DecodeOptions{})
	if err != nil {
		t.Fatalf("%+v %s: %v", m, args, err)
	}
	if info.Width != m.Width || info.Height != m.Height || info.Components != m.Samples || info.Bits != m.Stored || info.Lossy {
		t.Errorf("%+v %s: %+v", m, args, info)
	}
	if !bytes.Equal(got, px) {
		t.Errorf("%+v %s: other samples", m, args)
	}
}

func images(w, h int) (out []codectest.Image) {
	for _, stored := range []int{8, 10, 12, 16} {
		for _, samples := range []int{1, 3} {
			out = append(out, codectest.Image{Width: w, Height: h, Samples: samples, Allocated: (stored + 7) / 8 * 8, Stored: stored})
		}
	}
	return out
}

// TestEfforts decodes exactly what each effort of the encoder makes.
func TestEfforts(t *testing.T) {
	for e := 1; e <= 9; e++ {
		for k, m := range images(103, 59) {
			switch {
			case (k+e)%3 == 0:
				exact(t, m, m.CT(1), fmt.Sprint("-e ", e))
			case (k+e)%3 == 1 && e < 9:
				exact(t, m, m.Noise(2), fmt.Sprint("-e ", e))
			case e < 9:
				exact(t, m, m.Flat(3), fmt.Sprint("-e ", e))
			}
		}
	}
}

func TestSizes(t *testing.T) {
	for _, d := range [][2]int{{1, 1}, {1, 2}, {2, 1}, {3, 5}, {1, 64}, {65, 1}, {255, 257}, {256, 512}} {
		for _, m := range images(d[0], d[1]) {
			exact(t, m, m.CT(1), "-e 3")
		}
	}
	m := codectest.Image{Width: 2100, Height: 1500, Samples: 1, Allocated: 16, Stored: 12}
	exact(t, m, m.CT(1), "-e 1")
	m = codectest.Image{Width: 2100, Height: 1500, Samples: 3, Allocated: 8, Stored: 8}
	exact(t, m, m.CT(1), "-e 1 -g 3")
}
