package bits

import "encoding/binary"

// LSReader is a Reader for JPEG-LS, where not a byte but a zero bit follows each byte FF
// (ITU-T T.87 A.1): the byte behind it has seven bits.
type LSReader struct {
	Src  []byte
	Pos  int    // of the next byte; never behind a marker, nor right behind a byte FF
	Acc  uint64 // the next bits, the first one uppermost; zeros behind them
	N    int    // how many bits Acc has
	Made int    // see Reader
}

// Fill makes N at least 33.
func (r *LSReader) Fill() {
	if r.N <= 32 && r.Pos+4 <= len(r.Src) {
		if w := binary.BigEndian.Uint32(r.Src[r.Pos:]); !HasFF(w) {
			r.Acc |= uint64(w) << (32 - r.N)
			r.N += 32
			r.Pos += 4
			return
		}
	}
	r.Acc, r.N, r.Pos = r.Refill(r.Acc, r.N, r.Pos)
}

// Refill adds byte by byte until n is at least 49.
func (r *LSReader) Refill(acc uint64, n, pos int) (uint64, int, int) {
	for n <= 48 {
		switch {
		case pos < len(r.Src) && r.Src[pos] != 0xff:
			acc |= uint64(r.Src[pos]) << (56 - n)
			pos++
			n += 8
		case pos+1 < len(r.Src) && r.Src[pos+1] < 0x80:
			acc |= (0xff<<7 | uint64(r.Src[pos+1])) << (49 - n)
			pos += 2
			n += 15
		default:
			r.Made += 8
			n += 8
		}
	}
	return acc, n, pos
}

// Take returns the next n bits, at most 32.
func (r *LSReader) Take(n int) uint32 {
	if r.N < n {
		r.Fill()
	}
	v := uint32(r.Acc >> 32 >> (32 - n))
	r.Acc <<= n
	r.N -= n
	return v
}

// Exhausted reports whether bits were used that the segment does not have.
func (r *LSReader) Exhausted() bool { return r.Made > r.N }

// Restart drops the bits left and begins anew at pos.
func (r *LSReader) Restart(pos int) {
	*r = LSReader{Src: r.Src, Pos: pos}
}

// LSWriter appends bits to Dst as LSReader reads them.
type LSWriter struct {
	Dst   []byte
	Acc   uint64 // bits that wait, the last one lowest
	N     int    // how many wait
	after bool   // the last byte is FF
}

// Put appends the lower n bits of v, at most 32, which has no others.
func (w *LSWriter) Put(v uint32, n int) {
	w.Acc = w.Acc<<n | uint64(v)
	w.N += n
	if w.N >= 32 {
		w.Drain()
	}
}

// Drain moves whole bytes to Dst, where 32 bits or more wait.
func (w *LSWriter) Drain() {
	if v := uint32(w.Acc >> (w.N - 32)); !w.after && !HasFF(v) {
		w.Dst = binary.BigEndian.AppendUint32(w.Dst, v)
		w.N -= 32
		return
	}
	for w.N >= 8 {
		w.put()
	}
}

// size is how many bits the next byte has.
func (w *LSWriter) size() int {
	if w.after {
		return 7
	}
	return 8
}

// put moves one byte.
func (w *LSWriter) put() {
	n := w.size()
	b := byte(w.Acc >> (w.N - n) & (1<<n - 1))
	w.Dst = append(w.Dst, b)
	w.N -= n
	w.after = b == 0xff
}

// Flush appends the bits that wait, the last byte filled up with zeros, and what a last
// byte FF needs behind it.
func (w *LSWriter) Flush() {
	for w.N > 0 {
		if n := w.size(); w.N < n {
			w.Acc, w.N = w.Acc<<(n-w.N), n
		}
		w.put()
	}
	if w.after {
		w.Dst = append(w.Dst, 0)
	}
	w.Acc, w.N, w.after = 0, 0, false
}
