package jxl

import "slices"

// squeezeStep halves channels into means and differences (annex H.6.2).
type squeezeStep struct {
	across  bool // halves the width, else the height
	inPlace bool // the differences follow at once, else behind all channels
	begin   int
	count   int
}

// planSqueeze makes the channels that a squeeze leaves.
func (m *modularImage) planSqueeze(t *transform) error {
	if len(t.squeeze) == 0 {
		t.squeeze = m.defaultSqueeze()
	}
	for i := range t.squeeze {
		if err := m.planStep(&t.squeeze[i]); err != nil {
			return err
		}
	}
	return nil
}

// defaultSqueeze halves colour differences once, then everything until it is within 8 x 8.
func (m *modularImage) defaultSqueeze() (steps []squeezeStep) {
	n := len(m.channels) - m.meta
	if n < 1 {
		return nil
	}
	first := &m.channels[m.meta]
	w, h := first.w, first.h
	if n > 2 && m.channels[m.meta+1].w == w && m.channels[m.meta+1].h == h {
		steps = append(steps, squeezeStep{true, false, m.meta + 1, 2}, squeezeStep{false, false, m.meta + 1, 2})
	}
	step := func(across bool, side *int) {
		if *side > 8 {
			steps = append(steps, squeezeStep{across, true, m.meta, n})
			*side = (*side + 1) / 2
		}
	}
	if w <= h {
		step(false, &h)
	}
	for w > 8 || h > 8 {
		step(true, &w)
		step(false, &h)
	}
	return steps
}

func (m *modularImage) planStep(s *squeezeStep) error {
	if s.count < 1 || s.begin+s.count > len(m.channels) {
		return FormatError("a squeeze of channels that are not there")
	}
	end := s.begin + s.count
	if s.begin < m.meta {
		if end > m.meta || !s.inPlace {
			return FormatError("a squeeze of palettes and channels together")
		}
		m.meta += s.count
	}
	at := len(m.channels)
	if s.inPlace {
		at = end
	}
	rest := make([]channel, 0, s.count)
	for i := s.begin; i < end; i++ {
		c := &m.channels[i]
		if c.hshift > 30 || c.vshift > 30 {
			return FormatError("a channel squeezed too often")
		}
		if err := m.spend(int64(c.w)*int64(c.h) + 64); err != nil {
			return err
		}
		rest = append(rest, c.halve(s.across))
	}
	if len(m.channels)+s.count > maxChannels {
		return FormatError("squeezes make too many channels")
	}
	m.channels = slices.Insert(m.channels, at, rest...)
	return nil
}

// halve makes c half as large and returns the channel of the differences.
func (c *channel) halve(across bool) channel {
	rest := *c
	if across {
		c.w = (c.w + 1) / 2
		rest.w -= c.w
		if c.hshift >= 0 {
			c.hshift++
		}
	} else {
		c.h = (c.h + 1) / 2
		rest.h -= c.h
		if c.vshift >= 0 {
			c.vshift++
		}
	}
	rest.hshift, rest.vshift = c.hshift, c.vshift
	return rest
}

func (m *modularImage) undoSqueeze(t *transform) {
	for k := len(t.squeeze) - 1; k >= 0; k-- {
		s := &t.squeeze[k]
		at := len(m.channels) - s.count
		if s.inPlace {
			at = s.begin + s.count
		}
		if s.begin < m.meta {
			m.meta -= s.count
		}
		for i := range s.count {
			c, rest := &m.channels[s.begin+i], &m.channels[at+i]
			if s.across {
				*c = unsqueezeAcross(c, rest)
			} else {
				*c = unsqueezeDown(c, rest)
			}
		}
		m.channels = slices.Delete(m.channels, at, at+s.count)
	}
}

// tendency is how much the two samples of a mean should differ by the means around it, such
// that a slope stays one.
func tendency(before, mean, after int64) int64 {
	switch {
	case before >= mean && mean >= after:
		d := (4*before - 3*after - mean + 6) / 12
		if d-d&1 > 2*(before-mean) {
			d = 2*(before-mean) + 1
		}
		if d+d&1 > 2*(mean-after) {
			d = 2 * (mean - after)
		}
		return d
	case before <= mean && mean <= after:
		d := (4*before - 3*after - mean - 6) / 12
		if d+d&1 < 2*(before-mean) {
			d = 2*(before-mean) - 1
		}
		if d-d&1 < 2*(mean-after) {
			d = 2 * (mean - after)
		}
		return d
	}
	return 0
}

// pair splits a mean into two samples.
func pair(before, mean, after, rest int32) (a, b int32) {
	d := int64(rest) + tendency(int64(before), int64(mean), int64(after))
	a = int32(int64(mean) + d/2)
	return a, int32(int64(a) - d)
}

func unsqueezeAcross(c, rest *channel) channel {
	out := channel{w: c.w + rest.w, h: c.h, hshift: c.hshift - 1, vshift: c.vshift}
	out.alloc()
	for y := range c.h {
		in, res, row := c.row(y), rest.row(y), out.row(y)
		before := int32(0)
		for x, r := range res {
			mean := in[x]
			after := mean
			if x+1 < len(in) {
				after = in[x+1]
			}
			if x == 0 {
				before = mean
			}
			row[2*x], row[2*x+1] = pair(before, mean, after, r)
			before = row[2*x+1]
		}
		if len(in) > len(res) {
			row[len(row)-1] = in[len(in)-1]
		}
	}
	return out
}

func unsqueezeDown(c, rest *channel) channel {
	out := channel{w: c.w, h: c.h + rest.h, hshift: c.hshift, vshift: c.vshift - 1}
	out.alloc()
	for y := range rest.h {
		in, res := c.row(y), rest.row(y)
		before, after := in, in
		if y > 0 {
			before = out.row(2*y - 1)
		}
		if y+1 < c.h {
			after = c.row(y + 1)
		}
		upper, lower := out.row(2*y), out.row(2*y+1)
		for x, r := range res {
			upper[x], lower[x] = pair(before[x], in[x], after[x], r)
		}
	}
	if c.h > rest.h {
		copy(out.row(out.h-1), c.row(c.h-1))
	}
	return out
}
