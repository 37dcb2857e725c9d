//go:build !noasm

package j2k

//go:noescape
func liftAVX2(d, a, b *int32, n int, round, shift, sign int32)

//go:noescape
func joinAVX2(d, low, high *int32, n int)

//go:noescape
func partAVX2(low, high, x *int32, n int)

//go:noescape
func unfoldAVX2(to *int32, from *uint32, n int)

//go:noescape
func foldAVX2(to *uint32, from *int32, n int)

//go:noescape
func wordsAVX2(px *byte, row *int32, n int, shift, lo, hi int32)

//go:noescape
func bytesAVX2(px *byte, row *int32, n int, shift, lo, hi int32)

//go:noescape
func fromWordsAVX2(row *int32, px *byte, n int, mask, shift int32)

//go:noescape
func fromBytesAVX2(row *int32, px *byte, n int, mask, shift int32)

// groups is how many of n elements vectors can do, so many at a time.
func groups(n, each int) int {
	if !vectors || n < each {
		return 0
	}
	return n / each * each
}

// The functions below do what they can of their work with vectors, from the first element
// on, and return how many elements they did.

// startLift adds (a+b+round)>>shift, or takes it away where sign is -1.
func startLift(d, a, b []int32, round, shift, sign int32) int {
	n := groups(min(len(d), len(a), len(b)), 8)
	if n > 0 {
		liftAVX2(&d[0], &a[0], &b[0], n, round, shift, sign)
	}
	return n
}

// startJoin is joinEven53 from the second sample of low on: each is done with the one of high.
func startJoin(d, low, high []int32) int {
	n := groups(min(len(low), len(high))-2, 8)
	if n > 0 {
		joinAVX2(&d[2 : 2*n+2][0], &low[1], &high[1], n)
	}
	return n
}

// startPart puts the odd samples of x, changed by those around them, into high, and the even
// ones into low.
func startPart(low, high, x []int32) int {
	n := groups(min(len(low), len(high), (len(x)-2)/2), 8)
	if n > 0 {
		partAVX2(&low[0], &high[0], &x[0], n)
	}
	return n
}

// startUnfold makes numbers of magnitudes with a bit of fraction and their signs.
func startUnfold(to []int32, from []uint32) int {
	n := groups(min(len(to), len(from)), 8)
	if n > 0 {
		unfoldAVX2(&to[0], &from[0], n)
	}
	return n
}

// startFold makes magnitudes of numbers, their signs below.
func startFold(to []uint32, from []int32) int {
	n := groups(min(len(to), len(from)), 8)
	if n > 0 {
		foldAVX2(&to[0], &from[0], n)
	}
	return n
}

// startWrite writes shifted samples of one or two bytes, clipped.
func startWrite(px []byte, row []int32, width int, shift, lo, hi int32) int {
	n := groups(min(len(px)/width, len(row)), 16)
	switch {
	case n == 0:
	case width == 1:
		bytesAVX2(&px[0], &row[0], n, shift, lo, hi)
	default:
		wordsAVX2(&px[0], &row[0], n, shift, lo, hi)
	}
	return n
}

// startLoad reads samples of one or two bytes, of which the bits in mask count.
func startLoad(row []int32, px []byte, width int, mask, shift int32) int {
	n := groups(min(len(px)/width, len(row)), 8)
	switch {
	case n == 0:
	case width == 1:
		fromBytesAVX2(&row[0], &px[0], n, mask, shift)
	default:
		fromWordsAVX2(&row[0], &px[0], n, mask, shift)
	}
	return n
}
