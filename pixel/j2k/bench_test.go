package j2k

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"gantry/pixel/internal/codectest"
)

// BenchmarkPeers encodes and decodes a frame, one worker, and has OpenJPH and OpenJPEG do
// the same in turn: x_OpenJPH and x_OpenJPEG are their time over ours, above 1 where we are
// faster. A program's time is that of a large image less that of a small one, so that
// starting it does not count; reading and writing files does.
func BenchmarkPeers(b *testing.B) {
	m := codectest.Image{Width: 1024, Height: 1024, Samples: 1, Allocated: 16, Stored: 12}
	small := m
	small.Width, small.Height = 64, 64
	for _, ht := range []bool{false, true} {
		o := EncodeOptions{HT: ht, Workers: 1}
		big := peerFiles(b, m, o)
		tiny := peerFiles(b, small, o)
		b.Run(fmt.Sprintf("ht=%v/encode", ht), func(b *testing.B) {
			px := m.CT(1)
			ours := codectest.PerRun(b, func() error { _, err := Encode(nil, px, infoOf(m), o); return err })
			if ht {
				b.ReportMetric(codectest.Apart(b, big, tiny, ojphCompress, "-i", "in.pgm", "-o", "out.j2c", "-reversible", "true")/ours, "x_OpenJPH")
			} else {
				b.ReportMetric(codectest.Apart(b, big, tiny, opjCompress, "-i", "in.pgm", "-o", "out.j2k")/ours, "x_OpenJPEG")
			}
		})
		b.Run(fmt.Sprintf("ht=%v/decode", ht), func(b *testing.B) {
			code, err := os.ReadFile(filepath.Join(big, "in.j2c"))
			if err != nil {
				b.Fatal(err)
			}
			ours := codectest.PerRun(b, func() error { _, _, err := Decode(nil, code, DecodeOptions{Workers: 1}); return err })
			if ht {
				b.ReportMetric(codectest.Apart(b, big, tiny, ojphExpand, "-i", "in.j2c", "-o", "out.pgm")/ours, "x_OpenJPH")
			}
			b.ReportMetric(codectest.Apart(b, big, tiny, opjDecompress, "-i", "in.j2c", "-o", "out.pgm")/ours, "x_OpenJPEG")
		})
	}
}

// peerFiles makes a folder with an image as its samples and as our codestream.
func peerFiles(b *testing.B, m codectest.Image, o EncodeOptions) string {
	b.Helper()
	dir, px := b.TempDir(), m.CT(1)
	code, err := Encode(nil, px, infoOf(m), o)
	if err != nil {
		b.Fatal(err)
	}
	for name, data := range map[string][]byte{"in.pgm": netpbm(m, px), "in.j2c": code} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			b.Fatal(err)
		}
	}
	return dir
}
