package j2k

import "math/bits"

// htEncoder encodes high-throughput code blocks by their cleanup pass alone (T.814 clause
// 7), all bit planes in one segment.
type htEncoder struct {
	t     *htTables
	mel   melEncoder
	vlc   bitSink
	mag   bitSink
	quads []quad   // of a line, and one of nothing
	above []uint8  // as in htDecoder
	lower []uint64 // as in htDecoder
	out   []byte
}

// quad is what is coded of four samples. The assembly knows its fields.
type quad struct {
	s    [4]uint64 // magnitude less one, doubled, and the sign; 0 for a zero
	rho  uint32    // which are not zero
	exp  uint32    // bits of the longest, and which have as many
	same uint32
	u    uint32 // the exponent that is coded, and how far it is above the prediction
	more uint32
	code uint32 // of htTables.write
}

// word is what coefficients are coded from.
type word interface{ uint32 | uint64 }

// encodeHT codes the magnitudes in data, with their signs below the lowest bit: rows of
// stride, which is even, and an even number of them. It returns the segment, nil if all are
// zero, and the bits that the largest takes with its sign. The segment is good until the
// next.
func encodeHT[T word](e *htEncoder, data []T, stride int) (code []byte, most int) {
	var all T
	for _, v := range data {
		all |= v
	}
	if all>>1 == 0 {
		return nil, 0
	}
	e.t = htTabs()
	e.mel.start()
	e.vlc.start()
	e.mag.start()
	n := stride / 2
	e.quads, e.above, e.lower = sized(e.quads, n+1), sized(e.above, n+2), sized(e.lower, 2*n+4)
	for y := 0; y*stride < len(data); y += 2 {
		most = max(most, lineHT(e, data[y*stride:][:stride], data[(y+1)*stride:][:stride], y == 0))
	}
	return e.finish(), most
}

// lineHT encodes a line of quads and returns the most bits of a sample.
func lineHT[T word](e *htEncoder, top, low []T, first bool) (most int) {
	n := len(top) / 2
	e.mag.room(n * 4 * 56)
	e.vlc.room(n * (7 + 12))
	loadHT(e.quads[:n], top, low)
	most = e.codes(n, first)
	for q := e.mag.startWriting(e.quads[:n]); q < n; q++ {
		e.magnitudes(&e.quads[q])
	}
	return most
}

// loadHT takes the samples of a line.
func loadHT[T word](quads []quad, top, low []T) {
	q := 0
	if t, ok := any(top).([]uint32); ok {
		q = startLoading(quads, t, any(low).([]uint32))
	}
	for ; q < len(quads); q++ {
		quads[q].load(uint64(top[2*q]), uint64(low[2*q]), uint64(top[2*q+1]), uint64(low[2*q+1]))
	}
}

// load takes the samples of a quad.
func (p *quad) load(samples ...uint64) {
	*p = quad{}
	for i, v := range samples {
		if v>>1 == 0 {
			continue
		}
		p.s[i] = v - 2
		p.rho |= 1 << i
		n := uint32(bits.Len64(p.s[i] | 1))
		if n > p.exp {
			p.exp, p.same = n, 0
		}
		if n == p.exp {
			p.same |= 1 << i
		}
	}
}

// codes writes which samples of a line's quads are not zero, and the exponents (T.814 7.3.5,
// 7.3.6). It returns the largest of these.
func (e *htEncoder) codes(n int, first bool) int {
	table := &e.t.write[1]
	if first {
		table = &e.t.write[0]
	}
	left, over, last, most := uint32(0), uint32(0), uint64(0), uint32(0) // left of the quad, and above that
	up, lower := e.above[:n+2:n+2], e.lower[:2*n+4]
	quads := e.quads[:n+1]
	for q := range n {
		p := &quads[q]
		nw, nn, ne := over, uint32(up[q+1]), uint32(up[q+2])
		ctx := context(nw, nn, ne, left)
		if first {
			ctx = (left|left>>1)&1 | left>>1&6
		}
		over, left = nn, p.rho
		up[q+1] = uint8(p.rho)
		high := uint32(bits.Len64(last | lower[2*q+2] | lower[2*q+3] | lower[2*q+4]))
		last = lower[2*q+3]
		lower[2*q+2], lower[2*q+3] = p.s[1]|uint64(p.rho>>1&1), p.s[3]|uint64(p.rho>>3&1)
		if ctx == 0 {
			e.mel.bit(p.rho != 0)
		}
		if p.choose(table, ctx, high); ctx != 0 || p.rho != 0 {
			e.vlc.put(uint64(p.code&0x7F), uint(p.code>>8&15))
		}
		most = max(most, p.u)
		if q&1 == 1 {
			e.exponents(quads[q-1].more, p.more, first)
		}
	}
	if n&1 == 1 {
		e.exponents(quads[n-1].more, 0, first)
	}
	return int(most)
}

