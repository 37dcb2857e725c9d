package j2k

// neighbours are the flags of a code block's coefficients, with a border of one: what each
// knows of those around it.
type neighbours struct {
	fw    int // a row of flags
	flags []uint16
}

// tell has a coefficient be significant, and those around it know; neg is 1 for a negative
// one.
func (b *neighbours) tell(fi int, neg uint16) {
	up := b.flags[fi-b.fw-1 : fi-b.fw+2 : fi-b.fw+2]
	mid := b.flags[fi-1 : fi+2 : fi+2]
	down := b.flags[fi+b.fw-1 : fi+b.fw+2 : fi+b.fw+2]
	up[0] |= fSE
	up[1] |= fS | neg*fNegS
	up[2] |= fSW
	mid[0] |= fE | neg*fNegE
	mid[1] |= fSig
	mid[2] |= fW | neg*fNegW
	down[0] |= fNE
	down[1] |= fN | neg*fNegN
	down[2] |= fNW
}

// column is what any of the four coefficients of a column in a stripe has.
func (b *neighbours) column(fi int) uint16 {
	fw := b.fw
	return b.flags[fi] | b.flags[fi+fw] | b.flags[fi+2*fw] | b.flags[fi+3*fw]
}
