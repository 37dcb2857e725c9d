package rle

import "encoding/binary"

// chunk is how much of a segment is expanded before it is put into its place.
const chunk = 4096

// unpacker expands one segment (PS3.5 G.3.2) piece by piece. Its zero value is at an end.
type unpacker struct {
	src     []byte
	pending int  // bytes left of the run that was begun
	literal bool // the run's bytes are in src; otherwise it is val over and over
	val     byte
}

// read fills dst and returns how much it could.
func (u *unpacker) read(dst []byte) int {
	at := 0
	for at < len(dst) {
		if u.pending == 0 && !u.next() {
			break
		}
		n := min(u.pending, len(dst)-at)
		if u.literal {
			n = copy(dst[at:at+n], u.src)
			u.src = u.src[n:]
			if n == 0 {
				break
			}
		} else {
			repeat(dst[at:], n, u.val)
		}
		u.pending -= n
		at += n
	}
	return at
}

// next begins a run. It reports whether there is one.
func (u *unpacker) next() bool {
	for len(u.src) > 1 {
		code := u.src[0]
		switch {
		case code < maxRun:
			u.src, u.pending, u.literal = u.src[1:], int(code)+1, true
			return true
		case code > maxRun:
			u.val, u.src, u.pending, u.literal = u.src[1], u.src[2:], 257-int(code), false
			return true
		}
		u.src = u.src[1:] // 128 says nothing
	}
	return false
}

// repeat sets the first n bytes of dst to v. It may write more of dst, in eights: what
// follows is written later.
func repeat(dst []byte, n int, v byte) {
	word := uint64(v) * 0x0101010101010101
	i := 0
	for ; i < n && i+8 <= len(dst); i += 8 {
		binary.LittleEndian.PutUint64(dst[i:], word)
	}
	for ; i < n; i++ {
		dst[i] = v
	}
}

// fill expands into all of dst, with zeros where the segment is short of bytes.
func (u *unpacker) fill(dst []byte) (short bool) {
	n := u.read(dst)
	clear(dst[n:])
	return n < len(dst)
}

// plane expands a segment whose bytes lie side by side in the image.
func plane(dst, src []byte) (short bool) {
	u := unpacker{src: src}
	return u.fill(dst)
}

// pair expands the two segments of 16 bit samples.
func pair(dst, high, low []byte) (short bool) {
	var hi, lo [chunk]byte
	uh, ul := unpacker{src: high}, unpacker{src: low}
	for len(dst) > 0 {
		n := min(len(dst)/2, chunk)
		short = uh.fill(hi[:n]) || short
		short = ul.fill(lo[:n]) || short
		weave(dst[:2*n], hi[:n], lo[:n])
		dst = dst[2*n:]
	}
	return short
}

// weave makes little endian samples of their bytes.
func weave(dst, hi, lo []byte) {
	for len(dst) >= 8 && len(hi) >= 4 && len(lo) >= 4 {
		l, h := spread(binary.LittleEndian.Uint32(lo)), spread(binary.LittleEndian.Uint32(hi))
		binary.LittleEndian.PutUint64(dst, l|h<<8)
		dst, hi, lo = dst[8:], hi[4:], lo[4:]
	}
	for i := range lo {
		dst[2*i], dst[2*i+1] = lo[i], hi[i]
	}
}

// spread puts a zero byte above each byte.
func spread(v uint32) uint64 {
	x := uint64(v)
	x = (x | x<<16) & 0x0000FFFF0000FFFF
	return (x | x<<8) & 0x00FF00FF00FF00FF
}

// scatter expands a segment whose n bytes lie step apart in the image.
func scatter(px []byte, first, step, n int, src []byte) (short bool) {
	var buf [chunk]byte
	u := unpacker{src: src}
	for n > 0 {
		part := buf[:min(n, chunk)]
		short = u.fill(part) || short
		for _, b := range part {
			px[first] = b
			first += step
		}
		n -= len(part)
	}
	return short
}

// expands reports whether a segment has n bytes or more when expanded.
func expands(src []byte, n int) bool {
	u := unpacker{src: src}
	for n > 0 && u.next() {
		n -= u.pending
		if u.literal {
			u.src = u.src[min(u.pending, len(u.src)):]
		}
	}
	return n <= 0
}

// unpadded expands a segment that has a byte for each pixel of one bit (PS3.5 G.2: padded
// composite pixel codes).
func unpadded(dst, src []byte, pixels int) error {
	var buf [chunk]byte
	u := unpacker{src: src}
	short := false
	for pixels > 0 {
		part := buf[:(min(pixels, chunk)+7)&^7]
		n := min(pixels, chunk)
		short = u.fill(part[:n]) || short
		clear(part[n:])
		for i := 0; i < n; i += 8 {
			var b byte
			for bit, v := range part[i : i+8] {
				b |= v & 1 << bit
			}
			dst[0], dst = b, dst[1:]
		}
		pixels -= n
	}
	if short {
		return FormatError("a segment ends before its image")
	}
	return nil
}
