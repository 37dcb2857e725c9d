package dcmxml

import (
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strconv"
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
	// Resolve finds the values that the document has by BulkData, by uri or uuid. Nil makes
	// them an error.
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
		return fmt.Sprintf("dcmxml: byte %d: %v", e.Offset, e.Err)
	}
	return fmt.Sprintf("dcmxml: %s at byte %d: %v", where(e.Path, e.Tag), e.Offset, e.Err)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Decode reads the data set of a document. Text becomes UTF-8, and numbers are little
// endian. Group 0002, which does not belong into the model, comes back as meta, without its
// group length.
func Decode(r io.Reader, o DecodeOptions) (meta, ds *dicom.DataSet, err error) {
	d := decoder{o: o}
	d.b.Limits = model.Caps(o.Limits)
	d.in = &meter{r: r, most: d.b.Limits.MaxValue/3*4 + 1<<20}
	d.x = xml.NewDecoder(d.in)
	d.x.CharsetReader = charsetReader
	d.b.Start()
	if err = d.document(); err == nil {
		meta, ds, err = d.b.Finish()
	}
	if err != nil {
		return nil, nil, &Error{d.b.Path(), d.at, d.x.InputOffset(), err}
	}
	return meta, ds, nil
}

// charsetReader reads the declared encoding. DCMTK declares Latin-1.
func charsetReader(name string, r io.Reader) (io.Reader, error) {
	switch strings.ToUpper(name) {
	case "ISO-8859-1":
		return &latin1{r: r}, nil
	case "US-ASCII", "ASCII":
		return r, nil
	}
	return nil, fmt.Errorf("encoding %.40q: make it UTF-8 first, by iconv for example", name)
}

type latin1 struct {
	r    io.Reader
	left []byte
}

func (l *latin1) Read(p []byte) (int, error) {
	if len(l.left) == 0 {
		var b [512]byte
		n, err := l.r.Read(b[:])
		if n == 0 {
			return 0, err
		}
		for _, c := range b[:n] {
			l.left = append(l.left, string(rune(c))...)
		}
	}
	n := copy(p, l.left)
	l.left = l.left[n:]
	return n, nil
}

// meter bounds what is read without a token coming out of it.
type meter struct {
	r          io.Reader
	read, most int64
}

func (m *meter) Read(p []byte) (int, error) {
	if m.read > m.most {
		return 0, fmt.Errorf("a text or tag of more than %d bytes", m.most)
	}
	n, err := m.r.Read(p)
	m.read += int64(n)
	return n, err
}

type decoder struct {
	o  DecodeOptions
	in *meter
	x  *xml.Decoder
	b  model.Builder
	at tag.Tag
}

func (d *decoder) token() (xml.Token, error) {
	d.in.read = 0
	t, err := d.x.Token()
	if err == io.EOF {
		err = errors.New("the document ends too early")
	}
	return t, err
}

// next returns the next element inside the open one, or false at its end. Text between
// elements has no meaning.
func (d *decoder) next() (xml.StartElement, bool, error) {
	for {
		t, err := d.token()
		if err != nil {
			return xml.StartElement{}, false, err
		}
		switch t := t.(type) {
		case xml.StartElement:
			return t, true, nil
		case xml.EndElement:
			return xml.StartElement{}, false, nil
		}
	}
}

func (d *decoder) document() error {
	root, ok, err := d.next()
	if err != nil {
		return err
	}
	if !ok || root.Name.Local != "NativeDicomModel" || root.Name.Space != "" && root.Name.Space != Namespace {
		return fmt.Errorf("%.40q where NativeDicomModel belongs", root.Name.Local)
	}
	if err := d.dataSet(); err != nil {
		return err
	}
	d.at = 0
	for {
		t, err := d.x.Token()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if s, ok := t.(xml.StartElement); ok {
			return fmt.Errorf("%.40q behind the end of the model", s.Name.Local)
		}
	}
}

// each calls f for all elements of one name inside the open one.
func (d *decoder) each(f func(xml.StartElement) error) error {
	for {
		s, ok, err := d.next()
		if err != nil || !ok {
			return err
		}
		if err := f(s); err != nil {
			return err
		}
	}
}

func unexpected(s xml.StartElement) error {
	return fmt.Errorf("element %.40q does not belong here", s.Name.Local)
}

// dataSet reads the attributes of a level.
func (d *decoder) dataSet() error {
	l := blocks{d: d}
	err := d.each(func(s xml.StartElement) error {
		if s.Name.Local != "DicomAttribute" {
			return unexpected(s)
		}
		return d.attribute(&l, s)
	})
	if err != nil {
		return err
	}
	return l.reserve()
}

