package j2k

import (
	"cmp"
	"errors"
	"math/bits"
	"slices"
)

// headerBits reads packet headers (T.800 B.10.1).
type headerBits struct {
	b    []byte
	pos  int
	cur  byte
	ct   int
	over bool
}

func (h *headerBits) bit() int {
	if h.ct == 0 {
		h.ct = 8
		if h.cur == 0xFF {
			h.ct = 7
		}
		if h.pos >= len(h.b) {
			h.over, h.cur = true, 0
			return 0
		}
		h.cur = h.b[h.pos]
		h.pos++
	}
	h.ct--
	return int(h.cur>>h.ct) & 1
}

func (h *headerBits) bits(n int) (v int) {
	for range n {
		v = v<<1 | h.bit()
	}
	return v
}

// align ends a header: a last byte FF is followed by a stuffed one.
func (h *headerBits) align() {
	if h.cur == 0xFF {
		h.pos++
	}
	h.ct, h.cur = 0, 0
}

type tagNode struct {
	parent int32
	low    int32
	known  bool
}

// tagTree is T.800 B.10.2.
type tagTree struct{ nodes []tagNode }

func newTagTree(w, h int) *tagTree {
	t := new(tagTree)
	for {
		base, next := len(t.nodes), len(t.nodes)+w*h
		pw := (w + 1) / 2
		for i := range w * h {
			n := tagNode{parent: int32(next + i/w/2*pw + i%w/2)}
			t.nodes = append(t.nodes, n)
		}
		if w*h == 1 {
			t.nodes[base].parent = -1
			return t
		}
		w, h = pw, (h+1)/2
	}
}

// below reads until it is known whether the value of a leaf is below the threshold.
func (t *tagTree) below(h *headerBits, leaf int, threshold int32) bool {
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
		for nd.low < threshold && !nd.known && !h.over {
			if h.bit() == 1 {
				nd.known = true
			} else {
				nd.low++
			}
		}
		low = nd.low
	}
	nd := &t.nodes[leaf]
	return nd.known && nd.low < threshold
}

// packets reads the packets of a tile.
type packets struct {
	t      *tile
	body   []byte
	heads  []byte
	packed bool
	budget int64
	work   int64
	layers int // to keep
	left   int // packets that are wanted and were not read yet
}

// errEnough ends the reading of packets: those that are wanted were read.
var errEnough = errors.New("enough")

// want has all read the packets of the resolutions that a reduction leaves and of the
// first layers, all of them if that is not positive.
func (k *packets) want(reduce, layers int) {
	k.layers = k.t.p.layers
	if layers > 0 {
		k.layers = min(k.layers, layers)
	}
	for _, q := range k.t.precincts {
		if q.res <= k.t.comps[q.comp].c.levels-reduce {
			q.wanted = true
			k.left += k.layers
		}
	}
}

const maxWork = 1 << 26

// all reads packets in the order the tile's progression says, until it has those wanted.
func (k *packets) all() error {
	p := k.t.p
	if k.left == 0 {
		return nil // a tile that has nothing at those resolutions
	}
	vols := p.poc
	if len(vols) == 0 {
		vols = []volume{{0, maxLevels + 1, 0, len(p.comps), p.layers, p.order}}
	}
	for _, v := range vols {
		if err := k.volume(v); err == errEnough {
			return nil
		} else if err != nil {
			return err
		}
	}
	for _, q := range k.t.precincts {
		if q.next < p.layers {
			return FormatError("progression leaves out packets")
		}
	}
	return nil
}

// volume reads the packets of one progression (T.800 B.12).
func (k *packets) volume(v volume) error {
	v.layers = min(v.layers, k.t.p.layers)
	var list []*precinct
	for _, q := range k.t.precincts {
		if q.res >= v.res0 && q.res < v.res1 && q.comp >= v.comp0 && q.comp < v.comp1 && q.next < v.layers {
			list = append(list, q)
		}
	}
	if k.work += int64(len(k.t.precincts)); k.work > maxWork {
		return FormatError("too many progressions")
	}
	slices.SortStableFunc(list, order(v.order))
	switch v.order {
	case 0:
		return k.byLayer(list, v.layers)
	case 1:
		for len(list) > 0 {
			n := 1
			for n < len(list) && list[n].res == list[0].res {
				n++
			}
			if err := k.byLayer(list[:n], v.layers); err != nil {
				return err
			}
			list = list[n:]
		}
		return nil
	}
	for _, q := range list {
		for q.next < v.layers {
			if err := k.packet(q); err != nil {
				return err
			}
		}
	}
	return nil
}

func (k *packets) byLayer(list []*precinct, layers int) error {
	first := layers
	for _, q := range list {
		first = min(first, q.next)
	}
	for l := first; l < layers; l++ {
		if k.work += int64(len(list)); k.work > maxWork {
			return FormatError("too many packets")
		}
		for _, q := range list {
			if q.next != l {
				continue
			}
			if err := k.packet(q); err != nil {
				return err
			}
		}
	}
	return nil
}

func order(o byte) func(a, b *precinct) int {
	return func(a, b *precinct) int {
		pos := cmp.Or(cmp.Compare(a.refY, b.refY), cmp.Compare(a.refX, b.refX))
		comp, res, idx := cmp.Compare(a.comp, b.comp), cmp.Compare(a.res, b.res), cmp.Compare(a.index, b.index)
		switch o {
		case 0, 1:
			return cmp.Or(res, comp, idx)
		case 2:
			return cmp.Or(res, pos, comp, idx)
		case 3:
			return cmp.Or(pos, comp, res, idx)
		}
		return cmp.Or(comp, pos, res, idx)
	}
}

