//go:build !noasm

package jpeg

import (
	"encoding/binary"
	"slices"
	"testing"
)

// FuzzVectors compares the assembly with its plain twins, also for coefficients that no
// encoder makes.
func FuzzVectors(f *testing.F) {
	if !vectors {
		f.Skip("NO AVX2: the assembly was not compared with anything")
	}
	seed := make([]byte, 4*64)
	for k := range seed {
		seed[k] = byte(k * k * 7)
	}
	f.Add(seed, false, uint8(90))
	f.Add(seed[3:], true, uint8(2))
	f.Add(make([]byte, 4*64), true, uint8(50))
	f.Fuzz(func(t *testing.T, data []byte, wide bool, quality uint8) {
		const stride = 11
		precision := 8
		if wide {
			precision = 12
		}
		data = append(data, make([]byte, 4*64)...)
		var c, d [64]int32
		var in [8 * stride]uint16
		for k := range c {
			c[k] = int32(binary.LittleEndian.Uint32(data[4*k:]))
			in[k] = uint16(c[k]) & (1<<precision - 1)
		}
		d = c
		var a, b [8 * stride]uint16
		idctAVX2(&c, &a[0], stride, newIDCTShifts(precision))
		idctPlain(&d, b[:], stride, newIDCTShifts(precision))
		if a != b {
			t.Fatalf("inverse: %v, not %v", a, b)
		}
		fdctAVX2(&c, &in[0], stride, newFDCTShifts(precision))
		fdctPlain(&d, in[:], stride, newFDCTShifts(precision))
		if c != d {
			t.Fatalf("forward: %v, not %v", c, d)
		}
		q := newQuantizer(&luminance, 1+int(quality)%100, precision)
		var x, y [64]int16
		filled := ^quantizeAVX2(&x, &c, &q.half, &q.magic)
		if want := q.quantizePlain(&y, &c); !q.coarse && (x != y || filled != want) {
			t.Fatalf("quantized: %v %x, not %v %x", x, filled, y, want)
		}
	})
}

// FuzzLines compares how lines are taken out of an image and halved, and looks whether the
// assembly writes elsewhere.
func FuzzLines(f *testing.F) {
	if !vectors {
		f.Skip("NO AVX2: the assembly was not compared with anything")
	}
	every := make([]byte, 3*500)
	for k := range every {
		every[k] = byte(k * 89 >> (k % 3))
	}
	for _, n := range []int{3, 45, 48, 51, 96, 99, 195, 1500} {
		f.Add(every[:n], uint8(n%3))
	}
	f.Fuzz(func(t *testing.T, px []byte, k uint8) {
		width := len(px) / 3
		if width == 0 {
			return
		}
		defer func() { vectors = true }()
		var lines, halves [2][]uint16
		for i := range 2 {
			vectors = i == 0
			e := encoder{px: px[:3*width]}
			e.info = Info{Width: width, Height: 1, Components: 3, Bits: 8}
			lines[i] = make([]uint16, width+16)
			e.pick(lines[i][:width], int(k%3), 0)
			halves[i] = make([]uint16, width)
			halve(halves[i][:(width+1)/2], lines[i][:width])
		}
		if !slices.Equal(lines[0], lines[1]) {
			t.Errorf("line: %v, not %v", lines[0], lines[1])
		}
		if !slices.Equal(halves[0], halves[1]) {
			t.Errorf("halves: %v, not %v", halves[0], halves[1])
		}
	})
}

// TestPlain runs what else the assembly would do through the plain functions.
func TestPlain(t *testing.T) {
	defer func(v bool) { vectors = v }(vectors) // without AVX2 it is off anyway
	vectors = false
	TestEncode(t)
	TestInverse(t)
	TestOursDecodesTurbo(t)
	TestTurboDecodesOurs(t)
}
