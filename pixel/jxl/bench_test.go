package jxl

import (
	"os"
	"path/filepath"
	"testing"

	"gantry/pixel/internal/codectest"
)

// BenchmarkPeers decodes a frame with one worker, and has libjxl do the same in turn: x_libjxl is
// its time over ours, above 1 where we are faster. Its time is that of a large image less that of
// a small one, so that starting it does not count; reading and writing files does.
func BenchmarkPeers(b *testing.B) {
	grey := codectest.Image{Width: 1024, Height: 1024, Samples: 1, Allocated: 16, Stored: 12}
	color := codectest.Image{Width: 1024, Height: 1024, Samples: 3, Allocated: 8, Stored: 8}
	for _, c := range []struct {
		name, args string
		m          codectest.Image
	}{
		{"lossless grey, effort 3", "-d 0 -e 3", grey}, {"lossless grey, effort 7", "-d 0 -e 7", grey},
		{"lossless colour, effort 7", "-d 0 -e 7", color}, {"lossy colour", "-d 1", color},
	} {
		small := c.m
		small.Width, small.Height = 64, 64
		dirs := [2]string{b.TempDir(), b.TempDir()}
		var code []byte
		for i, m := range []codectest.Image{small, c.m} {
			code = theirs(b, m, m.CT(1), c.args)
			if err := os.WriteFile(filepath.Join(dirs[i], "in.jxl"), code, 0o600); err != nil {
				b.Fatal(err)
			}
		}
		b.Run(c.name, func(b *testing.B) {
			var dst []byte
			ours := codectest.PerRun(b, func() (err error) {
				dst, _, err = Decode(dst[:0], code, DecodeOptions{Workers: 1})
				return err
			})
			b.ReportMetric(float64(len(dst))/1e6/ours, "MB/s")
			b.ReportMetric(codectest.Apart(b, dirs[1], dirs[0], djxl, "in.jxl", "out.ppm", "--num_threads=0", "--quiet")/ours, "x_libjxl")
		})
	}
}
