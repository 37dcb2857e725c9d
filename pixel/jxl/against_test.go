package jxl

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"gantry/pixel/internal/codectest"
)

// ask decodes a stream with libjxl: nil where it refuses. It reports false where that ends in
// another way than by an answer.
func ask(t *testing.T, program string, src []byte, bits int) ([]byte, bool) {
	t.Helper()
	in, out := filepath.Join(t.TempDir(), "a.jxl"), filepath.Join(t.TempDir(), "b.ppm")
	if err := os.WriteFile(in, src, 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	err := exec.CommandContext(ctx, program, in, out, "--quiet", "--num_threads=1", fmt.Sprint("--bits_per_sample=", bits)).Run()
	if c, ok := err.(*exec.ExitError); err != nil && (!ok || !c.Exited()) {
		return nil, false // it crashed or hangs
	}
	b, _ := os.ReadFile(out)
	if err != nil || len(b) == 0 {
		return nil, true
	}
	return samplesOf(t, b), true
}

// FuzzAgainstLibjxl changes bits of good streams. What libjxl takes ours takes, unless it says that
// it does not know it, and the samples are the same: of lossy images nearly, in 8 bits.
func FuzzAgainstLibjxl(f *testing.F) {
	streams := seedStreams(f)
	names := slices.Sorted(maps.Keys(streams))
	names = slices.DeleteFunc(names, func(n string) bool { return n == "boxes" }) // libjxl also takes boxes that are cut off
	program := codectest.Tool(f, djxl)
	for k := range names {
		f.Add(uint8(k), uint16(0), uint8(0), uint16(0), uint8(0))
		f.Add(uint8(k), uint16(50), uint8(0x10), uint16(90), uint8(1))
	}
	f.Fuzz(func(t *testing.T, which uint8, at1 uint16, x1 uint8, at2 uint16, x2 uint8) {
		code := bytes.Clone(streams[names[int(which)%len(names)]])
		code[int(at1)%len(code)] ^= x1
		code[int(at2)%len(code)] ^= x2
		got, info, err := Decode(nil, code, DecodeOptions{Workers: 1, Limits: Limits{MaxPixels: 1 << 18}})
		if un := UnsupportedError(""); errors.As(err, &un) || err != nil && strings.Contains(err.Error(), "exceed") || info.Size() > 1<<20 || err == nil && info.Bits != 8 && info.Bits != 16 {
			return
		}
		want, ok := ask(t, program, code, max(info.SampleBytes(), 1)*8)
		switch {
		case !ok:
		case err == nil && want == nil:
			t.Errorf("%+v: libjxl refuses it", info)
		case err != nil && want != nil:
			t.Errorf("%v, but libjxl takes it", err)
		case err == nil:
			most, mean := distance(got, want, info.SampleBytes())
			if len(got) != len(want) || most > 0 && !info.Lossy || most > 2 && mean > 0.5 && info.Bits == 8 {
				t.Errorf("%+v: other samples, by %d, in the mean by %.2f", info, most, mean)
			}
		}
	})
}
