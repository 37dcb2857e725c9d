package render

import (
	"gantry/dicom"
	"gantry/dicom/tag"
)

// groups finds attributes of one frame: in the functional groups of an enhanced
// multi-frame image (PS3.3 C.7.6.16), else in the data set itself.
type groups struct {
	ds    *dicom.DataSet
	frame int
}

// macro returns the item of a functional group. One of the frame goes before one shared
// by all.
func (g groups) macro(sequence tag.Tag) *dicom.DataSet {
	if item, ok := g.ds.Item(tag.PerFrameFunctionalGroupsSequence, g.frame); ok {
		if m, ok := item.Item(sequence, 0); ok {
			return m
		}
	}
	if item, ok := g.ds.Item(tag.SharedFunctionalGroupsSequence, 0); ok {
		if m, ok := item.Item(sequence, 0); ok {
			return m
		}
	}
	return g.ds
}

// number returns the first value of an attribute, def where it has none.
func number(ds *dicom.DataSet, t tag.Tag, def float64) (float64, error) {
	if e, ok := ds.Get(t); !ok || e.Empty() || e.Count() == 0 || e.Text() == "" && e.VR.String() == "DS" {
		return def, nil
	}
	return ds.Float(t)
}
