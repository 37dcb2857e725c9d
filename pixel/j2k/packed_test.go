package j2k

import (
	"bytes"
	"encoding/binary"
	"math"
	"testing"

	"gantry/pixel/internal/codectest"
)

// packedHeaders encodes an image with its packet headers in front: in a PPM segment of the
// main header, or in a PPT segment of the tile-part (T.800 A.7.4, A.7.5).
func packedHeaders(t *testing.T, px []byte, info Info, o EncodeOptions, main bool) []byte {
	t.Helper()
	code := appendMain(nil, info, o)
	var s stream
	if _, err := s.parseMain(appendSOT(bytes.Clone(code), 0, 1)); err != nil {
		t.Fatal(err)
	}
	tl, err := s.newTile(0, &s.main, math.MaxInt32)
	if err != nil {
		t.Fatal(err)
	}
	if err := tl.encode(px, info, o); err != nil {
		t.Fatal(err)
	}
	var heads, bodies []byte
	for _, q := range tl.precincts {
		heads = q.writeHead(heads)
		bodies = q.writeBody(bodies)
	}
	be := binary.BigEndian
	segment := func(marker uint16, data []byte) {
		code = be.AppendUint16(be.AppendUint16(code, marker), uint16(3+len(data)))
		code = append(append(code, 0), data...)
	}
	if main {
		segment(mPPM, append(be.AppendUint32(nil, uint32(len(heads))), heads...))
	}
	at := len(code)
	code = appendSOT(code, 0, 1)
	if !main {
		segment(mPPT, heads)
	}
	code = append(be.AppendUint16(code, mSOD), bodies...)
	be.PutUint32(code[at+6:], uint32(len(code)-at))
	return be.AppendUint16(code, mEOC)
}

// wrapped is a codestream as a JP2 file (T.800 Annex I).
func wrapped(code []byte, m codectest.Image) []byte {
	be := binary.BigEndian
	b := []byte("\x00\x00\x00\x0CjP  \r\n\x87\n\x00\x00\x00\x14ftypjp2 \x00\x00\x00\x00jp2 \x00\x00\x00\x2Djp2h\x00\x00\x00\x16ihdr")
	b = be.AppendUint32(be.AppendUint32(b, uint32(m.Height)), uint32(m.Width))
	b = append(b, 0, byte(m.Samples), byte(m.Stored-1), 7, 0, 0)
	b = append(b, "\x00\x00\x00\x0Fcolr\x01\x00\x00\x00\x00\x00\x11"...)
	b = append(be.AppendUint32(b, uint32(8+len(code))), "jp2c"...)
	return append(b, code...)
}

// TestPackedHeaders decodes streams whose packet headers lie elsewhere, and JP2 files around
// them, as OpenJPEG does.
func TestPackedHeaders(t *testing.T) {
	m := codectest.Image{Width: 201, Height: 150, Samples: 1, Allocated: 8, Stored: 8}
	px := m.CT(1)
	for _, ht := range []bool{false, true} {
		for _, main := range []bool{false, true} {
			code := packedHeaders(t, px, infoOf(m), EncodeOptions{HT: ht}, main)
			for name, src := range map[string][]byte{"codestream": code, "JP2": wrapped(code, m)} {
				got, _, err := Decode(nil, src, DecodeOptions{})
				if err != nil || !bytes.Equal(got, px) {
					t.Errorf("HT %v, PPM %v, %s: %v, equal %v", ht, main, name, err, bytes.Equal(got, px))
				}
			}
			if !bytes.Equal(reference(t, code, 1, 1), px) {
				t.Errorf("HT %v, PPM %v: OpenJPEG decodes it differently", ht, main)
			}
			if n, err := PrefixLength(code, 1); err != nil || n != int64(len(code)) {
				t.Errorf("a prefix of %d of %d, %v", n, len(code), err)
			}
			if _, _, err := Decode(nil, code[:len(code)/2], DecodeOptions{}); err == nil {
				t.Error("half a stream")
			}
		}
	}
}

// TestLarge is a frame of 4096 x 4096, by one worker and by two: the streams are equal, and
// OpenJPEG decodes them.
func TestLarge(t *testing.T) {
	if testing.Short() {
		t.Skip("a large frame")
	}
	m := codectest.Image{Width: 4096, Height: 4096, Samples: 1, Allocated: 16, Stored: 12}
	px := m.CT(1)
	code, err := Encode(nil, px, infoOf(m), EncodeOptions{HT: true, ByResolution: true, Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	if one, err := Encode(nil, px, infoOf(m), EncodeOptions{HT: true, ByResolution: true, Workers: 1}); err != nil || !bytes.Equal(one, code) {
		t.Errorf("one worker makes another stream: %v", err)
	}
	for _, workers := range []int{1, 2} {
		if got, _, err := Decode(nil, code, DecodeOptions{Workers: workers}); err != nil || !bytes.Equal(got, px) {
			t.Errorf("%d workers: %v, equal %v", workers, err, bytes.Equal(got, px))
		}
	}
	if !bytes.Equal(reference(t, code, 1, 2), px) {
		t.Error("OpenJPEG decodes it differently")
	}
}
