package dicom

import (
	"fmt"
	"io"
	"strings"

	"gantry/dicom/charset"
	"gantry/dicom/dict"
	"gantry/dicom/tag"
	"gantry/dicom/vr"
)

// Element is one data element of a DataSet. It is a small value, valid as long as its
// data set is.
type Element struct {
	Tag tag.Tag
	VR  vr.VR // as it stands in the data set, or from the dictionary for Implicit VR
	ds  *DataSet
	rec uint32
}

// ValueError says that a value is not what was asked for.
type ValueError struct {
	Tag    tag.Tag
	Reason string
}

func (e *ValueError) Error() string { return fmt.Sprintf("dicom: %v: %s", e.Tag, e.Reason) }

// meaning is the VR that typed access reads by: what the dictionary says where the data set
// says UN, whose value is little endian whatever surrounds it (PS3.5 6.2.2).
func (e Element) meaning() vr.VR {
	if e.VR != vr.UN {
		return e.VR
	}
	if v := dict.VROf(e.Tag); v != 0 && v != vr.SQ {
		return v
	}
	return vr.UN
}

func (e Element) record() *record { return &e.ds.st.recs[e.rec] }

// Bytes returns the value as it stands in the data set, padding included, numbers in the
// byte order of the transfer syntax. It must not be changed. It is nil for sequences,
// for encapsulated pixel data and for values that Bulk returns.
func (e Element) Bytes() []byte {
	if e.ds == nil {
		return nil
	}
	r := e.record()
	if r.flag&(flagBulk|flagSequence|flagFragments) != 0 {
		return nil
	}
	return e.ds.st.buf[r.off : r.off+r.len : r.off+r.len]
}

// Bulk returns a value that stayed where it was decoded from.
func (e Element) Bulk() (Bulk, bool) {
	if e.ds == nil || !e.record().is(flagBulk) {
		return nil, false
	}
	b := e.ds.st.bulk[e.record().len]
	return io.NewSectionReader(b.r, b.off, b.size), true
}

// Reader reads the value, in memory or not. It is empty for sequences and fragments.
func (e Element) Reader() *io.SectionReader {
	if b, ok := e.Bulk(); ok {
		return io.NewSectionReader(b, 0, b.Size())
	}
	b := e.Bytes()
	return io.NewSectionReader(byteReaderAt(b), 0, int64(len(b)))
}

type byteReaderAt []byte

func (b byteReaderAt) ReadAt(p []byte, off int64) (int, error) {
	if off >= int64(len(b)) {
		return 0, io.EOF
	}
	n := copy(p, b[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// Len returns the bytes of the value, in memory or not; 0 for sequences and fragments.
func (e Element) Len() int64 {
	if e.ds == nil {
		return 0
	}
	r := e.record()
	switch {
	case r.is(flagBulk):
		return e.ds.st.bulk[r.len].size
	case r.flag&(flagSequence|flagFragments) != 0:
		return 0
	}
	return int64(r.len)
}

// Empty reports whether there is no value: length zero, or a sequence without items.
func (e Element) Empty() bool {
	return e.Len() == 0 && (e.ds == nil || e.record().n == 0)
}

// IsSequence reports whether the element has items, whatever its VR says: UN of undefined
// length has them too (PS3.5 6.2.2).
func (e Element) IsSequence() bool { return e.ds != nil && e.record().is(flagSequence) }

// IsEncapsulated reports whether the value is a sequence of fragments (PS3.5 A.4).
func (e Element) IsEncapsulated() bool { return e.ds != nil && e.record().is(flagFragments) }

// Undefined reports whether the element stands in the data set with undefined length.
func (e Element) Undefined() bool { return e.ds != nil && e.record().is(flagUndefined) }

// ItemCount returns the number of items, 0 for everything but sequences.
func (e Element) ItemCount() int {
	if !e.IsSequence() {
		return 0
	}
	return int(e.record().n)
}

// Item returns the i-th item, from 0. It panics if there is none, as a slice does.
func (e Element) Item(i int) *DataSet {
	r := e.record()
	at := e.ds.st.kids[r.kids : r.kids+r.n][i]
	item := &DataSet{st: e.ds.st, lo: at + 1, hi: e.ds.st.recs[at].end, parent: e.ds, enc: e.ds.enc}
	if r.is(flagImplicitUN) {
		item.enc = implicitLE
	}
	if r.is(flagImplicitItems) {
		item.enc.explicit = false
	}
	return item
}

// FragmentCount returns the number of fragments, the basic offset table included.
func (e Element) FragmentCount() int {
	if !e.IsEncapsulated() {
		return 0
	}
	return int(e.record().n)
}

// Fragment returns the i-th fragment, from 0: the basic offset table is number 0
// (PS3.5 A.4). It panics if there is none, as a slice does.
func (e Element) Fragment(i int) Element {
	r := e.record()
	return e.ds.element(e.ds.st.kids[r.kids : r.kids+r.n][i])
}

// Text returns the first value as DataSet.Text does.
func (e Element) Text() string {
	s := e.decoded()
	v := e.meaning()
	if v.IsText() {
		if i := strings.IndexByte(s, '\\'); i >= 0 && !v.IsSingle() {
			s = s[:i]
		}
		return trimValue(s, v)
	}
	if n := e.numbers(1); len(n) > 0 {
		return n[0]
	}
	return ""
}

// Texts returns all values as DataSet.Texts does.
func (e Element) Texts() []string {
	v := e.meaning()
	if !v.IsText() {
		return e.numbers(-1)
	}
	s := e.decoded()
	if s == "" {
		return nil
	}
	if v.IsSingle() {
		return []string{trimValue(s, v)}
	}
	out := strings.Split(s, `\`)
	for i := range out {
		out[i] = trimValue(out[i], v)
	}
	return out
}

// load returns the value, read into memory if it was left outside; nil if that fails.
func (e Element) load() []byte {
	bulk, ok := e.Bulk()
	if !ok {
		return e.Bytes()
	}
	b, err := io.ReadAll(io.NewSectionReader(bulk, 0, min(bulk.Size(), maxBuffer)))
	if err != nil {
		return nil
	}
	return b
}

// decoded returns the whole value of a text VR in UTF-8.
func (e Element) decoded() string {
	v := e.meaning()
	if !v.IsText() {
		return ""
	}
	b := e.load()
	if len(b) == 0 {
		return ""
	}
	if !v.HasCharset() || isPlain(b) {
		return string(b)
	}
	s, _ := e.ds.charset().Decode(b, v)
	return s
}

// isPlain reports whether b is ASCII without escape sequences, which every character set
// of the standard reads the same way.
func isPlain(b []byte) bool {
	for _, c := range b {
		if c >= 0x80 || c == 0x1B {
			return false
		}
	}
	return true
}

// trimValue drops padding: leading spaces too where they mean nothing (PS3.5 6.2).
func trimValue(s string, v vr.VR) string {
	s = strings.TrimRight(s, " \x00")
	if v == vr.ST || v == vr.LT || v == vr.UT || v == vr.UC || v == vr.UR {
		return s
	}
	return strings.TrimLeft(s, " ")
}

func trimText(b []byte) string { return trimValue(string(b), vr.LO) }

func parseCharset(terms string) *charset.Set {
	v := strings.Split(terms, `\`)
	for i := range v {
		v[i] = trimValue(v[i], vr.CS)
	}
	s, _ := charset.Parse(v...)
	return &s
}
