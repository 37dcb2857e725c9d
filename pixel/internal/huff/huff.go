// Package huff makes the Huffman tables of JPEG: from their specification (ITU-T T.81
// annex C) and, best for given frequencies, the specification itself (K.2). A Spec or Code
// is a plain value; nothing is shared.
package huff

import "errors"

// MaxLength is the longest code.
const MaxLength = 16

// Spec is a table as it stands in a stream (T.81 B.2.4.2): how many codes there are of each
// length, from 1, and the symbols in the order of their codes.
type Spec struct {
	Counts  [MaxLength]uint8
	Symbols [256]uint8
}

// Len returns the number of symbols.
func (s *Spec) Len() int {
	n := 0
	for _, c := range s.Counts {
		n += int(c)
	}
	return n
}

// Parse reads a specification from the parameters of DHT, behind the table's number, and
// returns how many bytes it has.
func Parse(b []byte) (Spec, int, error) {
	var s Spec
	if len(b) < MaxLength {
		return s, 0, errors.New("a Huffman table is cut off")
	}
	copy(s.Counts[:], b)
	n := s.Len()
	if n > len(s.Symbols) || len(b) < MaxLength+n {
		return s, 0, errors.New("a Huffman table has more symbols than bytes")
	}
	copy(s.Symbols[:n], b[MaxLength:])
	code := 0
	for l, c := range s.Counts {
		code += int(c)
		if code > 1<<(l+1) {
			return s, 0, errors.New("a Huffman table has more codes than fit")
		}
		code <<= 1
	}
	return s, MaxLength + n, nil
}

// Append appends the specification as Parse reads it.
func (s *Spec) Append(dst []byte) []byte {
	return append(append(dst, s.Counts[:]...), s.Symbols[:s.Len()]...)
}

// Each calls f with each symbol, its code and the code's length, in the order of codes
// (T.81 C.2).
func (s *Spec) Each(f func(symbol uint8, code uint32, length int)) {
	code, k := uint32(0), 0
	for l, c := range s.Counts {
		for range c {
			f(s.Symbols[k], code, l+1)
			code++
			k++
		}
		code <<= 1
	}
}

// Search finds codes of any length, bit patterns left aligned in 16 bits.
type Search struct {
	limit  [MaxLength + 1]uint32 // first pattern behind the codes of a length
	offset [MaxLength + 1]int32  // what to add to a code to get its symbol's place
	spec   Spec
}

// NewSearch prepares a search.
func NewSearch(s *Spec) Search {
	out := Search{spec: *s}
	code, k := uint32(0), int32(0)
	for l, c := range s.Counts {
		out.offset[l+1] = k - int32(code)
		code += uint32(c)
		k += int32(c)
		out.limit[l+1] = code << (MaxLength - l - 1)
		code <<= 1
	}
	return out
}

// Find returns the symbol whose code begins pattern, and the code's length: 0 if none does.
func (s *Search) Find(pattern uint32) (symbol uint8, length int) {
	for l := 1; l <= MaxLength; l++ {
		if pattern < s.limit[l] {
			return s.spec.Symbols[int32(pattern>>(MaxLength-l))+s.offset[l]], l
		}
	}
	return 0, 0
}
