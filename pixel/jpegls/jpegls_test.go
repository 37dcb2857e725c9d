package jpegls

import (
	"bytes"
	"encoding/hex"
	"errors"
	"testing"

	"gantry/pixel/internal/codectest"
	"gantry/pixel/internal/marker"
)

func image(i Info) codectest.Image {
	return codectest.Image{
		Width: i.Width, Height: i.Height, Samples: i.Components,
		Allocated: 8 * i.bytesPerSample(), Stored: i.Bits,
	}
}

// TestRoundTrip codes noise, pictures and flat images over the whole parameter space.
func TestRoundTrip(t *testing.T) {
	sizes := [][2]int{{1, 1}, {1, 4}, {5, 1}, {7, 9}, {33, 17}, {300, 3}}
	for bits := 2; bits <= 16; bits++ {
		for near := range 4 {
			for comps := 1; comps <= 4; comps++ {
				for mode := None; mode <= Sample; mode++ {
					size := sizes[(bits+near+comps+int(mode))%len(sizes)]
					i := Info{Width: size[0], Height: size[1], Components: comps, Bits: bits, Near: near, Interleave: mode}
					if near > (1<<bits-1)/2 {
						continue
					}
					m := image(i)
					for k, px := range [][]byte{m.Noise(1), m.CT(2), m.Flat(3), make([]byte, m.FrameBytes())} {
						roundTrip(t, px, i, EncodeOptions{RestartLines: k})
					}
				}
			}
		}
	}
}

func roundTrip(t *testing.T, px []byte, i Info, o EncodeOptions) {
	t.Helper()
	coded, err := Encode([]byte("kept"), px, i, o)
	if err != nil {
		t.Fatalf("%+v: %v", i, err)
	}
	if i.Components == 1 {
		i.Interleave = None
	}
	if i.Preset != (Preset{}) || i.Bits > 12 {
		i.Preset, _ = i.resolve()
	}
	back, got, err := Decode([]byte("kept"), coded[4:], DecodeOptions{})
	if err != nil || got != i || string(back[:4]) != "kept" || !within(back[4:], px, i) {
		t.Fatalf("%+v %+v: came out different (%+v, %v)", i, o, got, err)
	}
	if got, err := DecodeInfo(coded[4:]); err != nil || got != i {
		t.Fatalf("%+v: header read as %+v (%v)", i, got, err)
	}
}

// within reports whether no sample is farther off than allowed.
func within(got, want []byte, i Info) bool {
	if i.Near == 0 || len(got) != len(want) {
		return bytes.Equal(got, want)
	}
	n := i.bytesPerSample()
	for k := 0; k < len(got); k += n {
		d := int(got[k]) - int(want[k])
		if n == 2 {
			d += 256 * (int(got[k+1]) - int(want[k+1]))
		}
		if max(d, -d) > i.Near {
			return false
		}
	}
	return true
}

// TestPresets codes with parameters of the caller's.
func TestPresets(t *testing.T) {
	for _, p := range []Preset{
		{MaxVal: 200}, {T1: 9, T2: 9, T3: 9}, {Reset: 3}, {Reset: 255},
		{MaxVal: 250, T1: 5, T2: 20, T3: 250, Reset: 31}, {MaxVal: 1}, {MaxVal: 127, T1: 2, T2: 2, T3: 127},
	} {
		for _, near := range []int{0, 1} {
			i := Info{Width: 21, Height: 13, Components: 3, Bits: 8, Near: near, Interleave: Line, Preset: p}
			if p.MaxVal == 1 {
				i.Near = 0
			}
			px := image(i).Noise(3)
			if p.MaxVal > 0 {
				for k := range px {
					px[k] = byte(int(px[k]) * p.MaxVal / 255)
				}
			}
			roundTrip(t, px, i, EncodeOptions{})
		}
	}
}

