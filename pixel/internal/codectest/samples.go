package codectest

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gantry/dicom"
	"gantry/dicom/part10"
	"gantry/dicom/tag"
	"gantry/dicom/uid"
)

// Sample is a real file of the syntax asked for.
type Sample struct {
	Name   string
	Syntax uid.UID
	Image  Image
	Frames [][]byte
	Want   string // "<32 hex digits of SHA-256>:<bytes>" of GDCM's pixels, or its excuse
}

// Sum says of pixels what Want says.
func Sum(px []byte) string {
	h := sha256.Sum256(px)
	return fmt.Sprintf("%s:%d", hex.EncodeToString(h[:])[:32], len(px))
}

// SamplePath returns where a real file is.
func SamplePath(name string) string { return filepath.Join(os.Getenv("GANTRY_SAMPLES"), name) }

// Samples returns the real files of the given transfer syntaxes.
func Samples(t testing.TB, syntaxes ...uid.UID) []Sample {
	t.Helper()
	dir := os.Getenv("GANTRY_SAMPLES")
	if dir == "" {
		missing(t, "GANTRY_SAMPLES IS NOT SET: no real file was read by this test")
	}
	list, err := os.ReadFile(filepath.Join(dir, "MANIFEST.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	var out []Sample
	for line := range strings.Lines(string(list)) {
		col := strings.Split(line, "\t")
		for _, s := range syntaxes {
			if len(col) > 19 && col[9] == string(s) && col[13] != "" {
				out = append(out, load(t, dir, col[0], s, col[19]))
			}
		}
	}
	return out
}

func load(t testing.TB, dir, name string, syntax uid.UID, want string) Sample {
	t.Helper()
	f, err := part10.Open(filepath.Join(dir, name), dicom.DecodeOptions{OnFlaw: func(dicom.Flaw) error { return nil }})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	number := func(tg tag.Tag) int { n, _ := f.DataSet.Int(tg); return int(n) }
	m := Image{
		Width: number(tag.Columns), Height: number(tag.Rows), Samples: number(tag.SamplesPerPixel),
		Frames: max(1, number(tag.NumberOfFrames)), Allocated: number(tag.BitsAllocated), Stored: number(tag.BitsStored),
		Signed: number(tag.PixelRepresentation) == 1, Photometric: f.DataSet.Text(tag.PhotometricInterpretation),
	}
	return Sample{Name: name, Syntax: syntax, Image: m, Frames: framesOf(f.DataSet), Want: want}
}
