package render

import (
	"math"

	"gantry/dicom"
	"gantry/dicom/tag"
	"gantry/pixel"
)

// Shape is a Presentation LUT Shape (PS3.3 C.11.6).
type Shape string

// The shapes of a softcopy (PS3.3 C.11.6), and that of a print (C.11.4).
const (
	Identity Shape = "IDENTITY"
	Inverse  Shape = "INVERSE"
	LinOD    Shape = "LIN OD" // optical densities: the greatest value is the darkest
)

// presented puts the Presentation LUT behind a VOI LUT, and behind that what a film has.
func presented(ds *dicom.DataSet, d pixel.Desc, voi curve, o Options) (curve, error) {
	c, err := displayed(ds, d, voi, o)
	if err != nil || o.box == nil {
		return c, err
	}
	return o.box.printed(c)
}

// displayed puts the Presentation LUT of an image or of a presentation state behind a VOI
// LUT. An image of MONOCHROME1 without a table is inverted.
func displayed(ds *dicom.DataSet, d pixel.Desc, voi curve, o Options) (curve, error) {
	shape := o.Shape
	if shape == "" {
		if l, err := presentationTable(ds); l != nil || err != nil {
			return l.after(voi), err
		}
		if shape = Shape(ds.Text(tag.PresentationLUTShape)); d.Photometric == pixel.Monochrome1 && o.State == nil {
			shape = Inverse
		}
	}
	return shape.after(voi, o.Film), nil
}

// presentationTable reads the table of a Presentation LUT, nil if there is none.
func presentationTable(ds *dicom.DataSet) (*lut, error) {
	item, ok := table(ds, tag.PresentationLUTSequence)
	if !ok {
		return nil, nil
	}
	return readLUT(item, tag.LUTDescriptor, tag.LUTData, false)
}

// after puts a shape behind c. IDENTITY, and what nobody knows, change nothing.
func (s Shape) after(c curve, film Film) curve {
	switch s {
	case Inverse:
		return inverse(c)
	case LinOD:
		f := film.pvalues()
		return func(v float64) float64 { return f(c(v)) }
	}
	return c
}

// after puts a Presentation LUT behind c: its entries are for equal steps from black to
// white (PS3.3 C.11.6.1.1).
func (l *lut) after(c curve) curve {
	if l == nil {
		return c
	}
	last, top := float64(len(l.data)-1), l.top()
	return func(v float64) float64 {
		share := c(v)
		if math.IsNaN(share) {
			return 0
		}
		return min(float64(l.data[int(min(max(share, 0), 1)*last+0.5)])/top, 1)
	}
}

// Film says how densities become light (PS3.3 C.13.3): the zero value stands for 0.2 to 3.0,
// a light box of 2,000 cd/m² and 10 cd/m² of light from the room.
type Film struct {
	Min, Max     float64 // optical densities
	Illumination float64 // cd/m²
	Ambient      float64 // reflected ambient light, cd/m²
}

func (f Film) orDefault() Film {
	if f.Max == 0 {
		f.Min, f.Max = 0.2, 3
	}
	if f.Illumination == 0 {
		f.Illumination, f.Ambient = 2000, 10
	}
	return f
}

// pvalues returns the function from a share of the range of densities, the least at 0, to the
// share of P-Values that looks the same on a standard display (PS3.14 7).
func (f Film) pvalues() curve {
	f = f.orDefault()
	light := func(density float64) float64 { return f.Ambient + f.Illumination*math.Pow(10, -density) }
	low, high := jnd(light(f.Max)), jnd(light(f.Min))
	return func(share float64) float64 {
		density := f.Min + min(max(share, 0), 1)*(f.Max-f.Min)
		return (jnd(light(density)) - low) / (high - low)
	}
}

// jnd is the index of just noticeable differences of a luminance in cd/m² (PS3.14 7.1).
func jnd(l float64) float64 {
	x, sum := math.Log10(l), 0.0
	for _, c := range []float64{-0.017046845, 0.14710899, -0.18014349, -1.1878455, 0.28175407, 9.8247004, 41.912053, 94.593053, 71.498068} {
		sum = sum*x + c
	}
	return sum
}
