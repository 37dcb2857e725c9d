package jpeg

// forward is butterfly the other way round; of the results o0 and o4 lack fractionBits.
func forward(i0, i1, i2, i3, i4, i5, i6, i7 int32) (o0, o1, o2, o3, o4, o5, o6, o7 int32) {
	t0, t7, t1, t6 := i0+i7, i0-i7, i1+i6, i1-i6
	t2, t5, t3, t4 := i2+i5, i2-i5, i3+i4, i3-i4
	e0, e3, e1, e2 := t0+t3, t0-t3, t1+t2, t1-t2
	z1 := (e2 + e3) * f0541
	o0, o4, o2, o6 = e0+e1, e0-e1, z1+e3*f0765, z1-e2*f1847
	z1, z2, z3, z4 := t4+t7, t5+t6, t4+t6, t5+t7
	z5 := (z3 + z4) * f1175
	z1, z2, z3, z4 = -z1*f0899, -z2*f2562, z5-z3*f1961, z5-z4*f0390
	return o0, t7*f1501 + z1 + z4, o2, t6*f3072 + z2 + z3, o4, t5*f2053 + z2 + z4, o6, t4*f0298 + z1 + z3
}

// fdctShifts is what the precision changes. The assembly knows where its fields are.
type fdctShifts struct {
	middle                 int32 // half the range of samples
	round1, round2, small  int32 // of the lines, of the columns, and of the latter's two without fraction
	shift1, shift2, beyond uint64
}

func newFDCTShifts(precision int) *fdctShifts {
	between := 2
	if precision > 8 {
		between = 1
	}
	s1, s2 := fractionBits-between, fractionBits+between
	return &fdctShifts{
		middle: 1 << (precision - 1), round1: 1 << (s1 - 1), round2: 1 << (s2 - 1), small: 1 << (between - 1),
		shift1: uint64(s1), shift2: uint64(s2), beyond: uint64(between),
	}
}

// fdctPlain is fdct without assembly.
func fdctPlain(c *[64]int32, in []uint16, stride int, p *fdctShifts) {
	m, shift, round, beyond := p.middle, p.shift1&31, p.round1, p.beyond&31
	for y := range 8 {
		i := in[y*stride:][:8]
		o0, o1, o2, o3, o4, o5, o6, o7 := forward(int32(i[0])-m, int32(i[1])-m, int32(i[2])-m, int32(i[3])-m,
			int32(i[4])-m, int32(i[5])-m, int32(i[6])-m, int32(i[7])-m)
		r := c[8*y : 8*y+8 : 8*y+8]
		r[0], r[4] = o0<<beyond, o4<<beyond
		r[1], r[2], r[3] = (o1+round)>>shift, (o2+round)>>shift, (o3+round)>>shift
		r[5], r[6], r[7] = (o5+round)>>shift, (o6+round)>>shift, (o7+round)>>shift
	}
	shift, round = p.shift2&31, p.round2
	for x := range 8 {
		o0, o1, o2, o3, o4, o5, o6, o7 := forward(c[x], c[x+8], c[x+16], c[x+24], c[x+32], c[x+40], c[x+48], c[x+56])
		c[x], c[x+32] = (o0+p.small)>>beyond, (o4+p.small)>>beyond
		c[x+8], c[x+16], c[x+24] = (o1+round)>>shift, (o2+round)>>shift, (o3+round)>>shift
		c[x+40], c[x+48], c[x+56] = (o5+round)>>shift, (o6+round)>>shift, (o7+round)>>shift
	}
}
