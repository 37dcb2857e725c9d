package j2k

// blockDecoder decodes code blocks (T.800 Annex D). Coefficients have one fraction bit,
// which holds the middle of what is not known, and their sign in the highest.
type blockDecoder struct {
	mq   mq
	raw  raw
	tab  *tables
	zero *[256]uint8
	w, h int
	neighbours
	data   []uint32
	bypass bool
	causal bool
}

const signBit = 1 << 31

// decode leaves the coefficients of a block in b.data.
func (b *blockDecoder) decode(cb *codeBlock, orient int, style byte, planes int) {
	b.tab = tabs()
	b.mq.tab, b.zero = &b.tab.mq, &b.tab.zero[orient]
	b.w, b.h, b.fw = int(cb.x1-cb.x0), int(cb.y1-cb.y0), int(cb.x1-cb.x0)+2
	b.causal = style&styleCausal != 0
	b.data, b.flags = sized(b.data, b.w*b.h), sized(b.flags, b.fw*(b.h+2))
	b.mq.resetContexts()
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
			if plane < 0 {
				return
			}
			b.pass(kind, uint(plane), style)
			pass++
			if kind++; kind == 3 {
				kind = 0
				plane--
			}
		}
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
		b.mq.resetContexts()
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

// at is the flags of a coefficient as its row in the stripe lets it see them.
func (b *blockDecoder) at(fi, y int) uint16 {
	f := b.flags[fi]
	if b.causal && y&3 == 3 {
		f &^= fS | fSW | fSE | fNegS
	}
	return f
}

// signify decodes the sign of a coefficient and tells its neighbours.
func (b *blockDecoder) signify(fi, di, y int, plane uint) {
	f := b.at(fi, y)
	s := b.tab.sign[f&15|f>>4&0xF0]
	var neg uint32
	if b.bypass {
		neg = b.raw.bit()
	} else {
		neg = b.mq.bit(s>>1) ^ uint32(s&1)
	}
	b.data[di] = 3<<plane | neg<<31
	b.tell(fi, uint16(neg))
}

// significance is D.3.1.
func (b *blockDecoder) significance(plane uint) {
	for y0 := 0; y0 < b.h; y0 += 4 {
		y1 := min(y0+4, b.h)
		for x := range b.w {
			fi := (y0+1)*b.fw + x + 1
			if y1-y0 == 4 && b.column(fi)&fNear == 0 {
				continue
			}
			for y := y0; y < y1; y, fi = y+1, fi+b.fw {
				f := b.at(fi, y)
				if f&fSig != 0 || f&fNear == 0 {
					continue
				}
				var v uint32
				if b.bypass {
					v = b.raw.bit()
				} else {
					v = b.mq.bit(b.zero[f&fNear])
				}
				if v != 0 {
					b.signify(fi, y*b.w+x, y, plane)
				}
				b.flags[fi] |= fVisit
			}
		}
	}
}

// refinement is D.3.3.
func (b *blockDecoder) refinement(plane uint) {
	half := uint32(1) << plane
	for y0 := 0; y0 < b.h; y0 += 4 {
		y1 := min(y0+4, b.h)
		for x := range b.w {
			fi := (y0+1)*b.fw + x + 1
			if y1-y0 == 4 && b.column(fi)&fSig == 0 {
				continue
			}
			for y := y0; y < y1; y, fi = y+1, fi+b.fw {
				f := b.at(fi, y)
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
				var v uint32
				if b.bypass {
					v = b.raw.bit()
				} else {
					v = b.mq.bit(ctx)
				}
				di := y*b.w + x
				if v != 0 {
					b.data[di] += half
				} else {
					b.data[di] -= half
				}
				b.flags[fi] |= fRefined
			}
		}
	}
}

// cleanup is D.3.4; it forgets which coefficients the two other passes visited.
func (b *blockDecoder) cleanup(plane uint) {
	for y0 := 0; y0 < b.h; y0 += 4 {
		y1 := min(y0+4, b.h)
		for x := range b.w {
			y, first := y0, false
			if y1-y0 == 4 && b.quiet(x, y0) {
				if b.mq.bit(ctxRun) == 0 {
					continue
				}
				y += int(b.mq.bit(ctxUniform)<<1 | b.mq.bit(ctxUniform))
				first = true
			}
			fi := (y+1)*b.fw + x + 1
			for ; y < y1; y, fi = y+1, fi+b.fw {
				f := b.at(fi, y)
				if first || f&(fSig|fVisit) == 0 {
					if first || b.mq.bit(b.zero[f&fNear]) != 0 {
						b.signify(fi, y*b.w+x, y, plane)
					}
					first = false
				}
				b.flags[fi] &^= fVisit
			}
		}
	}
}

// quiet: four coefficients that are not known and have no significant neighbour.
func (b *blockDecoder) quiet(x, y int) bool {
	fi := (y+1)*b.fw + x + 1
	f := b.flags[fi] | b.flags[fi+b.fw] | b.flags[fi+2*b.fw] | b.at(fi+3*b.fw, y+3)
	return f&(fSig|fVisit|fNear) == 0
}
