// Package dump prints DICOM files as text, line by line in the form of DCMTK's dcmdump,
// which is what people and scripts are used to.
package dump

import (
	"fmt"
	"io"
	"strconv"
	"sync"

	"gantry/dicom"
	"gantry/dicom/part10"
	"gantry/dicom/tag"
	"gantry/dicom/uid"
	"gantry/dicom/vr"
)

// Options says what is printed, and how. The zero value prints everything, long values
// shortened, text in UTF-8.
type Options struct {
	// Long prints values whole that are longer than a line.
	Long bool
	// NoMeta leaves the file meta information out (PS3.10 7.1).
	NoMeta bool
	// Tags prints only elements with one of these tags, wherever in the tree they stand
	// and with all that is in them. Empty prints all.
	Tags []tag.Tag
	// Compatible prints values and names exactly as dcmdump does: text byte by byte as it
	// stands in the file, floating-point numbers by its arithmetic, its own names of UIDs.
	// Otherwise text is decoded by its character set, what would disturb a terminal is
	// escaped, numbers have the fewest digits that tell them apart, and names are the
	// standard's keywords.
	Compatible bool
	// NumericUIDs prints UIDs as they are, not their names.
	NumericUIDs bool
	// First prints only the first of the elements that Tags names; Prepend prints the
	// sequences that they stand in before them.
	First, Prepend bool
	// MostLoaded is the most bytes of a value that is printed, zero for any.
	MostLoaded int64
	// Depth is how many levels of sequences are printed, zero for all.
	Depth int
	// Skip leaves elements out, with all that is in them. Nil leaves none.
	Skip func(dicom.Element) bool
}

const (
	valueWidth = 40       // column of the comment behind a value
	lineWidth  = 70       // what shortened values are cut to
	flushAt    = 32 << 10 // bytes kept before they are written
)

// Text prints a file. Bulk values are read only as far as they are printed, a piece at a
// time, so that memory does not grow with them. Errors are those of w and of reading f.
func Text(w io.Writer, f *part10.File, o Options) error {
	p := newPrinter(w, o)
	defer p.free()
	p.file(f)
	p.flush()
	return p.err
}

// DataSet prints a data set without the lines that head a file. Its items are indented
// by level, counted from 0.
func DataSet(w io.Writer, ds *dicom.DataSet, level int, o Options) error {
	p := newPrinter(w, o)
	defer p.free()
	p.level = level
	p.dataSet(ds)
	p.flush()
	return p.err
}

// printer collects lines and writes many at a time. The first error ends its work.
type printer struct {
	w     io.Writer
	o     Options
	buf   []byte
	piece []byte // of a bulk value
	level int
	all   int  // nested elements that Options.Tags named
	found bool // Options.First is satisfied
	path  []tag.Tag
	start int64 // of the line's value, in bytes from the start of buf
	err   error

	creator creator
	names   *nameCache
	base    int64 // where in the file the data set begins
}

// printers keeps buffers and names from one file for the next.
var printers sync.Pool

func newPrinter(w io.Writer, o Options) *printer {
	p, ok := printers.Get().(*printer)
	if !ok {
		p = &printer{buf: make([]byte, 0, flushAt+4096), names: new(nameCache)}
	}
	if p.o.Compatible != o.Compatible {
		*p.names = nameCache{}
	}
	p.w, p.o = w, o
	return p
}

// free gives a printer back, without anything of what it printed but names.
func (p *printer) free() {
	*p = printer{buf: p.buf[:0], piece: p.piece, names: p.names, o: Options{Compatible: p.o.Compatible}}
	printers.Put(p)
}

// flush writes what was collected.
func (p *printer) flush() {
	if p.err == nil && len(p.buf) > 0 {
		_, p.err = p.w.Write(p.buf)
	}
	p.start -= int64(len(p.buf))
	p.buf = p.buf[:0]
}

func (p *printer) fail(t tag.Tag, err error) {
	if p.err == nil {
		p.err = fmt.Errorf("%v: %w", t, err)
	}
}

func (p *printer) file(f *part10.File) {
	p.base = f.DataSetOffset
	if len(p.o.Tags) == 0 {
		p.heads(f)
		return
	}
	if !p.o.NoMeta {
		p.dataSet(f.Meta)
	}
	p.dataSet(f.DataSet)
}

// heads prints a whole file, with a heading over each part.
func (p *printer) heads(f *part10.File) {
	if !p.o.NoMeta {
		p.buf = append(p.buf, "\n# Dicom-File-Format\n\n# Dicom-Meta-Information-Header\n"...)
		title := "Unknown Transfer Syntax"
		if f.Meta.Len() > 0 {
			title = p.syntaxTitle(uid.ExplicitVRLittleEndian) // PS3.10 7.1
		}
		p.syntax(title)
		p.dataSet(f.Meta)
	}
	p.buf = append(p.buf, "\n# Dicom-Data-Set\n"...)
	p.syntax(p.syntaxTitle(f.Syntax))
	p.dataSet(f.DataSet)
}

func (p *printer) syntax(title string) {
	p.buf = append(p.buf, "# Used TransferSyntax: "...)
	p.buf = append(p.buf, title...)
	p.buf = append(p.buf, '\n')
}

func (p *printer) dataSet(ds *dicom.DataSet) {
	was := p.creator
	p.creator = creator{}
	for e := range ds.All() {
		if p.err != nil {
			break
		}
		if e.Tag.IsPrivateCreator() {
			p.reserve(e)
		}
		p.element(ds, e)
	}
	p.creator = was
}

