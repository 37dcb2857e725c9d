// Package dcmjson reads and writes the DICOM JSON Model (PS3.18 annex F). Both work piece by
// piece: the memory that writing takes does not grow with the pixel data.
package dcmjson

import (
	"encoding/binary"
	"fmt"
	"io"

	"gantry/dicom"
	"gantry/dicom/dcmjson/model"
	"gantry/dicom/tag"
	"gantry/dicom/vr"
)

// EncodeOptions says how a data set is written. The zero value writes all of it, on one
// line.
type EncodeOptions struct {
	// Place decides for each value whether it stands in the document, or a URI of it, or
	// nothing. Nil writes all values, binary ones in base64.
	Place model.Place
	// Meta is file meta information to be written in front of the data set. The standard
	// has no place for it (PS3.18 F.2), but some readers want it.
	Meta *dicom.DataSet
	// Indent is what lines are indented by per level. Empty writes one line.
	Indent string
}

// Encode writes one data set as a JSON object. Text is UTF-8, and Specific Character Set
// says so (PS3.18 F.2). The error names the element.
func Encode(w io.Writer, ds *dicom.DataSet, o EncodeOptions) error {
	e := encoder{out: model.Out{W: w}, o: o}
	e.top(ds)
	e.out.Flush()
	return e.err()
}

type encoder struct {
	out  model.Out
	o    EncodeOptions
	path dicom.Path
	at   tag.Tag // the element being written
	deep int     // open brackets
}

func (e *encoder) err() error {
	if e.out.Err == nil {
		return nil
	}
	return fmt.Errorf("dcmjson: %s: %w", where(e.path, e.at), e.out.Err)
}

// where names an element by its path.
func where(p dicom.Path, t tag.Tag) string {
	if len(p) == 0 {
		return t.String()
	}
	return p.String() + "." + t.String()
}

func (e *encoder) open(c byte) {
	e.out.Buf = append(e.out.Buf, c)
	e.deep++
}

func (e *encoder) close(c byte, empty bool) {
	e.deep--
	if !empty {
		e.line()
	}
	e.out.Buf = append(e.out.Buf, c)
}

// line begins a new one, if lines are wanted.
func (e *encoder) line() {
	if e.o.Indent == "" {
		return
	}
	e.out.Buf = append(e.out.Buf, '\n')
	for range e.deep {
		e.out.Write(e.o.Indent)
	}
}

func (e *encoder) next(first *bool) {
	if !*first {
		e.out.Buf = append(e.out.Buf, ',')
	}
	*first = false
	e.line()
}

func (e *encoder) top(ds *dicom.DataSet) {
	first := true
	e.open('{')
	if e.o.Meta != nil {
		e.dataSet(e.o.Meta, &first)
	}
	e.dataSet(ds, &first)
	e.close('}', first)
	e.line()
}

func (e *encoder) item(ds *dicom.DataSet) {
	first := true
	e.open('{')
	e.dataSet(ds, &first)
	e.close('}', first)
}

func (e *encoder) dataSet(ds *dicom.DataSet, first *bool) {
	set, add := model.Charset(ds, len(e.path) == 0)
	for el := range model.Elements(ds) {
		if e.out.Err != nil {
			return
		}
		e.at = el.Tag
		if add && el.Tag > tag.SpecificCharacterSet {
			e.charset(set, first)
			add = false
		}
		if el.Tag == tag.SpecificCharacterSet {
			e.charset(set, first)
			continue
		}
		e.element(el, first)
		e.out.Full()
	}
}

func (e *encoder) charset(set string, first *bool) {
	e.name(tag.SpecificCharacterSet, vr.CS, first)
	if set != "" {
		e.member("Value")
		e.open('[')
		e.line()
		e.quote(set)
		e.close(']', false)
	}
	e.close('}', false)
}

// name begins the object of an element.
func (e *encoder) name(t tag.Tag, v vr.VR, first *bool) {
	e.next(first)
	e.out.Buf = append(e.out.Buf, '"')
	e.out.Buf = model.AppendTag(e.out.Buf, t)
	e.out.Buf = append(e.out.Buf, '"', ':')
	e.space()
	e.open('{')
	e.line()
	e.out.Write(`"vr":`)
	e.space()
	e.out.Buf = append(e.out.Buf, '"', byte(v>>8), byte(v), '"')
}

func (e *encoder) space() {
	if e.o.Indent != "" {
		e.out.Buf = append(e.out.Buf, ' ')
	}
}

// member begins the second member of the object of an element.
func (e *encoder) member(name string) {
	e.out.Buf = append(e.out.Buf, ',')
	e.line()
	e.out.Buf = append(e.out.Buf, '"')
	e.out.Write(name)
	e.out.Buf = append(e.out.Buf, '"', ':')
	e.space()
}

func (e *encoder) element(el dicom.Element, first *bool) {
	v := model.VROf(el)
	place, uri := model.Inline, ""
	if e.o.Place != nil && !el.Empty() && model.MayBeOutside(v) {
		if place, uri = e.o.Place(e.path, el); place == model.LeftOut {
			return
		}
	}
	e.name(el.Tag, v, first)
	switch {
	case el.Empty():
	case place == model.ByURI:
		e.member("BulkDataURI")
		e.quote(uri)
	case v == vr.SQ:
		e.items(el)
	case model.IsBinary(v):
		e.member("InlineBinary")
		e.out.Buf = append(e.out.Buf, '"')
		e.out.Base64(el)
		e.out.Buf = append(e.out.Buf, '"')
	case v.IsText():
		e.text(el)
	default:
		e.numbers(el)
	}
	e.close('}', false)
}

func (e *encoder) items(el dicom.Element) {
	e.member("Value")
	e.open('[')
	first := true
	e.path = append(e.path, dicom.Step{Tag: el.Tag})
	for i := range el.ItemCount() {
		if e.out.Err != nil {
			return // with the path of what failed
		}
		e.path[len(e.path)-1].Index = i
		e.next(&first)
		e.item(el.Item(i))
	}
	if e.out.Err == nil {
		e.path = e.path[:len(e.path)-1]
	}
	e.close(']', false)
}

func (e *encoder) numbers(el dicom.Element) {
	if el.Len() < int64(model.NumberWidth(el.VR)) {
		return
	}
	e.member("Value")
	e.open('[')
	first := true
	e.out.Numbers(el, func(b []byte, order binary.ByteOrder) {
		e.next(&first)
		at := len(e.out.Buf)
		var quote bool
		e.out.Buf = append(e.out.Buf, '"')
		if e.out.Buf, quote = model.AppendNumber(e.out.Buf, el.VR, b, order); quote {
			e.out.Buf = append(e.out.Buf, '"')
		} else {
			e.out.Buf = append(e.out.Buf[:at], e.out.Buf[at+1:]...)
		}
	})
	e.close(']', false)
}
