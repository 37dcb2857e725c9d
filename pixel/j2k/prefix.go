package j2k

import "fmt"

// PrefixLength is how many of the first bytes of a codestream Decode needs for the image
// without the reduce highest resolutions. It reads all packet headers, so that src is the
// whole codestream, which is no JP2 file. Where packet headers are packed (PPM, PPT) it is
// all of src.
func PrefixLength(src []byte, reduce int) (int64, error) {
	var s stream
	rest, err := s.parseMain(src)
	if err != nil {
		return 0, err
	}
	if reduce < 0 || reduce > maxLevels {
		return 0, FormatError(fmt.Sprintf("no reduction by %d levels", reduce))
	}
	if s.parseTiles(rest); s.cut != nil {
		return 0, s.cut
	}
	if int64(len(s.order)) < s.tilesX*s.tilesY {
		return 0, FormatError("tiles are missing")
	}
	need := 0
	for _, index := range s.order {
		n, err := s.tileNeeds(index, reduce, len(src))
		if err != nil {
			return 0, err
		}
		need = max(need, n)
	}
	return int64(need), nil
}

// tileNeeds is where in the stream the last packet of a tile ends that is needed.
func (s *stream) tileNeeds(index, reduce, length int) (int, error) {
	td := s.tiles[index]
	if td.packed {
		return length, nil
	}
	k, err := s.packetsOf(index, length)
	if err != nil {
		return 0, err
	}
	if err := k.t.p.reducible(reduce); err != nil {
		return 0, err
	}
	k.want(reduce, 0)
	if err := k.all(); err != nil {
		return 0, err
	}
	read := len(td.body) - len(k.body)
	at := td.pieces[0]
	for _, p := range td.pieces {
		if p.at < read {
			at = p
		}
	}
	return at.from + read - at.at, nil
}
