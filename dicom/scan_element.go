package dicom

import (
	"gantry/dicom/dict"
	"gantry/dicom/tag"
	"gantry/dicom/vr"
)

// element reads the header of a data element (PS3.5 7.1).
func (s *scanner) element(f *frame, h header) error {
	if h.tag.Group() == 0xFFFE {
		return s.delimiter(f, h)
	}
	if h.flaw != 0 {
		if err := s.flaw(h.flaw, h.tag); err != nil {
			return err
		}
	}
	if err := s.order(f, h.tag); err != nil {
		return err
	}
	e := &s.ev
	*e = event{kind: elementEvent, size: h.size, tag: h.tag, vr: h.vr, field: h.length}
	if e.vr == 0 {
		e.vr = s.implicitVR(f, h.tag)
		if f.enc.explicit {
			e.flag |= flagImplicit
		}
	}
	if f.enc.big {
		e.flag |= flagBig
	}
	if h.length == undefinedLength || e.vr == vr.SQ {
		return s.open(f, e)
	}
	return s.value(f, e)
}

// delimiter handles the items that end a level, and those that do not belong.
func (s *scanner) delimiter(f *frame, h header) error {
	inside := len(s.stack) > 1 && f.end < 0
	switch {
	case inside && h.tag == tagItemEnd:
		s.src.pos += 8
		if h.length != 0 {
			if err := s.flaw(FlawDelimiterLength, h.tag); err != nil {
				return err
			}
		}
		s.pop(8, 0)
		return nil
	case inside: // the sequence goes on: this item ended
		if err := s.flaw(FlawNoDelimiter, tagItem); err != nil {
			return err
		}
		s.pop(0, flagOpen)
		return nil
	}
	err := s.flaw(FlawStrayDelimiter, h.tag)
	s.src.pos += 8
	return err
}

// order watches that tags ascend.
func (s *scanner) order(f *frame, t tag.Tag) error {
	last := f.last
	f.last = t
	if t > last || last == 0 {
		return nil
	}
	s.unordered = true
	if t == last {
		return s.flaw(FlawDuplicate, t)
	}
	return s.flaw(FlawOrder, t)
}

// open begins a sequence or encapsulated pixel data.
func (s *scanner) open(f *frame, e *event) error {
	if s.depth >= s.lim.MaxDepth {
		return &LimitError{"MaxDepth", int64(s.lim.MaxDepth), e.tag, s.src.offset()}
	}
	s.src.pos += int(e.size)
	next := frame{tag: e.tag, kind: inSequence, enc: f.enc, signed: f.signed}
	if err := s.endOf(f, &next, e); err != nil {
		return err
	}
	e.kind = sequenceEvent
	switch {
	case e.vr == vr.UN:
		e.flag |= flagSequence | flagImplicitUN
		next.enc = implicitLE // PS3.5 6.2.2 note 2
	case e.vr == vr.SQ || e.vr == 0 || (!f.enc.explicit && e.tag != tagPixelData):
		e.flag |= flagSequence
	default:
		e.kind = fragmentsEvent
		e.flag |= flagFragments
		next.kind = inFragments
	}
	if next.kind == inSequence {
		if enc := s.mixed(next.enc); enc != next.enc {
			next.enc = enc
			e.flag |= flagImplicitItems
			if err := s.flaw(FlawMixedVR, e.tag); err != nil {
				return err
			}
		}
	}
	s.depth++
	s.push(next)
	return nil
}

const (
	tagPixelData           tag.Tag = 0x7FE00010
	tagPixelRepresentation tag.Tag = 0x00280103
)

// mixed looks at the first element of the first item: some writers put Implicit VR items
// into Explicit VR sequences. Only what cannot be explicit is taken for implicit.
func (s *scanner) mixed(e encoding) encoding {
	if !e.explicit || !s.src.have(14) {
		return e
	}
	b := s.src.rest()
	if e.tag(b) != tagItem || e.uint32(b[4:]) == 0 || e.tag(b[8:]).Group() == 0xFFFE {
		return e
	}
	if isLetter(b[12]) && isLetter(b[13]) {
		return e
	}
	return encoding{big: e.big}
}

// push enters a level.
func (s *scanner) push(f frame) {
	f.creators = len(s.creators)
	f.limit = f.end
	if f.end < 0 {
		f.limit = s.top().limit
	}
	s.found++
	s.stack = append(s.stack, f)
}

