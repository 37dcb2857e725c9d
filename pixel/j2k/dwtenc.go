package j2k

import "math"

// forward takes the resolutions n to 1 apart (T.800 F.4).
func (tc *tileComp) forward(p *plane, n int) {
	if p.i != nil {
		analyze(tc, p.i, p.w, n, split53, splitRows53)
	} else {
		analyze(tc, p.f, p.w, n, split97, splitRows97)
	}
}

// analyze is synthesize backwards: the columns of a resolution, all at once row by row; then
// each row, whose two halves go to their places.
func analyze[T int32 | float32](tc *tileComp, buf []T, stride, n int, line func([]T, int), rows func([]T, int, int, int)) {
	var tmp []T
	for r := n; r >= 1; r-- {
		res, low := &tc.res[r], &tc.res[r-1]
		w, h := int(res.x1-res.x0), int(res.y1-res.y0)
		if w == 0 || h == 0 {
			continue
		}
		if tmp == nil {
			tmp = make([]T, w*h)
		}
		tmp = tmp[:w*h]
		for y := range h {
			copy(tmp[y*w:y*w+w], buf[y*stride:y*stride+w])
		}
		lw, lh := int(low.x1-low.x0), int(low.y1-low.y0)
		cx, cy := int(res.x0&1), int(res.y0&1)
		rows(tmp, w, h, cy)
		for y := range h {
			from := 2*y + cy
			if y >= lh {
				from = 2*(y-lh) + 1 - cy
			}
			src, dst := tmp[from*w:from*w+w], buf[y*stride:y*stride+w]
			line(src, cx)
			for i := range dst[:lw] {
				dst[i] = src[2*i+cx]
			}
			for i := range dst[lw:] {
				dst[lw+i] = src[2*i+1-cx]
			}
		}
	}
}

// split53 is F.4.8.2; c is the parity of the first sample.
func split53(a []int32, c int) {
	n := len(a)
	if n == 1 {
		a[0] <<= c
		return
	}
	for i := 1 - c; i < n; i += 2 {
		l, r := mirror(i, n)
		a[i] -= (a[l] + a[r]) >> 1
	}
	for i := c; i < n; i += 2 {
		l, r := mirror(i, n)
		a[i] += (a[l] + a[r] + 2) >> 2
	}
}

func splitRows53(a []int32, w, h, c int) {
	if h == 1 {
		for i := range a {
			a[i] <<= c
		}
		return
	}
	for y := 1 - c; y < h; y += 2 {
		u, v := mirror(y, h)
		d, l, r := a[y*w:y*w+w], a[u*w:u*w+w], a[v*w:v*w+w]
		for i := range d {
			d[i] -= (l[i] + r[i]) >> 1
		}
	}
	for y := c; y < h; y += 2 {
		u, v := mirror(y, h)
		d, l, r := a[y*w:y*w+w], a[u*w:u*w+w], a[v*w:v*w+w]
		for i := range d {
			d[i] += (l[i] + r[i] + 2) >> 2
		}
	}
}

// split97 is F.4.8.1.
func split97(a []float32, c int) {
	n := len(a)
	if n == 1 {
		a[0] *= float32(1 + c)
		return
	}
	for s := 3; s >= 0; s-- {
		k := lifts97[s]
		for i := c ^ s&1; i < n; i += 2 {
			l, r := mirror(i, n)
			a[i] += k * (a[l] + a[r])
		}
	}
	for i := c; i < n; i += 2 {
		a[i] *= 1 / k97
	}
	for i := 1 - c; i < n; i += 2 {
		a[i] *= 1 / high97
	}
}

func splitRows97(a []float32, w, h, c int) {
	if h == 1 {
		for i := range a {
			a[i] *= float32(1 + c)
		}
		return
	}
	for s := 3; s >= 0; s-- {
		k := lifts97[s]
		for y := c ^ s&1; y < h; y += 2 {
			u, v := mirror(y, h)
			d, l, r := a[y*w:y*w+w], a[u*w:u*w+w], a[v*w:v*w+w]
			for i := range d {
				d[i] += k * (l[i] + r[i])
			}
		}
	}
	for y := range h {
		k := float32(1 / k97)
		if y&1 != c {
			k = 1 / high97
		}
		for i := range a[y*w : y*w+w] {
			a[y*w+i] *= k
		}
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
