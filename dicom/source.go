package dicom

import (
	"errors"
	"io"
	"slices"
)

// source is the input of a decoder and the buffer that the data set will own. Bytes
// enter buf as they are needed; a bulk value of a random-access input is jumped over,
// so that buf holds headers and small values only.
type source struct {
	buf   []byte
	pos   int   // next byte to read in buf
	base  int64 // offset in the input of buf[0], plus all that was jumped over
	ra    io.ReaderAt
	size  int64 // of ra
	r     io.Reader
	gaps  []bulkValue // bulk values left out of a buffer that is all there is
	gap   int64       // their bytes
	chunk int
	err   error // what ended the input; io.EOF when it simply ended

	passing bool  // buf need not keep what was read
	known   int64 // size of r, or -1
}

const (
	firstChunk = 8 << 10
	mostChunk  = 64 << 10
)

// offset is where in the input the next byte to read lies.
func (s *source) offset() int64 { return s.base + int64(s.pos) }

// left is how many bytes the input still has, or -1 when nobody knows.
func (s *source) left() int64 {
	switch {
	case s.ra != nil:
		return s.size - s.offset()
	case s.passing && s.known >= 0:
		return max(s.known-s.offset(), 0)
	case s.r != nil:
		return -1
	}
	return int64(len(s.buf)-s.pos) + s.gap
}

// have makes at least n bytes available behind pos, or tells that the input is shorter.
func (s *source) have(n int) bool {
	for len(s.buf)-s.pos < n {
		if s.passing {
			s.compact()
		}
		if s.err != nil || !s.more(n-(len(s.buf)-s.pos)) {
			return false
		}
	}
	return true
}

// more reads a chunk. Where nobody knows how much there is, it never more than doubles the
// buffer at a time: a length that lies costs nothing until its bytes arrive.
func (s *source) more(want int) bool {
	if s.ra == nil && s.r == nil {
		s.err = io.EOF
		return false
	}
	s.chunk = min(max(2*s.chunk, firstChunk), mostChunk)
	n := max(want, s.chunk)
	if s.ra != nil {
		n = int(min(int64(n), s.size-s.base-int64(len(s.buf))))
	} else {
		n = min(n, max(len(s.buf), mostChunk))
	}
	if n <= 0 {
		s.err = io.EOF
		return false
	}
	if len(s.buf)+n > maxBuffer {
		s.err = errBuffer
		return false
	}
	return s.read(n)
}

var errBuffer = errors.New("more than 1 GiB outside of bulk values")

func (s *source) read(n int) bool {
	at := len(s.buf)
	s.buf = slices.Grow(s.buf, n)[:at+n]
	var got int
	if s.ra != nil {
		got, s.err = s.ra.ReadAt(s.buf[at:], s.base+int64(at))
	} else {
		got, s.err = io.ReadAtLeast(s.r, s.buf[at:], 1)
	}
	s.buf = s.buf[:at+got]
	if got > 0 && s.err == io.EOF {
		s.err = nil // the next read tells
	}
	return got > 0
}

// skip jumps over n bytes of a random-access input without keeping them.
func (s *source) skip(n int64) {
	s.base += n
	if len(s.gaps) > 0 {
		s.gap -= n
		s.gaps = s.gaps[1:]
		return
	}
	s.buf = s.buf[:s.pos]
	s.chunk = 0
}

// gapHere returns the bulk value that was left out at pos.
func (s *source) gapHere() (bulkValue, bool) {
	if len(s.gaps) == 0 || s.gaps[0].at != uint32(s.pos) {
		return bulkValue{}, false
	}
	return s.gaps[0], true
}

// rest returns what is buffered behind pos.
func (s *source) rest() []byte { return s.buf[s.pos:] }

// peek is have without a word about a value that was left out of the buffer.
func (s *source) peek(n int) bool {
	if _, gap := s.gapHere(); gap {
		return false
	}
	return s.have(n)
}

// compact drops what has been read from the buffer.
func (s *source) compact() {
	s.base += int64(s.pos)
	s.buf = s.buf[:copy(s.buf, s.buf[s.pos:])]
	s.pos = 0
}

// pass goes over n bytes that need not be kept, or over what there is of them.
func (s *source) pass(n int64) int64 {
	var went int64
	for went < n {
		here := min(n-went, int64(len(s.buf)-s.pos))
		s.pos += int(here)
		went += here
		if went == n || s.seek(n-went) {
			return n
		}
		if !s.have(1) {
			break
		}
	}
	return went
}

// seek jumps over n bytes of an input that can do so and is known to have them.
func (s *source) seek(n int64) bool {
	to, ok := s.r.(io.Seeker)
	if !ok || s.known < 0 || n < mostChunk || n > s.left() {
		return false
	}
	if _, err := to.Seek(n, io.SeekCurrent); err != nil {
		return false
	}
	s.base += int64(s.pos) + n
	s.buf, s.pos = s.buf[:0], 0
	return true
}

// readInto moves bytes into p: what the buffer has, or straight from the input if p is
// long. None means that the input has ended.
func (s *source) readInto(p []byte) int {
	if s.pos == len(s.buf) {
		if len(p) >= firstChunk && s.err == nil {
			s.compact()
			n, err := io.ReadAtLeast(s.r, p, 1)
			s.base += int64(n)
			if n == 0 {
				s.err = err
			}
			return n
		}
		if !s.have(1) {
			return 0
		}
	}
	n := copy(p, s.buf[s.pos:])
	s.pos += n
	return n
}
