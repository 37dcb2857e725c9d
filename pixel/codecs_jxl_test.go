package pixel

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"gantry/dicom/uid"
	"gantry/pixel/internal/codectest"
)

// jxlOf compresses a frame of whole bytes with libjxl, without loss.
func jxlOf(t testing.TB, m codectest.Image, px []byte) []byte {
	t.Helper()
	in, out := filepath.Join(t.TempDir(), "a.pnm"), filepath.Join(t.TempDir(), "a.jxl")
	b := fmt.Appendf(nil, "P%d\n%d %d\n%d\n", 5+m.Samples/2, m.Width, m.Height, 1<<m.Allocated-1)
	if m.Allocated == 8 {
		b = append(b, px...)
	}
	for i := 0; m.Allocated == 16 && i < len(px); i += 2 {
		b = append(b, px[i+1], px[i])
	}
	os.WriteFile(in, b, 0o600)
	codectest.Run(t, codectest.Tool(t, "/usr/bin/cjxl"), in, out, "-d", "0", "-e", "3")
	code, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return code
}

// TestJPEGXL decodes and transcodes objects of JPEG XL.
func TestJPEGXL(t *testing.T) {
	for _, m := range []codectest.Image{
		{Width: 65, Height: 40, Samples: 1, Frames: 1, Allocated: 8, Stored: 8},
		{Width: 300, Height: 200, Samples: 1, Frames: 2, Allocated: 16, Stored: 12},
		{Width: 61, Height: 40, Samples: 1, Frames: 1, Allocated: 16, Stored: 16, Signed: true},
		{Width: 65, Height: 40, Samples: 3, Frames: 2, Allocated: 8, Stored: 8, Photometric: YBRRCT},
	} {
		var want []byte
		var frames [][]byte
		for k := range m.Frames {
			px := m.CT(uint64(k))
			want, frames = append(want, px...), append(frames, jxlOf(t, m, px))
		}
		f := readFile(t, m.WriteEncapsulated(t, uid.JPEGXLLossless, frames...))
		for _, to := range []uid.UID{uid.ExplicitVRLittleEndian, uid.JPEGLSLossless} {
			out, r, err := transcode(t, f, to, Options{})
			if err != nil || r.Derived {
				t.Fatalf("%+v: %+v %v", m, r, err)
			}
			s, err := Frames(out.DataSet, out.Syntax, Limits{})
			if err != nil {
				t.Fatal(err)
			}
			got, d, err := decodeAll(t, s)
			if err != nil || !bytes.Equal(got, want) || d.Lossy || m.Samples == 3 && s.Desc().Photometric != RGB {
				t.Errorf("%+v to %s: %+v %v", m, to.Name(), d, err)
			}
		}
	}
}
