package jxl

import (
	"bytes"
	"encoding/binary"
)

// signature is the first box of the container (18181-2).
var signature = []byte{0, 0, 0, 12, 'J', 'X', 'L', ' ', 13, 10, 0x87, 10}

// boxes is what a container holds that matters here.
type boxes struct {
	code  []byte            // the codestream
	parts [][]byte          // of it, until they are joined
	jbrd  []byte            // what rebuilds a JPEG file
	other map[string][]byte // Exif and xml, which a JPEG file has segments of; brob: compressed, behind the type
}

// unbox finds the codestream. A stream without container is one.
func unbox(src []byte) (boxes, error) {
	if len(src) >= 2 && src[0] == 0xFF && src[1] == 0x0A {
		return boxes{code: src}, nil
	}
	if !bytes.HasPrefix(src, signature) {
		return boxes{}, FormatError("neither a codestream nor a container of JPEG XL")
	}
	var b boxes
	for rest := src[len(signature):]; len(rest) > 0; {
		kind, body, n, err := box(rest)
		if err != nil {
			if b.code != nil || b.parts != nil {
				break // as padding does behind the last box
			}
			return b, err
		}
		rest = rest[n:]
		if err := b.take(kind, body); err != nil {
			return b, err
		}
	}
	if b.code == nil {
		b.code = bytes.Join(b.parts, nil)
	}
	if len(b.code) < 2 || b.code[0] != 0xFF || b.code[1] != 0x0A {
		return b, FormatError("the container has no codestream")
	}
	return b, nil
}

// box splits off a box: its type, its body, and its length.
func box(b []byte) (string, []byte, int, error) {
	if len(b) < 8 {
		return "", nil, 0, errShort
	}
	head, size := 8, uint64(binary.BigEndian.Uint32(b))
	switch {
	case size == 0:
		size = uint64(len(b))
	case size == 1 && len(b) >= 16:
		head, size = 16, binary.BigEndian.Uint64(b[8:])
	}
	if size < uint64(head) || size > uint64(len(b)) {
		return "", nil, 0, FormatError("a box is longer than the stream, or shorter than its header")
	}
	return string(b[4:8]), b[head:size], int(size), nil
}

// take keeps a box. Parts of a codestream (jxlp) come in order; each begins with its number,
// whose highest bit says that it is the last.
func (b *boxes) take(kind string, body []byte) error {
	switch kind {
	case "jxlc":
		if b.code != nil {
			return FormatError("two codestreams in a container")
		}
		b.code = body
	case "jxlp":
		if len(body) < 4 {
			return errShort
		}
		b.parts = append(b.parts, body[4:])
	case "jbrd":
		b.jbrd = body
	case "Exif", "xml ":
		b.keep(kind, body)
	case "brob":
		if len(body) > 4 {
			b.keep(kind+string(body[:4]), body[4:])
		}
	}
	return nil
}

// keep keeps the first box of a type.
func (b *boxes) keep(kind string, body []byte) {
	if b.other == nil {
		b.other = map[string][]byte{}
	}
	if _, ok := b.other[kind]; !ok {
		b.other[kind] = body
	}
}
