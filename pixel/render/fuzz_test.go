package render

import (
	stdimage "image"
	"testing"

	"gantry/dicom"
	"gantry/dicom/tag"
	"gantry/dicom/uid"
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

// FuzzState applies hostile presentation states, overlays and shutters to a small image, as
// they come out of the decoder: no panic, no picture beyond the limit, and in time.
func FuzzState(f *testing.F) {
	for _, e := range []*dicom.Editor{stateOf(f), hostileState(f), withOverlay(stateOf(f), 0x6000, "R", -3, 2)} {
		b, err := dicom.AppendEncode(nil, build(f, e), uid.ExplicitVRLittleEndian)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	image := build(f, gradient("MONOCHROME2"))
	src := sourceOf(f, image)
	f.Fuzz(func(t *testing.T, b []byte) {
		ds, err := dicom.DecodeBytes(b, dicom.DecodeOptions{Syntax: uid.ExplicitVRLittleEndian})
		if err != nil {
			return
		}
		check := func(m stdimage.Image, err error) {
			if err == nil && m.Bounds().Dx()*m.Bounds().Dy() > maxPicture {
				t.Fatal(m.Bounds())
			}
		}
		if s, err := ReadState(ds); err == nil {
			check(Frame(t.Context(), image, src, 0, Options{State: s, Fit: stdimage.Pt(50, 50)}))
		}
		px := make([]byte, 2*40*32)
		d := with(form(40, 16, 12), func(d *pixel.Desc) { d.Rows = 32 })
		check(Samples(ds, d, px, 0, Options{Square: true, Fit: stdimage.Pt(50, 50)}))
	})
}

// FuzzOver reads hostile segmentations and doses.
func FuzzOver(f *testing.F) {
	for _, e := range []*dicom.Editor{doses(f), segmented(f, "BINARY", 1, []byte{0x53}, segFrame(f, 1, at(f, "0", "0", "0"))), segmented(f, "LABELMAP", 8, make([]byte, 8), segFrame(f, 1, naming(f, imageInstance, "1")))} {
		b, err := dicom.AppendEncode(nil, build(f, e), uid.ExplicitVRLittleEndian)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	image := build(f, placed(4, 2, "0"))
	below := sourceOf(f, image)
	f.Fuzz(func(t *testing.T, b []byte) {
		ds, err := dicom.DecodeBytes(b, dicom.DecodeOptions{Syntax: uid.ExplicitVRLittleEndian})
		if err != nil {
			return
		}
		src, err := pixel.Frames(ds, uid.ExplicitVRLittleEndian, pixel.Limits{MaxFrame: 1 << 20, MaxFrames: 100})
		if err != nil {
			return
		}
		var over []Layer
		if s, err := ReadSegmentation(ds, src); err == nil {
			over = append(over, s)
		}
		if d, err := ReadDose(t.Context(), ds, src); err == nil {
			over = append(over, d)
		}
		m, err := Frame(t.Context(), image, below, 0, Options{Over: over})
		if err == nil && m.Bounds().Size() != stdimage.Pt(4, 2) {
			t.Fatal(m.Bounds())
		}
	})
}

// hostileState has one of everything that a presentation state can have.
func hostileState(t testing.TB) *dicom.Editor {
	text := edit().SetText(tag.AnchorPointAnnotationUnits, "PIXEL").SetText(tag.AnchorPointVisibility, "Y").SetText(tag.UnformattedTextValue, "A")
	floats(text, tag.AnchorPoint, 10, 10)
	item := edit().SetText(tag.GraphicLayer, "L").SetItems(tag.TextObjectSequence, build(t, text))
	item.SetItems(tag.GraphicObjectSequence,
		build(t, graphicItem(t, "POLYLINE", "PIXEL", 1, 1, 9, 1, 9, 9, 1, 1).SetText(tag.GraphicFilled, "Y")),
		build(t, graphicItem(t, "INTERPOLATED", "DISPLAY", 0, 0, 0.5, 0.1, 1, 1)),
		build(t, graphicItem(t, "ELLIPSE", "PIXEL", 1, 1, 9, 1, 5, 0, 5, 2)))
	e := stateOf(t).SetItems(tag.GraphicLayerSequence, layerItem(t, "L", 0xFFFF)).SetItems(tag.GraphicAnnotationSequence, build(t, item))
	shutterTo(e, "RECTANGULAR", "CIRCULAR", "POLYGONAL")
	e.SetItems(tag.SoftcopyVOILUTSequence, build(t, window("1000", "500", "SIGMOID"))).SetInt(tag.ImageRotation, 90).SetText(tag.ImageHorizontalFlip, "Y")
	return withOverlay(e, 0x6002, "G", 3, 3).SetTextAs(overlayTag(0x6002, tag.OverlayActivationLayer), vr.CS, "L")
}
