package codectest

import (
	"bytes"
	"context"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"gantry/dicom/uid"
)

// Ask runs a reference program on what may be damaged. It returns what the program said and
// whether it did its work; answered is false where it crashed or hung, and has no opinion.
func Ask(t testing.TB, program string, args ...string) (said string, done, answered bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, program, args...).CombinedOutput()
	if c, ok := err.(*exec.ExitError); err != nil && (!ok || !c.Exited()) {
		return string(out), false, false
	}
	return string(out), err == nil, true
}

// Verdict is what a program of DCMTK makes of coded frames.
type Verdict struct {
	Pixels []byte // of all frames, native; nil where it refuses them
	Doubts bool   // it warned of something, or has no opinion
	Said   string
}

// Peer is a program of DCMTK that decodes a syntax.
type Peer struct {
	Program string
	Syntax  uid.UID
	Args    []string
	// Same reports whether samples of a damaged frame are the same; nil: only if all are equal.
	Same func(m Image, ours, theirs []byte) bool
}

// Judge lets a program decode frames of m.
func (p Peer) Judge(t testing.TB, m Image, frames ...[]byte) Verdict {
	t.Helper()
	m.Frames = len(frames)
	out := filepath.Join(t.TempDir(), "out.dcm")
	args := append(slices.Clone(p.Args), m.WriteEncapsulated(t, p.Syntax, frames...), out)
	said, done, answered := Ask(t, Tool(t, p.Program), args...)
	v := Verdict{Said: said, Doubts: !answered || strings.Contains(said, "W: ") || strings.Contains(said, "E: ")}
	if done {
		v.Pixels = ReadNative(t, out)
		v.Pixels = v.Pixels[:min(len(v.Pixels), m.Frames*m.FrameBytes())]
	}
	return v
}

// Coded lets a program of DCMTK encode an object of frames.
func (m Image) Coded(t testing.TB, program string, frames [][]byte, args ...string) [][]byte {
	t.Helper()
	m.Frames = len(frames)
	var px []byte
	for _, f := range frames {
		px = append(px, f...)
	}
	out := filepath.Join(t.TempDir(), "coded.dcm")
	Run(t, Tool(t, program), append(args, m.WriteNative(t, px), out)...)
	return ReadFrames(t, out)
}

// Pictures returns n images of one form: a scanner's, noise, nearly flat, and bands of them.
func (m Image) Pictures(seed uint64, n int) [][]byte {
	r := rand.New(rand.NewPCG(seed, 4))
	var out [][]byte
	for k := range n {
		kinds := [][]byte{m.CT(r.Uint64()), m.Noise(r.Uint64()), m.Flat(r.Uint64())}
		px := kinds[k%3]
		if k%4 == 3 {
			for y := range m.Height {
				line := len(px) / m.Height
				copy(px[y*line:(y+1)*line], kinds[r.IntN(3)][y*line:])
			}
		}
		out = append(out, px)
	}
	return out
}

// Damaged returns n copies of a stream in which a few bytes or bits are others, or some are
// missing. The first bytes, by which a stream is known, stay.
func Damaged(r *rand.Rand, code []byte, n int) (out [][]byte) {
	const kept = 2
	for range n {
		bad := bytes.Clone(code)
		for range 1 + r.IntN(3) {
			at := kept + r.IntN(len(bad)-kept)
			switch r.IntN(8) {
			case 0:
				bad[at] = byte(r.Uint32())
			case 1:
				bad = slices.Delete(bad, at, min(at+1+r.IntN(8), len(bad)))
			default:
				bad[at] ^= 1 << r.IntN(8)
			}
		}
		out = append(out, bad)
	}
	return out
}

// CompareDamaged damages a stream in 32 ways. Those that decode takes, and the peer without a
// warning, must give the same samples.
func (p Peer) CompareDamaged(t testing.TB, r *rand.Rand, m Image, code []byte, decode func([]byte) ([]byte, error)) {
	t.Helper()
	var taken, ours [][]byte
	for _, bad := range Damaged(r, code, 32) {
		if px, err := decode(bad); err == nil && len(px) == m.FrameBytes() {
			taken, ours = append(taken, bad), append(ours, px)
		}
	}
	bad, both := p.differ(t, m, taken, ours)
	t.Logf("%+v: of 32 we take %d, both %d", m, len(taken), both)
	for _, code := range bad {
		t.Errorf("other samples of a stream that starts like this: %x", code[:min(len(code), 300)])
	}
}

// differ lets a peer decode frames, all in one object or, where it refuses or doubts it, in
// halves of it. It returns the frames that it decodes to other samples, and how many it takes.
func (p Peer) differ(t testing.TB, m Image, frames, ours [][]byte) (bad [][]byte, taken int) {
	t.Helper()
	if len(frames) == 0 {
		return nil, 0
	}
	v := p.Judge(t, m, frames...)
	switch {
	case v.Pixels != nil && !v.Doubts:
		for k, px := range ours {
			if theirs := v.Pixels[k*m.FrameBytes():][:m.FrameBytes()]; !bytes.Equal(px, theirs) && (p.Same == nil || !p.Same(m, px, theirs)) {
				bad = append(bad, frames[k])
			}
		}
		return bad, len(frames)
	case len(frames) == 1:
		return nil, 0
	}
	half := len(frames) / 2
	bad, taken = p.differ(t, m, frames[:half], ours[:half])
	more, n := p.differ(t, m, frames[half:], ours[half:])
	return append(bad, more...), taken + n
}

// Compare decodes streams with a peer, which must take them, and compares the samples with ours.
func (p Peer) Compare(t testing.TB, m Image, streams [][]byte, decode func([]byte) ([]byte, error)) {
	t.Helper()
	v := p.Judge(t, m, streams...)
	if v.Doubts || v.Pixels == nil {
		t.Fatalf("%+v: %s: %s", m, p.Program, v.Said)
	}
	for k, code := range streams {
		got, err := decode(code)
		if want := v.Pixels[k*m.FrameBytes():][:m.FrameBytes()]; err != nil || !bytes.Equal(got, want) {
			t.Errorf("frame %d of %+v: other samples (%v): %x", k, m, err, code[:min(len(code), 300)])
		}
	}
}
