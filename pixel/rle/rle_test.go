package rle

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"gantry/pixel/internal/codectest"
)

func sizes() [][2]int {
	return [][2]int{{1, 1}, {1, 3}, {2, 1}, {3, 2}, {7, 5}, {8, 8}, {127, 3}, {128, 2}, {129, 2}, {300, 31}, {4097, 2}, {65535, 1}}
}

// TestRoundTrip codes noise, pictures and flat images of every form.
func TestRoundTrip(t *testing.T) {
	for _, size := range sizes() {
		for _, comps := range []int{1, 2, 3, 4, 15} {
			for _, bits := range []int{8, 16, 24, 32} {
				for _, planar := range []bool{false, true} {
					i := Info{Width: size[0], Height: size[1], Components: comps, Bits: bits}
					if comps*bits/8 <= maxSegments {
						roundTrip(t, i, planar)
					}
				}
			}
		}
		roundTrip(t, Info{Width: size[0], Height: size[1], Components: 1, Bits: 1}, false)
	}
}

func roundTrip(t *testing.T, i Info, planar bool) {
	n := (i.Width*i.Height*i.Components*i.Bits + 7) / 8
	m := codectest.Image{Width: n, Height: 1, Samples: 1, Allocated: 8, Stored: 8}
	for k, px := range [][]byte{m.Noise(1), m.CT(2), m.Flat(3), make([]byte, n)} {
		coded, err := Encode([]byte("kept"), px, i, EncodeOptions{Planar: planar})
		if err != nil {
			t.Fatalf("%+v: %v", i, err)
		}
		back, err := Decode([]byte("kept"), coded[4:], i, DecodeOptions{Planar: planar})
		if err != nil || !bytes.Equal(back[4:], px) || string(back[:4]) != "kept" || string(coded[:4]) != "kept" {
			t.Fatalf("%+v planar %v image %d: came out different (%v)", i, planar, k, err)
		}
		if len(coded)%2 == 1 {
			t.Errorf("%+v: %d bytes", i, len(coded)-4)
		}
	}
}

// TestStandardForm checks single rows against the text of PS3.5 G.3.1.
func TestStandardForm(t *testing.T) {
	for in, want := range map[string]string{
		"a":         "\x00a",
		"aa":        "\xffa",
		"ab":        "\x01ab",
		"aaa":       "\xfea",
		"aab":       "\x02aab",
		"abbc":      "\x03abbc",
		"abbbc":     "\x00a\xfeb\x00c",
		"aaaaabbbb": "\xfca\xfdb",
	} {
		if got := string(appendRow(nil, []byte(in))); got != want {
			t.Errorf("%q became %q, not %q", in, got, want)
		}
	}
	if got := appendRow(nil, bytes.Repeat([]byte{7}, 259)); string(got) != "\x81\x07\x81\x07\xfe\x07" {
		t.Errorf("259 equal bytes became %x", got)
	}
}

