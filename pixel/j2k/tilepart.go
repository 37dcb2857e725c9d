package j2k

import (
	"cmp"
	"slices"
)

// splitPPM cuts the packed packet headers of the main header by tile-part (T.800 A.7.4).
func (s *stream) splitPPM() error {
	all := join(s.ppm)
	for len(all) > 0 {
		if len(all) < 4 || be32(all) > int64(len(all)-4) {
			return FormatError("PPM: length exceeds the segments")
		}
		n := int(be32(all)) + 4
		s.ppmChunks = append(s.ppmChunks, all[4:n])
		all = all[n:]
	}
	return nil
}

func join(parts []indexed) []byte {
	slices.SortStableFunc(parts, func(a, b indexed) int { return cmp.Compare(a.index, b.index) })
	var all []byte
	for _, p := range parts {
		all = append(all, p.data...)
	}
	return all
}

// parseTiles reads the tile-parts. A flaw ends the reading and is kept in s.cut.
func (s *stream) parseTiles(src []byte) {
	s.tiles = map[int]*tileData{}
	for n := 0; s.cut == nil; n++ {
		if len(src) < 2 {
			s.cut = FormatError("no EOC marker")
			return
		}
		if be16(src) == mEOC {
			return
		}
		src = s.tilePart(src, n)
	}
}

// tilePart reads the n-th tile-part (T.800 A.4.2) and returns what follows it.
func (s *stream) tilePart(src []byte, n int) []byte {
	m, b, _, err := segment(src)
	if err != nil || m != mSOT || len(b) < 8 {
		s.cut = FormatError("no SOT where a tile-part should begin")
		return nil
	}
	index, length := be16(b), be32(b[2:])
	if int64(index) >= s.tilesX*s.tilesY {
		s.cut = FormatError("tile out of range")
		return nil
	}
	part, rest := src, []byte(nil)
	switch {
	case length == 0:
		if k := len(src); k >= 2 && be16(src[k-2:]) == mEOC {
			part, rest = src[:k-2], src[k-2:]
		}
	case length < 14:
		s.cut = FormatError("tile-part too short")
		return nil
	case length > int64(len(src)):
		s.cut = FormatError("ends within a tile-part")
	default:
		part, rest = src[:length], src[length:]
	}
	end := s.length - len(src) + len(part)
	if err := s.tilePartHeader(s.tile(index), part[12:], n, end); err != nil && s.cut == nil {
		s.cut = err
	}
	return rest
}

func (s *stream) tile(index int) *tileData {
	t := s.tiles[index]
	if t == nil {
		t = new(tileData)
		s.tiles[index] = t
		s.order = append(s.order, index)
	}
	return t
}

// tilePartHeader reads the header of the n-th tile-part, which ends at end in the stream.
func (s *stream) tilePartHeader(t *tileData, b []byte, n, end int) error {
	var ppt []indexed
	for len(b) < 2 || be16(b) != mSOD {
		m, seg, rest, err := segment(b)
		if err != nil {
			return err
		}
		b = rest
		if m == mPPT {
			if len(seg) < 1 {
				return FormatError("PPT too short")
			}
			ppt = append(ppt, indexed{int(seg[0]), seg[1:]})
			continue
		}
		if err := s.tileSegment(t, m, seg); err != nil {
			return err
		}
	}
	switch {
	case ppt != nil:
		t.packed, t.headers = true, append(t.headers, join(ppt)...)
	case s.ppm != nil:
		t.packed = true
		if n >= len(s.ppmChunks) {
			return FormatError("PPM has no headers for a tile-part")
		}
		t.headers = append(t.headers, s.ppmChunks[n]...)
	}
	t.pieces = append(t.pieces, piece{len(t.body), end - len(b) + 2})
	if t.body == nil {
		t.body = b[2:len(b):len(b)]
	} else {
		t.body = append(t.body, b[2:]...)
	}
	return nil
}

func (s *stream) tileSegment(t *tileData, m int, seg []byte) error {
	switch m {
	case mCOD, mCOC, mQCD, mQCC, mRGN, mPOC:
	default:
		return nil
	}
	if t.own == nil {
		t.own = s.main.forTile()
	}
	if m == mPOC && !t.pocSeen {
		t.own.poc, t.pocSeen = nil, true
	}
	return s.paramSegment(t.own, m, seg)
}
