package j2k

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gantry/pixel/internal/codectest"
)

// deepSamples makes samples of any depth: noise over all of them, a smooth slope, or the
// least and the largest in turns.
func deepSamples(i Info, kind string) []byte {
	r := rand.New(rand.NewPCG(uint64(i.Bits), 7))
	px := make([]byte, 0, i.Size())
	for k := range i.Width * i.Height * i.Components {
		var v uint64
		switch x, y := k/i.Components%i.Width, k/i.Components/i.Width; kind {
		case "noise":
			v = r.Uint64()
		case "slope":
			v = uint64(x*y) << max(i.Bits-14, 0)
		case "extremes":
			v = -uint64((x + y) & 1)
		}
		unused := 64 - i.Bits
		if i.Signed {
			if kind == "extremes" {
				v ^= 1 << (i.Bits - 1)
			}
			v = uint64(int64(v<<unused) >> unused)
		} else {
			v = v << unused >> unused
		}
		if i.SampleBytes() == 8 {
			px = binary.LittleEndian.AppendUint64(px, v)
		} else {
			px = binary.LittleEndian.AppendUint32(px, uint32(v))
		}
	}
	return px
}

// TestEncodeDeep goes over depths that need more than 16 bits: the samples come back
// exactly, from blocks of both kinds. Up to 26 bits, or 24 in high-throughput blocks, OpenJPEG
// returns them too: it has planes for no more.
func TestEncodeDeep(t *testing.T) {
	for bits := 17; bits <= 37; bits++ {
		for _, size := range [][2]int{{1, 1}, {5, 3}, {70, 66}} {
			for _, samples := range []int{1, 3} {
				for _, kind := range []string{"noise", "slope", "extremes"} {
					i := Info{Width: size[0], Height: size[1], Components: samples, Bits: bits, Signed: bits%2 == 0}
					px := deepSamples(i, kind)
					for _, o := range []EncodeOptions{{}, {HT: true}, {HT: true, ByResolution: true}} {
						o.NoMCT = bits > 36
						t.Run(fmt.Sprintf("%d bits/%dx%dx%d %s HT %v", bits, size[0], size[1], samples, kind, o.HT), func(t *testing.T) {
							roundTrip(t, i, px, o)
						})
					}
				}
			}
		}
	}
}

func roundTrip(t *testing.T, i Info, px []byte, o EncodeOptions) {
	t.Helper()
	code, err := Encode(nil, px, i, o)
	if err != nil {
		t.Fatal(err)
	}
	got, info, err := Decode(nil, code, DecodeOptions{})
	if err != nil || info.Bits != i.Bits || !info.Reversible || !bytes.Equal(got, px) {
		t.Fatalf("%+v: %v, equal %v", info, err, bytes.Equal(got, px))
	}
	if (i.Bits <= 24 || !o.HT && i.Bits <= 26) && i.Width == 70 && i.Components == 1 {
		if theirs := deepReference(t, code); !bytes.Equal(theirs, px) {
			t.Fatal("OpenJPEG decodes it differently")
		}
	}
}

// TestDecodeDeepOpenJPEG decodes what OpenJPEG encodes of more than 16 bits.
func TestDecodeDeepOpenJPEG(t *testing.T) {
	for _, bits := range []int{20, 24, 25, 26} {
		m := codectest.Image{Width: 70, Height: 66, Samples: 1, Allocated: 32, Stored: bits}
		px := deepSamples(infoOf(m), "noise")
		for _, args := range []string{"", "-M 63", "-n 1", "-t 33,30 -n 3"} {
			code := deepTheirs(t, m, px, args)
			got, info, err := Decode(nil, code, DecodeOptions{})
			want := px
			if bits > 24 { // the encoder's own arithmetic has room for no more
				want = deepReference(t, code)
			}
			if err != nil || info.Bits != bits || !bytes.Equal(got, want) {
				t.Errorf("%d bits %s: %v, equal %v", bits, args, err, bytes.Equal(got, px))
			}
		}
	}
}

