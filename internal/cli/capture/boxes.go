package capture

import (
	"encoding/binary"
	"io"
	"iter"
)

// box is one of the parts that MP4 and JP2 files are made of (ISO/IEC 14496-12 4.2).
type box struct {
	kind string
	body *io.SectionReader
}

// maxBoxes bounds the boxes of one level.
const maxBoxes = 100_000

// boxes yields those that fill r. One that does not fit ends it with an error.
func boxes(r *io.SectionReader) iter.Seq2[box, error] {
	return func(yield func(box, error) bool) {
		for at, n := int64(0), 0; at < r.Size(); n++ {
			b, size, err := boxAt(r, at)
			if err == nil && n == maxBoxes {
				err = wrong("more than %d boxes", maxBoxes)
			}
			if !yield(b, err) || err != nil {
				return
			}
			at += size
		}
	}
}

// boxAt reads the header of a box: 32 bits of length, or 64 behind a 1, or to the end for a 0.
func boxAt(r *io.SectionReader, at int64) (box, int64, error) {
	var b [16]byte
	n, err := r.ReadAt(b[:], at)
	if n < 8 {
		return box{}, 0, wrong("a box is cut off at byte %d: %v", at, err)
	}
	size, head := int64(binary.BigEndian.Uint32(b[:])), int64(8)
	switch size {
	case 0:
		size = r.Size() - at
	case 1:
		if n < 16 {
			return box{}, 0, wrong("a box is cut off at byte %d", at)
		}
		size, head = int64(binary.BigEndian.Uint64(b[8:])), 16
	}
	if size < head || size > r.Size()-at {
		return box{}, 0, wrong("a box at byte %d has a length of %d, which does not fit", at, size)
	}
	return box{string(b[4:8]), io.NewSectionReader(r, at+head, size-head)}, size, nil
}

// find returns the first box at a path, empty if there is none.
func find(r *io.SectionReader, path ...string) (*io.SectionReader, bool) {
	for _, kind := range path {
		found := false
		for b, err := range boxes(r) {
			if err != nil {
				return nil, false
			}
			if b.kind == kind {
				r, found = b.body, true
				break
			}
		}
		if !found {
			return nil, false
		}
	}
	return r, true
}
