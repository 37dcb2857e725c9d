// Package render makes pictures for people out of the frames of images: the grey pipeline
// of Modality LUT, VOI LUT and Presentation LUT (PS3.3 C.11.1, C.11.2, C.11.6), and the
// colours of PALETTE COLOR, RGB and YBR_FULL (PS3.3 C.7.6.3, C.7.9).
//
// What is drawn are P-Values (PS3.14) for a standard display. Overlays, graphics and
// supplemental palettes are not drawn.
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
	VOI    VOI
	Window *Window // in place of VOI, in units after the Modality LUT
	Deep   bool    // grey images are *image.Gray16
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
	return Samples(ds, d, px, i, o)
}

// Samples renders the samples of frame i as pixel.Source.Decode returns them; d.Photometric
// must be that of the samples.
func Samples(ds *dicom.DataSet, d pixel.Desc, px []byte, i int, o Options) (image.Image, error) {
	if int64(len(px)) != d.FrameSize() {
		return nil, FormatError(fmt.Sprintf("frame %d has %d bytes, %d x %d pixels take %d", i+1, len(px), d.Columns, d.Rows, d.FrameSize()))
	}
	switch {
	case d.Samples == 1 && (d.Photometric == pixel.Monochrome1 || d.Photometric == pixel.Monochrome2):
		return grey(groups{ds, i}, d, px, o)
	case d.Samples == 1 && d.Photometric == pixel.PaletteColor && tabular(d):
		return paletteColor(ds, d, px)
	case d.Samples == 3 && d.BitsAllocated <= 16 && (d.Photometric == pixel.RGB || d.Photometric == pixel.YBRFull):
		return colour(d, px), nil
	}
	return nil, FormatError(fmt.Sprintf("%s with %d samples of %d bits cannot be rendered: convert the object to RGB or MONOCHROME2 first", d.Photometric, d.Samples, d.BitsAllocated))
}
