package jxl

import (
	"fmt"
	"math/bits"
)

// code is how the numbers of a stream are coded (annex C.2): contexts share clusters, each of
// which has a distribution.
type code struct {
	clusters []uint8 // by context
	hybrids  []hybrid
	prefix   []prefixCode // by cluster; nil: ANS
	alias    []aliasEntry // of all clusters, 1<<logSize each
	logSize  uint
	lz       lzParams
}

// hybrid says how a number is split into a symbol and bits that follow it (annex C.3.3).
type hybrid struct {
	split    uint32 // numbers below are symbols
	exponent uint32
	msb, lsb uint32 // how many of its bits are in the symbol
}

// lzParams are those of copies from what was decoded before (annex C.2.6).
type lzParams struct {
	enabled   bool
	minSymbol uint32
	minLength uint32
	length    hybrid
}

// maxContexts is how many contexts a stream of numbers may have.
const maxContexts = 1 << 22

// readCode reads the header of a stream of numbers in so many contexts.
func readCode(r *bitReader, contexts int) (*code, error) { return readCodeNested(r, contexts, true) }

func readCodeNested(r *bitReader, contexts int, lz bool) (*code, error) {
	if contexts > maxContexts {
		return nil, FormatError(fmt.Sprintf("%d contexts exceed the limit of %d", contexts, maxContexts))
	}
	c := &code{}
	if c.lz.enabled = r.flag(); c.lz.enabled {
		if !lz {
			return nil, FormatError("copies where they are not allowed")
		}
		c.lz.minSymbol = r.u32(val(224), val(512), val(4096), offset(8, 15))
		c.lz.minLength = r.u32(val(3), val(4), offset(5, 2), offset(9, 8))
		c.lz.length = readHybrid(r, 8)
		contexts++
	}
	clusters := 1
	c.clusters = make([]uint8, contexts)
	if contexts > 1 {
		var err error
		if clusters, err = readClusters(r, c.clusters); err != nil {
			return nil, err
		}
	}
	if err := c.readDistributions(r, clusters); err != nil {
		return nil, err
	}
	return c, r.err()
}

// readClusters reads which cluster each context belongs to, and says how many there are.
func readClusters(r *bitReader, m []uint8) (int, error) {
	if r.flag() {
		n := uint(r.u(2))
		for i := range m {
			m[i] = uint8(r.u(n))
		}
	} else if err := readClusterMap(r, m); err != nil {
		return 0, err
	}
	var used [256]bool
	n := 0
	for _, c := range m {
		used[c] = true
		n = max(n, int(c)+1)
	}
	for c := range n {
		if !used[c] {
			return 0, FormatError("a cluster without contexts")
		}
	}
	return n, r.err()
}

func readClusterMap(r *bitReader, m []uint8) error {
	mtf := r.flag()
	c, err := readCodeNested(r, 1, len(m) > 2)
	if err != nil {
		return err
	}
	s := newSymbols(c, r, 0)
	for i := range m {
		v := s.read(0)
		if v > 255 || r.short() {
			return FormatError("a cluster above 255")
		}
		m[i] = uint8(v)
	}
	if mtf {
		moveToFront(m)
	}
	return s.finish()
}

// moveToFront undoes that values are places in a list whose last used is first.
func moveToFront(m []uint8) {
	var list [256]uint8
	for i := range list {
		list[i] = uint8(i)
	}
	for i, at := range m {
		v := list[at]
		copy(list[1:], list[:at])
		list[0], m[i] = v, v
	}
}

func (c *code) readDistributions(r *bitReader, clusters int) error {
	prefix := r.flag()
	c.logSize = maxCodeLen
	if !prefix {
		c.logSize = 5 + uint(r.u(2))
	}
	for range clusters {
		c.hybrids = append(c.hybrids, readHybrid(r, c.logSize))
	}
	if err := r.err(); err != nil {
		return err
	}
	if prefix {
		return c.readPrefixes(r, clusters)
	}
	for range clusters {
		d, err := readFrequencies(r, 1<<c.logSize)
		if err != nil {
			return err
		}
		c.alias = append(c.alias, aliasTable(d, c.logSize)...)
	}
	return nil
}

