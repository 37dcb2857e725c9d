package render

import (
	"image"
	"math"

	"gantry/dicom"
	"gantry/dicom/tag"
	"gantry/pixel"
)

// colour draws RGB and YBR_FULL (PS3.3 C.7.6.3.1.2) with 8 bits a sample.
func colour(d pixel.Desc, px []byte) *image.RGBA {
	out := image.NewRGBA(image.Rect(0, 0, d.Columns, d.Rows))
	if d.Signed = false; tabular(d) {
		t := byteScale(d.BitsStored)
		each(d, px, func(i, code int) { out.Pix[i/3*4+i%3] = t[code] })
	} else {
		s, top := samples{d: d, px: px}, math.Ldexp(1, d.BitsStored)-1
		s.eachValue(func(i int, v float64) { out.Pix[i/3*4+i%3] = byte(v/top*255 + 0.5) })
	}
	ybr := d.Photometric == pixel.YBRFull
	for p := out.Pix; len(p) > 0; p = p[4:] {
		if p[3] = 0xFF; ybr {
			toRGB(p)
		}
	}
	return out
}

// byteScale is the table from samples of some bits to bytes.
func byteScale(bits int) []byte {
	t := make([]byte, 1<<bits)
	top := max(len(t)-1, 1)
	for v := range t {
		t[v] = byte((v*255 + top/2) / top)
	}
	return t
}

// toRGB converts a pixel in place with 16 fractional bits: 1.402, 0.344136, 0.714136 and
// 1.772.
func toRGB(p []byte) {
	y, cb, cr := int(p[0])<<16+1<<15, int(p[1])-128, int(p[2])-128
	p[0] = clip(y + 91881*cr)
	p[1] = clip(y - 22554*cb - 46802*cr)
	p[2] = clip(y + 116130*cb)
}

func clip(v int) byte { return byte(min(max(v>>16, 0), 255)) }

// palette is the three tables of PS3.3 C.7.9.
var palette = [3][3]tag.Tag{
	{tag.RedPaletteColorLookupTableDescriptor, tag.RedPaletteColorLookupTableData, tag.SegmentedRedPaletteColorLookupTableData},
	{tag.GreenPaletteColorLookupTableDescriptor, tag.GreenPaletteColorLookupTableData, tag.SegmentedGreenPaletteColorLookupTableData},
	{tag.BluePaletteColorLookupTableDescriptor, tag.BluePaletteColorLookupTableData, tag.SegmentedBluePaletteColorLookupTableData},
}

// paletteColor draws PALETTE COLOR: one table of whole colours is made of the three.
func paletteColor(ds *dicom.DataSet, d pixel.Desc, px []byte) (*image.RGBA, error) {
	l, err := readPalettes(ds, d.Signed)
	if err != nil {
		return nil, err
	}
	t := make([][4]byte, 1<<d.BitsStored)
	for code := range t {
		v := int(value(d, uint64(code)))
		t[code] = [4]byte{l[0].byteAt(v), l[1].byteAt(v), l[2].byteAt(v), 0xFF}
	}
	out := image.NewRGBA(image.Rect(0, 0, d.Columns, d.Rows))
	each(d, px, func(i, code int) { copy(out.Pix[4*i:], t[code][:]) })
	return out, nil
}

// readPalette reads the table of one colour, segmented or not.
func readPalette(ds *dicom.DataSet, tags [3]tag.Tag, signed bool) (*lut, error) {
	if ds.Has(tags[1]) || !ds.Has(tags[2]) {
		return readLUT(ds, tags[0], tags[1], signed)
	}
	l, n, err := readDescriptor(ds, tags[0], signed)
	if err != nil {
		return nil, err
	}
	b, err := words(ds, tags[2])
	if err != nil {
		return nil, err
	}
	if l.data, err = expand(b, l.bits > 8, n); err != nil {
		return nil, &dicom.ValueError{Tag: tags[2], Reason: err.Error()}
	}
	return l, nil
}
