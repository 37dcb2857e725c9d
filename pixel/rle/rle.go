// Package rle codes frames by RLE Lossless (PS3.5 annex G): each byte of the samples goes,
// most significant first, to a segment of its own, which PackBits compresses.
//
// The package knows nothing of DICOM data sets: a stream does not say what image it is of,
// so the caller does. Its functions may be called from any number of goroutines.
package rle

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
)

const (
	headerSize  = 64 // PS3.5 G.5: the number of segments and fifteen offsets
	maxSegments = 15
	maxRun      = 128
	// maxRatio bounds what a byte of a stream can stand for: two bytes say a run of 128.
	maxRatio         = maxRun / 2
	defaultMaxPixels = 1 << 28
	maxSide          = 1 << 16
)

// FormatError says what is wrong with a stream.
type FormatError string

func (e FormatError) Error() string { return "rle: " + string(e) }

// UnsupportedError says what an image has that this package, or the format, has not.
type UnsupportedError string

func (e UnsupportedError) Error() string { return "rle: unsupported: " + string(e) }

// Info is the form of one frame. Its zero value is no image.
type Info struct {
	Width, Height int // at most 65,535 each
	Components    int // samples per pixel
	Bits          int // allocated for each sample: 1, 8, 16, 24, 32 and so on
}

// Limits bounds what a stream may ask for. A negative value means no limit.
type Limits struct {
	MaxPixels int64 // Width times Height; 0 is 1<<28
}

// DecodeOptions says how to decode. The zero value decodes intact frames to interleaved
// samples.
type DecodeOptions struct {
	Planar  bool // put the components one after the other (Planar Configuration 1)
	Partial bool // return what could be decoded, the rest zero, together with the error
	Limits  Limits
}

// EncodeOptions says how to encode. The zero value expects interleaved samples.
type EncodeOptions struct {
	Planar bool // the components stand one after the other (Planar Configuration 1)
}

// layout is an Info whose numbers were checked.
type layout struct {
	samples  int // in each component; bytes of packed pixels where Bits is 1
	comps    int
	width    int // bytes of one sample
	segments int
	row      int // samples, or packed bytes, that are compressed together
	rows     int
}

func (l layout) size() int { return l.samples * l.comps * l.width }

// newLayout checks an image form. Nothing here can overflow: sides are below 2^16, and
// fifteen segments at most.
func newLayout(i Info, lim Limits) (layout, error) {
	pixels := int64(i.Width) * int64(i.Height)
	limit := lim.MaxPixels
	if limit == 0 {
		limit = defaultMaxPixels
	}
	switch {
	case i.Width < 1 || i.Height < 1 || i.Width >= maxSide || i.Height >= maxSide:
		return layout{}, UnsupportedError(fmt.Sprintf("%d x %d pixels", i.Width, i.Height))
	case limit > 0 && pixels > limit:
		return layout{}, UnsupportedError(fmt.Sprintf("%d pixels, at most %d are allowed", pixels, limit))
	case i.Components < 1 || i.Components > maxSegments || i.Bits == 1 && i.Components > 1:
		return layout{}, UnsupportedError(fmt.Sprintf("%d samples per pixel of %d bits", i.Components, i.Bits))
	case i.Bits != 1 && (i.Bits < 8 || i.Bits > 8*maxSegments || i.Bits%8 != 0):
		return layout{}, UnsupportedError(fmt.Sprintf("%d bits allocated", i.Bits))
	}
	l := layout{samples: int(pixels), comps: i.Components, width: i.Bits / 8, row: i.Width, rows: i.Height}
	if i.Bits == 1 {
		l.samples, l.width = int((pixels+7)/8), 1
		l.row, l.rows = l.samples, 1
	}
	l.segments = l.comps * l.width
	if l.segments > maxSegments {
		return layout{}, UnsupportedError(fmt.Sprintf("%d segments, the header has room for %d", l.segments, maxSegments))
	}
	if int64(l.samples) > math.MaxInt/maxSegments {
		return layout{}, UnsupportedError("more bytes than this machine can address")
	}
	return l, nil
}

