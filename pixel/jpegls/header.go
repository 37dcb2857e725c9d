package jpegls

import (
	"bytes"
	"fmt"

	"gantry/pixel/internal/marker"
)

// decoder walks through a stream.
type decoder struct {
	info    Info
	ids     [maxComponents]byte
	covered [maxComponents]bool
	preset  Preset // of the LSE segment last seen
	restart int64  // lines between restart markers; 0: none
	src     []byte
	pos     int
	px      []byte
}

// scan is one scan header (T.87 C.2.3).
type scan struct {
	comps      []int // which components, in the order of their samples
	near       int
	interleave Interleave
	preset     Preset
}

// begin checks the start of image.
func (d *decoder) begin() error {
	if len(d.src) < 2 || d.src[0] != 0xff || d.src[1] != marker.SOI {
		return FormatError("no start of image")
	}
	d.pos = 2
	return nil
}

// next reads segments up to the next scan. done reports the end of the image.
func (d *decoder) next() (s scan, done bool, err error) {
	for {
		seg, err := marker.Read(d.src, d.pos)
		if err != nil {
			return s, false, FormatError(err.Error())
		}
		d.pos = seg.Next
		switch {
		case marker.IsSOF(seg.Code):
			err = d.frame(seg)
		case seg.Code == marker.LSE:
			err = d.parameters(seg.Body)
		case seg.Code == marker.DRI:
			err = d.interval(seg.Body)
		case seg.Code == marker.EOI:
			return s, true, nil
		case seg.Code == marker.SOS:
			s, err = d.scan(seg.Body)
			return s, false, err
		case seg.Code == marker.DNL:
			err = UnsupportedError("the number of lines behind the image")
		case seg.Code == marker.SOI:
			err = FormatError("a second image begins inside the first")
		case seg.Code == marker.APP0+8 && bytes.HasPrefix(seg.Body, []byte("mrfx")) && len(seg.Body) > 4 && seg.Body[4] != 0:
			err = UnsupportedError("a colour transform that is not of the standard")
		}
		if err != nil {
			return s, false, err
		}
	}
}

// frame reads a frame header (T.87 C.2.2).
func (d *decoder) frame(seg marker.Segment) error {
	b := seg.Body
	switch {
	case seg.Code != marker.SOF55:
		return UnsupportedError(fmt.Sprintf("frame type %02x, this is not JPEG-LS", seg.Code))
	case d.info.Width != 0:
		return FormatError("a second frame header")
	case len(b) < 6 || len(b) != 6+3*int(b[5]):
		return FormatError("frame header of the wrong length")
	}
	i := Info{Bits: int(b[0]), Height: int(b[1])<<8 | int(b[2]), Width: int(b[3])<<8 | int(b[4]), Components: int(b[5])}
	if err := i.checkFrame(); err != nil {
		return err
	}
	for c := range i.Components {
		d.ids[c] = b[6+3*c]
		if i.Components > 1 && b[7+3*c] != b[7] {
			return UnsupportedError("components that are sampled differently")
		}
	}
	d.info = i
	return nil
}

// parameters reads an LSE segment (T.87 C.2.4.1). Mapping tables are left alone: a scan
// that wants one is refused.
func (d *decoder) parameters(b []byte) error {
	switch {
	case len(b) == 11 && b[0] == 1:
		v := func(i int) int { return int(b[i])<<8 | int(b[i+1]) }
		d.preset = Preset{MaxVal: v(1), T1: v(3), T2: v(5), T3: v(7), Reset: v(9)}
		return nil
	case len(b) > 0 && (b[0] == 2 || b[0] == 3):
		return nil
	case len(b) > 0 && b[0] == 4:
		return UnsupportedError("an image of more than 65,535 lines or columns")
	}
	return FormatError("preset parameters that cannot be read")
}

// interval reads the number of lines between restart markers (T.87 C.2.5).
func (d *decoder) interval(b []byte) error {
	if len(b) < 2 || len(b) > 4 {
		return FormatError("restart interval of the wrong length")
	}
	d.restart = 0
	for _, v := range b {
		d.restart = d.restart<<8 | int64(v)
	}
	return nil
}

// scan reads a scan header and finds its components and parameters.
func (d *decoder) scan(b []byte) (scan, error) {
	var s scan
	if d.info.Width == 0 {
		return s, FormatError("a scan before the frame header")
	}
	if len(b) < 1 || b[0] < 1 || b[0] > maxComponents || len(b) != 4+2*int(b[0]) {
		return s, FormatError("scan header of the wrong length")
	}
	for k := range int(b[0]) {
		c, err := d.component(b[1+2*k])
		if err != nil {
			return s, err
		}
		if b[2+2*k] != 0 {
			return s, UnsupportedError("a mapping table")
		}
		s.comps = append(s.comps, c)
	}
	b = b[len(b)-3:]
	s.near, s.interleave = int(b[0]), Interleave(b[1])
	if b[2] != 0 {
		return s, UnsupportedError("a point transform")
	}
	if s.interleave == None && len(s.comps) > 1 {
		return s, FormatError("a scan of several components that are not interleaved")
	}
	i := d.info
	i.Near, i.Interleave, i.Preset = s.near, s.interleave, d.preset
	var err error
	s.preset, err = i.resolve()
	return s, err
}

// component finds a component that no scan had yet.
func (d *decoder) component(id byte) (int, error) {
	for c := range d.info.Components {
		if d.ids[c] == id && !d.covered[c] {
			d.covered[c] = true
			return c, nil
		}
	}
	return 0, FormatError(fmt.Sprintf("a scan of component %d, which the frame has not or had already", id))
}
