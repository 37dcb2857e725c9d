package j2k

import "math/bits"

// htEncoder encodes high-throughput code blocks by their cleanup pass alone (T.814 clause
// 7), all bit planes in one segment.
type htEncoder struct {
	t     *htTables
	mel   melEncoder
	vlc   bitSink
	mag   bitSink
	above []uint8 // as in htDecoder
	exps  []uint8
	out   []byte
}

// quad is what is coded of four samples.
type quad struct {
	rho, u uint32
	s      [4]uint64 // magnitude less one, doubled, and the sign
	code   uint32    // of htTables.write
	more   uint32    // the exponent above the prediction
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
	e.above, e.exps = sized(e.above, n+2), sized(e.exps, 2*n+4)
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
	left, over, last := uint32(0), uint32(0), uint32(0) // significance, and of above; exponent above
	for q := 0; q < n; q += 2 {
		var pair [2]quad
		for k := range min(2, n-q) {
			p := &pair[k]
			i := q + k
			exp := p.load(uint64(top[2*i]), uint64(low[2*i]), uint64(top[2*i+1]), uint64(low[2*i+1]))
			r := uint32(e.exps[2*i+3])
			high := max(last, uint32(e.exps[2*i+2]), r, uint32(e.exps[2*i+4]))
			last = r
			nw, nn, ne := over, uint32(e.above[i+1]), uint32(e.above[i+2])
			over, e.above[i+1] = nn, uint8(p.rho)
			e.exps[2*i+2], e.exps[2*i+3] = uint8(exp[1]), uint8(exp[3])
			table, ctx := &e.t.write[0], (left|left>>1)&1|left>>1&6
			if !first {
				table, ctx = &e.t.write[1], (nw>>3|nn>>1)&1|(left>>2|left>>3)&1<<1|(nn>>3|ne>>1)&1<<2
			}
			left = p.rho
			if ctx == 0 {
				e.mel.bit(p.rho != 0)
			}
			if p.choose(table, ctx, exp, high); ctx != 0 || p.rho != 0 {
				e.vlc.put(uint64(p.code&0x7F), uint(p.code>>8&15))
			}
			e.magnitudes(p)
			most = max(most, int(p.u))
		}
		e.exponents(pair[0].more, pair[1].more, first)
	}
	return most
}

// load takes the samples of a quad and returns their exponents.
func (p *quad) load(a, b, c, d uint64) (exp [4]uint32) {
	p.s[0], exp[0] = sampleOf(a)
	p.s[1], exp[1] = sampleOf(b)
	p.s[2], exp[2] = sampleOf(c)
	p.s[3], exp[3] = sampleOf(d)
	p.rho = on(a) | on(b)<<1 | on(c)<<2 | on(d)<<3
	return exp
}

// on is 1 for a coefficient that is not zero.
func on(v uint64) uint32 { return 1 - uint32((v>>1-1)>>63) }

// sampleOf is what is coded of a coefficient, and its exponent: both 0 for a zero.
func sampleOf(v uint64) (s uint64, exp uint32) {
	is := -uint64(on(v))
	s = (v - 2) & is
	return s, uint32(bits.Len64(s | is&1))
}

// choose finds the codeword; high is the largest exponent above.
func (p *quad) choose(table *[4096]uint16, ctx uint32, exp [4]uint32, high uint32) {
	if p.rho == 0 {
		p.code = uint32(table[ctx<<9])
		return
	}
	guess := uint32(1)
	if p.rho&(p.rho-1) != 0 && high > 2 {
		guess = high - 1
	}
	p.u = max(guess, exp[0], exp[1], exp[2], exp[3])
	at := ctx<<9 | p.rho<<4
	if p.more = p.u - guess; p.more > 0 {
		at |= 1 << 8
		for i, x := range exp {
			if x == p.u {
				at |= 1 << i
			}
		}
	}
	p.code = uint32(table[at])
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
