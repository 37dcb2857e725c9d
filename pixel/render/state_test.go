package render

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"image"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"gantry/dicom"
	"gantry/dicom/part10"
	"gantry/dicom/tag"
	"gantry/dicom/uid"
	"gantry/dicom/vr"
	"gantry/pixel"
)

const (
	imageInstance = uid.UID("1.2.826.0.1.3680043.10.1.1")
	imageSeries   = uid.UID("1.2.826.0.1.3680043.10.1.2")
)

// gradient is an image of 16-bit values that grow from 0, on 40 columns and 32 rows.
func gradient(photometric string) *dicom.Editor {
	const columns, rows = 40, 32
	px := make([]byte, 0, 2*columns*rows)
	for i := range columns * rows {
		v := i * 4095 / (columns*rows - 1)
		px = append(px, byte(v), byte(v>>8))
	}
	e := edit().SetUID(tag.SOPClassUID, uid.SecondaryCaptureImageStorage).SetUID(tag.SOPInstanceUID, imageInstance)
	e.SetUID(tag.StudyInstanceUID, "1.2.826.0.1.3680043.10.1.3").SetUID(tag.SeriesInstanceUID, imageSeries)
	e.SetText(tag.PatientName, "Test").SetText(tag.PatientID, "1").SetText(tag.Modality, "OT")
	e.SetInt(tag.Rows, rows).SetInt(tag.Columns, columns).SetInt(tag.SamplesPerPixel, 1).SetText(tag.PhotometricInterpretation, photometric)
	e.SetInt(tag.BitsAllocated, 16).SetInt(tag.BitsStored, 12).SetInt(tag.HighBit, 11).SetInt(tag.PixelRepresentation, 0)
	return e.SetBytes(tag.PixelData, vr.OW, px)
}

// stateOf is a presentation state of gradient with nothing but what must be.
func stateOf(t testing.TB) *dicom.Editor {
	ref := build(t, edit().SetUID(tag.ReferencedSOPClassUID, uid.SecondaryCaptureImageStorage).SetUID(tag.ReferencedSOPInstanceUID, imageInstance))
	e := edit().SetUID(tag.SOPClassUID, uid.GrayscaleSoftcopyPresentationStateStorage).SetUID(tag.SOPInstanceUID, "1.2.826.0.1.3680043.10.1.4")
	e.SetUID(tag.StudyInstanceUID, "1.2.826.0.1.3680043.10.1.3").SetUID(tag.SeriesInstanceUID, "1.2.826.0.1.3680043.10.1.5")
	e.SetText(tag.PatientName, "Test").SetText(tag.PatientID, "1").SetText(tag.Modality, "PR").SetText(tag.SeriesNumber, "1").SetText(tag.InstanceNumber, "1")
	e.SetText(tag.ContentLabel, "TEST").SetText(tag.PresentationCreationDate, "20260101").SetText(tag.PresentationCreationTime, "120000")
	e.SetItems(tag.ReferencedSeriesSequence, build(t, edit().SetUID(tag.SeriesInstanceUID, imageSeries).SetItems(tag.ReferencedImageSequence, ref)))
	e.SetItems(tag.DisplayedAreaSelectionSequence, build(t, areaOf(1, 1, 40, 32, "SCALE TO FIT")))
	return e.SetText(tag.PresentationLUTShape, "IDENTITY")
}

func areaOf(x0, y0, x1, y1 int64, mode string) *dicom.Editor {
	e := edit().SetInt(tag.DisplayedAreaTopLeftHandCorner, x0, y0).SetInt(tag.DisplayedAreaBottomRightHandCorner, x1, y1)
	return e.SetText(tag.PresentationSizeMode, mode).SetText(tag.PresentationPixelAspectRatio, "1", "1")
}

func layerItem(t testing.TB, name string, grey int64) *dicom.DataSet {
	return build(t, edit().SetText(tag.GraphicLayer, name).SetText(tag.GraphicLayerOrder, "1").SetInt(tag.GraphicLayerRecommendedDisplayGrayscaleValue, grey))
}

// withOverlay adds an overlay with a pattern of 8 x 8 pixels.
func withOverlay(e *dicom.Editor, group uint16, kind string, row, column int64) *dicom.Editor {
	at := func(t tag.Tag) tag.Tag { return overlayTag(group, t) }
	e.SetInt(at(tag.OverlayRows), 8).SetInt(at(tag.OverlayColumns), 8).SetTextAs(at(tag.OverlayType), vr.CS, kind)
	e.SetBytes(at(tag.OverlayOrigin), vr.SS, []byte{byte(row), byte(row >> 8), byte(column), byte(column >> 8)})
	e.SetInt(at(tag.OverlayBitsAllocated), 1).SetInt(at(tag.OverlayBitPosition), 0)
	return e.SetBytes(at(tag.OverlayData), vr.OW, []byte{0xFF, 0x81, 0x42, 0x24, 0x18, 0x99, 0x0F, 0xF0})
}

func writeFile(t testing.TB, dir, name string, ds *dicom.DataSet) string {
	t.Helper()
	meta, err := part10.MetaInfo{Class: ds.UID(tag.SOPClassUID), Instance: ds.UID(tag.SOPInstanceUID), Syntax: uid.ExplicitVRLittleEndian}.Meta()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, name)
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := part10.Write(f, meta, ds, uid.ExplicitVRLittleEndian); err != nil {
		t.Fatal(err)
	}
	return path
}

