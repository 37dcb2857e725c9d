package jpeg

import (
	"bytes"
	"encoding/hex"
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"gantry/pixel/internal/marker"
)

// TestInverse compares the integer transform with the definition (T.81 A.3.3).
func TestInverse(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for round := range 300 {
		precision := 8 + 4*(round%2)
		var c [64]int32
		var f [64]float64
		for k := range 1 + round%20 {
			c[zigzag[k]] = int32(r.NormFloat64() * float64(int(30)<<precision) / 256)
			f[zigzag[k]] = float64(c[zigzag[k]])
		}
		want := inverse(&f, precision)
		var got [64]uint16
		p := newIDCTShifts(precision)
		if idct(&c, got[:], 8, p); round%20 == 0 {
			flat(int32(f[0]), got[:], 8, p)
		}
		for k := range got {
			if d := float64(got[k]) - want[k]; math.Abs(d) > 0.6 {
				t.Fatalf("round %d: sample %d is off by %g", round, k, d)
			}
		}
	}
}

func inverse(f *[64]float64, precision int) (out [64]float64) {
	norm := func(u int) float64 {
		if u == 0 {
			return math.Sqrt2 / 2
		}
		return 1
	}
	for k := range out {
		sum := 0.0
		for u, v := range f {
			a := math.Cos(float64(2*(k%8)+1) * float64(u%8) * math.Pi / 16)
			b := math.Cos(float64(2*(k/8)+1) * float64(u/8) * math.Pi / 16)
			sum += norm(u%8) * norm(u/8) * v * a * b / 4
		}
		top := float64(int(1)<<precision) - 1
		out[k] = min(max(sum+(top+1)/2, 0), top)
	}
	return out
}

// small is a stream of 16 x 8 samples, two blocks of nothing but DC, 16 and 17 steps of 8.
func small(t testing.TB) []byte {
	t.Helper()
	b := []byte{0xff, marker.SOI}
	b = marker.Append(b, marker.DQT, append([]byte{0}, bytes.Repeat([]byte{8}, 64)...)...)
	b = marker.Append(b, marker.SOF0, 8, 0, 8, 0, 16, 1, 1, 0x11, 0)
	dht, err := hex.DecodeString("00" + "00020000000000000000000000000000" + "0105" + "10" + "01000000000000000000000000000000" + "00")
	if err != nil {
		t.Fatal(err)
	}
	b = marker.Append(b, marker.DHT, dht...)
	b = marker.Append(b, marker.SOS, 1, 1, 0, 0, 63, 0)
	// DC: code 01, then 10000 (16); AC: 0 ends the block. DC: 00, 1 (1); AC 0; ones.
	return append(b, 0b01100000, 0b00101111, 0xff, marker.EOI)
}

// TestSmall decodes a stream made by hand.
func TestSmall(t *testing.T) {
	got, i, err := Decode([]byte("kept"), small(t), DecodeOptions{})
	if err != nil || i.Width != 16 || i.Height != 8 || string(got[:4]) != "kept" {
		t.Fatalf("%+v %v", i, err)
	}
	for k, v := range got[4:] {
		if want := byte(128 + 16 + k%16/8); v != want {
			t.Fatalf("sample %d is %d, not %d", k, v, want)
		}
	}
}

// TestHostile changes single bytes, and cuts.
func TestHostile(t *testing.T) {
	stream := small(t)
	sof, dht := bytes.Index(stream, []byte{0xff, marker.SOF0}), bytes.Index(stream, []byte{0xff, marker.DHT})
	sos := bytes.Index(stream, []byte{0xff, marker.SOS})
	tests := map[string][2]int{
		"lossless":            {sof + 1, marker.SOF3},
		"arithmetic":          {sof + 1, 0xc9},
		"7 bits":              {sof + 4, 7},
		"16 bits":             {sof + 4, 16},
		"much higher":         {sof + 5, 0xff},
		"zero width":          {sof + 8, 0},
		"two components":      {sof + 9, 2},
		"no components":       {sof + 9, 0},
		"sampled 0 x 1":       {sof + 11, 0x01},
		"sampled 1 x 5":       {sof + 11, 0x15},
		"table 4":             {sof + 12, 4},
		"table missing":       {sof + 12, 1},
		"table class":         {dht + 4, 0x20},
		"too many codes":      {dht + 5, 3},
		"scan of nothing":     {sos + 4, 0},
		"another component":   {sos + 5, 77},
		"Huffman table":       {sos + 6, 0x11},
		"no start":            {0, 0},
		"second frame header": {dht + 1, marker.SOF0},
		"progressive":         {sof + 1, marker.SOF0 + 2},
	}
	for name, c := range tests {
		bad := bytes.Clone(stream)
		bad[c[0]] = byte(c[1])
		refused(t, name, bad)
	}
	for n := range len(stream) - 3 {
		refused(t, "cut", stream[:n])
	}
}

func refused(t *testing.T, name string, src []byte) {
	t.Helper()
	got, _, err := Decode([]byte{1}, src, DecodeOptions{})
	var f FormatError
	var u UnsupportedError
	if !errors.As(err, &f) && !errors.As(err, &u) || len(got) != 1 {
		t.Errorf("%s (%d bytes): %d bytes and error %v", name, len(src), len(got), err)
	}
}

// TestPartial decodes the first block of two.
func TestPartial(t *testing.T) {
	stream := small(t)
	got, i, err := Decode(bytes.Repeat([]byte{0xee}, 200)[:0], stream[:len(stream)-3], DecodeOptions{Partial: true})
	if err == nil || int64(len(got)) != i.Size() || got[0] != 144 {
		t.Errorf("%d bytes of %+v (%v)", len(got), i, err)
	}
	if _, _, err := Decode(nil, stream, DecodeOptions{Limits: Limits{MaxPixels: 127}}); err == nil {
		t.Error("128 pixels where 127 are allowed")
	}
}

func FuzzDecode(f *testing.F) {
	stream := small(f)
	f.Add(stream)
	f.Add(bytes.Replace(stream, []byte{0xff, marker.SOF0}, []byte{0xff, marker.SOF0 + 2}, 1))
	f.Fuzz(func(t *testing.T, src []byte) {
		o := DecodeOptions{Limits: Limits{MaxPixels: 1 << 16}}
		got, info, err := Decode(nil, src, o)
		o.Partial = true
		part, _, perr := Decode(bytes.Repeat([]byte{0xee}, 999)[:0], src, o)
		if (err == nil) != (perr == nil) || err == nil && !bytes.Equal(got, part) {
			t.Fatalf("%v but partial %v", err, perr)
		}
		if err == nil && int64(len(got)) != info.Size() {
			t.Fatalf("%d bytes of %+v", len(got), info)
		}
	})
}

// TestSupposed tells colours that a marker names from those that are only supposed.
func TestSupposed(t *testing.T) {
	i := Info{Width: 8, Height: 8, Components: 3, Bits: 8, YCbCr: true}
	b, err := Encode(nil, make([]byte, i.Size()), i, EncodeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := DecodeInfo(b); err != nil || got.Supposed || !got.YCbCr {
		t.Errorf("%+v %v", got, err)
	}
	at := bytes.Index(b, []byte("Adobe")) - 4
	bare := append(bytes.Clone(b[:at]), b[at+16:]...)
	if got, err := DecodeInfo(bare); err != nil || !got.Supposed || !got.YCbCr {
		t.Errorf("without the marker: %+v %v", got, err)
	}
}
