// Package dcmxml reads and writes the Native DICOM Model (PS3.19 A.1), DICOM data sets as
// XML. The memory that writing takes does not grow with the pixel data.
package dcmxml

import (
	"encoding/binary"
	"encoding/xml"
	"fmt"
	"io"
	"strconv"
	"strings"

	"gantry/dicom"
	"gantry/dicom/dcmjson/model"
	"gantry/dicom/dict"
	"gantry/dicom/tag"
	"gantry/dicom/vr"
)

// EncodeOptions says how a data set is written. The zero value writes all of it.
type EncodeOptions struct {
	// Place decides for each value whether it stands in the document, or a URI of it, or
	// nothing. Nil writes all values, binary ones in base64.
	Place model.Place
	// Meta is file meta information to be written in front of the data set.
	Meta *dicom.DataSet
	// Indent is what lines are indented by per level. Empty writes a line per element
	// without.
	Indent string
	// Fragment leaves the XML declaration out, for a document inside of another one.
	Fragment bool
}

// Namespace is that of the model (PS3.19 A.1.6).
const Namespace = "http://dicom.nema.org/PS3.19/models/NativeDICOM"

// Encode writes one data set as a document in UTF-8; Specific Character Set says so. What
// XML 1.0 has no character for becomes U+FFFD. The error names the element.
func Encode(w io.Writer, ds *dicom.DataSet, o EncodeOptions) error {
	e := encoder{out: model.Out{W: w}, o: o}
	if !o.Fragment {
		e.out.Write(xml.Header)
	}
	e.out.Write(`<NativeDicomModel xmlns="` + Namespace + `" xml:space="preserve">` + "\n")
	e.deep++
	if o.Meta != nil {
		e.dataSet(o.Meta)
	}
	e.dataSet(ds)
	e.out.Write("</NativeDicomModel>\n")
	e.out.Flush()
	if e.out.Err != nil {
		return fmt.Errorf("dcmxml: %s: %w", where(e.path, e.at), e.out.Err)
	}
	return nil
}

func where(p dicom.Path, t tag.Tag) string {
	if len(p) == 0 {
		return t.String()
	}
	return p.String() + "." + t.String()
}

type encoder struct {
	out  model.Out
	o    EncodeOptions
	path dicom.Path
	at   tag.Tag
	deep int

	block struct { // the last private block and who has it
		ds   *dicom.DataSet
		at   tag.Tag
		name string
	}
}

func (e *encoder) indent() {
	for range e.deep {
		e.out.Write(e.o.Indent)
	}
}

func (e *encoder) dataSet(ds *dicom.DataSet) {
	set, add := model.Charset(ds, len(e.path) == 0)
	for el := range model.Elements(ds) {
		if e.out.Err != nil {
			return
		}
		e.at = el.Tag
		if add && el.Tag > tag.SpecificCharacterSet {
			e.charset(set)
			add = false
		}
		if el.Tag == tag.SpecificCharacterSet {
			e.charset(set)
			continue
		}
		e.element(ds, el)
		e.out.Full()
	}
}

func (e *encoder) charset(set string) {
	e.open(tag.SpecificCharacterSet, vr.CS, "")
	if set != "" {
		e.out.Write(`<Value number="1">` + set + `</Value>`)
	}
	e.out.Write("</DicomAttribute>\n")
}

// open begins an element. A private one is named by its creator, without its block.
func (e *encoder) open(t tag.Tag, v vr.VR, creator string) {
	name := t
	if creator != "" {
		name = tag.New(t.Group(), t.Element()&0xFF)
	}
	e.indent()
	e.out.Write(`<DicomAttribute tag="`)
	e.out.Buf = model.AppendTag(e.out.Buf, name)
	e.out.Write(`" vr="`)
	e.out.Buf = append(e.out.Buf, byte(v>>8), byte(v), '"')
	if entry, ok := dict.Lookup(t); ok && entry.Keyword != "" && !t.IsPrivate() {
		e.out.Write(` keyword="` + entry.Keyword + `"`)
	}
	if creator != "" {
		e.out.Write(` privateCreator="`)
		e.text(creator)
		e.out.Write(`"`)
	}
	e.out.Write(">")
}

// creatorOf is who reserved the block of a private element, if no other block of the group
// is that one's too: then the name would not tell where the element belongs.
func (e *encoder) creatorOf(ds *dicom.DataSet, t tag.Tag) string {
	at, ok := t.PrivateCreator()
	if !ok {
		return ""
	}
	if e.block.ds != ds || e.block.at != at {
		e.block.ds, e.block.at, e.block.name = ds, at, owns(ds, at)
	}
	return e.block.name
}

