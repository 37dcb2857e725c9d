package j2k

import (
	_ "embed"
	"strconv"
	"strings"
	"sync"
)

// High-throughput code blocks (ITU-T T.814 | ISO/IEC 15444-15). Samples go in quads of two
// by two: top left, bottom left, top right, bottom right.

// melExp is T.814 Table 2: the binary logarithm of the runs of the adaptive coder.
var melExp = [13]uint8{0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 4, 5}

//go:embed htvlc.tsv
var vlcSource string

// vlcRow is a codeword of T.814 Annex C.
type vlcRow struct {
	table, ctx, rho, off, ek, e1, code, length uint16
}

// vlcRows reads the tables that are part of the program.
func vlcRows() (rows []vlcRow) {
	for line := range strings.Lines(vlcSource) {
		if line[0] == '#' {
			continue
		}
		var v [8]uint16
		for i, f := range strings.Fields(line) {
			n, _ := strconv.ParseUint(f, 10, 16)
			v[i] = uint16(n)
		}
		rows = append(rows, vlcRow{v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7]})
	}
	return rows
}

// Fields of an entry of htTables.read.
const (
	vlcLen = 7      // bits of the codeword
	vlcOff = 1 << 3 // an exponent above the prediction follows
	vlcRho = 4      // shift: which samples are significant
	vlcE1  = 8      // shift: of those in e_k, which have the exponent itself
	vlcEk  = 12     // shift: which samples' highest bit is known
)

// htTables are the variable length codes both ways.
type htTables struct {
	read  [2][1024]uint16 // by context<<7 and the next 7 bits
	write [2][4096]uint16 // by context<<9 | off<<8 | rho<<4 | epsilon: e_k, then length, then code
	uvlc  [2][256]uvlcPair
}

var htTabs = sync.OnceValue(func() *htTables {
	t := new(htTables)
	for _, r := range vlcRows() {
		entry := r.length | r.off<<3 | r.rho<<vlcRho | r.e1<<vlcE1 | r.ek<<vlcEk
		for rest := range uint16(1) << (7 - r.length) {
			t.read[r.table][r.ctx<<7|rest<<r.length|r.code] = entry
		}
		t.offer(r)
	}
	for i := range t.uvlc[0] {
		t.uvlc[0][i], t.uvlc[1][i] = uvlcFirst(i), uvlcOther(i)
	}
	return t
})

// offer has a codeword serve the patterns that it tells more of than the one there.
func (t *htTables) offer(r vlcRow) {
	for eps := range uint16(16) {
		at := &t.write[r.table][r.ctx<<9|r.off<<8|r.rho<<4|eps]
		if eps&^r.rho != 0 || eps&r.ek != r.e1 {
			continue
		}
		if *at == 0 || ones(r.ek) > ones(*at>>12) {
			*at = r.ek<<12 | r.length<<8 | r.code
		}
	}
}

func ones(v uint16) (n int) {
	for ; v != 0; v &= v - 1 {
		n++
	}
	return n
}

// uvlcPair is what the bits in front tell of the exponents of two quads (T.814 Table 3).
type uvlcPair struct {
	prefix         uint8 // bits of both prefixes
	suffix0, total uint8 // bits of the first suffix, of both
	base0, base1   uint8
}

// uvlcPlain is the largest value without an extension: those above have a suffix from 28 on
// and, behind all suffixes, four bits more, which count four each.
const uvlcPlain = 32

// uvlcPrefix reads one prefix.
func uvlcPrefix(b int) (length, suffix, base int) {
	switch {
	case b&1 != 0:
		return 1, 0, 1
	case b&2 != 0:
		return 2, 0, 2
	case b&4 != 0:
		return 3, 1, 3
	}
	return 3, 5, 5
}

// uvlcOther is for quads with others above; the index is the next six bits, shifted over
// which of the two have something.
func uvlcOther(i int) (p uvlcPair) {
	b := i >> 2
	if i&1 != 0 {
		n, s, v := uvlcPrefix(b)
		p, b = uvlcPair{uint8(n), uint8(s), uint8(s), uint8(v), 0}, b>>n
	}
	if i&2 != 0 {
		n, s, v := uvlcPrefix(b)
		p.prefix, p.total, p.base1 = p.prefix+uint8(n), p.total+uint8(s), uint8(v)
	}
	return p
}

// uvlcFirst is for the first line of quads: behind a long first prefix the second is one
// bit.
func uvlcFirst(i int) uvlcPair {
	p := uvlcOther(i)
	if i&3 == 3 && p.base0 > 2 {
		return uvlcPair{4, p.suffix0, p.suffix0, p.base0, uint8(i>>5&1) + 1}
	}
	return p
}
