package jpegls

import (
	mbits "math/bits"

	"gantry/pixel/internal/bits"
)

// lineEncoder encodes lines of one scan. Lines have a sample left and one right of them,
// and become what a decoder will make of them.
type lineEncoder struct {
	*state
	w bits.LSWriter
}

// plain encodes a line, lossless, where samples may have all values of their bits: the
// usual case. It does what lossy does, with fields in variables.
func (e *lineEncoder) plain(line, above []uint16, comp int) {
	s := e.state
	maxVal, reset, long := s.maxVal, s.reset, uint32(s.limit-s.qbpp-1)
	spare := uint(32-mbits.Len32(uint32(maxVal))) & 31
	above = above[:len(line)]
	rc, rb, ra := int32(above[0]), int32(above[1]), int32(line[0])
	for x := 1; x < len(line)-1; x++ {
		rd := int32(above[x+1])
		q := s.gradient(ra, rb, rc, rd)
		if q == 0 {
			if x = e.runs(line, above, x, comp); x >= len(line)-1 {
				return
			}
			ra, rc, rb = int32(line[x]), int32(above[x]), int32(above[x+1])
			continue
		}
		sign := q >> 31
		c := &s.ctx[(q^sign)-sign]
		px := min(max(median(ra, rb, rc)+((c.c^sign)-sign), 0), maxVal)
		k := golomb(c.a, c.n)
		ra = int32(line[x])
		err := ((ra - px ^ sign) - sign) << spare >> spare // modulo RANGE (T.87 A.4.5)
		m := err
		if k == 0 && 2*c.b <= -c.n {
			m = ^err
		}
		c.update(err, 1, reset)
		v := uint32(m<<1 ^ m>>31)
		zeros := v >> (uint32(k) & 31)
		if length := zeros + 1 + uint32(k); zeros < long && length <= 32 {
			one := uint32(1) << (uint32(k) & 31)
			e.w.Acc = e.w.Acc<<(length&63) | uint64(v&(one-1)|one)
			if e.w.N += int(length); e.w.N >= 32 {
				e.w.Drain()
			}
		} else {
			e.code(v, k, s.limit)
		}
		rc, rb = rb, rd
	}
}

// lossy encodes a line with any parameters.
func (e *lineEncoder) lossy(line, above []uint16, comp int) {
	for x := 1; x < len(line)-1; x++ {
		ra, rb, rc, rd := int32(line[x-1]), int32(above[x]), int32(above[x-1]), int32(above[x+1])
		if q := e.gradient(ra, rb, rc, rd); q != 0 {
			line[x] = uint16(e.regular(q, int32(line[x]), ra, rb, rc))
		} else {
			x = e.runs(line, above, x, comp)
		}
	}
}

// regular encodes a sample in regular mode (T.87 A.4 to A.6) and returns it decoded.
func (e *lineEncoder) regular(q, v, ra, rb, rc int32) int32 {
	sign := q >> 31
	c := &e.ctx[(q^sign)-sign]
	px := min(max(median(ra, rb, rc)+((c.c^sign)-sign), 0), e.maxVal)
	k := golomb(c.a, c.n)
	err := e.quantize((v - px ^ sign) - sign)
	m := err
	if e.near == 0 && k == 0 && 2*c.b <= -c.n {
		m = ^err
	}
	e.code(uint32(m<<1^m>>31), k, e.limit)
	c.update(err, e.step, e.reset)
	if e.near == 0 {
		return v
	}
	return e.rebuild(px, (err^sign)-sign)
}

// code writes a limited Golomb code (T.87 A.5.3).
func (e *lineEncoder) code(v uint32, k, limit int32) {
	zeros, long := int(v>>(uint32(k)&31)), int(limit-e.qbpp-1)
	w := &e.w
	if length := zeros + 1 + int(k); zeros < long && length <= 32 {
		w.Put(v&(1<<k-1)|1<<k, length)
		return
	}
	tail, n := v&(1<<k-1), int(k)
	if zeros >= long {
		zeros, tail, n = long, (v-1)&(1<<e.qbpp-1), int(e.qbpp)
	}
	for ; zeros > 31; zeros -= 31 {
		w.Put(0, 31)
	}
	w.Put(1, zeros+1)
	w.Put(tail, n)
}

