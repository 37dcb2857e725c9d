package jxl

// maxRCT is one more than the highest kind of colour transform.
const maxRCT = 42

// planRCT checks a reversible colour transform (annex H.6.3). It leaves shapes as they are.
func (m *modularImage) planRCT(t *transform) error {
	if t.rct >= maxRCT {
		return FormatError("a colour transform that is not known")
	}
	if err := m.equal(t.begin, 3); err != nil {
		return err
	}
	return m.spend(3 * int64(m.channels[t.begin].w) * int64(m.channels[t.begin].h))
}

func (m *modularImage) undoRCT(t *transform) {
	var in, out [3][]int32
	order := t.rct / 7
	at := [3]int{order % 3, (order + 1 + order/3) % 3, (order + 2 - order/3) % 3}
	for i := range in {
		in[i] = m.channels[t.begin+i].data
	}
	if t.rct%7 == 6 {
		undoYCoCg(in[0], in[1], in[2])
	} else {
		undoAdditions(in[0], in[1], in[2], t.rct%7)
	}
	for i := range in {
		out[at[i]] = in[i]
	}
	for i := range out {
		m.channels[t.begin+i].data = out[i]
	}
}

func undoYCoCg(a, b, c []int32) {
	b, c = b[:len(a)], c[:len(a)]
	for i, y := range a {
		co, cg := b[i], c[i]
		y -= cg >> 1
		green := cg + y
		y -= co >> 1
		a[i], b[i], c[i] = co+y, green, y
	}
}

// undoAdditions adds the first channel to the third, and to the second the first or the mean
// of both.
func undoAdditions(a, b, c []int32, kind int) {
	b, c = b[:len(a)], c[:len(a)]
	for i, v := range a {
		if kind&1 == 1 {
			c[i] += v
		}
		switch kind >> 1 {
		case 1:
			b[i] += v
		case 2:
			b[i] += (v + c[i]) >> 1
		}
	}
}
