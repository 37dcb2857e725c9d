package render

import (
	"image"
	"image/color"
	"strings"
	"testing"

	"gantry/dicom"
	"gantry/dicom/tag"
	"gantry/dicom/uid"
	"gantry/dicom/vr"
)

// darkState is a presentation state of flat that draws it black, with one layer.
func darkState(t testing.TB, w, h int64, change func(*dicom.Editor)) *State {
	t.Helper()
	e := stateOf(t).SetItems(tag.DisplayedAreaSelectionSequence, build(t, areaOf(1, 1, w, h, "SCALE TO FIT")))
	e.SetItems(tag.SoftcopyVOILUTSequence, build(t, window("1000", "2", ""))).SetItems(tag.GraphicLayerSequence, layerItem(t, "L", 0xFFFF))
	change(e)
	s, err := ReadState(build(t, e))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func floats(e *dicom.Editor, t tag.Tag, v ...float32) *dicom.Editor {
	return e.SetBytes(t, vr.FL, floatBytes(v...))
}

func graphicItem(t testing.TB, kind, units string, v ...float32) *dicom.Editor {
	e := edit().SetText(tag.GraphicAnnotationUnits, units).SetInt(tag.GraphicDimensions, 2).SetInt(tag.NumberOfGraphicPoints, int64(len(v)/2))
	return floats(e, tag.GraphicData, v...).SetText(tag.GraphicType, kind)
}

func annotation(t testing.TB, layer string, objects ...*dicom.DataSet) *dicom.DataSet {
	return build(t, edit().SetText(tag.GraphicLayer, layer).SetItems(tag.GraphicObjectSequence, objects...))
}

// TestGraphics draws each graphic type of PS3.3 C.10.5.1.2: all pixels that a line touches.
func TestGraphics(t *testing.T) {
	for name, c := range map[string]struct {
		e    *dicom.Editor
		want string
	}{
		"point": {graphicItem(t, "POINT", "PIXEL", 4.5, 3.5), `
			.........
			....#....
			....#....
			..#####..
			....#....
			....#....
			.........
		`},
		"polyline": {graphicItem(t, "POLYLINE", "PIXEL", 1.5, 1.5, 7.5, 1.5, 7.5, 5.5), `
			.........
			.#######.
			.......#.
			.......#.
			.......#.
			.......#.
			.........
		`},
		"filled": {graphicItem(t, "POLYLINE", "PIXEL", 1.5, 1.5, 7.5, 1.5, 7.5, 4.5, 1.5, 4.5, 1.5, 1.5).SetText(tag.GraphicFilled, "Y"), `
			.........
			.#######.
			.#######.
			.#######.
			.#######.
			.........
			.........
		`},
		"display units, beyond the picture": {graphicItem(t, "POLYLINE", "DISPLAY", -1, 0.5, 1e6, 0.5), `
			.........
			.........
			.........
			#########
			.........
			.........
			.........
		`},
		"circle": {graphicItem(t, "CIRCLE", "PIXEL", 4.5, 3.5, 4.5, 0.6), `
			...###...
			..##.##..
			.##...##.
			.#.....#.
			.##...##.
			..##.##..
			...###...
		`},
		"ellipse": {graphicItem(t, "ELLIPSE", "PIXEL", 0.5, 3.5, 8.5, 3.5, 4.5, 2.5, 4.5, 4.5), `
			.........
			.........
			.#######.
			#.......#
			.#######.
			.........
			.........
		`},
		"curve through points of a line": {graphicItem(t, "INTERPOLATED", "PIXEL", 0.5, 2.5, 3.5, 2.5, 8.5, 2.5), `
			.........
			.........
			#########
			.........
			.........
			.........
			.........
		`},
	} {
		t.Run(name, func(t *testing.T) {
			s := darkState(t, 9, 7, func(e *dicom.Editor) { e.SetItems(tag.GraphicAnnotationSequence, annotation(t, "L", build(t, c.e))) })
			ds := build(t, flat(9, 7))
			wantDrawing(t, renderSet(t, ds, Options{State: s}), c.want)
			wantDrawing(t, renderSet(t, ds, Options{State: s, NoGraphics: true}), strings.Repeat(".........\n", 7))
		})
	}
}

// TestLayers checks that a layer hides those of lower order, that graphics of other images
// and of no layer are not drawn, and that greys are those of the layer.
func TestLayers(t *testing.T) {
	line := build(t, graphicItem(t, "POLYLINE", "PIXEL", 0, 0.5, 4, 0.5))
	other := build(t, edit().SetUID(tag.ReferencedSOPClassUID, uid.CTImageStorage).SetUID(tag.ReferencedSOPInstanceUID, "1.2"))
	layer := func(name, order string, grey int64) *dicom.DataSet {
		return build(t, edit().SetText(tag.GraphicLayer, name).SetText(tag.GraphicLayerOrder, order).SetInt(tag.GraphicLayerRecommendedDisplayGrayscaleValue, grey))
	}
	for name, c := range map[string]struct {
		items []*dicom.DataSet
		want  byte
	}{
		"above":        {[]*dicom.DataSet{annotation(t, "TOP", line), annotation(t, "LOW", line)}, 0xC0},
		"below":        {[]*dicom.DataSet{annotation(t, "LOW", line)}, 0x40},
		"no layer":     {[]*dicom.DataSet{annotation(t, "NONE", line)}, 0},
		"not of this":  {[]*dicom.DataSet{build(t, edit().SetText(tag.GraphicLayer, "TOP").SetItems(tag.ReferencedImageSequence, other).SetItems(tag.GraphicObjectSequence, line))}, 0},
		"nothing said": {nil, 0},
	} {
		s := darkState(t, 4, 1, func(e *dicom.Editor) {
			e.SetItems(tag.GraphicLayerSequence, layer("TOP", "2", 0xC0C0), layer("LOW", "1", 0x4040), layer("LOW", "3", 0xFFFF))
			if e.SetItems(tag.GraphicAnnotationSequence, c.items...); c.items == nil {
				e.Delete(tag.GraphicAnnotationSequence)
			}
		})
		m := renderSet(t, build(t, flat(4, 1)), Options{State: s}).(*image.Gray)
		if m.Pix[2] != c.want {
			t.Errorf("%s: %#x, want %#x", name, m.Pix[2], c.want)
		}
	}
}

// TestStateOverlays checks that overlays show by activation only, in the grey of the layer,
// and that those of the state go before those of the image.
func TestStateOverlays(t *testing.T) {
	ds := build(t, withOverlay(flat(8, 4), 0x6000, "G", 1, 1))
	of := "########\n#......#\n.#....#.\n..#..#..\n"
	for name, c := range map[string]struct {
		change func(*dicom.Editor)
		want   string
	}{
		"not activated": {func(*dicom.Editor) {}, strings.Repeat("........\n", 4)},
		"of the image":  {func(e *dicom.Editor) { e.SetTextAs(overlayTag(0x6000, tag.OverlayActivationLayer), vr.CS, "L") }, of},
		"of the state": {func(e *dicom.Editor) {
			withOverlay(e, 0x6000, "G", 4, 1).SetTextAs(overlayTag(0x6000, tag.OverlayActivationLayer), vr.CS, "L")
		}, strings.Repeat("........\n", 3) + "########\n"},
		"grey": {func(e *dicom.Editor) {
			e.SetItems(tag.GraphicLayerSequence, layerItem(t, "L", 0x8000)).SetTextAs(overlayTag(0x6000, tag.OverlayActivationLayer), vr.CS, "L")
		}, strings.ReplaceAll(of, "#", "+")},
	} {
		t.Run(name, func(t *testing.T) {
			wantDrawing(t, renderSet(t, ds, Options{State: darkState(t, 8, 4, c.change)}), c.want)
		})
	}
}

// TestText draws letters into the half of the picture that their box is in, and only there.
func TestText(t *testing.T) {
	text := func(just string, x0, y0, x1, y1 float32) *dicom.DataSet {
		e := edit().SetText(tag.BoundingBoxAnnotationUnits, "DISPLAY").SetText(tag.UnformattedTextValue, "Aß\r\nЖ")
		floats(floats(e, tag.BoundingBoxTopLeftHandCorner, x0, y0), tag.BoundingBoxBottomRightHandCorner, x1, y1)
		return build(t, edit().SetText(tag.GraphicLayer, "L").SetItems(tag.TextObjectSequence, build(t, e.SetText(tag.BoundingBoxTextHorizontalJustification, just))))
	}
	for name, c := range map[string]struct {
		item *dicom.DataSet
		left bool
	}{
		"left":  {text("LEFT", 0, 0, 1, 1), true},
		"right": {text("RIGHT", 0, 0, 1, 1), false},
		"box":   {text("LEFT", 0.6, 0.2, 1, 1), false},
	} {
		s := darkState(t, 80, 40, func(e *dicom.Editor) { e.SetItems(tag.GraphicAnnotationSequence, c.item) })
		m := renderSet(t, build(t, flat(80, 40)), Options{State: s}).(*image.Gray)
		inked := [2]int{}
		for i, v := range m.Pix {
			if v > 100 {
				inked[i%80/40]++
			}
		}
		if a, b := inked[0], inked[1]; c.left && (a < 20 || b > 0) || !c.left && (b < 20 || a > 0) {
			t.Errorf("%s: %v bright pixels left and right", name, inked)
		}
	}
}

// TestDisplayedArea shows parts, turned, mirrored, enlarged, and of pixels that are no
// squares (PS3.3 C.10.4, C.10.6).
func TestDisplayedArea(t *testing.T) {
	ds := build(t, flat(4, 3).SetBytes(tag.PixelData, vr.OB, []byte{0, 255, 255, 255, 255, 0, 255, 255, 255, 255, 255, 0}))
	whole := areaOf(1, 1, 4, 3, "SCALE TO FIT")
	for name, c := range map[string]struct {
		area   *dicom.Editor
		change func(*dicom.Editor)
		o      Options
		want   string
	}{
		"whole":           {whole, nil, Options{}, ".###\n#.##\n###.\n"},
		"a part":          {areaOf(2, 2, 4, 3, "SCALE TO FIT"), nil, Options{}, ".##\n##.\n"},
		"beyond":          {areaOf(0, 0, 2, 2, "SCALE TO FIT"), nil, Options{}, "...\n..#\n.#.\n"},
		"turned":          {whole, func(e *dicom.Editor) { e.SetInt(tag.ImageRotation, 90) }, Options{}, "##.\n#.#\n###\n.##\n"},
		"upside down":     {areaOf(4, 3, 1, 1, "SCALE TO FIT"), func(e *dicom.Editor) { e.SetInt(tag.ImageRotation, 180) }, Options{}, ".###\n##.#\n###.\n"},
		"mirrored":        {whole, func(e *dicom.Editor) { e.SetText(tag.ImageHorizontalFlip, "Y") }, Options{}, "###.\n##.#\n.###\n"},
		"turned, flipped": {whole, func(e *dicom.Editor) { e.SetInt(tag.ImageRotation, 270).SetText(tag.ImageHorizontalFlip, "Y") }, Options{}, ".##\n###\n#.#\n##.\n"},
		"magnified":       {areaOf(1, 1, 2, 2, "MAGNIFY").SetBytes(tag.PresentationPixelMagnificationRatio, vr.FL, floatBytes(2)), nil, Options{Magnify: Replicate}, "..##\n..##\n##..\n##..\n"},
		"high pixels":     {areaOf(1, 1, 2, 2, "SCALE TO FIT").SetText(tag.PresentationPixelAspectRatio, "2", "1"), nil, Options{Magnify: Replicate}, ".#\n.#\n#.\n#.\n"},
		"in a box":        {areaOf(1, 1, 2, 2, "SCALE TO FIT"), nil, Options{Magnify: Replicate, Fit: image.Pt(9, 4)}, "..##\n..##\n##..\n##..\n"},
	} {
		t.Run(name, func(t *testing.T) {
			e := stateOf(t).SetItems(tag.DisplayedAreaSelectionSequence, build(t, c.area))
			if c.change != nil {
				c.change(e)
			}
			s, err := ReadState(build(t, e))
			if err != nil {
				t.Fatal(err)
			}
			c.o.State = s
			wantDrawing(t, renderSet(t, ds, c.o), c.want)
		})
	}
}

// TestSquare scales by Pixel Aspect Ratio and spacings, and never drops pixels.
func TestSquare(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*dicom.Editor)
		want   image.Point
	}{
		"square":       {func(*dicom.Editor) {}, image.Pt(40, 20)},
		"aspect ratio": {func(e *dicom.Editor) { e.SetText(tag.PixelAspectRatio, "2", "1") }, image.Pt(40, 40)},
		"wide":         {func(e *dicom.Editor) { e.SetText(tag.PixelAspectRatio, "1", "4") }, image.Pt(160, 20)},
		"spacing":      {func(e *dicom.Editor) { e.SetText(tag.PixelSpacing, "1.5", "0.5") }, image.Pt(40, 60)},
		"imager":       {func(e *dicom.Editor) { e.SetText(tag.ImagerPixelSpacing, "0.5", "1") }, image.Pt(80, 20)},
		"none":         {func(e *dicom.Editor) { e.SetText(tag.PixelAspectRatio, "0", "1") }, image.Pt(40, 20)},
		"one number":   {func(e *dicom.Editor) { e.SetText(tag.PixelSpacing, "2") }, image.Pt(40, 20)},
		"next":         {func(e *dicom.Editor) { e.SetText(tag.PixelSpacing, "0", "0").SetText(tag.ImagerPixelSpacing, "2", "1") }, image.Pt(40, 40)},
		"of frames": {func(e *dicom.Editor) {
			item := build(t, edit().SetText(tag.PixelSpacing, "3", "1"))
			e.SetItems(tag.SharedFunctionalGroupsSequence, build(t, edit().SetItems(tag.PixelMeasuresSequence, item)))
		}, image.Pt(40, 60)},
	} {
		e := flat(40, 20)
		c.change(e)
		if m := renderSet(t, build(t, e), Options{Square: true}); m.Bounds().Size() != c.want {
			t.Errorf("%s: %v, want %v", name, m.Bounds().Size(), c.want)
		}
		if m := renderSet(t, build(t, e), Options{}); m.Bounds().Size() != image.Pt(40, 20) {
			t.Errorf("%s: %v without being asked", name, m.Bounds().Size())
		}
	}
	if _, err := tryRender(build(t, flat(4, 4)), Options{Fit: image.Pt(1<<20, 1<<20)}); err == nil || !strings.Contains(err.Error(), "give a size") {
		t.Error(err)
	}
}

