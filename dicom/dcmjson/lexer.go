package dcmjson

import (
	"bufio"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"unicode/utf16"
	"unicode/utf8"
)

// lexer reads JSON (RFC 8259) byte by byte. encoding/json would hold every string whole,
// and some here are images.
type lexer struct {
	r    *bufio.Reader
	off  int64
	most int64 // bytes of a string, or of what is recorded
	buf  []byte

	recording bool
	recorded  []byte
}

var errEnd = errors.New("the document ends too early")

// next returns the next byte that is not space, and takes it.
func (l *lexer) next() (byte, error) {
	for {
		c, err := l.byte()
		if err != nil || c != ' ' && c != '\n' && c != '\t' && c != '\r' {
			return c, err
		}
	}
}

func (l *lexer) byte() (byte, error) {
	c, err := l.r.ReadByte()
	if err == io.EOF {
		return 0, errEnd
	}
	l.off++
	if l.recording {
		l.recorded = append(l.recorded, c)
		if int64(len(l.recorded)) > l.most {
			return 0, fmt.Errorf("a value of more than %d bytes", l.most)
		}
	}
	return c, err
}

// record returns the text of a value. What is inside a recorded value is not recorded again.
func (l *lexer) record(depth int) ([]byte, error) {
	l.recording, l.recorded = true, nil
	err := l.skip(depth)
	l.recording = false
	return l.recorded, err
}

func (l *lexer) back() {
	if l.recording {
		l.recorded = l.recorded[:len(l.recorded)-1]
	}
	l.r.UnreadByte()
	l.off--
}

// peek is next without taking it.
func (l *lexer) peek() (byte, error) {
	c, err := l.next()
	if err == nil {
		l.back()
	}
	return c, err
}

func (l *lexer) want(w byte) error {
	c, err := l.next()
	if err == nil && c != w {
		err = fmt.Errorf("%q where %q belongs", c, w)
	}
	return err
}

// more reports whether a list goes on behind a member; what is its closing bracket.
func (l *lexer) more(closing byte) (bool, error) {
	c, err := l.next()
	switch {
	case err != nil:
		return false, err
	case c == ',':
		return true, nil
	case c == closing:
		return false, nil
	}
	return false, fmt.Errorf("%q where ',' or %q belongs", c, closing)
}

// opens takes an opening bracket and reports whether the list has members.
func (l *lexer) opens(opening, closing byte) (bool, error) {
	if err := l.want(opening); err != nil {
		return false, err
	}
	c, err := l.peek()
	if err == nil && c == closing {
		_, err = l.next()
		return false, err
	}
	return true, err
}

// string reads a string. It is good until the next call.
func (l *lexer) string() ([]byte, error) {
	if err := l.want('"'); err != nil {
		return nil, err
	}
	l.buf = l.buf[:0]
	for {
		c, err := l.byte()
		switch {
		case err != nil:
			return nil, err
		case c == '"':
			if !utf8.Valid(l.buf) {
				return nil, errors.New("a string that is not UTF-8")
			}
			return l.buf, nil
		case c < ' ':
			return nil, fmt.Errorf("control character %#02x in a string", c)
		case int64(len(l.buf)) >= l.most:
			return nil, fmt.Errorf("a string of more than %d bytes", l.most)
		case c != '\\':
			l.buf = append(l.buf, c)
		default:
			if err := l.escape(); err != nil {
				return nil, err
			}
		}
	}
}

const (
	escapes  = `"\/bfnrt`
	escapeds = "\"\\/\b\f\n\r\t"
)

func (l *lexer) escape() error {
	c, err := l.byte()
	if err != nil {
		return err
	}
	if c == 'u' {
		return l.unicode()
	}
	for i := range len(escapes) {
		if escapes[i] == c {
			l.buf = append(l.buf, escapeds[i])
			return nil
		}
	}
	return fmt.Errorf("bad escape \\%c", c)
}

// unicode reads the digits of an escape, and of a second one for a surrogate pair.
func (l *lexer) unicode() error {
	r, err := l.hex4()
	if err != nil {
		return err
	}
	for utf16.IsSurrogate(r) {
		p, err := l.r.Peek(2)
		if err != nil || p[0] != '\\' || p[1] != 'u' {
			r = utf8.RuneError
			break
		}
		l.byte()
		l.byte()
		second, err := l.hex4()
		if err != nil {
			return err
		}
		if both := utf16.DecodeRune(r, second); both != utf8.RuneError {
			r = both
			break
		}
		l.buf = utf8.AppendRune(l.buf, utf8.RuneError)
		r = second
	}
	l.buf = utf8.AppendRune(l.buf, r)
	return nil
}

