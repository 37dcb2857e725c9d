package jxl

import (
	"encoding/binary"
	"math"
)

// bitReader reads fields whose lowest bits come first (annex B). Behind the end there are
// zeros: who reads much asks err now and then.
type bitReader struct {
	buf   []byte
	pos   int    // of the byte that comes into acc next
	acc   uint64 // bits not yet taken, the next one lowest
	n     uint   // how many of acc are valid
	fault error  // of a field that has no meaning
}

func newBitReader(b []byte) *bitReader { return &bitReader{buf: b} }

// refill makes at least 56 bits ready.
func (r *bitReader) refill() {
	if r.pos+8 <= len(r.buf) {
		r.acc |= binary.LittleEndian.Uint64(r.buf[r.pos:]) << r.n
		r.pos += int(63-r.n) >> 3
		r.n |= 56
		return
	}
	for ; r.n < 56; r.n += 8 {
		if r.pos < len(r.buf) {
			r.acc |= uint64(r.buf[r.pos]) << r.n
		}
		r.pos++
	}
}

// peek shows the next n bits, up to 32, of what refill made ready.
func (r *bitReader) peek(n uint) uint32 { return uint32(r.acc & (1<<n - 1)) }

func (r *bitReader) skip(n uint) {
	r.acc >>= n
	r.n -= n
}

// u reads n bits, up to 32.
func (r *bitReader) u(n uint) uint32 {
	if r.n < n {
		r.refill()
	}
	v := r.peek(n)
	r.skip(n)
	return v
}

func (r *bitReader) flag() bool { return r.u(1) == 1 }

// at is how many bits have been read.
func (r *bitReader) at() int { return 8*r.pos - int(r.n) }

// short reports whether more was read than there is.
func (r *bitReader) short() bool { return r.at() > 8*len(r.buf) }

// fail keeps the first fault.
func (r *bitReader) fail(e error) {
	if r.fault == nil {
		r.fault = e
	}
}

func (r *bitReader) err() error {
	if r.short() {
		return errShort
	}
	return r.fault
}

// align goes to the next byte; what is passed over must be zero.
func (r *bitReader) align() {
	if n := uint(-r.at() & 7); n > 0 && r.u(n) != 0 {
		r.fail(FormatError("bits before a byte boundary are set"))
	}
}

// rest returns the bytes from here on, at a byte boundary.
func (r *bitReader) rest() []byte { return r.buf[min(r.at()/8, len(r.buf)):] }

// skipBits passes over n bits.
func (r *bitReader) skipBits(n uint64) {
	at := uint64(r.at()) + min(n, uint64(8*len(r.buf))+64)
	r.pos, r.acc, r.n = int(at/8), 0, 0
	r.u(uint(at % 8))
}

// A field is one of the four forms that u32 can have: base plus a number of so many bits.
type field struct {
	base uint32
	bits uint
}

func val(v uint32) field               { return field{v, 0} }
func raw(n uint) field                 { return field{0, n} }
func offset(v uint32, bits uint) field { return field{v, bits} }

// u32 reads a number in one of four forms.
func (r *bitReader) u32(a, b, c, d field) uint32 {
	f := [4]field{a, b, c, d}[r.u(2)]
	return f.base + r.u(f.bits)
}

// u64 reads a number of up to 64 bits.
func (r *bitReader) u64() uint64 {
	switch r.u(2) {
	case 0:
		return 0
	case 1:
		return 1 + uint64(r.u(4))
	case 2:
		return 17 + uint64(r.u(8))
	}
	v := uint64(r.u(12))
	for shift := 12; r.flag(); shift += 8 {
		if shift == 60 {
			return v | uint64(r.u(4))<<60
		}
		v |= uint64(r.u(8)) << shift
	}
	return v
}

// u8 reads a number of up to 8 bits of which small ones are short (annex C.2).
func (r *bitReader) u8() uint32 {
	if !r.flag() {
		return 0
	}
	n := uint(r.u(3))
	return r.u(n) + 1<<n
}

// enum reads one of a list of values.
func (r *bitReader) enum() uint32 {
	v := r.u32(val(0), val(1), offset(2, 4), offset(18, 6))
	if v >= 64 {
		r.fail(FormatError("an enumerated value above 63"))
	}
	return v
}

// f16 reads a binary number of 16 bits (IEEE 754) that is finite.
func (r *bitReader) f16() float32 {
	b := r.u(16)
	sign, exp, frac := 1-2*float64(b>>15), int(b>>10&31), float64(b&1023)
	switch exp {
	case 31:
		r.fail(FormatError("a number that is infinite or none"))
		return 0
	case 0:
		return float32(sign * math.Ldexp(frac, -24))
	}
	return float32(sign * math.Ldexp(1024+frac, exp-25))
}

// f16s reads several numbers.
func (r *bitReader) f16s(dst []float32) {
	for i := range dst {
		dst[i] = r.f16()
	}
}

// unpack turns 0, 1, 2, 3, 4 into 0, -1, 1, -2, 2.
func unpack(v uint32) int32 { return int32(v>>1) ^ -int32(v&1) }

// extensions passes over what later editions may add to a header.
func (r *bitReader) extensions() {
	var total uint64
	for set := r.u64(); set != 0; set &= set - 1 {
		n := r.u64()
		if n > uint64(8*len(r.buf)) {
			r.fail(errShort)
			return
		}
		total += n
	}
	if total > 0 {
		r.skipBits(total)
	}
}
