package jxl

import (
	"math"
	"sync"
)

// lazyOrder is a natural order that is made when it is needed.
type lazyOrder struct {
	once  sync.Once
	order []uint32
}

func (l *lazyOrder) get(o int) []uint32 {
	l.once.Do(func() { l.order = naturalOrder(orderSizes[o][0], orderSizes[o][1]) })
	return l.order
}

// halfSecants[n] are 1 / (2 cos((2i+1) pi / 2^(n+1))): the odd half of a transform of 2^n
// samples is one of half the size divided by the cosines.
var halfSecants = sync.OnceValue(func() *[9][]float32 {
	var t [9][]float32
	for n := 1; n < len(t); n++ {
		t[n] = make([]float32, 1<<(n-1))
		for i := range t[n] {
			t[n][i] = float32(0.5 / math.Cos(float64(2*i+1)*math.Pi/float64(int(2)<<n)))
		}
	}
	return &t
})

// cosines replaces c by its sums of cosines: sample i is c[0] + c[1] cos((2i+1) pi / 2n) + and so
// on. n is 1<<log; tmp has n more.
func cosines(c, tmp []float32, log int) {
	switch log {
	case 0:
		return
	case 1:
		a, b := c[0], c[1]*math.Sqrt2/2
		c[0], c[1] = a+b, a-b
		return
	case 2:
		c[0], c[1], c[2], c[3] = cosines4(c[0], c[1], c[2], c[3])
		return
	case 3:
		cosines8((*[8]float32)(c))
		return
	}
	n := 1 << log
	half := n / 2
	even, odd := tmp[:half], tmp[half:n]
	for i := range half {
		even[i] = c[2*i]
		odd[i] = c[2*i+1]
		if i > 0 {
			odd[i] += c[2*i-1]
		}
	}
	cosines(even, c, log-1)
	cosines(odd, c, log-1)
	sec := halfSecants()[log]
	for i, e := range even {
		o := odd[i] * sec[i]
		c[i], c[n-1-i] = e+o, e-o
	}
}

// cosines4 and cosines8 are cosines of four samples and of eight.
func cosines4(a, b, c, d float32) (float32, float32, float32, float32) {
	const half, near, far = math.Sqrt2 / 2, 0.541196100146197, 1.3065629648763766
	e, f := a+c*half, a-c*half
	o := (d + b) * half
	p, q := (b+o)*near, (b-o)*far
	return e + p, f + q, f - q, e - p
}

func cosines8(c *[8]float32) {
	e0, e1, e2, e3 := cosines4(c[0], c[2], c[4], c[6])
	o0, o1, o2, o3 := cosines4(c[1], c[3]+c[1], c[5]+c[3], c[7]+c[5])
	o0 *= 0.5097955791041592
	o1 *= 0.6013448869350453
	o2 *= 0.8999762231364156
	o3 *= 2.5629154477415055
	c[0], c[7] = e0+o0, e0-o0
	c[1], c[6] = e1+o1, e1-o1
	c[2], c[5] = e2+o2, e2-o2
	c[3], c[4] = e3+o3, e3-o3
}

// inverse is the inverse DCT of a block of coefficients, rows x cols samples, into dst
// (annex I.6). Blocks that are not wider than high are stored with rows and columns exchanged.
// line has twice the longer side, and coef is overwritten.
func inverse(coef []float32, rows, cols int, dst []float32, stride int, line []float32) {
	turned := rows >= cols
	h, w := rows, cols // as they are stored
	if turned {
		h, w = cols, rows
	}
	wlog, hlog := log2(w), log2(h)
	for y := range h {
		row := coef[y*w:][:w]
		for x := 1; x < w; x++ {
			row[x] *= math.Sqrt2
		}
		cosines(row, line, wlog)
	}
	for x := range w {
		in := line[:h]
		for y := range in {
			in[y] = coef[y*w+x]
			if y > 0 {
				in[y] *= math.Sqrt2
			}
		}
		cosines(in, line[h:], hlog)
		if turned {
			copy(dst[x*stride:], in)
			continue
		}
		for y, v := range in {
			dst[y*stride+x] = v
		}
	}
}

// waves[log] are the coefficients of the DCT of 1<<log samples: those of each frequency in turn.
var waves = sync.OnceValue(func() *[6][]float32 {
	var t [6][]float32
	for log := range t {
		n := 1 << log
		for k := range n {
			for i := range n {
				v := math.Cos(float64((2*i+1)*k)*math.Pi/float64(2*n)) / float64(n)
				if k > 0 {
					v *= math.Sqrt2
				}
				t[log] = append(t[log], float32(v))
			}
		}
	}
	return &t
})

// forward is the DCT of n samples, 32 or fewer, step apart: what inverse undoes. There are few of
// them, one for each block of low frequencies.
func forward(c []float32, step, n int) {
	var out [32]float32
	wave := waves()[log2(n)]
	for k := range n {
		for i, v := range wave[k*n:][:n] {
			out[k] += c[i*step] * v
		}
	}
	for k := range n {
		c[k*step] = out[k]
	}
}