// packet reads the next layer of a precinct (T.800 B.9, B.10).
func (k *packets) packet(q *precinct) error {
	layer := q.next
	q.next++
	if len(k.body) >= 6 && be16(k.body) == mSOP && be16(k.body[2:]) == 4 {
		k.body = k.body[6:]
	}
	h := headerBits{b: k.body}
	if k.packed {
		h.b = k.heads
	}
	filled := h.bit() == 1
	if filled {
		if err := k.header(&h, q, layer); err != nil {
			return err
		}
	}
	h.align()
	if h.over || h.pos > len(h.b) {
		return FormatError("ends within a packet header")
	}
	rest := h.b[h.pos:]
	if len(rest) >= 2 && be16(rest) == mEPH {
		rest = rest[2:]
	}
	if k.packed {
		k.heads = rest
	} else {
		k.body = rest
	}
	if filled {
		if err := k.content(q, layer); err != nil {
			return err
		}
	}
	if q.wanted && layer < k.layers {
		if k.left--; k.left == 0 {
			return errEnough
		}
	}
	return nil
}

func (k *packets) header(h *headerBits, q *precinct, layer int) error {
	if !q.made {
		if err := k.t.make(q, &k.budget); err != nil {
			return err
		}
	}
	style := k.t.comps[q.comp].c.style
	for i := range q.parts {
		pt := &q.parts[i]
		for j := range pt.blocks {
			if err := pt.block(h, j, layer, style); err != nil {
				return err
			}
		}
	}
	return nil
}

func (pt *part) block(h *headerBits, j, layer int, style byte) error {
	cb := &pt.blocks[j]
	in := false
	if cb.included {
		in = h.bit() == 1
	} else {
		in = pt.incl.below(h, j, int32(layer)+1)
	}
	if !in || h.over {
		return nil
	}
	if !cb.included {
		cb.included = true
		for z := int32(1); !pt.zero.below(h, j, z); z++ {
			if z > 80 || h.over {
				return FormatError("too many missing bit planes")
			}
			cb.zero = int(z)
		}
	}
	n := passes(h)
	for h.bit() == 1 {
		if cb.lblock++; cb.lblock > 32 {
			return FormatError("code block length out of range")
		}
	}
	return cb.lengths(h, n, style)
}

// passes is T.800 Table B.4.
func passes(h *headerBits) int {
	if h.bit() == 0 {
		return 1
	}
	if h.bit() == 0 {
		return 2
	}
	if v := h.bits(2); v < 3 {
		return 3 + v
	}
	if v := h.bits(5); v < 31 {
		return 6 + v
	}
	return 37 + h.bits(7)
}

// lengths reads how many bytes each codeword segment gets (T.800 B.10.7).
func (cb *codeBlock) lengths(h *headerBits, n int, style byte) error {
	if style&styleHT != 0 {
		return cb.lengthsHT(h, n)
	}
	for n > 0 {
		k := len(cb.segs) - 1
		if k < 0 || cb.segs[k].seen == cb.segs[k].max {
			cb.segs = append(cb.segs, codeword{max: cb.segmentMax(style)})
			k++
		}
		s := &cb.segs[k]
		m := min(n, s.max-s.seen)
		s.fresh, s.length = m, h.bits(cb.lblock+bits.Len(uint(m))-1)
		s.seen += m
		n -= m
		if len(cb.segs) > 200 || s.seen > 200 || s.length < 0 {
			return FormatError("too many coding passes")
		}
	}
	return nil
}

// lengthsHT is T.814 B.3: one segment of the cleanup pass, in front of it perhaps passes
// that are none, and one of the two passes that refine it.
func (cb *codeBlock) lengthsHT(h *headerBits, n int) error {
	if len(cb.segs) == 0 {
		empty := (n - 1) / 3
		cb.zero += empty
		cb.segs = append(cb.segs, codeword{seen: 1, max: 1, fresh: 1, length: h.bits(cb.lblock + bits.Len(uint(3*empty+1)) - 1)})
		n -= 3*empty + 1
	}
	if n == 0 {
		return nil
	}
	if len(cb.segs) == 1 {
		cb.segs = append(cb.segs, codeword{max: 2})
	}
	s := &cb.segs[1]
	if s.seen+n > s.max {
		return UnsupportedError("a code block of more than one high-throughput set")
	}
	s.fresh, s.length = n, h.bits(cb.lblock+bits.Len(uint(n))-1)
	s.seen += n
	return nil
}

// segmentMax is how many passes the next segment has (T.800 Tables D.8, D.9).
func (cb *codeBlock) segmentMax(style byte) int {
	switch {
	case style&styleTermAll != 0:
		return 1
	case style&styleBypass == 0:
		return 1 << 20
	case len(cb.segs) == 0:
		return 10
	case cb.segs[len(cb.segs)-1].max == 2:
		return 1
	}
	return 2
}

// content hands out the bytes behind a packet header.
func (k *packets) content(q *precinct, layer int) (err error) {
	for i := range q.parts {
		for j := range q.parts[i].blocks {
			cb := &q.parts[i].blocks[j]
			for x := range cb.segs {
				s := &cb.segs[x]
				if s.fresh == 0 {
					continue
				}
				if s.length > len(k.body) {
					err = FormatError("ends within a code block")
				}
				if err == nil {
					if layer < k.layers {
						s.add(k.body[:s.length:s.length])
					}
					k.body = k.body[s.length:]
				}
				s.fresh, s.length = 0, 0
			}
		}
	}
	return err
}

// add gives a segment the bytes and the passes of the packet being read.
func (s *codeword) add(b []byte) {
	s.passes += s.fresh
	if s.data == nil {
		s.data = b
	} else {
		s.data = append(s.data, b...)
	}
}
