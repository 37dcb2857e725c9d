package jpegls

import (
	"encoding/binary"
	mbits "math/bits"

	"gantry/pixel/internal/bits"
)

// lineDecoder decodes lines of one scan. Lines have a sample left and one right of them.
type lineDecoder struct {
	*state
	r   bits.LSReader
	bad bool // the stream says what none can
}

// plain decodes a line, lossless, where samples may have all values of their bits: the
// usual case. It does what lossy does, with fields in variables.
func (d *lineDecoder) plain(line, above []uint16, comp int) {
	s := d.state
	acc, n, pos, src := d.r.Acc, d.r.N, d.r.Pos, d.r.Src
	maxVal, most, long, reset := s.maxVal, s.rng, int(s.limit-s.qbpp-1), s.reset
	above = above[:len(line)]
	rc, rb, ra := int32(above[0]), int32(above[1]), int32(line[0])
	for x := 1; x < len(line)-1; x++ {
		rd := int32(above[x+1])
		q := s.gradient(ra, rb, rc, rd)
		if q == 0 {
			d.r.Acc, d.r.N, d.r.Pos = acc, n, pos
			x = d.runs(line, above, x, comp)
			acc, n, pos = d.r.Acc, d.r.N, d.r.Pos
			if d.bad || x >= len(line)-1 {
				return
			}
			ra, rc, rb = int32(line[x]), int32(above[x]), int32(above[x+1])
			continue
		}
		sign := q >> 31
		c := &s.ctx[(q^sign)-sign]
		px := min(max(median(ra, rb, rc)+((c.c^sign)-sign), 0), maxVal)
		k := golomb(c.a, c.n)
		if n < 32 {
			if pos+4 <= len(src) && !bits.HasFF(binary.BigEndian.Uint32(src[pos:])) {
				acc |= uint64(binary.BigEndian.Uint32(src[pos:])) << (32 - n)
				n += 32
				pos += 4
			} else {
				acc, n, pos = d.r.Refill(acc, n, pos)
			}
		}
		var v int32
		if zeros := mbits.LeadingZeros64(acc); zeros < long && zeros+1+int(k) <= n {
			acc <<= uint(zeros+1) & 63
			v = int32(zeros)<<(uint32(k)&31) | int32(acc>>1>>(uint32(63-k)&63))
			acc <<= uint32(k) & 63
			n -= zeros + 1 + int(k)
		} else {
			d.r.Acc, d.r.N, d.r.Pos = acc, n, pos
			v = d.code(k, s.limit)
			acc, n, pos = d.r.Acc, d.r.N, d.r.Pos
		}
		if v > most || v < 0 {
			d.bad = true
			return
		}
		err := v>>1 ^ -(v & 1)
		if k == 0 && 2*c.b <= -c.n {
			err = ^err
		}
		c.update(err, 1, reset)
		ra = (px + ((err ^ sign) - sign)) & maxVal
		line[x] = uint16(ra)
		rc, rb = rb, rd
	}
	d.r.Acc, d.r.N, d.r.Pos = acc, n, pos
}

// lossy decodes a line with any parameters.
func (d *lineDecoder) lossy(line, above []uint16, comp int) {
	for x := 1; x < len(line)-1 && !d.bad; x++ {
		ra, rb, rc, rd := int32(line[x-1]), int32(above[x]), int32(above[x-1]), int32(above[x+1])
		if q := d.gradient(ra, rb, rc, rd); q != 0 {
			line[x] = uint16(d.regular(q, ra, rb, rc))
		} else {
			x = d.runs(line, above, x, comp)
		}
	}
}

// regular decodes a sample in regular mode (T.87 A.4 to A.6).
func (d *lineDecoder) regular(q, ra, rb, rc int32) int32 {
	sign := q >> 31
	c := &d.ctx[(q^sign)-sign]
	px := min(max(median(ra, rb, rc)+((c.c^sign)-sign), 0), d.maxVal)
	k := golomb(c.a, c.n)
	v := d.code(k, d.limit)
	if v > d.rng || v < 0 {
		d.bad = true
		return 0
	}
	err := v>>1 ^ -(v & 1)
	if d.near == 0 && k == 0 && 2*c.b <= -c.n {
		err = ^err
	}
	c.update(err, d.step, d.reset)
	return d.rebuild(px, (err^sign)-sign)
}

