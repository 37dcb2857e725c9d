package jpegll

import (
	"fmt"

	"gantry/pixel/internal/huff"
	"gantry/pixel/internal/marker"
)

// header is what the marker segments before a scan said.
type header struct {
	info    Info
	ids     [maxComponents]byte
	tables  [4]*table
	restart int // MCUs between restart markers; 0: none (T.81 B.2.4.4)
}

// scan is one scan header (T.81 B.2.3).
type scan struct {
	comps      []int // which components, in the order of their samples
	tables     [maxComponents]*table
	predictor  int
	pointShift int
}

// decoder walks through a stream.
type decoder struct {
	header
	src     []byte
	pos     int
	px      []byte
	covered [maxComponents]bool
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
		case seg.Code == marker.DHT:
			err = d.huffman(seg.Body)
		case seg.Code == marker.DRI:
			if len(seg.Body) != 2 {
				return s, false, FormatError("restart interval of the wrong length")
			}
			d.restart = int(seg.Body[0])<<8 | int(seg.Body[1])
		case seg.Code == marker.EOI:
			return s, true, nil
		case seg.Code == marker.SOS:
			s, err = d.scan(seg.Body)
			return s, false, err
		case seg.Code == marker.DNL:
			err = UnsupportedError("the number of lines behind the image")
		case seg.Code == marker.SOI:
			err = FormatError("a second image begins inside the first")
		}
		if err != nil {
			return s, false, err
		}
	}
}

// begin checks the start of image.
func (d *decoder) begin() error {
	if len(d.src) < 2 || d.src[0] != 0xff || d.src[1] != marker.SOI {
		return FormatError("no start of image")
	}
	d.pos = 2
	return nil
}

// frame reads a frame header (T.81 B.2.2).
func (d *decoder) frame(seg marker.Segment) error {
	b := seg.Body
	switch {
	case seg.Code != marker.SOF3:
		return UnsupportedError(fmt.Sprintf("frame type %02x, this is not lossless JPEG with Huffman codes", seg.Code))
	case d.info.Width != 0:
		return FormatError("a second frame header")
	case len(b) < 6 || len(b) != 6+3*int(b[5]):
		return FormatError("frame header of the wrong length")
	}
	i := Info{Bits: int(b[0]), Height: int(b[1])<<8 | int(b[2]), Width: int(b[3])<<8 | int(b[4]), Components: int(b[5])}
	if err := i.check(); err != nil {
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

// huffman reads table specifications (T.81 B.2.4.2).
func (d *decoder) huffman(b []byte) error {
	for len(b) > 0 {
		class, number := b[0]>>4, b[0]&15
		if class != 0 || number > 3 {
			return FormatError(fmt.Sprintf("Huffman table %02x", b[0]))
		}
		spec, n, err := huff.Parse(b[1:])
		if err != nil {
			return FormatError(err.Error())
		}
		if d.tables[number], err = newTable(&spec); err != nil {
			return err
		}
		b = b[1+n:]
	}
	return nil
}

// scan reads a scan header and finds its components and tables.
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
		t := b[2+2*k] >> 4
		if t > 3 || d.tables[t] == nil {
			return s, FormatError(fmt.Sprintf("Huffman table %d is missing", t))
		}
		s.tables[k] = d.tables[t]
		s.comps = append(s.comps, c)
	}
	b = b[len(b)-3:]
	s.predictor, s.pointShift = int(b[0]), int(b[2]&15)
	if s.predictor < 1 || s.predictor > 7 {
		return s, UnsupportedError(fmt.Sprintf("predictor %d", s.predictor))
	}
	if s.pointShift >= d.info.Bits {
		return s, FormatError(fmt.Sprintf("point transform %d of %d bits", s.pointShift, d.info.Bits))
	}
	return s, nil
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
