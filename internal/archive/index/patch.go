package index

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// Patch encodes raw as what differs from base, both kept attributes as Kept reads them:
// pairs of a range copied from base and bytes put behind it. The instances of a series
// differ in a few elements only.
func Patch(base, raw []byte) []byte {
	p := patcher{base: base}
	b, r := base, raw
	for len(r) > 0 {
		n := elementSize(r)
		for len(b) > 0 && before(b, r) {
			b = b[elementSize(b):]
		}
		if m := elementSize(b); len(b) > 0 && bytes.Equal(b[:m], r[:n]) {
			p.copy(len(base)-len(b), n)
			b = b[m:]
		} else {
			p.insert(r[:n])
		}
		r = r[n:]
	}
	p.flush()
	return p.out
}

// elementSize returns the bytes of the first element of a data set in Explicit VR Little
// Endian; all that is left when its length is undefined.
func elementSize(b []byte) int {
	if len(b) < 8 {
		return len(b)
	}
	head, n := 8, uint64(binary.LittleEndian.Uint16(b[6:]))
	switch string(b[4:6]) {
	case "AE", "AS", "AT", "CS", "DA", "DS", "DT", "FD", "FL", "IS", "LO", "LT", "PN", "SH", "SL", "SS", "ST", "TM", "UI", "UL", "US":
	default:
		if len(b) < 12 {
			return len(b)
		}
		head, n = 12, uint64(binary.LittleEndian.Uint32(b[8:]))
	}
	return int(min(uint64(len(b)), uint64(head)+n))
}

// before reports whether the first tag of a is lower than that of b.
func before(a, b []byte) bool {
	if len(a) < 4 || len(b) < 4 {
		return false
	}
	return tagAt(a) < tagAt(b)
}

func tagAt(b []byte) uint32 {
	return uint32(binary.LittleEndian.Uint16(b))<<16 | uint32(binary.LittleEndian.Uint16(b[2:]))
}

// patcher joins neighbouring ranges.
type patcher struct {
	base, out []byte
	at, n     int // copied range
	put       []byte
}

func (p *patcher) copy(at, n int) {
	if len(p.put) > 0 || p.n > 0 && p.at+p.n != at {
		p.flush()
	}
	if p.n == 0 {
		p.at = at
	}
	p.n += n
}

func (p *patcher) insert(b []byte) { p.put = append(p.put, b...) }

func (p *patcher) flush() {
	if p.n == 0 && len(p.put) == 0 {
		return
	}
	p.out = binary.AppendUvarint(p.out, uint64(p.at))
	p.out = binary.AppendUvarint(p.out, uint64(p.n))
	p.out = binary.AppendUvarint(p.out, uint64(len(p.put)))
	p.out = append(p.out, p.put...)
	p.at, p.n, p.put = 0, 0, p.put[:0]
}

// Unpatch returns what Patch was given.
func Unpatch(base, patch []byte) ([]byte, error) {
	out := make([]byte, 0, len(base)+len(patch))
	for len(patch) > 0 {
		var v [3]uint64
		for i := range v {
			n := 0
			if v[i], n = binary.Uvarint(patch); n <= 0 {
				return nil, fmt.Errorf("%w: patch is cut", ErrKept)
			}
			patch = patch[n:]
		}
		if v[0] > uint64(len(base)) || v[1] > uint64(len(base))-v[0] || v[2] > uint64(len(patch)) || uint64(len(out))+v[1]+v[2] > maxUnpacked {
			return nil, fmt.Errorf("%w: patch does not fit", ErrKept)
		}
		out = append(out, base[v[0]:v[0]+v[1]]...)
		out = append(out, patch[:v[2]]...)
		patch = patch[v[2]:]
	}
	return out, nil
}
