package dicom

import (
	"bytes"
	"compress/flate"
	"io"

	"gantry/dicom/tag"
	"gantry/dicom/vr"
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

// frame is a level that is being decoded: the data set, a sequence or an item.
type frame struct {
	rec     uint32 // its record; unused for the data set itself
	end     int64  // input offset where it ends, or -1 for undefined length
	limit   int64  // what nothing inside may reach beyond: the innermost such end, or -1
	kind    frameKind
	enc     encoding
	signed  bool    // Pixel Representation in force (PS3.5 annex A: US or SS)
	pending int     // kids of the sequence so far, on decoder.kids
	first   uint32  // first record on this level
	last    tag.Tag // the tag read before
}

type frameKind uint8

const (
	inDataSet frameKind = iota
	inSequence
	inFragments
)

type decoder struct {
	src    source
	o      DecodeOptions
	lim    Limits
	bulk   int64 // values from this size stay outside
	st     *store
	stack  []frame
	frames [8]frame // the stack's first place
	kids   []uint32
	depth  int
}

func decode(src source, enc encoding, o DecodeOptions) (*DataSet, error) {
	d := &decoder{src: src, o: o, lim: o.Limits.withDefaults()}
	d.bulk = orDefault(o.BulkMin, defaultBulkMin)
	first := d.src.have(6)
	if first && o.Syntax == "" {
		enc.explicit = looksExplicit(d.src.rest())
	}
	guess := 64
	if n := d.src.left(); n > 4096 {
		guess = 256
	}
	d.st = &store{enc: enc, syntax: o.Syntax, charset: o.Charset, ordered: true, recs: make([]record, 0, guess)}
	d.stack = append(d.frames[:0], frame{end: -1, limit: -1, enc: enc})
	err := d.mismatch(first)
	if err == nil {
		err = d.run()
	}
	if err == nil {
		err = d.finish()
	}
	d.closeAll()
	d.st.buf = d.src.buf[:d.src.pos:d.src.pos]
	d.st.size = d.src.offset()
	return &DataSet{st: d.st, hi: uint32(len(d.st.recs)), enc: d.st.enc}, err
}

// mismatch notices a data set whose kind of VR is not the one its syntax names.
func (d *decoder) mismatch(first bool) error {
	e := &d.st.enc
	if !first || looksExplicit(d.src.rest()) == e.explicit || e.big {
		return nil
	}
	if e.explicit && isLetter(d.src.rest()[4]) && isLetter(d.src.rest()[5]) {
		return nil // merely a VR that is not known
	}
	e.explicit = !e.explicit
	d.stack[0].enc = *e
	return d.flaw(FlawMixedVR, e.tag(d.src.rest()))
}

// run reads elements until the input or the reader's interest ends.
func (d *decoder) run() error {
	for {
		if err := d.closeFull(); err != nil {
			return err
		}
		f := d.top()
		h, ok, err := d.header(f)
		if err != nil {
			return err
		}
		if !ok {
			if f.limit >= 0 && d.src.offset() >= f.limit {
				continue
			}
			return nil
		}
		if d.o.Until != 0 && len(d.stack) == 1 && h.tag >= d.o.Until && h.tag.Group() != 0xFFFE {
			return nil
		}
		if f.kind == inDataSet {
			err = d.element(f, h)
		} else {
			err = d.item(f, h)
		}
		if err != nil {
			return err
		}
	}
}

func (d *decoder) top() *frame { return &d.stack[len(d.stack)-1] }

// closeFull leaves the levels that end here: those of defined length, and with them the
// ones inside whose delimiter never came.
func (d *decoder) closeFull() error {
	for len(d.stack) > 1 {
		f := d.top()
		if f.limit < 0 || d.src.offset() < f.limit {
			return nil
		}
		if f.end < 0 {
			r := &d.st.recs[f.rec]
			r.flag |= flagOpen
			if err := d.flaw(FlawNoDelimiter, r.tag); err != nil {
				return err
			}
		}
		d.pop(0)
	}
	return nil
}

// pop leaves the innermost level. What stands in the buffer up to pos less the
// delimiter's bytes is its value.
func (d *decoder) pop(delimiter uint32) {
	f := d.top()
	r := &d.st.recs[f.rec]
	r.len = uint32(d.src.pos) - delimiter - r.off
	r.end = uint32(len(d.st.recs))
	if f.kind != inDataSet {
		r.kids = uint32(len(d.st.kids))
		r.n = uint32(f.pending)
		from := len(d.kids) - f.pending
		d.st.kids = append(d.st.kids, d.kids[from:]...)
		d.kids = d.kids[:from]
		d.depth--
	}
	d.stack = d.stack[:len(d.stack)-1]
}

// closeAll ends the levels that the input left open.
func (d *decoder) closeAll() {
	for len(d.stack) > 1 {
		f := d.top()
		switch {
		case f.end < 0:
			d.st.recs[f.rec].flag |= flagOpen
		case d.src.offset() < f.end:
			d.st.recs[f.rec].flag |= flagCut
		}
		d.pop(0)
	}
}

// finish reports what a well-formed end would not have.
func (d *decoder) finish() error {
	if d.src.err != nil && d.src.err != io.EOF {
		return d.inputError()
	}
	for i := len(d.stack) - 1; i > 0; i-- {
		f := &d.stack[i]
		kind := FlawNoDelimiter
		if f.end >= 0 {
			kind = FlawTruncated
		}
		if err := d.flaw(kind, d.st.recs[f.rec].tag); err != nil {
			return err
		}
	}
	return nil
}

func (d *decoder) inputError() error {
	if limit, ok := d.src.err.(*LimitError); ok {
		return limit
	}
	return &FormatError{Offset: d.src.offset(), Reason: d.src.err.Error(), Err: d.src.err}
}

func (d *decoder) flaw(k FlawKind, t tag.Tag) error { return d.flawAt(k, t, d.src.offset()) }

const mostFlaws = 1000 // kept; a hostile object has millions

func (d *decoder) flawAt(k FlawKind, t tag.Tag, at int64) error {
	f := Flaw{Kind: k, Tag: t, Offset: at}
	if d.o.OnFlaw != nil {
		return d.o.OnFlaw(f)
	}
	if len(d.st.flaws) < mostFlaws {
		d.st.flaws = append(d.st.flaws, f)
	}
	return nil
}

// header reads the next header. It is not ok at the end of the input and on errors.
func (d *decoder) header(f *frame) (h header, ok bool, err error) {
	need := 8
	for {
		if f.limit >= 0 && d.src.offset()+int64(need) > f.limit {
			return h, false, d.crumbs(f.limit - d.src.offset())
		}
		if !d.src.have(need) {
			if d.src.err == nil || d.src.err == io.EOF {
				return h, false, d.shortHeader()
			}
			return h, false, d.inputError()
		}
		if h, need = parseHeader(d.src.rest(), f.enc); need != 0 {
			continue
		}
		if f.limit >= 0 && d.src.offset()+int64(h.size) > f.limit {
			return h, false, d.crumbs(f.limit - d.src.offset())
		}
		return h, true, d.count(h)
	}
}

// shortHeader ends the data set where fewer bytes are left than a header has.
func (d *decoder) shortHeader() error {
	if len(d.src.rest()) == 0 {
		return nil
	}
	return d.flaw(FlawTrailing, 0)
}

// crumbs goes over what is left of a level and too short for a header.
func (d *decoder) crumbs(n int64) error {
	if err := d.flaw(FlawTrailing, 0); err != nil {
		return err
	}
	_, err := d.take(n)
	return err
}

func (d *decoder) count(h header) error {
	if len(d.st.recs) >= d.lim.MaxElements {
		return &LimitError{"MaxElements", int64(d.lim.MaxElements), h.tag, d.src.offset()}
	}
	return nil
}

// item reads what a sequence or encapsulated pixel data may hold.
func (d *decoder) item(f *frame, h header) error {
	switch h.tag {
	case tagSequenceEnd:
		return d.sequenceEnd(f, h)
	case tagItem:
		return d.openItem(f, h)
	}
	if err := d.flaw(FlawNotItem, h.tag); err != nil {
		return err
	}
	if f.end >= 0 { // nothing of the rest can be understood
		_, err := d.take(min(f.end-d.src.offset(), d.available()))
		return err
	}
	d.st.recs[f.rec].flag |= flagOpen
	d.pop(0)
	return nil
}

func (d *decoder) sequenceEnd(f *frame, h header) error {
	d.src.pos += 8
	if h.length != 0 {
		if err := d.flaw(FlawDelimiterLength, h.tag); err != nil {
			return err
		}
	}
	if f.end >= 0 {
		return d.flaw(FlawStrayDelimiter, h.tag)
	}
	d.pop(8)
	return nil
}

func (d *decoder) openItem(f *frame, h header) error {
	at := uint32(len(d.st.recs))
	d.kids = append(d.kids, at)
	f.pending++
	r := record{tag: h.tag, flag: flagItem, hdr: uint32(d.src.pos)}
	if f.kind == inFragments {
		r.vr = vr.OB
		return d.value(f, r, h)
	}
	d.src.pos += 8
	r.off = uint32(d.src.pos)
	end, err := d.endOf(f, h, &r)
	if err != nil {
		return err
	}
	d.st.recs = append(d.st.recs, r)
	d.push(frame{rec: at, end: end, kind: inDataSet, enc: f.enc, signed: f.signed})
	return nil
}

func (d *decoder) push(f frame) {
	f.first = uint32(len(d.st.recs))
	f.limit = f.end
	if f.end < 0 {
		f.limit = d.top().limit
	}
	d.stack = append(d.stack, f)
}

// endOf returns where a level ends that begins here, no later than what encloses it.
func (d *decoder) endOf(f *frame, h header, r *record) (int64, error) {
	if h.length == undefinedLength {
		r.flag |= flagUndefined
		return -1, nil
	}
	end := d.src.offset() + int64(h.length)
	if f.limit >= 0 && end > f.limit {
		r.flag |= flagCut
		return f.limit, d.flaw(FlawOverrun, h.tag)
	}
	return end, nil
}

// available is how many bytes the input may still have.
func (d *decoder) available() int64 {
	if n := d.src.left(); n >= 0 {
		return n
	}
	return 1<<63 - 1
}
