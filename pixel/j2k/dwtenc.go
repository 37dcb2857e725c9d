package j2k

import (
	"math"
	"slices"
)

// analysis is how rows come apart: changed by their neighbours in some steps, then each into
// two halves. What is encoded begins at the origin, so that first samples are low ones.
type analysis[T number] struct {
	steps []func(d, a, b []T)
	weigh func(row []T, high bool) // nil: a low row is worth as much as a high one
	part  func(low, high, row []T)
}

// forward takes the resolutions n to 1 apart (T.800 F.4), of samples that come row by row.
func (tc *tileComp) forward(p *plane, n int, from source) {
	switch {
	case p.i != nil:
		analyze(tc, p.i, p.w, n, from.i, splitRows53())
	case p.l != nil:
		analyze(tc, p.l, p.w, n, from.l, analysis[int64]{steps: splits53[int64](), part: part53[int64]})
	default:
		analyze(tc, p.f, p.w, n, from.f, analysis[float32]{steps: splits97(), weigh: unweigh97, part: part97})
	}
}

// analyze is synthesize backwards.
func analyze[T number](tc *tileComp, buf []T, stride, n int, rows func() []T, v analysis[T]) {
	for r := n; r >= 1; r-- {
		rows = v.below(&tc.res[r], &tc.res[r-1], buf, stride, rows)
	}
	for y := range int(tc.res[0].y1) {
		copy(buf[y*stride:], rows())
	}
}

// below gives the rows of the resolution below that of the rows given; the other subbands
// go to their places.
func (v analysis[T]) below(res, low *resolution, buf []T, stride int, rows func() []T) func() []T {
	w, h, lw, lh := int(res.x1), int(res.y1), int(low.x1), int(low.y1)
	if h > 1 {
		rows = lift(v.steps, rows, h, 1)
	}
	ring := newRing[T](len(v.steps), lw)
	take := func(low []T, at int, high bool) {
		row := rows()
		if v.weigh != nil && h > 1 {
			v.weigh(row, high)
		}
		v.part(low, buf[at+lw:at+w], row)
	}
	y := -1
	return func() []T {
		y++
		out := ring[y%len(ring)]
		take(out, y*stride, false)
		if 2*y+1 < h {
			at := (lh + y) * stride
			take(buf[at:at+lw], at, true)
		}
		return out
	}
}

// splitRows53 is F.4.8.2 that begins with vectors.
func splitRows53() analysis[int32] {
	s := splits53[int32]()
	return analysis[int32]{steps: []func(d, a, b []int32){liftRows(s[0], 0, 1, -1), liftRows(s[1], 2, 2, 1)}, part: part32}
}

// part32 is part53 that begins with vectors.
func part32(low, high, x []int32) {
	n := startPart(low, high, x)
	if n == 0 {
		part53(low, high, x)
		return
	}
	before := high[n-1]
	low[0] += (2*high[0] + 2) >> 2
	k := 1 + startLift(low[1:n], high[:n-1], high[1:n], 2, 2, 1)
	for ; k < n; k++ {
		low[k] += (high[k-1] + high[k] + 2) >> 2
	}
	resume53(low[n:], high[n:], x[2*n:], before)
}

// splits53 is F.4.8.2 for rows.
func splits53[T whole]() []func(d, a, b []T) {
	return []func(d, a, b []T){
		func(d, a, b []T) {
			a, b = a[:len(d)], b[:len(d)]
			for i := range d {
				d[i] -= (a[i] + b[i]) >> 1
			}
		},
		func(d, a, b []T) {
			a, b = a[:len(d)], b[:len(d)]
			for i := range d {
				d[i] += (a[i] + b[i] + 2) >> 2
			}
		},
	}
}

// part53 is F.4.8.2 within a row.
func part53[T whole](low, high, x []T) {
	n := len(x)
	if n == 1 {
		low[0] = x[0]
		return
	}
	next := x[0]
	if n > 2 {
		next = x[2]
	}
	resume53(low, high, x, x[1]-(x[0]+next)>>1)
}

// resume53 is part53 from an even sample on; before is the high one in front of it.
func resume53[T whole](low, high, x []T, before T) {
	n := len(x)
	for i := range high {
		a, c := x[2*i], x[2*i]
		if 2*i+2 < n {
			c = x[2*i+2]
		}
		d := x[2*i+1] - (a+c)>>1
		high[i], low[i] = d, a+(before+d+2)>>2
		before = d
	}
	if n&1 == 1 {
		low[n/2] = x[n-1] + (2*before+2)>>2
	}
}

// splits97 is F.4.8.1 for rows.
func splits97() (steps []func(d, a, b []float32)) {
	for _, k := range slices.Backward(lifts97[:]) {
		steps = append(steps, liftBy(k))
	}
	return steps
}

// unweigh97 is the last two steps of F.4.8.1 for a row.
func unweigh97(a []float32, high bool) {
	k := float32(1 / k97)
	if high {
		k = 1 / high97
	}
	for i := range a {
		a[i] *= k
	}
}

// part97 is F.4.8.1 within a row, which it changes.
func part97(low, high, x []float32) {
	n := len(x)
	if n == 1 {
		low[0] = x[0]
		return
	}
	for s := 3; s >= 0; s-- {
		k := lifts97[s]
		for i := s & 1; i < n; i += 2 {
			l, r := mirror(i, n)
			x[i] += k * (x[l] + x[r])
		}
	}
	for i := range low {
		low[i] = x[2*i] * (1 / k97)
	}
	for i := range high {
		high[i] = x[2*i+1] * (1 / high97)
	}
}

// norms97 are how much a unit in a subband weighs in the image: the square root of the
// energy of what it becomes, for the low and the high side of each depth in one dimension.
func norms97(levels int) (low, high []float64) {
	for n := 1; n <= levels; n++ {
		low, high = append(low, norm97(n, 0)), append(high, norm97(n, 1))
	}
	return low, high
}

// norm97 puts a unit in the middle of one side back together n times.
func norm97(n, side int) float64 {
	const middle = 8
	a := make([]float32, 4*middle)
	a[2*middle+side] = 1
	lift97(a, 0)
	for range n - 1 {
		b := make([]float32, 2*len(a))
		for i, v := range a {
			b[2*i] = v
		}
		lift97(b, 0)
		a = b
	}
	sum := 0.0
	for _, v := range a {
		sum += float64(v) * float64(v)
	}
	return math.Sqrt(sum)
}
