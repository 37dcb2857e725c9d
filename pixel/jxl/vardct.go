package jxl

import "slices"

// varDCT is what a frame by DCT has beside its modular parts (annex I).
type varDCT struct {
	globalScale int
	lfScale     int
	contexts    blockContexts
	chroma      chroma
	hshift      [3]int // how often the channels X, Y, B (or Cb, Y, Cr) are halved
	vshift      [3]int
	w, h        int // in blocks of 8 x 8 samples
	tiles       int // columns of tiles of 64 x 64 samples

	blocks  []block   // of the frame
	fromY   [2][]int8 // by tile: how much of Y is in X and B
	lf      [3]plane  // low frequencies: a sample for each block
	quant   [3][]int32
	tables  [quantTables]quantTable
	presets int
	pass    []passCode
}

// block is one of 8 x 8 samples.
type block struct {
	strategy uint8 // of the block that this is a part of
	state    uint8 // whether it is known, and whether it is the first of its strategy
	sharp    uint8 // index of the sharpness
	lfIndex  uint8 // context by low frequencies
	scale    int32 // of its coefficients
}

const (
	blockUnknown = iota
	blockFirst
	blockMore
)

// plane holds samples of a channel.
type plane struct {
	w, h   int
	stride int // from row to row
	px     []float32
}

func newPlane(w, h int) plane { return plane{w, h, w, make([]float32, w*h)} }

func (p *plane) row(y int) []float32 { return p.px[y*p.stride:][:p.w] }

// blockContexts says which contexts the coefficients of a block are coded in (annex I.2.2).
type blockContexts struct {
	lf    [3][]int32 // thresholds of low frequencies, by channel
	scale []uint32   // thresholds of scales
	byUse []uint8
	count int
}

// defaultContexts are those of each channel and order.
var defaultContexts = []uint8{
	0, 1, 2, 2, 3, 3, 4, 5, 6, 6, 6, 6, 6,
	7, 8, 9, 9, 10, 11, 12, 13, 14, 14, 14, 14, 14,
	7, 8, 9, 9, 10, 11, 12, 13, 14, 14, 14, 14, 14,
}

// chroma is how X and B follow from Y (annex I.2.3).
type chroma struct {
	factor float32
	base   [2]float32 // of X and B
	lf     [2]int32
}

func (c *chroma) ratio(k int, v int32) float32 { return c.base[k] + float32(v)/c.factor }

// readVarDCT reads the part of the global section that is of frames by DCT.
func (f *frame) readVarDCT(r *bitReader) error {
	v := &varDCT{}
	f.dct = v
	v.globalScale = int(r.u32(offset(1, 11), offset(2049, 11), offset(4097, 12), offset(8193, 16)))
	v.lfScale = int(r.u32(val(16), offset(1, 5), offset(1, 8), offset(1, 16)))
	if err := v.contexts.read(r); err != nil {
		return err
	}
	v.chroma.read(r)
	return v.measure(f)
}

func (b *blockContexts) read(r *bitReader) error {
	if r.flag() {
		b.byUse, b.count = defaultContexts, 15
		return nil
	}
	n := 3 * orders
	for c := range b.lf {
		b.lf[c] = make([]int32, r.u(4))
		for i := range b.lf[c] {
			b.lf[c][i] = unpack(r.u32(raw(4), offset(16, 8), offset(272, 16), offset(65808, 32)))
		}
		n *= len(b.lf[c]) + 1
	}
	b.scale = make([]uint32, r.u(4))
	for i := range b.scale {
		b.scale[i] = 1 + r.u32(raw(2), offset(4, 3), offset(12, 5), offset(44, 8))
	}
	n *= len(b.scale) + 1
	if n > 3*orders*64 {
		return FormatError("too many contexts of blocks")
	}
	b.byUse = make([]uint8, n)
	var err error
	if b.count, err = readClusters(r, b.byUse); err == nil && b.count > 16 {
		err = FormatError("too many contexts of blocks")
	}
	return err
}

// lfContexts is how many classes low frequencies are in.
func (b *blockContexts) lfContexts() int {
	return (len(b.lf[0]) + 1) * (len(b.lf[1]) + 1) * (len(b.lf[2]) + 1)
}

// of returns the context of a block of a channel.
func (b *blockContexts) of(c int, order, lfIndex uint8, scale int32) int {
	if c < 2 {
		c ^= 1
	}
	at := c*orders + int(order)
	over := 0
	for _, t := range b.scale {
		if uint32(scale) > t {
			over++
		}
	}
	return int(b.byUse[(at*(len(b.scale)+1)+over)*b.lfContexts()+int(lfIndex)])
}

