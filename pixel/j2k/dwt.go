package j2k

// plane is the coefficients, then the samples of a tile component; one of the two slices
// is used, by the wavelet.
type plane struct {
	w, h int
	i    []int32
	f    []float32
}

// inverse puts the resolutions 1 to n together (T.800 F.3).
func (tc *tileComp) inverse(p *plane, n int) {
	if p.i != nil {
		synthesize(tc, p.i, p.w, n, lift53, rows53)
	} else {
		synthesize(tc, p.f, p.w, n, lift97, rows97)
	}
}

// synthesize runs the levels: each row of a resolution into its interleaved place, lifted;
// then the columns, all at once row by row.
func synthesize[T int32 | float32](tc *tileComp, buf []T, stride, n int, line func([]T, int), rows func([]T, int, int, int)) {
	var tmp []T
	for r := 1; r <= n; r++ {
		res, low := &tc.res[r], &tc.res[r-1]
		w, h := int(res.x1-res.x0), int(res.y1-res.y0)
		if w == 0 || h == 0 {
			continue
		}
		if cap(tmp) < w*h {
			tmp = make([]T, int(tc.res[n].x1-tc.res[n].x0)*int(tc.res[n].y1-tc.res[n].y0))
		}
		tmp = tmp[:w*h]
		lw, lh := int(low.x1-low.x0), int(low.y1-low.y0)
		cx, cy := int(res.x0&1), int(res.y0&1)
		for y := range h {
			to := 2*y + cy
			if y >= lh {
				to = 2*(y-lh) + 1 - cy
			}
			dst, src := tmp[to*w:to*w+w], buf[y*stride:y*stride+w]
			for i, v := range src[:lw] {
				dst[2*i+cx] = v
			}
			for i, v := range src[lw:] {
				dst[2*i+1-cx] = v
			}
			line(dst, cx)
		}
		rows(tmp, w, h, cy)
		for y := range h {
			copy(buf[y*stride:y*stride+w], tmp[y*w:y*w+w])
		}
	}
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

// lift53 is F.3.8.2; c is the parity of the first sample.
func lift53(a []int32, c int) {
	n := len(a)
	if n == 1 {
		if c == 1 {
			a[0] >>= 1
		}
		return
	}
	for i := c; i < n; i += 2 {
		l, r := mirror(i, n)
		a[i] -= (a[l] + a[r] + 2) >> 2
	}
	for i := 1 - c; i < n; i += 2 {
		l, r := mirror(i, n)
		a[i] += (a[l] + a[r]) >> 1
	}
}

func rows53(a []int32, w, h, c int) {
	if h == 1 {
		if c == 1 {
			for i := range a {
				a[i] >>= 1
			}
		}
		return
	}
	for y := c; y < h; y += 2 {
		u, v := mirror(y, h)
		d, l, r := a[y*w:y*w+w], a[u*w:u*w+w], a[v*w:v*w+w]
		for i := range d {
			d[i] -= (l[i] + r[i] + 2) >> 2
		}
	}
	for y := 1 - c; y < h; y += 2 {
		u, v := mirror(y, h)
		d, l, r := a[y*w:y*w+w], a[u*w:u*w+w], a[v*w:v*w+w]
		for i := range d {
			d[i] += (l[i] + r[i]) >> 1
		}
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

var steps97 = [4]float32{delta97, gamma97, beta97, alpha97}

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
	for s, k := range steps97 {
		for i := c ^ s&1; i < n; i += 2 {
			l, r := mirror(i, n)
			a[i] -= k * (a[l] + a[r])
		}
	}
}

func rows97(a []float32, w, h, c int) {
	if h == 1 {
		if c == 1 {
			for i := range a {
				a[i] /= 2
			}
		}
		return
	}
	for y := range h {
		k := float32(k97)
		if y&1 != c {
			k = high97
		}
		for i, v := range a[y*w : y*w+w] {
			a[y*w+i] = v * k
		}
	}
	for s, k := range steps97 {
		for y := c ^ s&1; y < h; y += 2 {
			u, v := mirror(y, h)
			d, l, r := a[y*w:y*w+w], a[u*w:u*w+w], a[v*w:v*w+w]
			for i := range d {
				d[i] -= k * (l[i] + r[i])
			}
		}
	}
}
