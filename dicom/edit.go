package dicom

import (
	"encoding/binary"
	"fmt"
	"math"
	"sort"
	"strconv"
	"strings"

	"gantry/dicom/charset"
	"gantry/dicom/dict"
	"gantry/dicom/tag"
	"gantry/dicom/uid"
	"gantry/dicom/vr"
)

// Editor makes a changed copy of a data set. Untouched elements go into the copy byte
// for byte; bulk values are shared. The first error of a chain of calls is kept and
// returned by Build. An Editor is for one goroutine.
type Editor struct {
	base    *DataSet
	changes []change // ascending tags
	err     error
	root    *Editor
}

// change is what becomes of one element.
type change struct {
	tag   tag.Tag
	vr    vr.VR
	kind  changeKind
	raw   []byte
	text  []string
	items []*DataSet
	lift  []*Editor
	bulk  Bulk
}

type changeKind uint8

const (
	deleted changeKind = iota
	rawValue
	textValue
	bulkSet
	itemsSet
	lifted
)

// Edit returns an Editor of ds. On an empty DataSet it builds from nothing, in Explicit
// VR Little Endian.
func (ds *DataSet) Edit() *Editor {
	e := &Editor{base: ds}
	e.root = e
	return e
}

func (e *Editor) fail(err error) *Editor {
	if e.root.err == nil {
		e.root.err = err
	}
	return e
}

// put replaces or adds the change of a tag.
func (e *Editor) put(c change) *Editor {
	i := sort.Search(len(e.changes), func(i int) bool { return e.changes[i].tag >= c.tag })
	if i < len(e.changes) && e.changes[i].tag == c.tag {
		e.changes[i] = c
		return e
	}
	e.changes = append(e.changes, change{})
	copy(e.changes[i+1:], e.changes[i:])
	e.changes[i] = c
	return e
}

// vrOf chooses the VR of an element that is set without one: what it has now, else what
// the dictionary says.
func (e *Editor) vrOf(t tag.Tag) (vr.VR, error) {
	if el, ok := e.base.Get(t); ok && el.VR != vr.UN {
		return el.VR, nil
	}
	if t.IsPrivateCreator() {
		return vr.LO, nil
	}
	if v := dict.VROf(t); v != 0 {
		return v, nil
	}
	return 0, fmt.Errorf("dicom: %v: not in the dictionary: set it with SetBytes and a VR", t)
}

// SetText sets the values of a text element, or of a binary one from decimal numbers.
// Text is UTF-8; Build encodes it by Specific Character Set.
func (e *Editor) SetText(t tag.Tag, values ...string) *Editor {
	v, err := e.vrOf(t)
	if err != nil {
		return e.fail(err)
	}
	return e.SetTextAs(t, v, values...)
}

// SetTextAs is SetText for an element whose VR the caller knows.
func (e *Editor) SetTextAs(t tag.Tag, v vr.VR, values ...string) *Editor {
	if v.IsText() {
		return e.put(change{tag: t, vr: v, kind: textValue, text: values})
	}
	if v == vr.SQ || v == vr.UN {
		return e.fail(&ValueError{t, "no text goes into VR " + v.String()})
	}
	raw := []byte(nil)
	for _, s := range values {
		b, err := parseNumber(t, v, s)
		if err != nil {
			return e.fail(err)
		}
		raw = append(raw, b...)
	}
	return e.SetBytes(t, v, raw)
}

// SetInt sets the values of a binary or IS, DS element.
func (e *Editor) SetInt(t tag.Tag, values ...int64) *Editor {
	s := make([]string, len(values))
	for i, n := range values {
		s[i] = strconv.FormatInt(n, 10)
	}
	return e.SetText(t, s...)
}

// SetUID sets the values of a UI element.
func (e *Editor) SetUID(t tag.Tag, values ...uid.UID) *Editor {
	s := make([]string, len(values))
	for i, u := range values {
		s[i] = string(u)
	}
	return e.SetTextAs(t, vr.UI, s...)
}

// SetBytes sets a value as it is, numbers in little endian whatever the data set's byte
// order. An odd value is padded. The bytes are used, not copied, by Build.
func (e *Editor) SetBytes(t tag.Tag, v vr.VR, value []byte) *Editor {
	if int64(len(value)) >= maxBuffer {
		return e.fail(&ValueError{t, "value too large: use SetBulk"})
	}
	return e.put(change{tag: t, vr: v, kind: rawValue, raw: value})
}