func attr(s xml.StartElement, name string) string {
	for _, a := range s.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

func (d *decoder) attribute(l *blocks, s xml.StartElement) error {
	t, err := model.ParseTag(attr(s, "tag"))
	if err != nil {
		return err
	}
	if by := attr(s, "privateCreator"); by != "" && t.IsPrivate() && t.Element() < 0x100 {
		if t, err = l.place(t, by); err != nil {
			return err
		}
	}
	d.at = t
	v := model.VROfTag(t)
	if name := attr(s, "vr"); name != "" {
		if len(name) != 2 {
			return fmt.Errorf("vr %.40q is none of the standard's", name)
		}
		v = vr.Of(name[0], name[1])
	}
	if err := d.b.Element(t, v); err != nil {
		return err
	}
	e := value{d: d, t: t, v: v}
	if err := d.each(e.member); err != nil {
		return err
	}
	if t.IsPrivateCreator() {
		l.know(t, e.last)
	}
	d.at = t
	if e.ended {
		return nil
	}
	return d.b.End()
}

// value is an element whose members are being read.
type value struct {
	d     *decoder
	t     tag.Tag
	v     vr.VR
	n     int    // members so far
	kind  string // their name
	last  string
	ended bool
}

func (e *value) member(s xml.StartElement) error {
	name := s.Name.Local
	if e.kind != "" && (e.kind != name || name == "InlineBinary" || name == "BulkData") {
		return fmt.Errorf("both %s and %.40q", e.kind, name)
	}
	e.kind = name
	switch name {
	case "Value", "PersonName":
		return e.value(s)
	case "Item":
		return e.item(s)
	case "InlineBinary":
		return e.binary()
	case "BulkData":
		return e.bulk(s)
	}
	return unexpected(s)
}

const mostGap = 1 << 16

// to counts a member, whose number may leave some out.
func (e *value) to(s xml.StartElement, empty func() error) error {
	n := e.n + 1
	if text := attr(s, "number"); text != "" {
		var err error
		if n, err = strconv.Atoi(text); err != nil || n <= e.n || n-e.n > mostGap {
			return fmt.Errorf("number %.40q behind number %d", text, e.n)
		}
	}
	for e.n++; e.n < n; e.n++ {
		if err := empty(); err != nil {
			return err
		}
	}
	return nil
}

func (e *value) value(s xml.StartElement) error {
	if e.v == vr.SQ || model.IsBinary(e.v) || (s.Name.Local == "PersonName") != (e.v == vr.PN) {
		return fmt.Errorf("%s has no meaning for VR %v", s.Name.Local, e.v)
	}
	err := e.to(s, func() error { return e.d.b.Value("") })
	if err != nil {
		return err
	}
	if e.v == vr.PN {
		e.last, err = e.d.name()
	} else {
		e.last, err = e.d.text()
	}
	if err != nil {
		return err
	}
	return e.d.b.Value(e.last)
}

// text reads the text of the open element to its end.
func (d *decoder) text() (string, error) {
	var b strings.Builder
	for {
		t, err := d.token()
		if err != nil {
			return "", err
		}
		switch t := t.(type) {
		case xml.CharData:
			if int64(b.Len()+len(t)) > d.b.Limits.MaxValue {
				return "", fmt.Errorf("more than Limits.MaxValue = %d bytes", d.b.Limits.MaxValue)
			}
			b.Write(t)
		case xml.StartElement:
			return "", unexpected(t)
		case xml.EndElement:
			return b.String(), nil
		}
	}
}

func (d *decoder) name() (string, error) {
	var all [len(groups)]string
	err := d.each(func(s xml.StartElement) error {
		i := index(groups[:], s.Name.Local)
		if i < 0 {
			return unexpected(s)
		}
		var err error
		all[i], err = d.group()
		return err
	})
	return strings.TrimRight(strings.Join(all[:], "="), "="), err
}

func (d *decoder) group() (string, error) {
	var all [len(parts)]string
	err := d.each(func(s xml.StartElement) error {
		i := index(parts[:], s.Name.Local)
		if i < 0 {
			return unexpected(s)
		}
		var err error
		all[i], err = d.text()
		return err
	})
	return strings.TrimRight(strings.Join(all[:], "^"), "^"), err
}

func index(all []string, name string) int {
	for i, s := range all {
		if s == name {
			return i
		}
	}
	return -1
}

func (e *value) item(s xml.StartElement) error {
	if e.v != vr.SQ {
		return fmt.Errorf("an Item has no meaning for VR %v", e.v)
	}
	if err := e.to(s, func() error { return errors.New("an Item is missing") }); err != nil {
		return err
	}
	back, err := e.d.b.Item(e.n - 1)
	if err != nil {
		return err
	}
	if err := e.d.dataSet(); err != nil {
		return err
	}
	if err := e.d.b.EndItem(); err != nil {
		return err
	}
	back()
	return nil
}

func (e *value) binary() error {
	if e.v.IsText() || e.v == vr.SQ {
		return fmt.Errorf("InlineBinary has no meaning for VR %v", e.v)
	}
	var left []byte // characters that make no three bytes yet
	for {
		t, err := e.d.token()
		if err != nil {
			return err
		}
		switch t := t.(type) {
		case xml.CharData:
			left = append(left, t...)
		case xml.StartElement:
			return unexpected(t)
		case xml.EndElement:
			b, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(string(left)), ""))
			if err != nil {
				return errors.New("bad base64")
			}
			return e.d.b.Append(b...)
		}
		if int64(len(left)) > e.d.in.most {
			return fmt.Errorf("more than Limits.MaxValue = %d bytes", e.d.b.Limits.MaxValue)
		}
	}
}

func (e *value) bulk(s xml.StartElement) error {
	uri := attr(s, "uri")
	if id := attr(s, "uuid"); uri == "" && id != "" {
		uri = "urn:uuid:" + id
	}
	if _, err := e.d.text(); err != nil {
		return err
	}
	if e.d.o.Resolve == nil {
		return fmt.Errorf("the value is elsewhere, at %.200q: set DecodeOptions.Resolve", uri)
	}
	if e.v == vr.SQ {
		return errors.New("the items of a sequence cannot be elsewhere")
	}
	bulk, err := e.d.o.Resolve(e.d.b.Path(), e.t, e.v, uri)
	if err != nil {
		return fmt.Errorf("BulkData %.200q: %w", uri, err)
	}
	e.ended = true
	return e.d.b.Place(bulk)
}
