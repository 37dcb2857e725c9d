package jpeg

import (
	"bytes"
	"fmt"

	"gantry/pixel/internal/huff"
	"gantry/pixel/internal/marker"
)

// component is one component of the frame (T.81 B.2.2).
type component struct {
	id            byte
	h, v          int // sampling factors
	quant         int
	width, height int      // in samples
	bw, bh        int      // blocks, whole MCUs
	plane         []uint16 // samples of all blocks, 8*bw in a row
	coef          []int16  // coefficients of all blocks, in zigzag order, if progressive
	covered       bool     // a scan had it
	pred          int32    // DC of the block before
}

// decoder walks through a stream.
type decoder struct {
	info         Info
	comps        [maxComponents]component
	hMax, vMax   int
	mcusX, mcusY int
	quant        [4]*[64]int32 // in zigzag order
	shifts       *idctShifts
	dc, ac       [4]*table
	restart      int // MCUs between restart markers; 0: none
	jfif         bool
	adobe        int // transform of the Adobe marker; -1: there is none
	src          []byte
	pos          int
	eobRun       int // blocks to come without more coefficients (T.81 G.1.2.2)
}

// scan is one scan header (T.81 B.2.3).
type scan struct {
	comps      []*component
	dc, ac     [maxComponents]*table
	start, end int // of the coefficients
	high, low  int // successive approximation
}

func (d *decoder) begin() error {
	if len(d.src) < 2 || d.src[0] != 0xff || d.src[1] != marker.SOI {
		return FormatError("no start of image")
	}
	d.pos, d.adobe = 2, -1
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
		switch seg.Code {
		case marker.EOI:
			return s, true, nil
		case marker.SOS:
			s, err = d.scan(seg.Body)
			return s, false, err
		}
		if err := d.segment(seg); err != nil {
			return s, false, err
		}
	}
}

// segment takes in what is not a scan.
func (d *decoder) segment(seg marker.Segment) error {
	b := seg.Body
	switch {
	case marker.IsSOF(seg.Code):
		return d.frame(seg)
	case seg.Code == marker.DHT:
		return d.huffman(b)
	case seg.Code == marker.DQT:
		return d.quantization(b)
	case seg.Code == marker.DRI:
		if len(b) != 2 {
			return FormatError("restart interval of the wrong length")
		}
		d.restart = int(b[0])<<8 | int(b[1])
	case seg.Code == marker.APP0 && bytes.HasPrefix(b, []byte("JFIF\x00")):
		d.jfif = true
	case seg.Code == marker.APP0+14 && bytes.HasPrefix(b, []byte("Adobe")) && len(b) >= 12:
		d.adobe = int(b[11])
	case seg.Code == marker.DNL:
		return UnsupportedError("the number of lines behind the image")
	case seg.Code == marker.SOI:
		return FormatError("a second image begins inside the first")
	}
	return nil
}

// frame reads a frame header (T.81 B.2.2).
func (d *decoder) frame(seg marker.Segment) error {
	b := seg.Body
	switch {
	case seg.Code > marker.SOF0+2:
		return UnsupportedError(fmt.Sprintf("frame type %02x", seg.Code))
	case d.info.Width != 0:
		return FormatError("a second frame header")
	case len(b) < 6 || len(b) != 6+3*int(b[5]):
		return FormatError("frame header of the wrong length")
	}
	i := Info{Bits: int(b[0]), Height: int(b[1])<<8 | int(b[2]), Width: int(b[3])<<8 | int(b[4]), Components: int(b[5])}
	i.Progressive = seg.Code == marker.SOF0+2
	if err := i.check(); err != nil {
		return err
	}
	for c := range i.Components {
		f := b[6+3*c:]
		d.comps[c] = component{id: f[0], h: int(f[1] >> 4), v: int(f[1] & 15), quant: int(f[2])}
		if k := &d.comps[c]; k.h < 1 || k.h > 4 || k.v < 1 || k.v > 4 || k.quant > 3 {
			return FormatError(fmt.Sprintf("component %d is sampled %d x %d, table %d", c, k.h, k.v, k.quant))
		}
	}
	if i.Components == 1 {
		d.comps[0].h, d.comps[0].v = 1, 1 // one block is one MCU, whatever they are (A.2.2)
	}
	d.info = i
	d.arrange()
	return nil
}

// arrange finds the sizes of the components (T.81 A.1.1, A.2.4).
func (d *decoder) arrange() {
	comps := d.comps[:d.info.Components]
	for _, c := range comps {
		d.hMax, d.vMax = max(d.hMax, c.h), max(d.vMax, c.v)
	}
	d.mcusX, d.mcusY = divUp(d.info.Width, 8*d.hMax), divUp(d.info.Height, 8*d.vMax)
	for k := range comps {
		c := &comps[k]
		c.width, c.height = divUp(d.info.Width*c.h, d.hMax), divUp(d.info.Height*c.v, d.vMax)
		c.bw, c.bh = d.mcusX*c.h, d.mcusY*c.v
	}
}

