package jpeg

import (
	"math/rand/v2"
	"strconv"
	"testing"

	"gantry/dicom/uid"
	"gantry/pixel/internal/codectest"
)

const dcmcjpeg = "/usr/bin/dcmcjpeg"

// dcmtk decodes without converting colours.
var dcmtk = codectest.Peer{Program: "/usr/bin/dcmdjpeg", Syntax: uid.JPEGExtended12Bit, Args: []string{"+cn"}, Same: clipped}

// clipped reports whether samples differ only in blocks of which ours are clipped: of samples that
// are far out of range libjpeg takes the remainder, and of coefficients.
func clipped(m codectest.Image, ours, theirs []byte) bool {
	type block struct{ x, y, component int }
	differ, clip := map[block]bool{}, map[block]bool{}
	at := func(px []byte, k int) int {
		if m.Allocated == 16 {
			return int(px[2*k]) | int(px[2*k+1])<<8
		}
		return int(px[k])
	}
	for k := range m.Width * m.Height * m.Samples {
		pixel, v := k/m.Samples, at(ours, k)
		b := block{pixel % m.Width / 8, pixel / m.Width / 8, k % m.Samples}
		differ[b] = differ[b] || v != at(theirs, k)
		clip[b] = clip[b] || v == 0 || v == 1<<m.Stored-1
	}
	for b, d := range differ {
		if d && !clip[b] {
			return false
		}
	}
	return true
}

// middling halves the range of samples, so that none is clipped before it is damaged.
func middling(m codectest.Image, px []byte) []byte {
	for k := range px {
		switch {
		case m.Allocated == 8:
			px[k] = px[k]/2 + 64
		case k%2 == 1:
			px[k] = px[k]/2 + 4
		}
	}
	return px
}

// form is an image of 8 bits, of 12, or of colours.
func form(width, height, kind uint8) codectest.Image {
	m := codectest.Image{Width: 1 + int(width), Height: 1 + int(height)%64, Samples: 1, Allocated: 8, Stored: 8}
	switch kind % 3 {
	case 1:
		m.Allocated, m.Stored = 16, 12
	case 2:
		m.Samples, m.Photometric = 3, "YBR_FULL"
	}
	return m
}

// drawn encodes with parameters that it draws; halved permits to halve colour differences.
func drawn(t *testing.T, r *rand.Rand, m codectest.Image, px []byte, halved bool) []byte {
	t.Helper()
	i := Info{Width: m.Width, Height: m.Height, Components: m.Samples, Bits: m.Stored, YCbCr: m.Samples > 1}
	o := EncodeOptions{Quality: 1 + r.IntN(100), Subsample: halved && i.YCbCr && r.IntN(2) == 0, RestartMCUs: r.IntN(2) * r.IntN(20)}
	code, err := Encode(nil, px, i, o)
	if err != nil {
		t.Fatal(err)
	}
	return code
}

// limited decodes what may be damaged.
func limited(code []byte) ([]byte, error) {
	px, _, err := Decode(nil, code, DecodeOptions{Limits: Limits{MaxPixels: 1 << 16}})
	return px, err
}

// processes are those of dcmcjpeg: sequential, of chosen frequencies, and progressive.
var processes = []string{"+ee", "+es", "+ep"}

// allUsed fails the test when sound streams are said to go on behind the image.
func allUsed(t *testing.T, streams [][]byte) {
	t.Helper()
	for k, code := range streams {
		if _, i, err := Decode(nil, code, DecodeOptions{}); err == nil && i.Unused {
			t.Errorf("stream %d goes on behind the image: %x", k, code[max(0, len(code)-16):])
		}
	}
}

// FuzzAgainstDCMTK compares both ways with dcmcjpeg and dcmdjpeg, many frames at a time: of
// what ours encodes both decode the same, and of what theirs encodes.
func FuzzAgainstDCMTK(f *testing.F) {
	for k := range 9 {
		f.Add(uint64(k), uint8(31*k), uint8(9+3*k), uint8(k))
	}
	f.Fuzz(func(t *testing.T, seed uint64, width, height, kind uint8) {
		r := rand.New(rand.NewPCG(seed, 0))
		m := form(width, height, kind)
		pictures := m.Pictures(seed, 8)
		var streams [][]byte
		for _, px := range pictures {
			streams = append(streams, drawn(t, r, m, px, true))
		}
		allUsed(t, streams)
		dcmtk.Compare(t, m, streams, limited)
		args := []string{processes[r.IntN(3)], "+q", strconv.Itoa(r.IntN(101))}
		if m.Samples > 1 {
			m.Photometric = "RGB"
			args = append(args, []string{"+s2", "+s4", "+n1"}[r.IntN(3)])
		}
		streams = m.Coded(t, dcmcjpeg, pictures, args...)
		if m.Samples > 1 {
			m.Photometric = "YBR_FULL"
		}
		allUsed(t, streams)
		dcmtk.Compare(t, m, streams, limited)
	})
}

// FuzzDamageAgainstDCMTK damages good streams. Those that our decoder takes, and DCMTK's without
// a warning, have the same samples where none is clipped. Nothing is interpolated, which would
// hide what was.
func FuzzDamageAgainstDCMTK(f *testing.F) {
	for k := range 6 {
		f.Add(uint64(k), uint8(11*k), uint8(9+3*k), uint8(k))
	}
	f.Fuzz(func(t *testing.T, seed uint64, width, height, kind uint8) {
		r := rand.New(rand.NewPCG(seed, 1))
		m := form(width%64, height%32, kind)
		code := drawn(t, r, m, middling(m, m.Pictures(seed, 3)[seed%3]), false)
		dcmtk.CompareDamaged(t, r, m, code, limited)
	})
}
