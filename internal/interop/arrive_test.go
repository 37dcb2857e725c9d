//go:build unix

package interop

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"gantry/dicom"
	"gantry/dicom/part10"
	"gantry/dicom/tag"
	"gantry/dicom/uid"
	"gantry/dicom/vr"
)

// TestArrivals has peers with rules send native images and something that is none: what is
// kept is compressed without loss, a derived object is made with a name of its own, once, and
// what a rule cannot be followed for is kept as it came.
func TestArrivals(t *testing.T) {
	dir := t.TempDir()
	cfg := filepath.Join(dir, "gantry.yaml")
	text := `peers:
  - {ae: KEEPS, host: localhost, port: 104}
  - {ae: PACKS, host: localhost, port: 104, store_as: JPEG2000Lossless}
  - {ae: MAKES, host: localhost, port: 104, derive: JPEGBaseline8Bit, derive_quality: 80}
  - {ae: BOTH, host: localhost, port: 104, store_as: RLELossless, derive: JPEGLSNearLossless, derive_quality: 3}
`
	if err := os.WriteFile(cfg, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s := serve(t, "--config", cfg)
	port := strconv.Itoa(s.port)
	eight := grey8(t, dir)
	ct := samplePath(t, "pydicom+pydicom-data/data_store/data/emri_small.dcm") // 16 bits, many frames
	send := func(ae, name string) {
		t.Helper()
		must(t, dcmtk(t, "storescu"), "-aet", ae, "-aec", "GANTRY", "-xe", "localhost", port, name)
	}
	fetch := func(study uid.UID) map[uid.UID][]image {
		t.Helper()
		back := t.TempDir()
		must(t, gantry, "get", "GANTRY@"+addr(s.port), "-k", "StudyInstanceUID="+string(study), "--dir", back, "--naming", "flat")
		out := map[uid.UID][]image{}
		all, _ := filepath.Glob(filepath.Join(back, "*"))
		for _, name := range all {
			im := readImage(t, name)
			out[im.syntax] = append(out[im.syntax], im)
		}
		return out
	}
	one := readImage(t, eight)
	send("KEEPS", eight)
	send("MAKES", eight) // the original is there already, as after a crash before the other was
	send("MAKES", eight) // the same again: nothing new is made
	got := fetch(one.study)
	if len(got[uid.ExplicitVRLittleEndian]) != 1 || len(got[uid.JPEGBaseline8Bit]) != 1 || len(got) != 2 {
		t.Fatalf("%v", describeAll(got))
	}
	samePixels(t, "kept", one.pixels, got[uid.ExplicitVRLittleEndian][0].pixels, 8, 0)
	if d := got[uid.JPEGBaseline8Bit][0]; d.instance == one.instance {
		t.Error("the derived object has the original's name")
	}

	multi := readImage(t, ct)
	send("PACKS", ct)
	got = fetch(multi.study)
	if len(got) != 1 || len(got[uid.JPEG2000Lossless]) != 1 || got[uid.JPEG2000Lossless][0].instance != multi.instance {
		t.Fatalf("%v", describeAll(got))
	}
	back := t.TempDir()
	must(t, dcmtk(t, "getscu"), "-aec", "GANTRY", "+B", "+x=", "-S", "-od", back, "-k", "0008,0052=STUDY", "-k", "0020,000d="+string(multi.study), "localhost", port)
	samePixels(t, "kept as JPEG 2000", multi.pixels, readImage(t, only(t, back)).pixels, multi.bits, 0)

	report := notAnImage(t, dir)
	send("BOTH", report)
	if strings.Contains(s.out.String(), "cannot be followed") {
		t.Error("a rule for images was tried on what is none")
	}
	kept := t.TempDir()
	must(t, gantry, "get", "GANTRY@"+addr(s.port), "-k", "StudyInstanceUID=1.2.3.77", "--dir", kept)
	f, err := part10.Open(only(t, kept), dicom.DecodeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if f.DataSet.Text(tag.PatientID) != "NOIMAGE" {
		t.Error("what is no image was not kept")
	}
	deep := study1(4).file(t, dir) // 16 bits, which JPEG Baseline does not have
	send("MAKES", deep)
	if got := fetch(study1(4).study); len(got) != 1 || len(got[uid.ExplicitVRLittleEndian]) != 1 {
		t.Errorf("%v", describeAll(got))
	}
	if !strings.Contains(s.out.String(), "cannot be followed") {
		t.Error("nobody is told that a rule was not followed")
	}
	s.stop()
	must(t, gantry, "fsck", "--storage-dir", filepath.Join(s.dir, "data"))
}

func describeAll(got map[uid.UID][]image) (out []string) {
	for u, list := range got {
		out = append(out, fmt.Sprint(len(list), " ", u.Name()))
	}
	return out
}

// grey8 writes an image of 8 bits.
func grey8(t *testing.T, dir string) string {
	const side = 64
	pixels := make([]byte, side*side)
	for i := range pixels {
		pixels[i] = byte(i%side*2 + i/side)
	}
	ds, err := study1(3).dataSet(t).Edit().SetInt(tag.Rows, side).SetInt(tag.Columns, side).SetInt(tag.BitsAllocated, 8).SetInt(tag.BitsStored, 8).
		SetInt(tag.HighBit, 7).SetInt(tag.PixelRepresentation, 0).SetInt(tag.SamplesPerPixel, 1).SetText(tag.PhotometricInterpretation, "MONOCHROME2").
		SetUID(tag.SOPClassUID, uid.SecondaryCaptureImageStorage).SetBytes(tag.PixelData, vr.OB, pixels).Build()
	if err != nil {
		t.Fatal(err)
	}
	return written(t, filepath.Join(dir, "grey.dcm"), ds)
}

// notAnImage writes a document.
func notAnImage(t *testing.T, dir string) string {
	ds, err := new(dicom.DataSet).Edit().SetUID(tag.SOPClassUID, uid.BasicTextSRStorage).SetUID(tag.SOPInstanceUID, "1.2.3.77.1").
		SetUID(tag.StudyInstanceUID, "1.2.3.77").SetUID(tag.SeriesInstanceUID, "1.2.3.77.2").SetText(tag.PatientID, "NOIMAGE").SetText(tag.Modality, "SR").Build()
	if err != nil {
		t.Fatal(err)
	}
	return written(t, filepath.Join(dir, "report.dcm"), ds)
}

func written(t *testing.T, name string, ds *dicom.DataSet) string {
	t.Helper()
	meta, err := part10.MetaInfo{Class: ds.UID(tag.SOPClassUID), Instance: ds.UID(tag.SOPInstanceUID), Syntax: uid.ExplicitVRLittleEndian}.Meta()
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := part10.Write(&b, meta, ds, uid.ExplicitVRLittleEndian); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}
