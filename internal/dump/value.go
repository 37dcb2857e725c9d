package dump

import (
	"bytes"
	"encoding/binary"
	"io"
	"math"
	"strconv"
	"unicode/utf8"

	"gantry/dicom"
	"gantry/dicom/tag"
	"gantry/dicom/uid"
	"gantry/dicom/vr"
)

const pieceSize = 32 << 10 // of a bulk value read at a time; a multiple of every width

// value prints a value and returns its multiplicity.
func (p *printer) value(e dicom.Element) int64 {
	n := e.Len()
	if p.o.MostLoaded > 0 && n > p.o.MostLoaded {
		p.buf = append(p.buf, "(not loaded)"...)
		return 1
	}
	width := numberWidth(e.VR)
	if n < width {
		p.buf = append(p.buf, "(no value available)"...)
		if counts(e.VR) {
			return 0
		}
		return 1
	}
	switch {
	case e.VR.IsText():
		return p.textValue(e)
	case e.VR == vr.OB, e.VR == vr.UN, !e.VR.Known():
		p.bytes(e, n)
		return 1
	case e.VR == vr.OW:
		p.words(e, n/2)
		return 1
	}
	if e.VR == vr.AT {
		p.tags(e, n/width)
		return n / width
	}
	p.numbers(e, n/width, width)
	if counts(e.VR) {
		return n / width
	}
	return 1
}

// counts reports whether the multiplicity follows from the length (PS3.5 6.4).
func counts(v vr.VR) bool {
	switch v {
	case vr.OB, vr.OW, vr.OF, vr.OD, vr.OL, vr.OV, vr.UN:
		return false
	}
	return v.Known()
}

// numberWidth is how many bytes a number has, a tag being one.
func numberWidth(v vr.VR) int64 {
	if v == vr.AT {
		return 4
	}
	return int64(v.Width())
}

// pieceAt returns the value from off on: all that is in memory, or a piece of a bulk one,
// no more than most bytes.
func (p *printer) pieceAt(e dicom.Element, off, most int64) []byte {
	bulk, ok := e.Bulk()
	if !ok {
		b := e.Bytes()[off:]
		return b[:min(int64(len(b)), most)]
	}
	if p.piece == nil {
		p.piece = make([]byte, pieceSize)
	}
	n := min(pieceSize, most, bulk.Size()-off)
	got, err := bulk.ReadAt(p.piece[:n], off)
	if int64(got) < n {
		if err == io.EOF || err == nil {
			err = io.ErrUnexpectedEOF
		}
		p.fail(e.Tag, err)
		return nil
	}
	return p.piece[:n]
}

// shown is how many of n equal parts of a value are printed, where each takes width
// columns with the sign that parts it from the next.
func (p *printer) shown(n, width int64) (most int64, cut bool) {
	if p.o.Long || n*width-1 <= lineWidth {
		return n, false
	}
	return (lineWidth - 3 + 1) / width, true
}

// bytes prints a value as bytes.
func (p *printer) bytes(e dicom.Element, n int64) {
	most, cut := p.shown(n, 3)
	for off := int64(0); off < most && p.err == nil; {
		b := p.pieceAt(e, off, most-off)
		off += int64(len(b))
		p.hexBytes(b, off == most)
	}
	p.ellipsis(cut)
}

func (p *printer) ellipsis(cut bool) {
	if cut {
		p.buf = append(p.buf, "..."...)
	}
}

// hexBytes prints bytes with a backslash behind each but the last of a value.
func (p *printer) hexBytes(b []byte, last bool) {
	for len(b) > 0 {
		n := min(len(b), flushAt/4)
		for _, c := range b[:n] {
			p.buf = append(p.buf, hexDigits[c>>4], hexDigits[c&15], '\\')
		}
		b = b[n:]
		p.flushFull(last && len(b) == 0)
	}
}

// flushFull drops the backslash behind a last part and writes what is too much to keep.
func (p *printer) flushFull(last bool) {
	if last {
		p.buf = p.buf[:len(p.buf)-1]
	}
	if len(p.buf) >= flushAt {
		p.flush()
	}
}

