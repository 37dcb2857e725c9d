package jpeg

import (
	"encoding/binary"
	"fmt"
	"slices"
	"sync"

	"gantry/pixel/internal/bits"
	"gantry/pixel/internal/marker"
)

// DecodeInfo reads the header of a stream, up to its first scan.
func DecodeInfo(src []byte) (Info, error) {
	d := decoder{src: src}
	_, err := d.first()
	return d.info, err
}

// first reads up to the first scan.
func (d *decoder) first() (scan, error) {
	if err := d.begin(); err != nil {
		return scan{}, err
	}
	s, done, err := d.next()
	if err == nil && done {
		err = FormatError("no scan")
	}
	if err != nil {
		d.info = Info{}
	}
	d.info.YCbCr, d.info.Supposed = d.colour()
	return s, err
}

// Decode appends the samples of an image to dst: interleaved, a byte each of 8 bits and two,
// little endian, of 12. Components with fewer samples are interpolated as libjpeg does by
// default. Errors are of the types FormatError and UnsupportedError; then dst is returned as
// it was, unless o.Partial asks for more.
func Decode(dst, src []byte, o DecodeOptions) ([]byte, Info, error) {
	d := decoder{src: src}
	s, err := d.first()
	if err == nil {
		err = d.info.fits(o.Limits, len(src))
	}
	if err != nil {
		return dst, d.info, err
	}
	d.shifts = newIDCTShifts(d.info.Bits)
	buffer := d.planes()
	defer planeBuffers.Put(buffer)
	err = d.scans(s)
	if e := d.reconstruct(); err == nil {
		err = e
	}
	if err != nil && !o.Partial {
		return dst, d.info, err
	}
	at, size := len(dst), int(d.info.Size())
	dst = slices.Grow(dst, size)[:at+size]
	d.output(dst[at:])
	return dst, d.info, err
}

var planeBuffers = sync.Pool{New: func() any { return new([]uint16) }}

// planes gives the components their planes, all zero, out of a buffer that it returns.
func (d *decoder) planes() *[]uint16 {
	comps, total := d.comps[:d.info.Components], 0
	for k := range comps {
		total += 64 * comps[k].bw * comps[k].bh
	}
	buffer := planeBuffers.Get().(*[]uint16)
	if cap(*buffer) < total {
		*buffer = make([]uint16, total)
	}
	rest := (*buffer)[:total]
	clear(rest)
	for k := range comps {
		c := &comps[k]
		n := 64 * c.bw * c.bh
		c.plane, rest = rest[:n:n], rest[n:]
		if d.info.Progressive {
			c.coef = make([]int16, n)
		}
	}
	return buffer
}

// scans decodes the first scan and those that follow it. What comes behind the last one of
// a sequential image is not looked at.
func (d *decoder) scans(s scan) error {
	for n := 1; ; n++ {
		if err := d.one(&s); err != nil {
			return err
		}
		complete := true
		for k := range d.info.Components {
			complete = complete && d.comps[k].covered
		}
		if complete && !d.info.Progressive {
			return nil
		}
		next, done, err := d.next()
		switch {
		case err != nil:
			return err
		case done && !complete:
			return FormatError("ends before all components had their scans")
		case done:
			return nil
		case n == maxScans:
			return UnsupportedError(fmt.Sprintf("more than %d scans", maxScans))
		}
		s = next
	}
}

// one decodes one scan.
func (d *decoder) one(s *scan) error {
	r := bits.Reader{Src: d.src, Pos: d.pos}
	d.reset()
	columns, rows := d.mcusX, d.mcusY
	if len(s.comps) == 1 {
		columns, rows = divUp(s.comps[0].width, 8), divUp(s.comps[0].height, 8)
	}
	left, restarts := d.restart, 0
	for y := range rows {
		for x := range columns {
			if d.restart > 0 && left == 0 {
				if err := d.resync(&r, restarts); err != nil {
					return err
				}
				left = d.restart
				restarts++
			}
			left--
			if !d.mcu(&r, s, x, y) {
				return FormatError(fmt.Sprintf("no block fits at MCU %d, %d", x, y))
			}
		}
		if r.Exhausted() {
			return FormatError(fmt.Sprintf("ends in MCU row %d of %d", y, rows))
		}
	}
	d.pos = marker.Find(d.src, r.Pos, 1)
	d.info.Unused = d.info.Unused || r.Unused(d.pos)
	return nil
}

// reset begins a scan, or anew behind a restart marker.
func (d *decoder) reset() {
	d.eobRun = 0
	for k := range d.comps {
		d.comps[k].pred = 0
	}
}

