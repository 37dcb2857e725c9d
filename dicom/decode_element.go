package dicom

import (
	"io"

	"gantry/dicom/dict"
	"gantry/dicom/tag"
	"gantry/dicom/vr"
)

// element reads one data element (PS3.5 7.1) and opens its sequence if it is one.
func (d *decoder) element(f *frame, h header) error {
	if h.tag.Group() == 0xFFFE {
		return d.delimiter(f, h)
	}
	if h.flaw != 0 {
		if err := d.flaw(h.flaw, h.tag); err != nil {
			return err
		}
	}
	if err := d.order(f, h.tag); err != nil {
		return err
	}
	r := record{tag: h.tag, vr: h.vr, hdr: uint32(d.src.pos)}
	if r.vr == 0 {
		r.vr = d.implicitVR(f, h.tag)
		if f.enc.explicit {
			r.flag |= flagImplicit
		}
	}
	if f.enc.big {
		r.flag |= flagBig
	}
	if h.length == undefinedLength || r.vr == vr.SQ {
		return d.open(f, r, h)
	}
	return d.value(f, r, h)
}

// delimiter handles the items that end a level, and those that do not belong.
func (d *decoder) delimiter(f *frame, h header) error {
	if h.tag == tagItemEnd && len(d.stack) > 1 && f.end < 0 {
		d.src.pos += 8
		if h.length != 0 {
			if err := d.flaw(FlawDelimiterLength, h.tag); err != nil {
				return err
			}
		}
		d.pop(8)
		return nil
	}
	if h.tag != tagItemEnd && len(d.stack) > 1 && f.end < 0 { // the sequence goes on: this item ended
		if err := d.flaw(FlawNoDelimiter, tagItem); err != nil {
			return err
		}
		d.st.recs[f.rec].flag |= flagOpen
		d.pop(0)
		return nil
	}
	err := d.flaw(FlawStrayDelimiter, h.tag)
	d.src.pos += 8
	return err
}

// order watches that tags ascend.
func (d *decoder) order(f *frame, t tag.Tag) error {
	last := f.last
	f.last = t
	if t > last || last == 0 {
		return nil
	}
	d.st.ordered = false
	if t == last {
		return d.flaw(FlawDuplicate, t)
	}
	return d.flaw(FlawOrder, t)
}

// open begins a sequence or encapsulated pixel data.
func (d *decoder) open(f *frame, r record, h header) error {
	if d.depth >= d.lim.MaxDepth {
		return &LimitError{"MaxDepth", int64(d.lim.MaxDepth), h.tag, d.src.offset()}
	}
	d.src.pos += int(h.size)
	r.off = uint32(d.src.pos)
	next := frame{rec: uint32(len(d.st.recs)), kind: inSequence, enc: f.enc, signed: f.signed}
	end, err := d.endOf(f, h, &r)
	if err != nil {
		return err
	}
	next.end = end
	switch {
	case r.vr == vr.UN:
		r.flag |= flagSequence | flagImplicitUN
		next.enc = implicitLE // PS3.5 6.2.2 note 2
	case r.vr == vr.SQ || r.vr == 0 || (!f.enc.explicit && r.tag != tagPixelData):
		r.flag |= flagSequence
	default:
		r.flag |= flagFragments
		next.kind = inFragments
	}
	if r.flag&flagFragments == 0 {
		if e := d.mixed(next.enc); e != next.enc {
			next.enc = e
			r.flag |= flagImplicitItems
			if err := d.flaw(FlawMixedVR, h.tag); err != nil {
				return err
			}
		}
	}
	d.st.recs = append(d.st.recs, r)
	d.depth++
	d.push(next)
	return nil
}

const tagPixelData tag.Tag = 0x7FE00010

// mixed looks at the first element of the first item: some writers put Implicit VR items
// into Explicit VR sequences. Only what cannot be explicit is taken for implicit.
func (d *decoder) mixed(e encoding) encoding {
	if !e.explicit || !d.src.have(14) {
		return e
	}
	b := d.src.rest()
	if e.tag(b) != tagItem || e.uint32(b[4:]) == 0 || e.tag(b[8:]).Group() == 0xFFFE {
		return e
	}
	if isLetter(b[12]) && isLetter(b[13]) {
		return e
	}
	return encoding{big: e.big}
}

