package render

import (
	"encoding/binary"
	"math"

	"gantry/dicom"
	"gantry/dicom/tag"
	"gantry/pixel"
)

// samples is a frame with one sample per pixel. Where samples have 16 bits at most, what
// they become is looked up by their bits; others are computed one by one.
type samples struct {
	d        pixel.Desc
	px       []byte
	modality curve
	dark     func(stored float64) bool // what is black whatever the rest says; nil is nothing
}

// share is how much light a stored value is drawn with.
func (s *samples) share(c curve, stored float64) float64 {
	if s.dark != nil && s.dark(stored) {
		return 0
	}
	return c(s.modality(stored))
}

// tabular reports whether a table of all values is small enough.
func tabular(d pixel.Desc) bool { return d.BitsAllocated <= 16 && !d.Float }

// value is the number that Bits Stored bits mean (PS3.5 8.1.1).
func value(d pixel.Desc, code uint64) float64 {
	shift := 64 - d.BitsStored
	if d.Signed {
		return float64(int64(code<<shift) >> shift)
	}
	return float64(code << shift >> shift)
}

// each calls f with the bits of each sample: of those that are stored, the lowest is bit 0.
func each(d pixel.Desc, px []byte, f func(i, code int)) {
	shift, mask := d.HighBit+1-d.BitsStored, 1<<d.BitsStored-1
	switch d.BitsAllocated {
	case 1:
		for i := range d.Rows * d.Columns {
			f(i, int(px[i/8]>>(i%8))&1)
		}
	case 8:
		for i, b := range px {
			f(i, int(b)>>shift&mask)
		}
	case 16:
		for i := range len(px) / 2 {
			f(i, int(binary.LittleEndian.Uint16(px[2*i:]))>>shift&mask)
		}
	}
}

// eachValue calls f with the number that each sample is, for those without a table.
func (s *samples) eachValue(f func(i int, v float64)) {
	n, shift := s.d.BitsAllocated/8, s.d.HighBit+1-s.d.BitsStored
	for i := range len(s.px) / n {
		var b [8]byte
		copy(b[:], s.px[i*n:][:n])
		bits := binary.LittleEndian.Uint64(b[:])
		switch {
		case s.d.Float && n == 4:
			f(i, float64(math.Float32frombits(uint32(bits))))
		case s.d.Float:
			f(i, math.Float64frombits(bits))
		default:
			f(i, value(s.d, bits>>shift))
		}
	}
}

// negative reports whether the least value of its form is below 0 after the Modality LUT.
func (s *samples) negative() bool {
	lowest, highest := value(s.d, 0), value(s.d, 1<<(s.d.BitsStored-1))
	return s.d.Float || s.modality(lowest) < 0 || s.modality(highest) < 0
}

// full spreads all values that samples can have: what a presentation state without a VOI
// LUT means.
func (s *samples) full(ds *dicom.DataSet) (curve, error) {
	if !tabular(s.d) {
		return s.automatic(ds)
	}
	low, high := math.Inf(1), math.Inf(-1)
	for code := range 1 << s.d.BitsStored {
		u := s.modality(value(s.d, uint64(code)))
		low, high = min(low, u), max(high, u)
	}
	return ramp(low, high), nil
}

// level is a share of the greatest output. What is no number is black.
func level(share, top float64) uint16 {
	if math.IsNaN(share) {
		return 0
	}
	return uint16(min(max(share, 0), 1)*top + 0.5)
}

// table is the output for all values that samples can have.
func (s *samples) table(voi curve, top float64) []uint16 {
	t := make([]uint16, 1<<s.d.BitsStored)
	for code := range t {
		t[code] = level(s.share(voi, value(s.d, uint64(code))), top)
	}
	return t
}

func (s *samples) draw8(pix []byte, voi curve) {
	if !tabular(s.d) {
		s.eachValue(func(i int, v float64) { pix[i] = byte(level(s.share(voi, v), 255)) })
		return
	}
	t := s.table(voi, 255)
	each(s.d, s.px, func(i, code int) { pix[i] = byte(t[code]) })
}

func (s *samples) draw16(pix []byte, voi curve) {
	put := binary.BigEndian.PutUint16 // as image.Gray16 has it
	if !tabular(s.d) {
		s.eachValue(func(i int, v float64) { put(pix[2*i:], level(s.share(voi, v), math.MaxUint16)) })
		return
	}
	t := s.table(voi, math.MaxUint16)
	each(s.d, s.px, func(i, code int) { put(pix[2*i:], t[code]) })
}

// automatic spreads what the frame has from black to white. A frame of one value is black.
func (s *samples) automatic(ds *dicom.DataSet) (curve, error) {
	padded, err := readPadding(ds, s.d)
	if err != nil {
		return nil, err
	}
	low, high := math.Inf(1), math.Inf(-1)
	add := func(v float64) {
		if u := s.modality(v); !padded(v) && !math.IsInf(u, 0) {
			low, high = min(low, u), max(high, u)
		}
	}
	if !tabular(s.d) {
		s.eachValue(func(_ int, v float64) {
			if !math.IsNaN(v) {
				add(v)
			}
		})
		return ramp(low, high), nil
	}
	used := make([]bool, 1<<s.d.BitsStored)
	each(s.d, s.px, func(_, code int) { used[code] = true })
	for code, is := range used {
		if is {
			add(value(s.d, uint64(code)))
		}
	}
	return ramp(low, high), nil
}

// readPadding returns which stored values fill the frame without being of the image (PS3.3
// C.7.5.1.1.2).
func readPadding(ds *dicom.DataSet, d pixel.Desc) (func(float64) bool, error) {
	from, to := tag.PixelPaddingValue, tag.PixelPaddingRangeLimit
	if d.Float && d.BitsAllocated == 32 {
		from, to = tag.FloatPixelPaddingValue, tag.FloatPixelPaddingRangeLimit
	} else if d.Float {
		from, to = tag.DoubleFloatPixelPaddingValue, tag.DoubleFloatPixelPaddingRangeLimit
	}
	a, err := number(ds, from, math.NaN())
	if err != nil {
		return nil, err
	}
	b, err := number(ds, to, a)
	if !d.Float && d.BitsAllocated <= 16 {
		a, b = fold(d, a), fold(d, b)
	}
	return func(v float64) bool { return v >= min(a, b) && v <= max(a, b) }, err
}

// fold reads a number anew as samples are: data sets confuse US and SS.
func fold(d pixel.Desc, v float64) float64 {
	if math.IsNaN(v) {
		return v
	}
	return value(d, uint64(int64(v)))
}
