package jpegll

import (
	"encoding/binary"
	"fmt"
	"math/bits"

	jbits "gantry/pixel/internal/bits"
	"gantry/pixel/internal/huff"
	"gantry/pixel/internal/marker"
)

const categories = 17 // T.81 Table H.2

// Encode appends the coded form of an image to dst: one interleaved scan with Huffman
// tables made for it (T.81 K.2), the first for the first component and another for the
// rest. Samples are as Decode returns them. Errors are of the types UnsupportedError and
// FormatError: px is not of the image's length, or has a sample of more than i.Bits.
func Encode(dst, px []byte, i Info, o EncodeOptions) ([]byte, error) {
	if err := i.check(); err != nil {
		return dst, err
	}
	if int64(len(px)) != i.Size() {
		return dst, FormatError(fmt.Sprintf("%d bytes of samples, the image has %d", len(px), i.Size()))
	}
	if o.RestartRows < 0 || o.RestartRows*i.Width >= 1<<16 {
		return dst, UnsupportedError(fmt.Sprintf("a restart interval of %d rows of %d pixels", o.RestartRows, i.Width))
	}
	if i.Predictor == 0 {
		i.Predictor = 1
	}
	e := encoder{info: i, px: px, every: o.RestartRows}
	specs, err := e.tables()
	if err != nil {
		return dst, err
	}
	return e.scan(e.header(dst, specs), specs), nil
}

type encoder struct {
	info  Info
	px    []byte
	every int
	seen  uint16 // all bits of all samples
}

// diffs calls f with the differences of each row; restart is the number of the restart
// marker that goes before it, or -1.
func (e *encoder) diffs(f func(diff []uint16, restart int)) {
	n := e.info.Components
	width := e.info.Width * n
	row, above, diff := make([]uint16, width), make([]uint16, width), make([]uint16, width)
	first := uint16(1) << (e.info.Bits - e.info.PointTransform - 1)
	for y := range e.info.Height {
		e.load(row, y)
		restart := -1
		if e.every > 0 && y > 0 && y%e.every == 0 {
			restart = y/e.every - 1
		}
		if y == 0 || restart >= 0 {
			predictFirst(diff, row, n, first)
		} else {
			predict(diff, row, above, n, e.info.Predictor)
		}
		f(diff, restart)
		row, above = above, row
	}
}

func (e *encoder) load(row []uint16, y int) {
	shift, all := uint(e.info.PointTransform), uint16(0)
	if e.info.Bits > 8 {
		line := e.px[2*y*len(row):][:2*len(row)]
		for i := range row {
			v := binary.LittleEndian.Uint16(line[2*i:])
			all |= v
			row[i] = v >> shift
		}
	} else {
		line := e.px[y*len(row):][:len(row)]
		for i, v := range line {
			all |= uint16(v)
			row[i] = uint16(v) >> shift
		}
	}
	e.seen |= all
}

// category returns the category of a difference and its bits (T.81 H.1.2.2).
func category(diff uint16) (c int, v uint32) {
	d := int32(int16(diff))
	sign := d >> 31
	c = bits.Len32(uint32((d ^ sign) - sign))
	return c, uint32(d+sign) & (1<<c - 1)
}

// tables makes the Huffman tables, having counted.
func (e *encoder) tables() ([]huff.Spec, error) {
	n := e.info.Components
	var freq [2][categories]int64
	e.diffs(func(diff []uint16, _ int) {
		if n == 1 {
			count(&freq[0], diff)
			return
		}
		for i, d := range diff {
			c, _ := category(d)
			freq[min(i%n, 1)][c]++
		}
	})
	if e.seen>>e.info.Bits != 0 {
		return nil, FormatError(fmt.Sprintf("a sample has more than %d bits", e.info.Bits))
	}
	specs := make([]huff.Spec, 0, 2)
	for k := range min(n, 2) {
		specs = append(specs, huff.Optimal(freq[k][:]))
	}
	return specs, nil
}

func count(freq *[categories]int64, diff []uint16) {
	for _, d := range diff {
		d := int32(int16(d))
		freq[bits.Len32(uint32((d^d>>31)-d>>31))]++
	}
}

// header appends everything before the first entropy coded byte.
func (e *encoder) header(dst []byte, specs []huff.Spec) []byte {
	i := e.info
	dst = append(dst, 0xff, marker.SOI)
	frame := []byte{byte(i.Bits), byte(i.Height >> 8), byte(i.Height), byte(i.Width >> 8), byte(i.Width), byte(i.Components)}
	scan := []byte{byte(i.Components)}
	for c := range i.Components {
		frame = append(frame, byte(c+1), 0x11, 0)
		scan = append(scan, byte(c+1), byte(min(c, 1))<<4)
	}
	dst = marker.Append(dst, marker.SOF3, frame...)
	for k := range specs {
		dst = marker.Append(dst, marker.DHT, specs[k].Append([]byte{byte(k)})...)
	}
	if e.every > 0 {
		n := e.every * i.Width
		dst = marker.Append(dst, marker.DRI, byte(n>>8), byte(n))
	}
	return marker.Append(dst, marker.SOS, append(scan, byte(i.Predictor), 0, byte(i.PointTransform))...)
}

// codes has for each category its code, shifted left so far that the bits of the difference
// fit in, and the length of both.
type codes [categories]struct {
	code   uint32
	length uint8
	extra  uint8
}

func newCodes(s *huff.Spec) *codes {
	var out codes
	s.Each(func(c uint8, code uint32, length int) {
		extra := extraBits(int(c))
		out[c].code, out[c].length, out[c].extra = code<<extra, uint8(length+extra), uint8(extra)
	})
	return &out
}

func (e *encoder) scan(dst []byte, specs []huff.Spec) []byte {
	w := jbits.Writer{Dst: dst}
	tables := make([]*codes, e.info.Components)
	for c := range tables {
		tables[c] = newCodes(&specs[min(c, 1)])
	}
	e.diffs(func(diff []uint16, restart int) {
		if restart >= 0 {
			w.Flush()
			w.Dst = append(w.Dst, 0xff, marker.RST0+byte(restart%8))
		}
		write(&w, diff, tables)
	})
	w.Flush()
	return append(w.Dst, 0xff, marker.EOI)
}

// write codes one row.
func write(w *jbits.Writer, diff []uint16, tables []*codes) {
	acc, n, dst := w.Acc, w.N, w.Dst
	t, k := tables[0], 0
	for _, v := range diff {
		if len(tables) > 1 {
			t = tables[k]
			if k++; k == len(tables) {
				k = 0
			}
		}
		d := int32(int16(v))
		sign := d >> 31
		e := &t[bits.Len32(uint32((d^sign)-sign))]
		acc = acc<<(e.length&63) | uint64(e.code|uint32(d+sign)&(1<<(e.extra&31)-1))
		if n += int(e.length); n >= 32 {
			n -= 32
			dst = jbits.AppendWord(dst, uint32(acc>>(uint(n)&63)))
		}
	}
	w.Acc, w.N, w.Dst = acc, n, dst
}
