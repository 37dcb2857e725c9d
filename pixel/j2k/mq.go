package j2k

import "math/bits"

// mqState is one row of T.800 Table C.2, doubled for the two senses of the MPS: the index
// is row*2 + MPS.
type mqState struct {
	qe       uint32 // in the upper half, as the register A
	mps, lps uint8  // the index of what follows
	d        uint8  // the MPS
}

// mqRows is Table C.2: Qe, next for MPS, next for LPS, switch.
var mqRows = [47][4]uint16{
	{0x5601, 1, 1, 1}, {0x3401, 2, 6, 0}, {0x1801, 3, 9, 0}, {0x0AC1, 4, 12, 0}, {0x0521, 5, 29, 0}, {0x0221, 38, 33, 0},
	{0x5601, 7, 6, 1}, {0x5401, 8, 14, 0}, {0x4801, 9, 14, 0}, {0x3801, 10, 14, 0}, {0x3001, 11, 17, 0}, {0x2401, 12, 18, 0},
	{0x1C01, 13, 20, 0}, {0x1601, 29, 21, 0}, {0x5601, 15, 14, 1}, {0x5401, 16, 14, 0}, {0x5101, 17, 15, 0}, {0x4801, 18, 16, 0},
	{0x3801, 19, 17, 0}, {0x3401, 20, 18, 0}, {0x3001, 21, 19, 0}, {0x2801, 22, 19, 0}, {0x2401, 23, 20, 0}, {0x2201, 24, 21, 0},
	{0x1C01, 25, 22, 0}, {0x1801, 26, 23, 0}, {0x1601, 27, 24, 0}, {0x1401, 28, 25, 0}, {0x1201, 29, 26, 0}, {0x1101, 30, 27, 0},
	{0x0AC1, 31, 28, 0}, {0x09C1, 32, 29, 0}, {0x08A1, 33, 30, 0}, {0x0521, 34, 31, 0}, {0x0441, 35, 32, 0}, {0x02A1, 36, 33, 0},
	{0x0221, 37, 34, 0}, {0x0141, 38, 35, 0}, {0x0111, 39, 36, 0}, {0x0085, 40, 37, 0}, {0x0049, 41, 38, 0}, {0x0025, 42, 39, 0},
	{0x0015, 43, 40, 0}, {0x0009, 44, 41, 0}, {0x0005, 45, 42, 0}, {0x0001, 45, 43, 0}, {0x5601, 46, 46, 0},
}

// mqContexts are the states of the contexts. The array is of a power of two so that no
// index needs a check.
type mqContexts [32]mqState

func (c *mqContexts) reset(tab *[256]mqState) {
	for k := range c {
		c[k] = tab[0]
	}
	c[0], c[ctxRun], c[ctxUniform] = tab[4<<1], tab[3<<1], tab[46<<1]
}

// mq is the arithmetic decoder of T.800 Annex C. Behind its data it reads ones. Both
// registers have their 16 bits in the upper half. Passes copy them to variables of their
// own and take a bit so:
//
//	s := &cx[ctx&31]
//	if a -= s.qe; c >= s.qe && int32(a) < 0 {
//		c, d = c-s.qe, uint32(s.d)
//	} else {
//		a, c, d = m.exchange(s, a, c)
//	}
type mq struct {
	data []byte
	pos  int
	a, c uint32
	ct   int
	cx   mqContexts
	tab  *[256]mqState
}

func (m *mq) start(data []byte) {
	m.data, m.pos = data, 0
	m.c = uint32(m.at(0)) << 16
	m.c = m.fill(m.c) << 7
	m.ct -= 7
	m.a = 0x8000 << 16
}

func (m *mq) at(i int) byte {
	if i < len(m.data) {
		return m.data[i]
	}
	return 0xFF
}

// fill is BYTEIN, Figure C.19.
func (m *mq) fill(c uint32) uint32 {
	last, next := m.at(m.pos), m.at(m.pos+1)
	switch {
	case last != 0xFF:
		m.pos++
		m.ct = 8
		return c + uint32(next)<<8
	case next > 0x8F:
		m.ct = 8
		return c + 0xFF00
	}
	m.pos++
	m.ct = 7
	return c + uint32(next)<<9
}

// bit is DECODE, Figure C.15.
func (m *mq) bit(ctx uint8) (d uint32) {
	s := &m.cx[ctx&31]
	m.a, m.c, d = m.exchange(s, m.a-s.qe, m.c)
	return d
}

// exchange is DECODE behind its first step, where the register A may have to be brought
// back to its range.
func (m *mq) exchange(s *mqState, a, c uint32) (uint32, uint32, uint32) {
	qe, d := s.qe, uint32(s.d)
	less := a < qe
	if c < qe {
		a = qe
		less = !less
	} else {
		c -= qe
		if int32(a) < 0 {
			return a, c, d
		}
	}
	if less {
		d ^= 1
		*s = m.tab[s.lps]
	} else {
		*s = m.tab[s.mps]
	}
	n := bits.LeadingZeros32(a)
	a <<= uint(n) & 31
	for n > m.ct {
		c <<= uint(m.ct) & 31
		n -= m.ct
		c = m.fill(c)
	}
	m.ct -= n
	return a, c << (uint(n) & 31), d
}

// raw reads the bits of bypassed passes (T.800 D.6), a zero stuffed behind each FF. Behind its
// data it reads ones, and so from an FF with more than 8F behind it: data has no such bytes.
type raw struct {
	data []byte
	pos  int
	cur  byte
	ct   int
}

func (r *raw) start(data []byte) { *r = raw{data: data} }

func (r *raw) bit() uint32 {
	if r.ct == 0 {
		r.next()
	}
	r.ct--
	return uint32(r.cur>>r.ct) & 1
}

func (r *raw) next() {
	b := byte(0xFF)
	if r.pos < len(r.data) {
		b = r.data[r.pos]
	}
	r.ct = 8
	if r.cur == 0xFF {
		if b > 0x8F {
			return
		}
		r.ct = 7
	}
	r.cur = b
	r.pos++
}