// TestFit checks that shrinking averages: lines of one pixel do not vanish.
func TestFit(t *testing.T) {
	px := make([]byte, 64*64)
	for i := range px {
		px[i] = byte(i % 2 * 200)
	}
	ds := build(t, flat(64, 64).SetBytes(tag.PixelData, vr.OB, px))
	for _, o := range []Options{{}, {Magnify: Cubic}, {Deep: true}, {Overlays: Overlays{Ink: color.RGBA{1, 2, 3, 255}}}} {
		o.Fit = image.Pt(7, 9)
		m := renderSet(t, ds, o)
		if m.Bounds().Size() != image.Pt(7, 7) {
			t.Fatal(m.Bounds())
		}
		for i := range 49 {
			if v := color.GrayModel.Convert(m.At(i%7, i/7)).(color.Gray).Y; v < 85 || v > 115 {
				t.Errorf("%+v: %d at %d", o, v, i)
			}
		}
	}
}

// TestStateErrors checks what states are refused, and that nothing hostile costs much.
func TestStateErrors(t *testing.T) {
	full := build(t, graphicItem(t, "POLYLINE", "DISPLAY", 0, 0, 1, 0, 1, 1, 0, 0).SetText(tag.GraphicFilled, "Y"))
	for want, change := range map[string]func(*dicom.Editor){
		"is not for frame 1":   func(e *dicom.Editor) { e.SetItems(tag.ReferencedSeriesSequence, build(t, edit())) },
		"none of 0, 90":        func(e *dicom.Editor) { e.SetInt(tag.ImageRotation, 45) },
		"neither a window nor": func(e *dicom.Editor) { e.SetItems(tag.SoftcopyVOILUTSequence, build(t, edit())) },
		"not from 0 to 1000": func(e *dicom.Editor) {
			e.SetItems(tag.DisplayedAreaSelectionSequence, build(t, areaOf(1, 1, 2, 2, "MAGNIFY").SetBytes(tag.PresentationPixelMagnificationRatio, vr.FL, floatBytes(1e9))))
		},
		"give a size": func(e *dicom.Editor) {
			e.SetItems(tag.DisplayedAreaSelectionSequence, build(t, areaOf(-1<<29, -1<<29, 1<<29, 1<<29, "SCALE TO FIT")))
		},
		"\"SPIRAL\" cannot": func(e *dicom.Editor) {
			e.SetItems(tag.GraphicAnnotationSequence, annotation(t, "L", build(t, graphicItem(t, "SPIRAL", "PIXEL", 1, 1))))
		},
		"only PIXEL and DISPLAY": func(e *dicom.Editor) {
			e.SetItems(tag.GraphicAnnotationSequence, annotation(t, "L", build(t, graphicItem(t, "POINT", "MATRIX", 1, 1))))
		},
		"wanted are 4 pairs": func(e *dicom.Editor) {
			e.SetItems(tag.GraphicAnnotationSequence, annotation(t, "L", build(t, graphicItem(t, "ELLIPSE", "PIXEL", 1, 1))))
		},
		"more than 10000 graphics": func(e *dicom.Editor) {
			e.SetItems(tag.GraphicAnnotationSequence, annotation(t, "L", repeat(full, 10_001)...))
		},
		"10000 graphics, 65536": func(e *dicom.Editor) {
			e.SetItems(tag.GraphicAnnotationSequence, repeat(build(t, edit().SetText(tag.GraphicLayer, "X")), 10_001)...)
		},
		"65536 points and letters": func(e *dicom.Editor) {
			e.SetItems(tag.GraphicAnnotationSequence, annotation(t, "L", repeat(build(t, graphicItem(t, "POLYLINE", "PIXEL", make([]float32, 80_000)...)), 2)...))
		},
		"a text needs an anchor": func(e *dicom.Editor) {
			e.SetItems(tag.GraphicAnnotationSequence, build(t, edit().SetText(tag.GraphicLayer, "L").SetItems(tag.TextObjectSequence, build(t, edit()))))
		},
		"no number that can be drawn": func(e *dicom.Editor) {
			e.SetItems(tag.GraphicAnnotationSequence, annotation(t, "L", build(t, graphicItem(t, "POINT", "PIXEL", 1e30, 1))))
		},
	} {
		s := darkState(t, 4, 4, change)
		if _, err := tryRender(build(t, flat(4, 4)), Options{State: s}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", want, err)
		}
	}
	if _, err := ReadState(build(t, flat(4, 4))); err == nil || !strings.Contains(err.Error(), "no presentation state") {
		t.Error(err)
	}
}

