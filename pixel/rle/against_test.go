package rle

import (
	"math/rand/v2"
	"testing"

	"gantry/dicom/uid"
	"gantry/pixel/internal/codectest"
)

const dcmcrle = "/usr/bin/dcmcrle"

var dcmtk = codectest.Peer{Program: "/usr/bin/dcmdrle", Syntax: uid.RLELossless}

func form(width, height uint8, kind uint8) (codectest.Image, Info) {
	m := codectest.Image{Width: 1 + int(width), Height: 1 + int(height)%64, Samples: 1, Allocated: 8, Stored: 8}
	if kind&1 != 0 {
		m.Samples = 3
	}
	if kind&2 != 0 {
		m.Allocated, m.Stored = 16, 16
	}
	return m, Info{Width: m.Width, Height: m.Height, Components: m.Samples, Bits: m.Allocated}
}

// FuzzAgainstDCMTK compares both ways with dcmcrle and dcmdrle, many frames at a time: of what
// ours encodes both decode the same, and of what theirs encodes.
func FuzzAgainstDCMTK(f *testing.F) {
	for k := range 6 {
		f.Add(uint64(k), uint8(41*k), uint8(9+3*k), uint8(k))
	}
	f.Fuzz(func(t *testing.T, seed uint64, width, height, kind uint8) {
		m, i := form(width, height, kind)
		decode := func(code []byte) ([]byte, error) { return Decode(nil, code, i, DecodeOptions{}) }
		pictures := m.Pictures(seed, 8)
		var streams [][]byte
		for _, px := range pictures {
			code, err := Encode(nil, px, i, EncodeOptions{})
			if err != nil {
				t.Fatal(err)
			}
			streams = append(streams, code)
		}
		dcmtk.Compare(t, m, streams, decode)
		dcmtk.Compare(t, m, m.Coded(t, dcmcrle, pictures), decode)
	})
}

// says128 reports whether a segment has the byte 128 where a run begins: it says nothing
// (PS3.5 G.3.1), but DCMTK reads it as a run.
func says128(code []byte) bool {
	segs, _ := segments(code)
	for _, b := range segs {
		for len(b) > 0 && b[0] != maxRun {
			n := 2
			if b[0] < maxRun {
				n += int(b[0])
			}
			b = b[min(n, len(b)):]
		}
		if len(b) > 0 {
			return true
		}
	}
	return false
}

// FuzzDamageAgainstDCMTK damages good streams. Those that our decoder takes, and DCMTK's without
// a warning, have the same samples.
func FuzzDamageAgainstDCMTK(f *testing.F) {
	for k := range 6 {
		f.Add(uint64(k), uint8(11*k), uint8(9+3*k), uint8(k))
	}
	f.Fuzz(func(t *testing.T, seed uint64, width, height, kind uint8) {
		r := rand.New(rand.NewPCG(seed, 1))
		m, i := form(width%64, height%32, kind)
		code, err := Encode(nil, m.Pictures(seed, 3)[seed%3], i, EncodeOptions{})
		if err != nil {
			t.Fatal(err)
		}
		dcmtk.CompareDamaged(t, r, m, code, func(code []byte) ([]byte, error) {
			if says128(code) {
				return nil, nil
			}
			return Decode(nil, code, i, DecodeOptions{})
		})
	})
}
