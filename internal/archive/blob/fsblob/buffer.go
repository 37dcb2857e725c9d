package fsblob

import (
	"io"
	"sync"
)

// The first chunk of a staged object is small, those behind it are large, so that memory
// follows the bytes that have come and nothing is copied to grow.
const (
	firstChunk = 64 << 10
	nextChunk  = 256 << 10
)

var (
	smallChunks = sync.Pool{New: func() any { return new([firstChunk]byte) }}
	largeChunks = sync.Pool{New: func() any { return new([nextChunk]byte) }}
)

// chunks is a growing buffer. The zero value is empty.
type chunks struct {
	list [][]byte // full slices but the last
	size int64
}

// room returns the part of the last chunk that is free.
func (c *chunks) room() []byte {
	if len(c.list) == 0 {
		return nil
	}
	last := c.list[len(c.list)-1]
	return last[len(last):cap(last)]
}

// wants returns the size of the next chunk.
func (c *chunks) wants() int64 {
	if len(c.list) == 0 {
		return firstChunk
	}
	return nextChunk
}

func (c *chunks) add() {
	if len(c.list) == 0 {
		c.list = append(c.list, smallChunks.Get().(*[firstChunk]byte)[:0])
		return
	}
	c.list = append(c.list, largeChunks.Get().(*[nextChunk]byte)[:0])
}

// fill copies into the last chunk and returns how much.
func (c *chunks) fill(p []byte) int {
	n := copy(c.room(), p)
	c.filled(n)
	return n
}

// filled takes n bytes of the room.
func (c *chunks) filled(n int) {
	last := &c.list[len(c.list)-1]
	*last = (*last)[:len(*last)+n]
	c.size += int64(n)
}

// free gives all chunks back and returns the bytes they had reserved.
func (c *chunks) free() int64 {
	var n int64
	for _, b := range c.list {
		n += int64(cap(b))
		if cap(b) == firstChunk {
			smallChunks.Put((*[firstChunk]byte)(b[:firstChunk]))
		} else {
			largeChunks.Put((*[nextChunk]byte)(b[:nextChunk]))
		}
	}
	c.list, c.size = nil, 0
	return n
}

// ReadAt implements io.ReaderAt.
func (c *chunks) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 || off >= c.size {
		return 0, io.EOF
	}
	i, at := 0, off
	if off >= firstChunk {
		i, at = 1+int((off-firstChunk)/nextChunk), (off-firstChunk)%nextChunk
	}
	n := 0
	for ; n < len(p) && i < len(c.list); i, at = i+1, 0 {
		n += copy(p[n:], c.list[i][at:])
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}