// TestAnnexH codes the example of T.87 H.3, a picture of 4 x 4 samples.
func TestAnnexH(t *testing.T) {
	px := []byte{0, 0, 90, 74, 68, 50, 43, 205, 64, 145, 145, 145, 100, 145, 145, 145}
	const want = "ffd8fff7000b080004000401011100ffda0008010100000000" + "c000006c80208e01c0000057400000 6ee60000 01bc1800 0005d800 0091 60" + "ffd9"
	coded, err := Encode(nil, px, Info{Width: 4, Height: 4, Components: 1, Bits: 8}, EncodeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	clean, _ := hex.DecodeString(string(bytes.ReplaceAll([]byte(want), []byte(" "), nil)))
	if !bytes.Equal(coded, clean) {
		t.Errorf("%x\n%x", coded, clean)
	}
}

func coded(t testing.TB, i Info, o EncodeOptions) (stream, px []byte) {
	t.Helper()
	px = image(i).CT(9)
	stream, err := Encode(nil, px, i, o)
	if err != nil {
		t.Fatal(err)
	}
	return stream, px
}

// TestCut cuts a stream everywhere: there is an error, and lines that are right or zero.
func TestCut(t *testing.T) {
	for _, o := range []EncodeOptions{{}, {RestartLines: 2}} {
		i := Info{Width: 9, Height: 8, Components: 1, Bits: 12}
		stream, px := coded(t, i, o)
		for n := range len(stream) - 2 {
			got, _, err := Decode(bytes.Repeat([]byte{0xee}, 999)[:0], stream[:n], DecodeOptions{Partial: true})
			for y := 0; y*18 < len(got); y++ {
				row := got[y*18:][:18]
				if !bytes.Equal(row, px[y*18:][:18]) && !bytes.Equal(row, make([]byte, 18)) {
					t.Fatalf("cut at %d: line %d is neither right nor empty", n, y)
				}
			}
			if err == nil && !bytes.Equal(got, px) {
				t.Fatalf("%d of %d bytes decoded without error", n, len(stream))
			}
			if got, _, err2 := Decode(nil, stream[:n], DecodeOptions{}); (err == nil) != (err2 == nil) || err2 != nil && len(got) != 0 {
				t.Fatalf("cut at %d: %d bytes (%v)", n, len(got), err2)
			}
		}
	}
}

// TestHostile changes single bytes of a header.
func TestHostile(t *testing.T) {
	i := Info{Width: 9, Height: 8, Components: 3, Bits: 12, Interleave: Line, Preset: Preset{Reset: 63}}
	stream, _ := coded(t, i, EncodeOptions{RestartLines: 1})
	sof, lse := bytes.Index(stream, []byte{0xff, marker.SOF55}), bytes.Index(stream, []byte{0xff, marker.LSE})
	sos, dri := bytes.Index(stream, []byte{0xff, marker.SOS}), bytes.Index(stream, []byte{0xff, marker.DRI})
	tests := map[string][2]int{
		"baseline":            {sof + 1, 0xc0},
		"1 bit":               {sof + 4, 1},
		"17 bits":             {sof + 4, 17},
		"much higher":         {sof + 5, 0xff},
		"zero width":          {sof + 8, 0},
		"five components":     {sof + 9, 5},
		"no components":       {sof + 9, 0},
		"subsampled":          {sof + 11, 0x22},
		"length":              {sof + 3, 200},
		"oversize":            {lse + 4, 4},
		"unknown parameters":  {lse + 4, 9},
		"greatest sample":     {lse + 5, 0xff},
		"first threshold":     {lse + 7, 0xff},
		"reset 0":             {lse + 14, 2},
		"lines missing":       {dri + 5, 7},
		"scan of nothing":     {sos + 4, 0},
		"another component":   {sos + 5, 77},
		"component twice":     {sos + 7, 1},
		"mapping table":       {sos + 6, 1},
		"not interleaved":     {sos + 12, 0},
		"interleave mode 3":   {sos + 12, 3},
		"point transform":     {sos + 13, 1},
		"no start":            {0, 0},
		"second frame header": {lse + 1, marker.SOF55},
	}
	for name, c := range tests {
		bad := bytes.Clone(stream)
		bad[c[0]] = byte(c[1])
		got, _, err := Decode([]byte{1}, bad, DecodeOptions{})
		var f FormatError
		var u UnsupportedError
		if !errors.As(err, &f) && !errors.As(err, &u) || len(got) != 1 {
			t.Errorf("%s: %d bytes and error %v", name, len(got), err)
		}
	}
	if _, _, err := Decode(nil, stream, DecodeOptions{Limits: Limits{MaxPixels: 71}}); err == nil {
		t.Error("72 pixels where 71 are allowed")
	}
	bomb := marker.Append([]byte{0xff, marker.SOI}, marker.SOF55, 8, 0xff, 0xff, 0xff, 0xff, 1, 1, 0x11, 0)
	bomb = append(marker.Append(bomb, marker.SOS, 1, 1, 0, 0, 0, 0), 1, 2, 3)
	if _, _, err := Decode(nil, bomb, DecodeOptions{Limits: Limits{MaxPixels: -1}}); err == nil {
		t.Error("three bytes held 4 G pixels")
	}
}

// TestEncodeRefuses gives what cannot be coded.
func TestEncodeRefuses(t *testing.T) {
	good := Info{Width: 2, Height: 1, Components: 1, Bits: 12}
	for name, change := range map[string]func(*Info, *EncodeOptions){
		"width":          func(i *Info, _ *EncodeOptions) { i.Width = 3 },
		"1 bit":          func(i *Info, _ *EncodeOptions) { i.Bits = 1 },
		"9 bits":         func(i *Info, _ *EncodeOptions) { i.Bits = 9 },
		"greatest":       func(i *Info, _ *EncodeOptions) { i.Preset.MaxVal = 1000 },
		"greatest above": func(i *Info, _ *EncodeOptions) { i.Preset.MaxVal = 4096 },
		"near":           func(i *Info, _ *EncodeOptions) { i.Near = 256 },
		"interleave":     func(i *Info, _ *EncodeOptions) { i.Interleave = 3 },
		"thresholds":     func(i *Info, _ *EncodeOptions) { i.Preset.T1, i.Preset.T2 = 9, 8 },
		"restart":        func(_ *Info, o *EncodeOptions) { o.RestartLines = 1 << 16 },
		"5 components":   func(i *Info, _ *EncodeOptions) { i.Components = 5 },
	} {
		i, o := good, EncodeOptions{}
		change(&i, &o)
		if got, err := Encode([]byte{1}, []byte{1, 2, 3, 4}, i, o); err == nil || len(got) != 1 {
			t.Errorf("%s: no error", name)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for k, i := range []Info{
		{Width: 3, Height: 4, Components: 1, Bits: 8}, {Width: 5, Height: 2, Components: 3, Bits: 12, Near: 1, Interleave: Line},
		{Width: 4, Height: 4, Components: 3, Bits: 8, Interleave: Sample}, {Width: 7, Height: 3, Components: 2, Bits: 16},
	} {
		stream, _ := coded(f, i, EncodeOptions{RestartLines: k % 2})
		f.Add(stream)
	}
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

func FuzzRoundTrip(f *testing.F) {
	f.Add([]byte("0123456789abcdef"), uint8(3), uint8(1), uint8(12), uint8(4), uint8(2), uint8(1))
	f.Fuzz(func(t *testing.T, px []byte, width, comps, bits, near, mode, restart uint8) {
		i := Info{Width: int(width), Height: 1, Components: int(comps), Bits: int(bits), Near: int(near), Interleave: Interleave(mode)}
		if i.checkFrame() != nil {
			return
		}
		if _, err := i.resolve(); err != nil {
			return
		}
		if i.Height = min(len(px)/int(i.Size()), 500); i.Height == 0 {
			return
		}
		px = px[:i.Size()]
		for k := range px {
			if i.Bits <= 8 || k%2 == 1 {
				px[k] &= byte(1<<((i.Bits-1)%8+1) - 1)
			}
		}
		roundTrip(t, px, i, EncodeOptions{RestartLines: int(restart)})
	})
}

func BenchmarkCodec(b *testing.B) {
	for name, i := range map[string]Info{
		"CT16":   {Width: 512, Height: 512, Components: 1, Bits: 16},
		"CT12":   {Width: 512, Height: 512, Components: 1, Bits: 12},
		"Near2":  {Width: 512, Height: 512, Components: 1, Bits: 12, Near: 2},
		"CT8":    {Width: 512, Height: 512, Components: 1, Bits: 8},
		"Line":   {Width: 512, Height: 512, Components: 3, Bits: 8, Interleave: Line},
		"Sample": {Width: 512, Height: 512, Components: 3, Bits: 8, Interleave: Sample},
	} {
		m := image(i)
		if name == "CT16" {
			m.Stored = 12
		}
		px := m.CT(1)
		stream, err := Encode(nil, px, i, EncodeOptions{})
		if err != nil {
			b.Fatal(err)
		}
		b.Run("Encode/"+name, func(b *testing.B) {
			b.SetBytes(int64(len(px)))
			var dst []byte
			for b.Loop() {
				dst, _ = Encode(dst[:0], px, i, EncodeOptions{})
			}
		})
		b.Run("Decode/"+name, func(b *testing.B) {
			b.SetBytes(int64(len(px)))
			var dst []byte
			for b.Loop() {
				dst, _, _ = Decode(dst[:0], stream, DecodeOptions{})
			}
		})
	}
}

// TestFillBytes: fill bytes may stand before any marker, and CharLS writes one; other bytes
// that are left over tell of damage.
func TestFillBytes(t *testing.T) {
	i := Info{Width: 5, Height: 3, Components: 1, Bits: 8}
	px := []byte{1, 2, 3, 4, 5, 9, 9, 9, 9, 9, 200, 0, 200, 0, 200}
	src, err := Encode(nil, px, i, EncodeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	coded := src[:len(src)-2]
	for _, end := range []string{"\xff\xd9", "\xff\xff\xd9", "\xff\xff\xff\xd9"} {
		if got, _, err := Decode(nil, append(coded[:len(coded):len(coded)], end...), DecodeOptions{}); err != nil || !bytes.Equal(got, px) {
			t.Errorf("% x: % x, %v", end, got, err)
		}
	}
	if _, _, err := Decode(nil, append(coded[:len(coded):len(coded)], "\x12\x34\xff\xd9"...), DecodeOptions{}); err == nil {
		t.Error("data goes on unnoticed")
	}
}