func repeat(ds *dicom.DataSet, n int) (out []*dicom.DataSet) {
	for range n {
		out = append(out, ds)
	}
	return out
}

// TestPseudoColor draws greys through the palette of the presentation state.
func TestPseudoColor(t *testing.T) {
	e := stateOf(t).SetUID(tag.SOPClassUID, uid.PseudoColorSoftcopyPresentationStateStorage).Delete(tag.PresentationLUTShape)
	e.SetItems(tag.DisplayedAreaSelectionSequence, build(t, areaOf(1, 1, 2, 1, "SCALE TO FIT")))
	for c, data := range [][]byte{{10, 0, 20, 0, 30, 0}, {0, 0, 0, 0, 99, 0}, {0, 0, 0, 0, 255, 0}} {
		e.SetBytes(palette[c][0], vr.US, descriptor(3, 0, 8)).SetBytes(palette[c][1], vr.OW, data)
	}
	s, err := ReadState(build(t, e))
	if err != nil {
		t.Fatal(err)
	}
	m := renderSet(t, build(t, flat(2, 1).SetBytes(tag.PixelData, vr.OB, []byte{0, 255})), Options{State: s})
	if got, want := string(pix(m)), string([]byte{10, 0, 0, 255, 30, 99, 255, 255}); got != want {
		t.Errorf("%v, want %v", []byte(got), []byte(want))
	}
}

