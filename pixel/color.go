package pixel

import (
	"encoding/binary"
	"slices"
)

// The conversions of PS3.3 C.7.6.3.1.2 between RGB and YBR_FULL, in the fixed point
// numbers of 16 fractional bits that libjpeg computes with (ITU-T T.871).
const (
	fixed   = 16
	half    = 1 << (fixed - 1)
	redCr   = 91881  // 1.402
	greenCb = 22554  // 0.344136
	greenCr = 46802  // 0.714136
	blueCb  = 116130 // 1.772
)

func clip(v, top int32) int32 { return min(max(v, 0), top) }

// toRGB converts interleaved samples of 1 or 2 bytes and the given precision in place.
func toRGB(px []byte, bytes, bits int) {
	top := int32(1)<<bits - 1
	zero := (top + 1) / 2
	if bytes == 1 {
		if bits == 8 {
			px = px[startRGB(px):]
		}
		for ; len(px) >= 3; px = px[3:] {
			y, cb, cr := int32(px[0]), int32(px[1])-zero, int32(px[2])-zero
			r, g, b := y+(redCr*cr+half)>>fixed, y+(-greenCb*cb-greenCr*cr+half)>>fixed, y+(blueCb*cb+half)>>fixed
			if r|g|b|(top-r)|(top-g)|(top-b) < 0 { // few are
				r, g, b = clip(r, top), clip(g, top), clip(b, top)
			}
			px[0], px[1], px[2] = byte(r), byte(g), byte(b)
		}
		return
	}
	for ; len(px) >= 6; px = px[6:] {
		y := int32(binary.LittleEndian.Uint16(px))
		cb := int32(binary.LittleEndian.Uint16(px[2:])) - zero
		cr := int32(binary.LittleEndian.Uint16(px[4:])) - zero
		binary.LittleEndian.PutUint16(px, uint16(clip(y+(redCr*cr+half)>>fixed, top)))
		binary.LittleEndian.PutUint16(px[2:], uint16(clip(y+(-greenCb*cb-greenCr*cr+half)>>fixed, top)))
		binary.LittleEndian.PutUint16(px[4:], uint16(clip(y+(blueCb*cb+half)>>fixed, top)))
	}
}

// appendYBR appends 8-bit RGB samples as YBR_FULL.
func appendYBR(dst, px []byte) []byte {
	at := len(dst)
	dst = slices.Grow(dst, len(px))[:at+len(px)]
	done := startYBR(dst[at:], px)
	out, px := dst[at+done:], px[done:]
	for ; len(px) >= 3 && len(out) >= 3; px, out = px[3:], out[3:] {
		r, g, b := int32(px[0]), int32(px[1]), int32(px[2])
		out[0] = byte((19595*r + 38470*g + 7471*b + half) >> fixed)
		out[1] = byte((-11059*r - 21709*g + 32768*b + 128<<fixed + half - 1) >> fixed)
		out[2] = byte((32768*r - 27439*g - 5329*b + 128<<fixed + half - 1) >> fixed)
	}
	return dst
}

// ready reports whether Frame gives samples in the layout of the package already.
func (s *Source) ready() bool {
	return !s.Encapsulated() && !s.desc.Planar && !s.half() && s.desc.Photometric != YBRFull422
}

// unpack brings a native frame as Source.Frame returns it to the layout of the package.
func (s *Source) unpack(dst, px []byte) ([]byte, Decoded, error) {
	out := Decoded{Photometric: s.desc.Photometric, Stream: "native"}
	if s.desc.Photometric == YBRFull422 && s.desc.Samples == 3 {
		out.Photometric = YBRFull
	}
	switch {
	case s.half():
		return fillColour(dst, px, s.desc.cell()), out, nil
	case s.desc.Planar:
		if int64(len(px)) != s.desc.FrameSize() {
			return dst, out, FormatError("a native frame of another size")
		}
		return interleave(dst, px, s.desc), out, nil
	}
	return append(dst, px...), out, nil
}

// fillColour gives both pixels of each pair their colour differences: two luminances and
// the differences come together (PS3.3 C.7.6.3.1.2).
func fillColour(dst, px []byte, cell int) []byte {
	for ; len(px) >= 4*cell; px = px[4*cell:] {
		dst = append(dst, px[:cell]...)
		dst = append(dst, px[2*cell:4*cell]...)
		dst = append(dst, px[cell:4*cell]...)
	}
	return dst
}