// SetBulk sets a value that stays where it is, in little endian and of even size.
func (e *Editor) SetBulk(t tag.Tag, v vr.VR, value Bulk) *Editor {
	if n := value.Size(); n&1 == 1 || n >= undefinedLength {
		return e.fail(&ValueError{t, fmt.Sprintf("%d bytes do not fit an even 32-bit length", n)})
	}
	return e.put(change{tag: t, vr: v, kind: bulkSet, bulk: value})
}

// SetItems makes t a sequence of copies of items. An item whose character set is not
// that of the data set gets its own Specific Character Set.
func (e *Editor) SetItems(t tag.Tag, items ...*DataSet) *Editor {
	return e.put(change{tag: t, vr: vr.SQ, kind: itemsSet, items: items})
}

// Delete removes an element, if it is there.
func (e *Editor) Delete(t tag.Tag) *Editor { return e.put(change{tag: t, kind: deleted}) }

// At returns the Editor of an item: its changes become part of this Editor's Build. The
// item must exist.
func (e *Editor) At(p Path) *Editor {
	for _, s := range p {
		e = e.item(s)
	}
	return e
}

func (e *Editor) item(s Step) *Editor {
	i := sort.Search(len(e.changes), func(i int) bool { return e.changes[i].tag >= s.Tag })
	if i == len(e.changes) || e.changes[i].tag != s.Tag || e.changes[i].kind != lifted {
		c := change{tag: s.Tag, vr: vr.SQ, kind: lifted}
		items := e.itemsOf(s.Tag)
		for _, item := range items {
			c.lift = append(c.lift, &Editor{base: item, root: e.root})
		}
		e.put(c)
		i = sort.Search(len(e.changes), func(i int) bool { return e.changes[i].tag >= s.Tag })
	}
	lift := e.changes[i].lift
	if s.Index < 0 || s.Index >= len(lift) {
		e.fail(&ValueError{s.Tag, fmt.Sprintf("has no item %d", s.Index)})
		return &Editor{root: e.root}
	}
	return lift[s.Index]
}

// itemsOf returns the items of a sequence with the changes so far.
func (e *Editor) itemsOf(t tag.Tag) []*DataSet {
	for _, c := range e.changes {
		if c.tag == t {
			return c.items
		}
	}
	var out []*DataSet
	for _, item := range e.base.Items(t) {
		out = append(out, item)
	}
	return out
}

// Build returns the changed data set, or the first error of the chain.
func (e *Editor) Build() (*DataSet, error) {
	if e.root.err != nil {
		return nil, e.root.err
	}
	a := appender{enc: explicitLE}
	override := ""
	if e.base != nil && e.base.st != nil {
		a.enc, override = e.base.enc, e.base.st.charset
	}
	if err := e.defaultCharset(); err != nil {
		return nil, err
	}
	if err := e.append(&a, nil); err != nil {
		return nil, err
	}
	return a.build(override)
}

// build turns what was laid out into a data set.
func (a *appender) build(override string) (*DataSet, error) {
	syntax := uid.ExplicitVRLittleEndian
	switch {
	case a.enc.big:
		syntax = uid.ExplicitVRBigEndian
	case !a.enc.explicit:
		syntax = uid.ImplicitVRLittleEndian
	}
	src := source{buf: a.buf[:len(a.buf):len(a.buf)], gaps: a.bulk, gap: a.gap}
	o := DecodeOptions{Syntax: syntax, Limits: Limits{-1, -1, -1, -1}, Charset: override, exact: true}
	return decode(src, a.enc, o)
}

// defaultCharset makes a data set without a character set UTF-8 when text needs it.
func (e *Editor) defaultCharset() error {
	if e.base.Len() > 0 || e.changed(tag.SpecificCharacterSet) || !e.needsCharset() {
		return nil
	}
	e.SetText(tag.SpecificCharacterSet, "ISO_IR 192")
	return nil
}

func (e *Editor) changed(t tag.Tag) bool {
	for _, c := range e.changes {
		if c.tag == t {
			return true
		}
	}
	return false
}

func (e *Editor) needsCharset() bool {
	for _, c := range e.changes {
		if c.kind == textValue && !isPlain([]byte(strings.Join(c.text, ""))) {
			return true
		}
	}
	return false
}

// append lays out the base with the changes, tag by tag.
func (e *Editor) append(a *appender, inherited *charset.Set) error {
	cs := e.charset(inherited)
	i := 0
	for el := range e.base.All() {
		for ; i < len(e.changes) && e.changes[i].tag < el.Tag; i++ {
			if err := e.changes[i].append(a, cs); err != nil {
				return err
			}
		}
		if i < len(e.changes) && e.changes[i].tag == el.Tag || el.Tag.IsGroupLength() && el.Tag.Group() > 2 {
			continue
		}
		if e.changed(el.Tag) { // out of order in the base
			continue
		}
		if err := a.element(el); err != nil {
			return err
		}
	}
	for ; i < len(e.changes); i++ {
		if err := e.changes[i].append(a, cs); err != nil {
			return err
		}
	}
	return nil
}

