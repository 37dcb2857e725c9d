package jpeg

import (
	mbits "math/bits"

	"gantry/pixel/internal/bits"
	"gantry/pixel/internal/huff"
	"gantry/pixel/internal/marker"
)

// mcus calls block with each block in the order of the stream, and restart before the i-th
// restart marker.
func (e *encoder) mcus(block func(c *component, f *[64]int16, filled uint64), restart func(i int)) {
	comps := e.comps[:e.info.Components]
	for m := range e.mcusX * e.mcusY {
		if e.every > 0 && m > 0 && m%e.every == 0 {
			restart(m/e.every - 1)
		}
		x, y := m%e.mcusX, m/e.mcusX
		for k := range comps {
			c := &comps[k]
			for h := range c.h {
				b := y*c.bw + x*c.h + h
				block(c, (*[64]int16)(c.coef[64*b:][:64]), e.filled[k][b])
			}
		}
	}
}

// size returns how many bits a value has and those bits (T.81 F.1.2.1).
func size(v int32) (n int, low uint32) {
	sign := v >> 31
	n = mbits.Len32(uint32((v ^ sign) - sign))
	return n, uint32(v+sign) & (1<<n - 1)
}

// specs counts the symbols and makes the Huffman tables: DC and AC of the first class, then
// of the second.
func (e *encoder) specs() (out [4]huff.Spec) {
	var freq [4][256]int64
	e.reset()
	e.mcus(func(c *component, f *[64]int16, filled uint64) {
		n, _ := size(int32(f[0]) - c.pred)
		c.pred = int32(f[0])
		freq[2*c.quant][n]++
		ac, last := &freq[2*c.quant+1], 0
		for ; filled != 0; filled &= filled - 1 {
			k := mbits.TrailingZeros64(filled) & 63
			run := k - last - 1
			for ; run > 15; run -= 16 {
				ac[0xf0]++
			}
			n, _ := size(int32(f[k]))
			ac[run<<4|n]++
			last = k
		}
		if last < 63 {
			ac[0]++
		}
	}, func(int) { e.reset() })
	for k := range 2 * e.classes {
		out[k] = huff.Optimal(freq[k][:])
	}
	return out
}

// codes has the code and its length for each symbol.
type codes [256]struct {
	code   uint32
	length int
}

func newCodes(s *huff.Spec) *codes {
	out := new(codes)
	s.Each(func(symbol uint8, code uint32, length int) {
		out[symbol].code, out[symbol].length = code, length
	})
	return out
}

// put writes a symbol with n bits behind it.
func (t *codes) put(w *bits.Writer, symbol int, low uint32, n int) {
	e := &t[symbol&0xff]
	w.Put(e.code<<n|low, e.length+n)
}

// scan appends the entropy coded segments and the end of the image.
func (e *encoder) scan(dst []byte, specs *[4]huff.Spec) []byte {
	var tables [4]*codes
	for k := range 2 * e.classes {
		tables[k] = newCodes(&specs[k])
	}
	w := bits.Writer{Dst: dst}
	e.reset()
	e.mcus(func(c *component, f *[64]int16, filled uint64) {
		n, low := size(int32(f[0]) - c.pred)
		c.pred = int32(f[0])
		tables[2*c.quant].put(&w, n, low, n)
		writeAC(&w, tables[2*c.quant+1], f, filled)
	}, func(i int) {
		w.Flush()
		w.Dst = append(w.Dst, 0xff, marker.RST0+byte(i%8))
		e.reset()
	})
	w.Flush()
	return append(w.Dst, 0xff, marker.EOI)
}

func writeAC(w *bits.Writer, ac *codes, f *[64]int16, filled uint64) {
	last := 0
	for ; filled != 0; filled &= filled - 1 {
		k := mbits.TrailingZeros64(filled) & 63
		run := k - last - 1
		for ; run > 15; run -= 16 {
			ac.put(w, 0xf0, 0, 0)
		}
		n, low := size(int32(f[k]))
		ac.put(w, run<<4|n, low, n)
		last = k
	}
	if last < 63 {
		ac.put(w, 0, 0, 0)
	}
}