// endOf finds where a level ends that begins here, no later than what encloses it.
func (s *scanner) endOf(f, next *frame, e *event) error {
	next.end = -1
	if e.field == undefinedLength {
		e.flag |= flagUndefined
		return nil
	}
	next.end = s.src.offset() + int64(e.field)
	if f.limit >= 0 && next.end > f.limit {
		e.flag |= flagCut
		next.end = f.limit
		return s.flaw(FlawOverrun, e.tag)
	}
	return nil
}

// item reads what a sequence or encapsulated pixel data may hold.
func (s *scanner) item(f *frame, h header) error {
	switch h.tag {
	case tagSequenceEnd:
		return s.sequenceEnd(f, h)
	case tagItem:
		return s.openItem(f, h)
	}
	if err := s.flaw(FlawNotItem, h.tag); err != nil {
		return err
	}
	if f.end >= 0 { // nothing of the rest can be understood
		_, err := s.take(min(f.end-s.src.offset(), s.available()))
		return err
	}
	s.pop(0, flagOpen)
	return nil
}

func (s *scanner) sequenceEnd(f *frame, h header) error {
	s.src.pos += 8
	if h.length != 0 {
		if err := s.flaw(FlawDelimiterLength, h.tag); err != nil {
			return err
		}
	}
	if f.end >= 0 {
		return s.flaw(FlawStrayDelimiter, h.tag)
	}
	s.pop(8, 0)
	return nil
}

func (s *scanner) openItem(f *frame, h header) error {
	e := &s.ev
	*e = event{kind: itemEvent, size: h.size, tag: h.tag, field: h.length}
	if f.kind == inFragments {
		e.kind, e.vr = fragmentEvent, vr.OB
		return s.value(f, e)
	}
	s.src.pos += 8
	next := frame{tag: h.tag, item: true, kind: inDataSet, enc: f.enc, signed: f.signed}
	if err := s.endOf(f, &next, e); err != nil {
		return err
	}
	s.push(next)
	return nil
}

// value measures the value of an element or fragment, which follows.
func (s *scanner) value(f *frame, e *event) error {
	s.src.pos += int(e.size)
	if err := s.measure(f, e); err != nil {
		return err
	}
	if e.length < int64(e.field) {
		e.flag |= flagCut
	}
	s.found++
	if e.tag == tagPixelRepresentation || e.tag.IsPrivateCreator() {
		s.watch(f, e)
	}
	return nil
}

// measure finds the length that a value has here: no more than encloses it, and no more
// than the input is known to have.
func (s *scanner) measure(f *frame, e *event) error {
	e.length = int64(e.field)
	if e.field == undefinedLength { // a fragment: PS3.5 A.4 has none of these
		return &FormatError{Tag: e.tag, Offset: s.src.offset(), Reason: "fragment of undefined length"}
	}
	if e.length&1 == 1 {
		if err := s.flaw(FlawOddLength, e.tag); err != nil {
			return err
		}
	}
	if f.limit >= 0 && s.src.offset()+e.length > f.limit {
		e.length = f.limit - s.src.offset()
		if err := s.flaw(FlawOverrun, e.tag); err != nil {
			return err
		}
	}
	if left := s.src.left(); left >= 0 && e.length > left {
		e.length = left
		return s.flaw(FlawTruncated, e.tag)
	}
	return nil
}

// privateCreator is who reserved a block of private elements (PS3.5 7.8.1).
type privateCreator struct {
	tag  tag.Tag
	n    uint8
	text [longestCreator]byte
}

const longestCreator = 64 // PS3.5 6.2: LO

// watch remembers what later elements of the level are read by.
func (s *scanner) watch(f *frame, e *event) {
	if e.length > longestCreator || !s.src.peek(int(e.length)) {
		return
	}
	b := s.src.rest()[:e.length]
	if e.tag == tagPixelRepresentation {
		if len(b) >= 2 {
			f.signed = f.enc.uint16(b) == 1
		}
		return
	}
	c := privateCreator{tag: e.tag}
	c.n = uint8(copy(c.text[:], b))
	s.creators = append(s.creators, c)
}

// implicitVR finds the VR of an element that does not tell it (PS3.5 annex A.1).
func (s *scanner) implicitVR(f *frame, t tag.Tag) vr.VR {
	if t.IsPrivate() {
		return s.privateVR(f, t)
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
func (s *scanner) privateVR(f *frame, t tag.Tag) vr.VR {
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
	for i := f.creators; i < len(s.creators); i++ {
		if c := &s.creators[i]; c.tag == at {
			if e, ok := dict.Private(trimText(c.text[:c.n]), t); ok {
				return e.VR
			}
			return vr.UN
		}
	}
	return vr.UN
}
