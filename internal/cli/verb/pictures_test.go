package verb

import (
	"bytes"
	"context"
	"image/gif"
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"gantry/dicom"
	"gantry/dicom/tag"
)

// extracted extracts a real file.
func extracted(t *testing.T, name, as, fit string) []byte {
	t.Helper()
	root := os.Getenv("GANTRY_SAMPLES")
	if root == "" {
		if os.Getenv("CI") != "" {
			t.Fatal("GANTRY_SAMPLES is not set")
		}
		t.Skip("GANTRY_SAMPLES IS NOT SET: no real file was extracted")
	}
	out := filepath.Join(t.TempDir(), "out."+as)
	o := Pictures{Input: filepath.Join(root, name), Output: out, As: as, Look: Look{Fit: fit}, Frame: AllFrames}
	var said bytes.Buffer
	if err := o.Run(context.Background(), &Stdio{Out: &said, Err: &said}); err != nil {
		t.Fatalf("%s: %v %s", name, err, said.String())
	}
	b, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestWhole extracts electrocardiograms, documents and animations from real files.
func TestWhole(t *testing.T) {
	const wave = "pydicom+pydicom/src/pydicom/data/test_files/waveform_ecg.dcm"
	m, err := png.Decode(bytes.NewReader(extracted(t, wave, "png", "600x600")))
	if err != nil || m.Bounds().Dx() != 600 {
		t.Errorf("page: %v, %v", m, err)
	}
	for _, name := range []string{wave, "PantelisGeorgiadis+dcmjs-dimse/datasets/pdf.dcm"} {
		if b := extracted(t, name, "pdf", ""); !bytes.HasPrefix(b, []byte("%PDF-")) || !bytes.Contains(b[max(len(b)-64, 0):], []byte("%%EOF")) {
			t.Errorf("%s: no PDF", name)
		}
	}
}

// TestAnimation writes frames with their times, smaller than they are.
func TestAnimation(t *testing.T) {
	b := extracted(t, "ImagingDataCommons+highdicom/data/test_files/sm_image_grayscale.dcm", "gif", "32x32")
	g, err := gif.DecodeAll(bytes.NewReader(b))
	if err != nil || len(g.Image) != 25 || g.Config.Width != 32 || g.Delay[0] < 1 {
		t.Errorf("%+v, %v", g, err)
	}
}

func TestFrameTime(t *testing.T) {
	for want, e := range map[float64]*dicom.Editor{
		40:  new(dicom.DataSet).Edit().SetText(tag.RecommendedDisplayFrameRate, "25").SetText(tag.FrameTime, "30"),
		30:  new(dicom.DataSet).Edit().SetText(tag.FrameTime, "30").SetText(tag.CineRate, "5"),
		70:  new(dicom.DataSet).Edit().SetText(tag.FrameTimeVector, "0", "60", "70"),
		200: new(dicom.DataSet).Edit().SetText(tag.CineRate, "5"),
		100: new(dicom.DataSet).Edit().SetText(tag.FrameTime, "0"),
	} {
		ds, err := e.Build()
		if err != nil {
			t.Fatal(err)
		}
		if got := frameTime(ds, 1); got != want {
			t.Errorf("%g ms, want %g", got, want)
		}
	}
}
