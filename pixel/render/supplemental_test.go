package render

import (
	"testing"

	"gantry/dicom"
	"gantry/dicom/tag"
	"gantry/dicom/vr"
)

// TestSupplemental draws greys below the palette and colours from it on (PS3.3 C.7.6.19),
// only in images that say so.
func TestSupplemental(t *testing.T) {
	with := func(presentation string) *dicom.Editor {
		e := flat(5, 1).SetBytes(tag.PixelData, vr.OB, []byte{0, 100, 200, 201, 255, 0}).SetText(tag.PixelPresentation, presentation)
		for c, data := range [][]byte{{255, 0, 10, 0}, {0, 0, 20, 0}, {1, 0, 30, 0}} {
			e.SetBytes(palette[c][0], vr.US, descriptor(2, 200, 8)).SetBytes(palette[c][1], vr.OW, data)
		}
		return e
	}
	grey := []byte{0, 100, 200, 201, 255}
	coloured := []byte{0, 0, 0, 255, 100, 100, 100, 255, 255, 0, 1, 255, 10, 20, 30, 255, 10, 20, 30, 255}
	ranged := append([]byte{}, coloured...)
	copy(ranged[16:], []byte{255, 255, 255})
	limits := edit().SetBytes(tag.MinimumStoredValueMapped, vr.FD, []byte{0, 0, 0, 0, 0, 0, 0x69, 0x40}) // 200
	limits.SetBytes(tag.MaximumStoredValueMapped, vr.FD, []byte{0, 0, 0, 0, 0, 0x20, 0x69, 0x40})        // 201
	for name, c := range map[string]struct {
		e    *dicom.Editor
		want []byte
	}{
		"monochrome": {with("MONOCHROME"), grey},
		"color":      {with("COLOR"), coloured},
		"mixed":      {with("MIXED"), coloured},
		"a range":    {with("COLOR").SetItems(tag.StoredValueColorRangeSequence, build(t, limits)), ranged},
	} {
		if got := pix(renderSet(t, build(t, c.e), Options{})); string(got) != string(c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

// TestDarkPadding leaves padding black where greys are inverted.
func TestDarkPadding(t *testing.T) {
	e := flat(4, 1).SetBytes(tag.PixelData, vr.OB, []byte{0, 1, 100, 255}).SetText(tag.PhotometricInterpretation, "MONOCHROME1")
	e.SetInt(tag.PixelPaddingValue, 0).SetInt(tag.PixelPaddingRangeLimit, 1)
	ds := build(t, e)
	for dark, want := range map[bool][]byte{false: {255, 254, 155, 0}, true: {0, 0, 155, 0}} {
		if got := pix(renderSet(t, ds, Options{DarkPadding: dark})); string(got) != string(want) {
			t.Errorf("%v: %v, want %v", dark, got, want)
		}
	}
}
