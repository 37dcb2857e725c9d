package j2k

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gantry/pixel/internal/codectest"
)

// opinion is what OpenJPEG makes of a stream: its samples, and whether it had to say
// something about them.
type opinion struct {
	px     []byte
	doubts bool
}

// ask decodes one component of up to 16 bits with OpenJPEG. It reports false where that ends
// in another way than by an answer.
func ask(t *testing.T, program, dir string, code []byte) (opinion, bool) {
	t.Helper()
	in, out := filepath.Join(dir, "a.j2k"), filepath.Join(dir, "b.rawl")
	if err := os.WriteFile(in, code, 0o600); err != nil {
		t.Fatal(err)
	}
	os.Remove(out)
	text, done, answered := codectest.Ask(t, program, "-i", in, "-o", out)
	if !answered {
		return opinion{}, false // it crashed or hangs
	}
	o := opinion{doubts: strings.Contains(text, "[WARNING]") || strings.Contains(text, "[ERROR]")}
	if done {
		o.px, _ = os.ReadFile(out)
	}
	return o, true
}

// againstStreams are by our encoder and by OpenJPEG's.
func againstStreams(t testing.TB, m codectest.Image) (streams [][]byte) {
	for _, ht := range []bool{false, true} {
		for _, px := range [][]byte{m.CT(1), m.Noise(2), m.Flat(3)} {
			code, err := Encode(nil, px, infoOf(m), EncodeOptions{HT: ht, ByResolution: ht})
			if err != nil {
				t.Fatal(err)
			}
			streams = append(streams, code)
		}
	}
	for _, args := range []string{"-n 3", "-n 3 -M 62", "-n 3 -M 1", "-n 3 -M 5 -r 8,2,1", "-n 2 -M 63", "-n 2 -p RPCL -c [16,16],[16,16] -b 8,8", "-n 2 -t 20,20", "-n 3 -r 8,1"} {
		streams = append(streams, theirs(t, m, m.CT(4), args))
	}
	return streams
}

// unsigned leaves the bits of each sample, as OpenJPEG writes signed samples.
func unsigned(px []byte, i Info) []byte {
	for k := range px {
		if n := i.Bits - 8*(k%i.SampleBytes()); n < 8 {
			px[k] &= 1<<n - 1
		}
	}
	return px
}

// unstuffed reports whether a byte makes what code blocks must not have: one from 80 on behind
// FF. Of high throughput ours refuses them.
func unstuffed(code []byte, at int) bool {
	return at > 0 && code[at-1] == 0xFF && code[at] >= 0x80 || at+1 < len(code) && code[at] == 0xFF && code[at+1] >= 0x80
}

// endless reports whether a codeword segment has more passes than 37 bit planes have, where
// OpenJPEG begins another one, which the standard does not.
func endless(code []byte) bool {
	var s stream
	rest, err := s.parseMain(code)
	if err != nil {
		return false
	}
	s.parseTiles(rest)
	for _, index := range s.order {
		k, err := s.packetsOf(index, len(code))
		if err != nil {
			return false
		}
		k.want(0, 0)
		_ = k.all()
		for _, q := range k.t.precincts {
			for _, pt := range q.parts {
				for _, cb := range pt.blocks {
					if len(cb.segs) > 0 && cb.segs[0].seen > 3*37-2 {
						return true
					}
				}
			}
		}
	}
	return false
}

// inTileHeader reports whether a byte of a good stream is of the header of a tile-part: what it
// says of the number of tile-parts ours does without.
func inTileHeader(code []byte, at int) bool {
	for p := bytes.Index(code, []byte{mSOT >> 8, mSOT & 0xFF}); p <= at && p+12 < len(code) && be16(code[p:]) == mSOT; {
		if at < p+bytes.Index(code[p:], []byte{mSOD >> 8, mSOD & 0xFF})+2 {
			return true
		}
		p += int(binary.BigEndian.Uint32(code[p+6:]))
	}
	return false
}

// FuzzAgainstOpenJPEG changes bytes of good streams. Where our decoder takes one and OpenJPEG
// has nothing to say against it, the samples are the same. What OpenJPEG takes without a
// doubt ours takes too, unless a header was changed: of those ours is stricter, as with tiles
// that are missing.
func FuzzAgainstOpenJPEG(f *testing.F) {
	m := codectest.Image{Width: 40, Height: 33, Samples: 1, Allocated: 8, Stored: 8}
	streams := againstStreams(f, m)
	program := codectest.Tool(f, opjDecompress)
	for k := range streams {
		f.Add(uint8(k), uint16(0), uint8(0), uint16(0), uint8(0))
		f.Add(uint8(k), uint16(200), uint8(0x55), uint16(300), uint8(1))
		f.Add(uint8(k), uint16(15), uint8(3), uint16(0), uint8(0))
	}
	f.Fuzz(func(t *testing.T, which uint8, at1 uint16, x1 uint8, at2 uint16, x2 uint8) {
		good := streams[int(which)%len(streams)]
		if inTileHeader(good, int(at1)%len(good)) || inTileHeader(good, int(at2)%len(good)) {
			return
		}
		code := bytes.Clone(good)
		code[int(at1)%len(code)] ^= x1
		code[int(at2)%len(code)] ^= x2
		if i, err := DecodeInfo(code); err == nil && (i.Size() > 1<<20 || i.Bits > 16 || i.Components > 1) {
			return
		}
		if i, err := DecodeInfo(code); err == nil && i.HT && (unstuffed(code, int(at1)%len(code)) || unstuffed(code, int(at2)%len(code))) {
			return
		}
		if endless(code) {
			return
		}
		got, info, err := Decode(nil, code, DecodeOptions{Workers: 1})
		o, ok := ask(t, program, t.TempDir(), code)
		switch {
		case !ok || o.doubts:
		case err == nil && len(o.px) == 0:
			t.Errorf("stream %d: OpenJPEG refuses %+v without a word", which, info)
		case err == nil && info.Reversible && !bytes.Equal(unsigned(got, info), o.px):
			t.Errorf("stream %d: %+v: other samples, %d bytes and %d", which, info, len(got), len(o.px))
		case err != nil && len(o.px) > 0 && min(int(at1)%len(code), int(at2)%len(code)) > bytes.Index(code, []byte{mSOD >> 8, mSOD & 0xFF}):
			t.Errorf("stream %d: %v, but OpenJPEG has no doubts", which, err)
		}
	})
}
