package bits

import "encoding/binary"

// Writer appends bits to Dst. Hot loops copy Acc and N to variables of their own.
type Writer struct {
	Dst []byte
	Acc uint64 // bits that wait, the last one lowest
	N   int    // how many wait
}

// Put appends the lower n bits of v, at most 32, which has no others.
func (w *Writer) Put(v uint32, n int) {
	w.Acc = w.Acc<<n | uint64(v)
	w.N += n
	if w.N >= 32 {
		w.N -= 32
		w.Dst = AppendWord(w.Dst, uint32(w.Acc>>w.N))
	}
}

// AppendWord appends four bytes and stuffs them.
func AppendWord(dst []byte, v uint32) []byte {
	if !HasFF(v) {
		return binary.BigEndian.AppendUint32(dst, v)
	}
	for shift := 24; shift >= 0; shift -= 8 {
		dst = appendStuffed(dst, byte(v>>shift))
	}
	return dst
}

func appendStuffed(dst []byte, b byte) []byte {
	if b == 0xff {
		return append(dst, b, 0)
	}
	return append(dst, b)
}

// Flush appends the bits that wait, the last byte filled up with ones (T.81 F.1.2.3).
func (w *Writer) Flush() {
	for ; w.N >= 8; w.N -= 8 {
		w.Dst = appendStuffed(w.Dst, byte(w.Acc>>(w.N-8)))
	}
	if w.N > 0 {
		w.Dst = appendStuffed(w.Dst, byte(w.Acc<<(8-w.N))|0xff>>w.N)
	}
	w.Acc, w.N = 0, 0
}
