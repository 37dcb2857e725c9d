package j2k

import "sync"

// plane is the coefficients, then the samples of a tile component; one of the slices is
// used, by the wavelet and the depth.
type plane struct {
	w, h int
	i    []int32
	l    []int64 // 5/3 of deep samples
	f    []float32

	pooled *[]int32 // i, to be given back
}

// newPlane makes a plane of what a tile component needs.
func newPlane(w, h int, reversible, deep bool) plane {
	p := plane{w: w, h: h}
	switch {
	case !reversible:
		p.f = make([]float32, w*h)
	case deep:
		p.l = make([]int64, w*h)
	default:
		b, _ := planeBuffers.Get().(*[]int32)
		if b == nil {
			b = new([]int32)
		}
		*b = sized(*b, w*h)
		p.i, p.pooled = *b, b
	}
	return p
}

// planeBuffers holds the memory of planes of int32.
var planeBuffers sync.Pool

// release gives the memory of planes back, which nobody uses any more.
func release(planes []plane) {
	for k := range planes {
		if planes[k].pooled != nil {
			planeBuffers.Put(planes[k].pooled)
		}
	}
}

// most is how many bit planes its blocks can have.
func (p *plane) most() int {
	if p.l != nil {
		return mostDeepPlanes
	}
	return mostPlanes
}

// whole is what the 5/3 wavelet works with.
type whole interface{ int32 | int64 }

type number interface{ whole | float32 }

// source gives the rows of a tile component from the top, each good until the next.
type source struct {
	i func() []int32
	l func() []int64
	f func() []float32
}

// inverse puts the resolutions 1 to n together (T.800 F.3).
func (tc *tileComp) inverse(p *plane, n int) source {
	switch {
	case p.i != nil:
		return source{i: synthesize(tc, p.i, p.w, n, rows53())}
	case p.l != nil:
		return source{l: synthesize(tc, p.l, p.w, n, wavelet53[int64]())}
	}
	return source{f: synthesize(tc, p.f, p.w, n, wavelet[float32]{join: join97, weigh: weigh97, steps: steps97(), alone: halve97})}
}

// wavelet is how rows come together: two halves to a row, each row then changed by its
// neighbours in some steps. alone changes an only row, if it is a high one.
type wavelet[T number] struct {
	join  func(dst, low, high []T, c int)
	weigh func(row []T, high bool) // nil: a low row is worth as much as a high one
	steps []func(d, a, b []T)
	alone func(row []T)
}

// synthesize gives the rows of resolution n. Each resolution takes those of the one below
// as they come, so that no more than a few rows of each are held.
func synthesize[T number](tc *tileComp, buf []T, stride, n int, v wavelet[T]) func() []T {
	res := &tc.res[n]
	w, h := int(res.x1-res.x0), int(res.y1-res.y0)
	if n == 0 {
		y := -1
		return func() []T { y++; return buf[y*stride : y*stride+w] }
	}
	low := &tc.res[n-1]
	lw, lh, cy := int(low.x1-low.x0), int(low.y1-low.y0), int(res.y0&1)
	below := synthesize(tc, buf, stride, n-1, v)
	ring := newRing[T](len(v.steps), w)
	y := -1
	rows := func() []T {
		y++
		dst := ring[y%len(ring)]
		at := y / 2 * stride
		if y&1 == cy {
			var l []T
			if lw > 0 {
				l = below()
			}
			v.join(dst, l, buf[at+lw:at+w], int(res.x0&1))
		} else {
			at += lh * stride
			v.join(dst, buf[at:at+lw], buf[at+lw:at+w], int(res.x0&1))
		}
		if v.weigh != nil && h > 1 {
			v.weigh(dst, y&1 != cy)
		}
		return dst
	}
	switch {
	case h > 1:
		return lift(v.steps, rows, h, cy)
	case cy == 0:
		return rows
	}
	return func() []T {
		row := rows()
		v.alone(row)
		return row
	}
}

// newRing makes as many rows as are in use at a time where steps lift them.
func newRing[T any](steps, w int) [][]T {
	ring := make([][]T, 2*steps+3)
	for i := range ring {
		ring[i] = make([]T, w)
	}
	return ring
}

// lift has the steps change rows, h of them and more than one; the first step changes those
// of parity c.
func lift[T number](steps []func(d, a, b []T), rows func() []T, h, c int) func() []T {
	for s, step := range steps {
		l := &lifter[T]{from: rows, h: h, next: c ^ s&1, step: step}
		rows = l.row
	}
	return rows
}

// lifter changes every other row by the two around it. A row is given away when nothing
// here needs it any more, as who gets it may change it.
type lifter[T number] struct {
	from func() []T
	step func(d, a, b []T)
	h    int
	read int // rows taken
	next int // the row to be changed next
	out  int // rows given away
	held [4][]T
}

func (l *lifter[T]) row() []T {
	for l.next < l.h && l.next <= l.out+1 {
		for l.read < min(l.next+2, l.h) {
			l.held[l.read&3] = l.from()
			l.read++
		}
		a, b := mirror(l.next, l.h)
		l.step(l.held[l.next&3], l.held[a&3], l.held[b&3])
		l.next += 2
	}
	for l.read <= l.out {
		l.held[l.read&3] = l.from()
		l.read++
	}
	l.out++
	return l.held[(l.out-1)&3]
}

// mirror is the neighbours of i in n, extended as F.3.7 says.
func mirror(i, n int) (int, int) {
	a, b := i-1, i+1
	if a < 0 {
		a = b
	}
	if b >= n {
		b = a
	}
	return a, b
}

func wavelet53[T whole]() wavelet[T] {
	return wavelet[T]{join: join53[T], steps: steps53[T](), alone: halve53[T]}
}