// words prints a value as 16-bit words.
func (p *printer) words(e dicom.Element, n int64) {
	most, cut := p.shown(n, 5)
	order := orderOf(e)
	for off := int64(0); off < most && p.err == nil; {
		b := p.pieceAt(e, 2*off, 2*(most-off))
		off += int64(len(b) / 2)
		p.hexWords(b, order, off == most)
	}
	p.ellipsis(cut)
}

func (p *printer) hexWords(b []byte, order binary.ByteOrder, last bool) {
	for len(b) > 0 {
		n := min(len(b), flushAt/4)
		for i := 0; i+1 < n; i += 2 {
			w := order.Uint16(b[i:])
			p.buf = append(p.buf, hexDigits[w>>12], hexDigits[w>>8&15], hexDigits[w>>4&15], hexDigits[w&15], '\\')
		}
		b = b[n:]
		p.flushFull(last && len(b) == 0)
	}
}

func orderOf(e dicom.Element) binary.ByteOrder {
	if e.BigEndian() {
		return binary.BigEndian
	}
	return binary.LittleEndian
}

// tags prints a value as tags.
func (p *printer) tags(e dicom.Element, n int64) {
	most, cut := p.shown(n, 12)
	order := orderOf(e)
	for i := int64(0); i < most && p.err == nil; {
		for b := p.pieceAt(e, 4*i, 4*(most-i)); len(b) >= 4; b = b[4:] {
			i++
			p.hexTag(tag.New(order.Uint16(b), order.Uint16(b[2:])))
			p.buf = append(p.buf, '\\')
			p.flushFull(i == most)
		}
	}
	p.ellipsis(cut)
}

// numbers prints binary numbers in decimal, as many as fit.
func (p *printer) numbers(e dicom.Element, n, width int64) {
	order := orderOf(e)
	for i := int64(0); i < n && p.err == nil; {
		b := p.pieceAt(e, i*width, (n-i)*width)
		for ; len(b) >= int(width); b = b[width:] {
			i++
			if !p.numberFits(e.VR, b[:width], order, i == 1, i == n) {
				return
			}
		}
	}
}

// numberFits prints one number, or three dots if the line gets too long.
func (p *printer) numberFits(v vr.VR, b []byte, order binary.ByteOrder, first, last bool) bool {
	at := len(p.buf)
	if !first {
		p.buf = append(p.buf, '\\')
	}
	p.appendNumber(v, b, order)
	if p.o.Long {
		p.flushFull(false)
		return true
	}
	if n := p.printed(); n <= lineWidth && (last || n+3 <= lineWidth) {
		return true
	}
	p.buf = p.buf[:at]
	if !last {
		p.buf = append(p.buf, "..."...)
	}
	return false
}

func (p *printer) appendNumber(v vr.VR, b []byte, order binary.ByteOrder) {
	switch v {
	case vr.SS:
		p.buf = strconv.AppendInt(p.buf, int64(int16(order.Uint16(b))), 10)
	case vr.US:
		p.buf = strconv.AppendUint(p.buf, uint64(order.Uint16(b)), 10)
	case vr.SL:
		p.buf = strconv.AppendInt(p.buf, int64(int32(order.Uint32(b))), 10)
	case vr.UL, vr.OL:
		p.buf = strconv.AppendUint(p.buf, uint64(order.Uint32(b)), 10)
	case vr.SV:
		p.buf = strconv.AppendInt(p.buf, int64(order.Uint64(b)), 10)
	case vr.UV, vr.OV:
		p.buf = strconv.AppendUint(p.buf, order.Uint64(b), 10)
	case vr.FL, vr.OF:
		p.float(float64(math.Float32frombits(order.Uint32(b))), 32)
	case vr.FD, vr.OD:
		p.float(math.Float64frombits(order.Uint64(b)), 64)
	}
}

// textValue prints a text value in brackets, or the name of a UID, and returns its
// multiplicity.
func (p *printer) textValue(e dicom.Element) int64 {
	n := e.Len()
	if n <= pieceSize {
		return p.shortText(e, p.trim(p.pieceAt(e, 0, n), e.VR))
	}
	return p.longText(e, n)
}

