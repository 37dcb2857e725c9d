package j2k

import "math/bits"

// mqEncoder is the arithmetic encoder of T.800 C.2. Its first byte stands for what is in
// front of the codeword, so that a carry has somewhere to go.
//
// Passes copy the registers to variables of their own and code a bit d so:
//
//	s := &cx[ctx&31]
//	if a -= s.qe; d == uint32(s.d) && int32(a) < 0 {
//		c += s.qe>>16
//	} else {
//		a, c = m.exchange(s, d, a, c)
//	}
type mqEncoder struct {
	out  []byte
	a, c uint32 // A has its 16 bits in the upper half
	ct   int
	cx   mqContexts
	tab  *[256]mqState
}

// start is INITENC, Figure C.10.
func (m *mqEncoder) start() {
	m.out = append(m.out[:0], 0)
	m.a, m.c, m.ct = 0x8000<<16, 0, 12
	m.cx.reset(m.tab)
}

// exchange is ENCODE, Figures C.3 to C.8, behind its first step, where the register A may have to be brought
// back to its range.
func (m *mqEncoder) exchange(s *mqState, d, a, c uint32) (uint32, uint32) {
	qe, likely := s.qe, d == uint32(s.d)
	if likely && int32(a) < 0 {
		return a, c + qe>>16
	}
	if (a < qe) == likely {
		a = qe
	} else {
		c += qe >> 16
	}
	if likely {
		*s = m.tab[s.mps]
	} else {
		*s = m.tab[s.lps]
	}
	n := bits.LeadingZeros32(a)
	a <<= uint(n) & 31
	for n >= m.ct {
		n -= m.ct
		m.c = c << (uint(m.ct) & 31)
		m.byteOut()
		c = m.c
	}
	m.ct -= n
	return a, c << (uint(n) & 31)
}

// byteOut is BYTEOUT, Figure C.9.
func (m *mqEncoder) byteOut() {
	last := &m.out[len(m.out)-1]
	if *last != 0xFF && m.c >= 0x8000000 {
		*last++
		m.c &= 0x7FFFFFF
	}
	if *last == 0xFF {
		m.out = append(m.out, byte(m.c>>20))
		m.c &= 0xFFFFF
		m.ct = 7
		return
	}
	m.out = append(m.out, byte(m.c>>19))
	m.c &= 0x7FFFF
	m.ct = 8
}

// flush is FLUSH, Figure C.11; it returns the codeword, without an FF at its end.
func (m *mqEncoder) flush() []byte {
	top := m.c + m.a>>16
	m.c |= 0xFFFF
	if m.c >= top {
		m.c -= 0x8000
	}
	for range 2 {
		m.c <<= m.ct
		m.byteOut()
	}
	out := m.out[1:]
	if n := len(out); n > 0 && out[n-1] == 0xFF {
		out = out[:n-1]
	}
	return out
}