func (l *lexer) hex4() (rune, error) {
	r := rune(0)
	for range 4 {
		c, err := l.byte()
		if err != nil {
			return 0, err
		}
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			c = c | 0x20 - 'a' + 10
		default:
			return 0, errors.New("bad \\u escape")
		}
		r = r<<4 | rune(c)
	}
	return r, nil
}

const longestNumber = 400

// literal reads a number, true, false or null. It is good until the next call.
func (l *lexer) literal() ([]byte, error) {
	c, err := l.next()
	l.buf = l.buf[:0]
	for ; err == nil; c, err = l.byte() {
		if c != '+' && c != '-' && c != '.' && (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z') {
			l.back()
			break
		}
		if l.buf = append(l.buf, c); len(l.buf) > longestNumber {
			return nil, errors.New("a number that is too long")
		}
	}
	switch s := string(l.buf); {
	case err != nil && err != errEnd:
		return nil, err
	case s == "null", s == "true", s == "false", isJSONNumber(s):
		return l.buf, nil
	case s == "" && err == nil:
		return nil, fmt.Errorf("%q where a value belongs", c)
	case s == "":
		return nil, errEnd
	default:
		return nil, fmt.Errorf("%.40q is no value", s)
	}
}

// base64 reads a string of base64 and hands its bytes on a piece at a time.
func (l *lexer) base64(each func(...byte) error) error {
	if err := l.want('"'); err != nil {
		return err
	}
	r := &encoded{l: l}
	b := make([]byte, 24<<10)
	d := base64.NewDecoder(base64.StdEncoding, r)
	for {
		n, err := d.Read(b)
		if e := each(b[:n]...); e != nil {
			return e
		}
		switch {
		case err == io.EOF:
			return nil
		case r.err != nil && r.err != io.EOF:
			return r.err
		case err != nil:
			return errors.New("bad base64")
		}
	}
}

// encoded reads the characters of a string up to its closing quote.
type encoded struct {
	l   *lexer
	err error
}

func (e *encoded) Read(p []byte) (int, error) {
	n := 0
	for n < len(p) && e.err == nil {
		if _, err := e.l.r.Peek(1); err != nil {
			e.err = errEnd
			break
		}
		b, _ := e.l.r.Peek(min(len(p)-n, max(1, e.l.r.Buffered())))
		if len(b) == 0 {
			e.err = errEnd
			break
		}
		used := 0
		for used < len(b) && b[used] != '"' && b[used] != '\\' && b[used] >= ' ' {
			used++
		}
		copy(p[n:], b[:used])
		n += used
		e.l.r.Discard(used)
		if e.l.off += int64(used); used == len(b) {
			continue
		}
		n += e.special(p[n:])
	}
	if n > 0 {
		return n, nil
	}
	return 0, e.err
}

// special takes the closing quote, or an escaped slash or line end, which base64 may have.
func (e *encoded) special(p []byte) int {
	c, _ := e.l.byte()
	if c == '"' {
		e.err = io.EOF
		return 0
	}
	e.l.buf = e.l.buf[:0]
	if c != '\\' {
		e.err = fmt.Errorf("control character %#02x in a string", c)
		return 0
	}
	if e.err = e.l.escape(); e.err != nil {
		return 0
	}
	return copy(p[:1], e.l.buf)
}

// skip goes over a value.
func (l *lexer) skip(depth int) error {
	c, err := l.peek()
	if err != nil {
		return err
	}
	if depth == 0 {
		return errors.New("brackets too deep")
	}
	switch c {
	case '"':
		_, err = l.string()
	case '[', '{':
		err = l.skipList(c, depth)
	default:
		_, err = l.literal()
	}
	return err
}

func (l *lexer) skipList(opening byte, depth int) error {
	closing := opening + 2
	more, err := l.opens(opening, closing)
	for more && err == nil {
		if opening == '{' {
			if err = l.member(); err != nil {
				return err
			}
		}
		if err = l.skip(depth - 1); err == nil {
			more, err = l.more(closing)
		}
	}
	return err
}

// member reads the name of a member, which stays in buf.
func (l *lexer) member() error {
	if _, err := l.string(); err != nil {
		return err
	}
	return l.want(':')
}