func owns(ds *dicom.DataSet, at tag.Tag) string {
	el, _ := ds.Get(at)
	name := el.Text()
	if el.VR != vr.LO || name == "" || strings.ContainsFunc(name, func(r rune) bool { return !isXML(r) }) {
		return ""
	}
	for e := range ds.All() {
		if e.Tag.Group() == at.Group() && e.Tag != at && e.Tag.IsPrivateCreator() && e.Text() == name {
			return ""
		}
	}
	return name
}

func isXML(r rune) bool { return r >= ' ' && r != 0xFFFD && r != 0xFFFE && r != 0xFFFF }

func (e *encoder) element(ds *dicom.DataSet, el dicom.Element) {
	v := model.VROf(el)
	place, uri := model.Inline, ""
	if e.o.Place != nil && !el.Empty() && model.MayBeOutside(v) {
		if place, uri = e.o.Place(e.path, el); place == model.LeftOut {
			return
		}
	}
	e.open(el.Tag, v, e.creatorOf(ds, el.Tag))
	switch {
	case el.Empty():
	case place == model.ByURI:
		e.out.Write(`<BulkData uri="`)
		e.text(uri)
		e.out.Write(`"/>`)
	case v == vr.SQ:
		e.items(el)
	case model.IsBinary(v):
		e.out.Write("<InlineBinary>")
		e.out.Base64(el)
		e.out.Write("</InlineBinary>")
	case v.IsText():
		e.values(el.Texts(), v)
	default:
		n := 0
		e.out.Numbers(el, func(b []byte, order binary.ByteOrder) {
			n++
			e.number("Value", n)
			e.out.Buf, _ = model.AppendNumber(e.out.Buf, el.VR, b, order)
			e.out.Write("</Value>")
		})
	}
	e.out.Write("</DicomAttribute>\n")
}

func (e *encoder) number(name string, n int) {
	e.out.Write("<" + name + ` number="`)
	e.out.Buf = strconv.AppendInt(e.out.Buf, int64(n), 10)
	e.out.Write(`">`)
}

func (e *encoder) items(el dicom.Element) {
	e.out.Write("\n")
	e.deep++
	e.path = append(e.path, dicom.Step{Tag: el.Tag})
	for i := range el.ItemCount() {
		if e.out.Err != nil {
			return // with the path of what failed
		}
		e.path[len(e.path)-1].Index = i
		e.indent()
		e.number("Item", i+1)
		e.out.Write("\n")
		e.deep++
		e.dataSet(el.Item(i))
		e.deep--
		e.indent()
		e.out.Write("</Item>\n")
	}
	if e.out.Err == nil {
		e.path = e.path[:len(e.path)-1]
	}
	e.deep--
	e.indent()
}

// values writes text; padding alone is no value.
func (e *encoder) values(values []string, v vr.VR) {
	if len(values) == 1 && values[0] == "" {
		return
	}
	for i, s := range values {
		if v == vr.PN {
			e.name(i+1, s)
		} else {
			e.number("Value", i+1)
			e.text(s)
			e.out.Write("</Value>")
		}
		e.out.Full()
	}
}

var (
	groups = [...]string{"Alphabetic", "Ideographic", "Phonetic"}
	parts  = [...]string{"FamilyName", "GivenName", "MiddleName", "NamePrefix", "NameSuffix"}
)

// name writes a person name by component groups and components (PS3.19 A.1.5).
func (e *encoder) name(n int, s string) {
	e.number("PersonName", n)
	for i, g := range strings.SplitN(s, "=", len(groups)) {
		if g == "" {
			continue
		}
		e.out.Write("<" + groups[i] + ">")
		for j, c := range strings.SplitN(g, "^", len(parts)) {
			if c == "" {
				continue
			}
			e.out.Write("<" + parts[j] + ">")
			e.text(c)
			e.out.Write("</" + parts[j] + ">")
		}
		e.out.Write("</" + groups[i] + ">")
	}
	e.out.Write("</PersonName>")
}

// text writes text that may have to be escaped.
func (e *encoder) text(s string) {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c >= 0x7F || c == '<' || c == '>' || c == '&' || c == '"' || c == '\'' {
			xml.EscapeText((*escapes)(&e.out), []byte(s))
			return
		}
	}
	e.out.Write(s)
}

type escapes model.Out

func (x *escapes) Write(p []byte) (int, error) {
	x.Buf = append(x.Buf, p...)
	return len(p), nil
}
