package pixel

import (
	"io"
	"runtime"
	"testing"
	"time"

	"gantry/dicom/part10"
	"gantry/dicom/uid"
	"gantry/pixel/internal/codectest"
)

// discard hides that io.Discard can read from anything.
type discard struct{ io.Writer }

// BenchmarkCores transcodes whole objects on one core and on two, in turn: x_one is how many
// times as fast two are, the best of all runs by the best. An object of many frames goes by
// frames, one of a large frame by code blocks.
func BenchmarkCores(b *testing.B) {
	many := codectest.Image{Width: 512, Height: 512, Samples: 1, Frames: 16, Allocated: 16, Stored: 12}
	large := codectest.Image{Width: 2048, Height: 2048, Samples: 1, Frames: 1, Allocated: 16, Stored: 12}
	for _, c := range []struct {
		name   string
		image  codectest.Image
		syntax uid.UID
	}{
		{"frames/RLE", many, uid.RLELossless}, {"frames/JPEG-lossless", many, uid.JPEGLosslessSV1}, {"frames/JPEG-LS", many, uid.JPEGLSLossless},
		{"frames/JPEG-2000", many, uid.JPEG2000Lossless}, {"frames/HTJ2K", many, uid.HTJ2KLossless},
		{"blocks/JPEG-2000", large, uid.JPEG2000Lossless}, {"blocks/HTJ2K", large, uid.HTJ2KLossless},
	} {
		var px []byte
		for k := range c.image.Frames {
			px = append(px, c.image.CT(uint64(k))...)
		}
		native := readFile(b, c.image.WriteNative(b, px))
		packed, _, err := transcode(b, native, c.syntax, Options{})
		if err != nil {
			b.Fatal(err)
		}
		b.Run(c.name+"/encode", func(b *testing.B) { cores(b, native, c.syntax) })
		b.Run(c.name+"/decode", func(b *testing.B) { cores(b, packed, uid.ExplicitVRLittleEndian) })
	}
}

// cores measures one case of BenchmarkCores.
func cores(b *testing.B, from *part10.File, to uid.UID) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	best := [2]time.Duration{time.Hour, time.Hour}
	for b.Loop() {
		for k := range best {
			runtime.GOMAXPROCS(k + 1)
			at := time.Now()
			if _, err := Transcode(b.Context(), discard{io.Discard}, from, to, Options{}); err != nil {
				b.Fatal(err)
			}
			best[k] = min(best[k], time.Since(at))
		}
	}
	b.ReportMetric(best[0].Seconds()/best[1].Seconds(), "x_one")
}

// BenchmarkFrame finds a frame among many fragments, the table being built once.
func BenchmarkFrame(b *testing.B) {
	o := object{frames: 5000}
	for k := range o.frames {
		o.basic = append(o.basic, uint32(28*k))
		o.fragments = append(o.fragments, begin(byte(k)), more(1))
	}
	s, err := Frames(o.dataSet(b), uid.JPEGBaseline8Bit, Limits{})
	if err != nil {
		b.Fatal(err)
	}
	dst := make([]byte, 0, 64)
	i := 0
	for b.Loop() {
		if _, err := s.Frame(b.Context(), i%o.frames, dst); err != nil {
			b.Fatal(err)
		}
		i += 37
	}
}
