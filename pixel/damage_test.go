package pixel

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"gantry/dicom/uid"
	"gantry/pixel/internal/codectest"
)

// TestUnused tells of coded data behind the image, or refuses it.
func TestUnused(t *testing.T) {
	m := codectest.Image{Width: 33, Height: 20, Samples: 1, Allocated: 8, Stored: 8}
	px, d := m.CT(1), descOf(m)
	for syntax, lossy := range map[uid.UID]*Lossy{uid.JPEGBaseline8Bit: {}, uid.JPEGLosslessSV1: nil, uid.JPEGLSLossless: nil} {
		c, _ := Builtin().Lookup(syntax)
		code, err := c.Encoder.Encode(nil, px, d, lossy)
		if err != nil {
			t.Fatal(err)
		}
		want, out, err := Builtin().Decode(nil, code, d, syntax, Limits{})
		if err != nil || out.Flaw != "" {
			t.Errorf("%s: %q, %v", syntax.Name(), out.Flaw, err)
		}
		filled := slices.Insert(slices.Clone(code), len(code)-2, 0xFF, 0xFF) // fill bytes (T.81 B.1.1.2)
		got, out, err := Builtin().Decode(nil, filled, d, syntax, Limits{})
		if err != nil || out.Flaw != "" || !slices.Equal(got, want) {
			t.Errorf("%s with fill bytes: %q, %v", syntax.Name(), out.Flaw, err)
		}
		more := slices.Insert(slices.Clone(code), len(code)-2, 0x12, 0x34)
		got, out, err = Builtin().Decode(nil, more, d, syntax, Limits{})
		if refused := syntax == uid.JPEGLSLossless; (err != nil) != refused || !refused && (out.Flaw == "" || !slices.Equal(got, want)) {
			t.Errorf("%s with more: %q, %v", syntax.Name(), out.Flaw, err)
		}
	}
}

// TestPartial decodes the upper half of a frame whose end is missing, where that is asked for.
func TestPartial(t *testing.T) {
	for _, m := range []codectest.Image{
		{Width: 64, Height: 64, Samples: 1, Allocated: 8, Stored: 8},
		{Width: 64, Height: 64, Samples: 1, Allocated: 16, Stored: 12},
		{Width: 64, Height: 64, Samples: 3, Allocated: 8, Stored: 8},
	} {
		px, d := m.CT(1), descOf(m)
		for _, syntax := range []uid.UID{uid.RLELossless, uid.JPEGExtended12Bit, uid.JPEGBaseline8Bit, uid.JPEGLosslessSV1, uid.JPEGLSLossless, uid.JPEG2000Lossless, uid.HTJ2KLossless} {
			var lossy *Lossy
			if syntax == uid.JPEGBaseline8Bit || syntax == uid.JPEGExtended12Bit {
				lossy = &Lossy{Quality: 100}
			}
			e, err := Builtin().Encoder(syntax, d, lossy)
			if err != nil {
				continue // a form that the process has not
			}
			code, err := e.Encode(nil, px, d, lossy)
			if err != nil {
				t.Fatal(err)
			}
			whole, _, err := Builtin().Decode(nil, code, d, syntax, Limits{})
			if err != nil {
				t.Fatal(err)
			}
			cut := code[:len(code)*4/5]
			if got, _, err := Builtin().Decode([]byte{1}, cut, d, syntax, Limits{}); err == nil || len(got) != 1 {
				t.Errorf("%s %+v: %d bytes, %v", syntax.Name(), m, len(got), err)
			}
			got, out, err := Builtin().Decode([]byte{1}, cut, d, syntax, Limits{Partial: true})
			if err != nil || out.Flaw == "" || len(got) != len(px)+1 {
				t.Errorf("%s %+v: %d bytes, %q, %v", syntax.Name(), m, len(got), out.Flaw, err)
			} else if wavelet := strings.Contains(syntax.Name(), "2000"); !wavelet && syntax != uid.RLELossless && !bytes.Equal(got[1:len(px)/2], whole[:len(px)/2-1]) {
				t.Errorf("%s %+v: another upper half", syntax.Name(), m)
			}
			if _, _, err := Builtin().Decode(nil, code[:9], d, syntax, Limits{Partial: true}); err == nil {
				t.Errorf("%s %+v: nine bytes are a frame", syntax.Name(), m)
			}
		}
	}
}

// FuzzPartial decodes damaged frames as far as that goes: what is not known does not depend on
// what was in memory before.
func FuzzPartial(f *testing.F) {
	syntaxes := []uid.UID{uid.RLELossless, uid.JPEGBaseline8Bit, uid.JPEGLosslessSV1, uid.JPEGLSLossless, uid.JPEG2000Lossless, uid.HTJ2KLossless}
	images := []codectest.Image{{Width: 20, Height: 24, Samples: 1, Allocated: 8, Stored: 8}, {Width: 19, Height: 23, Samples: 3, Allocated: 8, Stored: 8}}
	for k := range len(syntaxes) * len(images) {
		f.Add(uint8(k), uint16(0), uint8(0), uint16(100))
		f.Add(uint8(k), uint16(150), uint8(0x55), uint16(0))
	}
	f.Fuzz(func(t *testing.T, which uint8, at uint16, x uint8, cut uint16) {
		syntax, m := syntaxes[int(which)%len(syntaxes)], images[int(which)/len(syntaxes)%len(images)]
		var lossy *Lossy
		if syntax == uid.JPEGBaseline8Bit {
			lossy = &Lossy{}
		}
		c, _ := Builtin().Lookup(syntax)
		code, err := c.Encoder.Encode(nil, m.CT(1), descOf(m), lossy)
		if err != nil {
			t.Fatal(err)
		}
		code[int(at)%len(code)] ^= x
		code = code[:len(code)-int(cut)%len(code)]
		var got [2][]byte
		for k, dirt := range []byte{0xEE, 0x11} {
			dirty := bytes.Repeat([]byte{dirt}, 2*m.FrameBytes())[:0]
			px, _, err := Builtin().Decode(dirty, code, descOf(m), syntax, Limits{MaxFrame: 1 << 20, Partial: true})
			if err == nil && len(px) != m.FrameBytes() || err != nil && len(px) != 0 {
				t.Fatalf("%s: %d bytes, %v", syntax.Name(), len(px), err)
			}
			got[k] = px
		}
		if !bytes.Equal(got[0], got[1]) {
			t.Fatalf("%s: samples depend on what was in memory", syntax.Name())
		}
	})
}
