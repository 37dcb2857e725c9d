package j2k

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strings"
	"testing"

	"gantry/pixel/internal/codectest"
)

// patched is a stream with a byte of a marker segment changed, at an offset from the marker.
func patched(t *testing.T, code []byte, marker uint16, at int, v byte) []byte {
	t.Helper()
	i := bytes.Index(code, binary.BigEndian.AppendUint16(nil, marker))
	if i < 0 {
		t.Fatalf("no marker %04X", marker)
	}
	b := bytes.Clone(code)
	b[i+at] = v
	return b
}

// TestHTRefuses says of what is not known what it is.
func TestHTRefuses(t *testing.T) {
	m := codectest.Image{Width: 80, Height: 70, Samples: 1, Allocated: 8, Stored: 8}
	code, err := Encode(nil, m.CT(1), infoOf(m), EncodeOptions{HT: true})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		src         []byte
		want        string
		unsupported bool
	}{
		"both kinds":  {patched(t, code, mCOD, 12, styleHT|styleMixed), "both kinds", true},
		"a style":     {patched(t, code, mCOD, 12, styleHT|styleBypass), "style", false},
		"other parts": {patched(t, code, mCAP, 4, 0x80), "capabilities", true},
		"short CAP":   {append(append(bytes.Clone(code[:4+be16(code[4:])]), mCAP>>8, mCAP&0xFF, 0, 4, 0, 0), code[4+be16(code[4:]):]...), "CAP too short", false},
	} {
		got, _, err := Decode(nil, c.src, DecodeOptions{Partial: true})
		var un UnsupportedError
		if err == nil || !strings.Contains(err.Error(), c.want) || errors.As(err, &un) != c.unsupported || len(got) > 0 {
			t.Errorf("%s: %v, %d bytes", name, err, len(got))
		}
	}
	var cb codeBlock
	cb.lblock = 3
	cb.segs = []codeword{{seen: 1, max: 1}, {seen: 2, max: 2}}
	if err := cb.lengthsHT(&headerBits{b: make([]byte, 9)}, 1); err == nil || !strings.Contains(err.Error(), "more than one") {
		t.Errorf("a second set: %v", err)
	}
}

// TestHTDamaged breaks the length of the last block's codes: there is an error, and where
// that is asked for the rest of the image.
func TestHTDamaged(t *testing.T) {
	m := codectest.Image{Width: 200, Height: 64, Samples: 1, Allocated: 8, Stored: 8}
	px := m.CT(1)
	code, err := Encode(nil, px, infoOf(m), EncodeOptions{HT: true, Levels: -1})
	if err != nil {
		t.Fatal(err)
	}
	for _, tail := range [][2]byte{{0, 0}, {0xF0, 0xFF}} { // too short, too long
		bad := bytes.Clone(code)
		copy(bad[len(bad)-4:], tail[:])
		if got, _, err := Decode([]byte{1}, bad, DecodeOptions{}); err == nil || len(got) != 1 {
			t.Fatalf("%v: %v, %d bytes", tail, err, len(got))
		}
		got, _, err := Decode(nil, bad, DecodeOptions{Partial: true})
		if err == nil || len(got) != len(px) {
			t.Fatalf("%v, partial: %v, %d bytes", tail, err, len(got))
		}
		for y := range m.Height { // the last block begins at 192
			if row := y * m.Width; !bytes.Equal(got[row:row+192], px[row:row+192]) {
				t.Fatalf("%v: row %d differs", tail, y)
			}
		}
	}
}
