package dicom

import (
	"io"

	"gantry/dicom/tag"
	"gantry/dicom/vr"
)

// scanner finds the elements, items and fragments of a data set one after the other, and
// the ends of sequences and items, whatever is done with them: DataSet and Decoder are two
// loops over it. It keeps a stack of its own, so that depth costs no Go stack.
type scanner struct {
	src       source
	o         DecodeOptions
	lim       Limits
	enc       encoding // of the outermost level, once start has looked at it
	ev        event
	stack     []frame
	frames    [8]frame // the stack's first place
	creators  []privateCreator
	depth     int // sequences inside sequences
	found     int // elements, items and fragments
	flaws     []Flaw
	unordered bool // tags do not ascend everywhere
	ended     bool // the input has no more headers
}

// event is what next found. The value of an element or fragment begins at the source's
// position: whoever asked has to go over it before the next call.
type event struct {
	kind   eventKind
	ends   eventKind // what an end is the end of
	size   uint8     // bytes of the header; at an end those of the delimiter
	flag   recordFlag
	tag    tag.Tag
	vr     vr.VR
	field  uint32 // the length field
	length int64  // of a value: no more than encloses it, nor than is known to be left
}

type eventKind uint8

const (
	elementEvent   eventKind = iota + 1 // a value follows
	fragmentEvent                       // likewise
	sequenceEvent                       // items follow
	fragmentsEvent                      // fragments follow
	itemEvent                           // elements follow
	endEvent                            // the innermost of the last three ends
)

// frame is a level that is being decoded: the data set, a sequence or an item.
type frame struct {
	end      int64 // input offset where it ends, or -1 for undefined length
	limit    int64 // what nothing inside may reach beyond: the innermost such end, or -1
	tag      tag.Tag
	last     tag.Tag // the tag read before
	creators int     // of its parents, on scanner.creators
	kind     frameKind
	item     bool
	enc      encoding
	signed   bool // Pixel Representation in force (PS3.5 annex A: US or SS)
}

type frameKind uint8

const (
	inDataSet frameKind = iota
	inSequence
	inFragments
)

func (s *scanner) init(src source, o DecodeOptions) {
	s.src, s.o, s.lim = src, o, o.Limits.withDefaults()
	s.stack = append(s.frames[:0], frame{end: -1, limit: -1})
}

// start looks at the first element, which tells the kind of VR if the options do not.
func (s *scanner) start(enc encoding) error {
	first := s.src.have(6)
	if first && s.o.Syntax == "" {
		enc.explicit = looksExplicit(s.src.rest())
	}
	s.enc = enc
	err := s.mismatch(first)
	s.stack[0].enc = s.enc
	return err
}

// mismatch notices a data set whose kind of VR is not the one its syntax names.
func (s *scanner) mismatch(first bool) error {
	e := &s.enc
	if !first || s.o.exact || looksExplicit(s.src.rest()) == e.explicit || e.big {
		return nil
	}
	if e.explicit && isLetter(s.src.rest()[4]) && isLetter(s.src.rest()[5]) {
		return nil // merely a VR that is not known
	}
	e.explicit = !e.explicit
	return s.flaw(FlawMixedVR, e.tag(s.src.rest()))
}

// next finds the next event. It is false at the end of the input or of the reader's
// interest, with all levels ended, and on errors.
func (s *scanner) next() (bool, error) {
	for !s.ended {
		if done, err := s.closeFull(); done || err != nil {
			return done, err
		}
		f := s.top()
		h, ok, err := s.header(f)
		if err != nil {
			return false, err
		}
		if !ok {
			s.ended = f.limit < 0 || s.src.offset() < f.limit
			continue
		}
		if s.o.Until != 0 && len(s.stack) == 1 && h.tag >= s.o.Until && h.tag.Group() != 0xFFFE {
			return false, nil
		}
		s.ev.kind = 0
		if f.kind == inDataSet {
			err = s.element(f, h)
		} else {
			err = s.item(f, h)
		}
		if err != nil || s.ev.kind != 0 {
			return err == nil, err
		}
	}
	return s.finish()
}

func (s *scanner) top() *frame { return &s.stack[len(s.stack)-1] }

// closeFull leaves a level that ends here: one of defined length, and before it those
// inside whose delimiter never came.
func (s *scanner) closeFull() (bool, error) {
	f := s.top()
	if f.limit < 0 || s.src.offset() < f.limit {
		return false, nil
	}
	flag := recordFlag(0)
	if f.end < 0 {
		flag = flagOpen
		if err := s.flaw(FlawNoDelimiter, f.tag); err != nil {
			return false, err
		}
	}
	s.pop(0, flag)
	return true, nil
}