// TestColorState draws a Color Presentation State over an image of colours: shutter and layers
// have their colours, and nothing is done to the pixels.
func TestColorState(t *testing.T) {
	e := stateOf(t).SetUID(tag.SOPClassUID, uid.ColorSoftcopyPresentationStateStorage).Delete(tag.PresentationLUTShape)
	e.SetItems(tag.DisplayedAreaSelectionSequence, build(t, areaOf(1, 1, 3, 2, "SCALE TO FIT")))
	layer := edit().SetText(tag.GraphicLayer, "L").SetText(tag.GraphicLayerOrder, "1").SetInt(tag.GraphicLayerRecommendedDisplayCIELabValue, 35579, 53662, 50858)
	e.SetItems(tag.GraphicLayerSequence, build(t, layer))
	e.SetItems(tag.GraphicAnnotationSequence, annotation(t, "L", build(t, graphicItem(t, "POLYLINE", "PIXEL", 0, 0.5, 2, 0.5))))
	e.SetText(tag.ShutterShape, "RECTANGULAR").SetText(tag.ShutterLeftVerticalEdge, "1").SetText(tag.ShutterRightVerticalEdge, "2")
	e.SetText(tag.ShutterUpperHorizontalEdge, "1").SetText(tag.ShutterLowerHorizontalEdge, "2")
	e.SetInt(tag.ShutterPresentationColorCIELabValue, 19379, 50449, 4104).SetInt(tag.ShutterPresentationValue, 0xFFFF)
	s, err := ReadState(build(t, e))
	if err != nil {
		t.Fatal(err)
	}
	green := []byte{0, 200, 0, 0, 200, 0, 0, 200, 0, 0, 200, 0, 0, 200, 0, 0, 200, 0}
	ds := flat(3, 2).SetInt(tag.SamplesPerPixel, 3).SetText(tag.PhotometricInterpretation, "RGB").SetInt(tag.PlanarConfiguration, 0).SetBytes(tag.PixelData, vr.OB, green)
	m := renderSet(t, build(t, ds), Options{State: s})
	if got, want := hues(m), "rrr\nggb\n"; got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	if m.At(1, 1) != (color.RGBA{0, 200, 0, 255}) {
		t.Errorf("%v in place of the green of the image", m.At(1, 1))
	}
}
