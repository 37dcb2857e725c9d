package render

import (
	"testing"

	"gantry/dicom"
	"gantry/dicom/tag"
)

// TestAsDCMTK compares presentation LUT shapes and overlays with pictures of dcm2pnm.
func TestAsDCMTK(t *testing.T) {
	wide := func(photometric string) *dicom.Editor {
		return gradient(photometric).SetText(tag.WindowCenter, "2048").SetText(tag.WindowWidth, "4096")
	}
	for name, c := range map[string]struct {
		e    *dicom.Editor
		o    Options
		args []string
	}{
		"identity of MONOCHROME1": {wide("MONOCHROME1"), Options{Shape: Identity}, []string{"+Pid"}},
		"inverse":                 {wide("MONOCHROME2"), Options{Shape: Inverse}, []string{"+Piv"}},
		"optical densities":       {wide("MONOCHROME2"), Options{Shape: LinOD}, []string{"+Pod"}},
		"graphic":                 {withOverlay(wide("MONOCHROME2"), 0x6000, "G", 20, 20), Options{}, nil},
		"graphic, MONOCHROME1":    {withOverlay(wide("MONOCHROME1"), 0x6000, "G", 20, 20), Options{}, nil},
		"region":                  {withOverlay(wide("MONOCHROME2"), 0x6000, "R", 20, 20), Options{}, nil},
		"region, MONOCHROME1":     {withOverlay(wide("MONOCHROME1"), 0x6000, "R", 20, 20), Options{}, nil},
		"beyond the image":        {withOverlay(wide("MONOCHROME2"), 0x6000, "G", -3, 37), Options{}, nil},
		"second of two":           {withOverlay(withOverlay(wide("MONOCHROME2"), 0x6000, "G", 1, 1), 0x6010, "G", 9, 9), Options{Overlays: Overlays{Groups: []uint16{0x6010}}}, []string{"+O", "2"}},
	} {
		t.Run(name, func(t *testing.T) {
			ds := build(t, c.e)
			want := peer(t, "/usr/bin/dcm2pnm", append(append([]string{"-q", "+op", "+Wi", "1"}, c.args...), writeFile(t, t.TempDir(), "image", ds))...)
			if off := distance(renderSet(t, ds, c.o), want); off != "" {
				t.Error(off)
			}
		})
	}
}
