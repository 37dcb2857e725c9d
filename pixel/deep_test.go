package pixel

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"gantry/dicom/tag"
	"gantry/dicom/uid"
	"gantry/pixel/internal/codectest"
)

// deepNoise makes samples of any number of bytes, signed ones with their sign extended.
func deepNoise(m codectest.Image) (px []byte) {
	r := rand.New(rand.NewPCG(uint64(m.Stored), 1))
	unused := 64 - m.Stored
	for range m.Width * m.Height * m.Samples * m.Frames {
		v := r.Uint64()
		if v = v << unused >> unused; m.Signed {
			v = uint64(int64(v<<unused) >> unused)
		}
		for k := range m.Allocated / 8 {
			px = append(px, byte(v>>(8*k)))
		}
	}
	return px
}

// TestDeepSamples transcodes samples of three to five bytes to JPEG 2000 and HTJ2K and back,
// by PS3.5 Tables 8.2.4-1 and 8.2.14-1: the pixels stay equal.
func TestDeepSamples(t *testing.T) {
	for _, bits := range [][2]int{{24, 24}, {24, 19}, {32, 32}, {32, 31}, {32, 25}, {32, 20}, {32, 12}, {40, 36}, {40, 33}, {40, 32}, {40, 20}} {
		for _, form := range []codectest.Image{{Samples: 1}, {Samples: 1, Signed: true}, {Samples: 3}} {
			m := form
			m.Width, m.Height, m.Frames, m.Allocated, m.Stored = 67, 35, 2, bits[0], bits[1]
			px := deepNoise(m)
			origin := readFile(t, m.WriteNative(t, px))
			for _, to := range []uid.UID{uid.JPEG2000Lossless, uid.JPEG2000, uid.HTJ2KLossless, uid.HTJ2KLosslessRPCL, uid.HTJ2K} {
				mid, r, err := transcode(t, origin, to, Options{Workers: 1})
				if err != nil || r.Derived || len(r.Flaws) > 0 {
					t.Errorf("%+v to %s: %v, %+v", m, to.Name(), err, r)
					continue
				}
				if n, _ := mid.DataSet.Int(tag.BitsAllocated); int(n) != m.Allocated {
					t.Errorf("%+v to %s: %d bits allocated", m, to.Name(), n)
				}
				back, _, err := transcode(t, mid, uid.ExplicitVRLittleEndian, Options{})
				if err != nil || !bytes.Equal(pixels(t, back), px) {
					t.Errorf("%+v from %s: %v, or other pixels", m, to.Name(), err)
				}
			}
		}
	}
}

// TestTooDeep refuses what the wavelets have no room for, before anything is written.
func TestTooDeep(t *testing.T) {
	for name, c := range map[string]struct {
		allocated, stored int
		lossy             *Lossy
	}{
		"38 bits":           {40, 38, nil},
		"48 bits":           {48, 20, nil},
		"32 bits with loss": {32, 20, &Lossy{}},
	} {
		m := codectest.Image{Width: 8, Height: 8, Samples: 1, Frames: 1, Allocated: c.allocated, Stored: c.stored}
		for _, to := range []uid.UID{uid.JPEG2000, uid.HTJ2K} {
			var b bytes.Buffer
			var un *UnsupportedError
			_, err := Transcode(t.Context(), &b, readFile(t, m.WriteNative(t, deepNoise(m))), to, Options{Lossy: c.lossy, Workers: 1})
			if !errors.As(err, &un) || b.Len() > 0 {
				t.Errorf("%s to %s: %v, %d bytes", name, to.Name(), err, b.Len())
			}
		}
	}
}

// TestUnusedDeepBits keeps what is above the highest bit of deep samples.
func TestUnusedDeepBits(t *testing.T) {
	for _, allocated := range []int{24, 32} {
		t.Run(fmt.Sprint(allocated), func(t *testing.T) {
			m := codectest.Image{Width: 31, Height: 9, Samples: 1, Frames: 1, Allocated: allocated, Stored: allocated}
			px := deepNoise(m)
			m.Stored = 20
			out, _, err := transcode(t, readFile(t, m.WriteNative(t, px)), uid.JPEG2000Lossless, Options{})
			if err != nil || !bytes.Equal(pixels(t, out), px) {
				t.Errorf("%v, or other pixels", err)
			}
		})
	}
}
