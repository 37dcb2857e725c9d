package jxl

import "math"

// fromLinear is the matrix from the cones' responses to linear light of the image's primaries, 1
// being white.
func (s *stream) fromLinear() (out [9]float32) {
	scale := 255 / float64(s.intensity)
	var m [9]float64
	for i, v := range s.opsin.inverse {
		m[i] = float64(v) * scale
	}
	switch {
	case s.color.space == greySpace:
		y := toXYZ(srgb.white, srgb.primaries)
		for row := range 3 {
			for col := range 3 {
				out[3*row+col] = float32(y[3]*m[col] + y[4]*m[3+col] + y[5]*m[6+col])
			}
		}
		return out
	case !s.color.icc && (s.color.primaries != srgb.primaries || s.color.white != srgb.white):
		// White stays white whatever its colour, so that the matrices need no adaptation
		// beyond their own scaling.
		m = multiply(invert(adapted(s.color.white, s.color.primaries)), multiply(adapted(srgb.white, srgb.primaries), m))
	}
	for i, v := range m {
		out[i] = float32(v)
	}
	return out
}

// adapted takes light of some primaries to XYZ whose white is D50.
func adapted(white [2]float64, primaries [3][2]float64) [9]float64 {
	bradford := [9]float64{0.8951, 0.2664, -0.1614, -0.7502, 1.7135, 0.0367, 0.0389, -0.0685, 1.0296}
	from := apply(bradford, xyz(white))
	to := apply(bradford, [3]float64{0.96422, 1, 0.82521})
	var scale [9]float64
	for i := range from {
		scale[4*i] = to[i] / from[i]
	}
	return multiply(multiply(invert(bradford), multiply(scale, bradford)), toXYZ(white, primaries))
}

func xyz(c [2]float64) [3]float64 { return [3]float64{c[0] / c[1], 1, (1 - c[0] - c[1]) / c[1]} }

// toXYZ takes light of some primaries to XYZ such that their sum is white.
func toXYZ(white [2]float64, primaries [3][2]float64) (m [9]float64) {
	for c, p := range primaries {
		v := xyz(p)
		m[c], m[3+c], m[6+c] = v[0], v[1], v[2]
	}
	w := apply(invert(m), xyz(white))
	for i := range m {
		m[i] *= w[i%3]
	}
	return m
}

func apply(m [9]float64, v [3]float64) (out [3]float64) {
	for i := range out {
		out[i] = m[3*i]*v[0] + m[3*i+1]*v[1] + m[3*i+2]*v[2]
	}
	return out
}

func multiply(a, b [9]float64) (out [9]float64) {
	for i := range out {
		r, c := i/3*3, i%3
		out[i] = a[r]*b[c] + a[r+1]*b[3+c] + a[r+2]*b[6+c]
	}
	return out
}

func invert(m [9]float64) (out [9]float64) {
	minor := func(a, b, c, d int) float64 { return m[a]*m[d] - m[b]*m[c] }
	out = [9]float64{
		minor(4, 5, 7, 8), minor(2, 1, 8, 7), minor(1, 2, 4, 5),
		minor(5, 3, 8, 6), minor(0, 2, 6, 8), minor(2, 0, 5, 3),
		minor(3, 4, 6, 7), minor(1, 0, 7, 6), minor(0, 1, 3, 4),
	}
	det := m[0]*out[0] + m[1]*out[3] + m[2]*out[6]
	for i := range out {
		out[i] /= det
	}
	return out
}

// curve takes linear light to samples. Between 0 and 1 it is a table, closer where it is steep.
type curve struct {
	exact func(v float64) float64
	table []float32
}

const (
	curveSteps = 1 << 14
	steepSteps = 1 << 8 // below, curves may be too steep for a table
)

func (c *colorEncoding) curve(nits float64) *curve {
	t := &curve{exact: c.encode(nits), table: make([]float32, curveSteps+1)}
	for i := range t.table {
		x := float64(i) / curveSteps
		t.table[i] = float32(t.exact(x * x))
	}
	return t
}

// at looks a value up. Below 0 there is no light; above 1 there may be some where the brightest
// sample stands for more.
func (c *curve) at(v float32) float32 {
	if !(v > 0) {
		return c.table[0]
	}
	x := float32(math.Sqrt(float64(v))) * curveSteps
	i := int(min(x, curveSteps))
	if i == curveSteps && c.table[i] > 0.999 {
		return 1
	}
	if i == curveSteps || i < steepSteps {
		return float32(c.exact(float64(v)))
	}
	a := c.table[i]
	return a + (c.table[i+1]-a)*(x-float32(i))
}

// encode is the transfer function (annex E.3).
func (c *colorEncoding) encode(nits float64) func(v float64) float64 {
	switch {
	case c.gamma > 0:
		return func(v float64) float64 { return math.Pow(v, c.gamma) }
	case c.transfer == transferLinear:
		return func(v float64) float64 { return v }
	case c.transfer == transfer709:
		return func(v float64) float64 {
			if v < 0.018 {
				return 4.5 * v
			}
			return 1.099*math.Pow(v, 0.45) - 0.099
		}
	case c.transfer == transferDCI:
		return func(v float64) float64 { return math.Pow(v, 1/2.6) }
	case c.transfer == transferPQ:
		return func(v float64) float64 {
			p := math.Pow(v*nits/10000, 2610./16384)
			return math.Pow((3424./4096+2413./128*p)/(1+2392./128*p), 2523./32)
		}
	}
	return func(v float64) float64 {
		if v <= 0.0031308 {
			return 12.92 * v
		}
		return 1.055*math.Pow(v, 1/2.4) - 0.055
	}
}
