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

// glyphs has the same few shapes in many places.
func glyphs(m codectest.Image) []byte {
	px := make([]byte, m.FrameBytes())
	for i := range px {
		px[i] = 230
	}
	for k := range 120 {
		x, y := k%15*12+k%3, k/15*14+k%2
		shape := uint64(0x3C66C3DBDBC3663C) * uint64(k%4+1)
		for i := range 64 {
			if shape>>i&1 == 1 {
				for c := range m.Samples {
					px[((y+i/8)*m.Width+x+i%8)*m.Samples+c] = byte(10 + 40*c)
				}
			}
		}
	}
	return px
}

// TestPatches decodes shapes that the encoder keeps in a frame of their own.
func TestPatches(t *testing.T) {
	for _, samples := range []int{1, 3} {
		m := codectest.Image{Width: 200, Height: 130, Samples: samples, Allocated: 8, Stored: 8}
		src := theirs(t, m, glyphs(m), "-d 0 -e 7 --patches=1")
		f, err := open(src, Limits{})
		if err != nil {
			t.Fatal(err)
		}
		first, err := readFrame(newBitReader(f.frames), f.metadata)
		if err != nil || first.kind != referenceFrame {
			t.Fatalf("not a frame of patches: %+v %v", first, err)
		}
		exact(t, m, glyphs(m), "-e 7 --patches=1")
		near(t, theirs(t, m, glyphs(m), "-d 1 -e 7 --patches=1"), 1, "patches")
	}
}
