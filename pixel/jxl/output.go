package jxl

import (
	"encoding/binary"
	"slices"
)

// output appends the colours of a frame, upright, in as many bytes as samples need.
func (s *stream) output(dst []byte, f *frame) []byte {
	at := len(dst)
	dst = slices.Grow(dst, int(s.info.Size()))[:at+int(s.info.Size())]
	size := s.info.SampleBytes()
	top := int32(1<<s.depth.bits - 1)
	step := s.info.Components * size
	line := make([]int32, s.width)
	for k := range s.info.Components {
		for y := range s.height {
			to, dx := s.turn(y)
			put(dst[at+k*size:], f.samples(k, y, top, line), to*step, dx*step, size, top)
		}
	}
	return dst
}

// samples returns row y of a colour, in line where they are not integers yet.
func (f *frame) samples(c, y int, top int32, line []int32) []int32 {
	if f.planes == nil {
		return f.image.channels[c].row(y)
	}
	for x, v := range f.planes[c].row(y) {
		line[x] = int32(max(min(int64(v*float32(top)+0.5), int64(top)), 0))
	}
	return line
}

// turn says where the first sample of row y goes in the upright image, and how far the next one
// is from it, in pixels.
func (s *stream) turn(y int) (to, dx int) {
	w, h := s.width, s.height
	switch s.orientation {
	case 2: // mirrored
		return y*w + w - 1, -1
	case 3: // upside down
		return (h-1-y)*w + w - 1, -1
	case 4:
		return (h - 1 - y) * w, 1
	case 5: // columns become rows
		return y, h
	case 6:
		return h - 1 - y, h
	case 7:
		return (w-1)*h + h - 1 - y, -h
	case 8:
		return (w-1)*h + y, -h
	}
	return y * w, 1
}

// put writes a row of samples, held between 0 and top.
func put(dst []byte, row []int32, at, step, size int, top int32) {
	for _, v := range row {
		v = min(max(v, 0), top)
		switch size {
		case 1:
			dst[at] = byte(v)
		case 2:
			binary.LittleEndian.PutUint16(dst[at:], uint16(v))
		default:
			binary.LittleEndian.PutUint32(dst[at:], uint32(v))
		}
		at += step
	}
}
