package jxl

import "fmt"

// patch is a part of another frame that is added to this one (annex K.3.1).
type patch struct {
	from uint32
	at   rect // in the other frame
	x, y int
	mode uint32
}

// Contexts of the numbers that patches are told in.
const (
	patchCount = iota
	patchFrame
	patchSize
	patchOrigin
	patchPlace
	patchMode
	patchOffset
	patchUses
	patchAlpha
	patchClamp
	patchContexts
)

// Ways in which patches are put.
const (
	patchNone = iota
	patchReplace
	patchAdd
	patchMultiply
	patchOver  // this one and those behind it look at opacity
	patchModes = 8
)

// maxPatches is how many patches there may be for a frame of so many pixels.
func maxPatches(pixels int64) int64 { return min(1<<20, 1024+pixels/4) }

func (f *frame) readPatches(r *bitReader) error {
	c, err := readCode(r, patchContexts)
	if err != nil {
		return err
	}
	s := newSymbols(c, r, 0)
	most := maxPatches(int64(f.width) * int64(f.height))
	for n := s.read(patchCount); n > 0; n-- {
		p := patch{from: s.read(patchFrame)}
		p.at.x, p.at.y = int(s.read(patchOrigin)), int(s.read(patchOrigin))
		p.at.w, p.at.h = int(s.read(patchSize))+1, int(s.read(patchSize))+1
		if err := f.checkPatch(&p); err != nil {
			return err
		}
		uses := int64(s.read(patchUses)) + 1
		if int64(len(f.patches))+uses > most {
			return FormatError(fmt.Sprintf("more than %d patches", most))
		}
		for i := range uses {
			if err := f.readPatch(s, &p, i == 0); err != nil {
				return err
			}
		}
	}
	return s.finish()
}

func (f *frame) checkPatch(p *patch) error {
	if p.from >= uint32(len(f.kept)) || f.kept[p.from] == nil || !f.kept[p.from].before {
		return FormatError("a patch from a frame that is not there")
	}
	if k := &f.kept[p.from].planes[0]; p.at.x+p.at.w > k.w || p.at.y+p.at.h > k.h {
		return FormatError("a patch from outside of its frame")
	}
	return nil
}

// readPatch reads where a patch is put, and how.
func (f *frame) readPatch(s *symbols, p *patch, first bool) error {
	if first {
		p.x, p.y = int(s.read(patchPlace)), int(s.read(patchPlace))
	} else {
		p.x += int(unpack(s.read(patchOffset)))
		p.y += int(unpack(s.read(patchOffset)))
	}
	if p.x < 0 || p.y < 0 || p.x+p.at.w > f.width || p.y+p.at.h > f.height {
		return FormatError("a patch that leaves its frame")
	}
	if f.patchWork += int64(p.at.w) * int64(p.at.h); f.patchWork > 16*int64(f.width)*int64(f.height) {
		return FormatError("too many patches over each other")
	}
	for i := range len(f.m.extra) + 1 {
		mode := s.read(patchMode)
		if mode >= patchModes {
			return FormatError("a patch that is put in a way that is not known")
		}
		if mode >= patchOver && len(f.m.extra) > 1 {
			s.read(patchAlpha)
		}
		if mode >= patchMultiply {
			s.read(patchClamp)
		}
		if i == 0 {
			p.mode = mode
		}
	}
	if p.mode >= patchOver {
		return UnsupportedError("patches blended by their opacity")
	}
	f.patches = append(f.patches, *p)
	return s.r.err()
}

// putPatches adds the patches to the planes.
func (f *frame) putPatches() {
	modes := [4]uint32{patchReplace: blendReplace, patchAdd: blendAdd, patchMultiply: blendMultiply}
	for _, p := range f.patches {
		if p.mode == patchNone {
			continue
		}
		for c := range f.planes {
			in, out := &f.kept[p.from].planes[c], &f.planes[c]
			for y := range p.at.h {
				mix(out.row(p.y + y)[p.x:], in.row(p.at.y + y)[p.at.x:][:p.at.w], modes[p.mode], false)
			}
		}
	}
}