func (c *code) readPrefixes(r *bitReader, clusters int) error {
	sizes := make([]int, clusters)
	for i := range sizes {
		sizes[i] = 1
		if r.flag() {
			n := uint(r.u(4))
			sizes[i] = 1 + 1<<n + int(r.u(n))
		}
		if sizes[i] > 1<<maxCodeLen {
			return FormatError(fmt.Sprintf("an alphabet of %d symbols, %d are allowed", sizes[i], 1<<maxCodeLen))
		}
	}
	for _, n := range sizes {
		p, err := readPrefix(r, n)
		if err != nil {
			return err
		}
		c.prefix = append(c.prefix, p)
	}
	return nil
}

func readHybrid(r *bitReader, logSize uint) hybrid {
	h := hybrid{exponent: r.u(uint(bits.Len(logSize)))}
	if h.exponent > uint32(logSize) {
		r.fail(FormatError("a split of numbers above the alphabet"))
		return h
	}
	h.split = 1 << h.exponent
	if h.exponent == uint32(logSize) {
		return h
	}
	h.msb = r.u(uint(bits.Len32(h.exponent)))
	if h.msb > h.exponent {
		r.fail(FormatError("more bits in a symbol than it has"))
		return h
	}
	h.lsb = r.u(uint(bits.Len32(h.exponent - h.msb)))
	if h.msb+h.lsb > h.exponent {
		r.fail(FormatError("more bits in a symbol than it has"))
	}
	return h
}

// number completes a symbol to the number that it begins.
func (h *hybrid) number(r *bitReader, symbol uint32) uint32 {
	if symbol < h.split {
		return symbol
	}
	in := h.msb + h.lsb
	n := uint(h.exponent-in+(symbol-h.split)>>in) & 31
	low := symbol & (1<<h.lsb - 1)
	high := symbol>>h.lsb&(1<<h.msb-1) | 1<<h.msb
	return (high<<n|r.u(n))<<h.lsb | low
}

// symbols reads the numbers of a stream.
type symbols struct {
	*code
	r     *bitReader
	state uint32 // of ANS
	lzCtx uint8  // cluster of distances
	width uint32 // of the image, which the nearest distances are told by; 0: none
	*window
}

// window is what copies are taken from.
type window struct {
	past    []uint32 // the last windowSize numbers
	count   int      // numbers so far
	from    int      // where the copy goes on
	pending uint32   // numbers still to copy
}

const windowSize = 1 << 20

// newSymbols begins a stream. width is that of the image whose rows it holds, or 0.
func newSymbols(c *code, r *bitReader, width int) *symbols {
	s := &symbols{code: c, r: r, width: uint32(width)}
	if c.lz.enabled {
		s.window = &window{}
		s.lzCtx = c.clusters[len(c.clusters)-1]
	}
	if c.prefix == nil {
		s.state = r.u(32)
	}
	return s
}

// finish checks that the stream ended as it must.
func (s *symbols) finish() error {
	if s.prefix == nil && s.state != ansFinal {
		return FormatError("a stream of numbers is damaged")
	}
	return s.r.err()
}

// read reads a number in a context.
func (s *symbols) read(ctx int) uint32 { return s.readIn(s.clusters[ctx]) }

// readIn reads a number of a cluster.
func (s *symbols) readIn(cluster uint8) uint32 {
	if s.window != nil {
		return s.readLZ(cluster)
	}
	return s.hybrids[cluster].number(s.r, s.symbol(cluster))
}

func (s *symbols) symbol(cluster uint8) uint32 {
	r := s.r
	r.refill()
	if s.prefix != nil {
		return s.prefix[cluster].read(r)
	}
	at := s.state & (ansTotal - 1)
	shift := ansBits - s.logSize
	e := &s.alias[uint32(cluster)<<s.logSize|at>>shift]
	in := at & (1<<shift - 1)
	v, freq := e.own, e.ownFreq
	if in >= uint32(e.cutoff) {
		v, freq = e.other, e.otherFreq
		in += uint32(e.offset)
	}
	state := uint32(freq)*(s.state>>ansBits) + in
	if state < 1<<16 {
		state = state<<16 | r.peek(16)
		r.skip(16)
	}
	s.state = state
	return uint32(v)
}

