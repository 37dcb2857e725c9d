package dicom

import (
	"slices"
	"sync"
)

// Memory is what a decoder works in. It is for programs that read one data set after the
// other and are done with each before the next: DecodeOptions.Memory. The zero value is
// ready; it must not be used by two goroutines at a time.
type Memory struct {
	recs [1024]record
	buf  [mostChunk]byte
}

// memories are lent to decoders that have none. What the data set keeps is copied out at
// its true size, which nobody knows before; what outgrows them is kept as it is.
var memories = sync.Pool{New: func() any { return new(Memory) }}

// lend has b work in the memory of its options, or in a borrowed one.
func (b *builder) lend() *Memory {
	m := b.o.Memory
	if m == nil {
		m = memories.Get().(*Memory)
	}
	b.st.recs = m.recs[:0]
	if b.src.buf == nil {
		b.src.buf = m.buf[:0]
	}
	return m
}

// settle gives the data set memory of its own, and m back, unless it is the caller's.
func (b *builder) settle(m *Memory) {
	b.st.buf = b.src.buf[:b.src.pos:b.src.pos]
	if b.o.Memory != nil {
		return
	}
	if n := len(b.st.recs); n <= len(m.recs) {
		b.st.recs = slices.Clone(b.st.recs)
	}
	if len(b.src.buf) > 0 && &b.src.buf[0] == &m.buf[0] {
		b.st.buf = slices.Clone(b.st.buf)
	}
	memories.Put(m)
}
