package j2k

import (
	"math/bits"
	"slices"
)

// headerWriter writes packet headers (T.800 B.10.1).
type headerWriter struct {
	out []byte
	cur byte
	ct  int // bits that cur has room for
}

func newHeaderWriter(out []byte) headerWriter { return headerWriter{out: out, ct: 8} }

func (h *headerWriter) bit(v int) {
	h.ct--
	h.cur |= byte(v&1) << h.ct
	if h.ct == 0 {
		h.next()
	}
}

func (h *headerWriter) next() {
	h.out = append(h.out, h.cur)
	h.ct = 8
	if h.cur == 0xFF {
		h.ct = 7
	}
	h.cur = 0
}

func (h *headerWriter) bits(v, n int) {
	for n--; n >= 0; n-- {
		h.bit(v >> n)
	}
}

// end fills the last byte; behind an FF there is one more.
func (h *headerWriter) end() []byte {
	if h.ct < 8 {
		h.next()
		if h.ct == 7 {
			h.next()
		}
	}
	return h.out
}

// fill gives the leaves of a tag tree their values and each other node the least below it.
func (t *tagTree) fill(leaves []int32) []int32 {
	values := make([]int32, len(t.nodes))
	for i := range values {
		values[i] = 1 << 30
	}
	copy(values, leaves)
	for i, n := range t.nodes {
		if n.parent >= 0 {
			values[n.parent] = min(values[n.parent], values[i])
		}
	}
	return values
}

// tell writes what a reader needs to know whether a leaf is below the threshold.
func (t *tagTree) tell(h *headerWriter, values []int32, leaf int, threshold int32) {
	var stack [24]int32
	n := 0
	for i := int32(leaf); i >= 0; i = t.nodes[i].parent {
		stack[n] = i
		n++
	}
	low := int32(0)
	for n--; n >= 0; n-- {
		nd := &t.nodes[stack[n]]
		nd.low = max(nd.low, low)
		for nd.low < threshold && !nd.known {
			if nd.low >= values[stack[n]] {
				h.bit(1)
				nd.known = true
			} else {
				h.bit(0)
				nd.low++
			}
		}
		low = nd.low
	}
}

// writePacket appends the one packet of a precinct (T.800 B.9).
func (q *precinct) writePacket(dst []byte) []byte { return q.writeBody(q.writeHead(dst)) }

// writeHead appends its header (B.10).
func (q *precinct) writeHead(dst []byte) []byte {
	h := newHeaderWriter(dst)
	if !slices.ContainsFunc(q.parts, part.some) {
		h.bit(0)
		return h.end()
	}
	h.bit(1)
	for i := range q.parts {
		q.parts[i].writeHeader(&h)
	}
	return h.end()
}

// writeBody appends what its header tells of.
func (q *precinct) writeBody(dst []byte) []byte {
	for i := range q.parts {
		for j := range q.parts[i].blocks {
			if cb := &q.parts[i].blocks[j]; cb.included {
				dst = append(dst, cb.segs[0].data...)
			}
		}
	}
	return dst
}

// some reports whether a part has anything to say.
func (pt part) some() bool {
	return slices.ContainsFunc(pt.blocks, func(b codeBlock) bool { return b.included })
}

func (pt *part) writeHeader(h *headerWriter) {
	included, zero := make([]int32, len(pt.blocks)), make([]int32, len(pt.blocks))
	for i, b := range pt.blocks {
		zero[i] = int32(b.zero)
		if !b.included {
			included[i] = 1
		}
	}
	in, missing := pt.incl.fill(included), pt.zero.fill(zero)
	for i := range pt.blocks {
		cb := &pt.blocks[i]
		pt.incl.tell(h, in, i, 1)
		if !cb.included {
			continue
		}
		pt.zero.tell(h, missing, i, int32(cb.zero)+1)
		seg := &cb.segs[0]
		writePasses(h, seg.passes)
		room := cb.lblock + bits.Len(uint(seg.passes)) - 1
		for ; bits.Len(uint(len(seg.data))) > room; room++ {
			h.bit(1)
		}
		h.bit(0)
		h.bits(len(seg.data), room)
	}
}

// writePasses is T.800 Table B.4.
func writePasses(h *headerWriter, n int) {
	switch {
	case n == 1:
		h.bit(0)
	case n == 2:
		h.bits(2, 2)
	case n < 6:
		h.bits(3<<2|(n-3), 4)
	case n < 37:
		h.bits(15<<5|(n-6), 9)
	default:
		h.bits(511<<7|(n-37), 16)
	}
}
