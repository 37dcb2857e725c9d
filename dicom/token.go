package dicom

import (
	"errors"
	"io"
	"slices"

	"gantry/dicom/tag"
	"gantry/dicom/vr"
)

// TokenKind says what a Token is.
type TokenKind uint8

// The kinds of token. Every start of a sequence, of fragments or of an item is followed,
// after what is inside, by its end, also where the input lacks the delimiter.
const (
	ElementStart  TokenKind = iota + 1 // a data element with a value, which may be empty
	SequenceStart                      // a data element with items (PS3.5 7.5)
	SequenceEnd
	ItemStart // an item: a data set of its own
	ItemEnd
	FragmentsStart // encapsulated pixel data (PS3.5 A.4)
	Fragment       // a value: the basic offset table comes first
	FragmentsEnd
)

var tokenNames = [...]string{
	ElementStart: "element", SequenceStart: "sequence", SequenceEnd: "end of sequence", ItemStart: "item",
	ItemEnd: "end of item", FragmentsStart: "fragments", Fragment: "fragment", FragmentsEnd: "end of fragments",
}

// String names the kind in words.
func (k TokenKind) String() string {
	if int(k) < len(tokenNames) && tokenNames[k] != "" {
		return tokenNames[k]
	}
	return "unknown token"
}

// Token is a step through a data set in the order of its bytes.
type Token struct {
	Kind TokenKind
	Tag  tag.Tag // of the element; at an end, of what ends
	VR   vr.VR   // as in Element; zero for items and ends
	// LengthField is the length field of the header: UndefinedLength, or a number of
	// bytes.
	LengthField uint32
	// Length is how many bytes Value has: LengthField, or less where the input or what
	// encloses the value is known to be shorter. Zero for all but values.
	Length    int64
	Offset    int64 // of the header, in bytes from the start of the data set
	BigEndian bool  // numbers are big endian
}

// Decoder reads a data set as tokens from a stream, holding no more than a header at a
// time: memory does not grow with the data set, whatever it is. It has the tolerance and
// the limits of Decode, save Limits.MaxValue and DecodeOptions.BulkMin, which have no
// meaning here. It is used by one goroutine.
type Decoder struct {
	s     scanner
	err   error
	begun bool
	enc   encoding
	left  int64  // bytes of the current value that were not read
	count uint64 // tokens so far
	last  TokenKind
}

// NewDecoder returns a decoder that reads from r, which may be read ahead of the tokens.
// If r is an io.Seeker, long values are skipped by
// seeking.
func NewDecoder(r io.Reader, o DecodeOptions) *Decoder {
	enc, deflated := encodingOf(o.Syntax)
	known := int64(-1)
	if deflated {
		r = inflate(r, o)
	} else {
		known = remaining(r)
	}
	d := &Decoder{enc: enc}
	d.s.init(source{r: r, passing: true, known: known}, o)
	return d
}

// remaining is how many bytes a seeker has, or -1.
func remaining(r io.Reader) int64 {
	s, ok := r.(io.Seeker)
	if !ok {
		return -1
	}
	at, err := s.Seek(0, io.SeekCurrent)
	if err != nil {
		return -1
	}
	end, err := s.Seek(0, io.SeekEnd)
	if err != nil {
		return -1
	}
	if _, err = s.Seek(at, io.SeekStart); err != nil {
		return -1
	}
	return max(end-at, 0)
}

// ReadToken returns the next token, io.EOF behind the last one. What was not read of the
// value before is skipped. An error is returned again by every later call.
func (d *Decoder) ReadToken() (Token, error) {
	if d.err != nil {
		return Token{}, d.err
	}
	t, err := d.read()
	if err != nil {
		d.err = err
	}
	return t, err
}

func (d *Decoder) read() (Token, error) {
	if !d.begun {
		d.begun = true
		if err := d.s.start(d.enc); err != nil {
			return Token{}, err
		}
	}
	if err := d.skip(); err != nil {
		return Token{}, err
	}
	ok, err := d.s.next()
	if err != nil {
		return Token{}, err
	}
	if !ok {
		return Token{}, io.EOF
	}
	return d.token(), nil
}

