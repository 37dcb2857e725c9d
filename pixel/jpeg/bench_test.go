package jpeg

import (
	"testing"

	"gantry/pixel/internal/codectest"
)

// BenchmarkDecode decodes what cjpeg made, so it needs that.
func BenchmarkDecode(b *testing.B) {
	for name, args := range map[string][]string{
		"Grey":        {"-grayscale"},
		"444":         {"-sample", "1x1"},
		"422":         {"-sample", "2x1"},
		"420":         {"-sample", "2x2"},
		"Progressive": {"-progressive", "-sample", "1x1"},
	} {
		m := codectest.Image{Width: 512, Height: 512, Samples: 3, Allocated: 8, Stored: 8}
		if name == "Grey" {
			m.Samples, args = 1, nil
		}
		stream := cjpeg(b, m, m.CT(1), append(args, "-quality", "90")...)
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(m.FrameBytes()))
			var dst []byte
			for b.Loop() {
				dst, _, _ = Decode(dst[:0], stream, DecodeOptions{})
			}
		})
	}
}
