package charset

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"

	"gantry/dicom/vr"
)

// EncodeError says that a text has characters that a Set does not. The encoding went on.
type EncodeError struct {
	Rune   rune // the first of them
	Offset int  // in the text
	Count  int  // how many there are
	Terms  []string
}

func (e *EncodeError) Error() string {
	set := strings.Join(e.Terms, `\`)
	if set == "" {
		set = "the default repertoire"
	}
	return strconv.Itoa(e.Count) + " characters are not in " + set + ", the first is " +
		strconv.QuoteRune(e.Rune) + " at byte " + strconv.Itoa(e.Offset)
}

// Encode returns a text, value separators included, as the bytes of a value field of VR
// v. Escape sequences are set where code extensions are allowed, and the sets of value 1
// are in force again before each delimiter and at the end (PS3.5 6.1.2.5.3). The bytes are
// complete whatever the error, an *EncodeError; a question mark stands for each character
// that the Set does not have. Nothing is padded.
func (s Set) Encode(text string, v vr.VR) ([]byte, error) {
	if !v.HasCharset() {
		s = Set{}
	}
	if plain(text) && s.first() != katakana {
		return []byte(text), nil
	}
	e := encoder{set: s, vr: v, state: s.initial(), out: make([]byte, 0, len(text)+8)}
	for i, r := range text {
		if !e.put(r, text[i:]) {
			e.lost(r, i)
		}
	}
	e.home()
	if e.err != nil {
		return e.out, e.err
	}
	return e.out, nil
}

type encoder struct {
	set    Set
	vr     vr.VR
	state  state
	out    []byte
	tables [win1252 + 1]*encoding.Encoder // made when first needed
	from   [utf8.UTFMax]byte              // the character that table works on
	to     [8]byte                        // what it became
	err    *EncodeError
}

func (e *encoder) lost(r rune, offset int) {
	if e.err == nil {
		e.err = &EncodeError{Rune: r, Offset: offset, Terms: e.set.Terms()}
	}
	e.err.Count++
	e.put('?', "?")
}

// put appends r, the first character of rest, and reports whether it could.
func (e *encoder) put(r rune, rest string) bool {
	if r == utf8.RuneError && (e.set.first() != utf8Code || !strings.HasPrefix(rest, "\uFFFD")) {
		return false // broken UTF-8 is nobody's character, and lost ones stay lost
	}
	if c := e.set.first(); c.whole() {
		return e.putWhole(c, r)
	}
	if r == esc {
		return false
	}
	if r < 0x80 && resets(byte(r), e.vr) {
		e.home()
		e.out = append(e.out, byte(r))
		return true
	}
	if e.putNow(r) {
		return true
	}
	if e.designateFor(r) {
		return e.putNow(r)
	}
	if other, ok := twin(r); ok {
		return e.put(other, string(other))
	}
	return false
}

func (e *encoder) putWhole(c code, r rune) bool {
	if c == utf8Code {
		e.out = utf8.AppendRune(e.out, r)
		return true
	}
	b := e.table(c, r)
	e.out = append(e.out, b...)
	return len(b) > 0
}

// table encodes one character by a table of x/text: nothing when it is not there. The
// bytes are good until the next call.
func (e *encoder) table(c code, r rune) []byte {
	if e.tables[c] == nil {
		e.tables[c] = c.scheme().NewEncoder()
	}
	n, _, err := e.tables[c].Transform(e.to[:], e.from[:utf8.EncodeRune(e.from[:], r)], true)
	if err != nil {
		e.tables[c].Reset()
		return nil
	}
	return e.to[:n]
}

// putNow appends r if what is designated has it.
func (e *encoder) putNow(r rune) bool {
	if b, n := e.bytes(e.state.g0, r, false); n > 0 {
		e.out = append(e.out, b[:n]...)
		return true
	}
	if b, n := e.bytes(e.state.g1, r, true); n > 0 {
		e.out = append(e.out, b[:n]...)
		return true
	}
	return false
}

// bytes returns the code of r in a set, in the half where it is designated.
func (e *encoder) bytes(g graphics, r rune, g1 bool) (b [2]byte, n int) {
	switch {
	case g.empty:
		return b, 0
	case g.code.multi():
		return e.pair(g.code, r, g1)
	case g1:
		var ok bool
		if b[0], ok = g.code.singleByte(r); ok {
			return b, 1
		}
	case g.romaji && r == '¥' && !e.vr.IsSingle():
		return b, 0 // its byte separates values
	case g.romaji:
		return romaji(r)
	case r < 0x80:
		return [2]byte{byte(r)}, 1
	}
	return b, 0
}

// romaji returns the code of r in ISO-IR 14: ASCII but for yen and overline.
func romaji(r rune) (b [2]byte, n int) {
	switch {
	case r == '¥':
		return [2]byte{'\\'}, 1
	case r == '‾':
		return [2]byte{'~'}, 1
	case r < 0x80 && r != '\\' && r != '~':
		return [2]byte{byte(r)}, 1
	}
	return b, 0
}

// pair returns the two bytes of r in a multi-byte set. A space is the same in every G0.
func (e *encoder) pair(c code, r rune, g1 bool) (b [2]byte, n int) {
	if r <= ' ' || r == 0x7F {
		if g1 {
			return b, 0
		}
		return [2]byte{byte(r)}, 1
	}
	euc := e.table(c, r)
	if c == supplement {
		if len(euc) != 3 || euc[0] != 0x8F {
			return b, 0
		}
		euc = euc[1:]
	}
	if len(euc) != 2 || !c.inSet(euc[0], euc[1]) {
		return b, 0
	}
	b = [2]byte{euc[0], euc[1]}
	if !g1 {
		b[0], b[1] = b[0]&0x7F, b[1]&0x7F
	}
	return b, 2
}

// designateFor makes a set current that has r: those of value 1, else the first declared.
func (e *encoder) designateFor(r rune) bool {
	st := e.set.initial()
	if _, n := e.bytes(st.g0, r, false); n > 0 {
		e.designate(st.g0, false)
		return true
	}
	if _, n := e.bytes(st.g1, r, true); n > 0 {
		e.designate(st.g1, true)
		return true
	}
	if !e.set.extended {
		return false
	}
	for _, c := range e.set.codes[:e.set.n] {
		if e.designateOf(c, r) {
			return true
		}
	}
	return false
}

// designateOf makes the half of c current that has r.
func (e *encoder) designateOf(c code, r rune) bool {
	for _, d := range designations() {
		if !d.usual || d.set.code != c && (d.set.code != ascii || !c.hasASCII()) {
			continue
		}
		if _, n := e.bytes(d.set, r, d.g1); n > 0 {
			e.designate(d.set, d.g1)
			return true
		}
	}
	return false
}

// hasASCII reports whether declaring c brings ISO-IR 6 along as G0, as all do but
// ISO-IR 13 (PS3.3 Table C.12-3).
func (c code) hasASCII() bool { return c != katakana && !c.multi() }

func (e *encoder) designate(g graphics, g1 bool) {
	now := &e.state.g0
	if g1 {
		now = &e.state.g1
	}
	if *now == g {
		return
	}
	*now = g
	if g.empty {
		return // nothing says "no set"; delimiters mean it
	}
	e.out = append(e.out, esc)
	e.out = append(e.out, escapeFor(g, g1)...)
}

// home brings back what value 1 designates.
func (e *encoder) home() {
	st := e.set.initial()
	e.designate(st.g0, false)
	e.designate(st.g1, true)
}
