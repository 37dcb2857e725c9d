package j2k

// blockDecoder decodes code blocks (T.800 Annex D). Coefficients have one fraction bit,
// which holds the middle of what is not known, and their sign in the highest.
type blockDecoder struct {
	mq   mq
	raw  raw
	tab  *tables
	zero *[512]uint8
	w, h int
	neighbours
	data   []uint32
	high   []uint32 // of deep coefficients, the planes from lowPlanes on
	bypass bool
	causal bool
}

const signBit = 1 << 31

// decode leaves the coefficients of a block in b.data.
func (b *blockDecoder) decode(cb *codeBlock, orient int, style byte, planes int) {
	b.tab = tabs()
	b.mq.tab, b.zero = &b.tab.mq, &b.tab.zero[orient]
	b.w, b.h = int(cb.x1-cb.x0), int(cb.y1-cb.y0)
	b.causal = style&styleCausal != 0
	b.data = sized(b.data, b.w*b.h)
	b.clear(b.w, b.h)
	b.mq.cx.reset(b.mq.tab)
	b.high = b.high[:0]
	base := 0 // the plane that bit 0 of b.data is of
	if planes > mostPlanes {
		base = lowPlanes
	}
	pass, plane, kind := 0, planes-1, 2
	for i := range cb.segs {
		seg := &cb.segs[i]
		b.bypass = style&styleBypass != 0 && pass >= 10 && kind < 2
		if b.bypass {
			b.raw.start(seg.data)
		} else {
			b.mq.start(seg.data)
		}
		for range seg.passes {
			if plane < base {
				if base == 0 {
					return
				}
				b.toLow()
				base = 0
			}
			b.pass(kind, uint(plane-base), style)
			pass++
			if kind++; kind == 3 {
				kind = 0
				plane--
			}
		}
	}
	if base > 0 {
		b.toLow()
	}
}

func (b *blockDecoder) pass(kind int, plane uint, style byte) {
	switch kind {
	case 0:
		b.significance(plane)
	case 1:
		b.refinement(plane)
	default:
		b.cleanup(plane)
		if style&styleSegSym != 0 {
			for range 4 {
				b.mq.bit(ctxUniform)
			}
		}
	}
	if style&styleReset != 0 {
		b.mq.cx.reset(b.mq.tab)
	}
}

func sized[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	s = s[:n]
	clear(s)
	return s
}

// signify decodes the sign of the coefficient in row r of column x, below row y, and tells
// its neighbours; w is its window, shifted to its row. It returns what its own column must
// know.
func (b *blockDecoder) signify(y, x, r int, w window, plane uint, a, c uint32) (uint32, uint32, window) {
	var neg uint32
	if b.bypass {
		neg = b.raw.bit()
	} else {
		sign := b.tab.sign[w.signIndex()]
		s := &b.mq.cx[sign>>1&31]
		a, c, neg = b.mq.exchange(s, a-s.qe, c)
		neg ^= uint32(sign & 1)
	}
	b.data[(y+r)*b.w+x] = 3<<plane | neg<<31
	return a, c, b.tell(y, x, r, neg, !b.causal)
}

// significance is D.3.1.
func (b *blockDecoder) significance(plane uint) {
	a, c, cx, zero, bypass := b.mq.a, b.mq.c, &b.mq.cx, b.zero, b.bypass
	for y := 0; y < b.h; y += 4 {
		rows := rowsOf(min(b.h-y, 4))
		stripe := b.stripe(y, b.w)
		for x, f := range stripe {
			todo := f.near() & rows
			if todo == 0 {
				continue
			}
			for ; todo != 0; todo &= todo - 1 {
				shift, r := todo.first()
				w := f >> shift
				var d uint32
				ctx := zero[w&0x1ff]
				s := &cx[ctx&31]
				switch t := a - s.qe; {
				case bypass:
					d = b.raw.bit()
				case c >= s.qe && int32(t) < 0:
					a, c, d = t, c-s.qe, uint32(s.d)
				default:
					a, c, d = b.mq.exchange(s, t, c)
				}
				if d != 0 {
					var own window
					a, c, own = b.signify(y, x, r, w, plane, a, c)
					f |= own
					todo |= 8 << shift &^ (f >> 4) & rows
				}
				f |= visited << shift
			}
			stripe[x] = f
		}
	}
	b.mq.a, b.mq.c = a, c
}

