package jxl

import "slices"

// planPalette puts a palette in front, and leaves one channel of indices (annex H.6.4).
func (m *modularImage) planPalette(t *transform) error {
	if err := m.equal(t.begin, t.count); err != nil {
		return err
	}
	if t.predict >= predictors {
		return FormatError("a predictor that is not known")
	}
	end := t.begin + t.count
	switch {
	case t.begin >= m.meta:
		m.meta++
	case end > m.meta:
		return FormatError("a palette of palettes and channels together")
	default:
		m.meta += 2 - t.count
	}
	c := &m.channels[t.begin]
	entries := int64(t.colors+t.deltas) * int64(t.count)
	if err := m.spend(int64(c.w)*int64(c.h)*int64(t.count) + 64*entries); err != nil {
		return err
	}
	m.channels = slices.Delete(m.channels, t.begin+1, end)
	m.channels = slices.Insert(m.channels, 0, channel{w: t.colors + t.deltas, h: t.count, hshift: -1, vshift: -1})
	return nil
}

func (m *modularImage) undoPalette(t *transform) {
	palette := m.channels[0]
	m.channels = slices.Delete(m.channels, 0, 1)
	if t.begin >= m.meta-1 {
		m.meta--
	} else {
		m.meta -= 2 - t.count
	}
	index := m.channels[t.begin]
	depth := min(m.depth, 24)
	colors := make([]channel, t.count)
	for k := range colors {
		colors[k] = index
		c := &colors[k]
		if k > 0 || t.deltas > 0 {
			c.data = nil
			c.alloc()
		}
	}
	for k := t.count - 1; k >= 0; k-- { // the first one may have the memory of the indices
		if t.deltas > 0 {
			m.addDeltas(t, &palette, &index, &colors[k], k)
			continue
		}
		for i, v := range index.data {
			colors[k].data[i] = entry(&palette, v, k, depth)
		}
	}
	m.channels = slices.Replace(m.channels, t.begin, t.begin+1, colors...)
}

// addDeltas makes channel k, of which the first entries of the palette are differences from what
// is predicted.
func (m *modularImage) addDeltas(t *transform, palette, index, out *channel, k int) {
	depth := min(m.depth, 24)
	var state *predictor
	if t.predict == weighted {
		state = newPredictor(m.weights, out.w)
	}
	var above, above2 []int32
	for y := range out.h {
		row := out.row(y)
		for x, i := range index.row(y) {
			v := entry(palette, i, k, depth)
			delta := int(i) < t.deltas
			if delta || state != nil {
				b := around(row, above, above2, x)
				guess := int64(0)
				if state != nil {
					guess, _ = state.predict(x, y, &b)
				} else {
					guess = b.predict(t.predict)
				}
				if delta {
					v = int32(guess + int64(v))
				}
			}
			row[x] = v
			if state != nil {
				state.learn(x, y, v)
			}
		}
		above, above2 = row, above
	}
}

// entry is channel k of a colour. Indices outside of the palette stand for colours of their own:
// negative ones for differences, those behind for colour cubes of 4 and then 5 a side.
func entry(palette *channel, i int32, k int, depth uint) int32 {
	switch size := int32(palette.w); {
	case i < 0:
		return implicitDelta(i, k, depth)
	case i < size:
		return palette.data[k*palette.w+int(i)]
	case int64(i) < int64(size)+64:
		at := digit(i-size, 4, k)
		return int32(int64(at)*(1<<depth-1)/4 + 1<<max(0, int(depth)-3))
	default:
		return int32(int64(digit(i-size-64, 5, k)) * (1<<depth - 1) / 4)
	}
}

// digit is the k-th digit of v to a base.
func digit(v, base int32, k int) int32 {
	for ; k > 0 && v > 0; k-- {
		v /= base
	}
	return v % base
}

func implicitDelta(i int32, k int, depth uint) int32 {
	if k > 2 {
		return 0
	}
	at := ^i % (2*int32(len(deltas)) - 1)
	v := int32(deltas[(at+1)>>1][k])
	if at&1 == 0 {
		v = -v
	}
	return v << (max(depth, 8) - 8)
}

// deltas are the differences that negative indices stand for, by turns taken away and added.
var deltas = [72][3]int16{
	{0, 0, 0}, {4, 4, 4}, {11, 0, 0}, {0, 0, -13}, {0, -12, 0}, {-10, -10, -10}, {-18, -18, -18}, {-27, -27, -27},
	{-18, -18, 0}, {0, 0, -32}, {-32, 0, 0}, {-37, -37, -37}, {0, -32, -32}, {24, 24, 45}, {50, 50, 50}, {-45, -24, -24},
	{-24, -45, -45}, {0, -24, -24}, {-34, -34, 0}, {-24, 0, -24}, {-45, -45, -24}, {64, 64, 64}, {-32, 0, -32}, {0, -32, 0},
	{-32, 0, 32}, {-24, -45, -24}, {45, 24, 45}, {24, -24, -45}, {-45, -24, 24}, {80, 80, 80}, {64, 0, 0}, {0, 0, -64},
	{0, -64, -64}, {-24, -24, 45}, {96, 96, 96}, {64, 64, 0}, {45, -24, -24}, {34, -34, 0}, {112, 112, 112}, {24, -45, -45},
	{45, 45, -24}, {0, -32, 32}, {24, -24, 45}, {0, 96, 96}, {45, -24, 24}, {24, -45, -24}, {-24, -45, 24}, {0, -64, 0},
	{96, 0, 0}, {128, 128, 128}, {64, 0, 64}, {144, 144, 144}, {96, 96, 0}, {-36, -36, 36}, {45, -24, -45}, {45, -45, -24},
	{0, 0, -96}, {0, 128, 128}, {0, 96, 0}, {45, 24, -45}, {-128, 0, 0}, {24, -45, 24}, {-45, 24, -45}, {64, 0, -64},
	{64, -64, -64}, {96, 0, 96}, {45, -45, 24}, {24, 45, -45}, {64, 64, -64}, {128, 128, 0}, {0, 0, -128}, {-24, 45, -45},
}
