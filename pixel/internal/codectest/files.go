package codectest

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"gantry/dicom"
	"gantry/dicom/part10"
	"gantry/dicom/tag"
	"gantry/dicom/uid"
	"gantry/dicom/vr"
)

// WriteNative writes a file under Explicit VR Little Endian and returns its name.
func (m Image) WriteNative(t testing.TB, px []byte) string {
	t.Helper()
	e := m.edit()
	if len(px)%2 == 1 {
		px = append(px[:len(px):len(px)], 0)
	}
	v := vr.OW
	if m.Allocated <= 8 {
		v = vr.OB
	}
	return m.write(t, e.SetBytes(tag.PixelData, v, px), uid.ExplicitVRLittleEndian, nil)
}

// WriteEncapsulated writes a file with one fragment for each frame (PS3.5 A.4).
func (m Image) WriteEncapsulated(t testing.TB, syntax uid.UID, frames ...[]byte) string {
	t.Helper()
	b := []byte{0xe0, 0x7f, 0x10, 0, 'O', 'B', 0, 0, 255, 255, 255, 255}
	b = append(b, 0xfe, 0xff, 0x00, 0xe0, 0, 0, 0, 0)
	for _, f := range frames {
		b = append(b, 0xfe, 0xff, 0x00, 0xe0)
		b = binary.LittleEndian.AppendUint32(b, uint32(len(f)+len(f)%2))
		b = append(b, f...)
		b = append(b, make([]byte, len(f)%2)...)
	}
	return m.write(t, m.edit(), syntax, append(b, 0xfe, 0xff, 0xdd, 0xe0, 0, 0, 0, 0))
}

func (m Image) edit() *dicom.Editor {
	e := new(dicom.DataSet).Edit()
	e.SetUID(tag.SOPClassUID, uid.SecondaryCaptureImageStorage).SetUID(tag.SOPInstanceUID, "1.2.3.4")
	e.SetUID(tag.StudyInstanceUID, "1.2.3").SetUID(tag.SeriesInstanceUID, "1.2.3.5").SetText(tag.Modality, "OT")
	photometric, sign := m.Photometric, int64(0)
	if photometric == "" {
		photometric = "MONOCHROME2"
		if m.Samples == 3 {
			photometric = "RGB"
		}
	}
	if m.Signed {
		sign = 1
	}
	if m.Samples > 1 {
		e.SetInt(tag.PlanarConfiguration, 0)
	}
	e.SetInt(tag.SamplesPerPixel, int64(m.Samples)).SetText(tag.PhotometricInterpretation, photometric)
	e.SetText(tag.NumberOfFrames, strconv.Itoa(max(m.Frames, 1)))
	e.SetInt(tag.Rows, int64(m.Height)).SetInt(tag.Columns, int64(m.Width))
	e.SetInt(tag.BitsAllocated, int64(m.Allocated)).SetInt(tag.BitsStored, int64(m.Stored))
	return e.SetInt(tag.HighBit, int64(m.Stored-1)).SetInt(tag.PixelRepresentation, sign)
}

func (m Image) write(t testing.TB, e *dicom.Editor, syntax uid.UID, pixels []byte) string {
	t.Helper()
	ds, err := e.Build()
	if err != nil {
		t.Fatal(err)
	}
	meta, err := part10.MetaInfo{Class: uid.SecondaryCaptureImageStorage, Instance: "1.2.3.4", Syntax: syntax}.Meta()
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := part10.Write(&b, meta, ds, syntax); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "image.dcm")
	if err := os.WriteFile(name, append(b.Bytes(), pixels...), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// ReadNative returns the pixel data of a file that is not encapsulated.
func ReadNative(t testing.TB, name string) []byte {
	t.Helper()
	f := open(t, name)
	e, ok := f.DataSet.Get(tag.PixelData)
	if !ok || e.IsEncapsulated() {
		t.Fatalf("%s: no native pixel data", name)
	}
	return fragment(e)
}

// ReadFrames returns the frames of a file with encapsulated pixel data.
func ReadFrames(t testing.TB, name string) [][]byte {
	t.Helper()
	return framesOf(open(t, name).DataSet)
}

func open(t testing.TB, name string) *part10.File {
	t.Helper()
	f, err := part10.Open(name, dicom.DecodeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// framesOf joins fragments to frames: one each, or all of one frame, or a frame begins
// where a fragment has the marker SOI.
func framesOf(ds *dicom.DataSet) [][]byte {
	e, _ := ds.Get(tag.PixelData)
	n := e.FragmentCount() - 1
	frames, _ := strconv.Atoi(ds.Text(tag.NumberOfFrames))
	var out [][]byte
	for i := 1; i <= n; i++ {
		f := bytes.Clone(fragment(e.Fragment(i)))
		if i == 1 || frames == n || frames > 1 && bytes.HasPrefix(f, []byte{0xff, 0xd8}) {
			out = append(out, f)
			continue
		}
		out[len(out)-1] = append(out[len(out)-1], f...)
	}
	return out
}

func fragment(e dicom.Element) []byte {
	b := make([]byte, e.Len())
	if _, err := e.Reader().ReadAt(b, 0); err != nil && len(b) > 0 {
		return nil
	}
	return b
}
