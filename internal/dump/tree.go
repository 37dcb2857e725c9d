package dump

import (
	"strconv"

	"gantry/dicom"
	"gantry/dicom/tag"
)

// sequence prints a sequence with its items.
func (p *printer) sequence(ds *dicom.DataSet, e dicom.Element) {
	p.begin(e.Tag, codeOf(e))
	p.counted("Sequence", e.LengthField(), e.ItemCount())
	p.end(e.LengthField(), 1)
	p.name(ds, e.Tag)
	p.newline()
	p.level++
	for i := range e.ItemCount() {
		if p.err != nil || p.o.Depth > 0 && (p.level+1)/2 > p.o.Depth {
			break
		}
		p.item(e, e.Item(i))
	}
	p.level--
	text := "(SequenceDelimitationItem for re-encod.)"
	if e.Undefined() {
		text = "(SequenceDelimitationItem)"
	}
	p.line(sequenceEnd, noVR, text, 0, 0, "SequenceDelimitationItem")
}

const (
	item        tag.Tag = 0xFFFEE000
	itemEnd     tag.Tag = 0xFFFEE00D
	sequenceEnd tag.Tag = 0xFFFEE0DD
)

var (
	noVR     = code{'n', 'a'}
	fragment = code{'p', 'i'}
)

func (p *printer) counted(what string, length uint32, n int) {
	p.buf = append(p.buf, '(')
	p.buf = append(p.buf, what...)
	if length == dicom.UndefinedLength {
		p.buf = append(p.buf, " with undefined length #="...)
	} else {
		p.buf = append(p.buf, " with explicit length #="...)
	}
	p.buf = strconv.AppendInt(p.buf, int64(n), 10)
	p.buf = append(p.buf, ')')
}

// item prints an item between its two lines.
func (p *printer) item(e dicom.Element, ds *dicom.DataSet) {
	length := ds.ItemLengthField()
	record := e.Tag == tag.DirectoryRecordSequence
	p.begin(item, noVR)
	if record {
		p.recordHead(ds)
	} else {
		p.counted("Item", length, ds.Len())
	}
	p.end(length, 1)
	p.buf = append(p.buf, "Item\n"...)
	if record {
		p.recordOffset(ds)
	}
	p.level++
	p.dataSet(ds)
	p.level--
	p.line(itemEnd, noVR, itemEndText(record, length), 0, 0, "ItemDelimitationItem")
}

func itemEndText(record bool, length uint32) string {
	switch {
	case record && length == dicom.UndefinedLength:
		return `"ItemDelimitationItem"`
	case record:
		return `"ItemDelimitationItem for re-encoding"`
	case length == dicom.UndefinedLength:
		return "(ItemDelimitationItem)"
	}
	return "(ItemDelimitationItem for re-encoding)"
}

// recordHead says what kind of directory record an item is (PS3.3 F.3).
func (p *printer) recordHead(ds *dicom.DataSet) {
	p.buf = append(p.buf, `"Directory Record" `...)
	p.buf = append(p.buf, ds.Text(tag.DirectoryRecordType)...)
	p.buf = append(p.buf, " #="...)
	p.buf = strconv.AppendInt(p.buf, int64(ds.Len()), 10)
}

// recordOffset says by what number other directory records refer to this one, and which
// file it stands for.
func (p *printer) recordOffset(ds *dicom.DataSet) {
	p.indent()
	p.buf = append(p.buf, "#  offset=$"...)
	p.buf = strconv.AppendInt(p.buf, p.base+ds.ItemOffset(), 10)
	if e, ok := ds.Get(tag.ReferencedFileID); ok && !e.Empty() {
		p.buf = append(p.buf, `  refFileID="`...)
		p.text(e, p.trim(e.Bytes(), e.VR))
		p.buf = append(p.buf, '"')
	}
	p.newline()
}

// fragments prints encapsulated pixel data (PS3.5 A.4).
func (p *printer) fragments(e dicom.Element) {
	c := codeOf(e)
	if p.o.Compatible {
		c = code{'O', 'B'}
	}
	p.begin(e.Tag, c)
	p.buf = append(p.buf, "(PixelSequence #="...)
	p.buf = strconv.AppendInt(p.buf, int64(e.FragmentCount()), 10)
	p.buf = append(p.buf, ')')
	p.end(e.LengthField(), 1)
	p.name(nil, e.Tag)
	p.newline()
	p.level++
	for i := range e.FragmentCount() {
		if p.err != nil {
			break
		}
		f := e.Fragment(i)
		p.begin(item, fragment)
		vm := p.value(f)
		p.end(p.length(f), vm)
		p.buf = append(p.buf, "Item"...)
		p.newline()
	}
	p.level--
	p.line(sequenceEnd, noVR, "(SequenceDelimitationItem)", 0, 0, "SequenceDelimitationItem")
}
