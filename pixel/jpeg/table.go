package jpeg

import (
	"gantry/pixel/internal/bits"
	"gantry/pixel/internal/huff"
)

const tableBits = 10

// table decodes Huffman codes. A fast entry has the symbol in its upper byte and the code's
// length in its lower, which is 0 where the code is longer than what the look-up sees.
type table struct {
	fast [1 << tableBits]uint16
	// whole has AC coefficients where the look-up sees the value too: that in the upper
	// half, how many zeros come before it, and the bits of both in the lowest byte, which
	// is 0 where it does not. endOfBlock stands for so many zeros.
	whole [1 << tableBits]uint32
	slow  huff.Search
}

const endOfBlock = 64

func newTable(spec *huff.Spec) *table {
	t := &table{slow: huff.NewSearch(spec)}
	spec.Each(func(symbol uint8, code uint32, length int) {
		if free := tableBits - length; free >= 0 {
			for k := range uint32(1) << free {
				t.fast[code<<free|k] = uint16(symbol)<<8 | uint16(length)
				t.whole[code<<free|k] = wholeEntry(symbol, k, length, free)
			}
		}
	})
	return t
}

// wholeEntry is an entry of whole, seen being the free bits behind the code.
func wholeEntry(symbol uint8, seen uint32, length, free int) uint32 {
	run, size := uint32(symbol>>4), int(symbol&15)
	switch {
	case size > free:
		return 0
	case size == 0 && run < 15:
		return endOfBlock<<8 | uint32(length)
	case size == 0:
		return 15<<8 | uint32(length)
	}
	v := int32(seen >> (free - size))
	if v < 1<<(size-1) {
		v += 1 - 1<<size
	}
	return uint32(v)<<16 | run<<8 | uint32(length+size)
}

// symbol decodes a symbol and leaves 16 bits or more. It is -1 where no code fits.
func (t *table) symbol(r *bits.Reader) int {
	if r.N < 32 {
		r.Fill()
	}
	e := t.fast[r.Acc>>(64-tableBits)]
	if n := int(e & 0xff); n != 0 {
		r.Acc <<= uint(n) & 63
		r.N -= n
		return int(e >> 8)
	}
	symbol, n := t.slow.Find(uint32(r.Acc >> 48))
	if n == 0 {
		return -1
	}
	r.Acc <<= uint(n) & 63
	r.N -= n
	return int(symbol)
}

// extend reads the n bits, at most 16, of a value that a symbol announced (T.81 F.2.2.1).
func extend(r *bits.Reader, n int) int32 {
	if n == 0 {
		return 0
	}
	v := int32(r.Acc >> (uint(64-n) & 63))
	r.Acc <<= uint(n) & 63
	r.N -= n
	if v < 1<<(uint(n-1)&31) {
		v += 1 - 1<<(uint(n)&31)
	}
	return v
}

// zigzag has the place of each coefficient (T.81 Figure A.6).
var zigzag = [64]uint8{
	0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5,
	12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21, 28,
	35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51,
	58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
}