// shortText prints a value that is in memory as a whole.
func (p *printer) shortText(e dicom.Element, b []byte) int64 {
	if e.VR == vr.UI {
		if name := p.uidName(uid.UID(b)); name != "" {
			p.buf = append(p.buf, '=')
			p.buf = append(p.buf, name...)
			return 1
		}
	}
	if len(b) == 0 {
		p.buf = append(p.buf, "(no value available)"...)
		return 0
	}
	p.buf = append(p.buf, '[')
	at := len(p.buf)
	vm := 1 + p.text(e, b)
	p.buf = append(p.buf, ']')
	p.shorten(at)
	return vm
}

// shorten cuts a text that begins at at and is longer than a line.
func (p *printer) shorten(at int) {
	if p.o.Long || len(p.buf)-at-1 <= lineWidth-2 {
		return
	}
	end := at + lineWidth - 4
	for !p.o.Compatible && end > at && !utf8.RuneStart(p.buf[end]) {
		end--
	}
	p.buf = append(p.buf[:end], "..."...)
}

// longText prints a value piece by piece.
func (p *printer) longText(e dicom.Element, n int64) int64 {
	p.buf = append(p.buf, '[')
	at := len(p.buf)
	vm := int64(1)
	for off := int64(0); off < n && p.err == nil; {
		b := p.pieceAt(e, off, pieceSize)
		if off+int64(len(b)) < n {
			b = b[:lineEnd(b)]
		} else {
			b = p.trim(b, e.VR)
			n = 0
		}
		off += int64(len(b))
		if !e.VR.IsSingle() {
			vm += int64(bytes.Count(b, []byte{'\\'}))
		}
		if p.o.Long || off == int64(len(b)) {
			p.text(e, b)
			p.shorten(at)
		}
		if p.o.Long {
			p.flushFull(false)
		} else if e.VR.IsSingle() {
			return vm
		}
	}
	if p.o.Long {
		p.buf = append(p.buf, ']')
	}
	return vm
}

// lineEnd is where a piece of a longer text is cut: behind a line if it has one, because
// character sets begin anew there (PS3.5 6.1.2.5.3).
func lineEnd(b []byte) int {
	if i := bytes.LastIndexByte(b, '\n'); i >= 0 {
		return i + 1
	}
	for i := len(b); i > len(b)-utf8.UTFMax && i > 1; i-- {
		if b[i-1] < 0x80 {
			return i
		}
	}
	return len(b)
}

// trim drops the padding; dcmdump knows one kind of it only, by VR (PS3.5 6.2).
func (p *printer) trim(b []byte, v vr.VR) []byte {
	pad := v.Pad()
	for len(b) > 0 && (b[len(b)-1] == pad || b[len(b)-1]|' ' == ' ' && (v == vr.UI || !p.o.Compatible)) {
		b = b[:len(b)-1]
	}
	return b
}

// text prints text that may need decoding, and returns how many signs in it part values.
func (p *printer) text(e dicom.Element, b []byte) int64 {
	if p.o.Compatible || printable(b) {
		p.buf = append(p.buf, b...)
		if e.VR.IsSingle() {
			return 0
		}
		return int64(bytes.Count(b, []byte{'\\'}))
	}
	n := int64(0)
	for _, r := range e.DecodeText(b) {
		if r == '\\' && !e.VR.IsSingle() {
			n++
		}
		p.char(r)
	}
	return n
}

func printable(b []byte) bool {
	for _, c := range b {
		if c < ' ' || c > '~' {
			return false
		}
	}
	return true
}

// char prints a character, escaped if it could mislead who reads.
func (p *printer) char(r rune) {
	switch {
	case strconv.IsPrint(r):
		p.buf = utf8.AppendRune(p.buf, r)
	case r < 0x100:
		p.buf = append(p.buf, '\\', 'x', hexDigits[r>>4], hexDigits[r&15])
	default:
		q := strconv.AppendQuoteRuneToASCII(nil, r)
		p.buf = append(p.buf, q[1:len(q)-1]...)
	}
}
