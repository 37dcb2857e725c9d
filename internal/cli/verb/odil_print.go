package verb

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"gantry/dicom"
	"gantry/dicom/dict"
	"gantry/dicom/part10"
	"gantry/dicom/tag"
	"gantry/dicom/uid"
	"gantry/dicom/vr"
)

// Print prints data sets as odil does: a line for each element with its name, tag, VR and
// values, the values as Python writes lists.
type Print struct {
	Common
	Files      []string
	Header     bool // the file meta information too
	DecodeUIDs bool // names in place of the UIDs that have one
}

// Run prints the files; the first that cannot be read ends it.
func (o *Print) Run(ctx context.Context, s *Stdio) error {
	w := bufio.NewWriter(s.Out)
	defer w.Flush()
	for _, name := range o.Files {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		o.says(s, Verbose, "Printing %s", name)
		if err := o.print(w, name); err != nil {
			return Fail(NoInput, "%w", err)
		}
	}
	if err := w.Flush(); err != nil {
		return Fail(Output, "%w", err)
	}
	return nil
}

func (o *Print) print(w io.Writer, name string) error {
	f, err := part10.Open(name, dicom.DecodeOptions{})
	if err != nil {
		return err
	}
	defer f.Close()
	p := odilPrinter{w: w, names: o.DecodeUIDs, width: nameWidth(f.DataSet, 0)}
	if o.Header {
		p.width = max(p.width, nameWidth(f.Meta, 0))
		p.print(f.Meta, "")
		fmt.Fprintln(w)
	}
	p.print(f.DataSet, "")
	return nil
}

// odilPrinter prints data sets with a column of names.
type odilPrinter struct {
	w     io.Writer
	names bool
	width int
}

// nameWidth is the room that the longest name needs, with what it is indented by.
func nameWidth(ds *dicom.DataSet, indent int) int {
	width := 0
	for e := range ds.All() {
		if skipped(e) {
			continue
		}
		width = max(width, indent+utf8.RuneCountInString(odilName(e.Tag)))
		for i := range e.ItemCount() {
			width = max(width, nameWidth(e.Item(i), indent+2))
		}
	}
	return width
}

// skipped tells what odil leaves out: group lengths.
func skipped(e dicom.Element) bool { return e.Tag.IsGroupLength() }

func odilName(t tag.Tag) string {
	repeating := t.Group()&0xFF00 == 0x5000 || t.Group()&0xFF00 == 0x6000 // it has no names for these
	if e, ok := dict.Lookup(t); ok && !t.IsPrivate() && !repeating {
		return e.Name
	}
	return fmt.Sprintf("%04x,%04x", t.Group(), t.Element())
}

func (p *odilPrinter) print(ds *dicom.DataSet, indent string) {
	for e := range ds.All() {
		if skipped(e) {
			continue
		}
		fmt.Fprintf(p.w, "%s%-*s %04x,%04x %v %s\n", indent, max(0, p.width-len(indent)), odilName(e.Tag), e.Tag.Group(), e.Tag.Element(), odilVR(e), p.value(e))
		for i := range e.ItemCount() {
			if i > 0 {
				fmt.Fprintln(p.w)
			}
			p.print(e.Item(i), indent+"  ")
		}
	}
}

// odilVR is UN for a private element without a VR: odil does not know private creators.
func odilVR(e dicom.Element) vr.VR {
	if e.Implicit() && e.Tag.IsPrivate() && !e.IsSequence() {
		return vr.UN
	}
	return e.VR
}

func (p *odilPrinter) value(e dicom.Element) string {
	switch {
	case e.IsSequence() || e.VR == vr.SQ:
		return fmt.Sprintf("(sequence, %d item%s)", e.ItemCount(), plural(int64(e.ItemCount())))
	case odilBinary(odilVR(e)) || e.IsEncapsulated():
		return binaryValue(e)
	}
	var values []string
	for i := range e.Count() {
		values = append(values, p.one(e, i))
	}
	if e.VR.IsText() && !odilNumber(e.VR) {
		values = values[:0]
		for _, s := range odilTexts(e) {
			values = append(values, quotedText(p.uidName(e.VR, s)))
		}
	}
	return "[" + strings.Join(values, ", ") + "]"
}

