package jpegll

import (
	"math/rand/v2"
	"strconv"
	"testing"

	"gantry/dicom/uid"
	"gantry/pixel/internal/codectest"
)

const dcmcjpeg = "/usr/bin/dcmcjpeg"

var dcmtk = codectest.Peer{Program: "/usr/bin/dcmdjpeg", Syntax: uid.JPEGLossless}

func form(width, height, depth uint8, colour bool) codectest.Image {
	m := codectest.Image{Width: 1 + int(width), Height: 1 + int(height)%64, Samples: 1, Allocated: 8, Stored: 2 + int(depth)%15}
	if colour {
		m.Samples, m.Stored = 3, 8
	}
	if m.Stored > 8 {
		m.Allocated = 16
	}
	return m
}

// drawn encodes with parameters that it draws.
func drawn(t *testing.T, r *rand.Rand, m codectest.Image, px []byte) []byte {
	t.Helper()
	i := Info{Width: m.Width, Height: m.Height, Components: m.Samples, Bits: m.Stored, Predictor: 1 + r.IntN(7)}
	if r.IntN(4) == 0 {
		i.PointTransform = r.IntN(m.Stored)
	}
	code, err := Encode(nil, px, i, EncodeOptions{RestartRows: r.IntN(2) * r.IntN(4)})
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
	for k := range 6 {
		f.Add(uint64(k), uint8(41*k), uint8(9+3*k), uint8(3*k), k%3 == 1)
	}
	f.Fuzz(func(t *testing.T, seed uint64, width, height, depth uint8, colour bool) {
		r := rand.New(rand.NewPCG(seed, 0))
		m := form(width, height, depth, colour)
		pictures := m.Pictures(seed, 8)
		var streams [][]byte
		for _, px := range pictures {
			streams = append(streams, drawn(t, r, m, px))
		}
		allUsed(t, streams)
		dcmtk.Compare(t, m, streams, limited)
		streams = m.Coded(t, dcmcjpeg, pictures, "+el", "+sv", strconv.Itoa(1+r.IntN(7)), "+pt", strconv.Itoa(r.IntN(2)*r.IntN(m.Stored)))
		allUsed(t, streams)
		dcmtk.Compare(t, m, streams, limited)
	})
}

// FuzzDamageAgainstDCMTK damages good streams. Those that our decoder takes, and DCMTK's without
// a warning, have the same samples.
func FuzzDamageAgainstDCMTK(f *testing.F) {
	for k := range 6 {
		f.Add(uint64(k), uint8(11*k), uint8(9+3*k), uint8(3*k), k%3 == 1)
	}
	f.Fuzz(func(t *testing.T, seed uint64, width, height, depth uint8, colour bool) {
		r := rand.New(rand.NewPCG(seed, 1))
		m := form(width%64, height%32, depth, colour)
		code := drawn(t, r, m, m.Pictures(seed, 3)[seed%3])
		dcmtk.CompareDamaged(t, r, m, code, limited)
	})
}
