// Package bits reads and writes the bits of entropy coded segments (ITU-T T.81 F.1.2.3),
// most significant first, with a zero byte stuffed behind each byte FF.
package bits

import (
	"bytes"
	"encoding/binary"
)

// Reader holds bits that were read ahead. Hot loops copy its fields to variables of their
// own, call Refill where the fast way does not go, and put them back.
type Reader struct {
	Src []byte
	Pos int    // of the next byte; never behind a marker
	Acc uint64 // the next bits, the first one uppermost; zeros behind them
	N   int    // how many bits Acc has
	// Made is how many zero bits were made up because the segment had ended. Where Made
	// is more than N, such bits were used.
	Made int
}

// HasFF reports whether one of the four bytes of w is FF.
func HasFF(w uint32) bool {
	w = ^w
	return (w-0x01010101)&^w&0x80808080 != 0
}

// Fill makes N at least 33.
func (r *Reader) Fill() {
	if r.N <= 32 && r.Pos+4 <= len(r.Src) {
		if w := binary.BigEndian.Uint32(r.Src[r.Pos:]); !HasFF(w) {
			r.Acc |= uint64(w) << (32 - r.N)
			r.N += 32
			r.Pos += 4
			return
		}
	}
	r.Acc, r.N, r.Pos = r.Refill(r.Acc, r.N, r.Pos)
}

// Refill adds byte by byte until n is at least 57, and sees to stuffing, to markers and to
// the end. It counts in Made what it made up.
func (r *Reader) Refill(acc uint64, n, pos int) (uint64, int, int) {
	for n <= 56 {
		var b byte
		switch {
		case pos >= len(r.Src):
			r.Made += 8
		case r.Src[pos] != 0xff:
			b = r.Src[pos]
			pos++
		case pos+1 < len(r.Src) && r.Src[pos+1] == 0:
			b = 0xff
			pos += 2
		default:
			r.Made += 8
		}
		acc |= uint64(b) << (56 - n)
		n += 8
	}
	return acc, n, pos
}

// Take returns the next n bits, at most 32.
func (r *Reader) Take(n int) uint32 {
	if r.N < n {
		r.Fill()
	}
	v := uint32(r.Acc >> 32 >> (32 - n))
	r.Acc <<= n
	r.N -= n
	return v
}

// Exhausted reports whether bits were used that the segment does not have.
func (r *Reader) Exhausted() bool { return r.Made > r.N }

// Unused reports whether a byte or more was not used of the data that ends at the marker at
// end, fill bytes before it (T.81 B.1.1.2) aside.
func (r *Reader) Unused(end int) bool {
	r.Fill()
	return len(bytes.TrimLeft(r.Src[r.Pos:max(r.Pos, end)], "\xff")) > 0 || r.N-r.Made >= 8
}

// Restart drops the bits left and begins anew at pos.
func (r *Reader) Restart(pos int) {
	*r = Reader{Src: r.Src, Pos: pos}
}
