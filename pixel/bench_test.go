package pixel

import (
	"io"
	"testing"

	"gantry/dicom/part10"
	"gantry/dicom/uid"
	"gantry/pixel/internal/codectest"
)

// discard hides that io.Discard can read from anything.
type discard struct{ io.Writer }

// BenchmarkTranscode compresses and decompresses an object with one worker and with two:
// two should be 1.8 times as fast.
func BenchmarkTranscode(b *testing.B) {
	m := codectest.Image{Width: 512, Height: 512, Samples: 1, Frames: 16, Allocated: 16, Stored: 12}
	var px []byte
	for k := range m.Frames {
		px = append(px, m.CT(uint64(k))...)
	}
	native := readFile(b, m.WriteNative(b, px))
	packed, _, err := transcode(b, native, uid.JPEGLSLossless, Options{})
	if err != nil {
		b.Fatal(err)
	}
	for _, c := range []struct {
		name    string
		from    *part10.File
		to      uid.UID
		workers int
	}{
		{"native to JPEG-LS/1", native, uid.JPEGLSLossless, 1}, {"native to JPEG-LS/2", native, uid.JPEGLSLossless, 2},
		{"JPEG-LS to native/1", packed, uid.ExplicitVRLittleEndian, 1}, {"JPEG-LS to native/2", packed, uid.ExplicitVRLittleEndian, 2},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.SetBytes(int64(len(px)))
			for b.Loop() {
				if _, err := Transcode(b.Context(), discard{io.Discard}, c.from, c.to, Options{Workers: c.workers}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
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
