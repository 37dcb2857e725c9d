package jxl

// metadata is the image header (annex D).
type metadata struct {
	width, height int
	orientation   int // 1 to 8, as in Exif
	depth         bitDepth
	extra         []extraChannel
	xyb           bool
	color         colorEncoding
	animation     bool
	timecodes     bool
	preview       [2]int  // width and height, 0 where there is none
	intensity     float32 // nits of the brightest sample
	opsin         opsinMatrix
	upsampling    [3][]float32 // weights for 2, 4 and 8; nil is the default
}

type bitDepth struct {
	bits  uint
	float bool
}

type extraChannel struct {
	kind       uint32
	depth      bitDepth
	shift      uint // its sides are so many times halved
	associated bool // opacity that the colours are multiplied with
}

const alphaChannel = 0

// opsinMatrix takes XYB to linear light (annex L.2).
type opsinMatrix struct {
	inverse  [9]float32
	bias     [3]float32
	quant    [3]float32 // bias of quantised coefficients that are 1 or -1
	quantNum float32    // of the others
}

var defaultOpsin = opsinMatrix{
	inverse: [9]float32{
		11.031566901960783, -9.866943921568629, -0.16462299647058826,
		-3.254147380392157, 4.418770392156863, -0.16462299647058826,
		-3.6588512862745097, 2.7129230470588235, 1.9459282392156863,
	},
	bias:     [3]float32{-0.0037930732552754493, -0.0037930732552754493, -0.0037930732552754493},
	quant:    [3]float32{1 - 0.05465007330715401, 1 - 0.07005449891748593, 1 - 0.049935103337343655},
	quantNum: 0.145,
}

// readHeader reads what comes before the frames.
func readHeader(r *bitReader) (*metadata, error) {
	if r.u(16) != 0x0AFF {
		return nil, FormatError("not a codestream")
	}
	m := &metadata{orientation: 1, depth: bitDepth{bits: 8}, xyb: true, color: srgb, intensity: 255, opsin: defaultOpsin}
	m.width, m.height = readSize(r)
	if !r.flag() {
		m.readImage(r)
	}
	if !r.flag() {
		m.readTransforms(r)
	}
	if err := r.err(); err != nil {
		return nil, err
	}
	if m.color.icc {
		if err := skipICC(r); err != nil {
			return nil, err
		}
	}
	r.align()
	return m, r.err()
}

// readSize reads width and height (annex D.2).
func readSize(r *bitReader) (w, h int) {
	eighths := r.flag()
	side := func() int {
		if eighths {
			return 8 * int(1+r.u(5))
		}
		return int(r.u32(offset(1, 9), offset(1, 13), offset(1, 18), offset(1, 30)))
	}
	return readRatio(r, side)
}

// readPreview reads the size of the preview.
func readPreview(r *bitReader) (w, h int) {
	eighths := r.flag()
	side := func() int {
		if eighths {
			return 8 * int(r.u32(val(16), val(32), offset(1, 5), offset(33, 9)))
		}
		return int(r.u32(offset(1, 6), offset(65, 8), offset(321, 10), offset(1345, 12)))
	}
	return readRatio(r, side)
}

var ratios = [8][2]int{1: {1, 1}, {12, 10}, {4, 3}, {3, 2}, {16, 9}, {5, 4}, {2, 1}}

func readRatio(r *bitReader, side func() int) (w, h int) {
	h = side()
	ratio := ratios[r.u(3)]
	if ratio[0] == 0 {
		return side(), h
	}
	return int(int64(h) * int64(ratio[0]) / int64(ratio[1])), h
}

func (m *metadata) readImage(r *bitReader) {
	more := r.flag()
	if more {
		m.orientation = 1 + int(r.u(3))
		if r.flag() {
			readSize(r) // the size to show it in
		}
		if r.flag() {
			m.preview[0], m.preview[1] = readPreview(r)
		}
		if m.animation = r.flag(); m.animation {
			m.timecodes = readAnimation(r)
		}
	}
	m.depth = readDepth(r)
	r.flag() // whether 16 bits hold all intermediate values
	n := r.u32(val(0), val(1), offset(2, 4), offset(1, 12))
	for ; n > 0 && !r.short(); n-- {
		m.extra = append(m.extra, readExtra(r))
	}
	m.xyb = r.flag()
	m.color = readColor(r)
	if more {
		m.readTone(r)
	}
	r.extensions()
}

// readAnimation reports whether frames have time codes.
func readAnimation(r *bitReader) bool {
	r.u32(val(100), val(1000), offset(1, 10), offset(1, 30))
	r.u32(val(1), val(1001), offset(1, 8), offset(1, 10))
	r.u32(val(0), raw(3), raw(16), raw(32))
	return r.flag()
}

func readDepth(r *bitReader) (d bitDepth) {
	if d.float = r.flag(); d.float {
		d.bits = uint(r.u32(val(32), val(16), val(24), offset(1, 6)))
		r.u(4)
		return d
	}
	d.bits = uint(r.u32(val(8), val(10), val(12), offset(1, 6)))
	if d.bits > 32 {
		r.fail(FormatError("samples of more than 32 bits"))
	}
	return d
}

// Kinds of extra channels that have fields of their own.
const (
	spotChannel = 2
	cfaChannel  = 5
)

func readExtra(r *bitReader) extraChannel {
	if r.flag() {
		return extraChannel{depth: bitDepth{bits: 8}}
	}
	e := extraChannel{kind: r.enum(), depth: readDepth(r)}
	e.shift = uint(r.u32(val(0), val(3), val(4), offset(1, 3)))
	skipName(r)
	switch e.kind {
	case alphaChannel:
		e.associated = r.flag()
	case spotChannel:
		r.f16s(make([]float32, 4))
	case cfaChannel:
		r.u32(val(1), raw(2), offset(3, 4), offset(19, 8))
	}
	return e
}

func skipName(r *bitReader) {
	for n := r.u32(val(0), raw(4), offset(16, 5), offset(48, 10)); n > 0; n-- {
		r.u(8)
	}
}

func (m *metadata) readTone(r *bitReader) {
	if r.flag() {
		return
	}
	m.intensity = r.f16()
	r.f16()
	r.flag()
	r.f16()
	if m.intensity <= 0 {
		r.fail(FormatError("an intensity that is not above 0"))
	}
}

// readTransforms reads the matrix of XYB and the weights of upsampling.
func (m *metadata) readTransforms(r *bitReader) {
	if m.xyb && !r.flag() {
		r.f16s(m.opsin.inverse[:])
		r.f16s(m.opsin.bias[:])
		r.f16s(m.opsin.quant[:])
		m.opsin.quantNum = r.f16()
	}
	given := r.u(3)
	for k, n := range [3]int{15, 55, 210} {
		if given>>k&1 == 1 {
			m.upsampling[k] = make([]float32, n)
			r.f16s(m.upsampling[k])
		}
	}
}

// colors is how many channels of colour the samples have.
func (m *metadata) colors() int {
	if m.color.space == greySpace {
		return 1
	}
	return 3
}
