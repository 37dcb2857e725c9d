package jxl

import "math"

// quantTables is how many tables there are.
const quantTables = 17

// tableSizes are rows and columns of the tables, in blocks.
var tableSizes = [quantTables][2]int{{1, 1}, {1, 1}, {1, 1}, {1, 1}, {2, 2}, {4, 4}, {1, 2}, {1, 4}, {2, 4}, {1, 1}, {1, 1},
	{8, 8}, {4, 8}, {16, 16}, {8, 16}, {32, 32}, {16, 32}}

// Ways in which a table is told (annex I.2.1).
const (
	tableDefault = iota
	tableHornuss
	tableDCT2
	tableDCT4
	tableDCT4x8
	tableCorner
	tableDCT
	tableRaw
)

// tableSource is what a table of factors is made from.
type tableSource struct {
	kind  uint32
	bands [3][]float32 // finest steps of a channel, and how they grow with the frequency
	more  [3][]float32 // bands of the 4 x 4 part where a corner is apart
	few   [3][]float32 // factors told one by one
	raw   [3][]int32
	unit  float32 // of raw
}

// quantTable is what coefficients are multiplied with, for X, Y and B.
type quantTable struct {
	tableSource
	factors [3][]float32
}

// readTables reads the tables of a frame.
func (f *frame) readTables(r *bitReader) error {
	v := f.dct
	standard := r.flag()
	for i := range v.tables {
		t := &v.tables[i]
		t.tableSource = defaultTables[i]
		if standard {
			continue
		}
		if kind := r.u(3); kind != tableDefault {
			t.tableSource = tableSource{kind: kind}
			if err := f.readTable(r, t, i); err != nil {
				return err
			}
		}
	}
	used := [quantTables]bool{}
	for i := range v.blocks {
		used[strategies[v.blocks[i].strategy].table] = true
	}
	for i := range v.tables {
		if used[i] {
			if err := v.tables[i].make(tableSizes[i][0]*8, tableSizes[i][1]*8); err != nil {
				return err
			}
		}
	}
	return r.err()
}

// counts of factors told one by one, and how many of them are in units of 1/64.
var fewCounts = [8][2]int{tableHornuss: {3, 3}, tableDCT2: {6, 6}, tableDCT4: {2, 0}, tableDCT4x8: {1, 0}, tableCorner: {9, 6}}

func (f *frame) readTable(r *bitReader, t *quantTable, i int) error {
	if t.kind < tableDCT && tableSizes[i] != [2]int{1, 1} {
		return FormatError("a table of factors of another size")
	}
	if t.kind == tableRaw {
		return f.readRawTable(r, t, i)
	}
	for c := range t.few {
		t.few[c] = make([]float32, fewCounts[t.kind][0])
		r.f16s(t.few[c])
		for k := range fewCounts[t.kind][1] {
			t.few[c][k] *= 64
		}
	}
	if t.kind >= tableDCT4 {
		readBands(r, &t.bands)
	}
	if t.kind == tableCorner {
		readBands(r, &t.more)
	}
	return r.err()
}

func readBands(r *bitReader, b *[3][]float32) {
	n := 1 + r.u(4)
	for c := range b {
		b[c] = make([]float32, n)
		r.f16s(b[c])
		b[c][0] *= 64
	}
}

func (f *frame) readRawTable(r *bitReader, t *quantTable, i int) error {
	t.unit = r.f16()
	h, w := tableSizes[i][0]*8, tableSizes[i][1]*8
	m := newModular([]channel{{w: w, h: h}, {w: w, h: h}, {w: w, h: h}}, 8)
	if err := m.decode(modularStream{r: r, id: 1 + 3*f.lfCount + i, global: f.tree}); err != nil {
		return err
	}
	m.undo()
	for c := range t.raw {
		t.raw[c] = m.channels[c].data
	}
	return nil
}

