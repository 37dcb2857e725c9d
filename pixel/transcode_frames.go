package pixel

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"

	"gantry/dicom"
	"gantry/dicom/tag"
	"gantry/dicom/uid"
	"gantry/dicom/vr"
)

// frame is bytes in a buffer of the pool.
type frame = *[]byte

// decode reads and decodes a frame.
func (t *transcoder) decode(ctx context.Context, i int) (frame, Decoded, error) {
	raw, px := getBuffer(), getBuffer()
	defer buffers.Put(raw)
	var err error
	if *raw, err = t.src.Frame(ctx, i, *raw); err != nil {
		buffers.Put(px)
		return nil, Decoded{}, err
	}
	if t.src.ready() {
		*px, *raw = *raw, *px
		return px, Decoded{Photometric: t.src.desc.Photometric}, nil
	}
	var d Decoded
	if t.rebuilds() {
		if *px, d, err = unpackJPEG(*px, *raw, t.src.desc, t.o.Limits); err != nil {
			err = &FrameError{i, err}
		}
	} else {
		*px, d, err = t.src.Decode(i, *raw, *px)
	}
	if err != nil {
		buffers.Put(px)
		return nil, d, err
	}
	return px, d, nil
}

// work makes of a frame what is written of it. It is called by many goroutines.
func (t *transcoder) work(ctx context.Context, i int) (frame, error) {
	px, d := t.first, t.decoded
	if i > 0 {
		var err error
		if px, d, err = t.decode(ctx, i); err != nil {
			return nil, err
		}
	}
	if d.Photometric != t.form.Photometric {
		return nil, &FrameError{i, FormatError("it is " + d.Photometric + ", the first one is " + t.form.Photometric)}
	}
	if t.enc == nil {
		if t.to.BigEndian && t.form.BitsAllocated > 8 {
			swapWords(*px, 2) // OW (PS3.5 7.3)
		}
		return px, nil
	}
	defer buffers.Put(px)
	out := getBuffer()
	var err error
	if *out, err = t.enc.Encode(*out, *px, t.form, t.o.Lossy); err == nil {
		err = t.verify(*out, *px)
	}
	if err == nil && int64(len(*out)) > t.o.Limits.maxFrame() {
		err = fmt.Errorf("%d bytes, Limits.MaxFrame allows %d", len(*out), t.o.Limits.maxFrame())
	}
	if err != nil {
		return nil, &FrameError{i, err}
	}
	return out, nil
}

// verify decodes again what must not have lost anything.
func (t *transcoder) verify(coded, px []byte) error {
	if t.o.NoVerify || t.o.Lossy != nil || t.rebuilds() {
		return nil
	}
	back := getBuffer()
	defer buffers.Put(back)
	var err error
	*back, _, err = t.o.Registry.Decode(*back, coded, t.form, t.target, t.o.Limits)
	if err != nil {
		return fmt.Errorf("what was encoded cannot be decoded: %w", err)
	}
	if !bytes.Equal(*back, px) {
		return FormatError("what was encoded decodes to other pixels: nothing must be replaced by this result")
	}
	return nil
}

// each calls f with the frames in order.
func (t *transcoder) each(ctx context.Context, f func([]byte) error) error {
	perFrame := 3 * max(t.form.FrameSize(), 1)
	ahead := int(max(min(int64(2*t.o.Workers), t.o.Limits.maxMemory()/perFrame), 1))
	for out, err := range ordered(ctx, t.src.Len(), min(t.o.Workers, ahead), ahead, t.work) {
		if err != nil {
			return err
		}
		err = f(*out)
		buffers.Put(out)
		if err != nil {
			return err
		}
	}
	return nil
}

// writeNative writes the object with native pixel data (PS3.5 8.1.1).
func (t *transcoder) writeNative(ctx context.Context, w io.Writer) error {
	bits := t.form.FrameBits()
	frames := int64(t.src.Len())
	size := (bits*frames + 7) / 8
	if bits > (1<<32-4)*8/frames {
		return &dicom.ValueError{Tag: tag.PixelData, Reason: fmt.Sprintf("%d frames of %d bytes do not fit its 32-bit length: choose a compressed syntax", frames, t.form.FrameSize())}
	}
	head, tail, err := t.parts(ctx, nil, 0)
	if err != nil {
		return err
	}
	if err := dicom.Encode(w, head, t.layout()); err != nil {
		return err
	}
	if _, err := w.Write(t.pixelHeader(uint32(size + size&1))); err != nil {
		return err
	}
	b := bitWriter{w: w}
	if err := t.each(ctx, func(px []byte) error { return b.write(px, bits) }); err != nil {
		return err
	}
	if err := b.close(size & 1); err != nil {
		return err
	}
	return dicom.Encode(w, tail, t.layout())
}

// layout is the syntax that elements are laid out by; deflating is done around it.
func (t *transcoder) layout() uid.UID {
	if t.to.Deflated {
		return uid.ExplicitVRLittleEndian
	}
	return t.target
}

// pixelHeader is the header of Pixel Data. Its VR is OW where samples are wider than a
// byte, OB where not or where it is encapsulated (PS3.5 A.1 to A.4).
func (t *transcoder) pixelHeader(length uint32) []byte {
	v := vr.OB
	if t.form.BitsAllocated > 8 && !t.to.Encapsulated {
		v = vr.OW
	}
	var order binary.AppendByteOrder = binary.LittleEndian
	if t.to.BigEndian {
		order = binary.BigEndian
	}
	b := order.AppendUint16(nil, tag.PixelData.Group())
	b = order.AppendUint16(b, tag.PixelData.Element())
	if t.to.Explicit {
		b = append(b, byte(v>>8), byte(v), 0, 0)
	}
	return order.AppendUint32(b, length)
}