// value records the value of an element or fragment, in the buffer or as bulk.
func (d *decoder) value(f *frame, r record, h header) error {
	d.src.pos += int(h.size)
	r.off = uint32(d.src.pos)
	n, err := d.valueLength(f, h)
	if err != nil {
		return err
	}
	if b, ok := d.src.gapHere(); ok {
		d.leave(&r, b)
	} else if d.src.ra != nil && n >= d.bulk {
		d.leave(&r, bulkValue{r: d.src.ra, off: d.src.offset(), size: n})
	} else {
		if n > d.lim.MaxValue {
			return &LimitError{"MaxValue", d.lim.MaxValue, h.tag, d.src.offset()}
		}
		got, err := d.take(n)
		if err == nil && got < n {
			n, err = got, d.flaw(FlawTruncated, h.tag)
		}
		if err != nil {
			return err
		}
		r.len = uint32(n)
	}
	if n < int64(h.length) {
		r.flag |= flagCut
	}
	d.watch(f, &r)
	r.end = uint32(len(d.st.recs)) + 1
	d.st.recs = append(d.st.recs, r)
	return nil
}

// valueLength is the length that a value has here: no more than encloses it, and no more
// than the input has.
func (d *decoder) valueLength(f *frame, h header) (int64, error) {
	n := int64(h.length)
	if h.length == undefinedLength { // a fragment: PS3.5 A.4 has none of these
		return 0, &FormatError{Tag: h.tag, Offset: d.src.offset(), Reason: "fragment of undefined length"}
	}
	if n&1 == 1 {
		if err := d.flaw(FlawOddLength, h.tag); err != nil {
			return 0, err
		}
	}
	if f.limit >= 0 && d.src.offset()+n > f.limit {
		n = f.limit - d.src.offset()
		if err := d.flaw(FlawOverrun, h.tag); err != nil {
			return 0, err
		}
	}
	if left := d.src.left(); left >= 0 && n > left {
		n = left
		return n, d.flaw(FlawTruncated, h.tag)
	}
	return n, nil
}

// leave keeps a value outside the buffer.
func (d *decoder) leave(r *record, b bulkValue) {
	r.flag |= flagBulk
	r.len = uint32(len(d.st.bulk))
	b.at = uint32(d.src.pos)
	d.st.bulk = append(d.st.bulk, b)
	d.src.skip(b.size)
}

// take moves pos behind n bytes, or behind what there is of them.
func (d *decoder) take(n int64) (int64, error) {
	if n > maxBuffer {
		return 0, &LimitError{"MaxValue", maxBuffer, 0, d.src.offset()}
	}
	if !d.src.have(int(n)) {
		if d.src.err != nil && d.src.err != io.EOF {
			return 0, d.inputError()
		}
		n = int64(len(d.src.rest()))
	}
	d.src.pos += int(n)
	return n, nil
}

// watch remembers what later elements of the level are read by.
func (d *decoder) watch(f *frame, r *record) {
	if r.tag == 0x00280103 && r.len >= 2 && !r.is(flagBulk) { // Pixel Representation
		f.signed = f.enc.uint16(d.src.buf[r.off:]) == 1
	}
}

// implicitVR finds the VR of an element that does not tell it (PS3.5 annex A.1).
func (d *decoder) implicitVR(f *frame, t tag.Tag) vr.VR {
	if t.IsPrivate() {
		return d.privateVR(f, t)
	}
	v := dict.VROf(t)
	switch {
	case v == 0:
		return vr.UN
	case v == vr.US || v == vr.OB:
		return choose(f, t, v)
	}
	return v
}

// choose settles the elements that have more than one VR: words rather than bytes, and
// numbers by Pixel Representation.
func choose(f *frame, t tag.Tag, v vr.VR) vr.VR {
	switch c := dict.ChoiceOf(t); {
	case c == dict.USOrSS && f.signed:
		return vr.SS
	case c == dict.OBOrOW, c == dict.USOrOW, c == dict.USOrSSOrOW:
		return vr.OW
	}
	return v
}

// privateVR asks the dictionary of whoever reserved the block (PS3.5 7.8.1).
func (d *decoder) privateVR(f *frame, t tag.Tag) vr.VR {
	switch {
	case t.IsPrivateCreator():
		return vr.LO
	case t.IsGroupLength():
		return vr.UL
	}
	at, ok := t.PrivateCreator()
	if !ok {
		return vr.UN
	}
	for i := f.first; i < uint32(len(d.st.recs)); {
		r := &d.st.recs[i]
		if r.tag == at && !r.is(flagBulk) {
			e, ok := dict.Private(trimText(d.src.buf[r.off:r.off+r.len]), t)
			if ok {
				return e.VR
			}
			return vr.UN
		}
		if r.end <= i { // still open
			break
		}
		i = r.end
	}
	return vr.UN
}
