package jxl

// neighbours are the samples around the one that comes next (annex H.3).
type neighbours struct{ w, n, nw, ne, nn, ww, nee int32 }

// around finds the neighbours at x. above and above2 are the rows before, nil where there are
// none.
func around(row, above, above2 []int32, x int) (b neighbours) {
	switch {
	case x > 0:
		b.w = row[x-1]
	case above != nil:
		b.w = above[0]
	}
	b.n, b.nw, b.ww = b.w, b.w, b.w
	if x > 1 {
		b.ww = row[x-2]
	}
	if above != nil {
		b.n = above[x]
		if x > 0 {
			b.nw = above[x-1]
		}
	}
	b.ne, b.nn = b.n, b.n
	if above != nil && x+1 < len(above) {
		b.ne = above[x+1]
	}
	if b.nee = b.ne; above != nil && x+2 < len(above) {
		b.nee = above[x+2]
	}
	if above2 != nil {
		b.nn = above2[x]
	}
	return b
}

// next goes on from x-1 to x, where there are two rows above and two columns to both sides.
func (b *neighbours) next(row, above, above2 []int32, x int) {
	b.ww, b.nw, b.n, b.ne = b.w, b.n, b.ne, b.nee
	b.w, b.nee, b.nn = row[x-1], above[x+2], above2[x]
}

// gradient is W + N - NW, held between W and N.
func (b *neighbours) gradient() int32 {
	low, high := min(b.w, b.n), max(b.w, b.n)
	return int32(min(max(int64(b.w)+int64(b.n)-int64(b.nw), int64(low)), int64(high)))
}

// predict is what a predictor other than the weighted one guesses (table H.3).
func (b *neighbours) predict(predictor uint8) int64 {
	w, n, nw, ne := int64(b.w), int64(b.n), int64(b.nw), int64(b.ne)
	switch predictor {
	case 1:
		return w
	case 2:
		return n
	case 3:
		return (w + n) / 2
	case 4:
		return b.choose()
	case 5:
		return int64(b.gradient())
	case 7:
		return ne
	case 8:
		return nw
	case 9:
		return int64(b.ww)
	case 10:
		return (w + nw) / 2
	case 11:
		return (n + nw) / 2
	case 12:
		return (n + ne) / 2
	case 13:
		return (6*n - 2*int64(b.nn) + 7*w + int64(b.ww) + int64(b.nee) + 3*ne + 8) / 16
	}
	return 0
}

// choose is W or N, whichever is nearer to their sum less NW.
func (b *neighbours) choose() int64 {
	toW, toN := int64(b.n)-int64(b.nw), int64(b.w)-int64(b.nw)
	if max(toW, -toW) < max(toN, -toN) {
		return int64(b.w)
	}
	return int64(b.n)
}

// fill sets the properties of a sample but the weighted one (table H.4). leftError is that of the
// sample before.
func (b *neighbours) fill(p *[propsOwn]int32, x int, leftError int32) {
	p[propX] = int32(x)
	p[propAbsN], p[propAbsW] = max(b.n, -b.n), max(b.w, -b.w)
	p[propN], p[propW] = b.n, b.w
	p[propGradientError] = leftError
	p[propGradient] = b.w + b.n - b.nw
	p[propWNW], p[propNWN], p[propNNE] = b.w-b.nw, b.nw-b.n, b.n-b.ne
	p[propNNN], p[propWWW] = b.n-b.nn, b.w-b.ww
}
