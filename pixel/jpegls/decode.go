package jpegls

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"

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
	d.info.Near, d.info.Interleave, d.info.Preset = s.near, s.interleave, d.preset
	return s, err
}

// Decode appends the samples of an image to dst: interleaved, a byte each up to 8 bits,
// else two, little endian. The Info is as DecodeInfo returns it, with Near and Preset of
// the first scan. Errors are of the types FormatError and UnsupportedError; then dst is
// returned as it was, unless o.Partial asks for more.
func Decode(dst, src []byte, o DecodeOptions) ([]byte, Info, error) {
	d := decoder{src: src}
	s, err := d.first()
	if err == nil {
		err = d.info.fits(o.Limits, len(src))
	}
	if err != nil {
		return dst, d.info, err
	}
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
		if err := d.lines(&s); err != nil {
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

// lines decodes one scan.
func (d *decoder) lines(s *scan) error {
	ld := lineDecoder{state: newState(s.preset, s.near), r: bits.LSReader{Src: d.src, Pos: d.pos}}
	above, line := newLines(len(s.comps), d.info.Width), newLines(len(s.comps), d.info.Width)
	for y := range d.info.Height {
		if d.restart > 0 && y > 0 && int64(y)%d.restart == 0 {
			if err := d.resync(&ld, int64(y)/d.restart-1); err != nil {
				return err
			}
			for c := range above {
				clear(above[c])
				clear(line[c])
			}
		}
		ld.decode(line, above, s.interleave)
		if ld.bad || ld.r.Exhausted() {
			return FormatError(fmt.Sprintf("ends, or cannot be, in line %d of %d", y, d.info.Height))
		}
		for c, comp := range s.comps {
			d.store(line[c][1:d.info.Width+1], comp, y)
		}
		line, above = above, line
	}
	var err error
	d.pos, err = ld.end()
	return err
}

// end returns where the marker behind coded data is. Before it there are no bits but the zeros
// that fill up the last bytes (T.87 A.1), and fill bytes (T.81 B.1.1.2): others tell that the
// data was damaged.
func (d *lineDecoder) end() (int, error) {
	d.r.Fill()
	at := marker.Find(d.r.Src, d.r.Pos, 0x80)
	if d.r.Acc != 0 || len(bytes.TrimLeft(d.r.Src[d.r.Pos:at], "\xff")) > 0 {
		return at, FormatError("coded data goes on behind the last line")
	}
	return at, nil
}

// newLines makes lines of samples, with one more on each side.
func newLines(n, width int) [][]uint16 {
	out := make([][]uint16, n)
	for c := range out {
		out[c] = make([]uint16, width+2)
	}
	return out
}

// decode decodes the next line of each component.
func (d *lineDecoder) decode(line, above [][]uint16, mode Interleave) {
	for c := range line {
		sides(line[c], above[c])
	}
	if mode == Sample && len(line) > 1 {
		d.samples(line, above)
		return
	}
	for c := range line {
		if d.exact() {
			d.plain(line[c], above[c], c)
		} else {
			d.lossy(line[c], above[c], c)
		}
		if d.bad {
			return
		}
	}
}

// resync goes on behind the i-th restart marker.
func (d *decoder) resync(ld *lineDecoder, i int64) error {
	at, err := ld.end()
	if err != nil {
		return err
	}
	if at == len(d.src) || d.src[at+1] != marker.RST0+byte(i%8) {
		return FormatError(fmt.Sprintf("restart marker %d is missing", i))
	}
	ld.r.Restart(at + 2)
	ld.restart()
	return nil
}

// store puts the samples of one component's line into the image.
func (d *decoder) store(line []uint16, comp, y int) {
	step := d.info.Components
	at := y*d.info.Width*step + comp
	if d.info.Bits > 8 {
		px := d.px[2*at:]
		for i, v := range line {
			binary.LittleEndian.PutUint16(px[2*i*step:], v)
		}
		return
	}
	px := d.px[at:]
	for i, v := range line {
		px[i*step] = byte(v)
	}
}