// deepTheirs compresses with OpenJPEG, which takes deep samples as PGX: highest bytes first.
func deepTheirs(t *testing.T, m codectest.Image, px []byte, args string) []byte {
	t.Helper()
	dir := t.TempDir()
	in, out := filepath.Join(dir, "a.pgx"), filepath.Join(dir, "a.j2k")
	b := fmt.Appendf(nil, "PG ML + %d %d %d\n", m.Stored, m.Width, m.Height)
	if err := os.WriteFile(in, append(b, turned(px)...), 0o600); err != nil {
		t.Fatal(err)
	}
	codectest.Run(t, codectest.Tool(t, opjCompress), append([]string{"-i", in, "-o", out}, strings.Fields(args)...)...)
	b, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// deepReference decodes one deep component with OpenJPEG.
func deepReference(t *testing.T, code []byte) []byte {
	t.Helper()
	dir := t.TempDir()
	in := filepath.Join(dir, "a.j2k")
	if err := os.WriteFile(in, code, 0o600); err != nil {
		t.Fatal(err)
	}
	codectest.Run(t, codectest.Tool(t, opjDecompress), "-i", in, "-o", filepath.Join(dir, "b.pgx"))
	b, err := os.ReadFile(filepath.Join(dir, "b_0.pgx"))
	if err != nil {
		t.Fatal(err)
	}
	_, b, _ = bytes.Cut(b, []byte("\n"))
	return turned(b)
}

// turned has the bytes of samples the other way around.
func turned(px []byte) []byte {
	out := make([]byte, 0, len(px))
	for ; len(px) >= 4; px = px[4:] {
		out = binary.BigEndian.AppendUint32(out, binary.LittleEndian.Uint32(px))
	}
	return out
}

// TestDeepestRefuses: 38 bits fit where no sample is the least of all; else there is an
// error, and so there is for what would be lossy.
func TestDeepestRefuses(t *testing.T) {
	i := Info{Width: 9, Height: 9, Components: 1, Bits: 38}
	px := bytes.Repeat([]byte{1, 2, 3, 4, 5, 0, 0, 0}, 81)
	roundTrip(t, i, px, EncodeOptions{})
	_, err := Encode(nil, make([]byte, len(px)), i, EncodeOptions{})
	var un UnsupportedError
	if !errors.As(err, &un) || !strings.Contains(err.Error(), "38 bits where 37") {
		t.Error(err)
	}
	if _, err := Encode(nil, px, i, EncodeOptions{Step: 1}); !errors.As(err, &un) || !strings.Contains(err.Error(), "with loss") {
		t.Error(err)
	}
	code, err := Encode(nil, px, i, EncodeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := Decode(nil, patched(t, code, mCOD, 13, 0), DecodeOptions{}); !errors.As(err, &un) || !strings.Contains(err.Error(), "irreversible") {
		t.Error(err)
	}
}

// TestExtensions writes exponents of all sizes into the codes of pairs of quads and reads
// them back: those above 32 have extensions (T.814 7.3.6).
func TestExtensions(t *testing.T) {
	tabs := htTabs()
	for a := range uint32(97) {
		for b := range uint32(97) {
			off := uint32(0)
			if a > 0 {
				off = 1
			}
			if b > 0 {
				off |= 2
			}
			if off == 0 {
				continue
			}
			var e htEncoder
			e.vlc.room(1 << 10)
			e.exponents(a, b, false)
			v := look(e.vlc.close(), 0)
			u0, u1, used := tabs.uvlc[1][off|uint32(v&0x3F)<<2].read(v)
			if max(u0, u1) > uvlcPlain {
				u0, u1, used = extensions(u0, u1, v, used)
			}
			if u0 != a || u1 != b || used != e.vlc.bits() {
				t.Fatalf("%d, %d: read as %d, %d of %d bits", a, b, u0, u1, used)
			}
		}
	}
}
