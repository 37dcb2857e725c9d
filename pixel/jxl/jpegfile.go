package jxl

import "math"

// JPEG appends the JPEG file that a stream was made from, byte for byte, to dst. Where it fails,
// dst is returned as it was: UnsupportedError says that the stream was not made from one, or that
// it has an ICC profile, which is kept apart.
func JPEG(dst, src []byte, o DecodeOptions) ([]byte, error) {
	s, err := open(src, o.Limits)
	if err != nil {
		return dst, err
	}
	if s.jbrd == nil {
		return dst, UnsupportedError("a stream that was not made from a JPEG file")
	}
	j, err := readJPEG(&s.boxes)
	if err != nil {
		return dst, err
	}
	f, _, err := s.openFrame(s.frames)
	if err != nil {
		return dst, err
	}
	if f.kind != regularFrame || f.modular || !f.last || f.flags&^flagSkipSmooth != 0 || f.upsampling != 1 || s.xyb {
		return dst, FormatError("a frame that is not of a JPEG file")
	}
	f.jpeg = j
	if err := f.decode(1); err != nil {
		return dst, err
	}
	w := &jpegWriter{jpegFile: j, out: dst, width: f.width, height: f.height}
	if err := w.write(); err != nil {
		return dst, err
	}
	return w.out, nil
}

// begin takes from a frame what the file needs: sampling factors and tables.
func (j *jpegFile) begin(f *frame) error {
	v := f.dct
	t := &v.tables[0]
	if t.kind != tableRaw || math.Abs(float64(t.unit)*8*255-1) > 1e-3 || v.chroma.factor != 84 || v.chroma.base != [2]float32{} || v.chroma.lf != [2]int32{} {
		return FormatError("a frame that is not of a JPEG file")
	}
	for i := range j.comps {
		c := j.channel(i, f)
		p := &j.comps[i]
		p.h, p.v = 1, 1
		if s := f.subsampling[c]; s == 1 || s == 2 {
			p.h = 2
		}
		if s := f.subsampling[c]; s == 1 || s == 3 {
			p.v = 2
		}
		p.w = v.lf[c].w
		p.coef = make([]int16, 64*len(v.quant[c]))
		for k := range 64 {
			q := t.raw[c][k]
			if q < 1 || q > 65535 {
				return FormatError("a table that is not of a JPEG file")
			}
			j.quant[p.quant].values[k%8*8+k/8] = uint16(q)
		}
	}
	return nil
}

// channel is where the frame has a component.
func (j *jpegFile) channel(i int, f *frame) int {
	switch {
	case len(j.comps) == 1:
		return 1
	case f.ycbcr:
		return codedOrder[i]
	}
	return i
}

// take keeps the coefficients of a block.
func (j *jpegFile) take(h *hfReader, b *block, x, y int) error {
	if b.strategy != plainDCT8 {
		return FormatError("a block that is not of a JPEG file")
	}
	f := h.f
	v := f.dct
	for i := range j.comps {
		c := j.channel(i, f)
		if !v.has(c, x, y) {
			continue
		}
		bx, by := (h.at.x+x)>>v.hshift[c], (h.at.y+y)>>v.vshift[c]
		at := by*v.lf[c].w + bx
		out := j.comps[i].coef[64*at:][:64]
		for k, q := range h.coef[c] {
			if c != 1 && v.full() && len(j.comps) > 1 {
				q += j.fromY(h, c, k, x, y)
			}
			if q < -4095 || q > 4095 {
				return FormatError("a coefficient that is not of a JPEG file")
			}
			out[k%8*8+k/8] = int16(q)
		}
		dc := v.quant[c][at]
		if !f.ycbcr {
			dc -= 1024 / v.tables[0].raw[c][0]
		}
		out[0] = int16(min(max(dc, -2047), 2047))
	}
	return nil
}

// fromY is what coefficient k of a channel has of that of Y, in integers of 11 bits.
func (j *jpegFile) fromY(h *hfReader, c, k, x, y int) int32 {
	v := h.f.dct
	ratio := int64(v.fromY[c/2][(h.at.y+y)/8*v.tiles+(h.at.x+x)/8])
	if ratio == 0 {
		return 0
	}
	raw := &v.tables[0].raw
	scale := (2048*int64(raw[1][k])/int64(raw[c][k])*(ratio*2048/84) + 1024) >> 11
	return int32((int64(h.coef[1][k])*scale + 1024) >> 11)
}
