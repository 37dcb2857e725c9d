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

// bandRows is how many rows are smoothed together.
const bandRows = 32

func (f *frame) smoothEdges(s *edgeStep, sigma plane, scale float32, workers int) error {
	var in [3]plane
	for c := range in {
		in[c] = f.planes[c].padded(3)
	}
	return each(workers, ceilDiv(f.height, bandRows), func(i int) error {
		b := f.newBand(s, &in, i*bandRows, min((i+1)*bandRows, f.height))
		for y := b.y; y < b.end; y++ {
			b.smooth(f, y, sigma.row(y/8), scale)
		}
		return nil
	})
}

// band is some rows while they are smoothed. How far samples are from those at an offset is needed
// several times, and the same for the opposite offset.
type band struct {
	in     *[3]plane // with three samples more on every side
	y, end int
	around []int // offsets
	apart  [][]float32
	from   []int // where in apart the sample is that a row begins with, by offset
	alike  []int
}

func (f *frame) newBand(s *edgeStep, in *[3]plane, y, end int) *band {
	b := &band{in: in, y: y, end: end}
	stride := in[0].stride
	for _, p := range s.alike {
		b.alike = append(b.alike, p[0]*stride+p[1])
	}
	maps := map[int][]float32{}
	for _, p := range s.around {
		o := p[0]*stride + p[1]
		if o > 0 {
			maps[o] = b.distances(o, &f.filter.scale)
		}
		b.around = append(b.around, o)
	}
	for _, o := range b.around {
		b.apart = append(b.apart, maps[max(o, -o)])
		b.from = append(b.from, min(o, 0))
	}
	return b
}

// distances is how far each sample of the band is from that at offset o, over all channels.
func (b *band) distances(o int, scale *[3]float32) []float32 {
	stride := b.in[0].stride
	first, n := b.y*stride, (b.end-b.y+6)*stride
	out := make([]float32, n)
	for c := range b.in {
		px := b.in[c].px[first:][:n]
		here, there, out := px[:n-o], px[o:], out[:n-o]
		for i, v := range here {
			d := math.Float32bits(v-there[i]) &^ (1 << 31) // its magnitude
			out[i] += math.Float32frombits(d) * scale[c]
		}
	}
	return out
}

func (b *band) smooth(f *frame, y int, sigma []float32, scale float32) {
	stride := b.in[0].stride
	outer := y%8 == 0 || y%8 == 7
	for x := range f.width {
		edge := sigma[x/8]
		at := (y+3)*stride + x + 3
		sum := [3]float32{b.in[0].px[at], b.in[1].px[at], b.in[2].px[at]}
		if edge >= leastEdge {
			if edge *= scale; outer || x%8 == 0 || x%8 == 7 {
				edge *= f.filter.borderMul
			}
			b.mean(&sum, at, edge)
		}
		for c, v := range sum {
			f.planes[c].px[y*f.planes[c].stride+x] = v
		}
	}
}

// mean adds to a sample those around it, weighed, and divides by the weights.
func (b *band) mean(sum *[3]float32, at int, edge float32) {
	total := float32(1)
	local := at - b.y*b.in[0].stride
	for i, o := range b.around {
		apart, from := float32(0), local+b.from[i]
		for _, k := range b.alike {
			apart += b.apart[i][from+k]
		}
		w := 1 + apart*edge
		if w <= 0 {
			continue
		}
		total += w
		for c := range sum {
			sum[c] += w * b.in[c].px[at+o]
		}
	}
	for c := range sum {
		sum[c] /= total
	}
}