// TestPaddedBits decodes one-bit pixels that have a byte each in their segment.
func TestPaddedBits(t *testing.T) {
	for _, n := range []int{2, 7, 8, 9, 4095, 4097, 10000} {
		i := Info{Width: n, Height: 1, Components: 1, Bits: 1}
		packed := codectest.Image{Width: (n + 7) / 8, Height: 1, Samples: 1, Allocated: 8, Stored: 8}.Noise(5)
		packed[len(packed)-1] &= byte(1<<((n-1)%8+1) - 1)
		padded := make([]byte, n)
		for k := range padded {
			padded[k] = packed[k/8] >> (k % 8) & 1
		}
		coded, err := Encode(nil, padded, Info{Width: n, Height: 1, Components: 1, Bits: 8}, EncodeOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := Decode(nil, coded, i, DecodeOptions{}); err != nil || !bytes.Equal(got, packed) {
			t.Errorf("%d pixels came out different (%v)", n, err)
		}
	}
}

func header(n uint32, offsets ...uint32) []byte {
	b := make([]byte, headerSize)
	for k, v := range append([]uint32{n}, offsets...) {
		b[4*k], b[4*k+1], b[4*k+2], b[4*k+3] = byte(v), byte(v>>8), byte(v>>16), byte(v>>24)
	}
	return b
}

// TestHostile feeds streams that lie.
func TestHostile(t *testing.T) {
	one := Info{Width: 4, Height: 1, Components: 1, Bits: 16}
	tests := map[string]struct {
		src []byte
		i   Info
	}{
		"empty":              {nil, one},
		"half a header":      {make([]byte, 63), one},
		"no segments":        {header(0), one},
		"sixteen segments":   {header(16, 64), one},
		"many segments":      {header(1<<31, 64), one},
		"one segment only":   {append(header(1, 64), 3, 1, 2, 3, 4), one},
		"offset in header":   {header(2, 10, 64), one},
		"offset behind end":  {header(2, 64, 1<<31), one},
		"offsets descend":    {append(header(2, 70, 64), make([]byte, 20)...), one},
		"nothing there":      {header(2, 64, 64), one},
		"literal cut":        {append(header(2, 64, 66), 127, 1, 253, 9), one},
		"only no-operations": {append(header(2, 64, 66), 128, 128, 128, 128), one},
		"run without value":  {append(header(2, 64, 67), 253, 9, 253), one},
		"bomb":               {append(header(1, 64), 129, 0), Info{60000, 60000, 1, 8}},
		"too many pixels":    {make([]byte, 1<<20), Info{60000, 60000, 1, 8}},
		"negative":           {header(1, 64), Info{-1, -1, 1, 8}},
		"huge sides":         {header(1, 64), Info{1 << 62, 1 << 62, 1, 8}},
		"64 bits, 3 samples": {header(15, 64), Info{1, 1, 3, 64}},
		"12 bits":            {header(1, 64), Info{1, 1, 1, 12}},
	}
	for name, c := range tests {
		got, err := Decode([]byte{1}, c.src, c.i, DecodeOptions{})
		var f FormatError
		var u UnsupportedError
		if !errors.As(err, &f) && !errors.As(err, &u) || len(got) != 1 {
			t.Errorf("%s: %d bytes and error %v", name, len(got), err)
		}
	}
}

// TestPartial checks that what a stream lacks is zero, whatever was in the buffer.
func TestPartial(t *testing.T) {
	i := Info{Width: 4, Height: 1, Components: 1, Bits: 16}
	dirty := bytes.Repeat([]byte{0xee}, 64)
	for _, c := range []struct {
		src  []byte
		want string
	}{
		{append(header(2, 64, 67), 1, 9, 8, 253, 7), "\x07\x09\x07\x08\x07\x00\x07\x00"},
		{append(header(2, 64, 66), 253, 9, 0), "\x00\x09\x00\x09\x00\x09\x00\x09"},
		{append(header(1, 64), 253, 9), "\x00\x09\x00\x09\x00\x09\x00\x09"},
	} {
		got, err := Decode(dirty[:0], c.src, i, DecodeOptions{Partial: true})
		if err == nil || string(got) != c.want {
			t.Errorf("%x came out as %x, not %x (%v)", c.src[64:], got, c.want, err)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, bits := range []int{1, 8, 16, 32} {
		i := Info{Width: 5, Height: 3, Components: 1, Bits: bits}
		coded, err := Encode(nil, make([]byte, (15*bits+7)/8), i, EncodeOptions{})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(coded, 5, 3, 1, bits, true)
	}
	f.Fuzz(func(t *testing.T, src []byte, w, h, comps, bits int, planar bool) {
		i := Info{Width: w, Height: h, Components: comps, Bits: bits}
		o := DecodeOptions{Planar: planar, Limits: Limits{MaxPixels: 1 << 16}}
		got, err := Decode(nil, src, i, o)
		o.Partial = true
		part, perr := Decode(bytes.Repeat([]byte{0xee}, 99)[:0], src, i, o)
		if (err == nil) != (perr == nil) {
			t.Fatalf("%v but partial %v", err, perr)
		}
		if err != nil {
			return
		}
		if !bytes.Equal(got, part) {
			t.Fatal("an intact frame depends on Partial, or on the buffer")
		}
		coded, err := Encode(nil, got, i, EncodeOptions{Planar: planar})
		if err != nil {
			t.Fatal(err)
		}
		if back, err := Decode(nil, coded, i, o); err != nil || !bytes.Equal(back, got) {
			t.Fatalf("a decoded frame came out different (%v)", err)
		}
	})
}

func FuzzEncode(f *testing.F) {
	f.Add([]byte("aaabbcdddd"), 5)
	f.Fuzz(func(t *testing.T, px []byte, width int) {
		if width < 1 || width > 1000 || len(px) < width {
			return
		}
		i := Info{Width: width, Height: min(len(px)/width, 60000), Components: 1, Bits: 8}
		px = px[:i.Width*i.Height]
		coded, err := Encode(nil, px, i, EncodeOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if back, err := Decode(nil, coded, i, DecodeOptions{}); err != nil || !bytes.Equal(back, px) {
			t.Fatalf("came out different (%v)", err)
		}
	})
}

func benchImages() map[string]codectest.Image {
	return map[string]codectest.Image{
		"CT16": {Width: 512, Height: 512, Samples: 1, Allocated: 16, Stored: 12},
		"CT8":  {Width: 512, Height: 512, Samples: 1, Allocated: 8, Stored: 8},
		"RGB8": {Width: 512, Height: 512, Samples: 3, Allocated: 8, Stored: 8},
	}
}

func BenchmarkCodec(b *testing.B) {
	for name, m := range benchImages() {
		px := m.CT(1)
		i := Info{Width: m.Width, Height: m.Height, Components: m.Samples, Bits: m.Allocated}
		coded, err := Encode(nil, px, i, EncodeOptions{})
		if err != nil {
			b.Fatal(err)
		}
		b.Run(fmt.Sprintf("Encode/%s", name), func(b *testing.B) {
			b.SetBytes(int64(len(px)))
			var dst []byte
			for b.Loop() {
				dst, _ = Encode(dst[:0], px, i, EncodeOptions{})
			}
		})
		b.Run(fmt.Sprintf("Decode/%s", name), func(b *testing.B) {
			b.SetBytes(int64(len(px)))
			var dst []byte
			for b.Loop() {
				dst, _ = Decode(dst[:0], coded, i, DecodeOptions{})
			}
		})
	}
}