// charset is what text of this level is encoded by.
func (e *Editor) charset(inherited *charset.Set) *charset.Set {
	for _, c := range e.changes {
		if c.tag == tag.SpecificCharacterSet {
			if c.kind == textValue {
				return parseCharset(strings.Join(c.text, `\`))
			}
			return parseCharset(string(c.raw))
		}
	}
	if e.base != nil && (e.base.Has(tag.SpecificCharacterSet) || inherited == nil) {
		return e.base.charset()
	}
	if inherited != nil {
		return inherited
	}
	return parseCharset("")
}

func (c *change) append(a *appender, cs *charset.Set) error {
	switch c.kind {
	case rawValue:
		a.raw(c.tag, c.vr, c.raw)
	case textValue:
		b, err := encodeText(cs, c.vr, c.text)
		if err != nil {
			return fmt.Errorf("dicom: %v: %w", c.tag, err)
		}
		a.raw(c.tag, c.vr, b)
	case bulkSet:
		a.header(c.tag, c.vr, uint32(c.bulk.Size()))
		v := bulkValue{r: c.bulk, size: c.bulk.Size()}
		if w := c.vr.Width(); a.enc.big && w > 1 {
			v.r = &swapped{r: c.bulk, size: v.size, width: int64(w)}
		}
		a.bulkRange(v)
	case itemsSet, lifted:
		return c.appendItems(a, cs)
	}
	return nil
}

func (c *change) appendItems(a *appender, cs *charset.Set) error {
	s := a.open(c.tag, vr.SQ, false)
	for _, ed := range c.lift {
		it := a.open(tagItem, 0, false)
		if err := ed.append(a, cs); err != nil {
			return err
		}
		a.close(it, tagItemEnd)
	}
	for _, ds := range c.items {
		it := a.open(tagItem, 0, false)
		if err := a.foreign(ds, cs); err != nil {
			return err
		}
		a.close(it, tagItemEnd)
	}
	a.close(s, tagSequenceEnd)
	return nil
}

// foreign writes an item that comes from elsewhere, with its character set if that is
// not the one in force.
func (a *appender) foreign(ds *DataSet, cs *charset.Set) error {
	if ds == nil || ds.st == nil {
		return nil
	}
	own := ds.charset()
	if ds.Has(tag.SpecificCharacterSet) || *own == *cs || len(own.Terms()) == 0 {
		return a.dataSet(ds)
	}
	ed := ds.Edit()
	ed.SetText(tag.SpecificCharacterSet, own.Terms()...)
	return ed.append(a, cs)
}

func encodeText(cs *charset.Set, v vr.VR, values []string) ([]byte, error) {
	s := strings.Join(values, `\`)
	if !v.HasCharset() || isPlain([]byte(s)) {
		return []byte(s), nil
	}
	return cs.Encode(s, v)
}

// parseNumber turns a decimal number, or (gggg,eeee) for AT, into little endian bytes.
func parseNumber(t tag.Tag, v vr.VR, s string) ([]byte, error) {
	bad := &ValueError{t, fmt.Sprintf("%q is no value of VR %v", s, v)}
	s = strings.TrimSpace(s)
	switch v {
	case vr.AT:
		at, err := dict.ParseTag(s)
		if err != nil {
			return nil, bad
		}
		b := binary.LittleEndian.AppendUint16(nil, at.Group())
		return binary.LittleEndian.AppendUint16(b, at.Element()), nil
	case vr.FL, vr.OF:
		f, err := strconv.ParseFloat(s, 32)
		if err != nil {
			return nil, bad
		}
		return binary.LittleEndian.AppendUint32(nil, math.Float32bits(float32(f))), nil
	case vr.FD, vr.OD:
		f, err := strconv.ParseFloat(s, 64)
		if err != nil {
			return nil, bad
		}
		return binary.LittleEndian.AppendUint64(nil, math.Float64bits(f)), nil
	case vr.SS, vr.SL, vr.SV:
		n, err := strconv.ParseInt(s, 10, v.Width()*8)
		if err != nil {
			return nil, bad
		}
		return binary.LittleEndian.AppendUint64(nil, uint64(n))[:v.Width()], nil
	}
	n, err := strconv.ParseUint(s, 10, v.Width()*8)
	if err != nil {
		return nil, bad
	}
	return binary.LittleEndian.AppendUint64(nil, n)[:v.Width()], nil
}
