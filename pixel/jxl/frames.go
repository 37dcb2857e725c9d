package jxl

import "slices"

// picture holds what a frame became, for those after it.
type picture struct {
	planes []plane // of colours
	before bool    // their colours are not transformed
}

// sequence decodes the frames of an image, which build on each other.
type sequence struct {
	*stream
	workers int
	kept    [4]*picture
	low     [4][]plane // low frequencies, by level
	visible uint32     // frames so far that are shown, and since those that are not
	hidden  uint32
	budget  int64 // samples that frames may still have
}

// workPerPixel is how many frames as large as the image there may be.
const workPerPixel = 32

// maxFrames is how many frames there may be.
const maxFrames = 1 << 12

// decodeFrames decodes up to the last frame.
func (s *stream) decodeFrames(workers int) (*frame, error) {
	q := &sequence{stream: s, workers: workers}
	q.budget = workPerPixel * (int64(s.width)*int64(s.height) + 1<<12)
	rest := s.frames
	for range maxFrames {
		f, next, err := s.openFrame(rest)
		if err != nil {
			return nil, err
		}
		if err := q.add(f); err != nil {
			return nil, err
		}
		if f.last {
			return f, nil
		}
		rest = next
	}
	return nil, FormatError("too many frames")
}

// add decodes a frame, and puts it where it belongs.
func (q *sequence) add(f *frame) error {
	q.budget -= int64(f.fullWidth) * int64(f.fullHeight)
	if f.kind == regularFrame || f.kind == skipFrame {
		q.budget -= int64(q.width) * int64(q.height)
	}
	if q.budget < 0 {
		return FormatError("too many frames for so small an image")
	}
	q.hidden++
	if f.last {
		q.visible++
		q.hidden = 0
	}
	q.info.Lossy = q.info.Lossy || !f.modular
	if f.flags&flagSplines != 0 {
		return UnsupportedError("splines")
	}
	if f.flags&flagUseLF != 0 {
		if f.lfLevel >= len(q.low) || q.low[f.lfLevel] == nil {
			return FormatError("low frequencies of a frame that is not there")
		}
		f.low = q.low[f.lfLevel]
	}
	f.kept, f.seed = &q.kept, [2]uint32{q.visible, q.hidden}
	if err := f.decode(q.workers); err != nil {
		return err
	}
	if f.last && q.whole(f) && f.exact() {
		return nil
	}
	return q.finish(f)
}

// whole reports whether a frame is the image, whatever was before.
func (q *sequence) whole(f *frame) bool {
	return f.x0 == 0 && f.y0 == 0 && f.fullWidth == q.width && f.fullHeight == q.height && f.blend.mode == blendReplace
}

// finish makes the samples of a frame and keeps them.
func (q *sequence) finish(f *frame) error {
	if err := f.render(q.workers); err != nil {
		return err
	}
	if f.kind == lfFrame {
		q.low[f.lfLevel-1] = f.planes
		return nil
	}
	if f.saveBefore {
		planes := f.planes
		if f.kind != referenceFrame {
			planes = clonePlanes(planes)
		}
		q.kept[f.save] = &picture{planes, true}
	}
	if f.kind == referenceFrame && f.saveBefore {
		return nil
	}
	if err := q.toColors(f, q.workers); err != nil {
		return err
	}
	if f.kind == referenceFrame {
		q.kept[f.save] = &picture{f.planes, false}
		return nil
	}
	if err := q.compose(f); err != nil {
		return err
	}
	if !f.last && !f.saveBefore {
		q.kept[f.save] = &picture{clonePlanes(f.planes), false}
	}
	return nil
}

func clonePlanes(in []plane) []plane {
	out := slices.Clone(in)
	for i := range out {
		out[i].px = slices.Clone(in[i].px)
	}
	return out
}

// compose blends a frame with the one that it builds on, into planes of the size of the image
// (annex F.2).
func (q *sequence) compose(f *frame) error {
	if q.whole(f) {
		return nil
	}
	base := q.kept[f.blend.source]
	if base != nil && (base.before || base.planes[0].w != q.width || base.planes[0].h != q.height) {
		return FormatError("a frame builds on one of another size, or in other colours")
	}
	if f.blend.mode > blendAdd && f.blend.mode != blendMultiply {
		return UnsupportedError("frames blended by their opacity")
	}
	for c := range f.planes {
		out := newPlane(q.width, q.height)
		if base != nil {
			for y := range out.h {
				copy(out.row(y), base.planes[c].row(y))
			}
		}
		f.blendInto(&out, &f.planes[c])
		f.planes[c] = out
	}
	return nil
}

func (f *frame) blendInto(out, in *plane) {
	left, right := max(f.x0, 0), min(f.x0+in.w, out.w)
	for y := max(f.y0, 0); y < min(f.y0+in.h, out.h) && left < right; y++ {
		row := out.row(y)[left:right]
		mix(row, in.row(y - f.y0)[left-f.x0:][:right-left], f.blend.mode, f.blend.clamp)
	}
}

// mix puts samples over others.
func mix(dst, src []float32, mode uint32, clamp bool) {
	for i, v := range src {
		switch mode {
		case blendReplace:
			dst[i] = v
		case blendAdd:
			dst[i] += v
		case blendMultiply:
			if clamp {
				v = min(max(v, 0), 1)
			}
			dst[i] *= v
		}
	}
}
