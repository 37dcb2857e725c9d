package jxl

// ANS codes symbols by frequencies that add up to 4096 (annex C.4).
const (
	ansBits  = 12
	ansTotal = 1 << ansBits
	ansFinal = 0x130000 // state behind the last symbol
)

// aliasEntry is a bucket of equal width: positions below cutoff are of the bucket's own symbol,
// the others of another.
type aliasEntry struct {
	cutoff, own, other uint16
	offset             uint16 // of the other symbol's part, less cutoff
	ownFreq, otherFreq uint16
}

// readFrequencies reads the distribution of an alphabet of up to size symbols.
func readFrequencies(r *bitReader, size int) ([]uint16, error) {
	var d []uint16
	var err error
	switch {
	case r.flag():
		d = readFewFrequencies(r)
	case r.flag():
		d = flatFrequencies(int(r.u8()) + 1)
	default:
		d, err = readAllFrequencies(r)
	}
	if err != nil {
		return nil, err
	}
	if err := r.err(); err != nil {
		return nil, err
	}
	if len(d) > size {
		return nil, FormatError("a distribution larger than its alphabet")
	}
	return append(d, make([]uint16, size-len(d))...), nil
}

// readFewFrequencies reads a distribution of one symbol or two.
func readFewFrequencies(r *bitReader) []uint16 {
	two := r.flag()
	a := r.u8()
	if !two {
		d := make([]uint16, a+1)
		d[a] = ansTotal
		return d
	}
	b := r.u8()
	if a == b {
		r.fail(FormatError("a distribution of one symbol twice"))
	}
	d := make([]uint16, max(a, b)+1)
	d[a] = uint16(r.u(ansBits))
	d[b] = ansTotal - d[a]
	return d
}

func flatFrequencies(n int) []uint16 {
	d := make([]uint16, n)
	for i := range d {
		d[i] = uint16(ansTotal / n)
		if i < ansTotal%n {
			d[i]++
		}
	}
	return d
}

// logCounts is the code of the logarithms of frequencies: symbol and length by the next 7 bits.
// 0 is a frequency of 0, 13 a run.
var logCounts = func() (t [128][2]uint8) {
	for _, c := range [][3]uint8{{10, 0, 3}, {7, 2, 3}, {6, 4, 3}, {8, 5, 3}, {9, 6, 3}, {3, 3, 4}, {5, 7, 4}, {4, 9, 4},
		{1, 11, 4}, {2, 15, 4}, {0, 17, 5}, {11, 33, 6}, {12, 1, 7}, {13, 65, 7}} {
		for i := int(c[1]); i < 128; i += 1 << c[2] {
			t[i] = [2]uint8{c[0], c[2]}
		}
	}
	return t
}()

const logRun = 13

// readAllFrequencies reads a distribution symbol by symbol: logarithms first, then the bits
// below the highest ones. What is missing to the total is the frequency of the first symbol
// with the highest logarithm.
func readAllFrequencies(r *bitReader) ([]uint16, error) {
	width := uint(0)
	for width < 3 && r.flag() {
		width++
	}
	shift := int(r.u(width)) + 1<<width - 1
	if shift > ansBits+1 {
		return nil, FormatError("a shift of frequencies above 13")
	}
	n := int(r.u8()) + 3
	logs, runs := make([]int, n), make([]int, n)
	top, at := -1, -1
	for i := 0; i < n; {
		r.refill()
		c := logCounts[r.peek(7)]
		r.skip(uint(c[1]))
		if c[0] == logRun {
			run := int(r.u8()) + 4
			if i == 0 || run > n-i {
				return nil, FormatError("a run of frequencies leaves its alphabet")
			}
			runs[i] = run
			i += run
			continue
		}
		logs[i] = int(c[0])
		if logs[i] > top {
			top, at = logs[i], i
		}
		i++
	}
	if top < 0 || at+1 < n && runs[at+1] > 0 {
		return nil, FormatError("a run of a frequency that is not told")
	}
	return fillFrequencies(r, logs, runs, shift, at)
}

func fillFrequencies(r *bitReader, logs, runs []int, shift, omitted int) ([]uint16, error) {
	d := make([]uint16, len(logs))
	total := 0
	for i := 0; i < len(d); {
		n := max(1, runs[i])
		for k := range n {
			switch {
			case runs[i] > 0:
				d[i+k] = d[i-1]
			case i != omitted && logs[i] > 0:
				d[i] = readFrequency(r, logs[i]-1, shift)
			}
			total += int(d[i+k])
		}
		i += n
	}
	if total >= ansTotal {
		return nil, FormatError("frequencies that exceed their total")
	}
	d[omitted] = uint16(ansTotal - total)
	return d, nil
}

// readFrequency reads a frequency whose highest bit is known.
func readFrequency(r *bitReader, log, shift int) uint16 {
	n := max(0, min(log, shift-(ansBits-log)>>1))
	return uint16(1<<log + r.u(uint(n))<<(log-n))
}

// aliasTable distributes the frequencies over buckets so that a position of 12 bits finds its
// symbol in one step (annex C.4.2).
func aliasTable(d []uint16, logSize uint) []aliasEntry {
	size, width := 1<<logSize, uint16(ansTotal>>logSize)
	t := make([]aliasEntry, size)
	for s, f := range d {
		if f == ansTotal {
			for i := range t {
				t[i] = aliasEntry{own: uint16(i), other: uint16(s), offset: uint16(i) * width, otherFreq: f}
			}
			return t
		}
	}
	var low, high []int
	cut := make([]uint16, size)
	copy(cut, d)
	for i, c := range cut {
		switch {
		case c < width:
			low = append(low, i)
		case c > width:
			high = append(high, i)
		}
	}
	for len(high) > 0 {
		h, l := high[len(high)-1], low[len(low)-1]
		high, low = high[:len(high)-1], low[:len(low)-1]
		cut[h] -= width - cut[l]
		t[l].other, t[l].offset = uint16(h), cut[h]
		switch {
		case cut[h] < width:
			low = append(low, h)
		case cut[h] > width:
			high = append(high, h)
		}
	}
	for i := range t {
		e := &t[i]
		e.own, e.cutoff = uint16(i), cut[i]
		if cut[i] == width {
			e.other, e.offset, e.cutoff = e.own, 0, 0
		} else {
			e.offset -= cut[i]
		}
		e.ownFreq, e.otherFreq = d[e.own], d[e.other]
	}
	return t
}