// wanted reports whether Options.Tags leaves the element in.
func (p *printer) wanted(t tag.Tag) bool {
	if len(p.o.Tags) == 0 || p.all > 0 {
		return true
	}
	if p.found {
		return false
	}
	for _, w := range p.o.Tags {
		if w == t {
			p.found = p.o.First
			return true
		}
	}
	return false
}

// prepend prints the sequences that a wanted element stands in.
func (p *printer) prepend() {
	if !p.o.Prepend || p.all > 0 {
		return
	}
	for _, t := range p.path {
		p.hexTag(t)
		p.buf = append(p.buf, '.')
	}
}

// element prints one element and all that is in it.
func (p *printer) element(ds *dicom.DataSet, e dicom.Element) {
	if p.o.Skip != nil && p.o.Skip(e) {
		return
	}
	if !p.wanted(e.Tag) {
		p.search(e)
		return
	}
	p.prepend()
	p.all++
	switch {
	case e.IsSequence():
		p.sequence(ds, e)
	case e.IsEncapsulated():
		p.fragments(e)
	default:
		p.leaf(ds, e)
	}
	p.all--
}

// search looks for wanted elements inside one that is not.
func (p *printer) search(e dicom.Element) {
	if p.found {
		return
	}
	p.path = append(p.path, e.Tag)
	for i := range e.ItemCount() {
		p.dataSet(e.Item(i))
	}
	p.path = p.path[:len(p.path)-1]
}

func (p *printer) leaf(ds *dicom.DataSet, e dicom.Element) {
	p.begin(e.Tag, codeOf(e))
	vm := p.value(e)
	p.end(p.length(e), vm)
	p.name(ds, e.Tag)
	p.newline()
}

// length is the length field of a value; dcmdump pads odd ones as it reads them.
func (p *printer) length(e dicom.Element) uint32 {
	n := e.LengthField()
	if p.o.Compatible {
		n += n & 1
	}
	return n
}

// begin starts a line: indent, tag and VR.
func (p *printer) begin(t tag.Tag, c code) {
	p.indent()
	b := [16]byte{11: ' ', 12: c[0], 13: c[1], 14: ' '}
	putTag(&b, t)
	p.buf = append(p.buf, b[:15]...)
	p.start = int64(len(p.buf))
}

func (p *printer) indent() {
	for range p.level {
		p.buf = append(p.buf, ' ', ' ')
	}
}

const blanks = "                                        " // valueWidth

const hexDigits = "0123456789abcdef"

func (p *printer) hexTag(t tag.Tag) {
	var b [16]byte
	putTag(&b, t)
	p.buf = append(p.buf, b[:11]...)
}

func putTag(b *[16]byte, t tag.Tag) {
	b[0], b[5], b[10] = '(', ',', ')'
	b[1], b[2], b[3], b[4] = hexDigits[t>>28], hexDigits[t>>24&15], hexDigits[t>>20&15], hexDigits[t>>16&15]
	b[6], b[7], b[8], b[9] = hexDigits[t>>12&15], hexDigits[t>>8&15], hexDigits[t>>4&15], hexDigits[t&15]
}

// printed is how many bytes of the value the line has.
func (p *printer) printed() int64 { return int64(len(p.buf)) - p.start }

// end closes the value's column and prints length and multiplicity, which the name
// follows.
func (p *printer) end(length uint32, vm int64) {
	b := p.buf
	if n := p.printed(); n < valueWidth {
		b = append(b, blanks[:valueWidth-n]...)
	}
	if length == dicom.UndefinedLength {
		b = append(b, " # u/l,"...)
	} else {
		b = append(rightAligned(append(b, " # "...), uint64(length), 3), ',')
	}
	p.buf = append(rightAligned(b, uint64(vm), 2), ' ')
}

// rightAligned appends v, with blanks before it.
func rightAligned(b []byte, v uint64, width int) []byte {
	if v < 10 {
		b = append(b, "  "[:width-1]...)
		return append(b, '0'+byte(v))
	}
	for n := uint64(10); width > 1; width, n = width-1, n*10 {
		if v < n {
			b = append(b, ' ')
		}
	}
	return strconv.AppendUint(b, v, 10)
}

func (p *printer) newline() {
	p.buf = append(p.buf, '\n')
	if len(p.buf) >= flushAt {
		p.flush()
	}
}

// line prints one without a value of its own.
func (p *printer) line(t tag.Tag, c code, text string, length uint32, vm int64, name string) {
	p.begin(t, c)
	p.buf = append(p.buf, text...)
	p.end(length, vm)
	p.buf = append(p.buf, name...)
	p.newline()
}

// code is what stands in the VR's column.
type code [2]byte

// codeOf tells offsets of directory records apart from other numbers, and VRs that the
// standard has from others.
func codeOf(e dicom.Element) code {
	switch {
	case e.IsSequence():
		return code{'S', 'Q'}
	case !e.VR.Known(), e.VR == vr.UN && e.Implicit():
		return code{'?', '?'}
	}
	switch e.Tag {
	case 0x00041200, 0x00041202, 0x00041400, 0x00041420, 0x00041504:
		if e.VR == vr.UL {
			return code{'u', 'p'}
		}
	}
	return code{byte(e.VR >> 8), byte(e.VR)}
}
