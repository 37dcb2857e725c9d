package dicom

import (
	"iter"
	"sync/atomic"

	"gantry/dicom/charset"
	"gantry/dicom/tag"
	"gantry/dicom/uid"
)

// DataSet is an ordered set of data elements (PS3.5 chapter 7), or an item of a
// sequence, which is one too. It never changes: Edit makes another one. It may be read
// from any number of goroutines. The zero value is an empty data set.
type DataSet struct {
	st     *store
	lo, hi uint32   // its records: st.recs[lo:hi]
	parent *DataSet // what the item belongs to
	enc    encoding // of its elements
	cs     atomic.Pointer[charset.Set]
}

// find returns the record of t on this level.
func (ds *DataSet) find(t tag.Tag) (uint32, bool) {
	if ds == nil || ds.st == nil {
		return 0, false
	}
	recs := ds.st.recs[:ds.hi]
	for i := ds.lo; i < ds.hi; i = recs[i].end {
		if recs[i].tag == t {
			return i, true
		}
		if recs[i].tag > t && ds.st.ordered {
			break
		}
	}
	return 0, false
}

// Get returns the element with a tag, the first one if a flawed data set has several.
func (ds *DataSet) Get(t tag.Tag) (Element, bool) {
	i, ok := ds.find(t)
	if !ok {
		return Element{}, false
	}
	return ds.element(i), true
}

func (ds *DataSet) element(i uint32) Element {
	r := &ds.st.recs[i]
	return Element{Tag: r.tag, VR: r.vr, ds: ds, rec: i}
}

// Has reports whether the element is present, with or without a value.
func (ds *DataSet) Has(t tag.Tag) bool {
	_, ok := ds.find(t)
	return ok
}

// Len counts the elements of this level.
func (ds *DataSet) Len() int {
	n := 0
	for range ds.All() {
		n++
	}
	return n
}

// All yields the elements of this level in the order of the data set, which is ascending
// unless Flaws says otherwise.
func (ds *DataSet) All() iter.Seq[Element] {
	return func(yield func(Element) bool) {
		if ds == nil || ds.st == nil {
			return
		}
		for i := ds.lo; i < ds.hi; i = ds.st.next(i) {
			if !yield(ds.element(i)) {
				return
			}
		}
	}
}

// Text returns the first value as text in UTF-8 without padding: "" if the element is
// absent, empty or has no text form. Numbers are printed in decimal.
func (ds *DataSet) Text(t tag.Tag) string {
	e, ok := ds.Get(t)
	if !ok {
		return ""
	}
	return e.Text()
}

// Texts returns all values as text, as Text does.
func (ds *DataSet) Texts(t tag.Tag) []string {
	e, ok := ds.Get(t)
	if !ok {
		return nil
	}
	return e.Texts()
}

// UID returns the first value as a UID, "" if there is none. It does not say whether the
// UID is valid.
func (ds *DataSet) UID(t tag.Tag) uid.UID { return uid.UID(ds.Text(t)) }

// Int returns the first value as an integer: binary numbers, tags and IS, and DS without
// a fraction. It fails if the element is absent, empty or no such number.
func (ds *DataSet) Int(t tag.Tag) (int64, error) {
	e, ok := ds.Get(t)
	if !ok {
		return 0, &ValueError{Tag: t, Reason: "absent"}
	}
	return e.Int()
}

// Float returns the first value as a number, as Int does.
func (ds *DataSet) Float(t tag.Tag) (float64, error) {
	e, ok := ds.Get(t)
	if !ok {
		return 0, &ValueError{Tag: t, Reason: "absent"}
	}
	return e.Float()
}

// Items yields the items of a sequence with their index, from 0. A fragment of
// encapsulated pixel data is no item.
func (ds *DataSet) Items(t tag.Tag) iter.Seq2[int, *DataSet] {
	return func(yield func(int, *DataSet) bool) {
		e, ok := ds.Get(t)
		if !ok {
			return
		}
		for i := range e.ItemCount() {
			if !yield(i, e.Item(i)) {
				return
			}
		}
	}
}

// Item returns one item of a sequence, counted from 0.
func (ds *DataSet) Item(t tag.Tag, i int) (*DataSet, bool) {
	e, ok := ds.Get(t)
	if !ok || i < 0 || i >= e.ItemCount() {
		return nil, false
	}
	return e.Item(i), true
}

// ItemCount returns the number of items of a sequence, 0 if it is absent.
func (ds *DataSet) ItemCount(t tag.Tag) int {
	e, ok := ds.Get(t)
	if !ok {
		return 0
	}
	return e.ItemCount()
}

// Flaws lists the deviations that decoding met when nobody was told of them, at most the
// first 1,000.
func (ds *DataSet) Flaws() []Flaw {
	if ds == nil || ds.st == nil {
		return nil
	}
	return ds.st.flaws
}

// Size returns the bytes that the data set takes under the syntax it was decoded by, bulk
// values included; for a deflated one, after inflation. For an item it is that of the whole.
func (ds *DataSet) Size() int64 {
	if ds == nil || ds.st == nil {
		return 0
	}
	return ds.st.size
}

// charset returns Specific Character Set in force: the item's own, else inherited
// (PS3.5 6.1.2.3).
func (ds *DataSet) charset() *charset.Set {
	if cs := ds.cs.Load(); cs != nil {
		return cs
	}
	cs := ds.findCharset()
	ds.cs.Store(cs)
	return cs
}

func (ds *DataSet) findCharset() *charset.Set {
	if ds.st != nil && ds.st.charset != "" {
		return parseCharset(ds.st.charset)
	}
	if e, ok := ds.Get(tag.SpecificCharacterSet); ok && !e.Empty() {
		return parseCharset(string(e.Bytes()))
	}
	if ds.parent != nil {
		return ds.parent.charset()
	}
	return parseCharset("")
}
