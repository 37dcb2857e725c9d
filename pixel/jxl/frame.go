package jxl

import "fmt"

// Kinds of frames and their coding (annex F).
const (
	regularFrame   = 0
	lfFrame        = 1 // low frequencies of another frame
	referenceFrame = 2
	skipFrame      = 3 // a regular one that is left out where one shows progress

	flagNoise       = 1
	flagPatches     = 2
	flagSplines     = 16
	flagUseLF       = 32
	flagSkipSmooth  = 128
	groupsOfLFGroup = 8 // along a side
)

// frameHeader is annex F.2.
type frameHeader struct {
	kind         uint32
	modular      bool
	flags        uint64
	ycbcr        bool
	subsampling  [3]uint32 // of Cb, Y, Cr: 0 none, 1 both, 2 across, 3 down
	upsampling   int
	ecUpsampling []int
	groupShift   uint
	xScale       uint32 // of the X and B matrices
	bScale       uint32
	passes       passes
	lfLevel      int
	x0, y0       int
	width        int // in samples, before upsampling
	height       int
	fullWidth    int // after upsampling
	fullHeight   int
	blend        blending
	ecBlend      []blending
	last         bool
	save         uint32 // slot to keep it in
	saveBefore   bool   // before its colours are transformed
	filter       filter
}

type passes struct {
	count      int
	shift      [11]uint // of coefficients, by pass
	downsample []int    // what the image is reduced by
	lastPass   []int    // after this pass
}

type blending struct {
	mode   uint32
	alpha  uint32 // extra channel
	clamp  bool
	source uint32
}

const (
	blendReplace  = 0
	blendAdd      = 1
	blendOver     = 2
	blendMulAdd   = 3
	blendMultiply = 4
)

// readFrame reads a frame header.
func readFrame(r *bitReader, m *metadata) (*frameHeader, error) {
	f := &frameHeader{upsampling: 1, groupShift: 1, xScale: 2, bScale: 2, last: true, filter: defaultFilter}
	f.passes.count = 1
	f.ecUpsampling = make([]int, len(m.extra))
	f.ecBlend = make([]blending, len(m.extra))
	for i := range f.ecUpsampling {
		f.ecUpsampling[i] = 1
	}
	f.width, f.height = m.width, m.height
	if m.xyb {
		f.xScale = 3
	}
	if !r.flag() {
		f.readFields(r, m)
	}
	if err := r.err(); err != nil {
		return nil, err
	}
	return f, f.measure(m)
}

func (f *frameHeader) readFields(r *bitReader, m *metadata) {
	f.kind = r.u(2)
	f.modular = r.flag()
	f.flags = r.u64()
	if !m.xyb {
		f.ycbcr = r.flag()
	}
	if f.flags&flagUseLF == 0 {
		f.readSampling(r)
	}
	f.xScale = 2
	switch {
	case f.modular:
		f.groupShift = uint(r.u(2))
	case m.xyb:
		f.xScale, f.bScale = r.u(3), r.u(3)
	}
	if f.kind != referenceFrame {
		f.passes.read(r)
	}
	if f.kind == lfFrame {
		f.lfLevel = 1 + int(r.u(2))
	}
	partial := f.kind != lfFrame && r.flag() && f.readCrop(r, m)
	f.readBlending(r, m, partial)
	if f.kind != regularFrame {
		f.last = false // whatever it says
	}
	f.readSaving(r, partial)
	skipName(r)
	f.filter.read(r, f.modular)
	r.extensions()
}

func (f *frameHeader) readSampling(r *bitReader) {
	if f.ycbcr {
		for i := range f.subsampling {
			f.subsampling[i] = r.u(2)
		}
	}
	f.upsampling = 1 << r.u(2)
	for i := range f.ecUpsampling {
		f.ecUpsampling[i] = 1 << r.u(2)
	}
}

func (p *passes) read(r *bitReader) {
	p.count = int(r.u32(val(1), val(2), val(3), offset(4, 3)))
	if p.count == 1 {
		return
	}
	n := int(r.u32(val(0), val(1), val(2), offset(3, 1)))
	if n > p.count {
		r.fail(FormatError("more resolutions than passes"))
	}
	for i := range p.count - 1 {
		p.shift[i] = uint(r.u(2))
	}
	for range n {
		p.downsample = append(p.downsample, 1<<r.u(2))
	}
	for range n {
		p.lastPass = append(p.lastPass, int(r.u32(val(0), val(1), val(2), raw(3))))
	}
}

// readCrop reads where a frame is, and reports whether it covers less than the image.
func (f *frameHeader) readCrop(r *bitReader, m *metadata) bool {
	place := func() uint32 { return r.u32(raw(8), offset(256, 11), offset(2304, 14), offset(18688, 30)) }
	if f.kind != referenceFrame {
		f.x0, f.y0 = int(unpack(place())), int(unpack(place()))
	}
	f.width, f.height = int(place()), int(place())
	return f.kind != referenceFrame && (f.x0 > 0 || f.y0 > 0 || f.x0+f.width < m.width || f.y0+f.height < m.height)
}

