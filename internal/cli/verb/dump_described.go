package verb

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"gantry/dicom"
	"gantry/dicom/part10"
)

// mostListed is how many numbers of a value dcm_dump prints; of binary ones none.
const mostListed = 16

// describedText prints a file as dcm_dump does: (GGGG,EEEE) VR Keyword [value].
func describedText(w io.Writer, f *part10.File, o *Dump) {
	t := describedDump{w, o}
	fmt.Fprintf(w, "# Transfer Syntax: %s (%s)\n", f.Syntax.Name(), f.Syntax)
	if !o.Print.NoMeta {
		t.dataSet(f.Meta, 0)
	}
	t.dataSet(f.DataSet, 0)
}

type describedDump struct {
	w io.Writer
	o *Dump
}

func (t describedDump) dataSet(ds *dicom.DataSet, level int) {
	for e := range ds.All() {
		if p := &t.o.Print; p.Skip != nil && p.Skip(e) || len(p.Tags) > 0 && level == 0 && !slices.Contains(p.Tags, e.Tag) {
			continue
		}
		fmt.Fprintf(t.w, "%s(%04X,%04X) %v %s [%s]\n", strings.Repeat("  ", level), e.Tag.Group(), e.Tag.Element(), e.VR, keyword(e.Tag), describedValue(e))
		if e.IsSequence() && (t.o.Print.Depth == 0 || level+1 < t.o.Print.Depth) {
			t.items(e, level+1)
		}
	}
}

func (t describedDump) items(e dicom.Element, level int) {
	for i := range e.ItemCount() {
		fmt.Fprintf(t.w, "%sItem %d\n", strings.Repeat("  ", level), i+1)
		t.dataSet(e.Item(i), level+1)
	}
}

// describedValue is a value on one line; what would fill many is told by its size.
func describedValue(e dicom.Element) string {
	switch {
	case e.IsSequence():
		return fmt.Sprintf("%d item(s)", e.ItemCount())
	case e.IsEncapsulated():
		return fmt.Sprintf("%d fragment(s)", e.ItemCount())
	case e.VR.IsText():
		return strings.Map(printableRune, strings.Join(e.Texts(), `\`))
	case e.VR.Width() > 1 && e.Count() <= mostListed:
		return strings.Join(e.Texts(), `\`)
	}
	return fmt.Sprintf("%d bytes", e.Len())
}

// printableRune keeps a value on its line, and off the terminal's controls.
func printableRune(r rune) rune {
	if r < ' ' || r >= 0x7F && r < 0xA0 {
		return '.'
	}
	return r
}
