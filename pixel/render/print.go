package render

import (
	"context"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"math"
	"slices"

	"gantry/dicom"
	"gantry/dicom/tag"
	"gantry/pixel"
)

// ImageBox says how a frame is put on film (PS3.3 C.13.3, C.13.5, C.11.4). Strings are as the
// standard has them.
type ImageBox struct {
	Size          image.Point    // of the box, in pixels of the printer
	Magnification string         // REPLICATE, BILINEAR, CUBIC, or NONE for one pixel each; empty is BILINEAR
	Polarity      string         // NORMAL or REVERSE; empty is NORMAL
	Behavior      string         // where NONE does not fit: DECIMATE, CROP or FAIL; empty is DECIMATE
	Border        uint16         // P-Value around the picture; 0 is black
	Presentation  *dicom.DataSet // with Presentation LUT Sequence or Shape; nil is IDENTITY
	Film          Film           // what densities of LIN OD mean
}

// Print renders frame i, counted from 0, of src for a box: a picture of exactly that size,
// with the frame in the middle, without annotations. Of o, what the box says is not looked
// at. Errors are those of Frame, and FormatError for a box that cannot be.
func Print(ctx context.Context, ds *dicom.DataSet, src *pixel.Source, i int, box ImageBox, o Options) (image.Image, error) {
	if err := box.check(); err != nil {
		return nil, err
	}
	box.fill(&o)
	d := src.Desc()
	if box.Magnification == "NONE" {
		o.Fit, o.Square = image.Point{}, false
		larger := d.Columns > box.Size.X || d.Rows > box.Size.Y
		switch {
		case larger && box.Behavior == "FAIL":
			return nil, FormatError(fmt.Sprintf("%d x %d pixels do not fit in a box of %d x %d", d.Columns, d.Rows, box.Size.X, box.Size.Y))
		case larger && box.Behavior != "CROP":
			o.Fit = box.Size
		}
	}
	m, err := Frame(ctx, ds, src, i, o)
	if err != nil {
		return nil, err
	}
	return box.frame(m), nil
}

// check refuses what is not in the standard, and sizes that no film has.
func (b *ImageBox) check() error {
	for _, v := range []struct {
		name, value string
		allowed     []string
	}{
		{"Magnification Type", b.Magnification, []string{"", "REPLICATE", "BILINEAR", "CUBIC", "NONE"}},
		{"Polarity", b.Polarity, []string{"", "NORMAL", "REVERSE"}},
		{"Requested Decimate/Crop Behavior", b.Behavior, []string{"", "DECIMATE", "CROP", "FAIL"}},
	} {
		if !slices.Contains(v.allowed, v.value) {
			return FormatError(fmt.Sprintf("%s is %q, wanted is one of %q", v.name, v.value, v.allowed[1:]))
		}
	}
	if b.Size.X < 1 || b.Size.Y < 1 || b.Size.X > maxPicture/b.Size.Y {
		return FormatError(fmt.Sprintf("an image box of %d x %d pixels", b.Size.X, b.Size.Y))
	}
	f := b.Film.orDefault()
	for _, v := range []float64{f.Min, f.Max, f.Illumination, f.Ambient} {
		if !(v >= 0) || math.IsInf(v, 0) {
			return FormatError("densities and luminances of a film must be numbers from 0")
		}
	}
	if !(f.Max > f.Min) || f.Max > 5 || f.Illumination == 0 {
		return FormatError(fmt.Sprintf("a film of densities from %g to %g before %g cd/m²", f.Min, f.Max, f.Illumination))
	}
	return nil
}

// fill puts what b says into o.
func (b *ImageBox) fill(o *Options) {
	o.Fit, o.NoGraphics, o.Film, o.box = b.Size, true, b.Film, b
	switch b.Magnification {
	case "REPLICATE":
		o.Magnify = Replicate
	case "CUBIC":
		o.Magnify = Cubic
	default:
		o.Magnify = Bilinear
	}
}

// printed puts polarity and Presentation LUT of the film behind what the image is on a
// display.
func (b *ImageBox) printed(c curve) (curve, error) {
	if b.Polarity == "REVERSE" {
		c = inverse(c)
	}
	if b.Presentation == nil {
		return c, nil
	}
	if l, err := presentationTable(b.Presentation); l != nil || err != nil {
		return l.after(c), err
	}
	return Shape(b.Presentation.Text(tag.PresentationLUTShape)).after(c, b.Film), nil
}

// frame puts the picture into the middle of the box, cut where it is larger.
func (b *ImageBox) frame(m image.Image) image.Image {
	out := like(m, b.Size.X, b.Size.Y)
	draw.Draw(out, out.Bounds(), image.NewUniform(color.Gray16{Y: b.Border}), image.Point{}, draw.Src)
	at := b.Size.Sub(m.Bounds().Size()).Div(2)
	draw.Draw(out, m.Bounds().Add(at), m, image.Point{}, draw.Src)
	return out
}
