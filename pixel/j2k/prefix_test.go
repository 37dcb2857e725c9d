package j2k

import (
	"bytes"
	"fmt"
	"testing"

	"gantry/pixel/internal/codectest"
)

// checkPrefixes decodes every resolution from as many bytes as it needs, and from three
// bytes less, the last two of which may only mark the end of a packet header.
func checkPrefixes(t *testing.T, src []byte) {
	t.Helper()
	info, err := DecodeInfo(src)
	if err != nil {
		t.Fatal(err)
	}
	last := int64(len(src))
	for r := 1; r <= info.Levels; r++ {
		n, err := PrefixLength(src, r)
		if err != nil || n > last {
			t.Fatalf("reduced by %d: %d bytes of %d, %v", r, n, last, err)
		}
		last = n
		want, _, err := Decode(nil, src, DecodeOptions{Reduce: r})
		if err != nil {
			t.Fatal(err)
		}
		got, _, err := Decode(nil, src[:n:n], DecodeOptions{Reduce: r})
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("reduced by %d, from %d bytes: %v, equal %v", r, n, err, bytes.Equal(got, want))
		}
		if _, _, err := Decode(nil, src[:n-3:n-3], DecodeOptions{Reduce: r}); err == nil {
			t.Errorf("reduced by %d, from three bytes less: no error", r)
		}
	}
	if _, err := PrefixLength(src, info.Levels+1); err == nil {
		t.Error("more reductions than levels")
	}
	if _, err := PrefixLength(src[:len(src)-9], 1); err == nil {
		t.Error("a stream that is cut")
	}
}

// TestPrefixForeign is about OpenJPEG's streams of all progressions, tiles and tile-parts.
func TestPrefixForeign(t *testing.T) {
	m := codectest.Image{Width: 67, Height: 63, Samples: 3, Allocated: 8, Stored: 8}
	for _, v := range variants {
		t.Run(v.name, func(t *testing.T) { checkPrefixes(t, theirs(t, m, m.CT(1), v.args)) })
	}
}

// TestPrefix is about our own streams: by resolution, the lengths in TLM say the same as
// the packets, and a small image takes few bytes.
func TestPrefix(t *testing.T) {
	m := codectest.Image{Width: 517, Height: 390, Samples: 1, Allocated: 16, Stored: 12}
	for _, ht := range []bool{false, true} {
		for _, step := range []float64{0, 2} {
			t.Run(fmt.Sprint(ht, step), func(t *testing.T) {
				code, err := Encode(nil, m.CT(1), infoOf(m), EncodeOptions{HT: ht, Step: step, ByResolution: true})
				if err != nil {
					t.Fatal(err)
				}
				checkPrefixes(t, code)
				i := bytes.Index(code, []byte{mTLM >> 8, mTLM & 0xFF})
				tlm := code[i+6 : i+2+be16(code[i+2:])]
				at := bytes.Index(code, []byte{mSOT >> 8, mSOT & 0xFF, 0, 10})
				levels := len(tlm)/5 - 1
				if levels != 5 {
					t.Fatalf("%d levels", levels)
				}
				for r := levels; r >= 0; r-- {
					at += int(be32(tlm[1:]))
					tlm = tlm[5:]
					if n, err := PrefixLength(code, r); err != nil || n != int64(at) {
						t.Errorf("reduced by %d: %d bytes, TLM says %d; %v", r, n, at, err)
					}
				}
				if at != len(code)-2 {
					t.Errorf("tile-parts end at %d of %d", at, len(code))
				}
			})
		}
	}
}
