package j2k

// mqEncoder is the arithmetic encoder of T.800 C.2. Its first byte stands for what is in
// front of the codeword, so that a carry has somewhere to go.
type mqEncoder struct {
	out  []byte
	a, c uint32
	ct   int
	cx   [19]uint8
	tab  *[94]mqState
}

// start is INITENC, Figure C.10.
func (m *mqEncoder) start() {
	m.out = append(m.out[:0], 0)
	m.a, m.c, m.ct = 0x8000, 0, 12
	clear(m.cx[:])
	m.cx[0], m.cx[ctxRun], m.cx[ctxUniform] = 4<<1, 3<<1, 46<<1
}

// bit is ENCODE, Figures C.3 to C.8.
func (m *mqEncoder) bit(ctx uint8, d uint32) {
	st := m.cx[ctx]
	s := &m.tab[st]
	m.a -= s.qe
	if d == uint32(st&1) {
		if m.a&0x8000 != 0 {
			m.c += s.qe
			return
		}
		if m.a < s.qe {
			m.a = s.qe
		} else {
			m.c += s.qe
		}
		m.cx[ctx] = s.mps
	} else {
		if m.a < s.qe {
			m.c += s.qe
		} else {
			m.a = s.qe
		}
		m.cx[ctx] = s.lps
	}
	for {
		m.a <<= 1
		m.c <<= 1
		if m.ct--; m.ct == 0 {
			m.byteOut()
		}
		if m.a&0x8000 != 0 {
			return
		}
	}
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
	top := m.c + m.a
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
