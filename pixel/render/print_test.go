package render

import (
	"context"
	"fmt"
	"image"
	"strings"
	"testing"

	"gantry/dicom"
	"gantry/dicom/tag"
	"gantry/dicom/vr"
	"gantry/pixel"
)

// An image of two pixels is put on film: in the middle of a box of 4 x 4 printer pixels with
// a light border, black and white exchanged.
func ExamplePrint() {
	e := new(dicom.DataSet).Edit().SetInt(tag.Rows, 1).SetInt(tag.Columns, 2)
	e.SetInt(tag.SamplesPerPixel, 1).SetText(tag.PhotometricInterpretation, "MONOCHROME2")
	e.SetInt(tag.BitsAllocated, 8).SetInt(tag.BitsStored, 8).SetInt(tag.HighBit, 7).SetInt(tag.PixelRepresentation, 0)
	e.SetText(tag.WindowCenter, "128").SetText(tag.WindowWidth, "256").SetBytes(tag.PixelData, vr.OB, []byte{0, 100})
	ds, err := e.Build()
	if err != nil {
		fmt.Println(err)
		return
	}
	src, err := pixel.Frames(ds, "1.2.840.10008.1.2.1", pixel.Limits{})
	if err != nil {
		fmt.Println(err)
		return
	}
	box := ImageBox{Size: image.Pt(4, 4), Magnification: "REPLICATE", Polarity: "REVERSE", Border: 0x8080}
	m, err := Print(context.Background(), ds, src, 0, box, Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	for y := range 4 {
		fmt.Println(m.(*image.Gray).Pix[4*y:][:4])
	}
	// Output:
	// [128 128 128 128]
	// [255 255 155 155]
	// [255 255 155 155]
	// [128 128 128 128]
}

func printed(ds *dicom.DataSet, box ImageBox, o Options) (image.Image, error) {
	src, err := pixel.Frames(ds, "1.2.840.10008.1.2.1", pixel.Limits{})
	if err != nil {
		return nil, err
	}
	return Print(context.Background(), ds, src, 0, box, o)
}

// TestPrint checks sizes, polarity and the Presentation LUTs of a film.
func TestPrint(t *testing.T) {
	px := []byte{0, 51, 102, 255}
	of := func(photometric string) *dicom.DataSet {
		return build(t, flat(4, 1).SetBytes(tag.PixelData, vr.OB, px).SetText(tag.PhotometricInterpretation, photometric))
	}
	shape := func(s string) *dicom.DataSet { return build(t, edit().SetText(tag.PresentationLUTShape, s)) }
	bent := build(t, edit().SetItems(tag.PresentationLUTSequence, rampLUT(t, 0, 256, 16)))
	none := ImageBox{Size: image.Pt(4, 1), Magnification: "NONE"}
	with := func(change func(*ImageBox)) ImageBox { b := none; change(&b); return b }
	for name, c := range map[string]struct {
		ds   *dicom.DataSet
		box  ImageBox
		want []byte
	}{
		"as it is":              {of("MONOCHROME2"), none, px},
		"identity":              {of("MONOCHROME2"), with(func(b *ImageBox) { b.Presentation = shape("IDENTITY") }), px},
		"inverse":               {of("MONOCHROME2"), with(func(b *ImageBox) { b.Presentation = shape("INVERSE") }), []byte{255, 204, 153, 0}},
		"reverse":               {of("MONOCHROME2"), with(func(b *ImageBox) { b.Polarity = "REVERSE" }), []byte{255, 204, 153, 0}},
		"MONOCHROME1":           {of("MONOCHROME1"), none, []byte{255, 204, 153, 0}},
		"MONOCHROME1, reversed": {of("MONOCHROME1"), with(func(b *ImageBox) { b.Polarity = "REVERSE" }), px},
		"a table":               {of("MONOCHROME2"), with(func(b *ImageBox) { b.Presentation = bent }), []byte{0, 10, 41, 255}},
		"a table, reversed":     {of("MONOCHROME2"), with(func(b *ImageBox) { b.Presentation, b.Polarity = bent, "REVERSE" }), []byte{255, 163, 92, 0}},
		"a border":              {of("MONOCHROME2"), with(func(b *ImageBox) { b.Size, b.Border = image.Pt(6, 1), 0x4040 }), []byte{64, 0, 51, 102, 255, 64}},
		"cropped":               {of("MONOCHROME2"), with(func(b *ImageBox) { b.Size, b.Behavior = image.Pt(2, 1), "CROP" }), []byte{51, 102}},
		"enlarged":              {of("MONOCHROME2"), ImageBox{Size: image.Pt(8, 2), Magnification: "REPLICATE"}, []byte{0, 0, 51, 51, 102, 102, 255, 255, 0, 0, 51, 51, 102, 102, 255, 255}},
		"made smaller":          {of("MONOCHROME2"), with(func(b *ImageBox) { b.Size = image.Pt(1, 1) }), []byte{98}}, // the nearer a pixel, the more it counts
	} {
		m, err := printed(c.ds, c.box, Options{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := pix(m); string(got) != string(c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

// TestDensities checks that a film of LIN OD looks darker with greater values, between what
// its densities allow, and that a lesser range of densities changes the curve.
func TestDensities(t *testing.T) {
	ds := build(t, flat(4, 1).SetBytes(tag.PixelData, vr.OB, []byte{0, 85, 170, 255}))
	box := ImageBox{Size: image.Pt(4, 1), Presentation: build(t, edit().SetText(tag.PresentationLUTShape, "LIN OD"))}
	var curves []string
	for _, f := range []Film{{}, {Min: 0.2, Max: 1, Illumination: 2000, Ambient: 10}} {
		box.Film = f
		m, err := printed(ds, box, Options{})
		if err != nil {
			t.Fatal(err)
		}
		p := m.(*image.Gray).Pix
		if p[0] != 255 || p[3] != 0 || p[1] <= p[2] {
			t.Errorf("%+v: %v", f, p)
		}
		curves = append(curves, string(p))
	}
	if curves[0] == curves[1] {
		t.Error("the range of densities changes nothing")
	}
}

// TestPrintErrors checks what boxes are refused.
func TestPrintErrors(t *testing.T) {
	ds := build(t, flat(4, 1))
	for want, box := range map[string]ImageBox{
		"a box of 2 x 1":      {Size: image.Pt(2, 1), Magnification: "NONE", Behavior: "FAIL"},
		"an image box of":     {Size: image.Pt(1<<20, 1<<20)},
		"Polarity is \"UP\"":  {Size: image.Pt(1, 1), Polarity: "UP"},
		"a film of densities": {Size: image.Pt(1, 1), Film: Film{Min: 3, Max: 1}},
		"must be numbers":     {Size: image.Pt(1, 1), Film: Film{Ambient: -1, Illumination: 1}},
		"(0028,3002)":         {Size: image.Pt(1, 1), Presentation: build(t, edit().SetItems(tag.PresentationLUTSequence, build(t, edit().SetBytes(tag.LUTDescriptor, vr.US, []byte{1, 0}))))},
	} {
		if _, err := printed(ds, box, Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", want, err)
		}
	}
}