// same reports whether two samples count as equal.
func (s *state) same(a, b uint16) bool {
	d := int32(a) - int32(b)
	return max(d, -d) <= s.near
}

// run writes the length of a run of n samples of at most room (T.87 A.7.1.2).
func (e *lineEncoder) run(n, room, comp int) {
	index := &e.runIndex[comp]
	left := n
	for left >= 1<<runLengths[*index] {
		e.w.Put(1, 1)
		left -= 1 << runLengths[*index]
		*index = min(*index+1, len(runLengths)-1)
	}
	switch {
	case n < room:
		e.w.Put(uint32(left), 1+int(runLengths[*index]))
	case left > 0:
		e.w.Put(1, 1)
	}
}

// runs encodes a run that begins at x, with the sample that interrupts it, and returns the
// position of the last sample.
func (e *lineEncoder) runs(line, above []uint16, x, comp int) int {
	ra, room, n := line[x-1], len(line)-1-x, 0
	for n < room && e.same(line[x+n], ra) {
		line[x+n] = ra
		n++
	}
	e.run(n, room, comp)
	if x += n; n == room {
		return x
	}
	rb, kind := above[x], int32(0)
	if e.same(ra, rb) {
		kind = 1
	}
	line[x] = uint16(e.interruption(int32(line[x]), int32(ra), int32(rb), kind, comp))
	e.runIndex[comp] = max(e.runIndex[comp]-1, 0)
	return x
}

// interruption encodes the sample behind a run (T.87 A.7.2) and returns it decoded.
func (e *lineEncoder) interruption(v, ra, rb, kind int32, comp int) int32 {
	r := &e.state.run[kind]
	px, sign := rb, int32(0)
	if kind == 1 {
		px = ra
	} else if ra > rb {
		sign = -1
	}
	err := e.quantize((v - px ^ sign) - sign)
	k := golomb(r.temp(kind), r.n)
	mapped := 2*max(err, -err) - kind
	if r.turned(k, err) {
		mapped--
	}
	e.code(uint32(mapped), k, e.limit-int32(runLengths[e.runIndex[comp]])-1)
	r.update(err, mapped, kind, e.reset)
	return e.rebuild(px, (err^sign)-sign)
}

// samples encodes lines whose components are interleaved sample by sample.
func (e *lineEncoder) samples(lines, above [][]uint16) {
	width := len(lines[0]) - 2
	var q [maxComponents]int32
	for x := 1; x <= width; x++ {
		if e.gradients(&q, lines, above, x) {
			x = e.sampleRuns(lines, above, x)
			continue
		}
		for c, line := range lines {
			line[x] = uint16(e.regular(q[c], int32(line[x]), int32(line[x-1]), int32(above[c][x]), int32(above[c][x-1])))
		}
	}
}

func (e *lineEncoder) sampleRuns(lines, above [][]uint16, x int) int {
	room, n := len(lines[0])-1-x, 0
	for n < room && e.allSame(lines, x+n, x-1) {
		for _, line := range lines {
			line[x+n] = line[x-1]
		}
		n++
	}
	e.run(n, room, 0)
	if x += n; n == room {
		return x
	}
	for c, line := range lines {
		line[x] = uint16(e.interruption(int32(line[x]), int32(line[x-1]), int32(above[c][x]), 0, 0))
	}
	e.runIndex[0] = max(e.runIndex[0]-1, 0)
	return x
}

func (s *state) allSame(lines [][]uint16, x, left int) bool {
	for _, line := range lines {
		if !s.same(line[x], line[left]) {
			return false
		}
	}
	return true
}
