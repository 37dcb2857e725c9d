package pixel_test

import (
	"bytes"
	"context"
	"fmt"

	"gantry/dicom"
	"gantry/dicom/tag"
	"gantry/dicom/uid"
	"gantry/dicom/vr"
	"gantry/pixel"
)

// A small image of two frames is compressed without loss, and its second frame read.
func Example() {
	ctx := context.Background()
	e := new(dicom.DataSet).Edit().SetInt(tag.Rows, 2).SetInt(tag.Columns, 2).SetInt(tag.NumberOfFrames, 2)
	e.SetInt(tag.SamplesPerPixel, 1).SetText(tag.PhotometricInterpretation, "MONOCHROME2")
	e.SetInt(tag.BitsAllocated, 8).SetInt(tag.BitsStored, 8).SetInt(tag.HighBit, 7).SetInt(tag.PixelRepresentation, 0)
	image, err := e.SetBytes(tag.PixelData, vr.OB, []byte{1, 2, 3, 4, 5, 6, 7, 8}).Build()
	if err != nil {
		fmt.Println(err)
		return
	}
	var b bytes.Buffer
	done, err := pixel.TranscodeDataSet(ctx, &b, image, uid.ExplicitVRLittleEndian, uid.JPEGLSLossless, pixel.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(done.Frames, "frames,", done.Syntax.Name())

	packed, err := dicom.DecodeBytes(b.Bytes(), dicom.DecodeOptions{Syntax: done.Syntax})
	if err != nil {
		fmt.Println(err)
		return
	}
	frames, err := pixel.Frames(packed, done.Syntax, pixel.Limits{})
	if err != nil {
		fmt.Println(err)
		return
	}
	coded, err := frames.Frame(ctx, 1, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	samples, decoded, err := frames.Decode(1, coded, nil)
	fmt.Println(samples, decoded.Photometric, decoded.Stream, err)
	// Output:
	// 2 frames, JPEG-LS Lossless Image Compression
	// [5 6 7 8] MONOCHROME2 JPEG-LS <nil>
}
