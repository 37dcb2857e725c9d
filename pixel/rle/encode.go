package rle

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/bits"
	"slices"
)

// Encode appends the coded form of a frame to dst. Samples are little endian, interleaved
// or planar as o says; where Bits is 1 they are packed, first pixel lowest, and stay so.
// Errors are of the types FormatError (px is not of the image's length) and
// UnsupportedError.
func Encode(dst, px []byte, i Info, o EncodeOptions) ([]byte, error) {
	l, err := newLayout(i, Limits{MaxPixels: -1})
	if err != nil {
		return dst, err
	}
	if len(px) != l.size() {
		return dst, FormatError(fmt.Sprintf("%d bytes of samples, the image has %d", len(px), l.size()))
	}
	base := len(dst)
	dst = append(dst, make([]byte, headerSize)...)
	binary.LittleEndian.PutUint32(dst[base:], uint32(l.segments))
	row := make([]byte, l.row)
	for s := range l.segments {
		if uint64(len(dst)-base) > math.MaxUint32 {
			return dst[:base], UnsupportedError("a frame of more than 4 GiB")
		}
		binary.LittleEndian.PutUint32(dst[base+4+4*s:], uint32(len(dst)-base))
		first, step := l.place(s, o.Planar)
		dst = appendSegment(dst, px, first, step, row, l.rows)
		if (len(dst)-base)%2 == 1 {
			dst = append(dst, 0)
		}
	}
	return dst, nil
}

func appendSegment(dst, px []byte, first, step int, row []byte, rows int) []byte {
	for range rows {
		r := row
		if step == 1 {
			r = px[first : first+len(row)]
		} else {
			gather(row, px, first, step)
		}
		dst = appendRow(dst, r)
		first += step * len(row)
	}
	return dst
}

// gather picks every step-th byte.
func gather(row, px []byte, first, step int) {
	i := 0
	if step == 2 {
		odd := 8 * uint(first&1)
		for from := first &^ 1; i+4 <= len(row); i += 4 {
			x := binary.LittleEndian.Uint64(px[from+2*i:]) >> odd & 0x00FF00FF00FF00FF
			x = (x | x>>8) & 0x0000FFFF0000FFFF
			binary.LittleEndian.PutUint32(row[i:], uint32(x|x>>16))
		}
		first += 2 * i
	}
	for ; i < len(row); i++ {
		row[i] = px[first]
		first += step
	}
}

// appendRow compresses one row (PS3.5 G.3.1): three equal bytes or more become a replicate
// run, all between a literal run.
func appendRow(dst, row []byte) []byte {
	dst = slices.Grow(dst, len(row)+len(row)/maxRun+2)
	for i := 0; i < len(row); {
		j := i + triple(row[i:])
		dst = appendLiterals(dst, row[i:j])
		for i = j; i < len(row); {
			n := same(row[i:])
			if n < 3 {
				break
			}
			dst = append(dst, byte(257-n), row[i])
			i += n
		}
	}
	return dst
}

func appendLiterals(dst, b []byte) []byte {
	for len(b) > 0 {
		n := min(len(b), maxRun)
		if n == 2 && b[0] == b[1] {
			return append(dst, 255, b[0])
		}
		dst = append(dst, byte(n-1))
		dst = append(dst, b[:n]...)
		b = b[n:]
	}
	return dst
}

// triple returns where the first three equal bytes begin, or the length.
func triple(b []byte) int {
	i := 0
	for ; i+10 <= len(b); i += 8 {
		x := binary.LittleEndian.Uint64(b[i:])
		y := binary.LittleEndian.Uint64(b[i+1:])
		z := binary.LittleEndian.Uint64(b[i+2:])
		d := (x ^ y) | (y ^ z)
		// The lowest zero byte of d is found exactly; those above it may be false.
		if hit := (d - 0x0101010101010101) &^ d & 0x8080808080808080; hit != 0 {
			return i + bits.TrailingZeros64(hit)/8
		}
	}
	for ; i+3 <= len(b); i++ {
		if b[i] == b[i+1] && b[i] == b[i+2] {
			return i
		}
	}
	return len(b)
}

// same returns how many bytes from the first on equal it, at most a run's length.
func same(b []byte) int {
	b = b[:min(len(b), maxRun)]
	word := uint64(b[0]) * 0x0101010101010101
	i := 0
	for ; i+8 <= len(b); i += 8 {
		if d := binary.LittleEndian.Uint64(b[i:]) ^ word; d != 0 {
			return i + bits.TrailingZeros64(d)/8
		}
	}
	for i < len(b) && b[i] == b[0] {
		i++
	}
	return i
}
