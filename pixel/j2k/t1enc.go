package j2k

import "math/bits"

// blockEncoder encodes code blocks (T.800 Annex D) in one codeword segment each.
type blockEncoder struct {
	mq   mqEncoder
	tab  *tables
	zero *[512]uint8
	w, h int
	neighbours
	data []uint32 // magnitudes, the sign in the highest bit
	high []uint32 // of deep ones what is from lowPlanes on; else empty
}

// encode codes the coefficients in e.data, w x h of them, and returns the codeword, how many
// passes it has and how many bit planes the largest coefficient.
func (e *blockEncoder) encode(orient int) (code []byte, passes, planes int) {
	base := 0
	if planes = bitsOf(e.high); planes > 0 {
		base = lowPlanes
		e.data, e.high = e.high, e.data
	} else {
		planes = bitsOf(e.data)
	}
	if planes += base; planes == 0 {
		return nil, 0, 0
	}
	e.tab = tabs()
	e.mq.tab, e.zero = &e.tab.mq, &e.tab.zero[orient]
	e.clear(e.w, e.h)
	e.mq.start()
	e.cleanup(uint(planes - 1 - base))
	for p := planes - 2; p >= 0; p-- {
		if p < base {
			e.data, e.high, base = e.high, e.data, 0
		}
		e.significance(uint(p - base))
		e.refinement(uint(p - base))
		e.cleanup(uint(p - base))
	}
	return e.mq.flush(), 3*planes - 2, planes
}

// bitsOf is how many bits the largest magnitude has.
func bitsOf(data []uint32) int {
	var all uint32
	for _, v := range data {
		all |= v &^ signBit
	}
	return bits.Len32(all)
}

// signify encodes the sign of the coefficient in row r of column x, below row y, and tells
// its neighbours; w is its window, shifted to its row. It returns what its own column must
// know.
func (e *blockEncoder) signify(y, x, r int, w window, a, c uint32) (uint32, uint32, window) {
	sign := e.tab.sign[w.signIndex()]
	neg := e.data[(y+r)*e.w+x] >> 31
	s := &e.mq.cx[sign>>1&31]
	a, c = e.mq.exchange(s, neg^uint32(sign&1), a-s.qe, c)
	return a, c, e.tell(y, x, r, neg, true)
}

// significance is D.3.1.
func (e *blockEncoder) significance(plane uint) {
	a, c, cx, zero := e.mq.a, e.mq.c, &e.mq.cx, e.zero
	for y := 0; y < e.h; y += 4 {
		rows := rowsOf(min(e.h-y, 4))
		stripe := e.stripe(y, e.w)
		for x := range stripe {
			f := stripe[x]
			todo := f.near() & rows
			if todo == 0 {
				continue
			}
			data := e.data[y*e.w+x:]
			for ; todo != 0; todo &= todo - 1 {
				shift, r := todo.first()
				w := f >> shift
				d := data[r*e.w] >> (plane & 31) & 1
				ctx := zero[w&0x1ff]
				s := &cx[ctx&31]
				if t := a - s.qe; d == uint32(s.d) && int32(t) < 0 {
					a, c = t, c+s.qe>>16
				} else {
					a, c = e.mq.exchange(s, d, t, c)
				}
				if d != 0 {
					var own window
					a, c, own = e.signify(y, x, r, w, a, c)
					f |= own
					todo |= 8 << shift &^ (f >> 4) & rows
				}
				f |= visited << shift
			}
			stripe[x] = f
		}
	}
	e.mq.a, e.mq.c = a, c
}

// refinement is D.3.3.
func (e *blockEncoder) refinement(plane uint) {
	a, c, cx := e.mq.a, e.mq.c, &e.mq.cx
	for y := 0; y < e.h; y += 4 {
		stripe := e.stripe(y, e.w)
		for x, f := range stripe {
			todo := f &^ (f >> 36) >> 4 & lines
			data := e.data[y*e.w+x:]
			for ; todo != 0; todo &= todo - 1 {
				shift, r := todo.first()
				w := f >> shift
				d := data[r*e.w] >> (plane & 31) & 1
				ctx := magnitudeContext(w)
				s := &cx[ctx&31]
				if t := a - s.qe; d == uint32(s.d) && int32(t) < 0 {
					a, c = t, c+s.qe>>16
				} else {
					a, c = e.mq.exchange(s, d, t, c)
				}
				f |= twice << shift
			}
			stripe[x] = f
		}
	}
	e.mq.a, e.mq.c = a, c
}

// cleanup is D.3.4; it forgets which coefficients the two other passes visited.
func (e *blockEncoder) cleanup(plane uint) {
	a, c, cx, zero := e.mq.a, e.mq.c, &e.mq.cx, e.zero
	for y := 0; y < e.h; y += 4 {
		rows := rowsOf(min(e.h-y, 4))
		stripe := e.stripe(y, e.w)
		for x := range stripe {
			f := stripe[x]
			data := e.data[y*e.w+x:]
			todo, first := ^(f>>4|f>>40)&rows, false
			if f&known == 0 && rows == lines {
				var r int
				if a, c, r = e.quiet(data, plane, a, c); r == 4 {
					continue
				}
				todo, first = todo>>(3*uint(r)&15)<<(3*uint(r)&15), true
			}
			for ; todo != 0; todo &= todo - 1 {
				shift, r := todo.first()
				w := f >> shift
				d := data[r*e.w] >> (plane & 31) & 1
				if !first {
					ctx := zero[w&0x1ff]
					s := &cx[ctx&31]
					if t := a - s.qe; d == uint32(s.d) && int32(t) < 0 {
						a, c = t, c+s.qe>>16
					} else {
						a, c = e.mq.exchange(s, d, t, c)
					}
				}
				if first = false; d != 0 {
					var own window
					a, c, own = e.signify(y, x, r, w, a, c)
					f |= own
				}
			}
			stripe[x] = f &^ allVisited
		}
	}
	e.mq.a, e.mq.c = a, c
}

// quiet encodes how many of four coefficients, of which nothing is known, are zero before
// the first that is not.
func (e *blockEncoder) quiet(data []uint32, plane uint, a, c uint32) (uint32, uint32, int) {
	run := 0
	for run < 4 && data[run*e.w]>>plane&1 == 0 {
		run++
	}
	s := &e.mq.cx[ctxRun]
	if run == 4 {
		a, c = e.mq.exchange(s, 0, a-s.qe, c)
		return a, c, run
	}
	a, c = e.mq.exchange(s, 1, a-s.qe, c)
	s = &e.mq.cx[ctxUniform]
	a, c = e.mq.exchange(s, uint32(run>>1), a-s.qe, c)
	a, c = e.mq.exchange(s, uint32(run&1), a-s.qe, c)
	return a, c, run
}