func renderSet(t testing.TB, ds *dicom.DataSet, o Options) image.Image {
	t.Helper()
	m, err := tryRender(ds, o)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func tryRender(ds *dicom.DataSet, o Options) (image.Image, error) {
	src, err := pixel.Frames(ds, uid.ExplicitVRLittleEndian, pixel.Limits{})
	if err != nil {
		return nil, err
	}
	return Frame(context.Background(), ds, src, 0, o)
}

// peer runs a program that writes a picture to its last argument.
func peer(t *testing.T, program string, args ...string) []byte {
	t.Helper()
	if _, err := os.Stat(program); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip(program + " IS MISSING: nothing was compared with it; scripts/setup installs it")
	}
	to := filepath.Join(t.TempDir(), "out.pgm")
	if out, err := exec.Command(program, append(args, to)...).CombinedOutput(); err != nil || len(out) > 0 {
		t.Fatalf("%s: %v: %s", strings.Join(args, " "), err, out)
	}
	b, err := os.ReadFile(to)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestStateAsDCMTK compares what presentation states do to pixels with DCMTK's pictures, which
// leave overlays, shutters and graphics to a viewer.
func TestStateAsDCMTK(t *testing.T) {
	for name, c := range map[string]struct {
		image *dicom.Editor
		state func(*dicom.Editor)
	}{
		"nothing":         {gradient("MONOCHROME2"), func(*dicom.Editor) {}},
		"monochrome1":     {gradient("MONOCHROME1"), func(*dicom.Editor) {}},
		"inverse":         {gradient("MONOCHROME2"), func(e *dicom.Editor) { e.SetText(tag.PresentationLUTShape, "INVERSE") }},
		"not the image's": {gradient("MONOCHROME2").SetText(tag.WindowCenter, "9").SetText(tag.WindowWidth, "9").SetText(tag.RescaleSlope, "7").SetText(tag.RescaleIntercept, "7"), func(*dicom.Editor) {}},
		"window":          {gradient("MONOCHROME2"), func(e *dicom.Editor) { e.SetItems(tag.SoftcopyVOILUTSequence, build(t, window("1000", "500", ""))) }},
		"rescaled window": {gradient("MONOCHROME2"), func(e *dicom.Editor) {
			e.SetText(tag.RescaleSlope, "2").SetText(tag.RescaleIntercept, "-1000").SetText(tag.RescaleType, "US")
			e.SetItems(tag.SoftcopyVOILUTSequence, build(t, window("1000", "5000", "")))
		}},
		"VOI LUT": {gradient("MONOCHROME2"), func(e *dicom.Editor) {
			e.SetItems(tag.SoftcopyVOILUTSequence, build(t, edit().SetItems(tag.VOILUTSequence, rampLUT(t, 1000, 600, 12))))
		}},
		"presentation LUT": {gradient("MONOCHROME2"), func(e *dicom.Editor) {
			e.Delete(tag.PresentationLUTShape).SetItems(tag.PresentationLUTSequence, rampLUT(t, 0, 4096, 12))
		}},
		"overlay not activated": {withOverlay(gradient("MONOCHROME2"), 0x6000, "G", 5, 6), func(*dicom.Editor) {}},
		"turned":                {gradient("MONOCHROME2"), func(e *dicom.Editor) { e.SetInt(tag.ImageRotation, 90).SetText(tag.ImageHorizontalFlip, "N") }},
		"mirrored":              {gradient("MONOCHROME2"), func(e *dicom.Editor) { e.SetInt(tag.ImageRotation, 270).SetText(tag.ImageHorizontalFlip, "Y") }},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			ds := build(t, c.image)
			e := stateOf(t)
			c.state(e)
			state := build(t, e)
			want := peer(t, "/usr/bin/dcmp2pgm", "-q", "-p", writeFile(t, dir, "state", state), writeFile(t, dir, "image", ds))
			s, err := ReadState(state)
			if err != nil {
				t.Fatal(err)
			}
			if off := distance(renderSet(t, ds, Options{State: s}), want); off != "" {
				t.Error(off)
			}
		})
	}
}

// rampLUT is a table that bends: squares of its input.
func rampLUT(t testing.TB, first, n, bits int64) *dicom.DataSet {
	b := &bytes.Buffer{}
	top := int64(1)<<bits - 1
	for i := range n {
		v := i * i * top / ((n - 1) * (n - 1))
		b.Write([]byte{byte(v), byte(v >> 8)})
	}
	return lutItem(t, first, bits, b.Bytes()...)
}

func shutterTo(e *dicom.Editor, shapes ...string) {
	e.SetText(tag.ShutterShape, shapes...).SetInt(tag.ShutterPresentationValue, 0x4000)
	for _, s := range shapes {
		switch s {
		case "RECTANGULAR":
			e.SetText(tag.ShutterLeftVerticalEdge, "5").SetText(tag.ShutterRightVerticalEdge, "30")
			e.SetText(tag.ShutterUpperHorizontalEdge, "3").SetText(tag.ShutterLowerHorizontalEdge, "20")
		case "CIRCULAR":
			e.SetText(tag.CenterOfCircularShutter, "14", "20").SetText(tag.RadiusOfCircularShutter, "11")
		case "POLYGONAL":
			e.SetText(tag.VerticesOfThePolygonalShutter, strings.Fields(fmt.Sprint(4, 3, 10, 37, 28, 33, 24, 9))...)
		}
	}
}

func floatBytes(v ...float32) (b []byte) {
	for _, f := range v {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(f))
	}
	return b
}
