package jxl

// passCode is how the coefficients of a pass are coded.
type passCode struct {
	orders [orders][3][]uint32 // by order and channel; nil: the natural one
	code   *code
}

// Contexts of a block: how many coefficients are not zero, and the coefficients.
const (
	countContexts = 37
	coefContexts  = 458
)

// frequencyContext and countContext class a coefficient by its place and by how many are still to
// come (table I.5).
var (
	frequencyContext = [64]uint16{0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14,
		15, 15, 16, 16, 17, 17, 18, 18, 19, 19, 20, 20, 21, 21, 22, 22,
		23, 23, 23, 23, 24, 24, 24, 24, 25, 25, 25, 25, 26, 26, 26, 26,
		27, 27, 27, 27, 28, 28, 28, 28, 29, 29, 29, 29, 30, 30, 30, 30}
	countContext = func() (t [64]uint16) {
		for i := 1; i < 64; i++ {
			t[i] = [...]uint16{0, 31, 62, 62, 93, 93, 93, 93, 123, 123, 123, 123}[min(i-1, 11)]
			for k, from := range [3]int{13, 21, 33} {
				if i >= from {
					t[i] = [3]uint16{152, 180, 206}[k]
				}
			}
		}
		return t
	}()
)

// readHFGlobal reads what the coefficients of all groups need (annex G.3).
func (f *frame) readHFGlobal(r *bitReader) error {
	v := f.dct
	if err := f.readTables(r); err != nil {
		return err
	}
	v.presets = 1 + int(r.u(uint(log2Ceil(f.groupCount))))
	v.pass = make([]passCode, f.passes.count)
	for i := range v.pass {
		if err := v.pass[i].read(r, v.presets*v.contexts.count*(countContexts+coefContexts)); err != nil {
			return err
		}
	}
	return r.err()
}

// natural are the orders of coefficients where a stream tells none.
var natural [orders]lazyOrder

func (p *passCode) read(r *bitReader, contexts int) error {
	if told := r.u32(val(0x5F), val(0x13), val(0), raw(13)); told != 0 {
		c, err := readCode(r, 8)
		if err != nil {
			return err
		}
		s := newSymbols(c, r, 0)
		for o := range orders {
			for c := range 3 {
				if told>>o&1 == 0 {
					continue
				}
				if p.orders[o][c], err = readOrder(s, o); err != nil {
					return err
				}
			}
		}
		if err := s.finish(); err != nil {
			return err
		}
	}
	var err error
	p.code, err = readCode(r, contexts)
	return err
}

func readOrder(s *symbols, o int) ([]uint32, error) {
	base := natural[o].get(o)
	order, err := readPermutation(s, len(base), orderSizes[o][0]*orderSizes[o][1], 0)
	if err != nil {
		return nil, err
	}
	out := make([]uint32, len(base))
	for i, at := range order {
		out[i] = base[at]
	}
	return out, nil
}

// hfReader reads the coefficients of a group.
type hfReader struct {
	f      *frame
	at     rect // of the group, in blocks
	passes []hfPass
	coef   [3][]int32 // of a block
	out    [3][]float32
	line   []float32
}

type hfPass struct {
	*passCode
	s     *symbols
	first int // context
	shift uint
	count [3][]uint8 // by block of the group: coefficients that are not zero
}

// readHF reads the coefficients of a group in all its passes, and makes samples of them.
func (f *frame) readHF(rs []*bitReader, at rect) error {
	v := f.dct
	h := &hfReader{f: f, at: at, passes: make([]hfPass, len(rs))}
	for i, r := range rs {
		p := &h.passes[i]
		preset := int(r.u(uint(log2Ceil(v.presets))))
		if preset >= v.presets {
			return FormatError("a set of contexts that is not there")
		}
		p.passCode, p.shift = &v.pass[i], f.passes.shift[i]
		p.first = preset * v.contexts.count * (countContexts + coefContexts)
		p.s = newSymbols(p.code, r, 0)
		for c := range p.count {
			p.count[c] = make([]uint8, at.w*at.h)
		}
	}
	for y := range at.h {
		for x := range at.w {
			if b := &v.blocks[(at.y+y)*v.w+at.x+x]; b.state == blockFirst {
				if err := h.block(b, x, y); err != nil {
					return err
				}
			}
		}
		if err := rs[0].err(); err != nil {
			return err
		}
	}
	for i := range h.passes {
		if err := h.passes[i].s.finish(); err != nil {
			return err
		}
	}
	return nil
}

