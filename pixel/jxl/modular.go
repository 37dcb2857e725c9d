package jxl

import "fmt"

// channel is a plane of samples (annex H.2).
type channel struct {
	w, h           int
	hshift, vshift int // how many times it is halved; -1 where that means nothing
	data           []int32
}

func (c *channel) alloc() {
	if c.data == nil {
		c.data = make([]int32, c.w*c.h)
	}
}

func (c *channel) row(y int) []int32 { return c.data[y*c.w:][:c.w] }

func (c *channel) sameShape(o *channel) bool {
	return c.w == o.w && c.h == o.h && c.hshift == o.hshift && c.vshift == o.vshift
}

// modularImage is what a modular stream codes: channels, and what was done to them before.
type modularImage struct {
	channels   []channel
	meta       int // so many channels in front are palettes
	depth      uint
	transforms []transform
	weights    weights
	budget     int64 // samples that transforms may still touch
}

// maxChannels is how many channels there may be, with those that transforms make.
const maxChannels = 1 << 13

// workPerSample is how often transforms may touch each sample.
const workPerSample = 64

func newModular(channels []channel, depth uint) *modularImage {
	m := &modularImage{channels: channels, depth: depth}
	m.budget = workPerSample * (m.samples() + 1<<10)
	return m
}

func (m *modularImage) samples() (n int64) {
	for i := range m.channels {
		n += int64(m.channels[i].w) * int64(m.channels[i].h)
	}
	return n
}

// spend counts the work of a transform.
func (m *modularImage) spend(n int64) error {
	if m.budget -= n; m.budget < 0 {
		return FormatError("too many transforms for so few samples")
	}
	return nil
}

// modularStream is where a modular image comes from.
type modularStream struct {
	r      *bitReader
	id     int   // number of the stream, which trees ask for
	global *tree // of the frame, nil if there is none
	limit  int   // channels with a longer side come in other streams; 0: all are here
}

// decode reads the header of a stream and the channels that are in it (annex H.2). Transforms are
// not undone.
func (m *modularImage) decode(in modularStream) error {
	if len(m.channels) == 0 {
		return nil
	}
	r := in.r
	useGlobal := r.flag()
	m.weights = readWeights(r)
	if err := m.readTransforms(r); err != nil {
		return err
	}
	end, samples, width := m.within(in.limit)
	if width == 0 {
		return r.err()
	}
	t := in.global
	if !useGlobal {
		var err error
		if t, err = readTree(r, int(min(1<<20, 1024+samples))); err != nil {
			return err
		}
	}
	if t == nil {
		return FormatError("a stream without a tree")
	}
	s := newSymbols(t.code, r, width)
	for i := range m.channels[:end] {
		if err := m.decodeChannel(i, t, s, in.id); err != nil {
			return err
		}
	}
	return s.finish()
}

// within returns how many channels are in the stream, their samples and their greatest width.
func (m *modularImage) within(limit int) (end int, samples int64, width int) {
	for i := range m.channels {
		c := &m.channels[i]
		if c.w == 0 || c.h == 0 {
			continue
		}
		if limit > 0 && i >= m.meta && (c.w > limit || c.h > limit) {
			return i, samples, width
		}
		samples += int64(c.w) * int64(c.h)
		width = max(width, c.w)
	}
	return len(m.channels), samples, width
}

// A transform changes channels before they are coded (annex H.6).
type transform struct {
	kind    uint32
	begin   int
	count   int // channels
	rct     int
	colors  int
	deltas  int
	predict uint8
	squeeze []squeezeStep
}

const (
	kindRCT     = 0
	kindPalette = 1
	kindSqueeze = 2
)

func (m *modularImage) readTransforms(r *bitReader) error {
	n := r.u32(val(0), val(1), offset(2, 4), offset(18, 8))
	for range n {
		t := readTransform(r)
		if err := r.err(); err != nil {
			return err
		}
		var err error
		switch t.kind {
		case kindRCT:
			err = m.planRCT(&t)
		case kindPalette:
			err = m.planPalette(&t)
		case kindSqueeze:
			err = m.planSqueeze(&t)
		}
		if err == nil && len(m.channels) > maxChannels {
			err = FormatError(fmt.Sprintf("transforms that make more than %d channels", maxChannels))
		}
		if err != nil {
			return err
		}
		m.transforms = append(m.transforms, t)
	}
	return r.err()
}

func readTransform(r *bitReader) transform {
	t := transform{kind: r.u(2), count: 3}
	first := func() int { return int(r.u32(raw(3), offset(8, 6), offset(72, 10), offset(1096, 13))) }
	switch t.kind {
	case kindRCT:
		t.begin = first()
		t.rct = int(r.u32(val(6), raw(2), offset(2, 4), offset(10, 6)))
	case kindPalette:
		t.begin = first()
		t.count = int(r.u32(val(1), val(3), val(4), offset(1, 13)))
		t.colors = int(r.u32(raw(8), offset(256, 10), offset(1280, 12), offset(5376, 16)))
		t.deltas = int(r.u32(val(0), offset(1, 8), offset(257, 10), offset(1281, 16)))
		t.predict = uint8(r.u(4))
	case kindSqueeze:
		for n := r.u32(val(0), offset(1, 4), offset(9, 6), offset(41, 8)); n > 0; n-- {
			s := squeezeStep{across: r.flag(), inPlace: r.flag(), begin: first()}
			s.count = int(r.u32(val(1), val(2), val(3), offset(4, 4)))
			t.squeeze = append(t.squeeze, s)
		}
	default:
		r.fail(FormatError("a transform that is not known"))
	}
	return t
}

// equal checks that channels are there and of one shape.
func (m *modularImage) equal(begin, count int) error {
	if count < 1 || begin+count > len(m.channels) {
		return FormatError("a transform of channels that are not there")
	}
	for i := begin + 1; i < begin+count; i++ {
		if !m.channels[i].sameShape(&m.channels[begin]) {
			return FormatError("a transform of channels of different shapes")
		}
	}
	return nil
}

// undo takes the transforms back, the last one first.
func (m *modularImage) undo() {
	for i := range m.channels {
		m.channels[i].alloc()
	}
	for i := len(m.transforms) - 1; i >= 0; i-- {
		t := &m.transforms[i]
		switch t.kind {
		case kindRCT:
			m.undoRCT(t)
		case kindPalette:
			m.undoPalette(t)
		case kindSqueeze:
			m.undoSqueeze(t)
		}
	}
	m.transforms = nil
}