// pop leaves the innermost level, whose delimiter, if it had one, has been read.
func (s *scanner) pop(delimiter uint8, flag recordFlag) {
	f := s.top()
	s.ev = event{kind: endEvent, ends: itemEvent, size: delimiter, flag: flag, tag: f.tag}
	if !f.item {
		s.ev.ends = sequenceEvent
		s.depth--
	}
	if f.kind == inFragments {
		s.ev.ends = fragmentsEvent
	}
	s.creators = s.creators[:f.creators]
	s.stack = s.stack[:len(s.stack)-1]
}

// finish ends the levels that the input left open, one a call, and reports each.
func (s *scanner) finish() (bool, error) {
	if s.src.err != nil && s.src.err != io.EOF {
		return false, s.inputError()
	}
	if len(s.stack) == 1 {
		return false, nil
	}
	f := s.top()
	kind := FlawNoDelimiter
	if f.end >= 0 {
		kind = FlawTruncated
	}
	if err := s.flaw(kind, f.tag); err != nil {
		return false, err
	}
	return s.abandon(), nil
}

// abandon ends the innermost level without a word, if there is one.
func (s *scanner) abandon() bool {
	if len(s.stack) < 2 {
		return false
	}
	flag := recordFlag(0)
	switch f := s.top(); {
	case f.end < 0:
		flag = flagOpen
	case s.src.offset() < f.end:
		flag = flagCut
	}
	s.pop(0, flag)
	return true
}

func (s *scanner) inputError() error {
	if limit, ok := s.src.err.(*LimitError); ok {
		return limit
	}
	return &FormatError{Offset: s.src.offset(), Reason: s.src.err.Error(), Err: s.src.err}
}

const mostFlaws = 1000 // kept; a hostile object has millions

func (s *scanner) flaw(k FlawKind, t tag.Tag) error {
	f := Flaw{Kind: k, Tag: t, Offset: s.src.offset()}
	if s.o.OnFlaw != nil {
		return s.o.OnFlaw(f)
	}
	if len(s.flaws) < mostFlaws {
		s.flaws = append(s.flaws, f)
	}
	return nil
}

// header reads the next header. It is not ok at the end of the input and on errors.
func (s *scanner) header(f *frame) (h header, ok bool, err error) {
	need := 8
	for {
		if f.limit >= 0 && s.src.offset()+int64(need) > f.limit {
			return h, false, s.crumbs(f.limit - s.src.offset())
		}
		if !s.src.have(need) {
			if s.src.err == nil || s.src.err == io.EOF {
				return h, false, s.shortHeader()
			}
			return h, false, s.inputError()
		}
		if h, need = parseHeader(s.src.rest(), f.enc); need != 0 {
			continue
		}
		if f.limit >= 0 && s.src.offset()+int64(h.size) > f.limit {
			return h, false, s.crumbs(f.limit - s.src.offset())
		}
		return h, true, s.count(h)
	}
}

// shortHeader ends the data set where fewer bytes are left than a header has.
func (s *scanner) shortHeader() error {
	if len(s.src.rest()) == 0 {
		return nil
	}
	return s.flaw(FlawTrailing, 0)
}

// crumbs goes over what is left of a level and too short for a header.
func (s *scanner) crumbs(n int64) error {
	if err := s.flaw(FlawTrailing, 0); err != nil {
		return err
	}
	_, err := s.take(n)
	return err
}

func (s *scanner) count(h header) error {
	if s.found >= s.lim.MaxElements {
		return &LimitError{"MaxElements", int64(s.lim.MaxElements), h.tag, s.src.offset()}
	}
	return nil
}

// take moves over n bytes, or over what there is of them. They stay in the buffer, unless
// the source is one that keeps nothing.
func (s *scanner) take(n int64) (int64, error) {
	if s.src.passing {
		n = s.src.pass(n)
		if s.src.err != nil && s.src.err != io.EOF {
			return n, s.inputError()
		}
		return n, nil
	}
	if n > maxBuffer {
		return 0, &LimitError{"MaxValue", maxBuffer, 0, s.src.offset()}
	}
	if !s.src.have(int(n)) {
		if s.src.err != nil && s.src.err != io.EOF {
			return 0, s.inputError()
		}
		n = int64(len(s.src.rest()))
	}
	s.src.pos += int(n)
	return n, nil
}

// available is how many bytes the input may still have.
func (s *scanner) available() int64 {
	if n := s.src.left(); n >= 0 {
		return n
	}
	return 1<<63 - 1
}
