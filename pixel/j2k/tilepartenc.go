package j2k

import (
	"encoding/binary"
	"math"
	"slices"
)

// appendSOT begins a tile-part of tile 0, Psot to come (T.800 A.4.2).
func appendSOT(dst []byte, part, parts int) []byte {
	return append(dst, mSOT>>8, mSOT&0xFF, 0, 10, 0, 0, 0, 0, 0, 0, byte(part), byte(parts))
}

// appendTLM appends the lengths of tile-parts, to come (T.800 A.7.1): a byte that says
// which tile, then four.
func appendTLM(dst []byte, parts int) []byte {
	be := binary.BigEndian
	dst = be.AppendUint16(be.AppendUint16(dst, mTLM), uint16(4+5*parts))
	dst = append(dst, 0, 0x50)
	return append(dst, make([]byte, 5*parts)...)
}

// appendTile appends the tile's packets and EOC to the main header, which begins at main:
// as one tile-part, or one for each resolution.
func (t *tile) appendTile(dst []byte, main int, o EncodeOptions) []byte {
	be := binary.BigEndian
	slices.SortStableFunc(t.precincts, order(t.p.order))
	parts, tlm := 1, 0
	if o.ByResolution {
		parts = t.comps[0].c.levels + 1
		tlm = len(dst) + 6
		dst = appendTLM(dst, parts)
	}
	rest := t.precincts
	for i := range parts {
		at := len(dst)
		dst = be.AppendUint16(appendSOT(dst, i, parts), mSOD)
		for len(rest) > 0 && (parts == 1 || rest[0].res == i) {
			dst, rest = rest[0].writePacket(dst), rest[1:]
		}
		n := len(dst) - at
		if n > math.MaxUint32 {
			n = 0 // to the end
		}
		be.PutUint32(dst[at+6:], uint32(n))
		if tlm > 0 {
			be.PutUint32(dst[tlm+5*i+1:], uint32(n))
		}
	}
	return be.AppendUint16(dst, mEOC)
}
