package compat

import (
	"bytes"
	"context"
	"image"
	"image/color"
	"image/jpeg"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"golang.org/x/image/bmp"

	"gantry/dicom"
	"gantry/dicom/part10"
	"gantry/dicom/tag"
	"gantry/dicom/vr"
	"gantry/internal/cli/verb"
)

// TestImg2dcm compares what img2dcm makes with what DCMTK's makes of the same files: the same
// elements with the same values, UIDs apart.
func TestImg2dcm(t *testing.T) {
	t.Parallel()
	theirs := dcmtk(t, "img2dcm")
	dir := t.TempDir()
	colour, grey, bitmap := filepath.Join(dir, "c.jpg"), filepath.Join(dir, "g.jpg"), filepath.Join(dir, "c.bmp")
	m, g := image.NewRGBA(image.Rect(0, 0, 40, 30)), image.NewGray(image.Rect(0, 0, 40, 30))
	for i := range g.Pix {
		g.Pix[i] = byte(i)
		m.SetRGBA(i%40, i/40, color.RGBA{byte(i), byte(i / 3), 90, 255})
	}
	for name, encode := range map[string]func(*bytes.Buffer) error{
		colour: func(b *bytes.Buffer) error { return jpeg.Encode(b, m, nil) },
		grey:   func(b *bytes.Buffer) error { return jpeg.Encode(b, g, nil) },
		bitmap: func(b *bytes.Buffer) error { return bmp.Encode(b, m) },
	} {
		var b bytes.Buffer
		if err := encode(&b); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, b.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, args := range [][]string{{colour}, {grey}, {"-i", "BMP", bitmap}, {"-nsc", colour}, {"-nsc", grey}, {"-vlp", colour}, {"-k", "PatientName=Roe^Richard", grey},
		{"-rc", "-ka", colour}} {
		a, b := filepath.Join(dir, "ours.dcm"), filepath.Join(dir, "theirs.dcm")
		if out, err := exec.Command(theirs, append(args[:len(args):len(args)], b)...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", args, out)
		}
		var errs bytes.Buffer
		s := &verb.Stdio{In: &bytes.Buffer{}, Out: &errs, Err: &errs}
		if code := img2dcm().Main(context.Background(), append(args[:len(args):len(args)], a), s); code != 0 {
			t.Fatalf("%v: exit %d, %s", args, code, errs.String())
		}
		compareObjects(t, args, a, b)
	}
}

// added are what ours has more: it is required where it stands (PS3.3 C.7.3.1, C.7.6.1), or
// nobody can know better (Burned In Annotation).
var added = map[tag.Tag]bool{tag.Laterality: true, tag.PatientOrientation: true, tag.BurnedInAnnotation: true, tag.Modality: true}

func compareObjects(t *testing.T, args []string, a, b string) {
	t.Helper()
	ours, theirs := elements(t, a), elements(t, b)
	for tg, want := range theirs {
		if got, ok := ours[tg]; !added[tg] && (!ok || got != want) {
			t.Errorf("%v: %v is %q, DCMTK has %q", args, tg, got, want)
		}
	}
	for tg, got := range ours {
		if _, ok := theirs[tg]; !ok && !added[tg] {
			t.Errorf("%v: %v %q is not in DCMTK's", args, tg, got)
		}
	}
	if len(theirs) < 20 {
		t.Errorf("%v: %d elements", args, len(theirs))
	}
}

// elements are the values of a file by their tags. UIDs that are made up count as one.
func elements(t *testing.T, name string) map[tag.Tag]string {
	t.Helper()
	f, err := part10.Open(name, dicom.DecodeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	out := map[tag.Tag]string{tag.TransferSyntaxUID: string(f.Syntax)}
	for e := range f.DataSet.All() {
		switch {
		case e.VR == vr.UI && e.Tag != tag.SOPClassUID:
			out[e.Tag] = "a UID"
		case e.IsEncapsulated():
			out[e.Tag] = string(e.Fragment(1).Bytes())
		case e.Tag == tag.PixelData:
			out[e.Tag] = string(e.Bytes())
		case e.Tag == tag.LossyImageCompressionRatio: // as many digits as somebody likes
			out[e.Tag] = e.Text()[:3]
		default:
			out[e.Tag] = e.Text()
		}
	}
	return out
}
