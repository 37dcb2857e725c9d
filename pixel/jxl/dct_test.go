package jxl

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestInverse compares the transform with its sums of cosines, one by one.
func TestInverse(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for _, d := range [][2]int{{8, 8}, {4, 4}, {4, 8}, {8, 4}, {16, 8}, {8, 32}, {32, 32}, {64, 32}, {16, 32}} {
		rows, cols := d[0], d[1]
		coef := make([]float32, rows*cols)
		for i := range coef {
			coef[i] = r.Float32() - 0.5
		}
		given := func(v, h int) float64 { // the coefficient of a vertical and a horizontal frequency
			if rows >= cols {
				return float64(coef[h*rows+v])
			}
			return float64(coef[v*cols+h])
		}
		base := func(k, i, n int) float64 {
			if k == 0 {
				return 1
			}
			return math.Sqrt2 * math.Cos(float64((2*i+1)*k)*math.Pi/float64(2*n))
		}
		want := make([]float64, rows*cols)
		for i := range want {
			for v := range rows {
				for h := range cols {
					want[i] += given(v, h) * base(v, i/cols, rows) * base(h, i%cols, cols)
				}
			}
		}
		got := make([]float32, rows*cols)
		inverse(coef, rows, cols, got, cols, make([]float32, 512))
		for i, w := range want {
			if math.Abs(float64(got[i])-w) > 1e-3 {
				t.Fatalf("%d x %d: sample %d is %v, want %v", rows, cols, i, got[i], w)
			}
		}
	}
}

// TestLowest draws blocks of every strategy that have nothing but low frequencies: the means of
// their parts of 8 x 8 samples are those.
func TestLowest(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 1))
	for kind := range strategies {
		s := &strategies[kind]
		f := &frame{dct: &varDCT{}, planes: []plane{newPlane(8*s.w, 8*s.h)}}
		lf := newPlane(s.w, s.h)
		for i := range lf.px {
			lf.px[i] = r.Float32()
		}
		f.dct.lf[0] = lf
		h := &hfReader{f: f}
		h.out[0] = make([]float32, 64*s.blocks())
		h.draw(&block{strategy: uint8(kind)}, 0, 0, 0)
		for i, want := range lf.px {
			sum := float32(0)
			for y := range 8 {
				for _, v := range f.planes[0].row(i/s.w*8 + y)[i%s.w*8:][:8] {
					sum += v
				}
			}
			if d := sum/64 - want; d > 1e-4 || d < -1e-4 {
				t.Fatalf("strategy %d, block %d: %v, want %v", kind, i, sum/64, want)
			}
		}
	}
}

// TestNaturalOrder has every coefficient once, those that low frequencies give in front.
func TestNaturalOrder(t *testing.T) {
	for o, size := range orderSizes {
		order := naturalOrder(size[0], size[1])
		seen := make([]bool, len(order))
		for i, at := range order {
			low := int(at)/(8*size[1]) < size[0] && int(at)%(8*size[1]) < size[1]
			if seen[at] || low != (i < size[0]*size[1]) {
				t.Fatalf("order %d: place %d is %d", o, i, at)
			}
			seen[at] = true
		}
	}
}
