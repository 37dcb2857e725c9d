package j2k

import "math/bits"

// htDecoder decodes high-throughput code blocks (T.814 clause 7).
type htDecoder struct {
	t      *htTables
	mel    mel
	vlc    []byte
	mag    []byte
	quads  []uint32 // of a line: what the code says of each in the low half, u in the high one
	above  []uint8  // significance of the line of quads above, one more on each side
	lower  []uint64 // lower samples of the line above, left and right: as coded, not 0 where significant
	w, h   int
	stride int
	most   uint32 // bits that a magnitude and its sign may have
	data   []uint32
	deep   []uint64 // instead of data for deep samples
	refs
}

var errHT = FormatError("a high-throughput code block is damaged")

// decode leaves the coefficients of a block in d.data, in the form of blockDecoder; planes
// is how many bits the largest may have.
func (d *htDecoder) decode(cb *codeBlock, style byte, planes int) error {
	d.shape(cb)
	d.data = sized(d.data, d.stride*((d.h+1)&^1))
	if len(cb.segs) == 0 || cb.segs[0].passes == 0 || len(cb.segs[0].data) == 0 {
		return nil
	}
	if planes < 1 {
		return errHT
	}
	d.most = uint32(cb.zero) + 2
	if err := cleanupHT(d, d.data, cb.segs[0].data, uint(planes-1), mostPlanes); err != nil {
		return err
	}
	if len(cb.segs) > 1 && cb.segs[1].passes > 0 {
		if planes < 2 {
			return errHT
		}
		d.refine(cb.segs[1].data, cb.segs[1].passes, uint(planes-2), style&styleCausal != 0)
	}
	return nil
}

func (d *htDecoder) shape(cb *codeBlock) {
	d.w, d.h = int(cb.x1-cb.x0), int(cb.y1-cb.y0)
	d.stride = (d.w + 1) &^ 1
}

// cleanupHT decodes the segment of the cleanup pass (T.814 7.1, 7.3), whose lowest bit is
// that of the given plane; most is how many planes data is for.
func cleanupHT[T word](d *htDecoder, data []T, b []byte, zero, most uint) error {
	n := len(b)
	if n < 2 {
		return errHT
	}
	s := int(b[n-1])<<4 | int(b[n-2]&15)
	if s < 2 || s > n || s > 4079 {
		return errHT
	}
	d.t = htTabs()
	d.mag = unstuff(d.mag, b[:n-s], 0xFF)
	d.mel = mel{data: b[n-s : n-1]}
	// The upper half of the last byte but one begins the codes; the lower is of the length.
	half := b[n-2] >> 4
	p := packed{b: d.vlc[:0], acc: uint64(half), n: 4}
	if half&7 == 7 {
		p.acc, p.n = 7, 3
	}
	d.vlc = unstuffBack(p, b[n-s:n-2], b[n-2] > 0x8F)
	return linesHT(d, data, zero, most)
}

// linesHT decodes the quads, line by line.
func linesHT[T word](d *htDecoder, data []T, plane, most uint) error {
	n := (d.w + 1) / 2
	d.quads, d.above, d.lower = sized(d.quads, n+1), sized(d.above, n+2), sized(d.lower, 2*n+4)
	limit := min(d.most, uint32(most-plane)) // the result has a sign, and a bit below the plane
	var vlc, mag uint
	for y := 0; y < d.h; y += 2 {
		if y == 0 {
			vlc = d.codesFirst(n)
		} else {
			vlc = d.codes(n, vlc)
		}
		var ok bool
		if mag, ok = magnitudesHT(d, data, y, n, mag, plane, limit); !ok {
			return errHT
		}
	}
	return nil
}

// codesFirst reads what is coded of the first line's quads (T.814 7.3.5, 7.3.6).
func (d *htDecoder) codesFirst(n int) (at uint) {
	ctx := uint32(0)
	for q := 0; q < n; q += 2 {
		v := look(d.vlc, at)
		used := uint(0)
		for k := range min(2, n-q) {
			e := uint32(0)
			if ctx != 0 || d.mel.bit() {
				e = uint32(d.t.read[0][ctx<<7|uint32(v)&0x7F])
				v, used = v>>(e&vlcLen), used+uint(e&vlcLen)
			}
			d.quads[q+k] = e
			rho := e >> vlcRho & 15
			ctx = (rho|rho>>1)&1 | rho>>1&6
		}
		if q+1 == n {
			d.quads[n] = 0
		}
		a, b := d.quads[q], d.quads[q+1]
		off := a>>3&1 | b>>2&2
		if off != 0 {
			more := uint32(0)
			table := &d.t.uvlc[0]
			if off == 3 && d.mel.bit() {
				more, table = 2, &d.t.uvlc[1]
			}
			u0, u1, k := table[off|uint32(v&0x3F)<<2].read(v)
			if max(u0, u1) > uvlcPlain {
				u0, u1, k = extensions(u0, u1, v, k)
			}
			d.quads[q] = a | (u0+more)<<16
			d.quads[q+1] = b | (u1+more)<<16
			used += k
		}
		at += used
	}
	return at
}

// read reads the suffixes of a pair.
func (p *uvlcPair) read(v uint64) (u0, u1 uint32, used uint) {
	s := uint32(v >> p.prefix & (1<<p.total - 1))
	u0 = uint32(p.base0) + s&(1<<p.suffix0-1)
	u1 = uint32(p.base1) + s>>p.suffix0
	return u0, u1, uint(p.prefix + p.total)
}