// make computes the factors of a table of so many rows and columns.
func (t *quantTable) make(rows, cols int) error {
	for c := range t.factors {
		var w []float32 // one divided by the factors
		switch t.kind {
		case tableHornuss:
			w = hornussWeights(t.few[c])
		case tableDCT2:
			w = dct2Weights(t.few[c])
		case tableDCT4:
			w = stretch(bandWeights(t.bands[c], 4, 4), 4)
			w[1] /= t.few[c][0]
			w[8] /= t.few[c][0]
			w[9] /= t.few[c][1]
		case tableDCT4x8:
			w = stretch(bandWeights(t.bands[c], 4, 8), 8)
			w[8] /= t.few[c][0]
		case tableCorner:
			w = cornerWeights(t.few[c], bandWeights(t.bands[c], 4, 8), bandWeights(t.more[c], 4, 4))
		case tableRaw:
			w = make([]float32, rows*cols)
			for i, q := range t.raw[c] {
				w[i] = 1 / (t.unit * float32(q))
			}
		default:
			w = bandWeights(t.bands[c], rows, cols)
		}
		for i, v := range w {
			if !(v > 1e-8 && v < 1e8) && i > 0 {
				return FormatError("a table of factors that are too large or too small")
			}
			w[i] = 1 / v
		}
		t.factors[c] = w
	}
	return nil
}

func hornussWeights(few []float32) []float32 {
	w := make([]float32, 64)
	for i := range w {
		w[i] = few[0]
	}
	w[1], w[8], w[9] = few[1], few[1], few[2]
	return w
}

// dct2Weights has a weight for each size of the squares that an 8 x 8 block is halved into.
func dct2Weights(few []float32) []float32 {
	w := make([]float32, 64)
	for y := range 8 {
		for x := range 8 {
			level, side := 0, 1
			for ; max(x, y) >= 2*side; side *= 2 {
				level += 2
			}
			if x >= side && y >= side {
				level++
			}
			w[y*8+x] = few[level]
		}
	}
	w[0] = 1
	return w
}

// stretch doubles rows, and columns where there are only four.
func stretch(in []float32, cols int) []float32 {
	w := make([]float32, 64)
	for i := range w {
		w[i] = in[i/16*cols+i%8*cols/8]
	}
	return w
}

// cornerFrequencies are how high the frequencies of the corner's coefficients are.
var cornerFrequencies = [16]float64{0, 0, 0.8517778890324296, 5.37778436506804, 0, 0, 4.734747904497923, 5.449245381693219,
	1.6598270267479331, 4, 7.275749096817861, 10.423227632456525, 2.662932286148962, 7.630657783650829, 8.962388608184032, 12.97166202570235}

func cornerWeights(few, rest, square []float32) []float32 {
	w := make([]float32, 64)
	low, high := cornerFrequencies[2], cornerFrequencies[15]-cornerFrequencies[2]+1e-6
	bands := growth(few[5:])
	for y := range 8 {
		for x := range 8 {
			at := &w[y*8+x]
			switch {
			case y%2 == 1:
				*at = rest[y/2*8+x]
			case x%2 == 1:
				*at = square[y/2*4+x/2]
			default:
				*at = between(bands, (cornerFrequencies[y/2*4+x/2]-low)*3/high)
			}
		}
	}
	w[0] = 1
	w[8], w[1] = few[0], few[1]
	w[16], w[2], w[18] = few[2], few[3], few[4]
	return w
}

// growth makes bands out of the first one and how each follows from the one before.
func growth(b []float32) []float64 {
	out := make([]float64, len(b))
	for i, v := range b {
		switch {
		case i == 0:
			out[i] = float64(v)
		case v > 0:
			out[i] = out[i-1] * (1 + float64(v))
		default:
			out[i] = out[i-1] / (1 - float64(v))
		}
	}
	return out
}

// between goes from band to band in steps of equal ratio.
func between(bands []float64, at float64) float32 {
	i := min(max(int(at), 0), len(bands)-1)
	if i+1 >= len(bands) {
		return float32(bands[i])
	}
	return float32(bands[i] * math.Pow(bands[i+1]/bands[i], at-float64(i)))
}

// bandWeights spreads bands over the distance from the lowest frequency.
func bandWeights(b []float32, rows, cols int) []float32 {
	bands := growth(b)
	w := make([]float32, rows*cols)
	scale := float64(len(b)-1) / (math.Sqrt2 + 1e-6)
	for y := range rows {
		dy := float64(y) * scale / float64(rows-1)
		for x := range cols {
			dx := float64(x) * scale / float64(cols-1)
			w[y*cols+x] = between(bands, math.Sqrt(dx*dx+dy*dy))
		}
	}
	return w
}