// block reads a block of the three channels, where they have one.
func (h *hfReader) block(b *block, x, y int) error {
	v := h.f.dct
	s := &strategies[b.strategy]
	if x+s.w > h.at.w || y+s.h > h.at.h {
		return FormatError("a block that leaves its group")
	}
	size := 64 * s.blocks()
	for _, c := range codedOrder {
		if cap(h.coef[c]) < size {
			h.coef[c], h.out[c] = make([]int32, size), make([]float32, size)
		}
		h.coef[c], h.out[c] = h.coef[c][:size], h.out[c][:size]
		clear(h.coef[c])
		if !v.has(c, x, y) {
			continue
		}
		for i := range h.passes {
			if err := h.coefficients(&h.passes[i], b, c, x, y); err != nil {
				return err
			}
		}
	}
	if h.f.jpeg != nil {
		return h.f.jpeg.take(h, b, x, y)
	}
	h.scale(b, x, y)
	for _, c := range codedOrder {
		if v.has(c, x, y) {
			h.draw(b, c, x, y)
		}
	}
	return nil
}

// has reports whether a channel has a block at x, y of a group: halved ones have not everywhere.
func (v *varDCT) has(c, x, y int) bool {
	return x&(1<<v.hshift[c]-1) == 0 && y&(1<<v.vshift[c]-1) == 0
}

// coefficients reads those of a block in a pass (annex I.3.3).
func (h *hfReader) coefficients(p *hfPass, b *block, c, x, y int) error {
	v := h.f.dct
	s := &strategies[b.strategy]
	n := s.blocks()
	shift := uint(log2(n))
	sx, sy := x>>v.hshift[c], y>>v.vshift[c]
	scale := v.blocks[(h.at.y+y)*v.w+h.at.x+sx].scale
	ctx := v.contexts.of(c, s.order, b.lfIndex, scale)
	guess := p.guess(c, sx, sy, h.at.w)
	if guess >= 8 {
		guess = 4 + guess/2
	}
	left := int(p.s.read(p.first + guess*v.contexts.count + ctx))
	if left > 63*n {
		return FormatError("more coefficients than a block has")
	}
	for k := range s.blocks() {
		p.count[c][(sy+k/s.w)*h.at.w+sx+k%s.w] = uint8((left + n - 1) >> shift)
	}
	order := p.orders[s.order][c]
	if order == nil {
		order = natural[s.order].get(int(s.order))
	}
	first := p.first + v.contexts.count*countContexts + coefContexts*ctx
	before := 1
	if left > 4*n {
		before = 0
	}
	coef := h.coef[c]
	for k := n; left > 0; k++ {
		if left > len(order)-k {
			return FormatError("fewer coefficients than were told")
		}
		at := int(countContext[(left+n-1)>>shift]+frequencyContext[k>>shift])*2 + before
		q := p.s.read(first + at)
		before = 0
		if q != 0 {
			coef[order[k]] += unpack(q) << p.shift
			before = 1
			left--
		}
	}
	return nil
}

// guess is how many coefficients the blocks above and to the left make expect.
func (p *hfPass) guess(c, x, y, width int) int {
	row := p.count[c][y*width:]
	switch {
	case x == 0 && y == 0:
		return 32
	case x == 0:
		return int(p.count[c][(y-1)*width])
	case y == 0:
		return int(row[x-1])
	}
	return (int(p.count[c][(y-1)*width+x]) + int(row[x-1]) + 1) / 2
}

// scale takes the coefficients of a block to what they stand for (annex I.4).
func (h *hfReader) scale(b *block, x, y int) {
	v := h.f.dct
	s := &strategies[b.strategy]
	t := &v.tables[s.table]
	unit := 65536 / float32(v.globalScale) / float32(b.scale)
	by := [3]float32{unit * h.f.scales[0], unit, unit * h.f.scales[1]}
	bias := &h.f.m.opsin
	for c := range h.out {
		out, factors := h.out[c], t.factors[c]
		for i, q := range h.coef[c] {
			switch {
			case q == 0:
				out[i] = 0
			case q == 1:
				out[i] = bias.quant[c] * by[c] * factors[i]
			case q == -1:
				out[i] = -bias.quant[c] * by[c] * factors[i]
			default:
				out[i] = (float32(q) - bias.quantNum/float32(q)) * by[c] * factors[i]
			}
		}
	}
	tile := (h.at.y+y)/8*v.tiles + (h.at.x+x)/8
	for k, c := range [2]int{0, 2} {
		ratio := v.chroma.ratio(k, int32(v.fromY[k][tile]))
		if ratio == 0 {
			continue
		}
		for i, l := range h.out[1] {
			h.out[c][i] += ratio * l
		}
	}
}
