package model

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"unicode/utf8"

	"gantry/dicom"
	"gantry/dicom/dict"
	"gantry/dicom/tag"
	"gantry/dicom/uid"
	"gantry/dicom/vr"
)

// Builder lays out what was read as Explicit VR Little Endian, in UTF-8, and makes a data
// set of it.
type Builder struct {
	Limits dicom.Limits // with every field set, as Caps returns them
	buf    []byte
	levels []level
	open   element
	values int // of the open element
	count  int
	beyond bool // text has more than ASCII
	outer  []placed
}

// level is the outermost data set or an item.
type level struct {
	at       int // where its elements begin
	seq      tag.Tag
	index    int
	elements []start
	messy    bool // tags do not ascend
}

type start struct {
	tag tag.Tag
	at  int
}

type element struct {
	tag  tag.Tag
	vr   vr.VR
	at   int // of its header
	body int // of its value
}

// placed is a value that stays outside.
type placed struct {
	path dicom.Path
	tag  tag.Tag
	vr   vr.VR
	bulk dicom.Bulk
}

const maxBuffer = 1<<30 - 1<<20

// Caps fills in what Limits leaves open.
func Caps(l dicom.Limits) dicom.Limits {
	l.MaxDepth = cap0(l.MaxDepth, 64)
	l.MaxElements = cap0(l.MaxElements, 4_000_000)
	l.MaxValue = min(cap0(l.MaxValue, maxBuffer), maxBuffer)
	return l
}

func cap0[T int | int64](n, standard T) T {
	switch {
	case n == 0:
		return standard
	case n < 0:
		return T(int(^uint(0) >> 1))
	}
	return n
}

// Start begins a data set.
func (b *Builder) Start() {
	*b = Builder{Limits: b.Limits, levels: []level{{}}}
}

// Path is where the builder is.
func (b *Builder) Path() dicom.Path {
	var p dicom.Path
	for _, l := range b.levels[min(1, len(b.levels)):] {
		p = append(p, dicom.Step{Tag: l.seq, Index: l.index})
	}
	return p
}

// Size is how many bytes were laid out.
func (b *Builder) Size() int { return len(b.buf) }

// VROfTag is the VR of an element that a document does not name.
func VROfTag(t tag.Tag) vr.VR {
	if v := dict.VROf(t); v != 0 {
		return v
	}
	return vr.UN
}

var errTooLarge = errors.New("more than 1 GiB")

// Element begins an element.
func (b *Builder) Element(t tag.Tag, v vr.VR) error {
	if t.Group() == 0xFFFE || !v.Known() {
		return errors.New("not a data element of a known VR")
	}
	if b.count++; b.count > b.Limits.MaxElements {
		return fmt.Errorf("more than Limits.MaxElements = %d allows", b.Limits.MaxElements)
	}
	l := &b.levels[len(b.levels)-1]
	if n := len(l.elements); n > 0 && l.elements[n-1].tag >= t {
		l.messy = true
	}
	l.elements = append(l.elements, start{t, len(b.buf)})
	b.open = element{tag: t, vr: v, at: len(b.buf)}
	b.values = 0
	b.buf = append(b.buf, byte(t>>16), byte(t>>24), byte(t), byte(t>>8), byte(v>>8), byte(v), 0, 0)
	if v.LongHeader() {
		b.buf = append(b.buf, 0, 0, 0, 0)
	}
	b.open.body = len(b.buf)
	return nil
}

// Append appends bytes to the value.
func (b *Builder) Append(p ...byte) error {
	if int64(len(b.buf)-b.open.body+len(p)) > b.Limits.MaxValue {
		return fmt.Errorf("more than Limits.MaxValue = %d bytes", b.Limits.MaxValue)
	}
	if len(b.buf)+len(p) > maxBuffer {
		return errTooLarge
	}
	b.buf = append(b.buf, p...)
	return nil
}

// Value appends one of the values of a text or numeric element.
func (b *Builder) Value(s string) error {
	v := b.open.vr
	b.values++
	if !v.IsText() {
		if IsBinary(v) || v == vr.SQ {
			return fmt.Errorf("no text goes into VR %v", v)
		}
		n, err := appendParsed(nil, v, s)
		if err != nil {
			return err
		}
		return b.Append(n...)
	}
	if b.values > 1 {
		if v.IsSingle() {
			return fmt.Errorf("VR %v has one value only", v)
		}
		if err := b.Append('\\'); err != nil {
			return err
		}
	}
	return b.text(s)
}

