package render

import (
	"image"
	"math"

	"gantry/dicom"
	"gantry/dicom/tag"
	"gantry/pixel"
)

// grey is the pipeline of PS3.3 C.11: stored value, Modality LUT, VOI LUT, Presentation LUT.
func grey(g groups, d pixel.Desc, px []byte, o Options) (image.Image, error) {
	s, voi, err := pipeline(g, d, px, o)
	if err != nil {
		return nil, err
	}
	if o.Deep {
		out := image.NewGray16(image.Rect(0, 0, d.Columns, d.Rows))
		s.draw16(out.Pix, voi)
		return out, nil
	}
	out := image.NewGray(image.Rect(0, 0, d.Columns, d.Rows))
	s.draw8(out.Pix, voi)
	return out, nil
}

// pipeline is what to draw, and how: all steps that a presentation state has are its own
// (PS3.4 N.2).
func pipeline(g groups, d pixel.Desc, px []byte, o Options) (s samples, c curve, err error) {
	from := g
	if o.State != nil {
		from = groups{ds: o.State.ds}
	}
	s = samples{d: d, px: px}
	if s.modality, err = readModality(from, d); err != nil {
		return s, nil, err
	}
	if c, err = chooseVOI(g, &s, o); err != nil {
		return s, nil, err
	}
	if c, err = presented(from.ds, d, c, o); err != nil || !o.DarkPadding {
		return s, c, err
	}
	s.dark, err = readPadding(g.ds, d)
	return s, c, err
}

func inverse(c curve) curve {
	return func(v float64) float64 { return 1 - c(v) }
}

// readModality returns the function from stored values to units (PS3.3 C.11.1).
func readModality(g groups, d pixel.Desc) (curve, error) {
	if item, ok := table(g.ds, tag.ModalityLUTSequence); ok && !d.Float {
		l, err := readLUT(item, tag.LUTDescriptor, tag.LUTData, d.Signed)
		if err != nil {
			return nil, err
		}
		return func(v float64) float64 { return float64(l.at(toInt(v))) }, nil
	}
	if g.ds.Has(tag.DoseGridScaling) { // of RT Dose, to units of its own (PS3.3 C.8.8.3)
		scaling, err := number(g.ds, tag.DoseGridScaling, 1)
		return func(v float64) float64 { return scaling * v }, err
	}
	m := g.macro(tag.PixelValueTransformationSequence)
	slope, err := number(m, tag.RescaleSlope, 1)
	if err != nil {
		return nil, err
	}
	intercept, err := number(m, tag.RescaleIntercept, 0)
	if slope == 0 {
		return nil, &dicom.ValueError{Tag: tag.RescaleSlope, Reason: "0: every pixel would be the same"}
	}
	return func(v float64) float64 { return slope*v + intercept }, err
}

// table returns the item with a table, if the sequence has more than an empty form of one.
func table(ds *dicom.DataSet, sequence tag.Tag) (*dicom.DataSet, bool) {
	item, ok := ds.Item(sequence, 0)
	if !ok {
		return nil, false
	}
	e, ok := item.Get(tag.LUTDescriptor)
	return item, ok && !e.Empty()
}

// toInt is the integer that a table is asked for: one beyond all tables in place of what
// no integer holds.
func toInt(v float64) int {
	if math.IsNaN(v) {
		return 0
	}
	return int(math.Round(min(max(v, -1<<40), 1<<40)))
}

// chooseVOI returns the function from units to greys (PS3.3 C.11.2).
func chooseVOI(g groups, s *samples, o Options) (curve, error) {
	if o.Window != nil {
		return o.Window.curve()
	}
	if o.VOI == Automatic {
		return s.automatic(g.ds)
	}
	if o.State != nil {
		return o.State.voi(g, s)
	}
	w, err := storedWindow(g.macro(tag.FrameVOILUTSequence))
	switch {
	case err != nil:
		return nil, err
	case w != nil:
		return w.curve()
	}
	if item, ok := table(g.ds, tag.VOILUTSequence); ok {
		return readVOI(item, s)
	}
	return s.automatic(g.ds)
}

// readVOI reads a VOI LUT. Its inputs are signed where units can be less than 0.
func readVOI(item *dicom.DataSet, s *samples) (curve, error) {
	l, err := readLUT(item, tag.LUTDescriptor, tag.LUTData, s.negative())
	if err != nil {
		return nil, err
	}
	return func(v float64) float64 { return min(float64(l.at(toInt(v)))/l.top(), 1) }, nil
}
