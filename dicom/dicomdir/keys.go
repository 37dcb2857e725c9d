package dicomdir

import (
	"fmt"
	"slices"
	"strings"

	"gantry/dicom"
	"gantry/dicom/dict"
	"gantry/dicom/tag"
	"gantry/dicom/uid"
	"gantry/dicom/vr"
)

// Key is an attribute of a record, which comes from the objects below it.
type Key struct {
	Tag tag.Tag
	// Type is 1 (with a value), 2 (perhaps without), 3 (only if the object has it), or 1C
	// and 2C, which are taken like 3 (PS3.5 7.4).
	Type string
}

// ParseKey reads KEYWORD[:TYPE]; the type is 3 without one. Instead of a keyword gggg,eeee
// will do.
func ParseKey(s string) (Key, error) {
	name, kind, has := strings.Cut(s, ":")
	if !has {
		kind = "3"
	}
	p, t, err := dicom.ParsePath(name)
	switch {
	case err != nil:
		return Key{}, fmt.Errorf("dicomdir: key %q: %w", s, err)
	case len(p) > 0:
		return Key{}, fmt.Errorf("dicomdir: key %q: is in a sequence", s)
	case t.Group() <= 4 || t.Group() == 0x7FE0:
		return Key{}, fmt.Errorf("dicomdir: key %q: cannot be one", s)
	case !slices.Contains([]string{"1", "2", "3"}, kind):
		return Key{}, fmt.Errorf("dicomdir: key %q: the type is 1, 2 or 3", s)
	}
	return Key{Tag: t, Type: kind}, nil
}

// RecordType returns the type of the record that refers to instances of a SOP Class, and
// whether there is one (PS3.3 F.4).
func RecordType(class uid.UID) (string, bool) {
	t := recordTypeOf(class)
	return t, t != ""
}

// Keys lists the keys of a record type in the order of their tags (PS3.3 F.5); the result
// is nil for a type without any.
func Keys(recordType string) []Key { return recordKeysOf(recordType) }

// merged are the keys of a record type and those that the user wants, which count where
// both have one.
func merged(recordType string, extra []Key) []Key {
	keys := Keys(recordType)
	for _, k := range extra {
		i, ok := slices.BinarySearchFunc(keys, k.Tag, func(k Key, t tag.Tag) int { return int(int64(k.Tag) - int64(t)) })
		if !ok {
			keys = slices.Insert(keys, i, k)
			continue
		}
		keys[i].Type = min(keys[i].Type, k.Type) // 1 before 2 before 3
	}
	return keys
}

// keyed puts the keys of a record into it.
func (b *Builder) keyed(e *dicom.Editor, keys []Key, ds *dicom.DataSet, number int) error {
	international := false
	for _, k := range keys {
		el, ok := source(ds, k.Tag)
		switch {
		case ok && !el.Empty():
			if err := copyKey(e, k.Tag, el); err != nil {
				return err
			}
			international = international || beyondASCII(el)
		case k.Type == "1" && !b.Invent:
			return &MissingError{Tag: k.Tag}
		case k.Type == "1":
			if err := invent(e, k.Tag, number); err != nil {
				return err
			}
		case k.Type == "2" || k.Type == "3" && ok:
			copyEmpty(e, k.Tag)
		}
	}
	// Required if an extended or replacement character set is used in one of the keys.
	if cs, ok := ds.Get(tag.SpecificCharacterSet); ok && international {
		e.SetBytes(tag.SpecificCharacterSet, vr.CS, cs.Bytes())
	}
	return nil
}

// source is where the value of a key is.
func source(ds *dicom.DataSet, t tag.Tag) (dicom.Element, bool) {
	if t == tag.VerificationDateTime {
		return verified(ds)
	}
	return ds.Get(t)
}

// verified is the most recent of the verifications of a document (PS3.3 Table F.5-25).
func verified(ds *dicom.DataSet) (last dicom.Element, ok bool) {
	for _, observer := range ds.Items(tag.VerifyingObserverSequence) {
		if el, has := observer.Get(tag.VerificationDateTime); has && (!ok || el.Text() > last.Text()) {
			last, ok = el, true
		}
	}
	return last, ok
}

// maxKey bounds the value of a key.
const maxKey = 64 << 10

func copyKey(e *dicom.Editor, t tag.Tag, el dicom.Element) error {
	_, bulk := el.Bulk()
	switch {
	case bulk || el.IsEncapsulated() || el.Len() > maxKey:
		return fmt.Errorf("dicomdir: %v has %d bytes: too long for a key", t, el.Len())
	case el.IsSequence():
		if kept := items(t, el); len(kept) > 0 {
			e.SetItems(t, kept...)
		}
	case el.VR.IsText() || el.VR == vr.UN:
		e.SetBytes(t, el.VR, el.Bytes())
	default:
		e.SetTextAs(t, el.VR, el.Texts()...)
	}
	return nil
}

// items are those of a sequence; of a document's content only what modifies its title
// (PS3.3 Table F.5-25).
func items(t tag.Tag, el dicom.Element) []*dicom.DataSet {
	var out []*dicom.DataSet
	for i := range el.ItemCount() {
		item := el.Item(i)
		if t != tag.ContentSequence || item.Text(tag.RelationshipType) == "HAS CONCEPT MOD" {
			out = append(out, item)
		}
	}
	return out
}

func copyEmpty(e *dicom.Editor, t tag.Tag) {
	switch v := dict.VROf(t); v {
	case vr.SQ:
		e.SetItems(t)
	case 0:
		e.SetBytes(t, vr.UN, nil)
	default:
		e.SetBytes(t, v, nil)
	}
}

// beyondASCII reports whether a text cannot be read without its character set. Items of
// sequences bring theirs along.
func beyondASCII(el dicom.Element) bool {
	return el.VR.HasCharset() && slices.ContainsFunc(el.Bytes(), func(c byte) bool { return c >= 0x80 || c == 0x1B })
}

// invent makes up a value that has to be there.
func invent(e *dicom.Editor, t tag.Tag, number int) error {
	switch v := dict.VROf(t); {
	case t == tag.Modality:
		e.SetText(t, "OT")
	case t == tag.PatientID:
		e.SetText(t, fmt.Sprintf("UNKNOWN%d", number))
	case v == vr.DA:
		e.SetText(t, "19000101")
	case v == vr.TM:
		e.SetText(t, "000000")
	case v == vr.DT:
		e.SetText(t, "19000101000000")
	case v == vr.SQ || v == vr.UI || v == vr.OB || v == vr.OW:
		return &MissingError{Tag: t}
	default:
		e.SetText(t, fmt.Sprint(number))
	}
	return nil
}

// MissingError says that an object has no value for a key that must have one.
type MissingError struct {
	Record string // type of the record
	Tag    tag.Tag
}

func (e *MissingError) Error() string {
	return fmt.Sprintf("dicomdir: %v has no value, and a %s record must have one (PS3.3 F.5)", e.Tag, e.Record)
}
