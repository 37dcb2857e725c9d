package render

import (
	"encoding/binary"
	"fmt"

	"gantry/dicom"
	"gantry/dicom/tag"
)

// lut is a look-up table of PS3.3 C.11.1.1 or C.7.6.3.1.5.
type lut struct {
	first int // the input that the first entry is for; what lies outside has the nearest entry
	bits  int // of an entry
	data  []uint16
}

func (l *lut) at(v int) uint16 {
	return l.data[min(max(v-l.first, 0), len(l.data)-1)]
}

// top is the greatest value that an entry can have.
func (l *lut) top() float64 { return float64(int(1)<<l.bits - 1) }

const (
	maxEntries = 1 << 16
	maxData    = 1 << 20 // bytes of segments, which may well be longer than what they say
)

// readLUT reads the table whose descriptor and data have the given tags. signed says of
// what kind the inputs are, for data sets that do not tell US from SS.
func readLUT(ds *dicom.DataSet, descriptor, data tag.Tag, signed bool) (*lut, error) {
	l, n, err := readDescriptor(ds, descriptor, signed)
	if err != nil {
		return nil, err
	}
	b, err := words(ds, data)
	if err != nil {
		return nil, err
	}
	l.data, err = entries(b, n, data)
	return l, err
}

// readDescriptor reads the number of entries, the first input and the bits of an entry
// (PS3.3 C.11.1.1.1).
func readDescriptor(ds *dicom.DataSet, t tag.Tag, signed bool) (*lut, int, error) {
	e, ok := ds.Get(t)
	if !ok {
		return nil, 0, &dicom.ValueError{Tag: t, Reason: "missing: the table cannot be read without it"}
	}
	v, err := ints(e)
	if err != nil || len(v) != 3 {
		return nil, 0, &dicom.ValueError{Tag: t, Reason: fmt.Sprintf("%d numbers, a descriptor has 3: %v", len(v), err)}
	}
	n, first := int(uint16(v[0])), int(v[1])
	if n == 0 {
		n = maxEntries
	}
	if first > 0x7FFF && signed {
		first -= 1 << 16
	}
	if v[2] < 8 || v[2] > 16 {
		return nil, 0, &dicom.ValueError{Tag: t, Reason: fmt.Sprintf("entries of %d bits, 8 to 16 are allowed", v[2])}
	}
	return &lut{first: first, bits: int(v[2])}, n, nil
}

// ints reads the few numbers of a descriptor, however many somebody has put there.
func ints(e dicom.Element) (v []int64, err error) {
	for i := range min(e.Count(), 4) {
		n, err := e.IntAt(i)
		if err != nil {
			return v, err
		}
		v = append(v, n)
	}
	return v, nil
}

// words returns the value of table data in little endian.
func words(ds *dicom.DataSet, t tag.Tag) ([]byte, error) {
	e, ok := ds.Get(t)
	switch {
	case !ok || e.Len() == 0:
		return nil, &dicom.ValueError{Tag: t, Reason: "missing or empty: the table has no entries"}
	case e.Len() > maxData:
		return nil, &dicom.ValueError{Tag: t, Reason: fmt.Sprintf("%d bytes, a table has %d at most", e.Len(), maxData)}
	}
	b := make([]byte, e.Len())
	if n, err := e.Reader().ReadAt(b, 0); n < len(b) {
		return nil, &dicom.ValueError{Tag: t, Reason: fmt.Sprintf("%d of %d bytes could be read: %v", n, len(b), err)}
	}
	if e.BigEndian() && e.VR.Width() == 2 {
		for i := 0; i+1 < len(b); i += 2 {
			b[i], b[i+1] = b[i+1], b[i]
		}
	}
	return b, nil
}

// entries reads n entries: words, or bytes where there are no more (PS3.3 C.7.6.3.1.6).
func entries(b []byte, n int, t tag.Tag) ([]uint16, error) {
	out := make([]uint16, n)
	switch {
	case len(b) >= 2*n:
		for i := range out {
			out[i] = binary.LittleEndian.Uint16(b[2*i:])
		}
	case len(b) == n || len(b) == n+1:
		for i := range out {
			out[i] = uint16(b[i])
		}
	default:
		return nil, &dicom.ValueError{Tag: t, Reason: fmt.Sprintf("%d bytes, the descriptor says %d entries", len(b), n)}
	}
	return out, nil
}
