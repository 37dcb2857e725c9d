package j2k

import "encoding/binary"

// Samples of more bits than int32 arithmetic has room for, deep ones, are coded without loss
// alone, with coefficients of 64 bits. The coder of part 1 does not know: it is given the
// upper and the lower planes one after the other.

const (
	narrowBits     = 24 // precision above which samples are deep
	mostPlanes     = 30 // that a coefficient of 32 bits has room for, beside a bit below and the sign
	mostDeepPlanes = 54
	lowPlanes      = 24 // how many planes of a deep block come last
)

func (i Info) deep() bool { return i.Bits > narrowBits }

// toLow goes on to the lower planes of a block.
func (b *blockDecoder) toLow() {
	b.high = append(b.high[:0], b.data...)
	clear(b.data)
}

// join puts the planes of a decoded block together, in the form of blockDecoder.data.
func (b *blockDecoder) join(to []uint64) []uint64 {
	to = sized(to, len(b.data))
	for i, v := range b.data {
		if to[i] = uint64(v&^signBit) | uint64(v>>31)<<63; len(b.high) == 0 {
			continue
		}
		if h := b.high[i]; h != 0 { // then v is by how much the lower planes move it
			to[i] = uint64(int64(h&^signBit)<<lowPlanes+int64(int32(v))) | uint64(h>>31)<<63
		}
	}
	return to
}

// load takes magnitudes with their signs below the lowest bit.
func (e *blockEncoder) load(data []uint32) {
	for i, v := range data {
		data[i] = v>>1 | v<<31
	}
	e.data, e.high = data, e.high[:0]
}

// split is load for deep ones.
func (e *blockEncoder) split(data []uint64) {
	e.data, e.high = sized(e.data, len(data)), sized(e.high, len(data))
	for i, v := range data {
		sign, m := uint32(v&1)<<31, v>>1
		e.data[i], e.high[i] = uint32(m&(1<<lowPlanes-1))|sign, uint32(m>>lowPlanes)|sign
	}
}

// decodeDeep leaves the coefficients of a block in d.deep.
func (d *htDecoder) decodeDeep(cb *codeBlock, planes int) error {
	d.shape(cb)
	d.deep = sized(d.deep, d.stride*((d.h+1)&^1))
	if len(cb.segs) == 0 || cb.segs[0].passes == 0 || len(cb.segs[0].data) == 0 {
		return nil
	}
	if len(cb.segs) > 1 && cb.segs[1].passes > 0 {
		return UnsupportedError("refinement of high-throughput code blocks of more than 24 bits")
	}
	if planes < 1 {
		return errHT
	}
	d.most = uint32(cb.zero) + 2
	return cleanupHT(d, d.deep, cb.segs[0].data, uint(planes-1), mostDeepPlanes)
}

// placeDeep is place for deep coefficients, which are without loss.
func (j *job) placeDeep(data []uint64, stride int) {
	const sign = 1 << 63
	w, h := int(j.cb.x1-j.cb.x0), int(j.cb.y1-j.cb.y0)
	x, y := j.b.atX+int(j.cb.x0-j.b.x0), j.b.atY+int(j.cb.y0-j.b.y0)
	for r := range h {
		dst := j.p.l[(y+r)*j.p.w+x:][:w]
		for i, v := range data[r*stride : r*stride+w] {
			m := v &^ sign
			if j.c.roi > 0 && m>>1 >= 1<<j.c.roi {
				m >>= j.c.roi
			}
			s := int64(v) >> 63
			dst[i] = (int64(m>>1) ^ s) - s
		}
	}
}

// loadDeep reads a row as load does.
func (l *loader) loadDeep(row []int64, comp int) {
	width := l.info.SampleBytes()
	step := width * l.info.Components
	src := l.src[l.y*l.info.Width*step+comp*width:]
	unused := 64 - l.info.Bits
	for i := range row {
		var v uint64
		if width == 8 {
			v = binary.LittleEndian.Uint64(src[i*step:])
		} else {
			v = uint64(binary.LittleEndian.Uint32(src[i*step:]))
		}
		if l.info.Signed {
			row[i] = int64(v<<unused) >> unused
		} else {
			row[i] = int64(v<<unused>>unused) - 1<<(l.info.Bits-1)
		}
	}
}

// writeDeep shifts, clips and writes the samples of a row, step bytes apart.
func (c *component) writeDeep(px []byte, row []int64, width, step int) {
	lo, hi, shift := int64(0), int64(1)<<c.bits-1, int64(1)<<(c.bits-1)
	if c.signed {
		lo, hi, shift = -shift, shift-1, 0
	}
	for i, v := range row {
		v = max(lo, min(hi, v+shift))
		if width == 8 {
			binary.LittleEndian.PutUint64(px[i*step:], uint64(v))
		} else {
			binary.LittleEndian.PutUint32(px[i*step:], uint32(v))
		}
	}
}
