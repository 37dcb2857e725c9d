//go:build !noasm

package pixel

import (
	"bytes"
	"testing"
)

// FuzzColors compares the assembly with the plain loops, and looks whether it writes
// elsewhere.
func FuzzColors(f *testing.F) {
	if !vectors {
		f.Skip("NO AVX2: the assembly was not compared with anything")
	}
	every := make([]byte, 3*1000)
	for k := range every {
		every[k] = byte(k * 89 >> (k % 3))
	}
	for _, n := range []int{0, 3, 24, 27, 28, 30, 51, 72, 75, 76, 3000} {
		f.Add(every[:n])
	}
	f.Fuzz(func(t *testing.T, px []byte) {
		px = px[:len(px)/3*3]
		defer func() { vectors = true }()
		var rgb, ybr [2][]byte
		for k := range 2 {
			vectors = k == 0
			rgb[k] = append(bytes.Clone(px), "behind"...)
			toRGB(rgb[k][:len(px)], 1, 8)
			ybr[k] = appendYBR([]byte("before"), px)
		}
		if !bytes.Equal(rgb[0], rgb[1]) {
			t.Errorf("to RGB: %v, not %v", rgb[0], rgb[1])
		}
		if !bytes.Equal(ybr[0], ybr[1]) {
			t.Errorf("to YCbCr: %v, not %v", ybr[0], ybr[1])
		}
	})
}
