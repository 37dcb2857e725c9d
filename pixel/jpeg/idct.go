package jpeg

// The inverse DCT of Loeffler, Ligtenberg and Moschytz with 13 bits of fraction, as libjpeg
// has it under the name of islow: decoded samples are to agree to the bit.
const (
	fractionBits = 13
	f0298        = 2446
	f0390        = 3196
	f0541        = 4433
	f0765        = 6270
	f0899        = 7373
	f1175        = 9633
	f1501        = 12299
	f1847        = 15137
	f1961        = 16069
	f2053        = 16819
	f2562        = 20995
	f3072        = 25172
)

// butterfly transforms eight values; the results have fractionBits more.
func butterfly(i0, i1, i2, i3, i4, i5, i6, i7 int32) (o0, o1, o2, o3, o4, o5, o6, o7 int32) {
	z1 := (i2 + i6) * f0541
	t2, t3 := z1-i6*f1847, z1+i2*f0765
	t0, t1 := (i0+i4)<<fractionBits, (i0-i4)<<fractionBits
	e0, e3, e1, e2 := t0+t3, t0-t3, t1+t2, t1-t2
	z1, z2, z3, z4 := i7+i1, i5+i3, i7+i3, i5+i1
	z5 := (z3 + z4) * f1175
	z1, z2, z3, z4 = -z1*f0899, -z2*f2562, z5-z3*f1961, z5-z4*f0390
	a0, a1, a2, a3 := i7*f0298+z1+z3, i5*f2053+z2+z4, i3*f3072+z2+z3, i1*f1501+z1+z4
	return e0 + a3, e1 + a2, e2 + a1, e3 + a0, e3 - a0, e2 - a1, e1 - a2, e0 - a3
}

// idctShifts is what the precision changes. The assembly knows where its fields are.
type idctShifts struct {
	round1, round2 int32 // of the columns and the rows; the second with the middle of the range
	shift1, shift2 uint64
	top            uint16
}

func newIDCTShifts(precision int) *idctShifts {
	between := 2 // bits kept between the passes; one for 12 bits
	if precision > 8 {
		between = 1
	}
	s1, s2 := fractionBits-between, fractionBits+between+3
	return &idctShifts{
		round1: 1 << (s1 - 1), round2: 1<<(s2-1) + 1<<(precision-1+s2),
		shift1: uint64(s1), shift2: uint64(s2), top: 1<<precision - 1,
	}
}

// idctPlain is idct without assembly.
func idctPlain(c *[64]int32, out []uint16, stride int, p *idctShifts) {
	for x := range 8 {
		column(c, x, p)
	}
	top, shift, round := int32(p.top), p.shift2&31, p.round2
	for y := range 8 {
		r := c[8*y : 8*y+8 : 8*y+8]
		o0, o1, o2, o3, o4, o5, o6, o7 := butterfly(r[0], r[1], r[2], r[3], r[4], r[5], r[6], r[7])
		o := out[y*stride:][:8]
		o[0] = uint16(min(max((o0+round)>>shift, 0), top))
		o[1] = uint16(min(max((o1+round)>>shift, 0), top))
		o[2] = uint16(min(max((o2+round)>>shift, 0), top))
		o[3] = uint16(min(max((o3+round)>>shift, 0), top))
		o[4] = uint16(min(max((o4+round)>>shift, 0), top))
		o[5] = uint16(min(max((o5+round)>>shift, 0), top))
		o[6] = uint16(min(max((o6+round)>>shift, 0), top))
		o[7] = uint16(min(max((o7+round)>>shift, 0), top))
	}
}

// column is the first pass, in place.
func column(c *[64]int32, x int, p *idctShifts) {
	x &= 7
	shift, round := p.shift1&31, p.round1
	if c[x+8]|c[x+16]|c[x+24]|c[x+32]|c[x+40]|c[x+48]|c[x+56] == 0 {
		v := (c[x]<<fractionBits + round) >> shift
		c[x], c[x+8], c[x+16], c[x+24], c[x+32], c[x+40], c[x+48], c[x+56] = v, v, v, v, v, v, v, v
		return
	}
	o0, o1, o2, o3, o4, o5, o6, o7 := butterfly(c[x], c[x+8], c[x+16], c[x+24], c[x+32], c[x+40], c[x+48], c[x+56])
	c[x], c[x+8], c[x+16], c[x+24] = (o0+round)>>shift, (o1+round)>>shift, (o2+round)>>shift, (o3+round)>>shift
	c[x+32], c[x+40], c[x+48], c[x+56] = (o4+round)>>shift, (o5+round)>>shift, (o6+round)>>shift, (o7+round)>>shift
}

// flat is idct for a block of nothing but a DC coefficient.
func flat(dc int32, out []uint16, stride int, p *idctShifts) {
	top := int32(p.top)
	v := uint16(min(max((dc+4)>>3+(top+1)>>1, 0), top))
	for range 8 {
		o := out[:8]
		o[0], o[1], o[2], o[3], o[4], o[5], o[6], o[7] = v, v, v, v, v, v, v, v
		out = out[min(stride, len(out)):]
	}
}
