package jxl

import (
	"testing"

	"gantry/pixel/internal/codectest"
)

// TestOptions decodes what the encoder's options make of an image, without loss.
func TestOptions(t *testing.T) {
	for _, args := range []string{
		"-g 0", "-g 1", "-g 2", "-g 3", "-g 0 --group_order=1", "-R 1", "-R 1 -g 0", "-p", "-p -g 0", "-E 2", "-E 2 -g 0 -I 100", "-I 0",
		"-P 0", "-P 1", "-P 2", "-P 3", "-P 4", "-P 5", "-P 6", "-P 7", "-P 8", "-P 9", "-P 10", "-P 11", "-P 12", "-P 13",
		"-C 0", "-C 1", "-C 2", "-C 5", "-C 6", "-C 10", "-C 13", "-C 20", "-C 27", "-C 34", "-C 41",
		"-X 0", "-X 100 -Y 100", "--modular_palette_colors=0", "--modular_palette_colors=70000", "--container=1", "--faster_decoding=4", "--faster_decoding=2",
	} {
		for _, m := range []codectest.Image{
			{Width: 140, Height: 133, Samples: 3, Allocated: 8, Stored: 8},
			{Width: 140, Height: 133, Samples: 1, Allocated: 16, Stored: 16},
		} {
			exact(t, m, m.CT(5), "-m 1 -e 4 "+args)
		}
	}
}
