package dicom

import (
	"bytes"
	"compress/flate"
	"io"
)

// Decode reads a data set to the end of r and holds all of it in memory; DecodeAt does
// not. It returns what it understood together with the error, if any.
func Decode(r io.Reader, o DecodeOptions) (*DataSet, error) {
	enc, deflated := encodingOf(o.Syntax)
	if deflated {
		r = inflate(r, o)
	}
	return decode(source{r: r}, enc, o)
}

// DecodeBytes reads a data set from b, which it goes on using: the caller must not
// change b again.
func DecodeBytes(b []byte, o DecodeOptions) (*DataSet, error) {
	if _, deflated := encodingOf(o.Syntax); deflated || len(b) > maxBuffer {
		return DecodeAt(bytes.NewReader(b), int64(len(b)), o)
	}
	enc, _ := encodingOf(o.Syntax)
	return decode(source{buf: b[:len(b):len(b)]}, enc, o)
}

// DecodeAt reads a data set that fills size bytes of r. Values of DecodeOptions.BulkMin
// and more are not read; r must stay readable as long as somebody wants them. A deflated
// data set is inflated into memory.
func DecodeAt(r io.ReaderAt, size int64, o DecodeOptions) (*DataSet, error) {
	enc, deflated := encodingOf(o.Syntax)
	if deflated {
		return decode(source{r: inflate(io.NewSectionReader(r, 0, size), o)}, enc, o)
	}
	return decode(source{ra: r, size: size}, enc, o)
}

// inflate undoes PS3.5 A.5, up to Limits.MaxInflated.
func inflate(r io.Reader, o DecodeOptions) io.Reader {
	most := o.Limits.withDefaults().MaxInflated
	return &inflater{r: flate.NewReader(r), left: most, most: most}
}

type inflater struct {
	r          io.Reader
	left, most int64
}

func (i *inflater) Read(p []byte) (int, error) {
	if i.left == 0 {
		return 0, &LimitError{Limit: "MaxInflated", Max: i.most, Offset: i.most}
	}
	n, err := i.r.Read(p[:min(int64(len(p)), i.left)])
	i.left -= int64(n)
	return n, err
}

// builder makes a DataSet of what a scanner finds.
type builder struct {
	scanner
	st     *store
	levels []openLevel
	place  [8]openLevel // the levels' first place
	kids   []uint32     // of the open sequences, one behind the other
	bulk   int64        // values from this size stay outside
}

// openLevel is a level being built.
type openLevel struct {
	rec     uint32
	pending uint32 // items or fragments so far, on builder.kids
}

func decode(src source, enc encoding, o DecodeOptions) (*DataSet, error) {
	b := &builder{bulk: orDefault(o.BulkMin, defaultBulkMin)}
	b.levels = b.place[:0]
	b.init(src, o)
	b.st = &store{syntax: o.Syntax, charset: o.Charset}
	m := b.lend()
	err := b.start(enc)
	if err == nil {
		err = b.run()
	}
	for b.abandon() {
		b.pop()
	}
	b.st.enc, b.st.flaws, b.st.ordered = b.enc, b.flaws, !b.unordered
	b.settle(m)
	b.st.size = b.src.offset()
	return &DataSet{st: b.st, hi: uint32(len(b.st.recs)), enc: b.st.enc}, err
}

func (b *builder) run() error {
	for {
		ok, err := b.next()
		if err != nil || !ok {
			return err
		}
		switch b.ev.kind {
		case elementEvent, fragmentEvent:
			if err := b.value(); err != nil {
				return err
			}
		case endEvent:
			b.pop()
		default:
			b.open()
		}
	}
}

// kid counts an item or fragment whose record comes next.
func (b *builder) kid() {
	b.kids = append(b.kids, uint32(len(b.st.recs)))
	b.levels[len(b.levels)-1].pending++
}

// open adds a sequence, encapsulated pixel data or an item.
func (b *builder) open() {
	e, off := &b.ev, uint32(b.src.pos)
	if e.kind == itemEvent {
		b.kid()
		e.flag |= flagItem
	}
	b.levels = append(b.levels, openLevel{rec: uint32(len(b.st.recs))})
	b.st.recs = append(b.st.recs, record{tag: e.tag, vr: e.vr, flag: e.flag, hdr: off - uint32(e.size), off: off})
}

// pop leaves the innermost level. What stands in the buffer up to pos less the
// delimiter's bytes is its value.
func (b *builder) pop() {
	l := b.levels[len(b.levels)-1]
	b.levels = b.levels[:len(b.levels)-1]
	r := &b.st.recs[l.rec]
	r.flag |= b.ev.flag
	r.len = uint32(b.src.pos) - uint32(b.ev.size) - r.off
	r.end = uint32(len(b.st.recs))
	if r.is(flagItem) {
		return
	}
	r.kids = uint32(len(b.st.kids))
	r.n = l.pending
	from := len(b.kids) - int(l.pending)
	b.st.kids = append(b.st.kids, b.kids[from:]...)
	b.kids = b.kids[:from]
}

// value adds an element or fragment with its value, in the buffer or as bulk.
func (b *builder) value() error {
	e, off := &b.ev, uint32(b.src.pos)
	n, err := b.body(e)
	if err != nil {
		return err
	}
	if e.kind == fragmentEvent {
		b.kid()
		e.flag |= flagItem
	}
	at := uint32(len(b.st.recs))
	b.st.recs = append(b.st.recs, record{tag: e.tag, vr: e.vr, flag: e.flag, hdr: off - uint32(e.size), off: off, len: n, end: at + 1})
	return nil
}

// body goes over a value and returns its length in the buffer or its place on store.bulk.
func (b *builder) body(e *event) (uint32, error) {
	if gap, ok := b.src.gapHere(); ok {
		return b.leave(e, gap), nil
	}
	if b.src.ra != nil && e.length >= b.bulk {
		return b.leave(e, bulkValue{r: b.src.ra, off: b.src.offset(), size: e.length}), nil
	}
	if e.length > b.lim.MaxValue {
		return 0, &LimitError{"MaxValue", b.lim.MaxValue, e.tag, b.src.offset()}
	}
	n, err := b.take(e.length)
	if err == nil && n < e.length {
		e.flag |= flagCut
		err = b.flaw(FlawTruncated, e.tag)
	}
	return uint32(n), err
}

// leave keeps a value outside the buffer.
func (b *builder) leave(e *event, v bulkValue) uint32 {
	e.flag |= flagBulk
	v.at = uint32(b.src.pos)
	b.st.bulk = append(b.st.bulk, v)
	b.src.skip(v.size)
	return uint32(len(b.st.bulk)) - 1
}