// token turns what the scanner found into a token.
func (d *Decoder) token() Token {
	e := &d.s.ev
	t := Token{
		Tag: e.tag, VR: e.vr, LengthField: e.field, Length: e.length,
		Offset: d.s.src.offset() - int64(e.size), BigEndian: e.flag&flagBig != 0,
	}
	switch e.kind {
	case elementEvent:
		t.Kind = ElementStart
	case fragmentEvent:
		t.Kind = Fragment
	case sequenceEvent:
		t.Kind = SequenceStart
	case fragmentsEvent:
		t.Kind = FragmentsStart
	case itemEvent:
		t.Kind = ItemStart
	case endEvent:
		t.Kind = endOf(e.ends)
	}
	d.left = t.Length
	d.count++
	d.last = t.Kind
	return t
}

func endOf(k eventKind) TokenKind {
	switch k {
	case sequenceEvent:
		return SequenceEnd
	case fragmentsEvent:
		return FragmentsEnd
	}
	return ItemEnd
}

// InputOffset is where in the data set the next byte to read lies: behind the header of
// the last token, and what was read of its value.
func (d *Decoder) InputOffset() int64 { return d.s.src.offset() }

// Depth is the number of sequences and encapsulated values that the decoder is inside.
func (d *Decoder) Depth() int { return d.s.depth }

// Flaws lists the deviations met so far when nobody was told of them, at most 1,000.
func (d *Decoder) Flaws() []Flaw { return d.s.flaws }

// SkipValue goes over what the last token began: the rest of the value of an element or
// fragment, or everything in a sequence, in fragments or in an item, the end included.
func (d *Decoder) SkipValue() error {
	if d.err != nil {
		return d.err
	}
	switch d.last {
	case SequenceStart, FragmentsStart, ItemStart:
		return d.skipLevel()
	}
	if err := d.skip(); err != nil {
		d.err = err
	}
	return d.err
}

// skipLevel reads tokens up to the end of the level just begun.
func (d *Decoder) skipLevel() error {
	for open := len(d.s.stack); len(d.s.stack) >= open; {
		if _, err := d.ReadToken(); err != nil {
			return err
		}
	}
	return nil
}

// skip goes over the rest of the value.
func (d *Decoder) skip() error {
	if d.left == 0 {
		return nil
	}
	left := d.left
	d.left = 0
	n, err := d.s.take(left)
	if err != nil || n == left {
		return err
	}
	return d.s.flaw(FlawTruncated, d.s.ev.tag)
}

// Value returns a reader of the value of the last token, from where the last one got to.
// It is empty for tokens without one, fails with io.ErrUnexpectedEOF where a stream ends
// inside the value, and with ErrTokenGone after the next ReadToken or SkipValue.
func (d *Decoder) Value() io.Reader { return &tokenValue{d, d.count} }

// ErrTokenGone says that a value was read after its decoder had gone on.
var ErrTokenGone = errors.New("dicom: the decoder has gone on to another token")

type tokenValue struct {
	d     *Decoder
	count uint64
}

func (v *tokenValue) Read(p []byte) (int, error) {
	d := v.d
	switch {
	case v.count != d.count:
		return 0, ErrTokenGone
	case d.err != nil && d.err != io.EOF:
		return 0, d.err
	case d.left == 0:
		return 0, io.EOF
	case len(p) == 0:
		return 0, nil
	}
	n := d.s.src.readInto(p[:min(int64(len(p)), d.left)])
	if d.left -= int64(n); n > 0 {
		return n, nil
	}
	d.left = 0
	if err := d.s.src.err; err != nil && err != io.EOF {
		d.err = d.s.inputError()
		return 0, d.err
	}
	if err := d.s.flaw(FlawTruncated, d.s.ev.tag); err != nil {
		d.err = err
		return 0, err
	}
	return 0, io.ErrUnexpectedEOF
}

// AppendValue appends the rest of the value of the last token to dst. More than
// Limits.MaxValue is a LimitError; a value cut by the end of the input is appended as far
// as it goes, with io.ErrUnexpectedEOF.
func (d *Decoder) AppendValue(dst []byte) ([]byte, error) {
	if d.left > d.s.lim.MaxValue {
		return dst, &LimitError{"MaxValue", d.s.lim.MaxValue, d.s.ev.tag, d.InputOffset()}
	}
	v := tokenValue{d, d.count}
	for d.left > 0 {
		room := int(min(d.left, max(int64(cap(dst)-len(dst)), mostChunk)))
		dst = slices.Grow(dst, room)
		n, err := v.Read(dst[len(dst) : len(dst)+room])
		dst = dst[:len(dst)+n]
		if err != nil {
			return dst, err
		}
	}
	return dst, nil
}
