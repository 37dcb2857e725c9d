package dcmxml

import (
	"fmt"

	"gantry/dicom/tag"
	"gantry/dicom/vr"
)

// blocks are those that private creators have in a level: the model names the creator of
// a private element, and its tag has no block (PS3.19 A.1.5).
type blocks struct {
	d    *decoder
	of   map[owner]uint16
	used map[tag.Tag]bool
	new  []tag.Tag // creators that the document does not have as elements
	name map[tag.Tag]string
}

type owner struct {
	group uint16
	name  string
}

// know notes a creator that stands in the document.
func (l *blocks) know(t tag.Tag, name string) {
	l.init()
	l.used[t] = true
	if _, ok := l.of[owner{t.Group(), name}]; !ok {
		l.of[owner{t.Group(), name}] = t.Element()
	}
}

func (l *blocks) init() {
	if l.of == nil {
		l.of, l.used, l.name = map[owner]uint16{}, map[tag.Tag]bool{}, map[tag.Tag]string{}
	}
}

// place gives a private element the tag that it has here.
func (l *blocks) place(t tag.Tag, creator string) (tag.Tag, error) {
	l.init()
	block, ok := l.of[owner{t.Group(), creator}]
	if !ok {
		for block = 0x10; l.used[tag.New(t.Group(), block)]; block++ {
			if block == 0xFF {
				return 0, fmt.Errorf("group %04X has no block left for %.40q", t.Group(), creator)
			}
		}
		at := tag.New(t.Group(), block)
		l.know(at, creator)
		l.new = append(l.new, at)
		l.name[at] = creator
	}
	return tag.New(t.Group(), block<<8|t.Element()), nil
}

// reserve adds the creators that were missing.
func (l *blocks) reserve() error {
	for _, t := range l.new {
		if err := l.d.b.Element(t, vr.LO); err != nil {
			return err
		}
		if err := l.d.b.Value(l.name[t]); err != nil {
			return err
		}
		if err := l.d.b.End(); err != nil {
			return err
		}
	}
	return nil
}
