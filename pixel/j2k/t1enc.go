package j2k

import "math/bits"

// blockEncoder encodes code blocks (T.800 Annex D) in one codeword segment each.
type blockEncoder struct {
	mq   mqEncoder
	tab  *tables
	zero *[256]uint8
	w, h int
	neighbours
	data []uint32 // magnitudes, the sign in the highest bit
}

// encode codes the coefficients in e.data, w x h of them, and returns the codeword, how many
// passes it has and how many bit planes the largest coefficient.
func (e *blockEncoder) encode(orient int) (code []byte, passes, planes int) {
	var all uint32
	for _, v := range e.data {
		all |= v &^ signBit
	}
	planes = bits.Len32(all)
	if planes == 0 {
		return nil, 0, 0
	}
	e.tab = tabs()
	e.mq.tab, e.zero = &e.tab.mq, &e.tab.zero[orient]
	e.fw = e.w + 2
	e.flags = sized(e.flags, e.fw*(e.h+2))
	e.mq.start()
	e.cleanup(uint(planes - 1))
	for p := planes - 2; p >= 0; p-- {
		e.significance(uint(p))
		e.refinement(uint(p))
		e.cleanup(uint(p))
	}
	return e.mq.flush(), 3*planes - 2, planes
}

// signify encodes the sign of a coefficient and tells its neighbours.
func (e *blockEncoder) signify(fi, di int) {
	f := e.flags[fi]
	s := e.tab.sign[f&15|f>>4&0xF0]
	neg := e.data[di] >> 31
	e.mq.bit(s>>1, neg^uint32(s&1))
	e.tell(fi, uint16(neg))
}

// significance is D.3.1.
func (e *blockEncoder) significance(plane uint) {
	for y0 := 0; y0 < e.h; y0 += 4 {
		y1 := min(y0+4, e.h)
		for x := range e.w {
			fi := (y0+1)*e.fw + x + 1
			if y1-y0 == 4 && e.column(fi)&fNear == 0 {
				continue
			}
			for y := y0; y < y1; y, fi = y+1, fi+e.fw {
				f := e.flags[fi]
				if f&fSig != 0 || f&fNear == 0 {
					continue
				}
				di := y*e.w + x
				v := e.data[di] >> plane & 1
				e.mq.bit(e.zero[f&fNear], v)
				if v != 0 {
					e.signify(fi, di)
				}
				e.flags[fi] |= fVisit
			}
		}
	}
}

// refinement is D.3.3.
func (e *blockEncoder) refinement(plane uint) {
	for y0 := 0; y0 < e.h; y0 += 4 {
		y1 := min(y0+4, e.h)
		for x := range e.w {
			fi := (y0+1)*e.fw + x + 1
			if y1-y0 == 4 && e.column(fi)&fSig == 0 {
				continue
			}
			for y := y0; y < y1; y, fi = y+1, fi+e.fw {
				f := e.flags[fi]
				if f&(fSig|fVisit) != fSig {
					continue
				}
				ctx := uint8(ctxMag)
				switch {
				case f&fRefined != 0:
					ctx = ctxMag + 2
				case f&fNear != 0:
					ctx = ctxMag + 1
				}
				e.mq.bit(ctx, e.data[y*e.w+x]>>plane&1)
				e.flags[fi] |= fRefined
			}
		}
	}
}

// cleanup is D.3.4; it forgets which coefficients the two other passes visited.
func (e *blockEncoder) cleanup(plane uint) {
	for y0 := 0; y0 < e.h; y0 += 4 {
		y1 := min(y0+4, e.h)
		for x := range e.w {
			y, first := y0, false
			if y1-y0 == 4 && e.quiet(x, y0) {
				run := e.run(x, y0, plane)
				if run == 4 {
					e.mq.bit(ctxRun, 0)
					continue
				}
				e.mq.bit(ctxRun, 1)
				e.mq.bit(ctxUniform, uint32(run>>1))
				e.mq.bit(ctxUniform, uint32(run&1))
				y += run
				first = true
			}
			fi := (y+1)*e.fw + x + 1
			for ; y < y1; y, fi = y+1, fi+e.fw {
				di := y*e.w + x
				if f := e.flags[fi]; first || f&(fSig|fVisit) == 0 {
					v := e.data[di] >> plane & 1
					if !first {
						e.mq.bit(e.zero[f&fNear], v)
					}
					if v != 0 {
						e.signify(fi, di)
					}
					first = false
				}
				e.flags[fi] &^= fVisit
			}
		}
	}
}

// run is how many of four coefficients are zero in a plane before the first that is not.
func (e *blockEncoder) run(x, y int, plane uint) int {
	for i := range 4 {
		if e.data[(y+i)*e.w+x]>>plane&1 != 0 {
			return i
		}
	}
	return 4
}

// quiet: four coefficients that are not known and have no significant neighbour.
func (e *blockEncoder) quiet(x, y int) bool {
	fi := (y+1)*e.fw + x + 1
	f := e.flags[fi] | e.flags[fi+e.fw] | e.flags[fi+2*e.fw] | e.flags[fi+3*e.fw]
	return f&(fSig|fVisit|fNear) == 0
}
