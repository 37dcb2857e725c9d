package jpeg

// luminance and chrominance are the quantization tables of T.81 Tables K.1 and K.2, line by
// line. They serve quality 50.
var (
	luminance = [64]uint8{
		16, 11, 10, 16, 24, 40, 51, 61,
		12, 12, 14, 19, 26, 58, 60, 55,
		14, 13, 16, 24, 40, 57, 69, 56,
		14, 17, 22, 29, 51, 87, 80, 62,
		18, 22, 37, 56, 68, 109, 103, 77,
		24, 35, 55, 64, 81, 104, 113, 92,
		49, 64, 78, 87, 103, 121, 120, 101,
		72, 92, 95, 98, 112, 100, 103, 99,
	}
	chrominance = [64]uint8{
		17, 18, 24, 47, 99, 99, 99, 99,
		18, 21, 26, 66, 99, 99, 99, 99,
		24, 26, 56, 99, 99, 99, 99, 99,
		47, 66, 99, 99, 99, 99, 99, 99,
		99, 99, 99, 99, 99, 99, 99, 99,
		99, 99, 99, 99, 99, 99, 99, 99,
		99, 99, 99, 99, 99, 99, 99, 99,
		99, 99, 99, 99, 99, 99, 99, 99,
	}
)

// divisor divides by a quantization step eight times as large, rounding. The reciprocal is
// exact for coefficients of 12 bit samples: below 2^19, by less than 2^19.
type divisor struct {
	half  int32
	magic uint64
}

// quantizer is a quantization table, both of it in zigzag order.
type quantizer struct {
	steps    [64]uint16
	divisors [64]divisor
}

// newQuantizer scales a table to a quality of 1 to 100 as libjpeg does.
func newQuantizer(base *[64]uint8, quality, precision int) *quantizer {
	scale := 200 - 2*quality
	if quality < 50 {
		scale = 5000 / quality
	}
	top := 255
	if precision > 8 {
		top = 32767
	}
	q := new(quantizer)
	for k, z := range zigzag {
		step := min(max((int(base[z])*scale+50)/100, 1), top)
		q.steps[k] = uint16(step)
		q.divisors[k] = divisor{half: int32(step) * 4, magic: (1<<40 + uint64(step)*8 - 1) / (uint64(step) * 8)}
	}
	return q
}

// quantize quantizes a block, and tells by bits which AC coefficients are not zero.
func (q *quantizer) quantize(out *[64]int16, f *[64]int32) (filled uint64) {
	for z, place := range zigzag {
		d := &q.divisors[z]
		v := f[place&63]
		sign := v >> 31
		n := (v ^ sign) - sign + d.half
		if n < 2*d.half { // most of them
			out[z] = 0
			continue
		}
		n = int32(uint64(n) * d.magic >> 40)
		out[z] = int16((n ^ sign) - sign)
		filled |= 1 << z
	}
	return filled &^ 1
}
