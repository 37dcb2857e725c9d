package jxl

import (
	"fmt"
	"math/bits"
)

// maxSections is how many parts a frame may have.
const maxSections = 1 << 20

// readTOC reads the lengths of the sections of a frame and returns their bytes in logical
// order (annex F.3), and what follows the frame.
func readTOC(r *bitReader, count int) (sections [][]byte, rest []byte, err error) {
	if count > maxSections {
		return nil, nil, FormatError(fmt.Sprintf("a frame of %d sections, %d are allowed", count, maxSections))
	}
	if 12*int64(count) > 8*int64(len(r.rest())) { // the length of each has 12 bits or more
		return nil, nil, errShort
	}
	var order []int
	if r.flag() {
		c, err := readCode(r, 8)
		if err != nil {
			return nil, nil, err
		}
		s := newSymbols(c, r, 0)
		if order, err = readPermutation(s, count, 0, 0); err != nil {
			return nil, nil, err
		}
		if err := s.finish(); err != nil {
			return nil, nil, err
		}
	}
	r.align()
	lengths := make([]int, count)
	for i := range lengths {
		lengths[i] = int(r.u32(raw(10), offset(1024, 14), offset(17408, 22), offset(4211712, 30)))
	}
	r.align()
	if err := r.err(); err != nil {
		return nil, nil, err
	}
	return slice(r.rest(), lengths, order)
}

// slice cuts sections out of b.
func slice(b []byte, lengths, order []int) ([][]byte, []byte, error) {
	stored := make([][]byte, len(lengths))
	for i, n := range lengths {
		if n > len(b) {
			return nil, nil, errShort
		}
		stored[i], b = b[:n:n], b[n:]
	}
	if order == nil {
		return stored, b, nil
	}
	out := make([][]byte, len(lengths))
	for i, at := range order {
		out[i] = stored[at]
	}
	return out, b, nil
}

// readPermutation reads an order of size things of which the first skip stay where they are,
// as a Lehmer code. ctx is the first of its 8 contexts.
func readPermutation(s *symbols, size, skip, ctx int) ([]int, error) {
	at := func(v uint32) int { return ctx + min(7, bits.Len32(v)) }
	n := s.read(at(uint32(size)))
	if int64(n) > int64(size-skip) {
		return nil, FormatError("a permutation of more than there is")
	}
	lehmer := make([]uint32, n)
	last := uint32(0)
	for i := range lehmer {
		last = s.read(at(last))
		if int64(last) >= int64(size-skip-i) || i%256 == 0 && s.r.short() {
			return nil, FormatError("a permutation leaves its range")
		}
		lehmer[i] = last
	}
	return permute(lehmer, size, skip), s.r.err()
}

// permute finds what a Lehmer code says, by a tree of counts of what is still free.
func permute(lehmer []uint32, size, skip int) []int {
	out := make([]int, size)
	for i := range out {
		out[i] = i
	}
	if len(lehmer) == 0 {
		return out
	}
	t := newOrderTree(size - skip)
	for i := range size - skip {
		k := uint32(0)
		if i < len(lehmer) {
			k = lehmer[i]
		}
		out[skip+i] = skip + t.take(int(k))
	}
	return out
}

// orderTree is a Fenwick tree: node i counts what is free in the lowest bit of i before it.
type orderTree []int32

func newOrderTree(n int) orderTree {
	t := make(orderTree, n+1)
	for i := 1; i <= n; i++ {
		t[i] = int32(i & -i)
	}
	return t
}

// take removes the k-th of what is free, from 0.
func (t orderTree) take(k int) int {
	at := 0
	for step := 1 << (bits.Len(uint(len(t)-1)) - 1); step > 0; step >>= 1 {
		if at+step < len(t) && int(t[at+step]) <= k {
			at += step
			k -= int(t[at])
		}
	}
	for i := at + 1; i < len(t); i += i & -i {
		t[i]--
	}
	return at
}
