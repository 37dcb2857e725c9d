package jxl

import (
	"math"
	"sync"
	"sync/atomic"
)

// frame is a frame while it is decoded (annex G).
type frame struct {
	*frameHeader
	m        *metadata
	colors   int // channels of colour that are coded
	sections [][]byte
	single   *bitReader // of all parts, where there is one section

	groupCount, lfCount int

	lfQuant [3]float32 // unit of low frequencies, or of samples in XYB
	scales  [2]float32 // what factors of X and B are multiplied with

	tree   *tree // for all modular streams, if there is one
	image  *modularImage
	dct    *varDCT // nil: modular
	planes []plane // the colours

	low       []plane      // low frequencies, where another frame has them
	kept      *[4]*picture // what patches come from
	patches   []patch
	patchWork int64
	jpeg      *jpegFile // takes the coefficients, where they are not to become samples
	noise     noiseLevels
	seed      [2]uint32 // of noise
}

// section returns a reader of a part. Where a frame has one section, the parts follow each other.
func (f *frame) section(i int) *bitReader {
	if len(f.sections) == 1 {
		if f.single == nil {
			f.single = newBitReader(f.sections[0])
		}
		return f.single
	}
	return newBitReader(f.sections[i])
}

func (f *frame) lfSection(i int) *bitReader { return f.section(1 + i) }

func (f *frame) passSection(pass, group int) *bitReader {
	return f.section(2 + f.lfCount + pass*f.groupCount + group)
}

// decode decodes all parts of a frame.
func (f *frame) decode(workers int) error {
	if len(f.sections) == 1 {
		workers = 1
	}
	if err := f.readGlobal(f.section(0)); err != nil {
		return err
	}
	for i := range f.image.channels {
		f.image.channels[i].alloc()
	}
	if err := each(workers, f.lfCount, f.readLFGroup); err != nil {
		return err
	}
	if f.dct != nil {
		if err := f.prepareDCT(); err != nil {
			return err
		}
	}
	if err := each(workers, f.groupCount, f.readGroup); err != nil {
		return err
	}
	f.image.undo()
	return nil
}

// prepareDCT makes everything ready for the groups of a frame by DCT.
func (f *frame) prepareDCT() error {
	v := f.dct
	if f.flags&(flagSkipSmooth|flagUseLF) == 0 {
		f.smoothLF()
	}
	f.scales = [2]float32{float32(math.Pow(0.8, float64(f.xScale)-2)), float32(math.Pow(0.8, float64(f.bScale)-2))}
	f.planes = make([]plane, 3)
	for c := range f.planes {
		p := newPlane(8*v.lf[c].w, 8*v.lf[c].h)
		p.w, p.h = ceilDiv(f.width, 1<<v.hshift[c]), ceilDiv(f.height, 1<<v.vshift[c])
		f.planes[c] = p
	}
	if err := f.readHFGlobal(f.section(1 + f.lfCount)); err != nil || f.jpeg == nil {
		return err
	}
	return f.jpeg.begin(f)
}

// each calls do for 0 to n-1, some at the same time, until one fails.
func each(workers, n int, do func(i int) error) error {
	if workers = min(workers, n); workers <= 1 {
		for i := range n {
			if err := do(i); err != nil {
				return err
			}
		}
		return nil
	}
	var next atomic.Int64
	var failed atomic.Pointer[error]
	var wait sync.WaitGroup
	for range workers {
		wait.Go(func() {
			for i := next.Add(1) - 1; i < int64(n) && failed.Load() == nil; i = next.Add(1) - 1 {
				if err := do(int(i)); err != nil {
					failed.CompareAndSwap(nil, &err)
				}
			}
		})
	}
	wait.Wait()
	if err := failed.Load(); err != nil {
		return *err
	}
	return nil
}

// readGlobal reads what all groups need (annex G.1).
func (f *frame) readGlobal(r *bitReader) error {
	if f.flags&flagPatches != 0 {
		if err := f.readPatches(r); err != nil {
			return err
		}
	}
	if f.flags&flagNoise != 0 {
		f.noise.read(r)
	}
	f.lfQuant = [3]float32{1. / 4096, 1. / 512, 1. / 256}
	if !r.flag() {
		r.f16s(f.lfQuant[:])
		for c := range f.lfQuant {
			if f.lfQuant[c] /= 128; f.lfQuant[c] < 1e-8 {
				r.fail(FormatError("a unit of low frequencies that is too small"))
			}
		}
	}
	if !f.modular {
		if err := f.readVarDCT(r); err != nil {
			return err
		}
	}
	channels := f.codedChannels()
	if r.flag() {
		var err error
		limit := min(1<<22, 1024+int64(f.width)*int64(f.height)*int64(len(channels))/16)
		if f.tree, err = readTree(r, int(limit)); err != nil {
			return err
		}
	}
	f.image = newModular(channels, f.m.depth.bits)
	return f.image.decode(modularStream{r: r, global: f.tree, limit: f.groupDim()})
}