// choose finds the codeword; high is the largest exponent above.
func (p *quad) choose(table *[4096]uint16, ctx, high uint32) {
	if p.rho == 0 {
		p.u, p.more, p.code = 0, 0, uint32(table[ctx<<9])
		return
	}
	guess := uint32(1)
	if p.rho&(p.rho-1) != 0 && high > 2 {
		guess = high - 1
	}
	p.u = max(guess, p.exp)
	at := ctx<<9 | p.rho<<4
	if p.more = p.u - guess; p.more > 0 {
		at |= 1<<8 | p.same
	}
	p.code = uint32(table[at&4095])
}

// magnitudes writes what the codeword leaves open of the samples.
func (e *htEncoder) magnitudes(p *quad) {
	v, n := uint64(0), uint(0)
	for i := range uint32(4) {
		m := (p.u - p.code>>(12+i)&1) & -(p.rho >> i & 1) & 63
		v |= p.s[i] & (1<<(m&63) - 1) << (n & 63)
		if n += uint(m); p.u > 14 { // four may be too much at a time
			e.mag.put(v, n)
			v, n = 0, 0
		}
	}
	e.mag.put(v, n)
}

// exponents writes how far two quads are above their predictions (T.814 7.3.6).
func (e *htEncoder) exponents(a, b uint32, first bool) {
	if first && a > 0 && b > 0 {
		e.mel.bit(a > 2 && b > 2)
		if a > 2 && b > 2 {
			a, b = a-2, b-2
		} else if a > 2 {
			p, n, s, k := uvlcCode(a)
			e.vlc.put(uint64(p|(b-1)<<n|s<<(n+1)), n+1+k)
			e.extend(a)
			return
		}
	}
	p0, n0, s0, k0 := uvlcCode(a)
	p1, n1, s1, k1 := uvlcCode(b)
	e.vlc.put(uint64(p0|p1<<n0|s0<<(n0+n1)|s1<<(n0+n1+k0)), n0+n1+k0+k1)
	e.extend(a)
	e.extend(b)
}

// extend writes the extension of a value whose suffix announces one.
func (e *htEncoder) extend(u uint32) {
	if u > uvlcPlain {
		e.vlc.put(uint64(u-uvlcPlain-1)>>2, 4)
	}
}

// uvlcCode is T.814 Table 3: prefix and suffix of a value, with their lengths.
func uvlcCode(u uint32) (prefix uint32, n uint, suffix uint32, k uint) {
	switch {
	case u == 0:
		return 0, 0, 0, 0
	case u == 1:
		return 1, 1, 0, 0
	case u == 2:
		return 2, 2, 0, 0
	case u < 5:
		return 4, 3, u - 3, 1
	case u > uvlcPlain:
		return 0, 3, 28 + (u-uvlcPlain-1)&3, 5
	}
	return 0, 3, u - 5, 5
}

// finish puts the segment together (T.814 7.1.1): magnitudes, runs, codes, and the length
// of the last two.
func (e *htEncoder) finish() []byte {
	e.out = stuff(e.out[:0], e.mag.close(), e.mag.bits())
	mark := len(e.out)
	e.out = append(e.out, e.mel.close()...)
	e.out = stuffBack(e.out, e.vlc.close(), e.vlc.bits())
	n, s := len(e.out), len(e.out)-mark
	e.out[n-1] = byte(s >> 4)
	e.out[n-2] = e.out[n-2]&0xF0 | byte(s&15)
	return e.out
}
