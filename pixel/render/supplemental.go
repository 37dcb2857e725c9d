package render

import (
	"image"
	"math"

	"gantry/dicom"
	"gantry/dicom/tag"
	"gantry/dicom/uid"
	"gantry/pixel"
)

// monochrome draws an image of greys, with colours where a palette goes with it: that of a
// Pseudo-Color Presentation State for all of it (PS3.3 A.33.3), a supplemental one for some
// values (C.7.6.19).
func monochrome(g groups, d pixel.Desc, px []byte, o Options) (image.Image, error) {
	pseudo := o.State != nil && o.State.ds.UID(tag.SOPClassUID) == uid.PseudoColorSoftcopyPresentationStateStorage
	if pseudo {
		m, err := grey(g, d, px, with16(o))
		if err != nil {
			return nil, err
		}
		return throughPalette(m.(*image.Gray16), o.State.ds)
	}
	m, err := grey(g, d, px, o)
	if err != nil || !supplemented(g.ds) || !tabular(d) {
		return m, err
	}
	return supplement(m, g, d, px)
}

func with16(o Options) Options {
	o.Deep = true
	return o
}

// supplemented reports whether some values of the image are meant to be colours.
func supplemented(ds *dicom.DataSet) bool {
	p := ds.Text(tag.PixelPresentation)
	return (p == "COLOR" || p == "MIXED") && ds.Has(tag.RedPaletteColorLookupTableDescriptor)
}

// supplement colours the stored values from the first that the palette has.
func supplement(m image.Image, g groups, d pixel.Desc, px []byte) (image.Image, error) {
	l, err := readPalettes(g.ds, d.Signed)
	if err != nil {
		return nil, err
	}
	from, to := l[0].first, math.MaxInt // what is beyond the table has its last colour
	if item, ok := g.ds.Item(tag.StoredValueColorRangeSequence, 0); ok {
		low, err1 := item.Float(tag.MinimumStoredValueMapped)
		high, err2 := item.Float(tag.MaximumStoredValueMapped)
		if err1 == nil && err2 == nil {
			from, to = max(from, toInt(low)), min(to, toInt(high))
		}
	}
	out := inColour(m)
	each(d, px, func(i, code int) {
		if v := int(value(d, uint64(code))); v >= from && v <= to {
			for c, t := range l {
				out.Pix[4*i+c] = t.byteAt(v)
			}
		}
	})
	return out, nil
}

// throughPalette colours greys: black is the first entry, white the last.
func throughPalette(m *image.Gray16, ds *dicom.DataSet) (image.Image, error) {
	l, err := readPalettes(ds, false)
	if err != nil {
		return nil, err
	}
	out := image.NewRGBA(m.Rect)
	for i := range len(m.Pix) / 2 {
		share := int(m.Pix[2*i])<<8 | int(m.Pix[2*i+1])
		for c, t := range l {
			out.Pix[4*i+c] = t.byteAt(t.first + (share*(len(t.data)-1)+32767)/65535)
		}
		out.Pix[4*i+3] = 0xFF
	}
	return out, nil
}

// readPalettes reads the three tables of a palette.
func readPalettes(ds *dicom.DataSet, signed bool) (l [3]*lut, err error) {
	for c, tags := range palette {
		if l[c], err = readPalette(ds, tags, signed); err != nil {
			return l, err
		}
	}
	return l, nil
}

// byteAt is the entry for v with 8 bits.
func (l *lut) byteAt(v int) byte { return byte(min(l.at(v)>>(l.bits-8), 255)) }
