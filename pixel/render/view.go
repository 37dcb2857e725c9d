package render

import (
	"fmt"
	"image"
	"math"

	"gantry/dicom"
	"gantry/dicom/tag"
)

// maxPicture is how many pixels a picture has at most that is larger than its image.
const maxPicture = 1 << 26

// view says which part of an image a picture shows, and how its pixels lie there (PS3.3
// C.10.4, C.10.6).
type view struct {
	area     image.Rectangle // in pixels of the image, from 0; may go beyond it
	w, h     int             // of the picture, which is turned and mirrored after scaling
	quarters int             // turned clockwise
	flip     bool            // left to right, after turning
	kind     Magnify
}

// plain reports whether the picture is the image as it is.
func (v *view) plain(m image.Image) bool {
	return v.area == m.Bounds() && v.w == v.area.Dx() && v.h == v.area.Dy() && v.quarters == 0 && !v.flip
}

// show makes the picture. What lies outside of the image is black.
func (v *view) show(m image.Image) image.Image {
	if v.plain(m) {
		return m
	}
	seen := v.area.Intersect(m.Bounds())
	out := like(m, v.w, v.h)
	if s := sheetOf(out); s.size == 4 {
		for i := 3; i < len(s.pix); i += 4 {
			s.pix[i] = 0xFF
		}
	}
	x0, y0 := v.place(float64(seen.Min.X), float64(seen.Min.Y))
	x1, y1 := v.place(float64(seen.Max.X), float64(seen.Max.Y))
	to := image.Rect(round(x0), round(y0), max(round(x1), round(x0)+1), max(round(y1), round(y0)+1)).Intersect(out.Bounds())
	if !seen.Empty() && !to.Empty() {
		scale(out, to, m, seen, v.kind)
	}
	return turn(out, v.quarters, v.flip)
}

func round(v float64) int { return int(math.Round(v)) }

// place is where a point of the image comes to, before turning. The image's first pixel
// reaches from 0, 0 to 1, 1.
func (v *view) place(x, y float64) (float64, float64) {
	return (x - float64(v.area.Min.X)) * float64(v.w) / float64(v.area.Dx()), (y - float64(v.area.Min.Y)) * float64(v.h) / float64(v.area.Dy())
}

// at is where a point of the image comes to in the picture.
func (v *view) at(x, y float64) (float64, float64) {
	x, y = v.place(x, y)
	x, y = turned(x, y, float64(v.w), float64(v.h), v.quarters)
	if v.flip {
		x = float64(v.size().X) - x
	}
	return x, y
}

// size is that of the picture.
func (v *view) size() image.Point {
	if v.quarters&1 == 1 {
		return image.Pt(v.h, v.w)
	}
	return image.Pt(v.w, v.h)
}

// newView works out what o and a displayed area say of a frame.
func newView(g groups, bounds image.Rectangle, o Options) (*view, error) {
	v := &view{area: bounds, kind: o.Magnify}
	aspect, factor := 1.0, 1.0
	var err error
	if o.Square || o.Fit != (image.Point{}) {
		aspect = pixelAspect(g)
	}
	if o.State != nil {
		if aspect, factor, err = o.State.area(v, g, aspect); err != nil {
			return nil, err
		}
	}
	w, h := float64(v.area.Dx())*factor, float64(v.area.Dy())*factor
	if aspect > 1 { // pixels are higher than wide: never drop some
		h *= aspect
	} else {
		w /= aspect
	}
	if o.Fit != (image.Point{}) {
		fit := o.Fit
		if v.quarters&1 == 1 {
			fit.X, fit.Y = fit.Y, fit.X
		}
		k := min(float64(fit.X)/w, float64(fit.Y)/h)
		w, h = w*k, h*k
	}
	if w*h > max(maxPicture, float64(bounds.Dx())*float64(bounds.Dy())) || !(w*h > 0) {
		return nil, FormatError(fmt.Sprintf("a picture of %.0f x %.0f pixels: give a size that it has to fit in", w, h))
	}
	v.w, v.h = max(round(w), 1), max(round(h), 1)
	if o.size != (image.Point{}) {
		v.w, v.h = o.size.X, o.size.Y
	}
	return v, nil
}

// pixelAspect is the height of a pixel over its width: Pixel Aspect Ratio (PS3.3 C.7.6.3.1.7),
// else the spacing of rows over that of columns (10.7.1.3). What is no shape of a pixel says
// nothing: there are images with a spacing of 0, and they are to be seen all the same.
func pixelAspect(g groups) float64 {
	measures := g.macro(tag.PixelMeasuresSequence)
	for _, t := range []tag.Tag{tag.PixelAspectRatio, tag.PixelSpacing, tag.ImagerPixelSpacing, tag.NominalScannedPixelSpacing} {
		ds := g.ds
		if t == tag.PixelSpacing {
			ds = measures
		}
		if a, err := ratio(ds, t); err == nil {
			return a
		}
	}
	return 1
}

// maxAspect is how far pixels can be from squares.
const maxAspect = 1000

func ratio(ds *dicom.DataSet, t tag.Tag) (float64, error) {
	v, err := numbers(ds, t, 2)
	if err != nil {
		return 1, err
	}
	if a := v[0] / v[1]; v[0] > 0 && v[1] > 0 && a <= maxAspect && a >= 1.0/maxAspect {
		return a, nil
	}
	return 1, &dicom.ValueError{Tag: t, Reason: fmt.Sprintf("%g to %g is no shape of a pixel", v[0], v[1])}
}
