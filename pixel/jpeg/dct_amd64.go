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