// extensions reads those of a pair of which one value is above uvlcPlain: few are.
//
//go:noinline
func extensions(u0, u1 uint32, v uint64, used uint) (uint32, uint32, uint) {
	if u0 > uvlcPlain {
		u0, used = u0+uint32(v>>used&15)<<2, used+4
	}
	if u1 > uvlcPlain {
		u1, used = u1+uint32(v>>used&15)<<2, used+4
	}
	return u0, u1, used
}

// codes reads the quads of another line; what is known of the line above is in d.above.
func (d *htDecoder) codes(n int, at uint) uint {
	left := uint32(0)
	up := d.above[: n+2 : n+2] // up[q+1] is the quad above q
	quads := d.quads[: n+1 : n+1]
	table, uvlc := &d.t.read[1], &d.t.uvlc[1]
	nw, nn := uint32(up[0]), uint32(up[1])
	for q := 0; q < n; q += 2 {
		v := look(d.vlc, at)
		ne := uint32(up[q+2])
		a, b := uint32(0), uint32(0)
		if ctx := context(nw, nn, ne, left); ctx != 0 || d.mel.bit() {
			a = uint32(table[ctx<<7|uint32(v)&0x7F])
		}
		v >>= a & vlcLen
		left = a >> vlcRho & 15
		nw, nn = nn, ne
		if q+1 < n {
			ne = uint32(up[q+3])
			if ctx := context(nw, nn, ne, left); ctx != 0 || d.mel.bit() {
				b = uint32(table[ctx<<7|uint32(v)&0x7F])
			}
			v >>= b & vlcLen
			left = b >> vlcRho & 15
			nw, nn = nn, ne
		}
		at += uint(a&vlcLen + b&vlcLen)
		if off := a>>3&1 | b>>2&2; off != 0 {
			u0, u1, k := uvlc[off|uint32(v&0x3F)<<2].read(v)
			if max(u0, u1) > uvlcPlain {
				u0, u1, k = extensions(u0, u1, v, k)
			}
			a, b, at = a|u0<<16, b|u1<<16, at+k
		}
		quads[q], quads[q+1] = a, b
	}
	return at
}

// context is that of a quad by what is significant in those around it (T.814 7.3.5).
func context(nw, nn, ne, left uint32) uint32 {
	return (nw>>3|nn>>1)&1 | (left>>2|left>>3)&1<<1 | (nn>>3|ne>>1)&1<<2
}

// magnitudesHT reads the samples of a line of quads (T.814 7.3.4, 7.3.8) and keeps what the
// next line needs to know. It fails where a magnitude has more bits than limit.
func magnitudesHT[T word](d *htDecoder, data []T, y, n int, at, plane uint, limit uint32) (uint, bool) {
	top := data[y*d.stride:][:d.stride]
	low := data[(y+1)*d.stride:][:d.stride]
	lower := d.lower[:2*n+4]
	last := uint64(0) // the lower right sample of the quad before, above
	mag, q := d.mag, 0
	if top, ok := any(top).([]uint32); ok {
		q, at, last = d.startQuads(top, any(low).([]uint32), at, plane, limit)
	}
	for ; q < n; q++ {
		e := d.quads[q]
		rho := e >> vlcRho & 15
		d.above[q+1] = uint8(rho)
		most := uint32(bits.Len64(last | lower[2*q+2] | lower[2*q+3] | lower[2*q+4]))
		last = lower[2*q+3]
		if rho == 0 {
			lower[2*q+2], lower[2*q+3] = 0, 0
			continue
		}
		u := e >> 16
		if rho&(rho-1) != 0 && most > 2 {
			u += most - 1
		} else {
			u++
		}
		if u > limit {
			return at, false
		}
		// One look has four samples of 14 bits.
		w, far := look(mag, at), u > 14
		s0, m := magnitude(w, e, u, 0)
		w, at = w>>(m&63), at+m
		if far {
			w = look(mag, at)
		}
		s1, m := magnitude(w, e, u, 1)
		w, at = w>>(m&63), at+m
		if far {
			w = look(mag, at)
		}
		s2, m := magnitude(w, e, u, 2)
		w, at = w>>(m&63), at+m
		if far {
			w = look(mag, at)
		}
		s3, m := magnitude(w, e, u, 3)
		at += m
		t, b := top[2*q:2*q+2], low[2*q:2*q+2]
		t[0], b[0] = place[T](s0, plane)&-T(rho&1), place[T](s1, plane)&-T(rho>>1&1)
		t[1], b[1] = place[T](s2, plane)&-T(rho>>2&1), place[T](s3, plane)&-T(rho>>3)
		lower[2*q+2], lower[2*q+3] = s1|uint64(rho>>1&1), s3|uint64(rho>>3&1)
	}
	return at, true
}

// magnitude cuts the i-th sample of a quad out of the bits w, and says how many it took:
// none if it is not significant.
func magnitude(w uint64, e, u uint32, i uint) (s uint64, used uint) {
	on := -(e >> (vlcRho + i) & 1)
	m := (u - e>>(vlcEk+i)&1) & on & 63
	return (w&(1<<(m&63)-1) | uint64(e>>(vlcE1+i)&1)<<(m&63)) & -uint64(on&1), uint(m)
}

// place makes a coefficient of a sample, whose lowest bit is the sign.
func place[T word](s uint64, plane uint) T {
	return -T(s&1)&^(^T(0)>>1) | T((s|1)+2)<<(plane&63)
}