// resync goes on behind the i-th restart marker.
func (d *decoder) resync(r *bits.Reader, i int) error {
	at := marker.Find(d.src, r.Pos, 1)
	d.info.Unused = d.info.Unused || r.Unused(at)
	if r.Exhausted() || at == len(d.src) || d.src[at+1] != marker.RST0+byte(i%8) {
		return FormatError(fmt.Sprintf("restart marker %d is missing", i))
	}
	r.Restart(at + 2)
	d.reset()
	return nil
}

// mcu decodes a minimum coded unit: the blocks of all components, or one block of one.
func (d *decoder) mcu(r *bits.Reader, s *scan, x, y int) bool {
	if len(s.comps) == 1 {
		return d.block(r, s, 0, x, y)
	}
	for k, c := range s.comps {
		for v := range c.v {
			for h := range c.h {
				if !d.block(r, s, k, x*c.h+h, y*c.v+v) {
					return false
				}
			}
		}
	}
	return true
}

// block decodes a block of the k-th component of a scan.
func (d *decoder) block(r *bits.Reader, s *scan, k, x, y int) bool {
	c := s.comps[k]
	if d.info.Progressive {
		at := 64 * (y*c.bw + x)
		return d.progressive(r, s, k, (*[64]int16)(c.coef[at:at+64]))
	}
	q := d.quant[c.quant]
	if q == nil {
		return false
	}
	return d.sequential(r, c, s.dc[k], s.ac[k], q, c.plane[8*(y*8*c.bw+x):])
}

// sequential decodes a block and transforms it (T.81 F.2).
func (d *decoder) sequential(r *bits.Reader, c *component, dc, ac *table, q *[64]int32, out []uint16) bool {
	n := dc.symbol(r)
	if n < 0 || n > 16 {
		return false
	}
	c.pred += extend(r, n)
	var f [64]int32
	f[0] = c.pred * q[0]
	last, ok := coefficients(r, ac, q, &f)
	switch {
	case !ok:
		return false
	case last == 0:
		flat(f[0], out, 8*c.bw, d.shifts)
	default:
		idct(&f, out, 8*c.bw, d.shifts)
	}
	return true
}

// coefficients decodes the AC coefficients of a block, and returns which is the last. The
// fields of r are in variables.
func coefficients(r *bits.Reader, ac *table, q *[64]int32, f *[64]int32) (last int, ok bool) {
	acc, n, pos, src := r.Acc, r.N, r.Pos, r.Src
	for k := 1; k < 64; k++ {
		if n <= 32 {
			if pos+4 <= len(src) && !bits.HasFF(binary.BigEndian.Uint32(src[pos:])) {
				acc |= uint64(binary.BigEndian.Uint32(src[pos:])) << (uint(32-n) & 63)
				n += 32
				pos += 4
			} else {
				acc, n, pos = r.Refill(acc, n, pos)
			}
		}
		e := ac.whole[acc>>(64-tableBits)]
		v := int32(e) >> 16
		if length := int(e & 0xff); length != 0 {
			acc <<= uint(length) & 63
			n -= length
			k += int(e >> 8 & 0xff)
		} else {
			r.Acc, r.N, r.Pos = acc, n, pos
			rs := ac.symbol(r)
			if rs < 0 {
				return 0, false
			}
			k += rs >> 4
			v = extend(r, rs&15)
			acc, n, pos = r.Acc, r.N, r.Pos
			if rs&15 == 0 && rs>>4 < 15 {
				break
			}
		}
		if k > 63 {
			if v != 0 {
				return 0, false
			}
			break
		}
		f[zigzag[k&63]&63] = v * q[k&63]
		last = k
	}
	r.Acc, r.N, r.Pos = acc, n, pos
	return last, true
}

// reconstruct transforms the blocks of a progressive image.
func (d *decoder) reconstruct() error {
	if !d.info.Progressive {
		return nil
	}
	for k := range d.info.Components {
		c := &d.comps[k]
		q := d.quant[c.quant]
		if q == nil {
			return FormatError(fmt.Sprintf("quantization table %d is missing", c.quant))
		}
		for b := range c.bw * c.bh {
			var f [64]int32
			for z, v := range c.coef[64*b:][:64] {
				f[zigzag[z]] = int32(v) * q[z]
			}
			idct(&f, c.plane[8*(b/c.bw*8*c.bw+b%c.bw):], 8*c.bw, d.shifts)
		}
	}
	return nil
}
