// Package tag names DICOM data elements by their tags (PS3.5 7.1, PS3.6).
//
// The constants of ztag.go carry the keywords of PS3.6 chapter 6, PS3.7 annex E
// and PS3.10; repeating groups (50xx, 60xx, 7Fxx) are named by their first group.
package tag

// Tag is a data element tag: the group number in the upper 16 bits, the element
// number in the lower 16. Tags order as the standard orders data elements.
type Tag uint32

// New returns the tag of a group and an element number.
func New(group, element uint16) Tag { return Tag(group)<<16 | Tag(element) }

// Group returns the group number.
func (t Tag) Group() uint16 { return uint16(t >> 16) }

// Element returns the element number.
func (t Tag) Element() uint16 { return uint16(t) }

// IsPrivate reports whether the group number is odd (PS3.5 7.8).
func (t Tag) IsPrivate() bool { return t.Group()&1 == 1 }

// IsGroupLength reports whether t is a Group Length element (gggg,0000) (PS3.5 7.2).
func (t Tag) IsGroupLength() bool { return t.Element() == 0 }

// IsPrivateCreator reports whether t reserves a block of private elements:
// (gggg,0010-00FF) with gggg odd (PS3.5 7.8.1).
func (t Tag) IsPrivateCreator() bool {
	return t.IsPrivate() && t.Element() >= 0x10 && t.Element() <= 0xFF
}

// PrivateCreator returns the tag of the Private Creator element that reserves the
// block of t. It is false when t is not a private data element (PS3.5 7.8.1).
func (t Tag) PrivateCreator() (Tag, bool) {
	if !t.IsPrivate() || t.Element() < 0x1000 {
		return 0, false
	}
	return New(t.Group(), t.Element()>>8), true
}

const hexDigits = "0123456789ABCDEF"

// AppendText appends t to dst as the standard prints it: (gggg,eeee), hexadecimal,
// upper case.
func (t Tag) AppendText(dst []byte) ([]byte, error) {
	b := [11]byte{0: '(', 5: ',', 10: ')'}
	for i, at := range [8]int{1, 2, 3, 4, 6, 7, 8, 9} {
		b[at] = hexDigits[t>>(28-4*i)&0xF]
	}
	return append(dst, b[:]...), nil
}

// String returns t as (gggg,eeee), hexadecimal, upper case.
func (t Tag) String() string {
	b, _ := t.AppendText(make([]byte, 0, 11))
	return string(b)
}