// codedChannels are those of the modular image of a frame.
func (f *frame) codedChannels() (out []channel) {
	if f.modular {
		for range f.colors {
			out = append(out, channel{w: f.width, h: f.height})
		}
	}
	w, h := f.width*f.upsampling, f.height*f.upsampling
	for i, e := range f.m.extra {
		by := f.ecUpsampling[i] << e.shift
		shift := log2(by) - log2(f.upsampling)
		out = append(out, channel{w: ceilDiv(w, by), h: ceilDiv(h, by), hshift: shift, vshift: shift})
	}
	return out
}

func log2(v int) (n int) {
	for ; v > 1; v >>= 1 {
		n++
	}
	return n
}

// rect is a part of a frame in samples.
type rect struct{ x, y, w, h int }

// place is where group i of so many samples a side is.
func (f *frame) place(i, dim int) rect {
	across, _ := f.groups(dim)
	return rect{i % across * dim, i / across * dim, dim, dim}
}

func (f *frame) readLFGroup(i int) error {
	r := f.lfSection(i)
	if f.dct != nil && f.flags&flagUseLF == 0 {
		if err := f.readLF(r, i, f.blockRect(i, groupsOfLFGroup*f.groupDim())); err != nil {
			return err
		}
	}
	at := f.place(i, groupsOfLFGroup*f.groupDim())
	if err := f.readPart(r, at, 3, 1000, 1+f.lfCount+i); err != nil || f.dct == nil {
		return err
	}
	return f.readBlocks(r, i, f.blockRect(i, groupsOfLFGroup*f.groupDim()))
}

// readGroup reads all passes of a group.
func (f *frame) readGroup(i int) error {
	rs := make([]*bitReader, f.passes.count)
	for pass := range rs {
		rs[pass] = f.passSection(pass, i)
	}
	if f.dct != nil {
		if err := f.readHF(rs, f.blockRect(i, f.groupDim())); err != nil {
			return err
		}
	}
	for pass, r := range rs {
		low, high := f.passes.bracket(pass)
		id := 1 + 3*f.lfCount + quantTables + f.groupCount*pass + i
		if err := f.readPart(r, f.place(i, f.groupDim()), low, high, id); err != nil {
			return err
		}
	}
	return nil
}

// bracket says which channels come in a pass, by how often they are halved.
func (p *passes) bracket(pass int) (low, high int) {
	low, high = 3, 2
	for i := 0; ; i++ {
		for k, last := range p.lastPass {
			if i == last {
				low = log2(p.downsample[k])
			}
		}
		if i == p.count-1 {
			low = 0
		}
		if i == pass {
			return low, high
		}
		high = low - 1
	}
}

// readPart reads the part of the channels that a group has: those too large for the global part
// that are halved at least low and at most high times.
func (f *frame) readPart(r *bitReader, at rect, low, high, id int) error {
	var parts []channel
	var from []*channel
	image := f.image
	for i := f.firstSplit(); i < len(image.channels); i++ {
		c := &image.channels[i]
		if s := min(c.hshift, c.vshift); s < low || s > high {
			continue
		}
		if p := c.part(at); p.w > 0 && p.h > 0 {
			parts, from = append(parts, p), append(from, c)
		}
	}
	if len(parts) == 0 {
		return nil
	}
	sub := newModular(parts, image.depth)
	if err := sub.decode(modularStream{r: r, id: id, global: f.tree}); err != nil {
		return err
	}
	sub.undo()
	for i, c := range from {
		c.paste(&sub.channels[i], at.x>>max(c.hshift, 0), at.y>>max(c.vshift, 0))
	}
	return nil
}

// firstSplit is the first channel that did not come with the global part.
func (f *frame) firstSplit() int {
	end, _, _ := f.image.within(f.groupDim())
	return max(end, f.image.meta)
}

// part is the shape of what c has of a part of the frame.
func (c *channel) part(at rect) channel {
	h, v := max(c.hshift, 0), max(c.vshift, 0)
	x, y := at.x>>h, at.y>>v
	return channel{w: min(at.w>>h, c.w-x), h: min(at.h>>v, c.h-y), hshift: c.hshift, vshift: c.vshift}
}

func (c *channel) paste(p *channel, x, y int) {
	for k := range p.h {
		copy(c.row(y + k)[x:], p.row(k))
	}
}
