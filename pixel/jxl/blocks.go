package jxl

import "math"

// draw makes the samples of a block of a channel and puts them in its plane.
func (h *hfReader) draw(b *block, c, x, y int) {
	v := h.f.dct
	s := &strategies[b.strategy]
	coef := h.out[c]
	bx, by := (h.at.x+x)>>v.hshift[c], (h.at.y+y)>>v.vshift[c]
	h.lowest(s, coef, &v.lf[c], bx, by)
	p := &h.f.planes[c]
	dst := p.px[by*8*p.stride+bx*8:]
	if h.line == nil {
		h.line = make([]float32, 512)
	}
	switch {
	case b.strategy == hornuss:
		drawHornuss(coef, dst, p.stride)
	case b.strategy == dct2:
		drawDCT2(coef, dst, p.stride)
	case b.strategy == dct4:
		drawDCT4(coef, dst, p.stride, h.line)
	case b.strategy == dct4x8 || b.strategy == dct8x4:
		drawHalves(coef, dst, p.stride, h.line, b.strategy == dct8x4)
	case b.strategy >= firstCorner && b.strategy <= lastCorner:
		drawCorner(coef, dst, p.stride, h.line, int(b.strategy-firstCorner))
	default:
		inverse(coef, 8*s.h, 8*s.w, dst, p.stride, h.line)
	}
}

// lowest makes the lowest coefficients of a block out of the low frequencies that it covers
// (annex I.5).
func (h *hfReader) lowest(s *strategy, coef []float32, lf *plane, x, y int) {
	if s.blocks() == 1 {
		coef[0] = lf.row(y)[x]
		return
	}
	var tmp [32 * 32]float32
	for k := range s.h {
		copy(tmp[k*s.w:][:s.w], lf.row(y + k)[x:])
	}
	for k := range s.h {
		forward(tmp[k*s.w:], 1, s.w)
	}
	for k := range s.w {
		forward(tmp[k:], s.w, s.h)
	}
	_, cols := s.layout()
	for i := range s.h {
		for k := range s.w {
			at := i*8*cols + k
			if s.h >= s.w {
				at = k*8*cols + i
			}
			coef[at] = tmp[i*s.w+k] * resample(s.h, i) * resample(s.w, k)
		}
	}
}

// resample is how much larger coefficient k of 8n samples is than that of their n means.
func resample(n, k int) float32 {
	if k == 0 {
		return 1
	}
	a := float64(k) * math.Pi / float64(16*n)
	return float32(8 * math.Sin(a) / math.Sin(8*a))
}

// quarters are the means of the four quarters of a block, by its lowest coefficients.
func quarters(c []float32) [4]float32 {
	return [4]float32{c[0] + c[1] + c[8] + c[9], c[0] + c[1] - c[8] - c[9], c[0] - c[1] + c[8] - c[9], c[0] - c[1] - c[8] + c[9]}
}

// drawHornuss has coefficients that are differences from one sample of each quarter.
func drawHornuss(c, dst []float32, stride int) {
	for q, mean := range quarters(c) {
		y, x := q/2, q%2
		sum := float32(0)
		for i := 1; i < 16; i++ {
			sum += c[(y+i/4*2)*8+x+i%4*2]
		}
		base := mean - sum/16
		for i := range 16 {
			d := c[(y+i/4*2)*8+x+i%4*2]
			switch i {
			case 0:
				d = c[(y+2)*8+x+2]
			case 5:
				d = 0
			}
			dst[(4*y+i/4)*stride+4*x+i%4] = base + d
		}
	}
}

// drawDCT2 makes each sample of a square four, three times.
func drawDCT2(c, dst []float32, stride int) {
	for side := 1; side < 8; side *= 2 {
		var tmp [64]float32
		for y := range side {
			for x := range side {
				a, b, d, e := c[y*8+x], c[y*8+side+x], c[(y+side)*8+x], c[(y+side)*8+side+x]
				at := tmp[16*y+2*x:]
				at[0], at[1], at[8], at[9] = a+b+d+e, a+b-d-e, a-b+d-e, a-b-d+e
			}
		}
		for y := range 2 * side {
			copy(c[y*8:][:2*side], tmp[y*8:])
		}
	}
	for y := range 8 {
		copy(dst[y*stride:][:8], c[y*8:])
	}
}

// drawDCT4 has a transform for each quarter.
func drawDCT4(c, dst []float32, stride int, line []float32) {
	for q, mean := range quarters(c) {
		y, x := q/2, q%2
		var part [16]float32
		for i := range part {
			part[i] = c[(y+i/4*2)*8+x+i%4*2]
		}
		part[0] = mean
		inverse(part[:], 4, 4, dst[4*y*stride+4*x:], stride, line)
	}
}

// drawHalves has a transform for the upper and the lower half, or the left and the right one.
func drawHalves(c, dst []float32, stride int, line []float32, sides bool) {
	for k, mean := range [2]float32{c[0] + c[8], c[0] - c[8]} {
		var part [32]float32
		for i := range part {
			part[i] = c[(k+i/8*2)*8+i%8]
		}
		part[0] = mean
		if sides {
			inverse(part[:], 8, 4, dst[4*k:], stride, line)
		} else {
			inverse(part[:], 4, 8, dst[4*k*stride:], stride, line)
		}
	}
}

// drawCorner has a transform of its own for a quarter, of which one corner stands apart, one
// for the quarter beside it and one for the other half.
func drawCorner(c, dst []float32, stride int, line []float32, kind int) {
	right, lower := kind&1, kind>>1
	var own, beside [16]float32
	var rest [32]float32
	for i := range own {
		own[i], beside[i] = c[i/4*16+i%4*2], c[i/4*16+i%4*2+1]
	}
	for i := range rest {
		rest[i] = c[(1+i/8*2)*8+i%8]
	}
	own[0], beside[0], rest[0] = (c[0]+c[8]+c[1])*4, c[0]+c[8]-c[1], c[0]-c[8]
	for i := range own {
		sum := float32(0)
		for k, v := range own {
			sum += v * cornerBasis[k][i]
		}
		y, x := i/4, i%4
		if lower == 1 {
			y = 7 - y
		}
		if right == 1 {
			x = 7 - x
		}
		dst[y*stride+x] = sum
	}
	inverse(beside[:], 4, 4, dst[4*lower*stride+4*(1-right):], stride, line)
	inverse(rest[:], 4, 8, dst[4*(1-lower)*stride:], stride, line)
}