// code reads a limited Golomb code (T.87 A.5.3), invalid where no mapped error is so great.
func (d *lineDecoder) code(k, limit int32) int32 {
	long := int(limit - d.qbpp - 1)
	zeros := 0
	for {
		d.r.Fill()
		z := mbits.LeadingZeros64(d.r.Acc | 1<<32)
		zeros += z
		if z < 31 {
			d.r.Take(z + 1)
			break
		}
		if d.r.Take(31); zeros > long {
			return invalid
		}
	}
	switch {
	case zeros > long:
		return invalid
	case zeros == long:
		return int32(d.r.Take(int(d.qbpp))) + 1
	case k > 20:
		return invalid
	}
	return int32(zeros)<<k | int32(d.r.Take(int(k)))
}

// run reads the length of a run of at most room samples (T.87 A.7.1.2). ended reports that
// it was interrupted, and not ended by the line.
func (d *lineDecoder) run(room, comp int) (n int, ended bool) {
	index := &d.runIndex[comp]
	for n < room {
		if d.r.Take(1) == 0 {
			n += int(d.r.Take(int(runLengths[*index])))
			d.bad = d.bad || n >= room
			return n, true
		}
		whole := 1 << runLengths[*index]
		if n+whole <= room {
			*index = min(*index+1, len(runLengths)-1)
		}
		n = min(n+whole, room)
		if d.r.Exhausted() {
			d.bad = true
			return n, false
		}
	}
	return n, false
}

// runs decodes a run that begins at x, with the sample that interrupts it, and returns the
// position of the last sample.
func (d *lineDecoder) runs(line, above []uint16, x, comp int) int {
	ra := line[x-1]
	n, ended := d.run(len(line)-1-x, comp)
	if d.bad {
		return x
	}
	fill(line[x:x+n], ra)
	x += n
	if !ended {
		return x
	}
	rb := int32(above[x])
	kind := int32(0)
	if diff := int32(ra) - rb; max(diff, -diff) <= d.near {
		kind = 1
	}
	line[x] = uint16(d.interruption(int32(ra), rb, kind, comp))
	d.runIndex[comp] = max(d.runIndex[comp]-1, 0)
	return x
}

// interruption decodes the sample behind a run (T.87 A.7.2).
func (d *lineDecoder) interruption(ra, rb, kind int32, comp int) int32 {
	r := &d.state.run[kind]
	k := golomb(r.temp(kind), r.n)
	v := d.code(k, d.limit-int32(runLengths[d.runIndex[comp]])-1)
	if v > d.rng || v < 0 {
		d.bad = true
		return 0
	}
	// v + kind is twice the error's size, less the map bit: find which of the two signs it
	// was that the encoder would have mapped so.
	odd := (v + kind) & 1
	err := (v + kind + odd) >> 1
	if r.turned(k, -err) == (odd == 1) {
		err = -err
	}
	r.update(err, v, kind, d.reset)
	if kind == 1 {
		return d.rebuild(ra, err)
	}
	if ra > rb {
		err = -err
	}
	return d.rebuild(rb, err)
}

func fill(line []uint16, v uint16) {
	for i := range line {
		line[i] = v
	}
}

// samples decodes lines whose components are interleaved sample by sample: there is a run
// where all of them have one (T.87 B.3).
func (d *lineDecoder) samples(lines, above [][]uint16) {
	width := len(lines[0]) - 2
	var q [maxComponents]int32
	for x := 1; x <= width && !d.bad; x++ {
		if d.gradients(&q, lines, above, x) {
			x = d.sampleRuns(lines, above, x)
			continue
		}
		for c, line := range lines {
			line[x] = uint16(d.regular(q[c], int32(line[x-1]), int32(above[c][x]), int32(above[c][x-1])))
		}
	}
}

// gradients finds the contexts of all components. It reports whether all are flat.
func (s *state) gradients(q *[maxComponents]int32, lines, above [][]uint16, x int) bool {
	flat := true
	for c, line := range lines {
		q[c] = s.gradient(int32(line[x-1]), int32(above[c][x]), int32(above[c][x-1]), int32(above[c][x+1]))
		flat = flat && q[c] == 0
	}
	return flat
}

func (d *lineDecoder) sampleRuns(lines, above [][]uint16, x int) int {
	n, ended := d.run(len(lines[0])-1-x, 0)
	if d.bad {
		return x
	}
	for _, line := range lines {
		fill(line[x:x+n], line[x-1])
	}
	x += n
	if !ended {
		return x
	}
	for c, line := range lines {
		line[x] = uint16(d.interruption(int32(line[x-1]), int32(above[c][x]), 0, 0))
	}
	d.runIndex[0] = max(d.runIndex[0]-1, 0)
	return x
}
