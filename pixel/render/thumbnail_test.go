package render

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"image"
	"math"
	"os"
	"path/filepath"
	"testing"

	"gantry/dicom"
	"gantry/dicom/part10"
	"gantry/dicom/uid"
	"gantry/pixel"
	"gantry/pixel/internal/codectest"
)

const testFiles = "robyoung+dicom-test-files/data/WG04/"

// TestThumbnail compares thumbnails of the resolutions in a stream with whole frames that
// are scaled: the same size, and on average nearly the same greys.
func TestThumbnail(t *testing.T) {
	for name, fast := range map[string]bool{
		testFiles + "J2KR/CT1_J2KR":                                true,
		testFiles + "J2KR/VL1_J2KR":                                true,
		testFiles + "J2KI/XA1_J2KI":                                true,
		"pydicom+pydicom-data/data_store/data/RG3_J2KR.dcm":        true,
		"pydicom+pydicom-data/data_store/data/HTJ2K_08_RGB.dcm":    true,
		"pydicom+pydicom/src/pydicom/data/test_files/CT_small.dcm": false,
	} {
		t.Run(name, func(t *testing.T) {
			f := openSample(t, name)
			src := framesOf(t, f)
			d := src.Desc()
			for _, fit := range []image.Point{{}, {X: 64, Y: 64}, {X: 200, Y: 33}} {
				o := Options{Fit: fit, Window: thumbnailWindow(d)}
				small, err := Thumbnail(context.Background(), f.DataSet, src, 0, o)
				if err != nil {
					t.Fatal(err)
				}
				if o.Fit == (image.Point{}) {
					o.Fit = image.Pt(128, 128)
				}
				whole, err := Frame(context.Background(), f.DataSet, src, 0, o)
				if err != nil {
					t.Fatal(err)
				}
				if a, b := small.Bounds().Size(), whole.Bounds().Size(); a != b {
					t.Fatalf("%v: %v, want %v", fit, a, b)
				}
				each, all := unlike(small, whole)
				if t.Logf("%v: %.2f levels off each, %.2f all", fit, each, all); each > 10 || all > 2 || !fast && each > 0 {
					t.Errorf("%v: another picture", fit)
				}
			}
			coded, err := src.Frame(context.Background(), 0, nil)
			if err != nil {
				t.Fatal(err)
			}
			if !wavelet(src) {
				if fast {
					t.Error("no wavelet")
				}
				return
			}
			if _, r, ok := reduced(coded, d, image.Pt(64, 64)); ok != fast || ok && (r.Columns >= d.Columns || r.Columns < 64 && r.Rows < 64) {
				t.Errorf("reduced: %v, to %d x %d", ok, r.Columns, r.Rows)
			}
		})
	}
}

// TestDeepThumbnail makes thumbnails of samples of more than 16 bits, out of the lesser
// resolutions of a stream and of whole frames.
func TestDeepThumbnail(t *testing.T) {
	for _, bits := range [][2]int{{24, 24}, {32, 32}, {40, 36}} {
		for _, samples := range []int{1, 3} {
			m := codectest.Image{Width: 300, Height: 200, Samples: samples, Frames: 1, Allocated: bits[0], Stored: bits[1]}
			var px []byte
			for i := range m.Width * m.Height * samples {
				v := uint64(i/samples%m.Width) << bits[1] / uint64(m.Width)
				px = append(px, binary.LittleEndian.AppendUint64(nil, v)[:bits[0]/8]...)
			}
			native, err := part10.Open(m.WriteNative(t, px), dicom.DecodeOptions{})
			if err != nil {
				t.Fatal(err)
			}
			defer native.Close()
			var b bytes.Buffer
			if _, err := pixel.Transcode(t.Context(), &b, native, uid.HTJ2KLossless, pixel.Options{}); err != nil {
				t.Fatal(err)
			}
			packed, err := part10.NewFile(bytes.NewReader(b.Bytes()), int64(b.Len()), dicom.DecodeOptions{})
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range []*part10.File{native, packed} {
				small, err := Thumbnail(t.Context(), f.DataSet, framesOf(t, f), 0, Options{})
				if err != nil {
					t.Fatalf("%+v: %v", m, err)
				}
				left, _, _, _ := small.At(2, 40).RGBA()
				right, _, _, _ := small.At(125, 40).RGBA()
				if s := small.Bounds().Size(); s != image.Pt(128, 85) || left>>8 > 8 || right>>8 < 247 {
					t.Errorf("%+v: %v, from %d to %d", m, s, left>>8, right>>8)
				}
			}
		}
	}
}

// thumbnailWindow spans what samples can be, as an automatic window is another one in a
// smaller image.
func thumbnailWindow(d pixel.Desc) *Window {
	w := &Window{Center: float64(int(1) << d.BitsStored / 2), Width: float64(int(1) << d.BitsStored)}
	if d.Signed {
		w.Center = 0
	}
	return w
}

// unlike returns how far samples are apart on average, and how far the means of all are.
func unlike(a, b image.Image) (each, all float64) {
	x, y := inColour(a).Pix, inColour(b).Pix
	for i := range x {
		d := float64(x[i]) - float64(y[i])
		each, all = each+math.Abs(d), all+d
	}
	n := float64(len(x) * 3 / 4)
	return each / n, math.Abs(all) / n
}

// BenchmarkThumbnail draws a picture of 128 pixels of a radiograph in JPEG 2000, from its
// lesser resolutions and from all of it.
func BenchmarkThumbnail(b *testing.B) {
	path := filepath.Join(os.Getenv("GANTRY_SAMPLES"), "pydicom+pydicom-data/data_store/data/RG3_J2KR.dcm")
	f, err := part10.Open(path, dicom.DecodeOptions{})
	if err != nil {
		b.Skip(fmt.Sprint("no sample: ", err))
	}
	defer f.Close()
	src, err := pixel.Frames(f.DataSet, f.Syntax, pixel.Limits{})
	if err != nil {
		b.Fatal(err)
	}
	o := Options{Fit: image.Pt(128, 128)}
	for name, render := range map[string]func() (image.Image, error){
		"reduced": func() (image.Image, error) { return Thumbnail(b.Context(), f.DataSet, src, 0, o) },
		"whole":   func() (image.Image, error) { return Frame(b.Context(), f.DataSet, src, 0, o) },
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := render(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
