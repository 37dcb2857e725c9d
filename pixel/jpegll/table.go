package jpegll

import (
	"fmt"

	"gantry/pixel/internal/huff"
)

// tableBits is how much of the stream one look-up sees.
const tableBits = 12

// table decodes differences (T.81 H.1.2.2). A fast entry has the difference in its upper
// half and the bits of code and difference together in its lower; it is 0 where they are
// longer than what the look-up sees.
type table struct {
	fast [1 << tableBits]uint32
	slow huff.Search
}

func newTable(spec *huff.Spec) (*table, error) {
	t := &table{slow: huff.NewSearch(spec)}
	var bad error
	spec.Each(func(category uint8, code uint32, length int) {
		if category > 16 {
			bad = FormatError(fmt.Sprintf("a Huffman code for differences of %d bits", category))
			return
		}
		if extra := extraBits(int(category)); length+extra <= tableBits {
			t.fill(code, length, int(category), extra)
		}
	})
	return t, bad
}

func (t *table) fill(code uint32, length, category, extra int) {
	free := tableBits - length - extra
	for v := range uint32(1) << extra {
		entry := uint32(difference(category, v))<<16 | uint32(length+extra)
		at := (code<<extra | v) << free
		for k := range uint32(1) << free {
			t.fast[at+k] = entry
		}
	}
}

// extraBits is how many bits follow the code of a category (T.81 Table H.2).
func extraBits(category int) int {
	if category == 16 {
		return 0
	}
	return category
}

// difference returns a difference, modulo 2^16, from its category and its bits.
func difference(category int, v uint32) uint16 {
	switch {
	case category == 0:
		return 0
	case category == 16:
		return 1 << 15
	case v < 1<<(category-1):
		return uint16(v - 1<<category + 1)
	}
	return uint16(v)
}

// find decodes what fast has not; acc holds 32 bits or more. Its length is 0 where no code
// fits.
func (t *table) find(acc uint64) (diff uint16, length int) {
	category, n := t.slow.Find(uint32(acc >> 48))
	if n == 0 {
		return 0, 0
	}
	extra := extraBits(int(category))
	v := uint32(acc << n >> 32 >> (32 - extra))
	return difference(int(category), v), n + extra
}