// readLZ reads a number of a stream that has copies.
func (s *symbols) readLZ(cluster uint8) uint32 {
	w := s.window
	if w.pending == 0 {
		v := s.symbol(cluster)
		if v < s.lz.minSymbol {
			return w.keep(s.hybrids[cluster].number(s.r, v))
		}
		w.pending = s.lz.length.number(s.r, v-s.lz.minSymbol) + s.lz.minLength
		d := s.hybrids[s.lzCtx].number(s.r, s.symbol(s.lzCtx))
		w.from = w.count - min(s.distance(d), w.count, windowSize)
		if w.pending == 0 {
			s.r.fail(FormatError("a copy that is too long"))
			return 0
		}
	}
	w.pending--
	if w.count == 0 {
		return w.keep(0)
	}
	v := w.past[w.from%windowSize]
	w.from++
	return w.keep(v)
}

func (w *window) keep(v uint32) uint32 {
	if w.count < windowSize {
		w.past = append(w.past, v)
	} else {
		w.past[w.count%windowSize] = v
	}
	w.count++
	return v
}

// distance is how far back a copy begins. The first codes stand for places near in the image.
func (s *symbols) distance(d uint32) int {
	if s.width == 0 {
		return int(d) + 1
	}
	if d >= uint32(len(nearby)) {
		return int(d) - len(nearby) + 1
	}
	return max(1, int(nearby[d][0])+int(nearby[d][1])*int(s.width))
}

// nearby are the first codes of distances: columns to the left and rows up (table C.1).
var nearby = [120][2]int8{
	{0, 1}, {1, 0}, {1, 1}, {-1, 1}, {0, 2}, {2, 0}, {1, 2}, {-1, 2}, {2, 1}, {-2, 1}, {2, 2}, {-2, 2},
	{0, 3}, {3, 0}, {1, 3}, {-1, 3}, {3, 1}, {-3, 1}, {2, 3}, {-2, 3}, {3, 2}, {-3, 2}, {0, 4}, {4, 0},
	{1, 4}, {-1, 4}, {4, 1}, {-4, 1}, {3, 3}, {-3, 3}, {2, 4}, {-2, 4}, {4, 2}, {-4, 2}, {0, 5}, {3, 4},
	{-3, 4}, {4, 3}, {-4, 3}, {5, 0}, {1, 5}, {-1, 5}, {5, 1}, {-5, 1}, {2, 5}, {-2, 5}, {5, 2}, {-5, 2},
	{4, 4}, {-4, 4}, {3, 5}, {-3, 5}, {5, 3}, {-5, 3}, {0, 6}, {6, 0}, {1, 6}, {-1, 6}, {6, 1}, {-6, 1},
	{2, 6}, {-2, 6}, {6, 2}, {-6, 2}, {4, 5}, {-4, 5}, {5, 4}, {-5, 4}, {3, 6}, {-3, 6}, {6, 3}, {-6, 3},
	{0, 7}, {7, 0}, {1, 7}, {-1, 7}, {5, 5}, {-5, 5}, {7, 1}, {-7, 1}, {4, 6}, {-4, 6}, {6, 4}, {-6, 4},
	{2, 7}, {-2, 7}, {7, 2}, {-7, 2}, {3, 7}, {-3, 7}, {7, 3}, {-7, 3}, {5, 6}, {-5, 6}, {6, 5}, {-6, 5},
	{8, 0}, {4, 7}, {-4, 7}, {7, 4}, {-7, 4}, {8, 1}, {8, 2}, {6, 6}, {-6, 6}, {8, 3}, {5, 7}, {-5, 7},
	{7, 5}, {-7, 5}, {8, 4}, {6, 7}, {-6, 7}, {7, 6}, {-7, 6}, {8, 5}, {7, 7}, {-7, 7}, {8, 6}, {8, 7},
}
