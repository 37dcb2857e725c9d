package imagefile

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"strings"
	"testing"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"

	"gantry/pixel/j2k"
)

func slope() *image.RGBA {
	m := image.NewRGBA(image.Rect(0, 0, 33, 21))
	for y := range 21 {
		for x := range 33 {
			m.SetRGBA(x, y, color.RGBA{byte(7 * x), byte(9 * y), byte(x + y), 255})
		}
	}
	return m
}

// TestEncode reads files back with decoders that are not ours.
func TestEncode(t *testing.T) {
	for f, slack := range map[Format]int{BMP: 0, BMP24: 0, BMP32: 0, TIFF: 0, PNG: 0, JPEG: 12} {
		for _, m := range []image.Image{slope(), Grey(slope())} {
			var b bytes.Buffer
			if err := Encode(&b, m, f, Options{}); err != nil {
				t.Fatalf("%s: %v", f, err)
			}
			decode := map[Format]func() (image.Image, error){
				TIFF: func() (image.Image, error) { return tiff.Decode(&b) }, PNG: func() (image.Image, error) { return png.Decode(&b) },
				JPEG: func() (image.Image, error) { return jpeg.Decode(&b) },
			}[f]
			if decode == nil {
				decode = func() (image.Image, error) { return bmp.Decode(&b) }
			}
			got, err := decode()
			if err != nil || got.Bounds() != m.Bounds() {
				t.Fatalf("%s: %v, %v", f, got, err)
			}
			for y := range 21 {
				for x := range 33 {
					r, g, bl, _ := got.At(x, y).RGBA()
					r2, g2, b2, _ := m.At(x, y).RGBA()
					for _, d := range []int{int(r>>8) - int(r2>>8), int(g>>8) - int(g2>>8), int(bl>>8) - int(b2>>8)} {
						if max(d, -d) > slack {
							t.Fatalf("%s: pixel %d,%d is %v, want %v", f, x, y, got.At(x, y), m.At(x, y))
						}
					}
				}
			}
		}
	}
	if err := Encode(&bytes.Buffer{}, slope(), "xyz", Options{}); err == nil {
		t.Error("a format that is none was written")
	}
}

// TestPlain has samples as numbers of any depth.
func TestPlain(t *testing.T) {
	m := image.NewGray16(image.Rect(0, 0, 3, 1))
	m.SetGray16(1, 0, color.Gray16{Y: 0x8000})
	m.SetGray16(2, 0, color.Gray16{Y: 0xFFFF})
	for bits, want := range map[int]string{1: "1\n0 1 1", 8: "255\n0 128 255", 12: "4095\n0 2048 4095", 32: "4294967295\n0 2147516416 4294967295"} {
		var b bytes.Buffer
		if err := Encode(&b, m, PlainPNM, Options{Bits: bits}); err != nil || !strings.HasPrefix(b.String(), "P2\n3 1\n"+want) {
			t.Errorf("%d bits: %q, %v", bits, b.String(), err)
		}
	}
}

// TestTurn turns a picture of three pixels by all ways.
func TestTurn(t *testing.T) {
	m := image.NewGray(image.Rect(0, 0, 2, 2))
	copy(m.Pix, []byte{1, 2, 3, 4})
	for _, c := range []struct {
		quarters     int
		across, down bool
		want         []byte
	}{
		{0, false, false, []byte{1, 2, 3, 4}}, {1, false, false, []byte{3, 1, 4, 2}}, {2, false, false, []byte{4, 3, 2, 1}},
		{3, false, false, []byte{2, 4, 1, 3}}, {0, true, false, []byte{2, 1, 4, 3}}, {0, false, true, []byte{3, 4, 1, 2}}, {2, true, true, []byte{1, 2, 3, 4}},
	} {
		if got := Turn(m, c.quarters, c.across, c.down).(*image.Gray).Pix; !bytes.Equal(got, c.want) {
			t.Errorf("%+v: %v", c, got)
		}
	}
	if got := Clip(m, image.Rect(1, 1, 3, 3)).(*image.Gray).Pix; !bytes.Equal(got, []byte{4, 0, 0, 0}) {
		t.Errorf("clipped: %v", got)
	}
	if got := Clip(m, image.Rect(-1, -1, 1, 1)).(*image.Gray).Pix; !bytes.Equal(got, []byte{0, 0, 0, 1}) {
		t.Errorf("clipped: %v", got)
	}
}

// TestJ2K reads JPEG 2000 and HTJ2K files back: no sample may change.
func TestJ2K(t *testing.T) {
	deep := image.NewGray16(image.Rect(0, 0, 33, 21))
	for i := range deep.Pix {
		deep.Pix[i] = byte(i * 7)
	}
	for _, f := range []Format{JP2, J2K, JPH, J2C} {
		for _, m := range []image.Image{slope(), Grey(slope()), deep} {
			var b bytes.Buffer
			if err := Encode(&b, m, f, Options{}); err != nil {
				t.Fatal(err)
			}
			want, _ := j2kSamples(m)
			px, i, err := j2k.Decode(nil, b.Bytes(), j2k.DecodeOptions{})
			if err != nil || !bytes.Equal(px, want) || i.HT != (f == JPH || f == J2C) {
				t.Errorf("%s %T: %+v, %v", f, m, i, err)
			}
		}
	}
}

// TestAnimationLimit refuses what would fill the memory.
func TestAnimationLimit(t *testing.T) {
	var a Animation
	if a.pixels = maxAnimation; a.Add(image.NewGray(image.Rect(0, 0, 1, 1)), 10) == nil {
		t.Error("no limit")
	}
}
