package model

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"gantry/dicom"
	"gantry/dicom/tag"
	"gantry/dicom/vr"
)

// Difference tells the first element that a document made of one data set and read as the
// other would not be the same for, "" if there is none: tags, VRs, text in UTF-8 without
// padding and empty components at the end, decimal strings as numbers, all else byte for byte in little endian.
func Difference(a, b *dicom.DataSet) string { return differs(a, b, nil) }

func differs(a, b *dicom.DataSet, p dicom.Path) string {
	x, y := comparable(a), comparable(b)
	for i := range max(len(x), len(y)) {
		if i >= len(x) || i >= len(y) || x[i].Tag != y[i].Tag {
			return fmt.Sprintf("%v: element %d of %d and %d is another one", p, i, len(x), len(y))
		}
		if reason := elementsDiffer(x[i], y[i], p); reason != "" {
			return fmt.Sprintf("%v %v %v: %s", p, x[i].Tag, x[i].VR, reason)
		}
	}
	return ""
}

func comparable(ds *dicom.DataSet) []dicom.Element {
	return slices.DeleteFunc(slices.Collect(Elements(ds)), func(e dicom.Element) bool { return e.Tag == tag.SpecificCharacterSet })
}

func elementsDiffer(x, y dicom.Element, p dicom.Path) string {
	v := VROf(x)
	switch {
	case v != VROf(y) && !(x.Len() > 0xFFFF-1 && VROf(y) == vr.UN):
		return fmt.Sprintf("VR %v", VROf(y))
	case x.ItemCount() != y.ItemCount():
		return fmt.Sprintf("%d and %d items", x.ItemCount(), y.ItemCount())
	case v == vr.SQ:
		for i := range x.ItemCount() {
			if d := differs(x.Item(i), y.Item(i), append(p, dicom.Step{Tag: x.Tag, Index: i})); d != "" {
				return d
			}
		}
		return ""
	case v.IsText():
		return textsDiffer(x, y)
	}
	a, b := littleEndian(x), littleEndian(y)
	if w := NumberWidth(v); !IsBinary(v) {
		a = a[:len(a)/w*w] // part of a number is none
	} else if len(a)&1 == 1 {
		a = append(a, 0)
	}
	if !bytes.Equal(a, b) {
		return fmt.Sprintf("%d and %d bytes that are not the same", len(a), len(b))
	}
	return ""
}

func littleEndian(e dicom.Element) []byte {
	b, _ := io.ReadAll(fieldOf(e))
	if e.BigEndian() && e.VR != vr.UN {
		swap(b, e.VR.Width())
	}
	return b
}

func textsDiffer(x, y dicom.Element) string {
	a, b := x.Texts(), y.Texts()
	for i := range max(len(a), len(b)) {
		if !sameText(at(a, i), at(b, i), x.VR) {
			return fmt.Sprintf("%.80q and %.80q", a, b)
		}
	}
	return ""
}

func at(values []string, i int) string {
	if i < len(values) {
		return values[i]
	}
	return ""
}

// significant drops the delimiters behind the last component of each group of a name, which
// may be left out (PS3.5 6.2.1.1).
func significant(name string) string {
	parts := strings.Split(name, "=")
	for i, p := range parts {
		parts[i] = strings.TrimRight(p, "^ ")
	}
	return strings.TrimRight(strings.Join(parts, "="), "=")
}

func sameText(a, b string, v vr.VR) bool {
	if v == vr.PN {
		a, b = significant(a), significant(b)
	}
	if a = strings.ToValidUTF8(a, "\uFFFD"); a == b {
		return true
	}
	f, err := strconv.ParseFloat(a, 64)
	g, err2 := strconv.ParseFloat(b, 64)
	return (v == vr.DS || v == vr.IS) && err == nil && err2 == nil && f == g
}
