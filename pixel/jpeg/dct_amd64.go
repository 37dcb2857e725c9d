//go:build !noasm

package jpeg

import "golang.org/x/sys/cpu"

// vectors: the machine has what the assembly needs. Tests turn it off.
var vectors = cpu.X86.HasAVX2

//go:noescape
func idctAVX2(c *[64]int32, out *uint16, stride int, p *idctShifts)

//go:noescape
func fdctAVX2(c *[64]int32, in *uint16, stride int, p *fdctShifts)

//go:noescape
func quantizeAVX2(out *[64]int16, f *[64]int32, half, magic *[64]uint32) (zero uint64)

// idct turns the coefficients of a block into samples, eight rows of them in out.
func idct(c *[64]int32, out []uint16, stride int, p *idctShifts) {
	if !vectors {
		idctPlain(c, out, stride, p)
		return
	}
	_ = out[7*stride+7]
	idctAVX2(c, &out[0], stride, p)
}

// fdct turns samples into coefficients eight times too large.
func fdct(c *[64]int32, in []uint16, stride int, p *fdctShifts) {
	if !vectors {
		fdctPlain(c, in, stride, p)
		return
	}
	_ = in[7*stride+7]
	fdctAVX2(c, &in[0], stride, p)
}

// quantize quantizes a block, and tells by bits which coefficients are not zero.
func (q *quantizer) quantize(out *[64]int16, f *[64]int32) (filled uint64) {
	if !vectors || q.coarse {
		return q.quantizePlain(out, f)
	}
	return ^quantizeAVX2(out, f, &q.half, &q.magic)
}

// Both make n samples, a multiple of 16 and not 0, of 3n bytes and of 2n samples.
//
//go:noescape
func thirdsAVX2(line *uint16, px *byte, n int)

//go:noescape
func halveAVX2(line, wide *uint16, n int)

// startThirds takes every third byte of px, as many as vectors can, and returns how many.
func startThirds(line []uint16, px []byte) int {
	n := min(len(line), len(px)/3) &^ 15
	if !vectors || n == 0 {
		return 0
	}
	thirdsAVX2(&line[0], &px[0], n)
	return n
}

// startHalves is the begin of halve, as startThirds is of pick. Samples are of 15 bits at most.
func startHalves(line, wide []uint16) int {
	n := min(len(line), len(wide)/2) &^ 15
	if !vectors || n == 0 {
		return 0
	}
	halveAVX2(&line[0], &wide[0], n)
	return n
}
