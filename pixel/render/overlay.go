package render

import (
	"fmt"
	"image"
	"image/color"
	"slices"

	"gantry/dicom"
	"gantry/dicom/tag"
	"gantry/pixel"
)

// Overlays says how overlay planes (PS3.3 C.9) are drawn. The zero value draws all of them
// in white: graphics replace pixels, and outside of a region of interest only a sixteenth
// of the light is left.
type Overlays struct {
	Off    bool
	Groups []uint16    // 0x6000 to 0x601E, even; none means all
	Ink    color.Color // nil is white; one with a hue makes the picture an *image.RGBA
}

func (o Overlays) wants(group uint16) bool {
	return !o.Off && (len(o.Groups) == 0 || slices.Contains(o.Groups, group))
}

func (o Overlays) ink() color.Color {
	if o.Ink == nil {
		return color.White
	}
	return o.Ink
}

const lastGroup = 0x601E // of overlays

// plane is one overlay of one frame.
type plane struct {
	roi   bool
	x, y  int // of its first pixel in the image, from 0
	w, h  int
	data  dicom.Element
	first int64 // bit of data, or
	px    []byte
	bytes int // of a sample of px, with the overlay in
	bit   int
}

// overlayTag is an attribute of an overlay group.
func overlayTag(group uint16, t tag.Tag) tag.Tag { return tag.New(group, t.Element()) }

// readPlane returns the overlay of a group that belongs to a frame, nil if there is none.
// Groups that say no size have none: some makers write empty ones.
func readPlane(ds *dicom.DataSet, group uint16, frame int, d pixel.Desc, px []byte) (*plane, error) {
	r := planeReader{ds: ds, group: group}
	h, w := r.number(tag.OverlayRows, 0), r.number(tag.OverlayColumns, 0)
	bits, bit := r.number(tag.OverlayBitsAllocated, 1), r.number(tag.OverlayBitPosition, 0)
	first, frames := r.number(tag.ImageFrameOrigin, 1)-1, r.number(tag.NumberOfFramesInOverlay, 1)
	e, has := ds.Get(overlayTag(group, tag.OverlayData))
	has = has && e.Len() > 0
	if r.err != nil || !has && bits <= 1 || has && (w < 1 || h < 1) {
		return nil, r.err
	}
	p := &plane{w: w, h: h, roi: ds.Text(overlayTag(group, tag.OverlayType)) == "R"}
	if p.y, p.x, r.err = r.origin(); r.err != nil {
		return nil, r.err
	}
	if !has {
		return p.embedded(d, px, bits, bit)
	}
	k := 0
	if r.several() {
		if k = frame - first; k < 0 || k >= frames {
			return nil, nil
		}
	}
	size := int64(w) * int64(h)
	if p.data, p.first = e, int64(k)*size; p.first+size > 8*e.Len() {
		return nil, &dicom.ValueError{Tag: e.Tag, Reason: fmt.Sprintf("%d bytes, frame %d of an overlay of %d x %d needs more: draw without overlays", e.Len(), k+1, w, h)}
	}
	return p, nil
}

// embedded finds an overlay in bits of the pixels that no sample uses: a retired form, for
// which the pixels must be as they were stored.
func (p *plane) embedded(d pixel.Desc, px []byte, bits, bit int) (*plane, error) {
	used := bit <= d.HighBit && bit > d.HighBit-d.BitsStored
	if bits != d.BitsAllocated || bits < 8 || bits > 16 || bit < 0 || bit >= bits || used || d.Samples != 1 {
		return nil, nil
	}
	p.x, p.y, p.w, p.h = 0, 0, d.Columns, d.Rows
	p.px, p.bytes, p.bit = px, bits/8, bit
	return p, nil
}

type planeReader struct {
	ds    *dicom.DataSet
	group uint16
	err   error
}

func (r *planeReader) number(t tag.Tag, def int) int {
	e, ok := r.ds.Get(overlayTag(r.group, t))
	if !ok || e.Empty() || e.Len() == 0 || r.err != nil {
		return def
	}
	v, err := e.Int()
	if err != nil || v < 0 || v > 1<<31-1 {
		r.err = &dicom.ValueError{Tag: e.Tag, Reason: fmt.Sprintf("%d: an overlay cannot have it: draw without overlays (%v)", v, err)}
		return def
	}
	return int(v)
}