func (f *frameHeader) readBlending(r *bitReader, m *metadata, partial bool) {
	if f.kind != regularFrame && f.kind != skipFrame {
		f.last = false
		return
	}
	f.blend.read(r, len(m.extra), partial)
	for i := range f.ecBlend {
		f.ecBlend[i].read(r, len(m.extra), partial)
	}
	if m.animation {
		r.u32(val(0), val(1), raw(8), raw(32))
		if m.timecodes {
			r.u(32)
		}
	}
	f.last = r.flag()
}

func (b *blending) read(r *bitReader, extra int, partial bool) {
	b.mode = r.u32(val(blendReplace), val(blendAdd), val(blendOver), offset(3, 2))
	if b.mode > blendMultiply {
		r.fail(FormatError(fmt.Sprintf("blending %d is not known", b.mode)))
	}
	byAlpha := b.mode == blendOver || b.mode == blendMulAdd
	if extra > 0 && byAlpha {
		b.alpha = r.u32(val(0), val(1), val(2), offset(3, 3))
		if int(b.alpha) >= extra {
			r.fail(FormatError("blending by a channel that is not there"))
		}
	}
	if extra > 0 && byAlpha || b.mode == blendMultiply {
		b.clamp = r.flag()
	}
	if b.mode != blendReplace || partial {
		b.source = r.u(2)
	}
}

func (f *frameHeader) readSaving(r *bitReader, partial bool) {
	if f.kind == lfFrame {
		f.saveBefore = true
		return
	}
	if !f.last {
		f.save = r.u(2)
	}
	whole := f.kind != referenceFrame && !f.last && f.blend.mode == blendReplace && !partial
	if f.kind == referenceFrame || whole {
		f.saveBefore = r.flag()
	}
}

// measure checks the size of a frame and takes it to the samples that are coded.
func (f *frameHeader) measure(m *metadata) error {
	if f.width < 1 || f.height < 1 {
		return FormatError("a frame without pixels")
	}
	lf := 1 << (3 * f.lfLevel)
	f.fullWidth, f.fullHeight = ceilDiv(f.width, lf), ceilDiv(f.height, lf)
	down := f.upsampling
	f.width, f.height = ceilDiv(f.fullWidth, down), ceilDiv(f.fullHeight, down)
	for i, u := range f.ecUpsampling {
		if u<<m.extra[i].shift < f.upsampling {
			return FormatError("an extra channel finer than the colours")
		}
	}
	return nil
}

func ceilDiv(a, b int) int { return (a + b - 1) / b }

// groupDim is the side of a group in samples.
func (f *frameHeader) groupDim() int { return 128 << f.groupShift }

// groups is how many groups, of so many samples a side, there are across and down.
func (f *frameHeader) groups(dim int) (x, y int) {
	return ceilDiv(f.width, dim), ceilDiv(f.height, dim)
}

func (f *frameHeader) groupCounts() (groups, lfGroups int) {
	x, y := f.groups(f.groupDim())
	lx, ly := f.groups(groupsOfLFGroup * f.groupDim())
	return x * y, lx * ly
}

// filter are the restoration filters (annex J).
type filter struct {
	gaborish     bool
	weights      [6]float32 // two for each channel
	iterations   uint32     // of the edge-preserving filter
	sharpness    [8]float32
	scale        [3]float32
	quantMul     float32
	sigma        [2]float32 // scales of the first and third pass
	borderMul    float32
	modularSigma float32
}

var defaultFilter = filter{
	gaborish:     true,
	weights:      [6]float32{0.115169525, 0.061248592, 0.115169525, 0.061248592, 0.115169525, 0.061248592},
	iterations:   2,
	sharpness:    [8]float32{0, 1. / 7, 2. / 7, 3. / 7, 4. / 7, 5. / 7, 6. / 7, 1},
	scale:        [3]float32{40, 5, 3.5},
	quantMul:     0.46,
	sigma:        [2]float32{0.9, 6.5},
	borderMul:    2. / 3,
	modularSigma: 1,
}

func (f *filter) read(r *bitReader, modular bool) {
	if r.flag() {
		return
	}
	if f.gaborish = r.flag(); f.gaborish && r.flag() {
		r.f16s(f.weights[:])
	}
	if f.iterations = r.u(2); f.iterations > 0 {
		f.readEdges(r, modular)
	}
	r.extensions()
}

// readEdges reads the parameters of the edge-preserving filter.
func (f *filter) readEdges(r *bitReader, modular bool) {
	if !modular && r.flag() {
		r.f16s(f.sharpness[:])
	}
	if r.flag() {
		r.f16s(f.scale[:])
		r.u(32)
	}
	if r.flag() {
		if !modular {
			f.quantMul = r.f16()
		}
		r.f16s(f.sigma[:])
		f.borderMul = r.f16()
	}
	if modular {
		f.modularSigma = r.f16()
	}
}
