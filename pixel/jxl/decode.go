package jxl

import (
	"fmt"
	"runtime"
)

// stream is a codestream whose header has been read.
type stream struct {
	boxes
	*metadata
	frames []byte // what follows the header
	lim    Limits
	info   Info
}

// open reads the header of a stream and checks it against the limits.
func open(src []byte, lim Limits) (*stream, error) {
	b, err := unbox(src)
	if err != nil {
		return nil, err
	}
	r := newBitReader(b.code)
	m, err := readHeader(r)
	if err != nil {
		return nil, err
	}
	if err := lim.check(int64(m.width), int64(m.height), int64(m.colors()+len(m.extra)), len(src)); err != nil {
		return nil, err
	}
	switch {
	case m.depth.float:
		return nil, UnsupportedError("samples that are floating-point numbers")
	case m.depth.bits > 31:
		return nil, UnsupportedError("samples of 32 bits")
	case m.animation:
		return nil, UnsupportedError("an animation: only single images are decoded")
	case m.color.space != rgbSpace && m.color.space != greySpace:
		return nil, UnsupportedError("colours that are neither RGB nor grey")
	case m.xyb && m.color.transfer == transferHLG && m.color.gamma == 0:
		return nil, UnsupportedError("light of scenes (HLG) behind XYB")
	case m.preview[0] > 0:
		return nil, UnsupportedError("a preview in front of the image")
	}
	s := &stream{boxes: b, metadata: m, frames: r.rest(), lim: lim}
	f, err := readFrame(newBitReader(s.frames), m)
	if err != nil {
		return nil, err
	}
	s.info = Info{Width: m.width, Height: m.height, Components: m.colors(), Bits: int(m.depth.bits), Extra: len(m.extra)}
	s.info.Lossy, s.info.JPEG = m.xyb || !f.modular, b.jbrd != nil
	if m.orientation > 4 {
		s.info.Width, s.info.Height = m.height, m.width
	}
	return s, nil
}

// DecodeInfo reads the headers of a stream without its samples. Errors are FormatError and
// UnsupportedError.
func DecodeInfo(src []byte) (Info, error) {
	s, err := open(src, Limits{MaxPixels: -1, MaxSamples: -1})
	if err != nil {
		return Info{}, err
	}
	return s.info, nil
}

// Decode appends the samples of the image to dst: Info.Size() bytes, interleaved, of 1, 2 or 4
// bytes each, the lowest first, from 0 to 2^Bits-1. Grey and RGB are as the stream has them, XYB
// becomes what the stream says that it was. Where it fails, dst is returned as it was.
func Decode(dst, src []byte, o DecodeOptions) ([]byte, Info, error) {
	s, err := open(src, o.Limits)
	if err != nil {
		return dst, Info{}, err
	}
	workers := o.Workers
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	f, err := s.decodeFrames(workers)
	if err != nil {
		return dst, s.info, err
	}
	return s.output(dst, f), s.info, nil
}

// exact reports whether the samples of a frame are the integers that were coded.
func (f *frame) exact() bool {
	plain := f.flags&^flagSkipSmooth == 0 && !f.filter.gaborish && f.filter.iterations == 0 && f.upsampling == 1
	return plain && f.modular && !f.m.xyb && !f.ycbcr
}

// openFrame reads the header of a frame and finds its sections; rest is what follows it.
func (s *stream) openFrame(b []byte) (f *frame, rest []byte, err error) {
	r := newBitReader(b)
	h, err := readFrame(r, s.metadata)
	if err != nil {
		return nil, nil, err
	}
	colors := 3
	if s.colors() == 1 && !s.xyb && !h.ycbcr {
		colors = 1
	}
	f = &frame{frameHeader: h, m: s.metadata, colors: colors}
	if err := s.checkFrame(f); err != nil {
		return nil, nil, err
	}
	f.groupCount, f.lfCount = h.groupCounts()
	count := 1
	if f.groupCount > 1 || h.passes.count > 1 {
		count = 2 + f.lfCount + f.groupCount*h.passes.count
	}
	f.sections, rest, err = readTOC(r, count)
	if err != nil {
		return nil, nil, fmt.Errorf("%w (table of contents of a frame)", err)
	}
	return f, rest, nil
}

// checkFrame compares a frame with the limits. Blocks and filters need more around it.
func (s *stream) checkFrame(f *frame) error {
	w, h, channels := f.fullWidth, f.fullHeight, int64(f.colors+len(s.extra))
	if err := s.lim.check(int64(w), int64(h), channels, len(s.code)); err != nil || f.exact() {
		return err
	}
	around := Limits{-1, s.lim.MaxSamples}
	return around.check(int64(ceilDiv(w, 16)*16), int64(ceilDiv(h, 16)*16), channels, len(s.code))
}
