package dicom

import (
	"errors"
	"fmt"
	"io"

	"gantry/dicom/tag"
	"gantry/dicom/vr"
)

// appender lays out elements one behind the other: small values in buf, bulk values as
// ranges that belong between its bytes.
type appender struct {
	enc  encoding
	buf  []byte
	bulk []bulkValue
	gap  int64 // bytes of bulk
}

func (a *appender) tag(t tag.Tag) {
	o := a.enc.order()
	a.buf = o.append16(a.buf, t.Group())
	a.buf = o.append16(a.buf, t.Element())
}

// header writes an element header. A value too long for the VR's 16-bit length goes out
// as UN (PS3.5 6.2.2 note 4).
func (a *appender) header(t tag.Tag, v vr.VR, length uint32) {
	a.tag(t)
	o := a.enc.order()
	if !a.enc.explicit || t.Group() == 0xFFFE {
		a.buf = o.append32(a.buf, length)
		return
	}
	if !v.LongHeader() && length > 0xFFFF {
		v = vr.UN
	}
	a.buf = append(a.buf, byte(v>>8), byte(v))
	if !v.LongHeader() {
		a.buf = o.append16(a.buf, uint16(length))
		return
	}
	a.buf = append(a.buf, 0, 0)
	a.buf = o.append32(a.buf, length)
}

// raw writes an element whose value is in little endian, and pads it to even length.
func (a *appender) raw(t tag.Tag, v vr.VR, value []byte) {
	a.header(t, v, uint32(len(value)+len(value)&1))
	at := len(a.buf)
	a.buf = append(a.buf, value...)
	if len(value)&1 == 1 {
		a.buf = append(a.buf, v.Pad())
	}
	if a.enc.big {
		swap(a.buf[at:], v.Width())
	}
}

// bulkRange puts a value that stays where it is behind the header just written.
func (a *appender) bulkRange(b bulkValue) {
	b.at = uint32(len(a.buf))
	a.bulk = append(a.bulk, b)
	a.gap += b.size
}

// swap turns the bytes of each word around.
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

// dataSet writes all elements of ds.
func (a *appender) dataSet(ds *DataSet) error {
	if ds == nil || ds.st == nil {
		return nil
	}
	if ds.enc == a.enc {
		from, to := ds.span()
		return a.span(ds.st, from, to)
	}
	for e := range ds.All() {
		if e.Tag.IsGroupLength() && e.Tag != 0 {
			continue // PS3.5 7.2: retired, and it would be wrong now
		}
		if err := a.element(e); err != nil {
			return err
		}
	}
	return nil
}

// span is the part of the buffer that holds the elements of ds.
func (ds *DataSet) span() (from, to uint32) {
	if ds.parent == nil {
		return 0, uint32(len(ds.st.buf))
	}
	r := &ds.st.recs[ds.lo-1]
	return r.off, r.valueEnd()
}

var errTooLarge = errors.New("dicom: more than 1 GiB outside of bulk values")

// span copies a part of another buffer of the same encoding, with its bulk values.
func (a *appender) span(st *store, from, to uint32) error {
	if len(a.buf)+int(to-from) > maxBuffer {
		return errTooLarge
	}
	for _, b := range st.bulkIn(from, to) {
		a.buf = append(a.buf, st.buf[from:b.at]...)
		from = b.at
		a.bulkRange(b)
	}
	a.buf = append(a.buf, st.buf[from:to]...)
	return nil
}

// element writes an element of any data set in the encoding of a.
func (a *appender) element(e Element) error {
	r, st := e.record(), e.ds.st
	switch {
	case e.ds.enc == a.enc && !r.is(flagCut):
		err := a.span(st, r.hdr, r.spanEnd())
		a.closeOpen(e)
		return err
	case r.is(flagImplicitUN):
		return a.unknown(e)
	case r.is(flagSequence):
		return a.sequence(e)
	case r.is(flagFragments):
		return &FormatError{Tag: e.Tag, Reason: "encapsulated pixel data has no native form: decode its frames first"}
	}
	return a.value(e)
}

