//go:build !noasm

package j2k

import (
	"bytes"
	"encoding/binary"
	"slices"
	"testing"

	"gantry/pixel/internal/codectest"
)

// both calls f with vectors and without.
func both(t *testing.T, f func(i int)) {
	t.Helper()
	defer func(v bool) { vectors = v }(vectors)
	for i := range 2 {
		vectors = i == 0
		f(i)
	}
}

// FuzzRows compares what vectors do to rows with their plain twins, also of numbers that no
// image has.
func FuzzRows(f *testing.F) {
	if !vectors {
		f.Skip("NO AVX2: the assembly was not compared with anything")
	}
	seed := make([]byte, 4*3*70)
	for k := range seed {
		seed[k] = byte(k * k * 7 >> (k % 5))
	}
	for _, n := range []int{12, 4 * 3 * 8, 4 * 3 * 9, 4 * 3 * 17, 4 * 3 * 33, len(seed)} {
		f.Add(seed[:n], uint8(n))
	}
	f.Fuzz(func(t *testing.T, data []byte, depth uint8) {
		n := len(data) / 12
		if n < 2 {
			return
		}
		all := make([]int32, 3*n)
		for k := range all {
			all[k] = int32(binary.LittleEndian.Uint32(data[4*k:]))
		}
		var got [2][]int32
		both(t, func(i int) { got[i] = rowsDone(all, n, 1+int(depth)%16) })
		if !slices.Equal(got[0], got[1]) {
			t.Errorf("%v\nand plainly\n%v", got[0], got[1])
		}
	})
}

// rowsDone is all that vectors do, of three rows of n numbers.
func rowsDone(all []int32, n, depth int) (out []int32) {
	a, b, c := all[:n], all[n:2*n], all[2*n:]
	for _, steps := range [][]func(d, a, b []int32){rows53().steps, splitRows53().steps} {
		for _, step := range steps {
			d := slices.Clone(a)
			step(d, b, c)
			out = append(out, d...)
		}
	}
	for _, w := range []int{2*n - 1, 2 * n} {
		d := make([]int32, w)
		join32(d, a[:(w+1)/2], b[:w/2], 0)
		low, high := make([]int32, (w+1)/2), make([]int32, w/2)
		part32(low, high, all[:w])
		out = slices.Concat(out, d, low, high)
	}
	folded := make([]uint32, n)
	j := encodeJob{cb: &codeBlock{x1: int64(n), y1: 1}, b: new(band), p: &plane{w: n, i: a}}
	j.quantize(folded, n)
	for _, v := range folded {
		out = append(out, int32(v))
	}
	unfolded := job{cb: j.cb, b: j.b, c: &coding{reversible: true}, p: &plane{w: n, i: make([]int32, n)}}
	unfolded.place(folded, n)
	return slices.Concat(out, unfolded.p.i, samplesDone(a, depth))
}

// samplesDone writes samples and reads them.
func samplesDone(row []int32, depth int) (out []int32) {
	for _, signed := range []bool{false, true} {
		c := component{bits: depth, signed: signed}
		i := Info{Width: len(row), Height: 1, Components: 1, Bits: depth, Signed: signed}
		px := make([]byte, i.Size())
		c.write(px, &line{i: row}, i.SampleBytes(), i.SampleBytes())
		l := loader{src: px, info: i}
		back := make([]int32, len(row))
		l.load(back, 0)
		out = append(out, back...)
	}
	return out
}

// FuzzQuads compares vectors with their twins over whole images, and over damaged streams.
func FuzzQuads(f *testing.F) {
	if !vectors {
		f.Skip("NO AVX2: the assembly was not compared with anything")
	}
	for k := range 8 {
		f.Add(uint64(k), uint8(9*k), uint8(7*k+1), uint8(2*k), uint16(0), uint8(0))
		f.Add(uint64(k), uint8(70), uint8(20), uint8(3*k), uint16(100+50*k), uint8(1))
	}
	f.Fuzz(func(t *testing.T, seed uint64, width, height, depth uint8, at uint16, x uint8) {
		m := codectest.Image{Width: 1 + int(width), Height: 1 + int(height)%80, Samples: 1, Allocated: 16, Stored: 1 + int(depth)%16}
		if m.Stored <= 8 {
			m.Allocated = 8
		}
		for _, px := range m.Pictures(seed, 3) {
			var code, back [2][]byte
			var errs [2]error
			both(t, func(i int) {
				var err error
				if code[i], err = Encode(nil, px, infoOf(m), EncodeOptions{HT: true, Workers: 1}); err != nil {
					t.Fatal(err)
				}
				bad := bytes.Clone(code[0])
				bad[int(at)%len(bad)] ^= x
				back[i], _, errs[i] = Decode(nil, bad, DecodeOptions{Workers: 1, Partial: true, Limits: Limits{MaxPixels: 1 << 16}})
			})
			if !bytes.Equal(code[0], code[1]) {
				t.Fatal("other streams")
			}
			if (errs[0] == nil) != (errs[1] == nil) || !bytes.Equal(back[0], back[1]) {
				t.Fatalf("other samples: %v and plainly %v", errs[0], errs[1])
			}
			if x == 0 && !bytes.Equal(back[0], px) {
				t.Fatal("not the samples that were encoded")
			}
		}
	})
}