func (c *chroma) read(r *bitReader) {
	*c = chroma{factor: 84, base: [2]float32{0, 1}}
	if r.flag() {
		return
	}
	c.factor = float32(r.u32(val(84), val(256), offset(2, 8), offset(258, 16)))
	r.f16s(c.base[:])
	for i := range c.lf {
		c.lf[i] = int32(r.u(8)) - 128
	}
}

// measure finds the sizes of everything.
func (v *varDCT) measure(f *frame) error {
	across, down := [4]int{0, 1, 1, 0}, [4]int{0, 1, 0, 1}
	h, w := 0, 0
	for _, s := range f.subsampling {
		w, h = max(w, across[s]), max(h, down[s])
	}
	v.w, v.h = ceilDiv(f.width, 8<<w)<<w, ceilDiv(f.height, 8<<h)<<h
	v.tiles = ceilDiv(v.w, 8)
	v.blocks = make([]block, v.w*v.h)
	for k := range v.fromY {
		v.fromY[k] = make([]int8, v.tiles*ceilDiv(v.h, 8))
	}
	for c, s := range f.subsampling {
		v.hshift[c], v.vshift[c] = w-across[s], h-down[s]
		if f.low != nil {
			if v.lf[c] = f.low[c]; v.lf[c].w != v.w || v.lf[c].h != v.h {
				return FormatError("low frequencies of another size")
			}
			continue
		}
		v.lf[c] = newPlane(v.w>>v.hshift[c], v.h>>v.vshift[c])
		v.quant[c] = make([]int32, len(v.lf[c].px))
	}
	return nil
}

// full reports whether all channels have as many samples.
func (v *varDCT) full() bool { return v.hshift == [3]int{} && v.vshift == [3]int{} }

// blockRect is where LF group, or group, i is, in blocks.
func (f *frame) blockRect(i, dim int) rect {
	at := f.place(i, dim)
	x, y := at.x/8, at.y/8
	return rect{x, y, min(at.w/8, f.dct.w-x), min(at.h/8, f.dct.h-y)}
}

// codedOrder is the order of channels in streams: Y, X, B.
var codedOrder = [3]int{1, 0, 2}

// readLF reads the low frequencies of an LF group (annex I.2.5).
func (f *frame) readLF(r *bitReader, i int, at rect) error {
	v := f.dct
	extra := r.u(2)
	channels := make([]channel, 3)
	for k, c := range codedOrder {
		channels[k] = channel{w: at.w >> v.hshift[c], h: at.h >> v.vshift[c], hshift: v.hshift[c], vshift: v.vshift[c]}
	}
	m := newModular(channels, f.m.depth.bits)
	if err := m.decode(modularStream{r: r, id: 1 + i, global: f.tree}); err != nil {
		return err
	}
	m.undo()
	for k, c := range codedOrder {
		p := &m.channels[k]
		x, y := at.x>>v.hshift[c], at.y>>v.vshift[c]
		scale := f.lfQuant[c] * 65536 / float32(v.globalScale*v.lfScale) / float32(int(1)<<extra)
		for row := range p.h {
			out := v.lf[c].row(y + row)[x:]
			copy(v.quant[c][(y+row)*v.lf[c].w+x:], p.row(row))
			for n, q := range p.row(row) {
				out[n] = float32(q) * scale
			}
		}
	}
	if v.full() {
		v.addY(at)
	}
	v.classLF(at)
	return nil
}

// addY adds to low frequencies of X and B what follows from Y.
func (v *varDCT) addY(at rect) {
	for k, c := range [2]int{0, 2} {
		ratio := v.chroma.ratio(k, v.chroma.lf[k])
		for y := at.y; y < at.y+at.h; y++ {
			luma := v.lf[1].row(y)[at.x:][:at.w]
			for x, l := range luma {
				v.lf[c].px[y*v.w+at.x+x] += ratio * l
			}
		}
	}
}

// classLF puts blocks into classes by their low frequencies.
func (v *varDCT) classLF(at rect) {
	b := &v.contexts
	if b.lfContexts() == 1 {
		return
	}
	for y := at.y; y < at.y+at.h; y++ {
		for x := at.x; x < at.x+at.w; x++ {
			var over [3]int
			for c := range over {
				q := v.quant[c][(y>>v.vshift[c])*v.lf[c].w+x>>v.hshift[c]]
				for _, t := range b.lf[c] {
					if q > t {
						over[c]++
					}
				}
			}
			v.blocks[y*v.w+x].lfIndex = uint8((over[0]*(len(b.lf[2])+1)+over[2])*(len(b.lf[1])+1) + over[1])
		}
	}
}

