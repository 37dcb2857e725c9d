package jxl

import "math"

// noiseLevels is how strong noise is, by the light of a sample (annex K.1).
type noiseLevels [8]float32

func (n *noiseLevels) read(r *bitReader) {
	for i := range n {
		n[i] = float32(r.u(10)) / 1024
	}
}

// at is the strength for light v.
func (n *noiseLevels) at(v float32) float32 {
	v = min(max(v*6, 0), 7)
	i := min(int(v), 6)
	return min(max(n[i]+(n[i+1]-n[i])*(v-float32(i)), 0), 1)
}

// randomBits are eight generators of xorshift128+.
type randomBits struct{ a, b [8]uint64 }

func newRandom(s [4]uint32) *randomBits {
	const step = 0x9E3779B97F4A7C15
	r := &randomBits{}
	r.a[0] = scramble(uint64(s[0])<<32 + uint64(s[1]) + step)
	r.b[0] = scramble(uint64(s[2])<<32 + uint64(s[3]) + step)
	for i := 1; i < 8; i++ {
		r.a[i] = scramble(r.a[i-1])
		r.b[i] = scramble(r.b[i-1])
	}
	return r
}

func scramble(z uint64) uint64 {
	z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
	z = (z ^ z>>27) * 0x94D049BB133111EB
	return z ^ z>>31
}

// fill makes sixteen numbers from 1 to 2.
func (r *randomBits) fill(dst *[16]float32) {
	for i := range r.a {
		x, y := r.a[i], r.b[i]
		sum := x + y
		x ^= x << 23
		r.a[i], r.b[i] = y, x^y^x>>18^y>>5
		dst[2*i] = math.Float32frombits(uint32(sum)>>9 | 0x3F800000)
		dst[2*i+1] = math.Float32frombits(uint32(sum>>32)>>9 | 0x3F800000)
	}
}

// addNoise adds noise to the planes, which are those of XYB.
func (f *frame) addNoise(workers int) error {
	if f.flags&flagNoise == 0 || f.noise == (noiseLevels{}) {
		return nil
	}
	w, h := f.planes[0].w, f.planes[0].h
	var random [3]plane
	for c := range random {
		random[c] = newPlane(w, h)
	}
	dim := f.groupDim()
	across := ceilDiv(w, dim)
	err := each(workers, across*ceilDiv(h, dim), func(i int) error {
		f.randomGroup(&random, i%across*dim, i/across*dim, dim)
		return nil
	})
	if err != nil {
		return err
	}
	for c := range random {
		random[c] = random[c].padded(2)
	}
	return each(workers, h, func(y int) error {
		f.noiseRow(&random, y)
		return nil
	})
}

func (f *frame) randomGroup(out *[3]plane, x0, y0, dim int) {
	r := newRandom([4]uint32{f.seed[0], f.seed[1], uint32(x0), uint32(y0)})
	var some [16]float32
	for c := range out {
		p := &out[c]
		for y := y0; y < min(y0+dim, p.h); y++ {
			row := p.row(y)[x0:min(x0+dim, p.w)]
			x := 0
			for ; x+len(some) <= len(row); x += len(some) {
				r.fill(&some)
				copy(row[x:], some[:])
			}
			r.fill(&some)
			copy(row[x:], some[:])
		}
	}
}

// roughness is how far a sample of random, which has two more on every side, is from those
// around it.
func roughness(random *plane, x, y int) float32 {
	sum := float32(0)
	for k := range 5 {
		for _, v := range random.px[(y+k)*random.stride+x:][:5] {
			sum += v
		}
	}
	center := random.px[(y+2)*random.stride+x+2]
	return (0.16*(sum-center) - 3.84*center) * 0.22
}

func (f *frame) noiseRow(random *[3]plane, y int) {
	xs, ys, bs := f.planes[0].row(y), f.planes[1].row(y), f.planes[2].row(y)
	ratio := [2]float32{0, 1}
	if f.dct != nil {
		ratio = f.dct.chroma.base
	}
	for x := range xs {
		own := [2]float32{roughness(&random[0], x, y), roughness(&random[1], x, y)}
		both := roughness(&random[2], x, y)
		red := f.noise.at((ys[x]+xs[x])/2) * (own[0]/128 + both*127/128)
		green := f.noise.at((ys[x]-xs[x])/2) * (own[1]/128 + both*127/128)
		sum := red + green
		xs[x] += ratio[0]*sum + red - green
		ys[x] += sum
		bs[x] += ratio[1] * sum
	}
}
