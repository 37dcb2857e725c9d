package jxl

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gantry/pixel/internal/codectest"
)

var update = flag.Bool("update", false, "make the streams of testdata again, with cjxl")

// seed is an image, and how a stream is made of it.
type seed struct {
	m    codectest.Image
	args string // of cjxl
}

// seeds are the streams of testdata: what image each codes, and how cjxl was called.
var seeds = map[string]seed{
	"grey8":    {codectest.Image{Width: 20, Height: 15, Samples: 1, Allocated: 8, Stored: 8}, "-d 0 -e 7"},
	"grey16":   {codectest.Image{Width: 16, Height: 17, Samples: 1, Allocated: 16, Stored: 12}, "-d 0 -e 3"},
	"color8":   {codectest.Image{Width: 12, Height: 9, Samples: 3, Allocated: 8, Stored: 8}, "-d 0 -e 7 -E 2"},
	"squeezed": {codectest.Image{Width: 19, Height: 18, Samples: 3, Allocated: 8, Stored: 8}, "-d 0 -e 4 -R 1"},
	"palette":  {codectest.Image{Width: 24, Height: 16, Samples: 3, Allocated: 8, Stored: 2}, "-d 0 -e 7 --modular_palette_colors=100"},
	"dct":      {codectest.Image{Width: 40, Height: 33, Samples: 3, Allocated: 8, Stored: 8}, "-d 2 -e 7 --epf=3 --dots=0"},
	"noise":    {codectest.Image{Width: 24, Height: 17, Samples: 1, Allocated: 8, Stored: 8}, "-d 3 -e 3 --photon_noise=ISO800"},
	"half":     {codectest.Image{Width: 40, Height: 25, Samples: 1, Allocated: 8, Stored: 8}, "-d 22"},
	"levels":   {codectest.Image{Width: 24, Height: 17, Samples: 3, Allocated: 8, Stored: 8}, "-d 3 -p --progressive_dc=1"},
	"patches":  {codectest.Image{Width: 200, Height: 130, Samples: 1, Allocated: 8, Stored: 8}, "-d 0 -e 7 --patches=1"},
	"boxes":    {codectest.Image{Width: 9, Height: 7, Samples: 1, Allocated: 8, Stored: 8}, "-d 0 -e 2 --container=1"},
	"groups":   {codectest.Image{Width: 130, Height: 3, Samples: 1, Allocated: 8, Stored: 1}, "-d 0 -e 4 -g 0 --group_order=1"},
}

// pixels are those of a seed.
func pixels(name string) []byte {
	if name == "patches" {
		return glyphs(seeds[name].m)
	}
	return seeds[name].m.CT(1)
}