// refinement is D.3.3.
func (b *blockDecoder) refinement(plane uint) {
	a, c, cx, bypass := b.mq.a, b.mq.c, &b.mq.cx, b.bypass
	half := uint32(1) << (plane & 31)
	for y := 0; y < b.h; y += 4 {
		stripe := b.stripe(y, b.w)
		for x, f := range stripe {
			todo := f &^ (f >> 36) >> 4 & lines
			data := b.data[y*b.w+x:]
			for ; todo != 0; todo &= todo - 1 {
				shift, r := todo.first()
				w := f >> shift
				var d uint32
				ctx := magnitudeContext(w)
				s := &cx[ctx&31]
				switch t := a - s.qe; {
				case bypass:
					d = b.raw.bit()
				case c >= s.qe && int32(t) < 0:
					a, c, d = t, c-s.qe, uint32(s.d)
				default:
					a, c, d = b.mq.exchange(s, t, c)
				}
				data[r*b.w] += half * (2*d - 1)
				f |= twice << shift
			}
			stripe[x] = f
		}
	}
	b.mq.a, b.mq.c = a, c
}

// magnitudeContext is Table D.4.
func magnitudeContext(w window) uint8 {
	switch {
	case w&twice != 0:
		return ctxMag + 2
	case w&around != 0:
		return ctxMag + 1
	}
	return ctxMag
}

// cleanup is D.3.4; it forgets which coefficients the two other passes visited.
func (b *blockDecoder) cleanup(plane uint) {
	a, c, cx, zero := b.mq.a, b.mq.c, &b.mq.cx, b.zero
	for y := 0; y < b.h; y += 4 {
		rows := rowsOf(min(b.h-y, 4))
		stripe := b.stripe(y, b.w)
		for x := range stripe {
			f := stripe[x]
			todo, first := ^(f>>4|f>>40)&rows, false
			if f&known == 0 && rows == lines {
				var r int
				if a, c, r = b.quiet(a, c); r == 4 {
					continue
				}
				todo, first = todo>>(3*uint(r)&15)<<(3*uint(r)&15), true
			}
			for ; todo != 0; todo &= todo - 1 {
				shift, r := todo.first()
				w := f >> shift
				d := uint32(1)
				if !first {
					ctx := zero[w&0x1ff]
					s := &cx[ctx&31]
					if t := a - s.qe; c >= s.qe && int32(t) < 0 {
						a, c, d = t, c-s.qe, uint32(s.d)
					} else {
						a, c, d = b.mq.exchange(s, t, c)
					}
				}
				if first = false; d != 0 {
					var own window
					a, c, own = b.signify(y, x, r, w, plane, a, c)
					f |= own
				}
			}
			stripe[x] = f &^ allVisited
		}
	}
	b.mq.a, b.mq.c = a, c
}

// quiet decodes how many of four coefficients, of which nothing is known, are zero before
// the first that is not.
func (b *blockDecoder) quiet(a, c uint32) (uint32, uint32, int) {
	s := &b.mq.cx[ctxRun]
	a, c, d := b.mq.exchange(s, a-s.qe, c)
	if d == 0 {
		return a, c, 4
	}
	s = &b.mq.cx[ctxUniform]
	a, c, high := b.mq.exchange(s, a-s.qe, c)
	a, c, low := b.mq.exchange(s, a-s.qe, c)
	return a, c, int(high<<1 | low)
}
