package dicom

import (
	"fmt"
	"iter"
	"strconv"
	"strings"

	"gantry/dicom/dict"
	"gantry/dicom/tag"
)

// Step names an item: a sequence and the index of the item in it, from 0.
type Step struct {
	Tag   tag.Tag
	Index int
}

// Path leads from a data set to an item. The empty path is the data set itself.
type Path []Step

// String prints the path with keywords: RequestAttributesSequence[0].
func (p Path) String() string {
	var b strings.Builder
	for i, s := range p {
		if i > 0 {
			b.WriteByte('.')
		}
		fmt.Fprintf(&b, "%s[%d]", tagName(s.Tag), s.Index)
	}
	return b.String()
}

func tagName(t tag.Tag) string {
	if e, ok := dict.Lookup(t); ok && e.Keyword != "" {
		return e.Keyword
	}
	return fmt.Sprintf("%04X%04X", t.Group(), t.Element())
}

// ParsePath reads an expression such as
//
//	RequestAttributesSequence[0].ScheduledProcedureStepID
//
// into the path of the item and the tag of the element in it. Tags are keywords,
// gggg,eeee or ggggeeee. A sequence without an index means its first item.
func ParsePath(expr string) (Path, tag.Tag, error) {
	parts := strings.Split(expr, ".")
	var p Path
	for i, part := range parts {
		s, indexed, err := parseStep(part)
		if err != nil {
			return nil, 0, fmt.Errorf("dicom: path %q: %w", expr, err)
		}
		if i < len(parts)-1 {
			p = append(p, s)
			continue
		}
		if indexed {
			return nil, 0, fmt.Errorf("dicom: path %q ends in an item: name an element of it", expr)
		}
		return p, s.Tag, nil
	}
	return nil, 0, fmt.Errorf("dicom: empty path")
}

func parseStep(s string) (Step, bool, error) {
	name, index, indexed := strings.Cut(s, "[")
	var st Step
	var err error
	if st.Tag, err = dict.ParseTag(name); err != nil {
		return st, false, err
	}
	if !indexed {
		return st, false, nil
	}
	digits, ok := strings.CutSuffix(index, "]")
	if st.Index, err = strconv.Atoi(digits); err != nil || !ok || st.Index < 0 {
		return st, false, fmt.Errorf("bad item number [%s", index)
	}
	return st, true, nil
}

// At returns the item that a path leads to.
func (ds *DataSet) At(p Path) (*DataSet, bool) {
	for _, s := range p {
		item, ok := ds.Item(s.Tag, s.Index)
		if !ok {
			return nil, false
		}
		ds = item
	}
	return ds, true
}

// Find returns the element that an expression of ParsePath names. It is false if there
// is none; the error says what is wrong with the expression.
func (ds *DataSet) Find(expr string) (Element, bool, error) {
	p, t, err := ParsePath(expr)
	if err != nil {
		return Element{}, false, err
	}
	item, ok := ds.At(p)
	if !ok {
		return Element{}, false, nil
	}
	e, ok := item.Get(t)
	return e, ok, nil
}

// Walk yields every element of the tree in the order of the data set, a sequence before
// its items, with the path of the item that it belongs to. The path is reused: clone it
// to keep it. Elements of UN with undefined length are visited too.
func (ds *DataSet) Walk() iter.Seq2[Path, Element] {
	return func(yield func(Path, Element) bool) { ds.walk(nil, yield) }
}

// walk recurses no deeper than Limits.MaxDepth let the decoder go.
func (ds *DataSet) walk(p Path, yield func(Path, Element) bool) bool {
	for e := range ds.All() {
		if !yield(p, e) {
			return false
		}
		for i := range e.ItemCount() {
			if !e.Item(i).walk(append(p, Step{e.Tag, i}), yield) {
				return false
			}
		}
	}
	return true
}