func divUp(a, b int) int { return (a + b - 1) / b }

// quantization reads quantization tables (T.81 B.2.4.1).
func (d *decoder) quantization(b []byte) error {
	for len(b) > 0 {
		wide, number := int(b[0]>>4), b[0]&15
		if wide > 1 || number > 3 || len(b) < 1+64<<wide {
			return FormatError("a quantization table that cannot be read")
		}
		t := new([64]int32)
		for k := range t {
			if wide == 1 {
				t[k] = int32(b[1+2*k])<<8 | int32(b[2+2*k])
			} else {
				t[k] = int32(b[1+k])
			}
		}
		d.quant[number] = t
		b = b[1+64<<wide:]
	}
	return nil
}

// huffman reads table specifications (T.81 B.2.4.2).
func (d *decoder) huffman(b []byte) error {
	for len(b) > 0 {
		class, number := b[0]>>4, b[0]&15
		if class > 1 || number > 3 {
			return FormatError(fmt.Sprintf("Huffman table %02x", b[0]))
		}
		spec, n, err := huff.Parse(b[1:])
		if err != nil {
			return FormatError(err.Error())
		}
		if class == 0 {
			d.dc[number] = newTable(&spec)
		} else {
			d.ac[number] = newTable(&spec)
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
	end := b[len(b)-3:]
	s.start, s.end, s.high, s.low = int(end[0]), int(end[1]), int(end[2]>>4), int(end[2]&15)
	if err := d.checkBand(&s, int(b[0])); err != nil {
		return s, err
	}
	blocks := 0
	for k := range int(b[0]) {
		c := d.find(b[1+2*k], s.comps)
		if c == nil || !d.info.Progressive && c.covered {
			return s, FormatError(fmt.Sprintf("a scan of component %d, which the frame has not or had already", b[1+2*k]))
		}
		s.comps = append(s.comps, c)
		blocks += c.h * c.v
		if err := d.tables(&s, k, b[2+2*k]); err != nil {
			return s, err
		}
	}
	if len(s.comps) > 1 && blocks > 10 {
		return s, FormatError(fmt.Sprintf("%d blocks in an MCU", blocks))
	}
	for _, c := range s.comps {
		c.covered = true
	}
	return s, nil
}

// checkBand checks which coefficients a scan has (T.81 G.1.1.1). A sequential scan has all
// of them; known streams say something else there.
func (d *decoder) checkBand(s *scan, comps int) error {
	if !d.info.Progressive {
		s.start, s.end, s.high, s.low = 0, 63, 0, 0
		return nil
	}
	ok := s.start <= s.end && s.end < 64 && s.low < 14 && (s.high == 0 || s.high == s.low+1)
	if !ok || (s.start == 0) != (s.end == 0) || s.start > 0 && comps > 1 {
		return FormatError(fmt.Sprintf("a scan of coefficients %d to %d, bits %d and %d", s.start, s.end, s.high, s.low))
	}
	return nil
}

func (d *decoder) find(id byte, had []*component) *component {
	for k := range d.info.Components {
		c := &d.comps[k]
		for _, h := range had {
			if h == c {
				c = nil
				break
			}
		}
		if c != nil && c.id == id {
			return c
		}
	}
	return nil
}

// tables finds the Huffman tables that a component needs in a scan.
func (d *decoder) tables(s *scan, k int, numbers byte) error {
	dc, ac := numbers>>4, numbers&15
	if dc > 3 || ac > 3 {
		return FormatError(fmt.Sprintf("Huffman tables %02x", numbers))
	}
	s.dc[k], s.ac[k] = d.dc[dc], d.ac[ac]
	needDC, needAC := s.start == 0 && s.high == 0, s.end > 0
	if needDC && s.dc[k] == nil || needAC && s.ac[k] == nil {
		return FormatError(fmt.Sprintf("Huffman tables %02x are missing", numbers))
	}
	return nil
}

// colour finds out what three components are, as libjpeg does. Those with fewer samples are
// colour differences for sure: nobody halves red or green.
func (d *decoder) colour() (ycbcr, supposed bool) {
	c := &d.comps
	switch {
	case d.info.Components != 3:
		return false, false
	case d.jfif:
		return true, false
	case d.adobe >= 0:
		return d.adobe != 0, false
	}
	named := c[0].id == 'R' && c[1].id == 'G' && c[2].id == 'B'
	halved := c[1].h*c[1].v < d.hMax*d.vMax
	return !named, !named && !halved
}
