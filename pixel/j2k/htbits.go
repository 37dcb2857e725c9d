package j2k

import "encoding/binary"

const ffs = 0x0101010101010101

// hasFF reports whether one of eight bytes is FF.
func hasFF(w uint64) bool { return (^w-ffs)&w&(ffs<<7) != 0 }

// packed is bits without stuffing, lowest first, to be looked at eight bytes at a time.
type packed struct {
	b   []byte
	acc uint64
	n   uint // bits in acc, below 8
}

// put takes n bits, up to 8.
func (p *packed) put(v byte, n uint) {
	p.acc |= uint64(v) << p.n
	if p.n += n; p.n >= 8 {
		p.b = append(p.b, byte(p.acc))
		p.acc >>= 8
		p.n -= 8
	}
}

// put8 takes 64 bits.
func (p *packed) put8(w uint64) {
	p.b = binary.LittleEndian.AppendUint64(p.b, p.acc|w<<p.n)
	p.acc = w >> (64 - p.n) // nothing where n is 0
}

// close ends the bits, and adds the bytes that a look beyond the end reads.
func (p *packed) close(fill byte) []byte {
	if p.n > 0 {
		p.put(fill, 8-p.n)
	}
	for range 16 {
		p.b = append(p.b, fill)
	}
	return p.b
}

// unstuff takes the seven bits out of each byte that follows FF (T.814 7.1.2): bits come in
// the order of the bytes, the lowest first.
func unstuff(to, from []byte, fill byte) []byte {
	p := packed{b: to[:0]}
	for last := byte(0); len(from) > 0; {
		if last != 0xFF && len(from) >= 8 {
			if w := binary.LittleEndian.Uint64(from); !hasFF(w) {
				p.put8(w)
				last, from = 0, from[8:]
				continue
			}
		}
		n := uint(8)
		if last == 0xFF {
			n = 7
		}
		last = from[0]
		p.put(last&(1<<n-1), n)
		from = from[1:]
	}
	return p.close(fill)
}

// unstuffBack reads bytes from the last to the first; a byte of seven ones in front of one
// above 8F has seven bits (T.814 7.1.4). high says whether what follows from is above 8F.
func unstuffBack(p packed, from []byte, high bool) []byte {
	for i := len(from); i > 0; {
		if i >= 8 {
			if w := binary.BigEndian.Uint64(from[i-8:]); !hasFF(w | ffs<<7) {
				p.put8(w)
				i -= 8
				high = from[i] > 0x8F
				continue
			}
		}
		i--
		n := uint(8)
		if high && from[i]&0x7F == 0x7F {
			n = 7
		}
		high = from[i] > 0x8F
		p.put(from[i]&(1<<n-1), n)
	}
	return p.close(0)
}

// look is the bits from at on, 57 of them. Beyond the end it reads what closed them.
func look(b []byte, at uint) uint64 {
	i := min(at>>3, uint(len(b)-8))
	return binary.LittleEndian.Uint64(b[i:]) >> (at & 7)
}

// mel is the adaptive run length decoder (T.814 7.3.3). Behind its data it reads ones.
type mel struct {
	data []byte
	pos  int
	cur  byte
	ct   uint
	k    int
	run  int
	one  bool // a one ends the run
}

func (m *mel) next() int {
	if m.ct == 0 {
		m.ct = 8
		if m.cur == 0xFF {
			m.ct = 7
		}
		m.cur = 0xFF
		if m.pos < len(m.data) {
			m.cur = m.data[m.pos]
			if m.pos == len(m.data)-1 {
				m.cur |= 0xF // shared with the variable length codes
			}
		}
		m.pos++
	}
	m.ct--
	return int(m.cur>>m.ct) & 1
}

func (m *mel) bit() bool {
	if m.run == 0 && !m.one {
		e := melExp[m.k]
		if m.next() == 1 {
			m.run, m.k = 1<<e, min(m.k+1, 12)
		} else {
			for range e {
				m.run = m.run<<1 | m.next()
			}
			m.one, m.k = true, max(m.k-1, 0)
		}
	}
	if m.run > 0 {
		m.run--
		return false
	}
	m.one = false
	return true
}
