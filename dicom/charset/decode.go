package charset

import (
	"bytes"
	"strconv"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/transform"

	"gantry/dicom/vr"
)

// DecodeError is the first deviation in a text, whose decoding went on.
type DecodeError struct {
	Offset  int // in the bytes; 0 for codes that allow no escape sequences but UTF-8
	Problem string
}

func (e *DecodeError) Error() string {
	return "text at byte " + strconv.Itoa(e.Offset) + ": " + e.Problem
}

// Decode returns the text of a whole value field of VR v as UTF-8, value separators
// included: split it afterwards, since a two-byte character may contain the byte of a
// backslash. VRs to which Specific Character Set does not apply are read by the default
// repertoire (PS3.5 6.1.2.2). The text is complete whatever the error, a *DecodeError;
// characters that cannot be read are U+FFFD in it. Bytes above 7F that no term covers are
// read as a declared G1 set, as UTF-8 if they are that, else as Latin-1, and reported.
// Padding stays.
func (s Set) Decode(b []byte, v vr.VR) (string, error) {
	if !v.HasCharset() {
		s = Set{}
	}
	if plain(b) && s.first() != katakana {
		return string(b), nil
	}
	if s.first().whole() {
		return s.first().decodeWhole(b)
	}
	d := decoder{set: s, vr: v, src: b, out: make([]byte, 0, len(b)+len(b)/2)}
	d.run()
	if d.flaw != nil {
		return string(d.out), d.flaw
	}
	return string(d.out), nil
}

func (c code) decodeWhole(b []byte) (string, error) {
	if c == utf8Code {
		return decodeUTF8(b)
	}
	out := new(reader).append(make([]byte, 0, len(b)*3/2), c, b)
	if hasBad(out) {
		return string(out), &DecodeError{0, "bytes that are not " + c.term(false)}
	}
	return string(out), nil
}

func decodeUTF8(b []byte) (string, error) {
	if utf8.Valid(b) {
		return string(b), nil
	}
	at := 0
	for at < len(b) {
		r, n := utf8.DecodeRune(b[at:])
		if r == utf8.RuneError && n == 1 {
			break
		}
		at += n
	}
	return string([]rune(string(b))), &DecodeError{at, "bytes that are not UTF-8"}
}

func hasBad(b []byte) bool { return bytes.Contains(b, []byte("\uFFFD")) }

// reader decodes by the tables of x/text and keeps the last of them at hand.
type reader struct {
	code  code
	table *encoding.Decoder
	buf   [64]byte
}

// append appends the text of src, in the encoding that carries c, to dst. What cannot be
// read becomes U+FFFD.
func (r *reader) append(dst []byte, c code, src []byte) []byte {
	if r.table == nil || r.code != c {
		r.code, r.table = c, c.scheme().NewDecoder()
	}
	r.table.Reset()
	for {
		n, used, err := r.table.Transform(r.buf[:], src, true)
		dst = append(dst, r.buf[:n]...)
		src = src[used:]
		if err != transform.ErrShortDst || n == 0 && used == 0 {
			break
		}
	}
	for range src {
		dst = utf8.AppendRune(dst, bad)
	}
	return dst
}

// decoder reads text with code extensions, one text at a time.
type decoder struct {
	set   Set
	vr    vr.VR
	src   []byte
	at    int
	state state
	out   []byte
	table reader
	euc   []byte // scratch of pairs
	flaw  *DecodeError
}

func (d *decoder) run() {
	d.state = d.set.initial()
	for d.at < len(d.src) {
		switch c := d.src[d.at]; {
		case c == esc:
			d.escape()
		case c >= 0x80:
			d.right()
		case d.state.g0.code.multi() && c > 0x20 && c < 0x7F:
			d.pairs(d.state.g0.code, 0)
		default:
			d.left(c)
		}
	}
}

func (d *decoder) report(problem string) {
	if d.flaw == nil {
		d.flaw = &DecodeError{d.at, problem}
	}
}

