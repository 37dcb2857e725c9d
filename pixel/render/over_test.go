package render

import (
	"context"
	"image"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gantry/dicom"
	"gantry/dicom/part10"
	"gantry/dicom/tag"
	"gantry/dicom/uid"
	"gantry/dicom/vr"
	"gantry/pixel"
)

// placed is an image of w x h black pixels in the plane z, 1 mm apart.
func placed(w, h int64, z string) *dicom.Editor {
	e := flat(w, h).SetText(tag.WindowCenter, "1000").SetText(tag.WindowWidth, "2").SetUID(tag.FrameOfReferenceUID, "1.2.3")
	return e.SetText(tag.ImagePositionPatient, "0", "0", z).SetText(tag.ImageOrientationPatient, "1", "0", "0", "0", "1", "0").SetText(tag.PixelSpacing, "1", "1")
}

func sourceOf(t testing.TB, ds *dicom.DataSet) *pixel.Source {
	t.Helper()
	src, err := pixel.Frames(ds, uid.ExplicitVRLittleEndian, pixel.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return src
}

// segmented is a segmentation of 4 x 2 pixels with the given frames.
func segmented(t testing.TB, kind string, bits int64, px []byte, frames ...*dicom.DataSet) *dicom.Editor {
	e := edit().SetInt(tag.Rows, 2).SetInt(tag.Columns, 4).SetInt(tag.SamplesPerPixel, 1).SetText(tag.PhotometricInterpretation, "MONOCHROME2")
	e.SetInt(tag.BitsAllocated, bits).SetInt(tag.BitsStored, bits).SetInt(tag.HighBit, bits-1).SetInt(tag.PixelRepresentation, 0)
	e.SetTextAs(tag.NumberOfFrames, vr.IS, string(rune('0'+len(frames)))).SetText(tag.SegmentationType, kind).SetUID(tag.FrameOfReferenceUID, "1.2.3")
	red := build(t, edit().SetInt(tag.SegmentNumber, 1).SetInt(tag.RecommendedDisplayCIELabValue, 35579, 53662, 50858)) // sRGB 255, 0, 0
	blue := build(t, edit().SetInt(tag.SegmentNumber, 2).SetInt(tag.RecommendedDisplayCIELabValue, 19379, 50449, 4104)) // sRGB 0, 0, 255
	shared := edit().SetItems(tag.PlaneOrientationSequence, build(t, edit().SetText(tag.ImageOrientationPatient, "1", "0", "0", "0", "1", "0")))
	shared.SetItems(tag.PixelMeasuresSequence, build(t, edit().SetText(tag.PixelSpacing, "1", "1").SetText(tag.SliceThickness, "2")))
	e.SetItems(tag.SegmentSequence, red, blue).SetItems(tag.SharedFunctionalGroupsSequence, build(t, shared))
	return e.SetItems(tag.PerFrameFunctionalGroupsSequence, frames...).SetBytes(tag.PixelData, vr.OB, px)
}

func segFrame(t testing.TB, segment int64, change func(*dicom.Editor)) *dicom.DataSet {
	e := edit().SetItems(tag.SegmentIdentificationSequence, build(t, edit().SetInt(tag.ReferencedSegmentNumber, segment)))
	change(e)
	return build(t, e)
}

func at(t testing.TB, x, y, z string) func(*dicom.Editor) {
	return func(e *dicom.Editor) {
		e.SetItems(tag.PlanePositionSequence, build(t, edit().SetText(tag.ImagePositionPatient, x, y, z)))
	}
}

func naming(t testing.TB, instance uid.UID, frame string) func(*dicom.Editor) {
	ref := edit().SetUID(tag.ReferencedSOPInstanceUID, instance)
	if frame != "" {
		ref.SetText(tag.ReferencedFrameNumber, frame)
	}
	return func(e *dicom.Editor) {
		e.SetItems(tag.DerivationImageSequence, build(t, edit().SetItems(tag.SourceImageSequence, build(t, ref))))
	}
}

// letters of the colours in a picture: r, g, b for the part that is brightest.
func hues(m image.Image) string {
	var b strings.Builder
	for y := range m.Bounds().Dy() {
		for x := range m.Bounds().Dx() {
			r, g, bl, _ := m.At(x, y).RGBA()
			switch top := max(r, g, bl); {
			case top < 0x1000:
				b.WriteByte('.')
			case r == g && g == bl:
				b.WriteByte('#')
			case top == r:
				b.WriteByte('r')
			case top == g:
				b.WriteByte('g')
			default:
				b.WriteByte('b')
			}
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// TestSegmentations lays segments over images: by what they name, by place, of each kind.
func TestSegmentations(t *testing.T) {
	bits := []byte{0b0101_0011} // "##..", "#.#."
	other := func(e *dicom.Editor) { at(t, "1", "0", "1.5")(e) }
	for name, c := range map[string]struct {
		e    *dicom.Editor
		only []int
		want string
	}{
		"by reference":      {segmented(t, "BINARY", 1, bits, segFrame(t, 1, naming(t, imageInstance, ""))), nil, "rr..\nr.r.\n"},
		"another image":     {segmented(t, "BINARY", 1, bits, segFrame(t, 1, naming(t, "1.9", ""))), nil, "....\n....\n....\n"},
		"another frame":     {segmented(t, "BINARY", 1, bits, segFrame(t, 1, naming(t, imageInstance, "2"))), nil, "....\n....\n....\n"},
		"by place":          {segmented(t, "BINARY", 1, bits, segFrame(t, 2, at(t, "1", "1", "0.5"))), nil, "....\n.bb.\n.b.b\n"},
		"not in this plane": {segmented(t, "BINARY", 1, bits, segFrame(t, 2, other)), nil, "....\n....\n....\n"},
		"another reference": {segmented(t, "BINARY", 1, bits, segFrame(t, 2, at(t, "1", "1", "0.5"))).SetUID(tag.FrameOfReferenceUID, "1.9"), nil, "....\n....\n....\n"},
		"two":               {segmented(t, "BINARY", 1, []byte{0b0101_0011, 0b1000_0000}, segFrame(t, 1, at(t, "0", "0", "0")), segFrame(t, 2, at(t, "0", "1", "0"))), nil, "rr..\nr.r.\n...b\n"},
		"one of two":        {segmented(t, "BINARY", 1, []byte{0b0101_0011, 0b1000_0000}, segFrame(t, 1, at(t, "0", "0", "0")), segFrame(t, 2, at(t, "0", "1", "0"))), []int{2}, "....\n....\n...b\n"},
		"fractional":        {segmented(t, "FRACTIONAL", 8, []byte{0, 100, 0, 0, 0, 50, 0, 3}, segFrame(t, 1, at(t, "0", "0", "0"))).SetInt(tag.MaximumFractionalValue, 100), nil, ".r..\n.r..\n....\n"},
		"label map":         {segmented(t, "LABELMAP", 8, []byte{0, 1, 2, 9, 0, 0, 0, 0}, segFrame(t, 0, at(t, "0", "0", "0"))), nil, ".rbr\n....\n....\n"},
		"label map, one":    {segmented(t, "LABELMAP", 8, []byte{0, 1, 2, 9, 0, 0, 0, 0}, segFrame(t, 0, at(t, "0", "0", "0"))), []int{2}, "..b.\n....\n....\n"},
	} {
		t.Run(name, func(t *testing.T) {
			ds := build(t, c.e)
			s, err := ReadSegmentation(ds, sourceOf(t, ds))
			if err != nil {
				t.Fatal(err)
			}
			s.Segments = c.only
			if got := hues(renderSet(t, build(t, placed(4, int64(strings.Count(c.want, "\n")), "0")), Options{Over: []Layer{s}})); got != c.want {
				t.Errorf("got\n%swant\n%s", got, c.want)
			}
		})
	}
}

// TestOpacity checks the colours themselves.
func TestOpacity(t *testing.T) {
	ds := build(t, segmented(t, "FRACTIONAL", 8, []byte{255, 51, 0, 0, 0, 0, 0, 0}, segFrame(t, 1, at(t, "0", "0", "0"))))
	s, err := ReadSegmentation(ds, sourceOf(t, ds))
	if err != nil {
		t.Fatal(err)
	}
	for opacity, want := range map[float64][2]byte{1: {255, 51}, 0: {128, 26}, 0.2: {51, 10}} {
		s.Opacity = opacity
		m := renderSet(t, build(t, placed(4, 3, "0")), Options{Over: []Layer{s}}).(*image.RGBA)
		for x, red := range want {
			if p := m.Pix[4*x:]; math.Abs(float64(p[0])-float64(red)) > 1 || p[1] > 1 || p[2] > 1 {
				t.Errorf("%g: %v, want red %d", opacity, p[:4], red)
			}
		}
	}
}

func openSample(t *testing.T, name string) *part10.File {
	t.Helper()
	dir := os.Getenv("GANTRY_SAMPLES")
	if dir == "" {
		if os.Getenv("CI") != "" {
			t.Fatal("GANTRY_SAMPLES IS NOT SET")
		}
		t.Skip("GANTRY_SAMPLES IS NOT SET: no real file was rendered")
	}
	f, err := part10.Open(filepath.Join(dir, name), dicom.DecodeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func framesOf(t *testing.T, f *part10.File) *pixel.Source {
	t.Helper()
	src, err := pixel.Frames(f.DataSet, f.Syntax, pixel.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return src
}

// TestRealSegmentations counts the pixels that real segmentations colour in the images that
// they were made of: as many as there are bits in their frames.
func TestRealSegmentations(t *testing.T) {
	const dir = "ImagingDataCommons+highdicom/data/test_files/"
	for seg, over := range map[string]string{
		"seg_image_ct_binary_single_frame.dcm": "ct_image.dcm",
		"seg_image_sm_control.dcm":             "sm_image_control.dcm",
		"seg_image_sm_control_labelmap.dcm":    "sm_image_control.dcm",
	} {
		t.Run(seg, func(t *testing.T) {
			f, g := openSample(t, dir+seg), openSample(t, dir+over)
			src, image := framesOf(t, f), framesOf(t, g)
			s, err := ReadSegmentation(f.DataSet, src)
			if err != nil {
				t.Fatal(err)
			}
			want, got := 0, 0
			for i := range src.Len() {
				coded, _ := src.Frame(context.Background(), i, nil)
				px, _, err := src.Decode(i, coded, nil)
				if err != nil {
					t.Fatal(err)
				}
				for k := range src.Desc().Rows * src.Desc().Columns {
					want += min(codeAt(src.Desc(), px, k), 1)
				}
			}
			s.Opacity = 1
			for i := range image.Len() {
				plain, err := Frame(context.Background(), g.DataSet, image, i, Options{})
				if err != nil {
					t.Fatal(err)
				}
				over, err := Frame(context.Background(), g.DataSet, image, i, Options{Over: []Layer{s}})
				if err != nil {
					t.Fatal(err)
				}
				for k := range plain.Bounds().Dx() * plain.Bounds().Dy() {
					if x, y := k%plain.Bounds().Dx(), k/plain.Bounds().Dx(); inColour(plain).At(x, y) != over.At(x, y) {
						got++
					}
				}
			}
			if t.Logf("%d pixels coloured", got); got != want || got == 0 {
				t.Errorf("%d pixels coloured, %d are segmented", got, want)
			}
		})
	}
}

// doses is a dose of 3 x 2 pixels, 2 mm apart, on planes z = 0 and 4, from 0 to 5 and 10 to
// 15 hundredths of Gy.
func doses(t testing.TB) *dicom.Editor {
	e := edit().SetInt(tag.Rows, 2).SetInt(tag.Columns, 3).SetInt(tag.SamplesPerPixel, 1).SetText(tag.PhotometricInterpretation, "MONOCHROME2")
	e.SetInt(tag.BitsAllocated, 16).SetInt(tag.BitsStored, 16).SetInt(tag.HighBit, 15).SetInt(tag.PixelRepresentation, 0).SetTextAs(tag.NumberOfFrames, vr.IS, "2")
	e.SetText(tag.DoseGridScaling, "0.01").SetText(tag.GridFrameOffsetVector, "0", "4").SetUID(tag.FrameOfReferenceUID, "1.2.3")
	e.SetText(tag.ImagePositionPatient, "0", "0", "0").SetText(tag.ImageOrientationPatient, "1", "0", "0", "0", "1", "0").SetText(tag.PixelSpacing, "2", "2")
	return e.SetBytes(tag.PixelData, vr.OW, []byte{0, 0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 10, 0, 11, 0, 12, 0, 13, 0, 14, 0, 15, 0})
}

// TestDose washes planes between those of a dose.
func TestDose(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*dicom.Editor)
		z      string
		least  float64
		want   string
	}{
		"first plane": {nil, "0", 0.024, ".....\n..bbg\nbggrr\n"},
		"last plane":  {nil, "4", 0, "rrrrr\nrrrrr\nrrrrr\n"},
		"between":     {nil, "2", 0.0945, ".....\n.....\n...rr\n"},
		"outside":     {nil, "5", 0, ".....\n.....\n.....\n"},
		"coordinates": {func(e *dicom.Editor) {
			e.SetText(tag.GridFrameOffsetVector, "10", "14").SetText(tag.ImagePositionPatient, "0", "0", "10")
		}, "14", 0, "rrrrr\nrrrrr\nrrrrr\n"},
		"going down": {func(e *dicom.Editor) { e.SetText(tag.GridFrameOffsetVector, "0", "-4") }, "-4", 0, "rrrrr\nrrrrr\nrrrrr\n"},
		"shifted":    {func(e *dicom.Editor) { e.SetText(tag.ImagePositionPatient, "2", "1", "0") }, "4", 0, ".....\n..rrr\n..rrr\n"},
	} {
		t.Run(name, func(t *testing.T) {
			e := doses(t)
			if c.change != nil {
				c.change(e)
			}
			ds := build(t, e)
			d, err := ReadDose(context.Background(), ds, sourceOf(t, ds))
			if err != nil {
				t.Fatal(err)
			}
			if math.Abs(d.Most-0.15) > 1e-6 || math.Abs(d.Least-0.015) > 1e-6 {
				t.Errorf("from %g to %g, want 0.015 to 0.15", d.Least, d.Most)
			}
			d.Least, d.Most, d.Opacity = c.least, 0.05, 1
			if got := hues(renderSet(t, build(t, placed(5, 3, c.z)), Options{Over: []Layer{d}})); got != c.want {
				t.Errorf("got\n%swant\n%s", got, c.want)
			}
		})
	}
}

// TestDoseErrors checks what cannot be laid over what.
func TestDoseErrors(t *testing.T) {
	good := build(t, doses(t))
	for want, c := range map[string]struct{ dose, image *dicom.Editor }{
		"(3004,000E)":          {doses(t).Delete(tag.DoseGridScaling), placed(5, 3, "0")},
		"where its pixels are": {doses(t).Delete(tag.PixelSpacing), placed(5, 3, "0")},
		"1 numbers, wanted 2":  {doses(t).SetText(tag.GridFrameOffsetVector, "0"), placed(5, 3, "0")},
		"is not behind":        {doses(t).SetText(tag.GridFrameOffsetVector, "0", "0"), placed(5, 3, "0")},
		"different frames":     {doses(t), placed(5, 3, "0").SetUID(tag.FrameOfReferenceUID, "1.9")},
		"not parallel":         {doses(t), placed(5, 3, "0").SetText(tag.ImageOrientationPatient, "1", "0", "0", "0", "0", "1")},
		"the image does not":   {doses(t), placed(5, 3, "0").Delete(tag.ImagePositionPatient)},
	} {
		ds := build(t, c.dose)
		d, err := ReadDose(context.Background(), ds, sourceOf(t, good))
		if err == nil {
			_, err = tryRender(build(t, c.image), Options{Over: []Layer{d}})
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", want, err)
		}
	}
}

// TestDoseAlone gives windows of a dose in Gy.
func TestDoseAlone(t *testing.T) {
	m := renderSet(t, build(t, doses(t)), Options{Window: &Window{Center: 0.02, Width: 0.04, Function: "LINEAR_EXACT"}}).(*image.Gray)
	if got, want := string(m.Pix), string([]byte{0, 64, 128, 191, 255, 255}); got != want {
		t.Errorf("%v, want %v", []byte(got), []byte(want))
	}
}