// seedStreams reads testdata, or makes it with -update.
func seedStreams(t testing.TB) map[string][]byte {
	t.Helper()
	out := map[string][]byte{}
	for name, seed := range seeds {
		file := filepath.Join("testdata", name+".jxl")
		if *update {
			if err := os.WriteFile(file, theirs(t, seed.m, pixels(name), seed.args), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if len(b) > 1024 {
			t.Errorf("%s has %d bytes, 1024 are allowed", file, len(b))
		}
		out[name] = b
	}
	return out
}

// TestSeeds decodes the streams of testdata without any other program.
func TestSeeds(t *testing.T) {
	for name, src := range seedStreams(t) {
		m := seeds[name].m
		got, info, err := Decode([]byte{7}, src, DecodeOptions{})
		if info.Lossy {
			if most, mean := distance(got[1:], pixels(name), 1); err != nil || len(got) != 1+m.FrameBytes() || mean > 20 {
				t.Errorf("%s: %v, %d off, in the mean %.1f", name, err, most, mean)
			}
			continue
		}
		if err != nil || !bytes.Equal(got[1:], pixels(name)) {
			t.Errorf("%s: %+v %v", name, info, err)
		}
	}
}

// TestDamaged cuts streams and changes their bytes: there is an error or an image, never a panic,
// and what was in dst stays.
func TestDamaged(t *testing.T) {
	o := DecodeOptions{Limits: Limits{MaxPixels: 1 << 16, MaxSamples: 1 << 18}}
	for name, src := range seedStreams(t) {
		for n := range src {
			got, _, err := Decode([]byte{7}, src[:n], o)
			if err == nil || len(got) != 1 {
				t.Fatalf("%s cut at %d: %v, %d bytes", name, n, err, len(got))
			}
			for _, x := range []byte{1, 0x10, 0x80, 0xFF} {
				bad := bytes.Clone(src)
				bad[n] ^= x
				got, info, err := Decode([]byte{7}, bad, o)
				if got[0] != 7 || err == nil && int64(len(got)) != 1+info.Size() || err != nil && len(got) != 1 {
					t.Fatalf("%s, byte %d: %v, %d bytes", name, n, err, len(got))
				}
			}
		}
	}
}

// TestLimits refuses images before anything is made for them.
func TestLimits(t *testing.T) {
	src := seedStreams(t)["grey8"]
	for _, l := range []Limits{{MaxPixels: 299}, {MaxSamples: 299}} {
		if _, _, err := Decode(nil, src, DecodeOptions{Limits: l}); err == nil || !strings.Contains(err.Error(), "exceed the limit") {
			t.Errorf("%+v: %v", l, err)
		}
	}
}

// packed is a small JPEG file in JPEG XL, as libjxl packs it.
func packed(t testing.TB) []byte {
	t.Helper()
	const file = "testdata/packed.jxl"
	if *update {
		m := codectest.Image{Width: 24, Height: 17, Samples: 3, Allocated: 8, Stored: 8}
		src := convert(t, cjxl, "in.jpg", cjpeg(t, pnm(m, m.CT(1)), "-quality 60 -progressive"), "out.jxl", "--lossless_jpeg=1")
		if err := os.WriteFile(file, src, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile(file)
	if err != nil || len(b) > 1024 {
		t.Fatalf("%s: %v, %d bytes, 1024 are allowed", file, err, len(b))
	}
	return b
}

// TestDamagedJPEG is TestDamaged for JPEG.
func TestDamagedJPEG(t *testing.T) {
	src := packed(t)
	o := DecodeOptions{Limits: Limits{MaxPixels: 1 << 16, MaxSamples: 1 << 18}}
	if got, err := JPEG(nil, src, o); err != nil || !bytes.HasPrefix(got, []byte{0xFF, 0xD8}) || !bytes.HasSuffix(got, []byte{0xFF, 0xD9}) {
		t.Fatalf("%d bytes, %v", len(got), err)
	}
	for n := range src {
		for _, x := range []byte{1, 0x10, 0x80, 0xFF} {
			bad := bytes.Clone(src)
			bad[n] ^= x
			if got, err := JPEG([]byte{7}, bad, o); got[0] != 7 || err != nil && len(got) != 1 {
				t.Fatalf("byte %d: %v, %d bytes", n, err, len(got))
			}
		}
	}
}

func FuzzJPEG(f *testing.F) {
	f.Add(packed(f))
	o := DecodeOptions{Limits: Limits{MaxPixels: 1 << 14, MaxSamples: 1 << 16}}
	f.Fuzz(func(t *testing.T, src []byte) {
		if got, err := JPEG([]byte{7}, src, o); err != nil && len(got) != 1 {
			t.Fatalf("%d bytes, %v", len(got), err)
		}
	})
}

func FuzzDecode(f *testing.F) {
	for _, src := range seedStreams(f) {
		f.Add(src)
	}
	o := DecodeOptions{Workers: 1, Limits: Limits{MaxPixels: 1 << 16, MaxSamples: 1 << 17}}
	f.Fuzz(func(t *testing.T, src []byte) {
		got, info, err := Decode([]byte{7}, src, o)
		if err == nil && int64(len(got)) != 1+info.Size() || err != nil && len(got) != 1 {
			t.Fatalf("%d bytes, %+v, %v", len(got), info, err)
		}
	})
}