// escape takes an escape sequence in, or passes an unknown one on as it is.
func (d *decoder) escape() {
	e, ok := escape(d.src[d.at+1:])
	if !ok {
		d.report("unknown escape sequence")
		d.out = append(d.out, esc)
		d.at++
		return
	}
	if !e.usual {
		d.report("escape sequence ESC " + e.escape + " is not in the standard")
	} else if !d.set.declares(e.set) {
		d.report("escape sequence ESC " + e.escape + " for " + e.set.code.term(true) + ", which is not declared")
	}
	if e.g1 {
		d.state.g1 = e.set
	} else {
		d.state.g0 = e.set
	}
	d.at += 1 + len(e.escape)
}

// declares reports whether the set may be designated in texts of s. ASCII always may.
func (s Set) declares(g graphics) bool {
	return g.code == ascii || s.has(g.code)
}

// left takes in one byte of the lower half from a single-byte G0.
func (d *decoder) left(c byte) {
	d.at++
	g0 := d.state.g0
	switch {
	case g0.code == katakana && !g0.romaji && c > 0x20 && c < 0x7F:
		d.out = utf8.AppendRune(d.out, katakana.single(c|0x80))
		return
	case resets(c, d.vr):
		d.state = d.set.initial()
	case g0.romaji && c == '\\':
		d.out = append(d.out, "¥"...)
		return
	case g0.romaji && c == '~':
		d.out = append(d.out, "‾"...)
		return
	}
	d.out = append(d.out, c)
}

// right takes in bytes of the upper half.
func (d *decoder) right() {
	g1 := d.state.g1
	if g1.empty {
		g1 = graphics{code: d.set.anyG1()}
		if g1.code == ascii {
			d.undeclared()
			return
		}
		d.report("bytes above 7F without an escape sequence, read as " + g1.code.term(true))
		d.state.g1 = g1
	}
	if g1.code.multi() {
		d.pairs(g1.code, 0x80)
		return
	}
	r := g1.code.single(d.src[d.at])
	if r == bad {
		d.report("a byte that is not in " + g1.code.term(true))
	}
	d.out = utf8.AppendRune(d.out, r)
	d.at++
}

// anyG1 returns the first declared set that G1 may hold, ascii for none.
func (s Set) anyG1() code {
	for _, c := range s.codes[:s.n] {
		if c == hangul || c == hanzi || c == katakana || c.page() != nil {
			return c
		}
	}
	return ascii
}

// undeclared takes in bytes above 7F that no term covers: UTF-8 or else Latin-1.
func (d *decoder) undeclared() {
	r, n := utf8.DecodeRune(d.src[d.at:])
	if r == utf8.RuneError {
		d.report("bytes above 7F that no term covers, read as Latin-1")
		r, n = rune(d.src[d.at]), 1
	} else {
		d.report("bytes above 7F that no term covers, read as UTF-8")
	}
	d.out = utf8.AppendRune(d.out, r)
	d.at += n
}

// pairs takes in the two-byte characters from here on; half is 80 for G1, 0 for G0.
func (d *decoder) pairs(c code, half byte) {
	end := d.at
	for end < len(d.src) && inHalf(d.src[end], half) {
		end++
	}
	run := d.src[d.at:end]
	odd := len(run) & 1
	euc := d.euc[:0]
	for i := 0; i+1 < len(run); i += 2 {
		if c == supplement {
			euc = append(euc, 0x8F)
		}
		euc = append(euc, run[i]|0x80, run[i+1]|0x80)
	}
	d.euc = euc
	before := len(d.out)
	d.out = d.table.append(d.out, c, euc)
	if hasBad(d.out[before:]) {
		d.report("a character that is not in " + c.term(true))
	}
	if odd == 1 {
		d.report("half a character of " + c.term(true))
		d.out = utf8.AppendRune(d.out, bad)
	}
	d.at = end
	if len(run) == 0 { // 80 to A0, FF: in neither half of a 94-set
		d.report("a byte that is not in " + c.term(true))
		d.out = utf8.AppendRune(d.out, bad)
		d.at++
	}
}

// inHalf reports whether b is a graphic character of a 94-set in G0 or G1.
func inHalf(b, half byte) bool {
	b ^= half
	return b > 0x20 && b < 0x7F
}
