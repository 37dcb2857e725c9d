package jpegll

import (
	"bytes"
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

// TestRoundTrip codes noise and pictures over the whole parameter space.
func TestRoundTrip(t *testing.T) {
	sizes := [][2]int{{1, 1}, {1, 4}, {5, 1}, {7, 9}, {33, 17}}
	for bits := 2; bits <= 16; bits++ {
		for predictor := 0; predictor <= 7; predictor++ {
			for comps := 1; comps <= 4; comps++ {
				size := sizes[(bits+predictor+comps)%len(sizes)]
				for _, rows := range []int{0, 1, 3} {
					i := Info{Width: size[0], Height: size[1], Components: comps, Bits: bits, Predictor: predictor}
					m := image(i)
					for _, px := range [][]byte{m.Noise(1), m.CT(2), m.Flat(3)} {
						roundTrip(t, px, i, EncodeOptions{RestartRows: rows})
						i.PointTransform = (bits + predictor) % bits
						roundTrip(t, px, i, EncodeOptions{RestartRows: rows})
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
	i.Predictor = max(i.Predictor, 1)
	back, got, err := Decode([]byte("kept"), coded[4:], DecodeOptions{})
	if err != nil || got != i || string(back[:4]) != "kept" || !bytes.Equal(back[4:], truncated(px, i)) {
		t.Fatalf("%+v %+v: came out different (%+v, %v)", i, o, got, err)
	}
	if got, err := DecodeInfo(coded[4:]); err != nil || got != i {
		t.Fatalf("%+v: header read as %+v (%v)", i, got, err)
	}
}

// truncated has the lowest bits zero that the point transform leaves out.
func truncated(px []byte, i Info) []byte {
	out := bytes.Clone(px)
	for k := range out {
		shift := i.PointTransform
		if i.Bits > 8 && k%2 == 1 {
			shift -= 8
		}
		out[k] &^= byte(1<<max(min(shift, 8), 0) - 1)
	}
	return out
}

// TestExtremes has differences of every category, 32768 among them.
func TestExtremes(t *testing.T) {
	var px []byte
	for k := range 17 {
		v := 1<<k - 1
		px = append(px, 0, 0, byte(v), byte(v>>8), 0, 0x80, byte(k), 0)
	}
	for p := 1; p <= 7; p++ {
		roundTrip(t, px, Info{Width: 17, Height: 4, Components: 1, Bits: 16, Predictor: p}, EncodeOptions{})
	}
}

// TestScans decodes components that come in scans of their own, in another order than in
// the frame, with predictors of their own.
func TestScans(t *testing.T) {
	i := Info{Width: 19, Height: 11, Components: 3, Bits: 12}
	px := image(i).CT(4)
	stream := marker.Append([]byte{0xff, marker.SOI}, marker.SOF3, 12, 0, 11, 0, 19, 3, 10, 0x11, 0, 11, 0x11, 0, 12, 0x11, 0)
	for _, c := range []int{2, 0, 1} {
		var one []byte
		for k := 2 * c; k < len(px); k += 6 {
			one = append(one, px[k], px[k+1])
		}
		coded, err := Encode(nil, one, Info{Width: 19, Height: 11, Components: 1, Bits: 12, Predictor: c + 3}, EncodeOptions{})
		if err != nil {
			t.Fatal(err)
		}
		dht := bytes.Index(coded, []byte{0xff, marker.DHT})
		sos := bytes.Index(coded, []byte{0xff, marker.SOS})
		coded[sos+5] = byte(10 + c)
		stream = append(stream, coded[dht:len(coded)-2]...)
	}
	got, info, err := Decode(nil, append(stream, 0xff, marker.EOI), DecodeOptions{})
	if err != nil || !bytes.Equal(got, px) || info.Predictor != 5 {
		t.Fatalf("%+v %v", info, err)
	}
	if _, _, err := Decode(nil, append(stream[:len(stream):len(stream)], stream[bytes.LastIndex(stream, []byte{0xff, marker.SOS}):]...), DecodeOptions{}); err != nil {
		t.Errorf("what follows the last scan is nobody's business: %v", err)
	}
	cut := stream[:bytes.LastIndex(stream, []byte{0xff, marker.DHT})]
	if _, _, err := Decode(nil, append(cut, 0xff, marker.EOI), DecodeOptions{}); err == nil {
		t.Error("a scan was missing and nobody said so")
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

// TestCut cuts a stream everywhere: there is an error, and rows that are right or zero.
func TestCut(t *testing.T) {
	for _, o := range []EncodeOptions{{}, {RestartRows: 2}} {
		i := Info{Width: 9, Height: 8, Components: 1, Bits: 12, Predictor: 7}
		stream, px := coded(t, i, o)
		for n := range len(stream) - 2 {
			got, _, err := Decode(bytes.Repeat([]byte{0xee}, 999)[:0], stream[:n], DecodeOptions{Partial: true})
			if err == nil {
				t.Fatalf("%d of %d bytes decoded without error", n, len(stream))
			}
			for y := 0; y*18 < len(got); y++ {
				row := got[y*18:][:18]
				if !bytes.Equal(row, px[y*18:][:18]) && !bytes.Equal(row, make([]byte, 18)) {
					t.Fatalf("cut at %d: row %d is neither right nor empty", n, y)
				}
			}
			if got, _, err := Decode(nil, stream[:n], DecodeOptions{}); err == nil || len(got) != 0 {
				t.Fatalf("cut at %d: %d bytes (%v)", n, len(got), err)
			}
		}
	}
}

// TestHostile changes single bytes of a header.
func TestHostile(t *testing.T) {
	stream, _ := coded(t, Info{Width: 9, Height: 8, Components: 3, Bits: 12}, EncodeOptions{RestartRows: 1})
	sof, dht := bytes.Index(stream, []byte{0xff, marker.SOF3}), bytes.Index(stream, []byte{0xff, marker.DHT})
	sos, dri := bytes.Index(stream, []byte{0xff, marker.SOS}), bytes.Index(stream, []byte{0xff, marker.DRI})
	tests := map[string][2]int{
		"baseline":            {sof + 1, 0xc0},
		"arithmetic":          {sof + 1, 0xcb},
		"1 bit":               {sof + 4, 1},
		"17 bits":             {sof + 4, 17},
		"much higher":         {sof + 5, 0xff},
		"zero width":          {sof + 8, 0},
		"five components":     {sof + 9, 5},
		"no components":       {sof + 9, 0},
		"subsampled":          {sof + 11, 0x22},
		"length":              {sof + 3, 200},
		"table class":         {dht + 4, 0x10},
		"table number":        {dht + 4, 4},
		"too many codes":      {dht + 5, 3},
		"interval of 8":       {dri + 5, 8},
		"scan of nothing":     {sos + 4, 0},
		"another component":   {sos + 5, 77},
		"component twice":     {sos + 7, 1},
		"missing table":       {sos + 6, 0x30},
		"predictor 0":         {sos + 11, 0},
		"predictor 8":         {sos + 11, 8},
		"point transform":     {sos + 13, 12},
		"no start":            {0, 0},
		"second frame header": {dht + 1, marker.SOF3},
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
}

// TestEncodeRefuses gives what cannot be coded.
func TestEncodeRefuses(t *testing.T) {
	good := Info{Width: 2, Height: 1, Components: 1, Bits: 12}
	for name, change := range map[string]func(*Info, *EncodeOptions){
		"width":           func(i *Info, _ *EncodeOptions) { i.Width = 3 },
		"1 bit":           func(i *Info, _ *EncodeOptions) { i.Bits = 1 },
		"9 bits":          func(i *Info, _ *EncodeOptions) { i.Bits = 9 },
		"predictor":       func(i *Info, _ *EncodeOptions) { i.Predictor = 8 },
		"point transform": func(i *Info, _ *EncodeOptions) { i.PointTransform = 12 },
		"restart":         func(_ *Info, o *EncodeOptions) { o.RestartRows = 1 << 15 },
		"5 components":    func(i *Info, _ *EncodeOptions) { i.Components = 5 },
	} {
		i, o := good, EncodeOptions{}
		change(&i, &o)
		if got, err := Encode([]byte{1}, []byte{1, 2, 3, 4}, i, o); err == nil || len(got) != 1 {
			t.Errorf("%s: no error", name)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, i := range []Info{{3, 4, 1, 8, 1, 0, false}, {5, 2, 3, 12, 7, 1, false}, {2, 2, 2, 16, 4, 0, false}} {
		stream, _ := coded(f, i, EncodeOptions{RestartRows: 1})
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
	f.Fuzz(func(t *testing.T, px []byte, width, comps, bits, predictor, shift, restart uint8) {
		i := Info{Width: int(width), Components: int(comps), Bits: int(bits), Predictor: int(predictor), PointTransform: int(shift)}
		if i.check() == nil || i.Width == 0 || i.Components == 0 || i.Components > 4 || i.Bits < 2 || i.Bits > 16 {
			return
		}
		i.Height = min(len(px)/(i.Width*i.Components*i.bytesPerSample()), 500)
		px = px[:i.Size()]
		for k := range px {
			if i.Bits <= 8 || k%2 == 1 {
				px[k] &= byte(1<<((i.Bits-1)%8+1) - 1)
			}
		}
		if i.check() == nil {
			roundTrip(t, px, i, EncodeOptions{RestartRows: int(restart)})
		}
	})
}

func BenchmarkCodec(b *testing.B) {
	for name, i := range map[string]Info{
		"CT16": {Width: 512, Height: 512, Components: 1, Bits: 16, Predictor: 1},
		"CT12": {Width: 512, Height: 512, Components: 1, Bits: 12, Predictor: 1},
		"P7":   {Width: 512, Height: 512, Components: 1, Bits: 12, Predictor: 7},
		"CT8":  {Width: 512, Height: 512, Components: 1, Bits: 8, Predictor: 1},
		"RGB8": {Width: 512, Height: 512, Components: 3, Bits: 8, Predictor: 1},
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
