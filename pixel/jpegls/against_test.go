package jpegls

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"

	"gantry/dicom/uid"
	"gantry/pixel/internal/codectest"
	"gantry/pixel/internal/marker"
)

const dcmcjpls = "/usr/bin/dcmcjpls"

var charls = codectest.Peer{Program: "/usr/bin/dcmdjpls", Syntax: uid.JPEGLSNearLossless}

// drawn draws parameters for an image, of those that CharLS in DCMTK can decode: it has 8 bits
// at least, and lines of samples in turn only without loss and with the default thresholds.
func drawn(r *rand.Rand, m codectest.Image) Info {
	i := Info{Width: m.Width, Height: m.Height, Components: m.Samples, Bits: m.Stored}
	if m.Samples > 1 {
		i.Interleave = Interleave(r.IntN(3))
	}
	if i.Interleave == Sample {
		return i
	}
	if r.IntN(2) == 0 {
		i.Near = r.IntN(1 + min(255, 1<<m.Stored/2-1)>>r.IntN(8))
	}
	if r.IntN(2) == 0 {
		top := 1<<m.Stored - 1
		low := []int{i.Near + 1 + r.IntN(top-i.Near), i.Near + 1 + r.IntN(top-i.Near), i.Near + 1 + r.IntN(top-i.Near)}
		slices.Sort(low)
		i.Preset = Preset{T1: low[0], T2: low[1], T3: low[2], Reset: 3 + r.IntN(250)}
	}
	return i
}

// FuzzAgainstDCMTK compares both ways with CharLS, in dcmcjpls and dcmdjpls, many frames at
// a time: of what ours encodes both decode the same, and of what theirs encodes.
func FuzzAgainstDCMTK(f *testing.F) {
	for k := range 6 {
		f.Add(uint64(k), uint8(7+60*k), uint8(9+3*k), uint8(2*k), k%2 == 1)
	}
	f.Fuzz(func(t *testing.T, seed uint64, width, height, deeper uint8, colour bool) {
		r := rand.New(rand.NewPCG(seed, 0))
		m := codectest.Image{Width: 1 + int(width), Height: 1 + int(height)%64, Samples: 1, Allocated: 8, Stored: 8}
		switch bits := 8 + int(deeper)%9; {
		case colour:
			m.Samples = 3
		case bits > 8:
			m.Allocated, m.Stored = 16, bits
		}
		var streams [][]byte
		for _, px := range m.Pictures(seed, 8) {
			code, err := Encode(nil, px, drawn(r, m), EncodeOptions{})
			if err != nil {
				t.Fatal(err)
			}
			streams = append(streams, code)
		}
		charls.Compare(t, m, streams, limited)
		if m.Width >= 60 { // dcmcjpls writes behind its buffer where a frame grows
			args := []string{"+pc", []string{"+in", "+il", "+is"}[r.IntN(3)]}
			if seed%2 == 1 && args[1] != "+is" {
				args = append(args, "+en", "+md", strconv.Itoa(1+r.IntN(8)))
			}
			streams = m.Coded(t, dcmcjpls, [][]byte{m.CT(seed), m.Flat(seed), m.CT(seed + 1)}, args...)
			charls.Compare(t, m, streams, limited)
		}
	})
}

// limited decodes what may be damaged.
func limited(code []byte) ([]byte, error) {
	px, _, err := Decode(nil, code, DecodeOptions{Limits: Limits{MaxPixels: 1 << 16}})
	return px, err
}

// mixed reports whether scans differ in NEAR or their interleave mode: each scan has its own
// (T.87 C.2.3), but CharLS in DCMTK decodes all of them with one.
func mixed(code []byte) bool {
	var first []byte
	for pos := 2; ; {
		seg, err := marker.Read(code, pos)
		if err != nil || seg.Code == marker.EOI {
			return false
		}
		if pos = seg.Next; seg.Code == marker.SOS && len(seg.Body) > 3 {
			own := seg.Body[len(seg.Body)-3:]
			if first != nil && !bytes.Equal(own, first) {
				return true
			}
			first, pos = own, marker.Find(code, pos, 0x80)
		}
	}
}

// FuzzDamageAgainstDCMTK damages good streams. Those that our decoder takes and CharLS too have
// the same samples.
func FuzzDamageAgainstDCMTK(f *testing.F) {
	images := []codectest.Image{
		{Width: 64, Height: 21, Samples: 1, Allocated: 8, Stored: 8},
		{Width: 33, Height: 20, Samples: 1, Allocated: 16, Stored: 12},
		{Width: 19, Height: 20, Samples: 3, Allocated: 8, Stored: 8},
	}
	for k := range 6 {
		f.Add(uint64(k), uint8(k))
	}
	f.Fuzz(func(t *testing.T, seed uint64, which uint8) {
		r := rand.New(rand.NewPCG(seed, 1))
		m := images[int(which)%len(images)]
		code, err := Encode(nil, m.Pictures(seed, 3)[seed%3], drawn(r, m), EncodeOptions{})
		if err != nil {
			t.Fatal(err)
		}
		charls.CompareDamaged(t, r, m, code, func(code []byte) ([]byte, error) {
			if mixed(code) {
				return nil, nil
			}
			return limited(code)
		})
	})
}
