package jpeg

import (
	"encoding/binary"
	mbits "math/bits"
	"slices"
	"sync"

	"gantry/pixel/internal/huff"
)

// A token is a Huffman symbol of one of the four tables with the bits that follow it; or it
// is restartToken.
//
//	bits 26 to 24  the table: DC and AC of the first class, then of the second
//	bits 23 to 16  the symbol, whose lower half says how many bits follow
//	bits 15 to 0   those
type token uint32

const restartToken token = 1 << 31

var tokenBuffers = sync.Pool{New: func() any { return new([]token) }}

// tokenize transforms the image, a row of MCUs at a time, and counts the symbols.
func (e *encoder) tokenize() {
	comps := e.comps[:e.info.Components]
	perMCU := 0
	for k := range comps {
		comps[k].plane = make([]uint16, 64*comps[k].bw)
		perMCU += comps[k].h
	}
	e.wide = make([]uint16, e.info.Width)
	e.reset()
	left := e.every
	for y := range e.mcusY {
		for k := range comps {
			e.band(k, y)
		}
		e.tokens = slices.Grow(e.tokens, e.mcusX*(64*perMCU+1))
		for x := range e.mcusX {
			if e.every > 0 && left == 0 {
				e.tokens = append(e.tokens, restartToken)
				e.reset()
				left = e.every
			}
			left--
			for k := range comps {
				for h := range comps[k].h {
					e.block(&comps[k], x*comps[k].h+h)
				}
			}
		}
	}
}

// band loads the eight lines of a component for a row of MCUs.
func (e *encoder) band(k, y int) {
	c := &e.comps[k]
	for i := range 8 {
		e.load(c.plane[8*c.bw*i:][:8*c.bw], k, min(8*y+i, e.info.Height-1))
	}
}

// block makes the tokens of a block.
func (e *encoder) block(c *component, x int) {
	var f [64]int32
	var out [64]int16
	fdct(&f, c.plane[8*x:], 8*c.bw, e.forward)
	filled := inZigzag(e.quants[c.quant].quantize(&out, &f) &^ 1)
	table := 2 * c.quant & 3
	n, low := size(int32(out[0]) - c.pred)
	c.pred = int32(out[0])
	e.freq[table][n]++
	tokens := append(e.tokens, token(table<<24|n<<16)|token(low))
	freq, base, last := &e.freq[table+1], token(table+1)<<24, 0
	for ; filled != 0; filled &= filled - 1 {
		k := mbits.TrailingZeros64(filled) & 63
		run := k - last - 1
		for ; run > 15; run -= 16 {
			freq[0xf0]++
			tokens = append(tokens, base|0xf0<<16)
		}
		n, low := size(int32(out[zigzag[k]&63]))
		symbol := (run<<4 | n) & 0xff
		freq[symbol]++
		tokens = append(tokens, base|token(symbol)<<16|token(low))
		last = k
	}
	if last < 63 {
		freq[0]++
		tokens = append(tokens, base)
	}
	e.tokens = tokens
}

// inZigzag takes bits by line to bits in zigzag order.
func inZigzag(set uint64) (out uint64) {
	for ; set != 0; set &= set - 1 {
		out |= 1 << (unzigzag[mbits.TrailingZeros64(set)&63] & 63)
	}
	return out
}

// unzigzag has what place in zigzag order a coefficient has.
var unzigzag = func() (out [64]uint8) {
	for k, z := range zigzag {
		out[z] = uint8(k)
	}
	return out
}()

// size returns how many bits a value has and those bits (T.81 F.1.2.1).
func size(v int32) (n int, low uint32) {
	sign := v >> 31
	n = mbits.Len32(uint32((v ^ sign) - sign))
	return n, uint32(v+sign) & (1<<(n&31) - 1)
}

// specs makes the Huffman tables for the symbols that were counted.
func (e *encoder) specs() (out [4]huff.Spec) {
	for k := range 2 * e.classes {
		out[k] = huff.Optimal(e.freq[k][:])
	}
	return out
}

// load takes a line of samples out of the image. Beyond the right edge the last one is
// repeated.
func (e *encoder) load(line []uint16, k, y int) {
	n := e.info.Width
	if e.comps[k].h == e.hMax {
		e.pick(line[:n], k, y)
	} else {
		e.pick(e.wide, k, y)
		n = halve(line, e.wide)
	}
	last := line[n-1]
	for x := n; x < len(line); x++ {
		line[x] = last
	}
}

// halve makes one sample of two; rounding goes up and down in turn, as in libjpeg. Where
// there is room, the last one follows once more as it is.
func halve(line, wide []uint16) int {
	n := startHalves(line, wide)
	for pairs := wide[2*n:]; len(pairs) > 1 && n < len(line); pairs = pairs[2:] {
		line[n] = uint16((uint32(pairs[0]) + uint32(pairs[1]) + uint32(n&1)) >> 1)
		n++
	}
	if len(wide)%2 == 1 {
		line[n] = uint16((2*uint32(wide[len(wide)-1]) + uint32(n&1)) >> 1)
		n++
	}
	if n < len(line) {
		line[n] = wide[len(wide)-1]
		n++
	}
	return n
}

// pick takes the samples of one component's line.
func (e *encoder) pick(line []uint16, k, y int) {
	n := e.info.Components
	at := y*e.info.Width*n + k
	all := uint16(0)
	switch {
	case e.info.Bits > 8:
		px := e.px[2*at:]
		for x := range line {
			v := binary.LittleEndian.Uint16(px[2*n*x:])
			line[x] = v
			all |= v
		}
	case n == 1:
		px := e.px[at:][:len(line)]
		for x, v := range px {
			line[x] = uint16(v)
		}
	default:
		px, x := e.px[at:], 0
		if n == 3 {
			x = startThirds(line, px)
		}
		for ; x < len(line); x++ {
			line[x] = uint16(px[n*x])
		}
	}
	e.seen |= all
}
