package j2k

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"math/rand/v2"
	"slices"
	"testing"
)

// refined writes the two refining passes of a block: which samples they speak of is worked
// out here by a plain map of what is significant.
type refined struct {
	w, h   int
	v      []int32
	causal bool
	known  map[[2]int]bool
	spp    bitSink
	mrp    bitSink
}

func (r *refined) magnitude(x, y int) int32 { return max(r.v[y*r.w+x], -r.v[y*r.w+x]) }

func (r *refined) near(x, y int) bool {
	for dy := -1; dy <= 1; dy++ {
		for dx := -1; dx <= 1; dx++ {
			if dy == 1 && r.causal && y%4 == 3 {
				continue
			}
			if (dx != 0 || dy != 0) && r.known[[2]int{x + dx, y + dy}] {
				return true
			}
		}
	}
	return false
}

// write fills the two sinks for the lowest bit.
func (r *refined) write() {
	r.spp.room(2 * r.w * r.h)
	r.mrp.room(r.w * r.h)
	r.known = map[[2]int]bool{}
	for y := range r.h {
		for x := range r.w {
			if r.magnitude(x, y) > 1 {
				r.known[[2]int{x, y}] = true
			}
		}
	}
	for y0 := 0; y0 < r.h; y0 += 4 {
		for x := range r.w {
			for y := y0; y < min(y0+4, r.h); y++ {
				if m := r.magnitude(x, y); m > 1 {
					r.mrp.put(uint64(m&1), 1)
				}
			}
		}
	}
	for y0 := 0; y0 < r.h; y0 += 4 {
		for x0 := 0; x0 < r.w; x0 += 4 {
			var signs []uint64
			for x := x0; x < min(x0+4, r.w); x++ {
				for y := y0; y < min(y0+4, r.h); y++ {
					if r.known[[2]int{x, y}] || !r.near(x, y) {
						r.lose(x, y)
						continue
					}
					m := uint64(r.magnitude(x, y))
					if r.spp.put(m, 1); m == 1 {
						r.known[[2]int{x, y}] = true
						signs = append(signs, uint64(uint32(r.v[y*r.w+x])>>31))
					}
				}
			}
			for _, s := range signs {
				r.spp.put(s, 1)
			}
		}
	}
}

// lose forgets a sample that no pass speaks of.
func (r *refined) lose(x, y int) {
	if r.magnitude(x, y) == 1 && !r.known[[2]int{x, y}] {
		r.v[y*r.w+x] = 0
	}
}

// segment is both passes: one from the front, one from the end.
func (r *refined) segment() []byte {
	n, m := r.spp.bits(), r.mrp.bits()
	front := stuff(nil, append(r.spp.close(), 0xFF), n+16) // ones behind are not looked at
	var back []byte
	from := r.mrp.close()
	for at, last := uint(0), byte(0xFF); at < m; {
		k := uint(8)
		if last > 0x8F && look(from, at)&0x7F == 0x7F {
			k = 7
		}
		last = byte(look(from, at) & (1<<k - 1))
		back, at = append(back, last), at+k
	}
	slices.Reverse(back)
	return append(front, back...)
}

// stream puts a block into a codestream without decompositions.
func (r *refined) stream(t *testing.T, passes, empty int) []byte {
	i := Info{Width: r.w, Height: r.h, Components: 1, Bits: 16, Signed: true}
	code := appendMain(nil, i, EncodeOptions{HT: true, Levels: -1})
	if at := bytes.Index(code, []byte{mCOD >> 8, mCOD & 0xFF}); r.causal {
		code[at+12] |= styleCausal
	}
	stride := (r.w + 1) &^ 1
	data := make([]uint32, stride*((r.h+1)&^1))
	for k, v := range r.v {
		data[k/r.w*stride+k%r.w] = uint32(max(v, -v)>>1)<<1 | uint32(v)>>31
	}
	first, _ := encodeHT(new(htEncoder), data, stride)
	second := r.segment()
	h := newHeaderWriter(nil)
	h.bits(3, 2) // there is something; the block is included
	for range 16 + 3 - 1 - 2 - empty {
		h.bit(0)
	}
	h.bit(1)
	writePasses(&h, passes+3*empty)
	room := 20
	for range room - 3 {
		h.bit(1)
	}
	h.bit(0)
	h.bits(len(first), room+bits.Len(uint(3*empty+1))-1)
	if passes > 1 {
		h.bits(len(second), room+passes-2)
	} else {
		second = nil
	}
	at := len(code)
	code = append(appendSOT(code, 0, 1), mSOD>>8, mSOD&0xFF)
	code = append(append(append(code, h.end()...), first...), second...)
	binary.BigEndian.PutUint32(code[at+6:], uint32(len(code)-at))
	return append(code, mEOC>>8, mEOC&0xFF)
}

// TestRefine decodes blocks with refining passes, as no encoder here makes them: as the
// test says, and as OpenJPEG does.
func TestRefine(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for _, size := range [][2]int{{1, 1}, {4, 4}, {5, 7}, {16, 9}, {64, 64}, {33, 61}} {
		for _, top := range []int32{2, 3, 6, 300} {
			for passes := 1; passes <= 3; passes++ {
				for _, causal := range []bool{false, true} {
					r := &refined{w: size[0], h: size[1], causal: causal, v: make([]int32, size[0]*size[1])}
					for i := range r.v {
						if rnd.IntN(3) > 0 {
							r.v[i] = rnd.Int32N(2*top+1) - top
						}
					}
					r.v[0] = top // a block of zeros is none
					r.write()
					code := r.stream(t, passes, 0)
					got, _, err := Decode(nil, code, DecodeOptions{})
					if err != nil {
						t.Fatalf("%v %d %d %v: %v", size, top, passes, causal, err)
					}
					if theirs := reference(t, code, 1, 2); !bytes.Equal(got, theirs) {
						t.Errorf("%v, up to %d, %d passes, causal %v: OpenJPEG is %d off", size, top, passes, causal, worst(got, theirs, 2, true))
					}
					for i, v := range r.v {
						if w := int32(int16(binary.LittleEndian.Uint16(got[2*i:]))); passes == 3 && w != v {
							t.Fatalf("%v, up to %d, causal %v: sample %d is %d, want %d", size, top, causal, i, w, v)
						}
					}
					// Passes in front that are none say nothing else.
					if again, _, err := Decode(nil, r.stream(t, passes, 2), DecodeOptions{}); err != nil || !bytes.Equal(again, got) {
						t.Errorf("%v: with empty passes: %v", size, err)
					}
				}
			}
		}
	}
}
