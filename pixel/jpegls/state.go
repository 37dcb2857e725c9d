package jpegls

import "math/bits"

const (
	contexts = 365     // T.87 A.3.4
	span     = 1 << 17 // of gradients: -65,535 to 65,535 and to a power of two
	// invalid is above every mapped error of a valid stream, which is RANGE at most: errors
	// are from minus half of it to half of it (T.87 A.4.5, A.5.2).
	invalid = 1<<16 + 1
)

// runLengths is J (T.87 A.2.1): the binary logarithms of run lengths.
var runLengths = [32]uint8{0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 9, 10, 11, 12, 13, 14, 15}

// context is one context of the regular mode (T.87 A.2.1).
type context struct {
	a, b, c, n int32
}

// runContext is one of the two contexts of run interruptions.
type runContext struct {
	a, n, nn int32
}

// state is what encoder and decoder share: parameters and contexts (T.87 A.2).
type state struct {
	maxVal, near, step int32 // step is 2*near+1
	rng                int32 // RANGE
	qbpp, limit        int32
	reset              int32
	t1, t2, t3         int32
	ctx                [contexts]context
	run                [2]runContext
	runIndex           [maxComponents]int
	quant              [span]int8 // region of each gradient (T.87 A.3.3), from 0 and, if negative, from the end
}

func newState(p Preset, near int) *state {
	s := &state{
		maxVal: int32(p.MaxVal), near: int32(near), step: int32(2*near + 1), reset: int32(p.Reset),
		t1: int32(p.T1), t2: int32(p.T2), t3: int32(p.T3),
	}
	s.rng = (s.maxVal+2*s.near)/s.step + 1
	s.qbpp = int32(bits.Len32(uint32(s.rng - 1)))
	bpp := max(2, int32(bits.Len32(uint32(s.maxVal))))
	s.limit = 2 * (bpp + max(8, bpp))
	s.regions()
	s.restart()
	return s
}

// regions quantises the gradients (T.87 A.3.3): the greater they are the higher the region.
func (s *state) regions() {
	from := [5]int32{0, s.near + 1, s.t1, s.t2, s.t3}
	for q := int8(1); q <= 4; q++ {
		low, high := from[q], s.maxVal+1
		if q < 4 {
			high = from[q+1]
		}
		paint(s.quant[low:high], q)
		paint(s.quant[span-high+1:span-low+1], -q)
	}
}

// paint sets all of b to v.
func paint(b []int8, v int8) {
	if len(b) == 0 {
		return
	}
	b[0] = v
	for n := 1; n < len(b); n *= 2 {
		copy(b[n:], b[:n])
	}
}

// restart makes the contexts as they are at the start of a scan (T.87 A.2.1).
func (s *state) restart() {
	a := max(2, (s.rng+32)>>6)
	for i := range s.ctx {
		s.ctx[i] = context{a: a, n: 1}
	}
	s.run = [2]runContext{{a: a, n: 1}, {a: a, n: 1}}
	s.runIndex = [maxComponents]int{}
}

// exact reports whether coding is lossless and RANGE a power of two.
func (s *state) exact() bool { return s.near == 0 && s.maxVal&(s.maxVal+1) == 0 }

// gradient returns the context of a sample, negative if its sign is turned (T.87 A.3.4).
func (s *state) gradient(ra, rb, rc, rd int32) int32 {
	q1 := int32(s.quant[uint32(rd-rb)%span])
	q2 := int32(s.quant[uint32(rb-rc)%span])
	q3 := int32(s.quant[uint32(rc-ra)%span])
	return 81*q1 + 9*q2 + q3
}

// median is the edge detecting predictor (T.87 A.4.1).
func median(ra, rb, rc int32) int32 {
	low, high := min(ra, rb), max(ra, rb)
	return max(low, min(high, ra+rb-rc))
}

// golomb returns k: the least for which n<<k is not below a (T.87 A.5.1).
func golomb(a, n int32) int32 {
	k := max(int32(bits.Len32(uint32(a))-bits.Len32(uint32(n))), 0)
	if n<<(uint32(k)&31) < a {
		k++
	}
	return k
}

// update does the bookkeeping of a context (T.87 A.6); err is the quantised error.
func (c *context) update(err, step, reset int32) {
	b, n := c.b+err*step, c.n
	a := c.a + max(err, -err)
	if n == reset {
		a, b, n = a>>1, b>>1, n>>1
	}
	n++
	c.a, c.n = a, n
	if b <= -n {
		b = max(b+n, 1-n)
		c.c = max(c.c-1, -128)
	} else if b > 0 {
		b = min(b-n, 0)
		c.c = min(c.c+1, 127)
	}
	c.b = b
}

// quantize makes an error of a prediction one of the steps of near-lossless coding, modulo
// RANGE (T.87 A.4.4, A.4.5).
func (s *state) quantize(err int32) int32 {
	if s.near > 0 {
		if err > 0 {
			err = (err + s.near) / s.step
		} else {
			err = -((s.near - err) / s.step)
		}
	}
	if err < 0 {
		err += s.rng
	}
	if err >= (s.rng+1)>>1 {
		err -= s.rng
	}
	return err
}

// rebuild returns the sample that a decoder makes of a prediction and its error (T.87
// A.4.4, A.8).
func (s *state) rebuild(px, err int32) int32 {
	v := px + err*s.step
	if v < -s.near {
		v += s.rng * s.step
	} else if v > s.maxVal+s.near {
		v -= s.rng * s.step
	}
	return min(max(v, 0), s.maxVal)
}

// temp is what k is of, for run interruptions (T.87 A.7.2).
func (r *runContext) temp(kind int32) int32 { return r.a + r.n>>1*kind }

// turned reports the map bit of T.87 A.7.2.
func (r *runContext) turned(k, err int32) bool {
	switch {
	case err > 0:
		return k == 0 && 2*r.nn < r.n
	case err < 0:
		return k != 0 || 2*r.nn >= r.n
	}
	return false
}

func (r *runContext) update(err, mapped, kind, reset int32) {
	if err < 0 {
		r.nn++
	}
	r.a += (mapped + 1 - kind) >> 1
	if r.n == reset {
		r.a, r.n, r.nn = r.a>>1, r.n>>1, r.nn>>1
	}
	r.n++
}

// sides adds to a line what stands left and right of it (T.87 A.2.1): above has samples
// from index 1 on.
func sides(line, above []uint16) {
	line[0] = above[1]
	above[len(above)-1] = above[len(above)-2]
}
