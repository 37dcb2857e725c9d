package render

import "encoding/binary"

// The kinds of segments of PS3.3 C.7.9.2.
const (
	discrete = 0
	linear   = 1
	indirect = 2
)

// segments expands a segmented palette.
type segments struct {
	b    []byte
	wide bool // of words, not of bytes
	max  int
	out  []uint16
}

// expand returns max entries at most; more or none are errors.
func expand(b []byte, wide bool, max int) ([]uint16, error) {
	s := segments{b: b, wide: wide, max: max}
	for at := 0; at+2*s.unit() < len(b) && len(s.out) < max; {
		next, err := s.one(at, false)
		if err != nil {
			return nil, err
		}
		at = next
	}
	if len(s.out) == 0 {
		return nil, FormatError("a segmented palette without entries")
	}
	return s.out, nil
}

func (s *segments) unit() int {
	if s.wide {
		return 2
	}
	return 1
}

// get reads the number k places behind at.
func (s *segments) get(at, k int) (int, error) {
	at += k * s.unit()
	switch {
	case at < 0 || at+s.unit() > len(s.b):
		return 0, FormatError("a segment of the palette goes beyond the data")
	case s.wide:
		return int(binary.LittleEndian.Uint16(s.b[at:])), nil
	}
	return int(s.b[at]), nil
}

// one expands the segment at a place and returns the place of the next one. A copied
// segment cannot be a reference again.
func (s *segments) one(at int, copied bool) (int, error) {
	kind, err := s.get(at, 0)
	if err != nil {
		return 0, err
	}
	n, err := s.get(at, 1)
	switch {
	case err != nil:
		return 0, err
	case n == 0:
		return 0, FormatError("a segment of the palette is empty")
	case kind == indirect && !copied:
		return s.copies(at, n)
	case kind > linear:
		return 0, FormatError("a segment of the palette is of an unknown kind, or refers to a reference")
	case n > s.max-len(s.out):
		return 0, FormatError("a segmented palette has more entries than its descriptor says")
	case kind == linear:
		return s.line(at, n)
	}
	for k := range n {
		v, err := s.get(at, 2+k)
		if err != nil {
			return 0, err
		}
		s.out = append(s.out, uint16(v))
	}
	return at + (2+n)*s.unit(), nil
}

// line goes in n steps from the last entry to the value of the segment.
func (s *segments) line(at, n int) (int, error) {
	to, err := s.get(at, 2)
	if err != nil || len(s.out) == 0 {
		return 0, FormatError("a linear segment of the palette has no begin or no end")
	}
	from := int(s.out[len(s.out)-1])
	for k := 1; k <= n; k++ {
		s.out = append(s.out, uint16(from+((to-from)*k*2+n)/(2*n)))
	}
	return at + 3*s.unit(), nil
}

// copies repeats n segments from an offset in bytes, its low half first.
func (s *segments) copies(at, n int) (int, error) {
	halves := 4 / s.unit()
	from := 0
	for k := range halves {
		v, err := s.get(at, 2+k)
		if err != nil {
			return 0, err
		}
		from |= v << (8 * s.unit() * k)
	}
	if from >= at {
		return 0, FormatError("a segment of the palette refers to what is not before it")
	}
	for range n {
		next, err := s.one(from, true)
		if err != nil {
			return 0, err
		}
		from = next
	}
	return at + (2+halves)*s.unit(), nil
}
