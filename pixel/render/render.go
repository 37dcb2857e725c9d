// Package render makes pictures for people out of the frames of images: the grey pipeline
// of Modality LUT, VOI LUT and Presentation LUT (PS3.3 C.11.1, C.11.2, C.11.6), the colours
// of PALETTE COLOR, RGB and YBR_FULL (PS3.3 C.7.6.3, C.7.9) and of supplemental palettes,
// overlays (C.9), display shutters (C.7.6.11), softcopy presentation states (A.33),
// segmentations (A.51) and doses (A.18.3).
//
// What is drawn are P-Values (PS3.14) for a standard display.
package render

import (
	"context"
	"fmt"
	"image"

	"gantry/dicom"
	"gantry/pixel"
)

// VOI says which values of interest become the greys between black and white.
type VOI uint8

const (
	// Stored takes the first window of the data set, else its first VOI LUT, else Automatic.
	Stored VOI = iota
	// Automatic spreads the least to the greatest value of the frame, Pixel Padding left out.
	Automatic
)

// Options says how to render. The zero value is what the maker of the image meant, with
// 256 greys.
type Options struct {
	VOI         VOI
	Window      *Window // in place of VOI, in units after the Modality LUT
	Shape       Shape   // in place of the Presentation LUT; empty is that of the image
	Film        Film    // what LinOD means
	Deep        bool    // grey images are *image.Gray16
	DarkPadding bool    // Pixel Padding is black, in inverted images too

	Overlays   Overlays
	NoShutter  bool    // what display shutters hide is drawn
	State      *State  // a presentation state in place of what the image says
	NoGraphics bool    // without the annotations of State
	Over       []Layer // what is laid over the image, in this order

	Fit     image.Point // scale to this size at most, with square pixels; zero leaves the pixels alone
	Square  bool        // scale pixels that are not square (PS3.3 C.7.6.3.1.7) in their shorter direction
	Magnify Magnify     // how to scale

	box  *ImageBox   // of Print
	size image.Point // of the picture, for Thumbnail
}

// FormatError says what in a data set keeps an image from being rendered.
type FormatError string

func (e FormatError) Error() string { return "render: " + string(e) }

// Frame renders frame i, counted from 0, of src, which pixel.Frames made of ds. The result
// is an *image.Gray, an *image.Gray16 or an *image.RGBA. Errors are *pixel.FrameError,
// FormatError, and *dicom.ValueError for a look-up table or window that is wrong.
func Frame(ctx context.Context, ds *dicom.DataSet, src *pixel.Source, i int, o Options) (image.Image, error) {
	coded, err := src.Frame(ctx, i, nil)
	if err != nil {
		return nil, err
	}
	px, decoded, err := src.Decode(i, coded, nil)
	if err != nil {
		return nil, err
	}
	d := src.Desc()
	d.Photometric = decoded.Photometric
	return picture(ctx, groups{ds, i}, d, px, o)
}

// Samples renders the samples of frame i as pixel.Source.Decode returns them; d.Photometric
// must be that of the samples.
func Samples(ds *dicom.DataSet, d pixel.Desc, px []byte, i int, o Options) (image.Image, error) {
	return picture(context.Background(), groups{ds, i}, d, px, o)
}

func picture(ctx context.Context, g groups, d pixel.Desc, px []byte, o Options) (image.Image, error) {
	if int64(len(px)) != d.FrameSize() {
		return nil, FormatError(fmt.Sprintf("frame %d has %d bytes, %d x %d pixels take %d", g.frame+1, len(px), d.Columns, d.Rows, d.FrameSize()))
	}
	if o.State != nil && !o.State.Shows(g.ds, g.frame) {
		return nil, FormatError(fmt.Sprintf("the presentation state is not for frame %d of this image", g.frame+1))
	}
	v, err := newView(g, image.Rect(0, 0, d.Columns, d.Rows), o)
	if err != nil {
		return nil, err
	}
	m, err := pixels(g, d, px, o)
	if err != nil {
		return nil, err
	}
	for _, l := range o.Over {
		rgba := inColour(m)
		if err := l.paint(ctx, sheetOf(rgba), g); err != nil {
			return nil, err
		}
		m = rgba
	}
	if m, err = planes(m, g, d, px, o); err != nil {
		return nil, err
	}
	m = v.show(m)
	if o.State != nil && !o.NoGraphics {
		err = o.State.annotate(m, v, g)
	}
	return m, err
}

// Layer is something laid over an image: a *Segmentation or a *Dose.
type Layer interface {
	paint(ctx context.Context, m sheet, g groups) error
}

// planes draws overlays and shutters: those of the image, or those of the presentation state.
func planes(m image.Image, g groups, d pixel.Desc, px []byte, o Options) (image.Image, error) {
	from, wanted := g, o.Overlays.wants
	hidden := shutterGroup(g.ds)
	var err error
	if o.State != nil {
		from = groups{o.State.ds, g.frame}
		m, err = o.State.planes(m, g, d, px, o)
	} else {
		m, err = drawOverlays(m, g, d, px, o.Overlays, func(group uint16) bool { return wanted(group) && group != hidden })
	}
	if err == nil && !o.NoShutter {
		err = drawShutter(m, from, d, px)
	}
	return m, err
}

// pixels draws the image alone.
func pixels(g groups, d pixel.Desc, px []byte, o Options) (image.Image, error) {
	switch {
	case d.Samples == 1 && (d.Photometric == pixel.Monochrome1 || d.Photometric == pixel.Monochrome2):
		return monochrome(g, d, px, o)
	case d.Samples == 1 && d.Photometric == pixel.PaletteColor && tabular(d):
		return paletteColor(g.ds, d, px)
	case d.Samples == 3 && !d.Float && (d.Photometric == pixel.RGB || d.Photometric == pixel.YBRFull):
		return colour(d, px), nil
	}
	return nil, FormatError(fmt.Sprintf("%s with %d samples of %d bits cannot be rendered: convert the object to RGB or MONOCHROME2 first", d.Photometric, d.Samples, d.BitsAllocated))
}