// several reports whether the overlay has its own frames. One without is for all frames.
func (r *planeReader) several() bool {
	return r.ds.Text(overlayTag(r.group, tag.NumberOfFramesInOverlay)) != "" || r.ds.Has(overlayTag(r.group, tag.ImageFrameOrigin))
}

// origin is row and column of the first pixel, which may lie outside of the image.
func (r *planeReader) origin() (row, column int, err error) {
	e, ok := r.ds.Get(overlayTag(r.group, tag.OverlayOrigin))
	if !ok || e.Empty() || e.Len() == 0 {
		return 0, 0, nil
	}
	v, err := ints(e)
	if err != nil || len(v) < 2 {
		return 0, 0, &dicom.ValueError{Tag: e.Tag, Reason: fmt.Sprintf("%d numbers, an origin has 2: %v", len(v), err)}
	}
	return int(int16(v[0])) - 1, int(int16(v[1])) - 1, nil
}

// each calls f with the pixels of p that lie in a picture of w x h. It reads a row at a
// time, and no row that lies outside.
func (p *plane) each(w, h int, f func(x, y int, on bool)) error {
	from, to := max(0, p.x), min(w, p.x+p.w)
	for y := max(0, p.y); y < min(h, p.y+p.h) && from < to; y++ {
		if p.px != nil {
			for x := from; x < to; x++ {
				at := (y*p.w+x)*p.bytes + p.bit/8
				f(x, y, p.px[at]>>(p.bit%8)&1 == 1)
			}
			continue
		}
		bit := p.first + int64(y-p.y)*int64(p.w) + int64(from-p.x)
		b, err := bitsOf(p.data, bit, to-from)
		if err != nil {
			return err
		}
		for x := from; x < to; x++ {
			k := int(bit%8) + x - from
			f(x, y, b[k/8]>>(k%8)&1 == 1)
		}
	}
	return nil
}

// bitsOf reads the bytes with n bits of a value. The first of them is the lowest of its
// byte, in words of either byte order.
func bitsOf(e dicom.Element, from int64, n int) ([]byte, error) {
	start, end := from/8, (from+int64(n)+7)/8
	swap := e.BigEndian() && e.VR.Width() == 2
	if swap {
		start, end = start&^1, min((end+1)&^1, e.Len())
	}
	b := e.Bytes()
	if b == nil || swap {
		b = make([]byte, end-start)
		if n, err := e.Reader().ReadAt(b, start); n < len(b) {
			return nil, &dicom.ValueError{Tag: e.Tag, Reason: fmt.Sprintf("%d of %d bytes could be read: %v", n, len(b), err)}
		}
		b = b[:len(b):len(b)]
	} else {
		b = b[start:end]
	}
	if swap {
		for i := 0; i+1 < len(b); i += 2 {
			b[i], b[i+1] = b[i+1], b[i]
		}
		b = b[from/8-start:]
	}
	return b, nil
}

// drawOverlays draws the planes of a data set that are wanted.
func drawOverlays(m image.Image, g groups, d pixel.Desc, px []byte, o Overlays, wanted func(group uint16) bool) (image.Image, error) {
	for group := uint16(0x6000); group <= lastGroup; group += 2 {
		if !wanted(group) {
			continue
		}
		p, err := readPlane(g.ds, group, g.frame, d, px)
		if err != nil {
			return nil, err
		}
		if p == nil {
			continue
		}
		if !isGrey(o.ink()) {
			m = inColour(m)
		}
		if err := p.draw(sheetOf(m), o.ink()); err != nil {
			return nil, err
		}
	}
	return m, nil
}

func (p *plane) draw(s sheet, c color.Color) error {
	pen := s.ink(c)
	return p.each(s.w, s.h, func(x, y int, on bool) {
		switch {
		case p.roi && !on:
			s.dim(x, y)
		case !p.roi && on:
			s.put(x, y, pen)
		}
	})
}