// text appends text. What beyond ASCII stands in a VR without character set is kept as it
// is (PS3.5 6.1.2.2).
func (b *Builder) text(s string) error {
	if b.open.tag == tag.SpecificCharacterSet {
		return b.charset(s)
	}
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			b.beyond = true
			break
		}
	}
	return b.Append([]byte(s)...)
}

// charset writes what the text of this level is in now.
func (b *Builder) charset(s string) error {
	if b.values > 1 {
		b.buf = b.buf[:b.open.body]
		s = UTF8
	}
	if s != "" && (s != "ISO_IR 6" || len(b.levels) > 1) {
		s = UTF8
	}
	return b.Append([]byte(s)...)
}

// End ends an element.
func (b *Builder) End() error {
	e := b.open
	n := len(b.buf) - e.body
	if n&1 == 1 {
		b.buf = append(b.buf, e.vr.Pad())
		n++
	}
	if e.tag == tag.PixelData && IsBinary(e.vr) && areFragments(b.buf[e.body:]) {
		n = 0xFFFFFFFF
	}
	b.length(e, n)
	if l := &b.levels[len(b.levels)-1]; e.tag.IsGroupLength() { // it would be wrong now
		b.buf = b.buf[:e.at]
		l.elements = l.elements[:len(l.elements)-1]
	}
	return nil
}

// length writes the length of an element. A value too long for the VR's 16-bit length
// becomes UN (PS3.5 6.2.2 note 4).
func (b *Builder) length(e element, n int) {
	if e.vr.LongHeader() {
		binary.LittleEndian.PutUint32(b.buf[e.body-4:], uint32(n))
		return
	}
	if n <= 0xFFFF {
		binary.LittleEndian.PutUint16(b.buf[e.body-2:], uint16(n))
		return
	}
	b.buf = slices.Insert(b.buf, e.body, 0, 0, 0, 0)
	copy(b.buf[e.at+4:], []byte{'U', 'N', 0, 0})
	binary.LittleEndian.PutUint32(b.buf[e.body:], uint32(n))
}

// areFragments reports whether a value is items with a delimiter behind them, which is how
// encapsulated pixel data is written.
func areFragments(v []byte) bool {
	for len(v) >= 8 && v[0] == 0xFE && v[1] == 0xFF && v[3] == 0xE0 {
		if v[2] == 0xDD {
			return len(v) == 8
		}
		n := int64(binary.LittleEndian.Uint32(v[4:]))
		v = v[8:]
		if n > int64(len(v)) {
			return false
		}
		v = v[n:]
	}
	return false
}

// Drop takes back the element just begun.
func (b *Builder) Drop() {
	b.buf = b.buf[:b.open.at]
	l := &b.levels[len(b.levels)-1]
	l.elements = l.elements[:len(l.elements)-1]
}

// Place puts a value that a URI stood for in the element just begun, and ends it.
func (b *Builder) Place(v dicom.Bulk) error {
	if v == nil {
		b.Drop()
		return nil
	}
	const small = 64 << 10
	if v.Size() < small || v.Size()&1 == 1 || b.open.tag == tag.PixelData && beginsItem(v) {
		return b.load(v)
	}
	b.outer = append(b.outer, placed{b.Path(), b.open.tag, b.open.vr, v})
	return b.End()
}

func beginsItem(v dicom.Bulk) bool {
	var p [4]byte
	_, err := v.ReadAt(p[:], 0)
	return err == nil && p == [4]byte{0xFE, 0xFF, 0x00, 0xE0}
}

func (b *Builder) load(v dicom.Bulk) error {
	if v.Size() > b.Limits.MaxValue {
		return fmt.Errorf("more than Limits.MaxValue = %d bytes", b.Limits.MaxValue)
	}
	p := make([]byte, v.Size())
	if n, err := v.ReadAt(p, 0); int64(n) < v.Size() {
		return fmt.Errorf("%d of %d bytes: %w", n, v.Size(), err)
	}
	if err := b.Append(p...); err != nil {
		return err
	}
	return b.End()
}

