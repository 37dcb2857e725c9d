package dcmjson

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"gantry/dicom"
	"gantry/dicom/dcmjson/model"
	"gantry/dicom/tag"
	"gantry/dicom/vr"
)

// DecodeOptions says how a document is read. The zero value reads any that has all its
// values in it.
type DecodeOptions struct {
	// Limits bounds what a hostile document can cost. MaxInflated has no meaning here.
	Limits dicom.Limits
	// Resolve finds the values that the document has by BulkDataURI. Nil makes them an
	// error.
	Resolve model.Resolve
}

// Error says what is wrong with a document, and where.
type Error struct {
	Path   dicom.Path
	Tag    tag.Tag
	Offset int64 // in the document
	Err    error
}

func (e *Error) Error() string {
	if e.Tag == 0 && len(e.Path) == 0 {
		return fmt.Sprintf("dcmjson: byte %d: %v", e.Offset, e.Err)
	}
	return fmt.Sprintf("dcmjson: %s at byte %d: %v", where(e.Path, e.Tag), e.Offset, e.Err)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Decode reads one data set: an object, or an array of just one. What stands behind it is
// an error. Text becomes UTF-8, and numbers are little endian.
func Decode(r io.Reader, o DecodeOptions) (*dicom.DataSet, error) {
	d := NewDecoder(r, o)
	ds, err := d.Decode()
	if err == io.EOF {
		return nil, &Error{Err: errors.New("no data set")}
	}
	if err != nil {
		return nil, err
	}
	if _, err := d.Decode(); err == nil {
		return nil, &Error{Offset: d.l.off, Err: errors.New("more than one data set")}
	} else if err != io.EOF {
		return nil, err
	}
	return ds, nil
}

// Decoder reads data sets one after the other: members of an array, as DICOMweb has them
// (PS3.18 F.2), or objects.
type Decoder struct {
	l     lexer
	o     DecodeOptions
	b     model.Builder
	at    tag.Tag
	meta  *dicom.DataSet
	array bool
	begun bool
	open  bool // the object of the element has more members
	err   error
}

// NewDecoder returns a decoder that reads from r, and ahead.
func NewDecoder(r io.Reader, o DecodeOptions) *Decoder {
	d := &Decoder{o: o, l: lexer{r: bufio.NewReaderSize(r, 32<<10)}}
	d.b.Limits = model.Caps(o.Limits)
	d.l.most = d.b.Limits.MaxValue
	return d
}

// Decode returns the next data set, io.EOF behind the last one. An error is returned again
// by every later call.
func (d *Decoder) Decode() (*dicom.DataSet, error) {
	if d.err != nil {
		return nil, d.err
	}
	ds, err := d.decode()
	if err != nil && err != io.EOF {
		err = &Error{d.b.Path(), d.at, d.l.off, err}
	}
	d.err = err
	return ds, err
}

// Meta returns what of group 0002 stood before the last data set, although it does not
// belong there; it is empty if there was nothing, and lacks its group length.
func (d *Decoder) Meta() *dicom.DataSet { return d.meta }

func (d *Decoder) decode() (*dicom.DataSet, error) {
	d.b.Start()
	d.at = 0
	if more, err := d.more(); err != nil || !more {
		if err == nil {
			err = io.EOF
		}
		return nil, err
	}
	if err := d.dataSet(); err != nil {
		return nil, err
	}
	var ds *dicom.DataSet
	var err error
	d.meta, ds, err = d.b.Finish()
	return ds, err
}

// more goes to the next data set.
func (d *Decoder) more() (bool, error) {
	if d.array {
		more, err := d.l.more(']')
		if err == nil && !more {
			d.array = false
			return d.more()
		}
		return more, err
	}
	c, err := d.l.peek()
	if err == errEnd {
		return false, nil
	}
	if err != nil || c != '[' || d.begun {
		return true, err
	}
	d.begun = true
	d.array, err = d.l.opens('[', ']')
	if err == nil && !d.array {
		return d.more()
	}
	return true, err
}

// dataSet reads the object of a data set or item.
func (d *Decoder) dataSet() error {
	d.begun = true
	more, err := d.l.opens('{', '}')
	for more && err == nil {
		if err = d.element(); err == nil {
			more, err = d.l.more('}')
		}
	}
	return err
}

func (d *Decoder) element() error {
	d.at = 0
	if err := d.l.member(); err != nil {
		return err
	}
	t, err := model.ParseTag(string(d.l.buf))
	if err != nil {
		return err
	}
	d.at = t
	v, held, err := d.vr(t)
	if err != nil {
		return err
	}
	if err := d.b.Element(t, v); err != nil {
		return err
	}
	return d.members(t, v, held)
}

// held is a member that stood before vr, as it was written.
type held struct {
	name  string
	value []byte
}

// vr reads the members up to vr. Writers put it first, but who sorts by name has Value
// before it. Without a vr it is that of the dictionary.
func (d *Decoder) vr(t tag.Tag) (v vr.VR, before []held, err error) {
	more, err := d.l.opens('{', '}')
	for more && err == nil {
		if err = d.l.member(); err != nil {
			return 0, nil, err
		}
		name := string(d.l.buf)
		if name == "vr" {
			if v, err = d.vrText(); err == nil {
				d.open, err = d.l.more('}')
			}
			return v, before, err
		}
		if len(before) == 8 {
			return 0, nil, errors.New("more members than an attribute has")
		}
		var value []byte
		if value, err = d.l.record(d.b.Limits.MaxDepth); err != nil {
			return 0, nil, err
		}
		before = append(before, held{name, value})
		more, err = d.l.more('}')
	}
	d.open = false
	return model.VROfTag(t), before, err
}

func (d *Decoder) vrText() (vr.VR, error) {
	s, err := d.l.string()
	if err != nil {
		return 0, err
	}
	if len(s) != 2 || !vr.Of(s[0], s[1]).Known() {
		return 0, fmt.Errorf("vr %.40q is none of the standard's", s)
	}
	return vr.Of(s[0], s[1]), nil
}

// members takes the members that were held, reads the rest of the object and ends the
// element.
func (d *Decoder) members(t tag.Tag, v vr.VR, before []held) error {
	m := member{t: t, v: v}
	open := d.open
	for _, h := range before {
		from := d.l.r
		d.l.r = bufio.NewReader(bytes.NewReader(h.value))
		err := d.member(&m, h.name)
		if d.l.r = from; err != nil {
			return err
		}
	}
	for open {
		err := d.l.member()
		if err == nil {
			err = d.member(&m, string(d.l.buf))
		}
		if err != nil {
			return err
		}
		if open, err = d.l.more('}'); err != nil {
			return err
		}
	}
	if m.ended {
		return nil
	}
	return d.b.End()
}

// member is an element whose members are being read.
type member struct {
	t      tag.Tag
	v      vr.VR
	valued string // the member that had the value
	ended  bool
}

func (d *Decoder) member(m *member, name string) (err error) {
	switch name {
	case "Value", "InlineBinary", "BulkDataURI":
		if m.valued != "" {
			return fmt.Errorf("both %s and %s", m.valued, name)
		}
		m.valued = name
		m.ended, err = d.value(m.t, m.v, name)
		return err
	case "vr":
		return errors.New("vr occurs twice")
	}
	return d.l.skip(d.b.Limits.MaxDepth)
}

func (d *Decoder) value(t tag.Tag, v vr.VR, name string) (ended bool, err error) {
	switch {
	case name == "InlineBinary":
		if v.IsText() && v != vr.UN || v == vr.SQ {
			return false, fmt.Errorf("InlineBinary has no meaning for VR %v", v)
		}
		return false, d.l.base64(d.b.Append)
	case name == "BulkDataURI":
		return true, d.bulk(t, v)
	case v == vr.SQ:
		return false, d.items()
	}
	return false, d.values(v)
}

func (d *Decoder) bulk(t tag.Tag, v vr.VR) error {
	uri, err := d.l.string()
	if err != nil {
		return err
	}
	if v == vr.SQ {
		return errors.New("the items of a sequence cannot be elsewhere")
	}
	if d.o.Resolve == nil {
		return fmt.Errorf("the value is elsewhere, at %.200q: set DecodeOptions.Resolve", uri)
	}
	bulk, err := d.o.Resolve(d.b.Path(), t, v, string(uri))
	if err != nil {
		return fmt.Errorf("BulkDataURI %.200q: %w", uri, err)
	}
	return d.b.Place(bulk)
}

func (d *Decoder) items() error {
	more, err := d.l.opens('[', ']')
	for i := 0; more && err == nil; i++ {
		if err = d.item(i); err == nil {
			more, err = d.l.more(']')
		}
	}
	return err
}

func (d *Decoder) item(i int) error {
	at := d.at
	back, err := d.b.Item(i)
	if err != nil {
		return err
	}
	c, err := d.l.peek()
	if err != nil {
		return err
	}
	if c == 'n' { // null: an empty item
		if _, err = d.l.literal(); err != nil {
			return err
		}
	} else if err = d.dataSet(); err != nil {
		return err
	}
	if err = d.b.EndItem(); err == nil {
		back()
		d.at = at
	}
	return err
}

func (d *Decoder) values(v vr.VR) error {
	more, err := d.l.opens('[', ']')
	for more && err == nil {
		if err = d.one(v); err == nil {
			more, err = d.l.more(']')
		}
	}
	return err
}

// one reads one value.
func (d *Decoder) one(v vr.VR) error {
	c, err := d.l.peek()
	if err != nil {
		return err
	}
	switch {
	case c == '{' && v == vr.PN:
		s, err := d.name3()
		if err != nil {
			return err
		}
		return d.b.Value(s)
	case c == '"':
		s, err := d.l.string()
		if err != nil {
			return err
		}
		return d.b.Value(string(s))
	case c == '{' || c == '[':
		return fmt.Errorf("%q where a value of VR %v belongs", c, v)
	}
	s, err := d.l.literal()
	switch {
	case err != nil:
		return err
	case string(s) == "null":
		return d.b.Value("")
	case s[0] == 't' || s[0] == 'f':
		return fmt.Errorf("%s is no value of VR %v", s, v)
	}
	return d.b.Value(string(s))
}

// name3 reads the component groups of a person name.
func (d *Decoder) name3() (string, error) {
	var parts [len(groups)]string
	more, err := d.l.opens('{', '}')
	for more && err == nil {
		if err = d.l.member(); err != nil {
			return "", err
		}
		if err = d.group(&parts, string(d.l.buf)); err == nil {
			more, err = d.l.more('}')
		}
	}
	return strings.TrimRight(strings.Join(parts[:], "="), "="), err
}

func (d *Decoder) group(parts *[len(groups)]string, name string) error {
	for i, g := range groups {
		if g != name {
			continue
		}
		if c, err := d.l.peek(); err == nil && c == 'n' {
			_, err = d.l.literal()
			return err
		}
		s, err := d.l.string()
		parts[i] = string(s)
		return err
	}
	return fmt.Errorf("%.40q is no component group of a name", name)
}