// odilTexts are values without the padding behind them; one that is nothing but blanks
// stays as it is.
func odilTexts(e dicom.Element) []string {
	if e.Empty() {
		return nil
	}
	values := []string{e.DecodeText(e.Bytes())}
	if e.VR != vr.LT && e.VR != vr.ST && e.VR != vr.UT && e.VR != vr.UR {
		values = strings.Split(values[0], `\`)
	}
	for i, s := range values {
		if trimmed := strings.TrimRight(s, " \x00"); trimmed != "" || e.VR == vr.UI {
			values[i] = trimmed
		}
	}
	return values
}

func plural(n int64) string {
	if n > 1 {
		return "s"
	}
	return ""
}

func odilBinary(v vr.VR) bool {
	switch v {
	case vr.OB, vr.OD, vr.OF, vr.OL, vr.OV, vr.OW, vr.UN:
		return true
	}
	return false
}

// odilNumber tells the VRs whose text is a number.
func odilNumber(v vr.VR) bool { return v == vr.DS || v == vr.IS }

// binaryValue counts bytes: of each fragment where there are any.
func binaryValue(e dicom.Element) string {
	var lengths []string
	sum := int64(0)
	add := func(n int64) {
		lengths = append(lengths, fmt.Sprint(n))
		sum += n
	}
	switch {
	case e.IsEncapsulated():
		for i := range e.FragmentCount() {
			add(e.Fragment(i).Len())
		}
	case e.Len() > 0:
		add(e.Len())
	}
	n := int64(len(lengths))
	return fmt.Sprintf("(binary, %d item%s, %s byte%s)", n, plural(n), strings.Join(lengths, "+"), plural(sum))
}

// one is a value that is no text.
func (p *odilPrinter) one(e dicom.Element, i int) string {
	switch e.VR {
	case vr.DS, vr.FL, vr.FD:
		if f, err := e.FloatAt(i); err == nil {
			return pythonFloat(f)
		}
	case vr.AT:
		if n, err := e.IntAt(i); err == nil {
			return fmt.Sprintf("'%08x'", n)
		}
	default:
		if n, err := e.IntAt(i); err == nil {
			return fmt.Sprint(n)
		}
	}
	texts := e.Texts()
	if i < len(texts) {
		return quotedText(texts[i]) // no number, although it should be
	}
	return "''"
}

func (p *odilPrinter) uidName(v vr.VR, s string) string {
	info, ok := uid.Lookup(uid.UID(s))
	switch {
	case !p.names || v != vr.UI || !ok:
		return s
	case info.Retired:
		return info.Name + " (Retired)"
	}
	return formerName(uid.UID(s), info.Name)
}

// formerName is the name of a transfer syntax as PS3.6 had it when odil took it.
func formerName(u uid.UID, name string) string {
	switch u {
	case uid.ImplicitVRLittleEndian:
		return "Implicit VR Little Endian: Default Transfer Syntax for DICOM"
	case uid.JPEGBaseline8Bit:
		return "JPEG Baseline (Process 1): Default Transfer Syntax for Lossy JPEG 8 Bit Image Compression"
	case uid.JPEGExtended12Bit:
		return "JPEG Extended (Process 2 & 4): Default Transfer Syntax for Lossy JPEG 12 Bit Image Compression (Process 4 only)"
	case uid.JPEGLosslessSV1:
		return name + ": Default Transfer Syntax for Lossless JPEG Image Compression"
	}
	return name
}

// pythonFloat is the shortest number that reads back the same, as Python prints it.
func pythonFloat(f float64) string {
	switch abs := math.Abs(f); {
	case math.IsNaN(f):
		return "nan"
	case math.IsInf(f, 0):
		return strings.ToLower(strings.TrimPrefix(strconv.FormatFloat(f, 'g', -1, 64), "+"))
	case abs != 0 && (abs < 1e-4 || abs >= 1e16):
		return strconv.FormatFloat(f, 'e', -1, 64)
	}
	s := strconv.FormatFloat(f, 'f', -1, 64)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}

// quotedText is a string as Python writes it.
func quotedText(s string) string {
	quote := '\''
	if strings.Contains(s, "'") && !strings.Contains(s, `"`) {
		quote = '"'
	}
	var b strings.Builder
	b.WriteRune(quote)
	for _, r := range s {
		switch {
		case r == quote || r == '\\':
			b.WriteRune('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case r == ' ' || unicode.IsGraphic(r) && !unicode.IsSpace(r):
			b.WriteRune(r)
		case r < 0x100:
			fmt.Fprintf(&b, `\x%02x`, r)
		case r < 0x10000:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			fmt.Fprintf(&b, `\U%08x`, r)
		}
	}
	b.WriteRune(quote)
	return b.String()
}

// odilAnswers prints answers when all are there: the column is as wide as any needs.
type odilAnswers struct {
	w       io.Writer
	names   bool
	answers []*dicom.DataSet
}

// maxOdilAnswers bounds what is held.
const maxOdilAnswers = 100_000

func (a *odilAnswers) answer(ds *dicom.DataSet) error {
	if len(a.answers) == maxOdilAnswers {
		return fmt.Errorf("more than %d answers: ask for less", maxOdilAnswers)
	}
	a.answers = append(a.answers, ds)
	return nil
}

func (a *odilAnswers) end() error {
	p := odilPrinter{w: a.w, names: a.names}
	for _, ds := range a.answers {
		p.width = max(p.width, nameWidth(ds, 0))
	}
	fmt.Fprintf(a.w, "%d answer%s\n", len(a.answers), plural(int64(len(a.answers))))
	for _, ds := range a.answers {
		p.print(ds, "")
		fmt.Fprintln(a.w)
	}
	return nil
}
