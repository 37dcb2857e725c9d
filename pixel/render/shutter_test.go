package render

import (
	"image"
	"image/color"
	"strings"
	"testing"

	"gantry/dicom"
	"gantry/dicom/tag"
	"gantry/dicom/vr"
	"gantry/pixel"
)

// flat is a white image of 8 bits.
func flat(columns, rows int64) *dicom.Editor {
	px := make([]byte, columns*rows+columns*rows%2)
	for i := range px {
		px[i] = 255
	}
	e := edit().SetUID(tag.SOPInstanceUID, imageInstance).SetInt(tag.Rows, rows).SetInt(tag.Columns, columns).SetInt(tag.SamplesPerPixel, 1)
	e.SetText(tag.PhotometricInterpretation, "MONOCHROME2").SetInt(tag.BitsAllocated, 8).SetInt(tag.BitsStored, 8).SetInt(tag.HighBit, 7)
	e.SetInt(tag.PixelRepresentation, 0).SetText(tag.WindowCenter, "128").SetText(tag.WindowWidth, "256")
	return e.SetBytes(tag.PixelData, vr.OB, px)
}

// drawing is a picture as text: # is white, . is black, + is what lies between.
func drawing(m image.Image) string {
	var b strings.Builder
	s := m.Bounds()
	for y := range s.Dy() {
		for x := range s.Dx() {
			switch v := color.GrayModel.Convert(m.At(x, y)).(color.Gray).Y; v {
			case 255:
				b.WriteByte('#')
			case 0:
				b.WriteByte('.')
			default:
				b.WriteByte('+')
			}
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func wantDrawing(t *testing.T, m image.Image, want string) {
	t.Helper()
	if got, want := drawing(m), strings.TrimLeft(strings.ReplaceAll(want, "\t", ""), "\n"); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

// TestShutters draws what PS3.3 C.7.6.11 says: pixels on an edge are seen.
func TestShutters(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*dicom.Editor)
		want   string
	}{
		"rectangle": {func(e *dicom.Editor) {
			e.SetText(tag.ShutterShape, "RECTANGULAR").SetText(tag.ShutterLeftVerticalEdge, "2").SetText(tag.ShutterRightVerticalEdge, "5")
			e.SetText(tag.ShutterUpperHorizontalEdge, "0").SetText(tag.ShutterLowerHorizontalEdge, "3")
		}, `
			.####...
			.####...
			.####...
			........
			........
			........
		`},
		"circle, grey": {func(e *dicom.Editor) {
			e.SetText(tag.ShutterShape, "CIRCULAR").SetText(tag.CenterOfCircularShutter, "3", "4").SetText(tag.RadiusOfCircularShutter, "2").SetInt(tag.ShutterPresentationValue, 0x8000)
		}, `
			+++#++++
			++###+++
			+#####++
			++###+++
			+++#++++
			++++++++
		`},
		"polygon": {func(e *dicom.Editor) {
			e.SetText(tag.ShutterShape, "POLYGONAL").SetText(tag.VerticesOfThePolygonalShutter, "1", "1", "1", "5", "5", "1")
		}, `
			#####...
			####....
			###.....
			##......
			#.......
			........
		`},
		"two": {func(e *dicom.Editor) {
			e.SetText(tag.ShutterShape, "RECTANGULAR", "CIRCULAR").SetText(tag.ShutterLeftVerticalEdge, "4").SetText(tag.ShutterRightVerticalEdge, "8")
			e.SetText(tag.ShutterUpperHorizontalEdge, "1").SetText(tag.ShutterLowerHorizontalEdge, "6")
			e.SetText(tag.CenterOfCircularShutter, "3", "4").SetText(tag.RadiusOfCircularShutter, "2")
		}, `
			...#....
			...##...
			...###..
			...##...
			...#....
			........
		`},
		"bitmap": {func(e *dicom.Editor) {
			withOverlay(e.SetText(tag.ShutterShape, "BITMAP").SetInt(tag.ShutterOverlayGroup, 0x6002), 0x6002, "G", 1, 2)
		}, `
			#.......
			#.######
			##.####.
			###.##.#
			####..##
			#.##..##
		`},
		"of a frame": {func(e *dicom.Editor) {
			item := build(t, edit().SetText(tag.ShutterShape, "CIRCULAR").SetText(tag.CenterOfCircularShutter, "1", "1").SetText(tag.RadiusOfCircularShutter, "1"))
			e.SetItems(tag.PerFrameFunctionalGroupsSequence, build(t, edit().SetItems(tag.FrameDisplayShutterSequence, item)))
		}, `
			##......
			#.......
			........
			........
			........
			........
		`},
	} {
		t.Run(name, func(t *testing.T) {
			e := flat(8, 6)
			c.change(e)
			ds := build(t, e)
			wantDrawing(t, renderSet(t, ds, Options{}), c.want)
			wantDrawing(t, renderSet(t, ds, Options{NoShutter: true, Overlays: Overlays{Off: true}}), strings.Repeat("########\n", 6))
		})
	}
}

// TestShutterErrors checks that shutters that cannot be are refused.
func TestShutterErrors(t *testing.T) {
	for want, change := range map[string]func(*dicom.Editor){
		"(0018,1602)": func(e *dicom.Editor) { e.SetText(tag.ShutterShape, "RECTANGULAR") },
		"(0018,1610)": func(e *dicom.Editor) { e.SetText(tag.ShutterShape, "CIRCULAR") },
		"4 numbers": func(e *dicom.Editor) {
			e.SetText(tag.ShutterShape, "POLYGONAL").SetText(tag.VerticesOfThePolygonalShutter, "1", "1", "1", "2")
		},
		"10000 numbers: a": func(e *dicom.Editor) {
			e.SetText(tag.ShutterShape, "POLYGONAL").SetText(tag.VerticesOfThePolygonalShutter, strings.Split(strings.Repeat("1 ", 9999)+"1", " ")...)
		},
	} {
		e := flat(8, 6)
		change(e)
		if _, err := tryRender(build(t, e), Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", want, err)
		}
	}
}

// TestOverlays checks which planes are drawn, and where.
func TestOverlays(t *testing.T) {
	black := func() *dicom.Editor {
		return flat(8, 4).SetText(tag.WindowCenter, "1000").SetText(tag.WindowWidth, "2")
	}
	two := withOverlay(withOverlay(black(), 0x6000, "G", 1, 1), 0x601E, "G", 0, -3)
	first := "########\n#......#\n.#....#.\n..#..#..\n"
	frames := func(k int64) *dicom.Editor {
		e := black().SetInt(tag.OverlayRows, 1).SetInt(tag.OverlayColumns, 3).SetBytes(tag.OverlayOrigin, vr.SS, []byte{1, 0, 1, 0})
		e.SetTextAs(tag.NumberOfFramesInOverlay, vr.IS, "3").SetInt(overlayTag(0x6000, 0x00000051), k)
		return e.SetBytes(tag.OverlayData, vr.OW, []byte{0b10101001, 0b1})
	}
	for name, c := range map[string]struct {
		e    *dicom.Editor
		o    Overlays
		want string
	}{
		"one group":      {two, Overlays{Groups: []uint16{0x6000}}, first},
		"the other":      {two, Overlays{Groups: []uint16{0x601E}}, "...#....\n..#.....\n.#......\n#.......\n"},
		"all":            {two, Overlays{}, "########\n#.#....#\n.#....#.\n#.#..#..\n"},
		"off":            {two, Overlays{Off: true}, strings.Repeat("........\n", 4)},
		"grey":           {withOverlay(black(), 0x6000, "G", 1, 1), Overlays{Ink: color.Gray{100}}, strings.ReplaceAll(first, "#", "+")},
		"color":          {withOverlay(black(), 0x6000, "G", 1, 1), Overlays{Ink: color.RGBA{255, 0, 0, 255}}, strings.ReplaceAll(first, "#", "+")},
		"region":         {withOverlay(flat(8, 4), 0x6000, "R", 1, 1), Overlays{}, "########\n#++++++#\n+#++++#+\n++#++#++\n"},
		"second frame":   {frames(0), Overlays{}, "........\n........\n........\n........\n"},
		"first of three": {frames(1), Overlays{}, "#.......\n........\n........\n........\n"},
		"of bits":        {black().SetInt(tag.OverlayRows, 4).SetInt(tag.OverlayColumns, 8), Overlays{}, strings.Repeat("........\n", 4)},
	} {
		t.Run(name, func(t *testing.T) {
			if name == "second frame" { // the overlay's frames are of the image's from the third
				c.e.SetInt(overlayTag(0x6000, 0x00000051), 3)
			}
			wantDrawing(t, renderSet(t, build(t, c.e), Options{Overlays: c.o}), c.want)
		})
	}
	short := withOverlay(flat(8, 4), 0x6000, "G", 1, 1).SetInt(tag.OverlayRows, 0xFFFF).SetInt(tag.OverlayColumns, 0xFFFF)
	if _, err := tryRender(build(t, short), Options{}); err == nil || !strings.Contains(err.Error(), "draw without overlays") {
		t.Errorf("short data: %v", err)
	}
}

// TestEmbeddedOverlay reads an overlay from a bit above the samples.
func TestEmbeddedOverlay(t *testing.T) {
	d := with(form(4, 16, 12), func(d *pixel.Desc) {})
	e := window("2048", "4096", "").SetInt(tag.OverlayRows, 1).SetInt(tag.OverlayColumns, 4).SetInt(tag.OverlayBitsAllocated, 16).SetInt(tag.OverlayBitPosition, 13)
	px := []byte{0, 0x20, 0, 0x10, 0, 0, 0, 0xF0}
	m, err := Samples(build(t, e), d, px, 0, Options{})
	if err != nil {
		t.Fatal(err)
	}
	wantDrawing(t, m, "#..#\n")
}
