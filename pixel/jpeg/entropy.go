package jpeg

import (
	"gantry/pixel/internal/bits"
	"gantry/pixel/internal/huff"
	"gantry/pixel/internal/marker"
)

// codes has for each table and symbol the code, with room for the bits that follow it, and
// in the lowest byte the length of both.
type codes [4 << 8]uint64

func newCodes(specs []huff.Spec) *codes {
	out := new(codes)
	for k := range specs {
		specs[k].Each(func(symbol uint8, code uint32, length int) {
			n := int(symbol & 15)
			out[k<<8|int(symbol)] = uint64(code)<<n<<8 | uint64(length+n)
		})
	}
	return out
}

// scan appends the entropy coded segments and the end of the image.
func (e *encoder) scan(dst []byte, specs *[4]huff.Spec) []byte {
	codes := newCodes(specs[:2*e.classes])
	acc, waiting, restarts := uint64(0), 0, 0
	for _, t := range e.tokens {
		if t == restartToken {
			dst = append(flush(dst, acc, waiting), 0xff, marker.RST0+byte(restarts%8))
			acc, waiting = 0, 0
			restarts++
			continue
		}
		c := codes[t>>16&(4<<8-1)]
		acc = acc<<(c&63) | c>>8 | uint64(t&0xffff)
		if waiting += int(c & 63); waiting >= 32 {
			waiting -= 32
			dst = bits.AppendWord(dst, uint32(acc>>(waiting&63)))
		}
	}
	return append(flush(dst, acc, waiting), 0xff, marker.EOI)
}

func flush(dst []byte, acc uint64, waiting int) []byte {
	w := bits.Writer{Dst: dst, Acc: acc, N: waiting}
	w.Flush()
	return w.Dst
}
