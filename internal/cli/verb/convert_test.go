package verb

import (
	"testing"

	"gantry/pixel"
)

// TestDifference compares samples by their width and sign.
func TestDifference(t *testing.T) {
	for _, c := range []struct {
		what   string
		x, y   []byte
		bits   int
		signed bool
		want   int64
	}{
		{"equal", []byte{1, 2, 3}, []byte{1, 2, 3}, 8, false, 0},
		{"bytes", []byte{1, 250, 3}, []byte{1, 2, 3}, 8, false, 248},
		{"signed bytes", []byte{1, 250, 3}, []byte{1, 2, 3}, 8, true, 8},
		{"words", []byte{0, 1, 0xFF, 0}, []byte{0xFF, 0, 0xFF, 0}, 16, false, 1},
		{"signed words", []byte{0xFF, 0xFF}, []byte{1, 0}, 16, true, 2},
		{"long words", []byte{0, 0, 1, 0}, []byte{0, 0, 0, 0}, 32, false, 65536},
		{"bits", []byte{0b1000}, []byte{0b0000}, 1, false, 8},
	} {
		if got := difference(c.x, c.y, pixel.Desc{BitsAllocated: c.bits, Signed: c.signed}); got != c.want {
			t.Errorf("%s: %d, want %d", c.what, got, c.want)
		}
	}
	if difference([]byte{1}, nil, pixel.Desc{BitsAllocated: 8}) == 0 {
		t.Error("different lengths are equal")
	}
}
