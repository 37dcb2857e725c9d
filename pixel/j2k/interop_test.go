package j2k

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gantry/dicom/uid"
	"gantry/pixel/internal/codectest"
)

const (
	opjCompress   = "/usr/bin/opj_compress"
	opjDecompress = "/usr/bin/opj_decompress"
)

// theirs compresses an image with OpenJPEG.
func theirs(t testing.TB, m codectest.Image, px []byte, args string) []byte {
	t.Helper()
	dir := t.TempDir()
	in, out := filepath.Join(dir, "a.rawl"), filepath.Join(dir, "a.j2k")
	if err := os.WriteFile(in, planar(px, m.Samples, m.Allocated/8), 0o600); err != nil {
		t.Fatal(err)
	}
	sign := "u"
	if m.Signed {
		sign = "s"
	}
	all := append([]string{"-i", in, "-o", out, "-F", fmt.Sprintf("%d,%d,%d,%d,%s", m.Width, m.Height, m.Samples, m.Stored, sign)}, strings.Fields(args)...)
	codectest.Run(t, codectest.Tool(t, opjCompress), all...)
	b, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// reference decodes with OpenJPEG.
func reference(t testing.TB, src []byte, comps, width int, args ...string) []byte {
	t.Helper()
	dir := t.TempDir()
	in, out := filepath.Join(dir, "a.j2k"), filepath.Join(dir, "b.rawl")
	if err := os.WriteFile(in, src, 0o600); err != nil {
		t.Fatal(err)
	}
	codectest.Run(t, codectest.Tool(t, opjDecompress), append([]string{"-i", in, "-o", out}, args...)...)
	b, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return interleaved(b, comps, width)
}

func planar(px []byte, comps, width int) []byte { return turn(px, len(px)/width/comps, comps, width) }

func interleaved(px []byte, comps, width int) []byte {
	return turn(px, comps, len(px)/width/comps, width)
}

// turn transposes a matrix of samples.
func turn(px []byte, rows, cols, width int) []byte {
	out := make([]byte, 0, len(px))
	for c := range cols {
		for r := range rows {
			out = append(out, px[(r*cols+c)*width:][:width]...)
		}
	}
	return out
}

// worst is the largest difference of two images.
func worst(a, b []byte, width int, signed bool) (d int) {
	for i := 0; i+width <= len(a); i += width {
		x, y := int(a[i]), int(b[i])
		if width == 2 {
			x, y = x|int(a[i+1])<<8, y|int(b[i+1])<<8
			if signed {
				x, y = int(int16(x)), int(int16(y))
			}
		}
		d = max(d, max(x-y, y-x))
	}
	return d
}

var variants = []struct {
	name, args string
	lossy      bool
}{
	{"plain", "", false},
	{"lrcp layers", "-r 20,10,1", false},
	{"rlcp", "-p RLCP -r 20,1", false},
	{"rpcl precincts", "-p RPCL -c [64,64],[32,32] -b 16,16", false},
	{"pcrl", "-p PCRL -c [64,64],[64,64] -b 16,32", false},
	{"cprl", "-p CPRL -c [32,32] -b 8,8", false},
	{"tiles", "-t 37,29 -n 3", false},
	{"tile offset", "-t 40,40 -T 3,5 -d 7,9 -n 3", false},
	{"poc", "-n 4 -r 10,1 -POC T0=0,0,1,2,3,CPRL/T0=0,0,2,4,3,RLCP", false},
	{"bypass", "-M 1", false},
	{"reset", "-M 2", false},
	{"termall", "-M 4", false},
	{"causal", "-M 8", false},
	{"predictable", "-M 20", false},
	{"segmentation symbols", "-M 32", false},
	{"all styles", "-M 63", false},
	{"sop eph", "-SOP -EPH -r 10,1", false},
	{"one resolution", "-n 1", false},
	{"roi", "-ROI c=0,U=10", false},
	{"truncated 5/3", "-r 8", false},
	{"tile parts", "-TP R -t 50,50 -n 3", false},
	{"9/7", "-I -r 6", true},
	{"9/7 fine", "-I", true},
	{"9/7 tiles", "-I -t 33,21 -r 4 -n 3", true},
}

func TestDecodeOpenJPEG(t *testing.T) {
	images := []codectest.Image{
		{Width: 77, Height: 61, Samples: 1, Allocated: 8, Stored: 8},
		{Width: 66, Height: 65, Samples: 1, Allocated: 16, Stored: 12},
		{Width: 64, Height: 71, Samples: 1, Allocated: 16, Stored: 16, Signed: true},
		{Width: 67, Height: 63, Samples: 3, Allocated: 8, Stored: 8},
	}
	for _, m := range images {
		px := m.CT(1)
		for _, v := range variants {
			t.Run(fmt.Sprintf("%s/%d bit x%d", v.name, m.Stored, m.Samples), func(t *testing.T) {
				src := theirs(t, m, px, v.args)
				compare(t, src, m, v.lossy)
			})
		}
	}
}

func compare(t *testing.T, src []byte, m codectest.Image, lossy bool) {
	t.Helper()
	want := reference(t, src, m.Samples, m.Allocated/8)
	got, info, err := Decode(nil, src, DecodeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if info.Width != m.Width || info.Height != m.Height || info.Components != m.Samples || info.Bits != m.Stored || len(got) != len(want) {
		t.Fatalf("%+v, %d bytes, want %d", info, len(got), len(want))
	}
	allowed := 0
	if lossy {
		allowed = 2
	}
	if d := worst(got, want, m.Allocated/8, m.Signed); d > allowed {
		t.Errorf("differs by %d", d)
	}
}

func TestReduce(t *testing.T) {
	m := codectest.Image{Width: 77, Height: 61, Samples: 1, Allocated: 8, Stored: 8}
	src := theirs(t, m, m.CT(3), "")
	for r := 1; r <= 5; r++ {
		got, _, err := Decode(nil, src, DecodeOptions{Reduce: r})
		if err != nil {
			t.Fatal(err)
		}
		if want := reference(t, src, 1, 1, "-r", fmt.Sprint(r)); !bytes.Equal(got, want) {
			t.Errorf("reduced by %d: not as OpenJPEG", r)
		}
	}
	if _, _, err := Decode(nil, src, DecodeOptions{Reduce: 6}); err == nil {
		t.Error("more reductions than levels")
	}
}

func TestSizes(t *testing.T) {
	for _, d := range [][2]int{{1, 1}, {1, 2}, {2, 1}, {3, 5}, {1, 64}, {65, 1}, {129, 64}} {
		m := codectest.Image{Width: d[0], Height: d[1], Samples: 1, Allocated: 16, Stored: 16}
		n := 1
		for 1<<n <= min(d[0], d[1]) && n < 6 {
			n++
		}
		compare(t, theirs(t, m, m.Noise(4), fmt.Sprint("-n ", n)), m, false)
		compare(t, theirs(t, m, m.Noise(4), "-n 1 -t 7,6"), m, false)
	}
}

func TestTruncated(t *testing.T) {
	m := codectest.Image{Width: 64, Height: 64, Samples: 1, Allocated: 8, Stored: 8}
	src := theirs(t, m, m.Noise(5), "-r 4,2,1")
	want, _, err := Decode(nil, src, DecodeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for n := 0; n < len(src)-2; n += 37 {
		if got, _, err := Decode([]byte{7}, src[:n], DecodeOptions{}); err == nil || len(got) != 1 {
			t.Fatalf("cut at %d: %v, %d bytes", n, err, len(got))
		}
	}
	got, _, err := Decode(nil, src[:len(src)/2], DecodeOptions{Partial: true, Workers: 1})
	if err == nil || len(got) != len(want) || bytes.Equal(got, make([]byte, len(want))) {
		t.Errorf("half a stream, partial: %v, %d bytes", err, len(got))
	}
}

// TestSamples: real files give GDCM's pixels, exactly where reversible.
func TestSamples(t *testing.T) {
	for _, s := range codectest.Samples(t, uid.JPEG2000Lossless, uid.JPEG2000, uid.HTJ2KLossless, uid.HTJ2KLosslessRPCL, uid.HTJ2K) {
		if !strings.Contains(s.Want, ":") || s.Image.Allocated < 8 {
			continue
		}
		t.Run(filepath.Base(s.Name), func(t *testing.T) {
			var px []byte
			exact := true
			for _, f := range s.Frames {
				var info Info
				var err error
				if px, info, err = Decode(px, f, DecodeOptions{}); err != nil {
					t.Fatal(err)
				}
				exact = exact && info.Reversible
				if info.Width != s.Image.Width || info.Height != s.Image.Height || info.Components != s.Image.Samples {
					t.Fatalf("%+v", info)
				}
			}
			if exact && codectest.Sum(px) != s.Want {
				t.Errorf("%s, want %s", codectest.Sum(px), s.Want)
			}
		})
	}
}

func FuzzDecode(f *testing.F) {
	if _, err := os.Stat(opjCompress); err == nil {
		m := codectest.Image{Width: 64, Height: 64, Samples: 3, Allocated: 8, Stored: 8}
		for _, v := range variants {
			f.Add(theirs(f, m, m.CT(1), v.args))
		}
	}
	for _, bits := range []int{1, 8, 16} {
		m := codectest.Image{Width: 64, Height: 37, Samples: 1, Allocated: 16, Stored: bits}
		for _, px := range [][]byte{m.Noise(1), m.CT(1), m.Flat(1)} {
			code, err := Encode(nil, px, Info{Width: 64, Height: 37, Components: 1, Bits: 16}, EncodeOptions{HT: true, ByResolution: bits == 8})
			if err != nil {
				f.Fatal(err)
			}
			f.Add(code)
		}
	}
	f.Add([]byte{0xFF, 0x4F, 0xFF, 0x51})
	f.Fuzz(func(t *testing.T, src []byte) {
		o := DecodeOptions{Partial: true, Limits: Limits{MaxPixels: 1 << 16, MaxSamples: 1 << 18}}
		began := time.Now()
		got, info, err := Decode(nil, src, o)
		if d := time.Since(began); d > 5*time.Second {
			t.Fatalf("%v: %+v %v", d, info, err)
		}
		if len(got) != 0 && int64(len(got)) != info.Size() {
			t.Fatalf("%d bytes of %d: %v", len(got), info.Size(), err)
		}
		if err == nil && len(got) == 0 {
			t.Fatal("neither samples nor an error")
		}
	})
}