// place returns where segment s begins in the samples and how far its bytes lie apart
// (PS3.5 G.2: most significant byte first; here samples are little endian).
func (l layout) place(s int, planar bool) (first, step int) {
	comp, b := s/l.width, l.width-1-s%l.width
	if planar {
		return comp*l.samples*l.width + b, l.width
	}
	return comp*l.width + b, l.comps * l.width
}

// segments splits a frame by its header.
func segments(src []byte) ([][]byte, error) {
	if len(src) < headerSize {
		return nil, FormatError("shorter than its header")
	}
	n := binary.LittleEndian.Uint32(src)
	if n < 1 || n > maxSegments {
		return nil, FormatError(fmt.Sprintf("%d segments", n))
	}
	offset := func(i uint32) int64 { return int64(binary.LittleEndian.Uint32(src[4+4*i:])) }
	out := make([][]byte, 0, maxSegments)
	for i := range n {
		from, to := offset(i), int64(len(src))
		if i+1 < n {
			to = min(to, offset(i+1))
		}
		if from < headerSize || from > to {
			return out, FormatError(fmt.Sprintf("segment %d is at %d, behind its end or the stream's", i+1, from))
		}
		out = append(out, src[from:to])
	}
	return out, nil
}

// DecodeInfo returns the number of segments that a frame says it has: samples per pixel
// times bytes per sample. That is all a stream knows of its image.
func DecodeInfo(src []byte) (int, error) {
	s, err := segments(src)
	return len(s), err
}

// Decode appends the samples of a frame to dst, little endian: interleaved, or planar as
// o says. Where Bits is 1 they are packed, first pixel lowest, as in native form; the
// segment may hold them packed too, or a byte each. Errors are of the types FormatError
// and UnsupportedError; then dst is returned as it was, unless o.Partial asks for more.
func Decode(dst, src []byte, i Info, o DecodeOptions) ([]byte, error) {
	l, err := newLayout(i, o.Limits)
	if err != nil {
		return dst, err
	}
	segs, err := segments(src)
	if err == nil && len(segs) != l.segments {
		err = FormatError(fmt.Sprintf("%d segments, the image needs %d", len(segs), l.segments))
	}
	if int64(l.samples) > maxRatio*int64(len(src)) {
		return dst, FormatError(fmt.Sprintf("%d bytes cannot hold %d pixels", len(src), l.samples))
	}
	if err != nil && (!o.Partial || len(segs) == 0) {
		return dst, err
	}
	at := len(dst)
	dst = slices.Grow(dst, l.size())[:at+l.size()]
	px := dst[at:]
	if e := decodeAll(px, segs[:min(len(segs), l.segments)], l, i, o.Planar); err == nil {
		err = e
	}
	if err != nil && !o.Partial {
		return dst[:at], err
	}
	return dst, err
}

func decodeAll(px []byte, segs [][]byte, l layout, i Info, planar bool) error {
	if len(segs) < l.segments {
		clear(px)
	}
	if pixels := i.Width * i.Height; i.Bits == 1 && pixels > l.samples && expands(segs[0], pixels) {
		return unpadded(px, segs[0], pixels)
	}
	short := false
	for s := 0; s < len(segs); s++ {
		first, step := l.place(s, planar)
		switch {
		case step == 1:
			short = plane(px[first:first+l.samples], segs[s]) || short
		case l.width == 2 && step == 2 && s+1 < len(segs):
			short = pair(px[first-1:first-1+2*l.samples], segs[s], segs[s+1]) || short
			s++
		default:
			short = scatter(px, first, step, l.samples, segs[s]) || short
		}
	}
	if short {
		return FormatError("a segment ends before its image")
	}
	return nil
}
