package jxl

import "math/bits"

// prefixCode is a table of prefix codes of up to 15 bits (annex C.3): the first rootBits of
// what comes find an entry, which for longer codes leads to a second one.
type prefixCode struct {
	table []prefixEntry
}

type prefixEntry struct {
	value uint16 // symbol, or where the second table begins
	bits  uint8  // of the code in this table; those of the second table where more is set
	more  bool
}

const (
	rootBits   = 9
	maxCodeLen = 15
)

// read takes a symbol; refill has been called.
func (p *prefixCode) read(r *bitReader) uint32 {
	e := p.table[r.peek(rootBits)]
	if e.more {
		r.skip(rootBits)
		e = p.table[uint32(e.value)+r.peek(uint(e.bits))]
	}
	r.skip(uint(e.bits))
	return uint32(e.value)
}

// readPrefix reads the lengths of a code of n symbols and makes its table.
func readPrefix(r *bitReader, n int) (prefixCode, error) {
	if n == 1 {
		return single(0), nil
	}
	lengths := make([]uint8, n)
	hskip := r.u(2)
	if hskip == 1 {
		return readSimple(r, lengths)
	}
	if err := readLengths(r, lengths, int(hskip)); err != nil {
		return prefixCode{}, err
	}
	return newPrefix(lengths)
}

func single(symbol uint16) prefixCode {
	t := make([]prefixEntry, 1<<rootBits)
	for i := range t {
		t[i].value = symbol
	}
	return prefixCode{t}
}

// readSimple reads a code of up to four symbols.
func readSimple(r *bitReader, lengths []uint8) (prefixCode, error) {
	width := uint(bits.Len(uint(len(lengths) - 1)))
	count := int(r.u(2)) + 1
	var symbols [4]uint32
	for i := range count {
		symbols[i] = r.u(width)
		if int(symbols[i]) >= len(lengths) {
			return prefixCode{}, FormatError("a symbol outside of its alphabet")
		}
	}
	if count == 1 {
		return single(uint16(symbols[0])), nil
	}
	shape := [5][]uint8{2: {1, 1}, 3: {1, 2, 2}, 4: {2, 2, 2, 2}}[count]
	if count == 4 && r.flag() {
		shape = []uint8{1, 2, 3, 3}
	}
	for i, l := range shape {
		if lengths[symbols[i]] != 0 {
			return prefixCode{}, FormatError("a symbol twice in a prefix code")
		}
		lengths[symbols[i]] = l
	}
	return newPrefix(lengths)
}

// lengthOrder is the order in which the lengths of the code for lengths come.
var lengthOrder = [18]uint8{1, 2, 3, 4, 0, 5, 17, 6, 16, 7, 8, 9, 10, 11, 12, 13, 14, 15}

// readLengths reads lengths that are coded themselves, with runs of them.
func readLengths(r *bitReader, lengths []uint8, hskip int) error {
	code, err := readLengthCode(r, hskip)
	if err != nil {
		return err
	}
	space, last, run, runOf := 1<<maxCodeLen, uint8(8), 0, uint8(0)
	for i := 0; i < len(lengths) && space > 0; {
		r.refill()
		v := uint8(code.read(r))
		if v < 16 {
			lengths[i], run = v, 0
			i++
			if v > 0 {
				last = v
				space -= 1 << maxCodeLen >> v
			}
			continue
		}
		of, width := last, uint(2)
		if v == 17 {
			of, width = 0, 3
		}
		if of != runOf {
			run, runOf = 0, of
		}
		before := run
		if run > 0 {
			run = (run - 2) << width
		}
		run += int(r.u(width)) + 3
		more := run - before
		if more > len(lengths)-i {
			return FormatError("a run of code lengths leaves its alphabet")
		}
		for range more {
			lengths[i] = of
			i++
		}
		if of > 0 {
			space -= more << (maxCodeLen - of)
		}
	}
	if space != 0 {
		return FormatError("code lengths that make no prefix code")
	}
	return r.err()
}

// readLengthCode reads the code that lengths are written in. Its own lengths have a fixed
// code: 0, 4, 3, 2, 1, 5 by what follows.
func readLengthCode(r *bitReader, hskip int) (prefixCode, error) {
	fixed := [16][2]uint8{{0, 2}, {4, 2}, {3, 2}, {2, 3}, {0, 2}, {4, 2}, {3, 2}, {1, 4}, {0, 2}, {4, 2}, {3, 2}, {2, 3}, {0, 2}, {4, 2}, {3, 2}, {5, 4}}
	lengths := make([]uint8, 18)
	space, used, symbol := 32, 0, 0
	for i := hskip; i < 18 && space > 0; i++ {
		r.refill()
		f := fixed[r.peek(4)]
		r.skip(uint(f[1]))
		lengths[lengthOrder[i]] = f[0]
		if f[0] > 0 {
			space -= 32 >> f[0]
			used++
			symbol = int(lengthOrder[i])
		}
	}
	if used == 1 {
		return single(uint16(symbol)), nil
	}
	if space != 0 {
		return prefixCode{}, FormatError("lengths of code lengths that make no prefix code")
	}
	return newPrefix(lengths)
}

// newPrefix makes the table of the canonical code with these lengths.
func newPrefix(lengths []uint8) (prefixCode, error) {
	var count [maxCodeLen + 2]int
	for _, l := range lengths {
		count[l]++
	}
	var next [maxCodeLen + 2]uint32
	code := uint32(0)
	count[0] = 0
	for l := 1; l <= maxCodeLen; l++ {
		code = (code + uint32(count[l-1])) << 1
		next[l] = code
	}
	if code+uint32(count[maxCodeLen]) != 1<<maxCodeLen {
		return prefixCode{}, FormatError("code lengths that make no prefix code")
	}
	p := prefixCode{make([]prefixEntry, 1<<rootBits)}
	p.reserve(lengths, next)
	for s, l := range lengths {
		if l > 0 {
			p.set(bits.Reverse32(next[l])>>(32-l), l, uint16(s))
			next[l]++
		}
	}
	return p, nil
}

// reserve makes the second tables, each as wide as the longest code in it needs.
func (p *prefixCode) reserve(lengths []uint8, next [maxCodeLen + 2]uint32) {
	for _, l := range lengths {
		if l > rootBits {
			e := &p.table[bits.Reverse32(next[l])>>(32-l)&(1<<rootBits-1)]
			next[l]++
			e.more, e.bits = true, max(e.bits, l-rootBits)
		}
	}
	for i := range 1 << rootBits {
		if e := &p.table[i]; e.more {
			e.value = uint16(len(p.table))
			p.table = append(p.table, make([]prefixEntry, 1<<e.bits)...)
		}
	}
}

// set fills in a symbol: code has its first bit lowest.
func (p *prefixCode) set(code uint32, l uint8, symbol uint16) {
	part, width := p.table[:1<<rootBits], uint(rootBits)
	if l > rootBits {
		e := p.table[code&(1<<rootBits-1)]
		part, width = p.table[e.value:][:1<<e.bits], uint(e.bits)
		code >>= rootBits
		l -= rootBits
	}
	for i := code; i < 1<<width; i += 1 << l {
		part[i] = prefixEntry{value: symbol, bits: l}
	}
}