// Item begins an item of the open sequence.
func (b *Builder) Item(index int) (sequence func(), err error) {
	if len(b.levels) > b.Limits.MaxDepth {
		return nil, fmt.Errorf("more than Limits.MaxDepth = %d sequences inside each other", b.Limits.MaxDepth)
	}
	if b.count++; b.count > b.Limits.MaxElements {
		return nil, fmt.Errorf("more than Limits.MaxElements = %d allows", b.Limits.MaxElements)
	}
	seq, values := b.open, b.values
	b.buf = append(b.buf, 0xFE, 0xFF, 0x00, 0xE0, 0, 0, 0, 0)
	b.levels = append(b.levels, level{at: len(b.buf), seq: seq.tag, index: index})
	return func() { b.open, b.values = seq, values }, nil
}

// EndItem ends an item. The function that Item returned then goes back to its sequence.
func (b *Builder) EndItem() error {
	l := b.levels[len(b.levels)-1]
	if err := b.sort(); err != nil {
		return err
	}
	b.levels = b.levels[:len(b.levels)-1]
	if len(b.buf) > maxBuffer {
		return errTooLarge
	}
	binary.LittleEndian.PutUint32(b.buf[l.at-4:], uint32(len(b.buf)-l.at))
	return nil
}

// sort brings the elements of the innermost level into order.
func (b *Builder) sort() error {
	l := &b.levels[len(b.levels)-1]
	if !l.messy {
		return nil
	}
	type piece struct {
		tag      tag.Tag
		from, to int
	}
	var all []piece
	for i, s := range l.elements {
		to := len(b.buf)
		if i+1 < len(l.elements) {
			to = l.elements[i+1].at
		}
		all = append(all, piece{s.tag, s.at, to})
	}
	slices.SortStableFunc(all, func(a, b piece) int { return int(int64(a.tag) - int64(b.tag)) })
	out := make([]byte, 0, len(b.buf)-l.at)
	for i, p := range all {
		if i > 0 && all[i-1].tag == p.tag {
			return fmt.Errorf("%v occurs twice", p.tag)
		}
		out = append(out, b.buf[p.from:p.to]...)
	}
	copy(b.buf[l.at:], out)
	return nil
}

// Finish returns file meta information, empty if there is none, and the data set.
func (b *Builder) Finish() (meta, ds *dicom.DataSet, err error) {
	if err := b.declare(); err != nil {
		return nil, nil, err
	}
	if err := b.sort(); err != nil {
		return nil, nil, err
	}
	at := 0
	for at+8 <= len(b.buf) && b.buf[0] == 2 && b.buf[at] == 2 && b.buf[at+1] == 0 {
		at = b.behind(at)
	}
	o := dicom.DecodeOptions{Syntax: uid.ExplicitVRLittleEndian, Limits: dicom.Limits{MaxDepth: -1, MaxElements: -1, MaxValue: -1, MaxInflated: -1}}
	if meta, err = dicom.DecodeBytes(b.buf[:at:at], o); err != nil {
		return nil, nil, err
	}
	if ds, err = dicom.DecodeBytes(b.buf[at:], o); err != nil || len(b.outer) == 0 {
		return meta, ds, err
	}
	e := ds.Edit()
	for _, p := range b.outer {
		e.At(p.path).SetBulk(p.tag, p.vr, p.bulk)
	}
	ds, err = e.Build()
	return meta, ds, err
}

// behind is where the element at at ends, which is one of group 0002.
func (b *Builder) behind(at int) int {
	if vr.Of(b.buf[at+4], b.buf[at+5]).LongHeader() {
		return at + 12 + int(binary.LittleEndian.Uint32(b.buf[at+8:]))
	}
	return at + 8 + int(binary.LittleEndian.Uint16(b.buf[at+6:]))
}

// declare says UTF-8 where text needs it and nothing was said.
func (b *Builder) declare() error {
	if !b.beyond {
		return nil
	}
	l := &b.levels[0]
	if i := slices.IndexFunc(l.elements, func(s start) bool { return s.tag == tag.SpecificCharacterSet }); i >= 0 {
		at := l.elements[i].at
		if b.behind(at) == at+8+len(UTF8) {
			return nil
		}
		b.cut(i, at, b.behind(at))
	}
	if err := b.Element(tag.SpecificCharacterSet, vr.CS); err != nil {
		return err
	}
	if err := b.Append([]byte(UTF8)...); err != nil {
		return err
	}
	return b.End()
}

// cut takes an element of the outermost level out.
func (b *Builder) cut(i, from, to int) {
	l := &b.levels[0]
	b.buf = slices.Delete(b.buf, from, to)
	l.elements = slices.Delete(l.elements, i, i+1)
	for j := i; j < len(l.elements); j++ {
		l.elements[j].at -= to - from
	}
}
