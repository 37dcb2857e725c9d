package render_test

import (
	"context"
	"fmt"
	"image"

	"gantry/dicom"
	"gantry/dicom/tag"
	"gantry/dicom/uid"
	"gantry/dicom/vr"
	"gantry/pixel"
	"gantry/pixel/render"
)

// A CT image of four pixels is drawn through a window of its Hounsfield units.
func Example() {
	e := new(dicom.DataSet).Edit().SetInt(tag.Rows, 1).SetInt(tag.Columns, 4)
	e.SetInt(tag.SamplesPerPixel, 1).SetText(tag.PhotometricInterpretation, "MONOCHROME2")
	e.SetInt(tag.BitsAllocated, 16).SetInt(tag.BitsStored, 12).SetInt(tag.HighBit, 11).SetInt(tag.PixelRepresentation, 0)
	e.SetText(tag.RescaleSlope, "1").SetText(tag.RescaleIntercept, "-1024")
	e.SetBytes(tag.PixelData, vr.OW, []byte{0, 0, 0, 4, 40, 4, 255, 15}) // 0, 1024, 1064, 4095
	ds, err := e.Build()
	if err != nil {
		fmt.Println(err)
		return
	}
	src, err := pixel.Frames(ds, uid.ExplicitVRLittleEndian, pixel.Limits{})
	if err != nil {
		fmt.Println(err)
		return
	}
	soft := &render.Window{Center: 40, Width: 400}
	m, err := render.Frame(context.Background(), ds, src, 0, render.Options{Window: soft})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(m.Bounds(), m.(*image.Gray).Pix)
	// Output:
	// (0,0)-(4,1) [0 102 128 255]
}
