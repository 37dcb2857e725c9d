package jxl

import "math/bits"

// weights are the parameters of the weighted predictor (annex H.5.2).
type weights struct {
	p1, p2 int32
	p3     [5]int32
	max    [4]uint32
}

var defaultWeights = weights{16, 10, [5]int32{7, 7, 7, 0, 0}, [4]uint32{13, 12, 12, 12}}

func readWeights(r *bitReader) weights {
	if r.flag() {
		return defaultWeights
	}
	var w weights
	w.p1, w.p2 = int32(r.u(5)), int32(r.u(5))
	for i := range w.p3 {
		w.p3[i] = int32(r.u(5))
	}
	for i := range w.max {
		w.max[i] = r.u(4)
	}
	return w
}

// predictor is the state of the weighted predictor in a channel: how far it was off in the row
// above and in this one.
type predictor struct {
	weights
	width int
	rows  [2]errorRow
	guess [4]int64
	best  int64 // with three bits more than samples have
}

type errorRow struct {
	sub  [][4]uint32 // of the four predictions; the error of the next sample is added to each
	best []int32     // of their mean
}

func newPredictor(w weights, width int) *predictor {
	p := &predictor{weights: w, width: width}
	for i := range p.rows {
		p.rows[i] = errorRow{make([][4]uint32, width+2), make([]int32, width+2)}
	}
	return p
}

// divisors[i] is 2^24 / (i+1).
var divisors = func() (t [64]uint32) {
	for i := range t {
		t[i] = 1 << 24 / uint32(i+1)
	}
	return t
}()

// weigh is how much a prediction counts that was off by sum.
func weigh(sum, most uint32) uint32 {
	shift := max(0, bits.Len32(sum+1)-6)
	return 4 + uint32(uint64(most)*uint64(divisors[sum>>shift&63])>>shift)
}

// predict guesses the sample at x and says by how much guesses near it were off.
func (p *predictor) predict(x, y int, b *neighbours) (guess int64, off int32) {
	above, here := &p.rows[y&1], &p.rows[y&1^1]
	ne, nw := min(x+1, p.width-1), max(x-1, 0)
	var w [4]uint32
	en, ene, enw := &above.sub[x], &above.sub[ne], &above.sub[nw]
	for i := range w {
		w[i] = weigh(en[i]+ene[i]+enw[i], p.max[i])
	}
	var teW int64
	if x > 0 {
		teW = int64(here.best[x-1])
	}
	teN, teNE, teNW := int64(above.best[x]), int64(above.best[ne]), int64(above.best[nw])
	n, wt, nE, nW, nn := int64(b.n)<<3, int64(b.w)<<3, int64(b.ne)<<3, int64(b.nw)<<3, int64(b.nn)<<3
	p.guess[0] = wt + nE - n
	p.guess[1] = n - ((teW+teN+teNE)*int64(p.p1))>>5
	p.guess[2] = wt - ((teW+teN+teNW)*int64(p.p2))>>5
	p.guess[3] = n - (teNW*int64(p.p3[0])+teN*int64(p.p3[1])+teNE*int64(p.p3[2])+(nn-n)*int64(p.p3[3])+(nW-wt)*int64(p.p3[4]))>>5
	p.best = p.mean(w)
	if (teN^teW)|(teN^teNW) <= 0 {
		p.best = min(max(p.best, min(wt, n, nE)), max(wt, n, nE))
	}
	return (p.best + 3) >> 3, int32(largest(teW, teN, teNW, teNE))
}

// mean weighs the four guesses.
func (p *predictor) mean(w [4]uint32) int64 {
	shift := bits.Len32(w[0]+w[1]+w[2]+w[3]) - 5
	sum, total := int64(0), uint32(0)
	for i := range w {
		w[i] >>= shift
		total += w[i]
		sum += p.guess[i] * int64(w[i])
	}
	return (sum + int64(total>>1) - 1) * int64(divisors[total-1]) >> 24
}

// largest is the first of the values with the greatest magnitude.
func largest(v, a, b, c int64) int64 {
	for _, o := range [3]int64{a, b, c} {
		if max(o, -o) > max(v, -v) {
			v = o
		}
	}
	return v
}

// learn takes in what the sample at x really is.
func (p *predictor) learn(x, y int, v int32) {
	above, here := &p.rows[y&1], &p.rows[y&1^1]
	truth := int64(v) << 3
	here.best[x] = int32(p.best - truth)
	for i, g := range p.guess {
		d := g - truth
		e := uint32((max(d, -d) + 3) >> 3)
		here.sub[x][i] = e
		above.sub[x+1][i] += e
	}
}
