package dicom

import (
	"math"
	"strconv"
	"strings"

	"gantry/dicom/tag"
	"gantry/dicom/vr"
)

// Int returns the first value as an integer, as DataSet.Int does.
func (e Element) Int() (int64, error) { return e.IntAt(0) }

// IntAt returns the i-th value as an integer, from 0.
func (e Element) IntAt(i int) (int64, error) {
	if e.meaning().IsText() {
		return parseInt(e.Tag, e.textAt(i))
	}
	b, ok := e.numberAt(i)
	if !ok {
		return 0, &ValueError{e.Tag, "no such value"}
	}
	switch e.meaning() {
	case vr.FL, vr.FD, vr.OF, vr.OD:
		f := e.float(b)
		if f != math.Trunc(f) || math.Abs(f) >= 1<<63 {
			return 0, &ValueError{e.Tag, "not an integer"}
		}
		return int64(f), nil
	case vr.UV, vr.OV:
		if u := e.order().Uint64(b); u > math.MaxInt64 {
			return 0, &ValueError{e.Tag, "beyond 63 bits"}
		}
	}
	return e.integer(b), nil
}

// Ints returns all values as integers, as DataSet.Int does.
func (e Element) Ints() ([]int64, error) {
	n := e.Count()
	out := make([]int64, 0, n)
	for i := range n {
		v, err := e.IntAt(i)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

// Float returns the first value as a number, as DataSet.Float does.
func (e Element) Float() (float64, error) { return e.FloatAt(0) }

// FloatAt returns the i-th value as a number, from 0.
func (e Element) FloatAt(i int) (float64, error) {
	if e.meaning().IsText() {
		f, err := strconv.ParseFloat(e.textAt(i), 64)
		if err != nil {
			return 0, &ValueError{e.Tag, "not a number"}
		}
		return f, nil
	}
	b, ok := e.numberAt(i)
	if !ok {
		return 0, &ValueError{e.Tag, "no such value"}
	}
	switch e.meaning() {
	case vr.FL, vr.FD, vr.OF, vr.OD:
		return e.float(b), nil
	case vr.UV, vr.OV:
		return float64(e.order().Uint64(b)), nil
	}
	return float64(e.integer(b)), nil
}

// Count returns the value multiplicity as it stands (PS3.5 6.4): text values between
// backslashes, or whole numbers. 0 for sequences, fragments and empty values.
func (e Element) Count() int {
	n := e.Len()
	if n == 0 {
		return 0
	}
	if !e.meaning().IsText() {
		if e.meaning() == vr.AT {
			return int(n / 4)
		}
		return int(n / int64(e.meaning().Width()))
	}
	if e.meaning().IsSingle() {
		return 1
	}
	return strings.Count(e.decoded(), `\`) + 1
}

func (e Element) textAt(i int) string {
	if i == 0 {
		return e.Text()
	}
	if v := e.Texts(); i < len(v) {
		return v[i]
	}
	return ""
}

func parseInt(t tag.Tag, s string) (int64, error) {
	n, err := strconv.ParseInt(strings.TrimPrefix(s, "+"), 10, 64)
	if err == nil {
		return n, nil
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || f != math.Trunc(f) || math.Abs(f) > 1<<53 {
		return 0, &ValueError{t, "not an integer"}
	}
	return int64(f), nil
}

func (e Element) order() encodingOrder { return encodingOrder(e.record().is(flagBig) && e.VR != vr.UN) }

// numberAt returns the bytes of the i-th number.
func (e Element) numberAt(i int) ([]byte, bool) {
	w := e.meaning().Width()
	if e.meaning() == vr.AT {
		w = 4
	}
	b := e.Bytes()
	if i < 0 || e.VR == vr.SQ || i > len(b)/w || (i+1)*w > len(b) {
		return nil, false
	}
	return b[i*w : (i+1)*w], true
}

func (e Element) integer(b []byte) int64 {
	o := e.order()
	switch e.meaning() {
	case vr.SS:
		return int64(int16(o.Uint16(b)))
	case vr.US, vr.OW:
		return int64(o.Uint16(b))
	case vr.SL:
		return int64(int32(o.Uint32(b)))
	case vr.UL, vr.OL:
		return int64(o.Uint32(b))
	case vr.AT:
		return int64(tag.New(o.Uint16(b), o.Uint16(b[2:])))
	case vr.SV, vr.UV, vr.OV:
		return int64(o.Uint64(b))
	}
	return int64(b[0])
}

func (e Element) float(b []byte) float64 {
	if len(b) == 4 {
		return float64(math.Float32frombits(e.order().Uint32(b)))
	}
	return math.Float64frombits(e.order().Uint64(b))
}

// numbers prints up to most values in decimal, all if most is negative.
func (e Element) numbers(most int) []string {
	n := e.Count()
	if most >= 0 {
		n = min(n, most)
	}
	if n == 0 || e.IsSequence() {
		return nil
	}
	out := make([]string, 0, min(n, 1024))
	for i := range n {
		b, ok := e.numberAt(i)
		if !ok {
			return out
		}
		out = append(out, e.print(b))
	}
	return out
}

func (e Element) print(b []byte) string {
	switch e.meaning() {
	case vr.AT:
		return tag.Tag(e.integer(b)).String()
	case vr.FL, vr.OF:
		return strconv.FormatFloat(e.float(b), 'g', -1, 32)
	case vr.FD, vr.OD:
		return strconv.FormatFloat(e.float(b), 'g', -1, 64)
	case vr.UV, vr.OV:
		return strconv.FormatUint(e.order().Uint64(b), 10)
	}
	return strconv.FormatInt(e.integer(b), 10)
}
