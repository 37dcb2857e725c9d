package jxl

// channelReader decodes the samples of a channel.
type channelReader struct {
	view
	s     *symbols
	state *predictor // nil where no leaf needs it
	refs  []int32    // properties of the channels before, for a row
	each  int        // how many of them a sample has
	prior []*channel
	props [propsOwn]int32
	byOne int32  // the only property that is asked for
	table []leaf // by its value, nil where there is none
}

// decodeChannel reads channel i.
func (m *modularImage) decodeChannel(i int, t *tree, s *symbols, stream int) error {
	c := &m.channels[i]
	if c.w == 0 || c.h == 0 {
		return nil
	}
	c.alloc()
	d := &channelReader{view: t.prune(i, stream, c.w*c.h), s: s}
	d.props[propChannel], d.props[propStream] = int32(i), int32(stream)
	if d.view.state {
		d.state = newPredictor(m.weights, c.w)
	}
	d.tabulate(c.w * c.h)
	if d.top >= propsOwn {
		d.prior = m.prior(i, int(d.top-propsOwn)/propsEach+1)
		d.each = len(d.prior) * propsEach
		d.refs = make([]int32, d.each*c.w)
	}
	var above, above2 []int32
	for y := range c.h {
		row := c.row(y)
		d.fillRefs(y)
		if len(d.nodes) == 1 {
			d.leafRow(row, above, above2, y)
		} else {
			d.treeRow(row, above, above2, y)
		}
		if s.r.short() {
			return errShort
		}
		above, above2 = row, above
	}
	return s.r.err()
}

// prior finds up to n channels before i of the same shape, the nearest first.
func (m *modularImage) prior(i, n int) (out []*channel) {
	c := &m.channels[i]
	for k := i - 1; k >= 0 && len(out) < n; k-- {
		if c.sameShape(&m.channels[k]) {
			out = append(out, &m.channels[k])
		}
	}
	return out
}

// leafRow decodes a row where nothing has to be decided.
func (d *channelReader) leafRow(row, above, above2 []int32, y int) {
	f := &d.nodes[0].leaf
	if d.state == nil && f.predictor == 0 {
		for x := range row {
			row[x] = f.sample(0, d.s.readIn(f.cluster))
		}
		return
	}
	var b neighbours
	for x := range row {
		d.move(&b, row, above, above2, x)
		if d.state == nil {
			row[x] = f.sample(b.predict(f.predictor), d.s.readIn(f.cluster))
			continue
		}
		guess, _ := d.state.predict(x, y, &b)
		row[x] = f.sample(guess, d.s.readIn(f.cluster))
		d.state.learn(x, y, row[x])
	}
}

// move takes the neighbours to x.
func (d *channelReader) move(b *neighbours, row, above, above2 []int32, x int) {
	if above2 != nil && x > 1 && x+2 < len(row) {
		b.next(row, above, above2, x)
	} else {
		*b = around(row, above, above2, x)
	}
}

// sample adds what was read to what was guessed.
func (f *leaf) sample(guess int64, v uint32) int32 {
	return int32(guess + int64(unpack(v))*int64(f.multiplier) + int64(f.offset))
}

// treeRow decodes a row whose samples look for their leaves.
func (d *channelReader) treeRow(row, above, above2 []int32, y int) {
	var b neighbours
	p := &d.props
	p[propY] = int32(y)
	gradient := int32(0)
	for x := range row {
		d.move(&b, row, above, above2, x)
		if d.table == nil || d.byOne != propWeighted {
			b.fill(p, x, b.w-gradient)
			gradient = p[propGradient]
		}
		guess := int64(0)
		if d.state != nil {
			guess, p[propWeighted] = d.state.predict(x, y, &b)
		}
		f := d.find(x)
		if f.predictor != weighted {
			guess = b.predict(f.predictor)
		}
		row[x] = f.sample(guess, d.s.readIn(f.cluster))
		if d.state != nil {
			d.state.learn(x, y, row[x])
		}
	}
}

// tableHalf is how far from 0 values are told apart by a table of leaves.
const tableHalf = 512

// tabulate makes a table of leaves where the tree asks for one property only, near 0, and there
// are enough samples to make it worth while.
func (d *channelReader) tabulate(samples int) {
	d.byOne = d.nodes[0].property
	if d.byOne < 0 || d.byOne >= propsOwn || samples < 8*tableHalf {
		return
	}
	for i := range d.nodes {
		n := &d.nodes[i]
		if n.property >= 0 && (n.property != d.byOne || n.value < -tableHalf || n.value >= tableHalf-1) {
			return
		}
	}
	table := make([]leaf, 2*tableHalf)
	for i := range table {
		d.props[d.byOne] = int32(i - tableHalf)
		table[i] = *d.find(0)
	}
	d.table = table
}

// find looks for the leaf of the sample at x: in the table, or down the tree.
func (d *channelReader) find(x int) *leaf {
	if d.table != nil {
		return &d.table[min(max(d.props[d.byOne], -tableHalf), tableHalf-1)+tableHalf]
	}
	nodes := d.nodes
	n := &nodes[0]
	for n.property >= 0 {
		var v int32
		if n.property < propsOwn {
			v = d.props[n.property&15]
		} else if k := int(n.property) - propsOwn; k < d.each {
			v = d.refs[x*d.each+k]
		}
		if v > n.value {
			n = &nodes[n.left]
		} else {
			n = &nodes[n.right]
		}
	}
	return &n.leaf
}

// fillRefs sets the properties of channels before for row y: their samples, and how far those are
// from their gradients, both also without sign.
func (d *channelReader) fillRefs(y int) {
	for k, c := range d.prior {
		row := c.row(y)
		var above []int32
		if y > 0 {
			above = c.row(y - 1)
		}
		for x, v := range row {
			var b neighbours
			if x > 0 {
				b.w = row[x-1]
			}
			b.n, b.nw = b.w, b.w
			if above != nil {
				b.n = above[x]
				if x > 0 {
					b.nw = above[x-1]
				}
			}
			e := v - b.gradient()
			copy(d.refs[x*d.each+k*propsEach:], []int32{max(v, -v), v, max(e, -e), e})
		}
	}
}
