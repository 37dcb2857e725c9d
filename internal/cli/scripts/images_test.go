//go:build unix

package scripts

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strconv"

	"github.com/rogpeppe/go-internal/testscript"

	"gantry/dicom"
	"gantry/dicom/part10"
	"gantry/dicom/tag"
	"gantry/dicom/uid"
	"gantry/dicom/vr"
)

// pixels A B [N]: compares the pixel data of two native files, whose samples may differ by N
// at most.
func samePixels(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 2 || len(args) > 3 {
		ts.Fatalf("usage: pixels A B [N]")
	}
	slack := 0
	if len(args) == 3 {
		n, err := strconv.Atoi(args[2])
		ts.Check(err)
		slack = n
	}
	a, bits := nativePixels(ts, args[0])
	b, _ := nativePixels(ts, args[1])
	apart := -1
	if len(a) == len(b) {
		apart = 0
		step := bits / 8
		for i := 0; i+step <= len(a); i += step {
			d := int(a[i]) - int(b[i])
			if step == 2 {
				d += (int(a[i+1]) - int(b[i+1])) << 8
			}
			apart = max(apart, d, -d)
		}
	}
	if same := apart >= 0 && apart <= slack; same == neg {
		ts.Fatalf("%s and %s: %d and %d bytes, at most %d apart", args[0], args[1], len(a), len(b), apart)
	}
}

func nativePixels(ts *testscript.TestScript, name string) ([]byte, int) {
	f, err := part10.Open(ts.MkAbs(name), dicom.DecodeOptions{})
	ts.Check(err)
	defer f.Close()
	bits, _ := f.DataSet.Int(tag.BitsAllocated)
	e, ok := f.DataSet.Get(tag.PixelData)
	if !ok || e.IsEncapsulated() {
		ts.Fatalf("%s: no native pixel data", name)
	}
	b, err := io.ReadAll(e.Reader())
	ts.Check(err)
	return b, int(bits)
}

// made is an image that the command images writes.
type made struct {
	name                     string
	samples, bits, w, h, num int
}

// images DIR: writes grey.dcm (16 bits), color.dcm and frames.dcm (8 bits), with pixels that
// are a picture and not noise.
func images(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: images DIR")
	}
	dir := ts.MkAbs(args[0])
	ts.Check(os.MkdirAll(dir, 0o755))
	for i, m := range []made{{"grey", 1, 16, 61, 47, 1}, {"color", 3, 8, 48, 32, 1}, {"frames", 1, 8, 33, 21, 3}} {
		ts.Check(m.write(filepath.Join(dir, m.name+".dcm"), i))
	}
}

func (m made) write(name string, n int) error {
	instance := uid.UID("1.2.826.0.1.3680043.10.98.1." + strconv.Itoa(n+1))
	photometric, stored := "MONOCHROME2", min(m.bits, 12)
	if m.samples == 3 {
		photometric = "RGB"
	}
	e := new(dicom.DataSet).Edit().
		SetText(tag.ImageType, "ORIGINAL", "PRIMARY").
		SetUID(tag.SOPClassUID, uid.SecondaryCaptureImageStorage).SetUID(tag.SOPInstanceUID, instance).
		SetText(tag.Modality, "OT").SetText(tag.PatientName, "Roe^Richard").SetText(tag.PatientID, "P1").
		SetUID(tag.StudyInstanceUID, "1.2.826.0.1.3680043.10.98").SetUID(tag.SeriesInstanceUID, "1.2.826.0.1.3680043.10.98.1").
		SetInt(tag.SamplesPerPixel, int64(m.samples)).SetText(tag.PhotometricInterpretation, photometric)
	if m.samples == 3 {
		e.SetInt(tag.PlanarConfiguration, 0)
	}
	if m.num > 1 {
		e.SetText(tag.NumberOfFrames, strconv.Itoa(m.num))
	}
	e.SetInt(tag.Rows, int64(m.h)).SetInt(tag.Columns, int64(m.w)).SetInt(tag.BitsAllocated, int64(m.bits)).
		SetInt(tag.BitsStored, int64(stored)).SetInt(tag.HighBit, int64(stored-1)).SetInt(tag.PixelRepresentation, 0)
	kind := vr.OW
	if m.bits == 8 {
		kind = vr.OB
	}
	ds, err := e.SetBytes(tag.PixelData, kind, m.pixels(stored)).Build()
	if err != nil {
		return err
	}
	meta, err := part10.MetaInfo{Class: uid.SecondaryCaptureImageStorage, Instance: instance, Syntax: uid.ExplicitVRLittleEndian}.Meta()
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := part10.Write(&b, meta, ds, uid.ExplicitVRLittleEndian); err != nil {
		return err
	}
	return os.WriteFile(name, b.Bytes(), 0o600)
}

// pixels are slopes with an edge, different in each frame and sample.
func (m made) pixels(stored int) []byte {
	var px []byte
	for f := range m.num {
		for y := range m.h {
			for x := range m.w {
				for s := range m.samples {
					v := (x*(3+s) + y*(2+f)) << (stored - 8)
					if x > m.w/2 && y > m.h/3 {
						v += 40 << (stored - 8)
					}
					v &= 1<<stored - 1
					if px = append(px, byte(v)); m.bits == 16 {
						px = append(px, byte(v>>8))
					}
				}
			}
		}
	}
	if len(px)%2 == 1 {
		px = append(px, 0)
	}
	return px
}
