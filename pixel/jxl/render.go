package jxl

import "math"

// render makes planes of what was decoded, in the colours that it was coded in (annexes J, K).
func (f *frame) render(workers int) error {
	if f.modular {
		f.toPlanes()
	} else {
		for c := range f.planes {
			f.planes[c] = stretched(f.planes[c], f.dct.hshift[c] > 0, f.dct.vshift[c] > 0, f.width, f.height)
		}
	}
	if err := f.restore(workers); err != nil {
		return err
	}
	f.putPatches()
	if err := f.upsample(workers); err != nil {
		return err
	}
	return f.addNoise(workers)
}

// toColors takes planes to the colours of the image, from 0 to 1 (annex L).
func (s *stream) toColors(f *frame, workers int) error {
	switch {
	case s.xyb:
		return s.fromXYB(f, workers)
	case f.ycbcr:
		return each(workers, f.planes[0].h, func(y int) error {
			fromYCbCr(f.planes[0].row(y), f.planes[1].row(y), f.planes[2].row(y))
			return nil
		})
	}
	return nil
}

// toPlanes turns samples that are whole numbers into fractions.
func (f *frame) toPlanes() {
	f.planes = make([]plane, 3)
	top := float32(uint64(1)<<f.m.depth.bits - 1)
	for c := range f.planes {
		f.planes[c] = newPlane(f.width, f.height)
		from, unit := min(c, f.colors-1), 1/top
		if f.m.xyb {
			from, unit = codedOrder[c], f.lfQuant[c]
		}
		for i, v := range f.image.channels[from].data {
			if f.m.xyb && c == 2 {
				v += f.image.channels[0].data[i]
			}
			f.planes[c].px[i] = float32(v) * unit
		}
	}
}

// stretched doubles a plane in width and height where it is halved (annex L.4).
func stretched(p plane, across, down bool, w, h int) plane {
	if across {
		p = stretchAcross(p, w)
	}
	if down {
		p = stretchDown(p, h)
	}
	return p
}

func stretchAcross(p plane, w int) plane {
	out := newPlane(w, p.h)
	for y := range p.h {
		in, row := p.row(y), out.row(y)
		for x := range row {
			beside := x/2 - 1 + x%2*2
			row[x] = 0.75*in[x/2] + 0.25*in[mirror(beside, p.w)]
		}
	}
	return out
}

func stretchDown(p plane, h int) plane {
	out := newPlane(p.w, h)
	for y := range h {
		a, b, row := p.row(y/2), p.row(mirror(y/2-1+y%2*2, p.h)), out.row(y)
		for x := range row {
			row[x] = 0.75*a[x] + 0.25*b[x]
		}
	}
	return out
}

func fromYCbCr(cb, y, cr []float32) {
	for i := range y {
		b, l, r := cb[i], y[i]+128./255, cr[i]
		cb[i] = l + 1.402*r
		y[i] = l - 0.114*1.772/0.587*b - 0.299*1.402/0.587*r
		cr[i] = l + 1.772*b
	}
}

// fromXYB takes samples to the colours that the image says it had (annex L.2).
func (s *stream) fromXYB(f *frame, workers int) error {
	m := s.fromLinear()
	var root [3]float32
	o := &s.opsin
	for c := range root {
		root[c] = float32(math.Cbrt(float64(o.bias[c])))
	}
	curve := s.color.curve(float64(s.intensity))
	return each(workers, f.planes[0].h, func(y int) error {
		xs, ys, bs := f.planes[0].row(y), f.planes[1].row(y), f.planes[2].row(y)
		for i := range xs {
			l := [3]float32{ys[i] + xs[i] - root[0], ys[i] - xs[i] - root[1], bs[i] - root[2]}
			for c, v := range l {
				l[c] = v*v*v + o.bias[c]
			}
			xs[i] = curve.at(m[0]*l[0] + m[1]*l[1] + m[2]*l[2])
			ys[i] = curve.at(m[3]*l[0] + m[4]*l[1] + m[5]*l[2])
			bs[i] = curve.at(m[6]*l[0] + m[7]*l[1] + m[8]*l[2])
		}
		return nil
	})
}
