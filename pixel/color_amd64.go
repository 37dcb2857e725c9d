//go:build !noasm

package pixel

import "golang.org/x/sys/cpu"

// vectors: the machine has what the assembly needs. Tests turn it off.
var vectors = cpu.X86.HasAVX2

// Both convert n pixels, a multiple of eight and not 0. They read four bytes behind them.
// out may be in.
//
//go:noescape
func toYBRAVX2(out, in *byte, n int)

//go:noescape
func toRGBAVX2(out, in *byte, n int)

// groups is how many pixels of 8-bit samples the assembly may convert.
func groups(px []byte) int {
	if !vectors || len(px) < 28 {
		return 0
	}
	return (len(px) - 4) / 24 * 8
}

// startRGB converts as many pixels as vectors can, and returns how many bytes those are.
func startRGB(px []byte) int {
	n := groups(px)
	if n > 0 {
		toRGBAVX2(&px[0], &px[0], n)
	}
	return 3 * n
}

// startYBR is startRGB the other way; out is as long as px.
func startYBR(out, px []byte) int {
	n := groups(px)
	if n > 0 {
		toYBRAVX2(&out[:len(px)][0], &px[0], n)
	}
	return 3 * n
}
