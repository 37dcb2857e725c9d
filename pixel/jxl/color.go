package jxl

import (
	"fmt"
	"slices"
)

// colorEncoding says what samples mean (annex E).
type colorEncoding struct {
	icc       bool
	space     uint32
	white     [2]float64    // chromaticity of white
	primaries [3][2]float64 // of red, green, blue
	gamma     float64       // exponent from light to samples, 0: transfer
	transfer  uint32
}

// Values of the enumerations.
const (
	rgbSpace  = 0
	greySpace = 1
	xybSpace  = 2

	transfer709    = 1
	transferOther  = 2
	transferLinear = 8
	transferSRGB   = 13
	transferPQ     = 16
	transferDCI    = 17
	transferHLG    = 18
)

var (
	whites = map[uint32][2]float64{1: {0.3127, 0.3290}, 10: {1.0 / 3, 1.0 / 3}, 11: {0.314, 0.351}}
	gamuts = map[uint32][3][2]float64{
		1:  {{0.639998686, 0.330010138}, {0.300003784, 0.600003357}, {0.150002046, 0.059997204}},
		9:  {{0.708, 0.292}, {0.170, 0.797}, {0.131, 0.046}},
		11: {{0.680, 0.320}, {0.265, 0.690}, {0.150, 0.060}},
	}
	srgb = colorEncoding{white: whites[1], primaries: gamuts[1], transfer: transferSRGB}
)

var transfers = []uint32{transfer709, transferOther, transferLinear, transferSRGB, transferPQ, transferDCI, transferHLG}

const customValue = 2

func readColor(r *bitReader) colorEncoding {
	c := srgb
	if r.flag() {
		return c
	}
	c.icc = r.flag()
	c.space = r.enum()
	if c.icc || c.space == xybSpace {
		if !c.icc {
			r.enum()
		}
		return c
	}
	if w := r.enum(); w == customValue {
		c.white = readXY(r)
	} else {
		c.white = pick(r, whites, w, "white point")
	}
	if c.space != greySpace {
		c.readPrimaries(r)
	}
	if r.flag() {
		c.gamma = float64(r.u(24)) * 1e-7
		if c.gamma <= 0 || c.gamma > 1 {
			r.fail(FormatError("a gamma that is not between 0 and 1"))
		}
	} else {
		c.transfer = r.enum()
		if !slices.Contains(transfers, c.transfer) {
			r.fail(FormatError(fmt.Sprintf("transfer function %d is not known", c.transfer)))
		}
	}
	if r.enum() > 3 {
		r.fail(FormatError("a rendering intent that is not known"))
	}
	return c
}

func (c *colorEncoding) readPrimaries(r *bitReader) {
	p := r.enum()
	if p != customValue {
		c.primaries = pick(r, gamuts, p, "set of primaries")
		return
	}
	for i := range c.primaries {
		c.primaries[i] = readXY(r)
	}
}

func pick[T any](r *bitReader, from map[uint32]T, key uint32, what string) T {
	v, ok := from[key]
	if !ok {
		r.fail(FormatError(fmt.Sprintf("%s %d is not known", what, key)))
	}
	return v
}

// readXY reads a chromaticity, in millionths.
func readXY(r *bitReader) (xy [2]float64) {
	for i := range xy {
		v := r.u32(raw(19), offset(524288, 19), offset(1048576, 20), offset(2097152, 21))
		xy[i] = float64(unpack(v)) * 1e-6
	}
	return xy
}

// maxICC is how long a coded profile may be, and how much longer than the stream.
const (
	maxICC      = 1 << 22
	maxICCRatio = 1 << 10
)

// skipICC passes over an ICC profile (annex E.4). Samples are returned in its space, so that
// nothing here needs what it says.
func skipICC(r *bitReader) error {
	n := r.u64()
	if most := min(maxICC, maxICCRatio*uint64(len(r.buf))); n > most {
		return FormatError(fmt.Sprintf("an ICC profile of %d bytes exceeds the limit of %d", n, most))
	}
	code, err := readCode(r, 41)
	if err != nil {
		return err
	}
	s := newSymbols(code, r, 0)
	var b1, b2 byte // the last byte and the one before
	for i := range n {
		ctx := uint32(0)
		if i > 128 {
			ctx = 1 + iccClass1(b1) + 8*iccClass2(b2)
		}
		v := s.read(int(ctx))
		if v > 255 {
			return FormatError("a value above 255 in an ICC profile")
		}
		b1, b2 = byte(v), b1
		if i%256 == 0 && r.short() {
			return errShort
		}
	}
	if err := s.finish(); err != nil {
		return err
	}
	return r.err()
}

// iccClass1 and iccClass2 class the bytes before by what they stand for in a profile: letters,
// digits and punctuation, small numbers, large ones.
func iccClass1(b byte) uint32 {
	switch {
	case letter(b):
		return 0
	case b >= '0' && b <= '9' || b == '.' || b == ',':
		return 1
	case b <= 1:
		return 2 + uint32(b)
	case b < 16:
		return 4
	case b > 240 && b < 255:
		return 5
	case b == 255:
		return 6
	}
	return 7
}

func iccClass2(b byte) uint32 {
	switch {
	case letter(b):
		return 0
	case b >= '0' && b <= '9' || b == '.' || b == ',':
		return 1
	case b < 16:
		return 2
	case b > 240:
		return 3
	}
	return 4
}

func letter(b byte) bool { return b|0x20 >= 'a' && b|0x20 <= 'z' }
