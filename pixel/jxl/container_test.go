package jxl

import (
	"bytes"
	"encoding/binary"
	"slices"
	"testing"

	"github.com/andybalholm/brotli"
)

func boxOf(kind string, body ...[]byte) []byte {
	b := slices.Concat(body...)
	return slices.Concat(binary.BigEndian.AppendUint32(nil, uint32(8+len(b))), []byte(kind), b)
}

// TestContainer finds a codestream in parts, in a box of a long length, and in one up to the end.
func TestContainer(t *testing.T) {
	code := seedStreams(t)["color8"]
	want, _, err := Decode(nil, code, DecodeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	head := slices.Concat(signature, boxOf("ftyp", []byte("jxl \x00\x00\x00\x00jxl ")))
	parts := slices.Concat(boxOf("jxlp", []byte{0, 0, 0, 0}, code[:9]), boxOf("jxll", []byte{5}), boxOf("jxlp", []byte{0, 0, 0, 1}, code[9:50]), boxOf("jxlp", []byte{0x80, 0, 0, 2}, code[50:]))
	long := slices.Concat([]byte{0, 0, 0, 1}, []byte("jxlc"), binary.BigEndian.AppendUint64(nil, uint64(16+len(code))), code)
	for name, c := range map[string]struct {
		src []byte
		ok  bool
	}{
		"parts": {slices.Concat(head, parts), true}, "long": {slices.Concat(head, long), true},
		"to the end": {slices.Concat(head, []byte{0, 0, 0, 0}, []byte("jxlc"), code), true}, "padded": {slices.Concat(head, boxOf("jxlc", code), []byte{0}), true},
		"two": {slices.Concat(head, boxOf("jxlc", code), boxOf("jxlc", code)), false}, "none": {head, false},
		"too long": {slices.Concat(head, boxOf("jxlc", code)[:60]), false}, "short part": {slices.Concat(head, boxOf("jxlp", []byte{0})), false},
	} {
		got, _, err := Decode(nil, c.src, DecodeOptions{})
		if (err == nil) != c.ok || c.ok && !bytes.Equal(got, want) {
			t.Errorf("%s: %v, %d bytes", name, err, len(got))
		}
	}
}

// TestCompressedBox reads what a box holds, compressed or not.
func TestCompressedBox(t *testing.T) {
	var z bytes.Buffer
	w := brotli.NewWriter(&z)
	if _, err := w.Write([]byte("within")); err != nil || w.Close() != nil {
		t.Fatal(err)
	}
	code := seedStreams(t)["color8"]
	b, err := unbox(slices.Concat(signature, boxOf("jxlc", code), boxOf("brob", []byte("Exif"), z.Bytes()), boxOf("xml ", []byte("plain"))))
	if err != nil {
		t.Fatal(err)
	}
	for kind, want := range map[string]string{"Exif": "within", "xml ": "plain"} {
		if got, err := b.content(kind); err != nil || string(got) != want {
			t.Errorf("%s: %q %v", kind, got, err)
		}
	}
	if _, err := b.content("none"); err == nil {
		t.Error("a box that is not there")
	}
}
