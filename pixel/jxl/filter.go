package jxl

import "math"

// padded returns a copy of p with n samples more on every side, which mirror those inside.
func (p *plane) padded(n int) plane {
	out := newPlane(p.w+2*n, p.h+2*n)
	for y := range out.h {
		in, row := p.row(mirror(y-n, p.h)), out.row(y)
		copy(row[n:], in)
		for x := range n {
			row[x], row[n+p.w+x] = in[mirror(x-n, p.w)], in[mirror(p.w+x, p.w)]
		}
	}
	return out
}

// mirror brings an index into 0 to n-1, as between two mirrors.
func mirror(i, n int) int {
	for i < 0 || i >= n {
		if i < 0 {
			i = -i - 1
		} else {
			i = 2*n - 1 - i
		}
	}
	return i
}

// restore applies the restoration filters (annex J).
func (f *frame) restore(workers int) error {
	if f.filter.gaborish {
		for c := range 3 {
			if err := f.sharpen(c, workers); err != nil {
				return err
			}
		}
	}
	if f.filter.iterations == 0 {
		return nil
	}
	sigma := f.sigmas()
	for k := range edgeSteps {
		s := &edgeSteps[k]
		if f.filter.iterations < s.from {
			continue
		}
		scale := float32(1.65)
		if s.sigma >= 0 {
			scale *= f.filter.sigma[s.sigma]
		}
		if err := f.smoothEdges(s, sigma, scale, workers); err != nil {
			return err
		}
	}
	return nil
}

// sharpen is Gaborish (annex J.2): each sample with some of the eight around it.
func (f *frame) sharpen(c, workers int) error {
	side, corner := f.filter.weights[2*c], f.filter.weights[2*c+1]
	total := 1 + 4*(side+corner)
	if !(math.Abs(float64(total)) > 1e-8) {
		return FormatError("weights of a filter that cancel each other")
	}
	center := 1 / total
	side, corner = side/total, corner/total
	out := &f.planes[c]
	in := out.padded(1)
	return each(workers, out.h, func(y int) error {
		a, b, d, row := in.row(y), in.row(y+1), in.row(y+2), out.row(y)
		for x := range row {
			row[x] = center*b[x+1] + side*(a[x+1]+b[x]+b[x+2]+d[x+1]) + corner*(a[x]+a[x+2]+d[x]+d[x+2])
		}
		return nil
	})
}

const (
	sigmaUnit = -1.1715728752538099024
	leastEdge = sigmaUnit / 0.3 // nothing is smoothed below
)

// sigmas are how strongly each block of 8 x 8 is smoothed, inverted.
func (f *frame) sigmas() plane {
	out := newPlane(ceilDiv(f.width, 8), ceilDiv(f.height, 8))
	v := f.dct
	for y := range out.h {
		for x := range out.w {
			if v == nil {
				out.px[y*out.w+x] = sigmaUnit / f.filter.modularSigma
				continue
			}
			b := &v.blocks[y*v.w+x]
			sigma := f.filter.quantMul * 65536 / (float32(v.globalScale) * float32(b.scale) * sigmaUnit) * f.filter.sharpness[b.sharp]
			out.px[y*out.w+x] = 1 / min(-1e-4, sigma)
		}
	}
	return out
}

// edgeStep is a pass of the edge-preserving filter (annex J.3): each sample becomes the mean of
// those around it, weighed by how alike their surroundings are.
type edgeStep struct {
	from   uint32 // iterations that it is part of
	sigma  int    // index of the scale, -1: 1
	around [][2]int
	alike  [][2]int // places that are compared
}

var (
	here = [][2]int{{0, 0}}
	plus = [][2]int{{0, 0}, {-1, 0}, {0, -1}, {1, 0}, {0, 1}}
	ring = plus[1:]
	wide = [][2]int{{-2, 0}, {-1, -1}, {-1, 0}, {-1, 1}, {0, -2}, {0, -1}, {0, 1}, {0, 2}, {1, -1}, {1, 0}, {1, 1}, {2, 0}}

	edgeSteps = [3]edgeStep{{3, 0, wide, plus}, {1, -1, ring, plus}, {2, 1, ring, here}}
)

func (f *frame) smoothEdges(s *edgeStep, sigma plane, scale float32, workers int) error {
	var in [3]plane
	for c := range in {
		in[c] = f.planes[c].padded(3)
	}
	stride := in[0].stride
	offsets := func(places [][2]int) (out []int) {
		for _, p := range places {
			out = append(out, p[0]*stride+p[1])
		}
		return out
	}
	around, alike := offsets(s.around), offsets(s.alike)
	return each(workers, f.height, func(y int) error {
		f.smoothRow(y, &in, around, alike, sigma.row(y/8), scale)
		return nil
	})
}

func (f *frame) smoothRow(y int, in *[3]plane, around, alike []int, sigma []float32, scale float32) {
	outer := y%8 == 0 || y%8 == 7
	for x := range f.width {
		edge := sigma[x/8]
		at := (y+3)*in[0].stride + x + 3
		if edge < leastEdge {
			for c := range in {
				f.planes[c].row(y)[x] = in[c].px[at]
			}
			continue
		}
		if edge *= scale; outer || x%8 == 0 || x%8 == 7 {
			edge *= f.filter.borderMul
		}
		sum := [3]float32{in[0].px[at], in[1].px[at], in[2].px[at]}
		total := float32(1)
		for _, o := range around {
			apart := float32(0)
			for c := range in {
				px, d := in[c].px, float32(0)
				for _, k := range alike {
					e := px[at+k] - px[at+o+k]
					d += max(e, -e)
				}
				apart += d * f.filter.scale[c]
			}
			w := max(0, 1+apart*edge)
			total += w
			for c := range in {
				sum[c] += w * in[c].px[at+o]
			}
		}
		for c := range in {
			f.planes[c].row(y)[x] = sum[c] / total
		}
	}
}
