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

// quantizer is a quantization table. It divides by steps eight times as large, rounding.
type quantizer struct {
	steps  [64]uint16 // in zigzag order
	half   [64]uint32 // half a step; this and the next line by line
	magic  [64]uint32 // 2^32 by a step: exact below 2^20 for steps that are not coarse
	coarse bool       // a step is above 512
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
		q.half[z], q.magic[z] = uint32(step)*4, uint32((1<<32+uint64(step)*8-1)/(uint64(step)*8))
		q.coarse = q.coarse || step > 512
	}
	return q
}

// quantizePlain is quantize without assembly.
func (q *quantizer) quantizePlain(out *[64]int16, f *[64]int32) (filled uint64) {
	for z, v := range f {
		half, sign := q.half[z], v>>31
		n := uint32((v^sign)-sign) + half
		if n < 2*half { // most of them
			out[z] = 0
			continue
		}
		if q.coarse {
			n /= 2 * half
		} else {
			n = uint32(uint64(n) * uint64(q.magic[z]) >> 32)
		}
		out[z] = int16((int32(n) ^ sign) - sign)
		filled |= 1 << z
	}
	return filled
}