// readBlocks reads how the blocks of an LF group are coded (annex G.2.3).
func (f *frame) readBlocks(r *bitReader, i int, at rect) error {
	v := f.dct
	n := 1 + int(r.u(uint(log2Ceil(at.w*at.h))))
	tw, th := ceilDiv(at.w, 8), ceilDiv(at.h, 8)
	m := newModular([]channel{
		{w: tw, h: th, hshift: 3, vshift: 3}, {w: tw, h: th, hshift: 3, vshift: 3}, {w: n, h: 2}, {w: at.w, h: at.h},
	}, 8)
	if err := m.decode(modularStream{r: r, id: 1 + 2*f.lfCount + i, global: f.tree}); err != nil {
		return err
	}
	m.undo()
	for k := range v.fromY {
		for y := range th {
			out := v.fromY[k][(at.y/8+y)*v.tiles+at.x/8:]
			for x, q := range m.channels[k].row(y) {
				out[x] = int8(min(max(q, -128), 127))
			}
		}
	}
	return v.placeBlocks(at, m.channels[2].row(0), m.channels[2].row(1), &m.channels[3])
}

// placeBlocks puts the strategies where they belong: each at the first block that none before
// covers.
func (v *varDCT) placeBlocks(at rect, kinds, scales []int32, sharp *channel) error {
	next := 0
	for y := range at.h {
		for x := range at.w {
			b := &v.blocks[(at.y+y)*v.w+at.x+x]
			s := sharp.row(y)[x]
			if s < 0 || s > 7 {
				return FormatError("a sharpness that is not known")
			}
			b.sharp = uint8(s)
			if b.state != blockUnknown {
				continue
			}
			if next >= len(kinds) || kinds[next] < 0 || int(kinds[next]) >= len(strategies) {
				return FormatError("blocks that are not told or not known")
			}
			if err := v.cover(at, x, y, uint8(kinds[next]), 1+max(0, min(scales[next], 1<<24))); err != nil {
				return err
			}
			next++
		}
	}
	return nil
}

// cover marks the blocks of a strategy.
func (v *varDCT) cover(at rect, x, y int, kind uint8, scale int32) error {
	s := &strategies[kind]
	if x+s.w > at.w || y+s.h > at.h || s.blocks() > 1 && !v.full() {
		return FormatError("a block that leaves its group")
	}
	for k := range s.blocks() {
		b := &v.blocks[(at.y+y+k/s.w)*v.w+at.x+x+k%s.w]
		if b.state != blockUnknown {
			return FormatError("blocks that overlap")
		}
		b.strategy, b.state, b.scale = kind, blockMore, scale
	}
	v.blocks[(at.y+y)*v.w+at.x+x].state = blockFirst
	return nil
}

func log2Ceil(v int) int {
	n := log2(v)
	if 1<<n < v {
		n++
	}
	return n
}

// smoothLF takes steps out of low frequencies where those are no larger than their
// quantisation (annex I.2.6).
func (f *frame) smoothLF() {
	v := f.dct
	if !v.full() || v.w < 3 || v.h < 3 {
		return
	}
	const side, corner = 0.20345139757231578, 0.0334829185968739
	var step [3]float32
	var out [3]plane
	for c := range out {
		step[c] = f.lfQuant[c] * 65536 / float32(v.globalScale*v.lfScale)
		out[c] = plane{v.w, v.h, v.w, slices.Clone(v.lf[c].px)}
	}
	for y := 1; y < v.h-1; y++ {
		for x := 1; x < v.w-1; x++ {
			gap := float32(0.5)
			var mean [3]float32
			at := y*v.w + x
			for c := range mean {
				p := v.lf[c].px[at-v.w-1:]
				q := p[v.w:]
				s := q[v.w:]
				mean[c] = (1-4*(side+corner))*q[1] + side*(p[1]+q[0]+q[2]+s[1]) + corner*(p[0]+p[2]+s[0]+s[2])
				d := (q[1] - mean[c]) / step[c]
				gap = max(gap, d, -d)
			}
			if factor := 3 - 4*gap; factor > 0 {
				for c := range mean {
					out[c].px[at] += (mean[c] - out[c].px[at]) * factor
				}
			}
		}
	}
	v.lf = out
}