// bitWriter writes frames one behind the other, also where they end inside of a byte.
type bitWriter struct {
	w    io.Writer
	tmp  []byte
	rest byte // bits that wait
	n    uint // how many
}

func (b *bitWriter) write(px []byte, bits int64) error {
	if b.n == 0 && bits%8 == 0 {
		_, err := b.w.Write(px)
		return err
	}
	b.tmp = b.tmp[:0]
	whole := bits / 8
	for _, v := range px[:whole] {
		b.tmp = append(b.tmp, b.rest|v<<b.n)
		b.rest = byte(uint16(v) >> (8 - b.n))
	}
	if more := uint(bits % 8); more > 0 {
		v := uint16(b.rest) | uint16(px[whole]&(1<<more-1))<<b.n
		if b.n += more; b.n >= 8 {
			b.tmp = append(b.tmp, byte(v))
			v, b.n = v>>8, b.n-8
		}
		b.rest = byte(v)
	}
	_, err := b.w.Write(b.tmp)
	return err
}

func (b *bitWriter) close(pad int64) error {
	var end []byte
	if b.n > 0 {
		end = append(end, b.rest)
	}
	_, err := b.w.Write(append(end, make([]byte, pad)...))
	return err
}

// writeEncapsulated writes the object with a fragment for each frame (PS3.5 A.4). Unless
// nothing in front of the pixels depends on all of them, frames wait in a spool.
func (t *transcoder) writeEncapsulated(ctx context.Context, w io.Writer) error {
	one := t.src.Len() == 1 && t.o.Offsets == BasicTable
	if t.o.Lossy == nil && (one || t.o.Offsets == NoTable) {
		return t.direct(ctx, w, one)
	}
	sp := &spool{max: t.o.Limits.maxMemory() / 2, dir: t.o.TempDir}
	defer sp.close()
	var lengths []int64
	coded := int64(0)
	err := t.each(ctx, func(b []byte) error {
		lengths = append(lengths, int64(len(b)))
		coded += int64(len(b))
		return writeItem(sp, b)
	})
	if err != nil {
		return err
	}
	var table []byte
	offsets := t.o.Offsets
	if offsets == BasicTable {
		if table, err = basicTable(lengths); err != nil {
			offsets = ExtendedTable
		}
	}
	var extended []int64
	if offsets == ExtendedTable {
		extended = lengths
	}
	head, tail, err := t.parts(ctx, extended, coded)
	if err != nil {
		return err
	}
	return t.assemble(w, head, tail, table, sp.writeTo)
}

// direct writes each frame as soon as it is there.
func (t *transcoder) direct(ctx context.Context, w io.Writer, one bool) error {
	head, tail, err := t.parts(ctx, nil, 0)
	if err != nil {
		return err
	}
	var table []byte
	if one {
		table = make([]byte, 4)
	}
	return t.assemble(w, head, tail, table, func(w io.Writer) error {
		return t.each(ctx, func(coded []byte) error { return writeItem(w, coded) })
	})
}

// assemble writes the data set around the items of its frames.
func (t *transcoder) assemble(w io.Writer, head, tail *dicom.DataSet, table []byte, items func(io.Writer) error) error {
	if err := dicom.Encode(w, head, t.layout()); err != nil {
		return err
	}
	if _, err := w.Write(t.pixelHeader(dicom.UndefinedLength)); err != nil {
		return err
	}
	if err := writeItem(w, table); err != nil {
		return err
	}
	if err := items(w); err != nil {
		return err
	}
	if _, err := w.Write([]byte{0xFE, 0xFF, 0xDD, 0xE0, 0, 0, 0, 0}); err != nil {
		return err
	}
	return dicom.Encode(w, tail, t.layout())
}

// writeItem writes an item (PS3.5 Table A.4-1), padded to even length.
func writeItem(w io.Writer, b []byte) error {
	n := len(b) + len(b)&1
	if int64(n) >= int64(dicom.UndefinedLength) {
		return fmt.Errorf("a fragment of %d bytes has no 32-bit length", n)
	}
	head := binary.LittleEndian.AppendUint32([]byte{0xFE, 0xFF, 0x00, 0xE0}, uint32(n))
	if _, err := w.Write(head); err != nil {
		return err
	}
	if _, err := w.Write(b); err != nil || n == len(b) {
		return err
	}
	_, err := w.Write([]byte{0})
	return err
}

var errTableFull = FormatError("offsets beyond 4 GiB need the extended table")

// basicTable makes a Basic Offset Table.
func basicTable(lengths []int64) ([]byte, error) {
	out := make([]byte, 0, 4*len(lengths))
	at := int64(0)
	for _, n := range lengths {
		if at >= 1<<32 {
			return nil, errTableFull
		}
		out = binary.LittleEndian.AppendUint32(out, uint32(at))
		at += 8 + n + n&1
	}
	return out, nil
}

// extendedTable makes the Extended Offset Table and its lengths.
func extendedTable(lengths []int64) (offsets, sizes []byte) {
	at := uint64(0)
	for _, n := range lengths {
		offsets = binary.LittleEndian.AppendUint64(offsets, at)
		sizes = binary.LittleEndian.AppendUint64(sizes, uint64(n+n&1))
		at += uint64(8 + n + n&1)
	}
	return offsets, sizes
}
