package pixel

import (
	"fmt"
	"math"
	"slices"

	"gantry/dicom"
	"gantry/dicom/tag"
)

// The photometric interpretations that this package knows by name (PS3.3 C.7.6.3.1.2).
const (
	Monochrome1   = "MONOCHROME1"
	Monochrome2   = "MONOCHROME2"
	PaletteColor  = "PALETTE COLOR"
	RGB           = "RGB"
	YBRFull       = "YBR_FULL"
	YBRFull422    = "YBR_FULL_422"
	YBRPartial422 = "YBR_PARTIAL_422"
	YBRPartial420 = "YBR_PARTIAL_420"
	YBRICT        = "YBR_ICT"
	YBRRCT        = "YBR_RCT"
)

// Desc is the form of an image: the attributes of the Image Pixel module (PS3.3 C.7.6.3)
// that say what the bytes of its frames mean. The zero value is no image.
type Desc struct {
	Rows, Columns int // 1 to 65,535
	Samples       int // Samples per Pixel
	BitsAllocated int // of each sample: 1, or a multiple of 8 up to 64
	BitsStored    int // of those, how many a sample uses
	HighBit       int // the most significant bit used, counted from 0
	Signed        bool
	Planar        bool // Planar Configuration 1: the samples of one colour come together
	Float         bool // Float or Double Float Pixel Data
	Photometric   string
	Frames        int
}

// FrameBits is the size of one decoded frame in bits, without padding: rows times columns
// times samples times bits allocated. It cannot overflow where ReadDesc made d.
func (d Desc) FrameBits() int64 {
	return int64(d.Rows) * int64(d.Columns) * int64(d.Samples) * int64(d.BitsAllocated)
}

// FrameSize is the size of one decoded frame in bytes; a last byte is filled up with zero
// bits.
func (d Desc) FrameSize() int64 { return (d.FrameBits() + 7) / 8 }

// pixels is how many a frame has.
func (d Desc) pixels() int { return d.Rows * d.Columns }

// cell is the bytes of one sample; 0 where samples are bits.
func (d Desc) cell() int { return d.BitsAllocated / 8 }

// subsampled reports whether two pixels share their colour differences in native form
// (PS3.3 C.7.6.3.1.2).
func (d Desc) subsampled() bool {
	return d.Photometric == YBRFull422 || d.Photometric == YBRPartial422
}

// ReadDesc reads the form of the image in ds. What the standard requires and an image
// cannot do without must be there; the rest has the values that follow from it. An error
// names the attribute: it is a *dicom.ValueError.
func ReadDesc(ds *dicom.DataSet, lim Limits) (Desc, error) {
	r := descReader{ds: ds}
	d := Desc{
		Rows:          r.number(tag.Rows, 1, math.MaxUint16, required),
		Columns:       r.number(tag.Columns, 1, math.MaxUint16, required),
		Samples:       r.number(tag.SamplesPerPixel, 1, maxSamples, 1),
		BitsAllocated: r.number(tag.BitsAllocated, 1, 64, required),
		Frames:        max(r.number(tag.NumberOfFrames, 0, math.MaxInt32, 1), 1),
	}
	switch {
	case ds.Has(tag.FloatPixelData):
		d.Float, d.BitsAllocated = true, r.floatBits(tag.FloatPixelData, d.BitsAllocated, 32)
	case ds.Has(tag.DoubleFloatPixelData):
		d.Float, d.BitsAllocated = true, r.floatBits(tag.DoubleFloatPixelData, d.BitsAllocated, 64)
	}
	d.BitsStored = r.number(tag.BitsStored, 1, d.BitsAllocated, d.BitsAllocated)
	d.HighBit = r.number(tag.HighBit, d.BitsStored-1, d.BitsAllocated-1, d.BitsStored-1)
	d.Signed = r.number(tag.PixelRepresentation, 0, 1, 0) == 1
	d.Planar = r.number(tag.PlanarConfiguration, 0, 1, 0) == 1 && d.Samples > 1
	d.Photometric = r.photometric(d.Samples)
	r.check(d, lim)
	return d, r.err
}

const maxSamples = 4 // ARGB and CMYK, both retired, had four

// descReader reads attributes until the first that is wrong.
type descReader struct {
	ds  *dicom.DataSet
	err error
}

func (r *descReader) fail(t tag.Tag, format string, args ...any) {
	if r.err == nil {
		r.err = &dicom.ValueError{Tag: t, Reason: fmt.Sprintf(format, args...)}
	}
}

const required = -1

// number returns the value of an attribute, def where it has none; required means that
// there must be one.
func (r *descReader) number(t tag.Tag, least, most, def int) int {
	e, ok := r.ds.Get(t)
	if !ok || e.Empty() {
		if def == required {
			r.fail(t, "missing: an image cannot be read without it")
		}
		return def
	}
	v, err := e.Int()
	switch {
	case err != nil:
		r.fail(t, "%v", err)
		return def
	case v < int64(least) || v > int64(most):
		r.fail(t, "%d is not from %d to %d", v, least, most)
		return def
	}
	return int(v)
}

// floatBits checks Bits Allocated, which is given by the kind of pixel data (PS3.3
// C.7.6.24, C.7.6.25).
func (r *descReader) floatBits(t tag.Tag, said, want int) int {
	if said != 0 && said != want {
		r.fail(tag.BitsAllocated, "%d, but %v has %d", said, t, want)
	}
	return want
}

func (r *descReader) photometric(samples int) string {
	if s := r.ds.Text(tag.PhotometricInterpretation); s != "" {
		return s
	}
	if samples == 3 {
		return RGB
	}
	return Monochrome2
}

// check is what needs several attributes together.
func (r *descReader) check(d Desc, lim Limits) {
	switch {
	case r.err != nil:
	case d.BitsAllocated != 1 && d.BitsAllocated%8 != 0:
		r.fail(tag.BitsAllocated, "%d is neither 1 nor a multiple of 8", d.BitsAllocated)
	case d.BitsAllocated == 1 && d.Samples > 1:
		r.fail(tag.SamplesPerPixel, "%d samples of one bit", d.Samples)
	case d.FrameSize() > lim.maxFrame():
		r.fail(tag.Rows, "a frame of %d x %d pixels takes %d bytes, Limits.MaxFrame allows %d", d.Columns, d.Rows, d.FrameSize(), lim.maxFrame())
	case int64(d.Frames) > lim.maxFrames():
		r.fail(tag.NumberOfFrames, "%d, Limits.MaxFrames allows %d", d.Frames, lim.maxFrames())
	case d.Samples == 1 && slices.Contains([]string{RGB, YBRFull, YBRFull422, YBRICT, YBRRCT}, d.Photometric):
		r.fail(tag.PhotometricInterpretation, "%s with one sample per pixel", d.Photometric)
	}
}
