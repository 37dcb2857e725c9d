package dicom

import (
	"slices"
	"sync"
)

// scratch is memory that a decoder borrows. What the data set keeps of it is copied out at
// its true size, which nobody knows before; what outgrows it is kept as it is.
type scratch struct {
	recs [1024]record
	buf  [mostChunk]byte
}

var scratches = sync.Pool{New: func() any { return new(scratch) }}

// lend has b work in borrowed memory.
func (m *scratch) lend(b *builder) {
	b.st.recs = m.recs[:0]
	if b.src.buf == nil {
		b.src.buf = m.buf[:0]
	}
}

// settle gives the data set memory of its own, and m back.
func (m *scratch) settle(b *builder) {
	if n := len(b.st.recs); n <= len(m.recs) {
		b.st.recs = slices.Clone(b.st.recs)
	}
	b.st.buf = b.src.buf[:b.src.pos:b.src.pos]
	if len(b.src.buf) > 0 && &b.src.buf[0] == &m.buf[0] {
		b.st.buf = slices.Clone(b.st.buf)
	}
	scratches.Put(m)
}
