package pixel

import (
	"slices"
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
		more := slices.Insert(slices.Clone(code), len(code)-2, 0x12, 0x34)
		got, out, err := Builtin().Decode(nil, more, d, syntax, Limits{})
		if refused := syntax == uid.JPEGLSLossless; (err != nil) != refused || !refused && (out.Flaw == "" || !slices.Equal(got, want)) {
			t.Errorf("%s with more: %q, %v", syntax.Name(), out.Flaw, err)
		}
	}
}
