//go:build !noasm

package j2k

import "golang.org/x/sys/cpu"

// vectors: the machine has what the assembly needs. Tests turn it off.
var vectors = cpu.X86.HasAVX2 && cpu.X86.HasBMI2 && cpu.X86.HasPOPCNT

// quadLine is a line of quads as the assembly sees it.
type quadLine struct {
	quads    *uint32
	top, low *uint32 // rows of coefficients
	lower    *uint64 // htDecoder.lower
	above    *uint8  // htDecoder.above
	mag      *byte
	end      uint64 // of mag, less 8
	q, n     uint64 // the quad to go on with, and how many there are
	at       uint64 // in the bits of mag
	last     uint64 // of lower, what stands left of the quad and was there before this line
	plane    uint64
	limit    uint64 // the most bits of a sample
	masks    *[16][4]uint64
	before   *[16][4]uint64
}

// laneMasks has for each set of four samples all bits of those that are in it.
// laneBefore has how many in the set are in front of each.
var laneMasks, laneBefore = func() (masks, before [16][4]uint64) {
	for set := range masks {
		n := uint64(0)
		for i := range 4 {
			before[set][i] = n
			if set>>i&1 != 0 {
				masks[set][i] = ^uint64(0)
				n++
			}
		}
	}
	return masks, before
}()

//go:noescape
func quadsAVX2(l *quadLine)

// startQuads reads the samples of as many quads of a line as vectors can, which have no more
// than 14 bits. It returns how many those are, and where it is then.
func (d *htDecoder) startQuads(top, low []uint32, at, plane uint, limit uint32) (q int, next uint, last uint64) {
	n := len(top) / 2
	if !vectors || n == 0 {
		return 0, at, 0
	}
	_, _, _, _ = d.quads[n-1], d.lower[2*n+3], d.above[n], low[len(top)-1]
	l := quadLine{
		quads: &d.quads[0], top: &top[0], low: &low[0], lower: &d.lower[0], above: &d.above[0],
		mag: &d.mag[0], end: uint64(len(d.mag) - 8), n: uint64(n), at: uint64(at), plane: uint64(plane),
		limit: uint64(min(limit, 14)), masks: &laneMasks, before: &laneBefore,
	}
	quadsAVX2(&l)
	return int(l.q), uint(l.at), l.last
}

// n of loadQuadsAVX2 is a multiple of four and not 0. writeQuadsAVX2 stops at a quad with
// samples of more than 14 bits.
//
//go:noescape
func loadQuadsAVX2(quads *quad, top, low *uint32, n int)

//go:noescape
func writeQuadsAVX2(s *bitSink, quads *quad, n int, masks, before *[16][4]uint64) (done int)

// startLoading takes the samples of as many quads as vectors can, and returns how many.
func startLoading(quads []quad, top, low []uint32) int {
	n := groups(min(len(quads), len(top)/2, len(low)/2), 4)
	if n > 0 {
		loadQuadsAVX2(&quads[0], &top[0], &low[0], n)
	}
	return n
}

// startWriting writes the samples of as many quads, for whom there is room.
func (s *bitSink) startWriting(quads []quad) int {
	if n := groups(len(quads), 1); n > 0 {
		return writeQuadsAVX2(s, &quads[0], n, &laneMasks, &laneBefore)
	}
	return 0
}
