package render

import (
	"context"
	"fmt"
	"math"

	"gantry/dicom"
	"gantry/dicom/tag"
	"gantry/pixel"
)

// Dose is a Layer: the colour wash of an RT Dose (PS3.3 A.18.3), from blue at Least to red
// at Most. Its fields may be set before it is used; then it may be used from any number of
// goroutines.
type Dose struct {
	Opacity     float64 // from 0 to 1; 0 is a half
	Least, Most float64 // in the units of the dose, most often Gy; ReadDose sets a tenth and all of the greatest

	ds      *dicom.DataSet
	src     *pixel.Source
	scaling float64
	grid    *grid
	offsets []float64 // of frames along the normal of grid, in mm
}

// ReadDose makes a dose ready to be laid over images, and looks through its frames, which
// src reads, for the greatest value. Errors are FormatError, *dicom.ValueError and
// *pixel.FrameError.
func ReadDose(ctx context.Context, ds *dicom.DataSet, src *pixel.Source) (*Dose, error) {
	d := &Dose{ds: ds, src: src, grid: gridOf(groups{ds: ds})}
	var err error
	if d.scaling, err = ds.Float(tag.DoseGridScaling); err != nil || !(d.scaling > 0) || math.IsInf(d.scaling, 0) {
		return nil, &dicom.ValueError{Tag: tag.DoseGridScaling, Reason: fmt.Sprintf("%g: a dose cannot be read without it: %v", d.scaling, err)}
	}
	if d.grid == nil || src.Desc().Samples != 1 {
		return nil, FormatError("a dose that does not say where its pixels are")
	}
	if err := d.readOffsets(); err != nil {
		return nil, err
	}
	for i := range src.Len() {
		v, err := d.frame(ctx, i)
		if err != nil {
			return nil, err
		}
		for _, k := range v {
			d.Most = max(d.Most, float64(k))
		}
	}
	d.Least = d.Most / 10
	return d, nil
}

// readOffsets reads where frames are: from the first, or as coordinates along the patient
// (PS3.3 C.8.8.3.2).
func (d *Dose) readOffsets() error {
	n := d.src.Len()
	if e, ok := d.ds.Get(tag.GridFrameOffsetVector); (!ok || e.Count() == 0) && n == 1 {
		d.offsets = []float64{0}
		return nil
	}
	v, err := numbers(d.ds, tag.GridFrameOffsetVector, n)
	if err != nil {
		return err
	}
	sign := 1.0
	if v[0] != 0 {
		sign = d.grid.normal[2]
	}
	first := v[0]
	for i := range v {
		v[i] = (v[i] - first) * sign
		if i > 1 && (v[i] > v[i-1]) != (v[1] > v[0]) || i > 0 && v[i] == v[i-1] {
			return &dicom.ValueError{Tag: tag.GridFrameOffsetVector, Reason: fmt.Sprintf("frame %d is not behind frame %d", i+1, i)}
		}
	}
	d.offsets = v
	return nil
}

// frame returns the dose of each pixel of a frame.
func (d *Dose) frame(ctx context.Context, i int) ([]float32, error) {
	coded, err := d.src.Frame(ctx, i, nil)
	if err != nil {
		return nil, err
	}
	px, _, err := d.src.Decode(i, coded, nil)
	if err != nil {
		return nil, err
	}
	form := d.src.Desc()
	out := make([]float32, form.Rows*form.Columns)
	if tabular(form) {
		each(form, px, func(i, code int) { out[i] = float32(value(form, uint64(code)) * d.scaling) })
		return out, nil
	}
	s := samples{d: form, px: px}
	s.eachValue(func(i int, v float64) { out[i] = float32(v * d.scaling) })
	return out, nil
}

// around returns the frames on both sides of a depth, and how much of the second counts. A
// depth beyond all frames has none.
func (d *Dose) around(depth float64) (a, b int, share float64, ok bool) {
	const near = 0.01 // mm
	for i, o := range d.offsets {
		if math.Abs(depth-o) < near {
			return i, i, 0, true
		}
		if i > 0 && (depth > d.offsets[i-1]) == (depth < o) {
			return i - 1, i, (depth - d.offsets[i-1]) / (o - d.offsets[i-1]), true
		}
	}
	return 0, 0, 0, false
}

func (d *Dose) paint(ctx context.Context, m sheet, g groups) error {
	image := gridOf(g)
	switch {
	case image == nil:
		return FormatError("the image does not say where its pixels are: a dose cannot be laid over it")
	case !oneFrame(d.ds, g.ds):
		return FormatError("dose and image are in different frames of reference: register them first")
	case !image.parallel(d.grid):
		return FormatError("the planes of dose and image are not parallel: resample the dose first")
	}
	a, b, share, ok := d.around(image.depth(d.grid))
	if !ok {
		return nil
	}
	low, err := d.frame(ctx, a)
	if err != nil {
		return err
	}
	high := low
	if b != a {
		if high, err = d.frame(ctx, b); err != nil {
			return err
		}
	}
	d.wash(m, image.to(d.grid), func(i int) float64 { return float64(low[i])*(1-share) + float64(high[i])*share })
	return nil
}

// wash colours the pixels that have a dose of Least and more.
func (d *Dose) wash(m sheet, to mapping, at func(i int) float64) {
	opacity := d.Opacity
	if opacity == 0 {
		opacity = 0.5
	}
	form, share := d.src.Desc(), int(min(max(opacity, 0), 1)*255+0.5)
	for y := range m.h {
		for x := range m.w {
			c, r := to.at(x, y)
			v, ok := bilinear(c, r, form.Columns, form.Rows, at)
			if ok && v >= d.Least && v > 0 {
				m.mix(x, y, washed((v-d.Least)/(d.Most-d.Least)), share)
			}
		}
	}
}

// bilinear weighs the four values around a place, if it lies between centres of pixels.
func bilinear(c, r float64, columns, rows int, at func(i int) float64) (float64, bool) {
	const slack = 1e-6
	if !(c >= -slack && r >= -slack && c <= float64(columns-1)+slack && r <= float64(rows-1)+slack) {
		return 0, false
	}
	c, r = min(max(c, 0), float64(columns-1)), min(max(r, 0), float64(rows-1))
	x, y := int(c), int(r)
	right, below := min(x+1, columns-1), min(y+1, rows-1)
	fx, fy := c-float64(x), r-float64(y)
	top := at(y*columns+x)*(1-fx) + at(y*columns+right)*fx
	return top*(1-fy) + (at(below*columns+x)*(1-fx)+at(below*columns+right)*fx)*fy, true
}

// washed goes from blue over green to red.
func washed(share float64) ink {
	if !(share >= 0 && share <= 1) { // Most may be less than Least
		share = 1
	}
	part := func(centre float64) byte { return byte(255*min(max(1.5-math.Abs(4*share-centre), 0), 1) + 0.5) }
	return ink{part(3.5), part(2), part(0.5), 255}
}