// closeOpen writes the delimiters that the end of e lacks, now that something may follow.
func (a *appender) closeOpen(e Element) {
	r := e.record()
	if !r.is(flagOpen) {
		return
	}
	if n := e.ItemCount(); n > 0 {
		var last Element
		for last = range e.Item(n - 1).All() {
		}
		if last.ds != nil {
			a.closeOpen(last)
		}
	}
	end := appender{enc: e.ds.enc}
	if r.is(flagImplicitUN) {
		end.enc = implicitLE
	}
	end.header(tagSequenceEnd, 0, 0)
	a.buf = append(a.buf, end.buf...)
}

// unknown copies a UN of undefined length: its inside is the same in every encoding.
func (a *appender) unknown(e Element) error {
	r, st := e.record(), e.ds.st
	a.header(e.Tag, vr.UN, undefinedLength)
	if err := a.span(st, r.off, r.valueEnd()); err != nil {
		return err
	}
	inside := appender{enc: implicitLE}
	inside.header(tagSequenceEnd, 0, 0)
	a.buf = append(a.buf, inside.buf...)
	return nil
}

// sequence writes a sequence with the kind of length that it came with.
func (a *appender) sequence(e Element) error {
	s := a.open(e.Tag, vr.SQ, e.Undefined())
	for i := range e.ItemCount() {
		item := e.Item(i)
		r := &item.st.recs[item.lo-1]
		it := a.open(tagItem, 0, r.is(flagUndefined))
		for c := range item.All() {
			if err := a.element(c); err != nil {
				return err
			}
		}
		a.close(it, tagItemEnd)
	}
	a.close(s, tagSequenceEnd)
	return nil
}

// level is a sequence or item being written.
type level struct {
	start     int
	gap       int64
	undefined bool
}

func (a *appender) open(t tag.Tag, v vr.VR, undefined bool) level {
	a.header(t, v, undefinedLength)
	return level{start: len(a.buf), gap: a.gap, undefined: undefined}
}

// close writes the length of a level, or its delimiter where the length does not fit or
// is not wanted.
func (a *appender) close(l level, delimiter tag.Tag) {
	n := int64(len(a.buf)-l.start) + a.gap - l.gap
	if l.undefined || n >= undefinedLength {
		a.header(delimiter, 0, 0)
		return
	}
	a.enc.order().put32(a.buf[l.start-4:], uint32(n))
}

// value writes a value in another encoding than it has.
func (a *appender) value(e Element) error {
	r := e.record()
	big := r.is(flagBig)
	if !r.is(flagBulk) {
		v := append([]byte(nil), e.Bytes()...)
		if big {
			swap(v, e.VR.Width())
		}
		a.raw(e.Tag, e.VR, v)
		return nil
	}
	b := e.ds.st.bulk[r.len]
	if b.size&1 == 1 || b.size >= undefinedLength {
		return &FormatError{Tag: e.Tag, Reason: fmt.Sprintf("a value of %d bytes has no even 32-bit length", b.size)}
	}
	a.header(e.Tag, e.VR, uint32(b.size))
	if w := e.VR.Width(); big != a.enc.big && w > 1 {
		b.r, b.off = &swapped{r: b.r, off: b.off, size: b.size, width: int64(w)}, 0
	}
	a.bulkRange(b)
	return nil
}

// swapped reads a bulk value with the bytes of each word turned around.
type swapped struct {
	r         io.ReaderAt
	off, size int64
	width     int64
}

func (s *swapped) ReadAt(p []byte, off int64) (int, error) {
	lead := off % s.width
	want := min((lead+int64(len(p))+s.width-1)/s.width*s.width, s.size-(off-lead))
	if want <= lead {
		return 0, io.EOF
	}
	b := make([]byte, want)
	n, err := s.r.ReadAt(b, s.off+off-lead)
	swap(b[:n], int(s.width))
	n = copy(p, b[min(lead, int64(n)):n])
	if n == len(p) {
		return n, nil
	}
	if err == nil {
		err = io.EOF
	}
	return n, err
}
