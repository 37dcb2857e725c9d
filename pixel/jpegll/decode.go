package jpegll

import (
	"encoding/binary"
	"fmt"
	"slices"

	"gantry/pixel/internal/bits"
	"gantry/pixel/internal/marker"
)

// DecodeInfo reads the header of a stream, up to its first scan.
func DecodeInfo(src []byte) (Info, error) {
	d := decoder{src: src}
	if err := d.begin(); err != nil {
		return Info{}, err
	}
	s, done, err := d.next()
	if err == nil && done {
		err = FormatError("no scan")
	}
	if err != nil {
		return Info{}, err
	}
	d.info.Predictor, d.info.PointTransform = s.predictor, s.pointShift
	return d.info, nil
}

// Decode appends the samples of an image to dst: interleaved, a byte each up to 8 bits,
// else two, little endian. Of a stream whose differences add up to more than its precision
// they may have more bits than Info says. Errors are of the types FormatError and
// UnsupportedError; then dst is returned as it was, unless o.Partial asks for more.
func Decode(dst, src []byte, o DecodeOptions) ([]byte, Info, error) {
	d := decoder{src: src}
	if err := d.begin(); err != nil {
		return dst, Info{}, err
	}
	s, done, err := d.next()
	if err == nil && done {
		err = FormatError("no scan")
	}
	if err == nil {
		err = d.info.fits(o.Limits, len(src))
	}
	if err != nil {
		return dst, d.info, err
	}
	d.info.Predictor, d.info.PointTransform = s.predictor, s.pointShift
	at, size := len(dst), int(d.info.Size())
	dst = slices.Grow(dst, size)[:at+size]
	d.px = dst[at:]
	if len(s.comps) < d.info.Components || o.Partial {
		clear(d.px)
	}
	if err = d.scans(s); err != nil && !o.Partial {
		return dst[:at], d.info, err
	}
	return dst, d.info, err
}

// scans decodes the first scan and those that follow it until there is nothing more to
// know: what comes behind the last one is not looked at.
func (d *decoder) scans(s scan) error {
	for {
		if err := d.rows(&s); err != nil {
			return err
		}
		if !slices.Contains(d.covered[:d.info.Components], false) {
			return nil
		}
		next, done, err := d.next()
		if err == nil && done {
			err = FormatError("ends before all components had their scans")
		}
		if err != nil {
			return err
		}
		s = next
	}
}

// rows decodes one scan.
func (d *decoder) rows(s *scan) error {
	n := len(s.comps)
	width := d.info.Width * n
	every, err := d.restartRows()
	if err != nil {
		return err
	}
	r := bits.Reader{Src: d.src, Pos: d.pos}
	above, row := make([]uint16, width), make([]uint16, width)
	first := uint16(1) << (d.info.Bits - s.pointShift - 1)
	for y := range d.info.Height {
		fresh := y == 0
		if every > 0 && y > 0 && y%every == 0 {
			fresh = true
			if err := d.resync(&r, y/every-1); err != nil {
				return err
			}
		}
		if !differences(&r, row, s.tables[:n]) {
			return FormatError(fmt.Sprintf("no Huffman code fits in row %d", y))
		}
		if r.Exhausted() {
			return FormatError(fmt.Sprintf("ends in row %d of %d", y, d.info.Height))
		}
		if fresh {
			restoreFirst(row, n, first)
		} else {
			restore(row, above, n, s.predictor)
		}
		d.store(row, s, y)
		row, above = above, row
	}
	d.pos = marker.Find(d.src, r.Pos, 1)
	d.info.Unused = d.info.Unused || r.Unused(d.pos)
	return nil
}

// restartRows returns the restart interval in rows: it is a multiple of them (T.81 H.1.1).
func (d *decoder) restartRows() (int, error) {
	if d.restart%d.info.Width != 0 {
		return 0, UnsupportedError(fmt.Sprintf("a restart interval of %d in rows of %d", d.restart, d.info.Width))
	}
	return d.restart / d.info.Width, nil
}

// resync goes on behind the i-th restart marker.
func (d *decoder) resync(r *bits.Reader, i int) error {
	at := marker.Find(d.src, r.Pos, 1)
	d.info.Unused = d.info.Unused || r.Unused(at)
	if at == len(d.src) || d.src[at+1] != marker.RST0+byte(i%8) {
		return FormatError(fmt.Sprintf("restart marker %d is missing", i))
	}
	r.Restart(at + 2)
	return nil
}

// differences decodes one row of differences. It reports whether there was a code for each.
func differences(r *bits.Reader, row []uint16, tables []*table) bool {
	acc, n, pos, src := r.Acc, r.N, r.Pos, r.Src
	t, k := tables[0], 0
	ok := true
	for i := range row {
		if len(tables) > 1 {
			t = tables[k]
			if k++; k == len(tables) {
				k = 0
			}
		}
		if n < 32 {
			if pos+4 <= len(src) && !bits.HasFF(binary.BigEndian.Uint32(src[pos:])) {
				acc |= uint64(binary.BigEndian.Uint32(src[pos:])) << (32 - n)
				n += 32
				pos += 4
			} else {
				acc, n, pos = r.Refill(acc, n, pos)
			}
		}
		e := t.fast[acc>>(64-tableBits)]
		length, diff := int(e&0xff), uint16(e>>16)
		if length == 0 {
			if diff, length = t.find(acc); length == 0 {
				ok = false
				break
			}
		}
		row[i] = diff
		acc <<= uint(length) & 63
		n -= length
	}
	r.Acc, r.N, r.Pos = acc, n, pos
	return ok
}

// store puts a row of samples into the image.
func (d *decoder) store(row []uint16, s *scan, y int) {
	nf, n := d.info.Components, len(s.comps)
	shift := uint(s.pointShift)
	at := y * d.info.Width * nf
	if d.info.Bits > 8 {
		if n == nf && slices.IsSorted(s.comps) {
			line := d.px[2*at:][:2*len(row)]
			for i, v := range row {
				binary.LittleEndian.PutUint16(line[2*i:], v<<shift)
			}
			return
		}
		for i, v := range row {
			binary.LittleEndian.PutUint16(d.px[2*(at+i/n*nf+s.comps[i%n]):], v<<shift)
		}
		return
	}
	if n == nf && slices.IsSorted(s.comps) {
		line := d.px[at:][:len(row)]
		for i, v := range row {
			line[i] = byte(v << shift)
		}
		return
	}
	for i, v := range row {
		d.px[at+i/n*nf+s.comps[i%n]] = byte(v << shift)
	}
}
