package render

import (
	"testing"

	"gantry/dicom/tag"
)

// BenchmarkGrey draws a CT slice through a window: a table for its 4,096 values, and one
// look-up a pixel.
func BenchmarkGrey(b *testing.B) {
	d := form(512, 16, 12)
	d.Rows = 512
	px := make([]byte, d.FrameSize())
	for i := range px {
		px[i] = byte(i * 7)
	}
	ds := build(b, edit().SetText(tag.WindowCenter, "1064").SetText(tag.WindowWidth, "400"))
	b.SetBytes(int64(len(px)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Samples(ds, d, px, 0, Options{}); err != nil {
			b.Fatal(err)
		}
	}
}
