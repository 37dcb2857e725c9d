package dcmjson

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"gantry/dicom"
	"gantry/dicom/dcmjson/model"
	"gantry/dicom/vr"
)

// text writes the values of a text element (PS3.18 F.2.3, F.2.4). Padding alone is no value.
func (e *encoder) text(el dicom.Element) {
	b, ok := model.Plain(el)
	var values []string
	if !ok {
		values = el.Texts()
	}
	if len(values) <= 1 && strings.Join(values, "") == "" && len(model.Trim(b, el.VR)) == 0 {
		return
	}
	e.member("Value")
	e.open('[')
	first := true
	if ok {
		e.plain(b, el.VR, &first)
	}
	for _, s := range values {
		e.next(&first)
		e.value(el.VR, s)
		e.out.Full()
	}
	e.close(']', first)
}

// plain writes ASCII values.
func (e *encoder) plain(b []byte, v vr.VR, first *bool) {
	for more := true; more; {
		one := b
		if more = false; !v.IsSingle() {
			one, b, more = bytes.Cut(b, []byte{'\\'})
		}
		one = model.Trim(one, v)
		e.next(first)
		switch {
		case len(one) == 0:
			e.out.Write("null")
		case v == vr.PN || v == vr.DS || v == vr.IS || bytes.IndexByte(one, '\\') >= 0 || bytes.IndexByte(one, 0) >= 0:
			e.value(v, string(one))
		default:
			e.out.Buf = append(e.out.Buf, '"')
			e.out.Buf = append(e.out.Buf, one...)
			e.out.Buf = append(e.out.Buf, '"')
		}
	}
}

// value writes one value; an empty one is null (PS3.18 F.2.5).
func (e *encoder) value(v vr.VR, s string) {
	switch {
	case s == "":
		e.out.Write("null")
	case v == vr.PN:
		e.name3(s)
	case v == vr.DS || v == vr.IS:
		e.decimal(s)
	default:
		e.quote(s)
	}
}

var groups = [...]string{"Alphabetic", "Ideographic", "Phonetic"}

// name3 writes a person name by its component groups (PS3.5 6.2.1).
func (e *encoder) name3(s string) {
	e.open('{')
	first := true
	for i, part := range strings.SplitN(s, "=", len(groups)) {
		if part == "" {
			continue
		}
		e.next(&first)
		e.out.Buf = append(e.out.Buf, '"')
		e.out.Write(groups[i])
		e.out.Buf = append(e.out.Buf, '"', ':')
		e.space()
		e.quote(part)
	}
	e.close('}', first)
}

// decimal writes a decimal string as a number, as it stands but for signs and zeros that
// JSON does not have; what is no number as a string (PS3.18 F.2.3).
func (e *encoder) decimal(s string) {
	if n, ok := jsonNumber(s); ok {
		e.out.Write(n)
		return
	}
	e.quote(s)
}

// jsonNumber spells a decimal string as RFC 8259 chapter 6 wants numbers.
func jsonNumber(s string) (string, bool) {
	if isJSONNumber(s) {
		return s, true
	}
	sign := ""
	rest, negative := strings.CutPrefix(s, "-")
	if negative {
		sign = "-"
	} else {
		rest = strings.TrimPrefix(rest, "+")
	}
	mantissa, exponent := rest, ""
	if i := strings.IndexAny(rest, "eE"); i >= 0 {
		mantissa, exponent = rest[:i], rest[i:]
	}
	whole, fraction, point := strings.Cut(mantissa, ".")
	if whole+fraction == "" {
		return "", false
	}
	if whole = strings.TrimLeft(whole, "0"); whole == "" {
		whole = "0"
	}
	if s = sign + whole; point && fraction != "" {
		s += "." + fraction
	}
	s += exponent
	return s, isJSONNumber(s)
}

func isJSONNumber(s string) bool {
	s = strings.TrimPrefix(s, "-")
	n := digits(s)
	if n == 0 || n > 1 && s[0] == '0' {
		return false
	}
	if s = s[n:]; s != "" && s[0] == '.' {
		if n = digits(s[1:]); n == 0 {
			return false
		}
		s = s[1+n:]
	}
	if s == "" {
		return true
	}
	if s[0] != 'e' && s[0] != 'E' {
		return false
	}
	if s = s[1:]; s != "" && (s[0] == '+' || s[0] == '-') {
		s = s[1:]
	}
	return s != "" && digits(s) == len(s)
}

func digits(s string) int {
	n := 0
	for n < len(s) && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	return n
}

const lowerHex = "0123456789abcdef"

// quote writes a string (RFC 8259 chapter 7). What is no UTF-8 becomes U+FFFD.
func (e *encoder) quote(s string) {
	b := append(e.out.Buf, '"')
	from := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' && c < utf8.RuneSelf {
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		if c >= utf8.RuneSelf && (r != utf8.RuneError || n > 1) {
			i += n
			continue
		}
		b = append(b, s[from:i]...)
		b = escaped(b, c)
		i++
		from = i
	}
	b = append(b, s[from:]...)
	e.out.Buf = append(b, '"')
}

func escaped(b []byte, c byte) []byte {
	switch {
	case c >= utf8.RuneSelf:
		return append(b, "\uFFFD"...)
	case c == '"' || c == '\\':
		return append(b, '\\', c)
	case c == '\n':
		return append(b, '\\', 'n')
	case c == '\r':
		return append(b, '\\', 'r')
	case c == '\t':
		return append(b, '\\', 't')
	}
	return append(b, '\\', 'u', '0', '0', lowerHex[c>>4], lowerHex[c&15])
}