// halve53 changes an only row: its values are even, but of damaged streams.
func halve53[T whole](a []T) {
	for i := range a {
		a[i] /= 2
	}
}

func halve97(a []float32) {
	for i := range a {
		a[i] /= 2
	}
}

// rows53 is wavelet53 that begins with vectors.
func rows53() wavelet[int32] {
	w := wavelet53[int32]()
	w.join = join32
	w.steps = []func(d, a, b []int32){liftRows(w.steps[0], 2, 2, -1), liftRows(w.steps[1], 0, 1, 1)}
	return w
}

// liftRows has a step, which adds (a+b+round)>>shift with a sign, begin with vectors.
func liftRows(step func(d, a, b []int32), round, shift, sign int32) func(d, a, b []int32) {
	return func(d, a, b []int32) {
		n := startLift(d, a, b, round, shift, sign)
		step(d[n:], a[n:], b[n:])
	}
}

// join32 is join53 that begins with vectors.
func join32(d, low, high []int32, c int) {
	n := 0
	if c == 0 {
		n = startJoin(d, low, high)
	}
	if n == 0 {
		join53(d, low, high, c)
		return
	}
	d[0] = low[0] - (2*high[0]+2)>>2
	d[1] = high[0] + (d[0]+d[2])>>1
	resumeEven53(d[2*n:], low[n:], high[n:])
}

// steps53 is F.3.8.2 for rows.
func steps53[T whole]() []func(d, a, b []T) {
	return []func(d, a, b []T){
		func(d, a, b []T) {
			a, b = a[:len(d)], b[:len(d)]
			for i := range d {
				d[i] -= (a[i] + b[i] + 2) >> 2
			}
		},
		func(d, a, b []T) {
			a, b = a[:len(d)], b[:len(d)]
			for i := range d {
				d[i] += (a[i] + b[i]) >> 1
			}
		},
	}
}

// join53 is F.3.8.2 within a row; c is the parity of the first sample.
func join53[T whole](d, low, high []T, c int) {
	n := len(d)
	switch {
	case n == 1 && c == 0:
		d[0] = low[0]
	case n == 1:
		d[0] = high[0] / 2
	case c == 0:
		joinEven53(d, low, high)
	default:
		joinOdd53(d, low, high)
	}
}

func joinEven53[T whole](d, low, high []T) {
	d[0] = low[0] - (2*high[0]+2)>>2
	resumeEven53(d, low, high)
}

// resumeEven53 is joinEven53 behind the first sample.
func resumeEven53[T whole](d, low, high []T) {
	h, e := high[0], d[0]
	k := min(len(low), len(high))
	low2, high2, to := low[1:k], high[1:k], d[1:2*k-1]
	for i, v := range low2 {
		g := high2[i]
		f := v - (h+g+2)>>2
		to[2*i], to[2*i+1] = h+(e+f)>>1, f
		h, e = g, f
	}
	if len(low) == len(high) {
		d[len(d)-1] = h + e
		return
	}
	f := low[k] - (2*h+2)>>2
	d[2*k-1], d[2*k] = h+(e+f)>>1, f
}

func joinOdd53[T whole](d, low, high []T) {
	h, e := high[0], T(0)
	for i, v := range low {
		g := high[min(i+1, len(high)-1)]
		f := v - (h+g+2)>>2
		if i == 0 {
			e = f
		}
		d[2*i], d[2*i+1] = h+(e+f)>>1, f
		h, e = g, f
	}
	if len(high) > len(low) {
		d[len(d)-1] = h + e
	}
}

// Lifting parameters of T.800 Table F.4.
const (
	alpha97 = -1.586134342059924
	beta97  = -0.052980118572961
	gamma97 = 0.882911075530934
	delta97 = 0.443506852043971
	k97     = 1.230174104914001
	// high97 should be 1/k97 = 0.812893; OpenJPEG multiplies by this, 0.003 % less, which
	// at 16 bits moves samples by up to 3. Its pixels are the ones other viewers show.
	high97 = 1.625732422 / 2
)

var lifts97 = [4]float32{delta97, gamma97, beta97, alpha97}

// steps97 is F.3.8.1 for rows.
func steps97() (steps []func(d, a, b []float32)) {
	for _, k := range lifts97 {
		steps = append(steps, liftBy(-k))
	}
	return steps
}

// liftBy adds k times two neighbouring rows to a row.
func liftBy(k float32) func(d, a, b []float32) {
	return func(d, a, b []float32) {
		a, b = a[:len(d)], b[:len(d)]
		for i := range d {
			d[i] += k * (a[i] + b[i])
		}
	}
}

// join97 is F.3.8.1 within a row; c is the parity of the first sample.
func join97(d, low, high []float32, c int) {
	for i, v := range low {
		d[2*i+c] = v
	}
	for i, v := range high {
		d[2*i+1-c] = v
	}
	lift97(d, c)
}

// weigh97 is the first two steps of F.3.8.1 for a row.
func weigh97(a []float32, high bool) {
	k := float32(k97)
	if high {
		k = high97
	}
	for i := range a {
		a[i] *= k
	}
}

// lift97 is F.3.8.1.
func lift97(a []float32, c int) {
	n := len(a)
	if n == 1 {
		if c == 1 {
			a[0] /= 2
		}
		return
	}
	for i := c; i < n; i += 2 {
		a[i] *= k97
	}
	for i := 1 - c; i < n; i += 2 {
		a[i] *= high97
	}
	for s, k := range lifts97 {
		for i := c ^ s&1; i < n; i += 2 {
			l, r := mirror(i, n)
			a[i] -= k * (a[l] + a[r])
		}
	}
}
