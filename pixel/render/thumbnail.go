package render

import (
	"context"
	"image"

	"gantry/dicom"
	"gantry/dicom/tag"
	"gantry/dicom/uid"
	"gantry/pixel"
	"gantry/pixel/j2k"
)

// Thumbnail is Frame for small pictures, which fit in o.Fit: 128 x 128 pixels if that is
// zero. Of JPEG 2000 and HTJ2K no more resolutions are decoded than that takes; an automatic
// window is then that of the smaller image.
func Thumbnail(ctx context.Context, ds *dicom.DataSet, src *pixel.Source, i int, o Options) (image.Image, error) {
	if o.Fit == (image.Point{}) {
		o.Fit = image.Pt(128, 128)
	}
	g, d := groups{ds, i}, src.Desc()
	if !wavelet(src) || !reducible(g, d, o) {
		return Frame(ctx, ds, src, i, o)
	}
	coded, err := src.Frame(ctx, i, nil)
	if err != nil {
		return nil, err
	}
	px, small, ok := reduced(coded, d, o.Fit)
	if !ok {
		return Frame(ctx, ds, src, i, o)
	}
	v, err := newView(g, image.Rect(0, 0, d.Columns, d.Rows), o)
	if err != nil {
		return nil, err
	}
	o.size = v.size()
	return picture(ctx, g, small, px, o)
}

// wavelet reports whether frames have resolutions.
func wavelet(src *pixel.Source) bool {
	switch src.Syntax() {
	case uid.JPEG2000Lossless, uid.JPEG2000, uid.HTJ2KLossless, uid.HTJ2KLosslessRPCL, uid.HTJ2K:
		return src.Encapsulated()
	}
	return false
}

// reducible reports whether a smaller image is drawn as the whole one: there is nothing that
// is placed in pixels, and samples have a mean.
func reducible(g groups, d pixel.Desc, o Options) bool {
	if o.State != nil || len(o.Over) > 0 || d.Photometric == pixel.PaletteColor || supplemented(g.ds) {
		return false
	}
	for group := uint16(0x6000); group <= lastGroup; group += 2 {
		if o.Overlays.wants(group) && g.ds.Has(overlayTag(group, tag.OverlayRows)) {
			return false
		}
	}
	return o.NoShutter || !g.macro(tag.FrameDisplayShutterSequence).Has(tag.ShutterShape)
}

// reduced decodes the least resolution that is not smaller than wanted.
func reduced(coded []byte, d pixel.Desc, fit image.Point) ([]byte, pixel.Desc, bool) {
	info, err := j2k.DecodeInfo(coded)
	same := err == nil && info.Width == d.Columns && info.Height == d.Rows && info.Components == d.Samples && info.Bits == d.BitsStored && info.Signed == d.Signed
	n := 0
	for same && n < info.Levels && (d.Columns>>(n+1) >= fit.X || d.Rows>>(n+1) >= fit.Y) {
		n++
	}
	if n == 0 {
		return nil, d, false
	}
	px, info, err := j2k.Decode(nil, coded, j2k.DecodeOptions{Reduce: n, Workers: 1})
	if err != nil {
		return nil, d, false
	}
	d.Columns, d.Rows, d.Planar = info.Width, info.Height, false
	d.BitsAllocated, d.HighBit = 8*info.SampleBytes(), info.Bits-1
	if d.Photometric == pixel.YBRICT || d.Photometric == pixel.YBRRCT {
		d.Photometric = pixel.RGB
	}
	return px, d, true
}
