package model

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"io"

	"gantry/dicom"
	"gantry/dicom/tag"
	"gantry/dicom/vr"
)

// Out collects what is written. The first error ends its work.
type Out struct {
	W     io.Writer
	Buf   []byte
	Err   error
	piece []byte
}

const (
	flushAt   = 32 << 10
	pieceSize = 24 << 10 // a multiple of 3, for base64, and of every number's width
)

// Write appends text.
func (o *Out) Write(s string) { o.Buf = append(o.Buf, s...) }

// Full writes what was collected if it is much.
func (o *Out) Full() {
	if len(o.Buf) >= flushAt {
		o.Flush()
	}
}

// Flush writes what was collected.
func (o *Out) Flush() {
	if o.Err == nil && len(o.Buf) > 0 {
		_, o.Err = o.W.Write(o.Buf)
	}
	o.Buf = o.Buf[:0]
}

// Base64 writes the value field in little endian (PS3.18 F.2.7, PS3.19 A.1.5), a piece at a
// time. Encapsulated pixel data is written as its items with their delimiter (PS3.5 A.4).
func (o *Out) Base64(e dicom.Element) {
	if b := e.Bytes(); len(b) > 0 && (!e.BigEndian() || e.VR.Width() == 1) {
		o.Buf = base64.StdEncoding.AppendEncode(o.Buf, b)
		o.Full()
		return
	}
	width := 0
	if e.BigEndian() && e.VR != vr.UN {
		width = e.VR.Width()
	}
	o.base64(fieldOf(e), width)
}

func (o *Out) base64(r io.Reader, width int) {
	if o.piece == nil {
		o.piece = make([]byte, pieceSize)
	}
	for o.Err == nil {
		n, err := io.ReadFull(r, o.piece)
		swap(o.piece[:n], width)
		o.Buf = base64.StdEncoding.AppendEncode(o.Buf, o.piece[:n])
		o.Full()
		if err == nil {
			continue
		}
		if err != io.EOF && err != io.ErrUnexpectedEOF {
			o.Err = err
		}
		return
	}
}

// fieldOf reads a whole value field.
func fieldOf(e dicom.Element) io.Reader {
	if !e.IsEncapsulated() {
		return whole(e)
	}
	var parts []io.Reader
	for i := range e.FragmentCount() {
		f := e.Fragment(i)
		parts = append(parts, &header{tag: 0xFFFEE000, length: uint32(f.Len() + f.Len()&1)}, whole(f))
		if f.Len()&1 == 1 {
			parts = append(parts, &header{at: 7}) // one zero
		}
	}
	return io.MultiReader(append(parts, &header{tag: 0xFFFEE0DD})...)
}

// whole reads a value and fails where the file has less of it than it said.
func whole(e dicom.Element) io.Reader {
	r := e.Reader()
	return &exactly{r, r.Size()}
}

type exactly struct {
	r    io.Reader
	left int64
}

var errShort = errors.New("the value ends before its length does")

func (x *exactly) Read(p []byte) (int, error) {
	n, err := x.r.Read(p)
	x.left -= int64(n)
	if err == io.EOF && x.left > 0 {
		err = errShort
	}
	return n, err
}

// header reads an item header in little endian.
type header struct {
	tag    tag.Tag
	length uint32
	at     int
}

func (h *header) Read(p []byte) (int, error) {
	var b [8]byte
	binary.LittleEndian.PutUint16(b[:], h.tag.Group())
	binary.LittleEndian.PutUint16(b[2:], h.tag.Element())
	binary.LittleEndian.PutUint32(b[4:], h.length)
	n := copy(p, b[h.at:])
	if h.at += n; n == 0 && len(p) > 0 {
		return 0, io.EOF
	}
	return n, nil
}

func swap(b []byte, width int) {
	if width < 2 {
		return
	}
	for ; len(b) >= width; b = b[width:] {
		for i, j := 0, width-1; i < j; i, j = i+1, j-1 {
			b[i], b[j] = b[j], b[i]
		}
	}
}

// Numbers calls each with every number of a binary element, as bytes and their order.
func (o *Out) Numbers(e dicom.Element, each func(b []byte, order binary.ByteOrder)) {
	width := NumberWidth(e.VR)
	var order binary.ByteOrder = binary.LittleEndian
	if e.BigEndian() {
		order = binary.BigEndian
	}
	if b := e.Bytes(); b != nil {
		for ; len(b) >= width; b = b[width:] {
			each(b[:width], order)
		}
		return
	}
	o.piecewise(e, func(b []byte) {
		for ; len(b) >= width; b = b[width:] {
			each(b[:width], order)
		}
	})
}

func (o *Out) piecewise(e dicom.Element, each func([]byte)) {
	if o.piece == nil {
		o.piece = make([]byte, pieceSize)
	}
	r := whole(e)
	for o.Err == nil {
		n, err := io.ReadFull(r, o.piece)
		each(o.piece[:n])
		o.Full()
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			return
		}
		o.Err = err
	}
}

// NumberWidth is how many bytes a number has, a tag being one.
func NumberWidth(v vr.VR) int {
	if v == vr.AT {
		return 4
	}
	return v.Width()
}
