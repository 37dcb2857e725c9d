package main

import (
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestGallery makes a sheet of some real files: what has pixels is on it, or is said to be
// refused.
func TestGallery(t *testing.T) {
	root := os.Getenv("GANTRY_SAMPLES")
	if root == "" {
		if os.Getenv("CI") != "" {
			t.Fatal("GANTRY_SAMPLES is not set")
		}
		t.Skip("GANTRY_SAMPLES IS NOT SET: no sheet was made")
	}
	out := t.TempDir()
	if err := run(filepath.Join(root, "ImagingDataCommons+highdicom"), out); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(filepath.Join(out, "sheet01.png"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if m, err := png.Decode(f); err != nil || m.Bounds().Dx() != columns*tile {
		t.Errorf("%v, %v", m.Bounds(), err)
	}
	list, err := os.ReadFile(filepath.Join(out, "index.tsv"))
	if err != nil || !strings.Contains(string(list), "sheet 1, row 1, column 1\t") || !strings.Contains(string(list), "ct_image.dcm") {
		t.Errorf("%s, %v", list, err)
	}
}
