// Package codectest is what the tests of the codecs share: synthetic images, DICOM files
// around frames, the programs that serve as references, and the real files of a syntax.
// Only tests import it.
package codectest

import (
	"context"
	"encoding/binary"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"testing"
	"time"
)

// Image describes pixel data as PS3.3 C.7.6.3 does. Samples are interleaved.
type Image struct {
	Width, Height, Samples, Frames int
	Allocated, Stored              int
	Signed                         bool
	Photometric                    string // empty: MONOCHROME2 or RGB by Samples
}

// FrameBytes returns the length of one native frame.
func (m Image) FrameBytes() int { return (m.Width*m.Height*m.Samples*m.Allocated + 7) / 8 }

// Noise returns samples of native width, every value of 0 to 2^stored-1 equally likely.
func (m Image) Noise(seed uint64) []byte {
	r := rand.New(rand.NewPCG(seed, 1))
	return m.fill(func(int, int, int) int { return int(r.Uint32() & (1<<m.Stored - 1)) })
}

// CT returns a smooth picture with edges, flat areas and Gaussian noise, as a scanner's.
func (m Image) CT(seed uint64) []byte {
	r := rand.New(rand.NewPCG(seed, 2))
	top := float64(int(1)<<m.Stored - 1)
	return m.fill(func(x, y, c int) int {
		fx, fy := float64(x)/float64(m.Width)-0.5, float64(y)/float64(m.Height)-0.5
		if fx*fx+fy*fy > 0.2 {
			return 0
		}
		v := 0.4 + 0.2*math.Sin(9*fx+float64(c))*math.Cos(7*fy)
		if math.Abs(fx*fy) < 0.003 {
			v += 0.3
		}
		return int(min(max(v*top+r.NormFloat64()*top/200, 0), top))
	})
}

// Flat returns an image of one value, with a few specks.
func (m Image) Flat(seed uint64) []byte {
	r := rand.New(rand.NewPCG(seed, 3))
	return m.fill(func(int, int, int) int {
		if r.IntN(97) == 0 {
			return int(r.Uint32() & (1<<m.Stored - 1))
		}
		return 1<<m.Stored - 1
	})
}

func (m Image) fill(f func(x, y, c int) int) []byte {
	var px []byte
	for y := range m.Height {
		for x := range m.Width {
			for c := range m.Samples {
				px = appendSample(px, f(x, y, c), m.Allocated)
			}
		}
	}
	return px
}

func appendSample(px []byte, v, allocated int) []byte {
	switch allocated {
	case 8:
		return append(px, byte(v))
	case 16:
		return binary.LittleEndian.AppendUint16(px, uint16(v))
	}
	return binary.LittleEndian.AppendUint32(px, uint32(v))
}

// Tool returns the path of a reference program. Where it is missing the test is skipped,
// loudly, but under CI it fails.
func Tool(t testing.TB, path string) string {
	t.Helper()
	if _, err := os.Stat(path); err != nil {
		missing(t, path+" IS MISSING: nothing was compared with it; scripts/setup installs it")
	}
	return path
}

func missing(t testing.TB, what string) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatal(what)
	}
	t.Skip(what)
}

// Run executes a reference program, which must end well within a minute.
func Run(t testing.TB, program string, args ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if out, err := exec.CommandContext(ctx, program, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %v: %v\n%s", program, args, err, out)
	}
}
