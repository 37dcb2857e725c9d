package dump

import (
	"math"
	"strconv"
)

// float prints a floating-point number of 32 or 64 bits.
func (p *printer) float(f float64, bits int) {
	switch {
	case math.IsNaN(f):
		p.buf = append(p.buf, "nan"...)
	case math.IsInf(f, 1):
		p.buf = append(p.buf, "inf"...)
	case math.IsInf(f, -1):
		p.buf = append(p.buf, "-inf"...)
	case !p.o.Compatible:
		p.buf = strconv.AppendFloat(p.buf, f, 'g', -1, bits)
	case f == 0:
		p.buf = append(p.buf, '0') // without a sign
	case bits == 32:
		p.buf = appendDigits(p.buf, f, 9)
	default:
		p.buf = appendDigits(p.buf, f, 17)
	}
}

// appendDigits prints as dcmdump does, which is nearly the letter g of C's printf: digits
// come from multiplying the fraction by ten again and again, each time rounded to a
// float64, and zeros that begin the fraction count as no digits.
func appendDigits(dst []byte, f float64, digits int) []byte {
	whole, fraction := math.Modf(math.Abs(f))
	if fraction == 0 || whole >= 1e15 {
		return strconv.AppendFloat(dst, f, 'g', digits, 64)
	}
	if f < 0 {
		dst = append(dst, '-')
	}
	d := decimal{fraction: fraction}
	d.text = append(d.place[:1], "0"...) // in front, a place for a carry
	if whole == 0 && fraction < 0.0001 {
		return d.scientific(dst, digits)
	}
	if whole > 0 {
		d.text = strconv.AppendInt(d.place[:1], int64(whole), 10)
		digits -= len(d.text) - 1
	}
	point := len(d.text)
	d.generate(digits)
	d.round()
	return d.append(dst, point)
}

// decimal is a number being turned into digits, from the second byte of text on.
type decimal struct {
	place    [400]byte
	text     []byte
	fraction float64
}

// generate appends digits of the fraction, none of which counts before one is not zero.
func (d *decimal) generate(digits int) {
	for leading := true; digits > 0 && d.fraction != 0; {
		n := d.next()
		d.text = append(d.text, '0'+n)
		leading = leading && n == 0
		if !leading {
			digits--
		}
	}
}

func (d *decimal) next() byte {
	whole, rest := math.Modf(d.fraction * 10)
	d.fraction = rest
	return byte(whole)
}

// round adds what is left of the fraction to the last digit.
func (d *decimal) round() {
	if d.next() < 5 {
		return
	}
	for i := len(d.text) - 1; ; i-- {
		if i == 0 || d.text[i] != '9' {
			d.text[i]++
			return
		}
		d.text[i] = '0'
	}
}

// append prints the digits with a decimal point in front of d.text[point].
func (d *decimal) append(dst []byte, point int) []byte {
	if d.text[0] != 0 {
		dst = append(dst, '1')
	}
	end := len(d.text)
	for end > point && d.text[end-1] == '0' {
		end--
	}
	dst = append(dst, d.text[1:point]...)
	if end == point {
		return dst
	}
	dst = append(dst, '.')
	return append(dst, d.text[point:end]...)
}

// scientific prints a fraction with an exponent.
func (d *decimal) scientific(dst []byte, digits int) []byte {
	exponent := -1
	n := d.next()
	for ; n == 0; n = d.next() {
		exponent--
	}
	d.text = append(d.place[:1], '0'+n)
	for ; digits > 1 && d.fraction != 0; digits-- {
		d.text = append(d.text, '0'+d.next())
	}
	d.round()
	if d.text[0] != 0 {
		d.text[1] = '1'
		d.text, exponent = d.text[:2], exponent+1
		d.text[0] = 0
	}
	dst = d.append(dst, 2)
	dst = append(dst, 'e', '-')
	if exponent > -10 {
		dst = append(dst, '0')
	}
	return strconv.AppendInt(dst, int64(-exponent), 10)
}
