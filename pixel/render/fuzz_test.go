package render

import (
	"testing"

	"gantry/dicom/tag"
	"gantry/dicom/vr"
	"gantry/pixel"
)

// FuzzLUT reads hostile tables, plain and segmented: no panic, no entries beyond what the
// descriptor says, and an image wherever there is no error.
func FuzzLUT(f *testing.F) {
	f.Add(descriptor(2, 5, 16), []byte{0, 1, 0, 2}, false, false)
	f.Add(descriptor(6, 0, 16), []byte{0, 0, 1, 0, 0, 10, 1, 0, 2, 0, 0, 14, 2, 0, 2, 0, 0, 0, 0, 0}, true, true)
	f.Add(descriptor(6, -1, 8), []byte{0, 1, 10, 1, 2, 14, 2, 2, 0, 0, 0, 0}, true, false)
	f.Fuzz(func(t *testing.T, desc, data []byte, segmented, signed bool) {
		if len(desc) > 64 || len(data) > 1<<17 {
			return
		}
		tags := 1
		if segmented {
			tags = 2
		}
		d := with(form(2, 8, 8), func(d *pixel.Desc) { d.Photometric, d.Signed = pixel.PaletteColor, signed })
		ds := palettes(t, desc, tags, data, data, data)
		l, err := readPalette(ds, palette[0], signed)
		if err == nil && (len(l.data) == 0 || len(l.data) > maxEntries) {
			t.Fatalf("%d entries", len(l.data))
		}
		m, err2 := Samples(ds, d, []byte{0, 200}, 0, Options{})
		if (err == nil) != (err2 == nil) || err2 == nil && len(pix(m)) != 8 {
			t.Fatalf("%v, %v", err, err2)
		}
		item := build(t, edit().SetBytes(tag.LUTDescriptor, vr.US, desc).SetBytes(tag.LUTData, vr.OW, data))
		for _, sequence := range []tag.Tag{tag.ModalityLUTSequence, tag.VOILUTSequence} {
			grey := with(d, func(d *pixel.Desc) { d.Photometric = pixel.Monochrome2 })
			m, err := Samples(build(t, edit().SetItems(sequence, item)), grey, []byte{0, 200}, 0, Options{})
			if err == nil && len(pix(m)) != 2 {
				t.Fatalf("%d pixels", len(pix(m)))
			}
		}
	})
}
