//go:build noasm || !amd64

package jpeg

// idct turns the coefficients of a block into samples, eight rows of them in out.
func idct(c *[64]int32, out []uint16, stride int, p *idctShifts) { idctPlain(c, out, stride, p) }

// fdct turns samples into coefficients eight times too large.
func fdct(c *[64]int32, in []uint16, stride int, p *fdctShifts) { fdctPlain(c, in, stride, p) }

// quantize quantizes a block, and tells by bits which coefficients are not zero.
func (q *quantizer) quantize(out *[64]int16, f *[64]int32) (filled uint64) {
	return q.quantizePlain(out, f)
}

func startThirds([]uint16, []byte) int { return 0 }

func startHalves(_, _ []uint16) int { return 0 }
