package render

import (
	"fmt"
	"image"
	"image/color"
	"math"
	"slices"
	"strconv"

	"gantry/dicom"
	"gantry/dicom/tag"
	"gantry/dicom/uid"
	"gantry/pixel"
)

// State is a softcopy presentation state: how somebody wants images to be seen (PS3.3 A.33).
// It may be used from any number of goroutines.
type State struct {
	ds     *dicom.DataSet
	layers []graphicLayer // by their order
}

// ReadState makes ds ready for Options.State. Grayscale, Color and Pseudo-Color Softcopy
// Presentation States are understood. Errors are FormatError and *dicom.ValueError.
func ReadState(ds *dicom.DataSet) (*State, error) {
	switch class := ds.UID(tag.SOPClassUID); class {
	case uid.GrayscaleSoftcopyPresentationStateStorage, uid.ColorSoftcopyPresentationStateStorage, uid.PseudoColorSoftcopyPresentationStateStorage:
	default:
		return nil, FormatError(fmt.Sprintf("%s (%s) is no presentation state that can be applied here: wanted is Grayscale, Color or Pseudo-Color", class, class.Name()))
	}
	s := &State{ds: ds}
	var err error
	s.layers, err = readLayers(ds)
	return s, err
}

// Shows reports whether s refers to a frame, counted from 0, of an image.
func (s *State) Shows(image *dicom.DataSet, frame int) bool {
	if s.ds.ItemCount(tag.ReferencedSeriesSequence) == 0 {
		return true
	}
	for _, series := range s.ds.Items(tag.ReferencedSeriesSequence) {
		if series.ItemCount(tag.ReferencedImageSequence) > 0 && refers(series, groups{image, frame}) {
			return true
		}
	}
	return false
}

// refers reports whether an item is for a frame. One that names no image is for all.
func refers(item *dicom.DataSet, g groups) bool {
	if item.ItemCount(tag.ReferencedImageSequence) == 0 {
		return true
	}
	instance := g.ds.UID(tag.SOPInstanceUID)
	for _, r := range item.Items(tag.ReferencedImageSequence) {
		if r.UID(tag.ReferencedSOPInstanceUID) == instance && hasFrame(r, g.frame) {
			return true
		}
	}
	return false
}

// hasFrame reports whether a reference is for a frame, counted from 0.
func hasFrame(r *dicom.DataSet, frame int) bool {
	frames := r.Texts(tag.ReferencedFrameNumber)
	return len(frames) == 0 || slices.Contains(frames, strconv.Itoa(frame+1))
}

// item returns the first item of a sequence that is for a frame.
func (s *State) item(sequence tag.Tag, g groups) (*dicom.DataSet, bool) {
	for _, item := range s.ds.Items(sequence) {
		if refers(item, g) {
			return item, true
		}
	}
	return nil, false
}

// voi is the Softcopy VOI LUT (PS3.3 C.11.8).
func (s *State) voi(g groups, px *samples) (curve, error) {
	item, ok := s.item(tag.SoftcopyVOILUTSequence, g)
	if !ok {
		return px.full(g.ds)
	}
	if t, ok := table(item, tag.VOILUTSequence); ok {
		return readVOI(t, px)
	}
	w, err := storedWindow(item)
	if err != nil || w == nil {
		return nil, cmpErr(err, &dicom.ValueError{Tag: tag.SoftcopyVOILUTSequence, Reason: "neither a window nor a table"})
	}
	return w.curve()
}

func cmpErr(err, def error) error {
	if err != nil {
		return err
	}
	return def
}

// area reads displayed area and spatial transformation into v (PS3.3 C.10.4, C.10.6). It
// returns the height of a pixel over its width, and how many pixels of the picture are one
// of the image.
func (s *State) area(v *view, g groups, aspect float64) (float64, float64, error) {
	if r, err := s.ds.Int(tag.ImageRotation); err == nil {
		if r%90 != 0 {
			return 0, 0, &dicom.ValueError{Tag: tag.ImageRotation, Reason: fmt.Sprintf("%d is none of 0, 90, 180 and 270", r)}
		}
		v.quarters = int(r/90) & 3
	}
	v.flip = s.ds.Text(tag.ImageHorizontalFlip) == "Y"
	item, ok := s.item(tag.DisplayedAreaSelectionSequence, g)
	if !ok {
		return aspect, 1, nil
	}
	if err := corners(v, item); err != nil {
		return 0, 0, err
	}
	factor := 1.0
	var err error
	if item.Text(tag.PresentationSizeMode) == "MAGNIFY" {
		var f []float64
		if f, err = numbers(item, tag.PresentationPixelMagnificationRatio, 1); err != nil {
			return 0, 0, err
		}
		if factor = f[0]; !(factor > 0) || factor > 1000 {
			return 0, 0, &dicom.ValueError{Tag: tag.PresentationPixelMagnificationRatio, Reason: fmt.Sprintf("%g is not from 0 to 1000", factor)}
		}
	}
	for _, t := range []tag.Tag{tag.PresentationPixelSpacing, tag.PresentationPixelAspectRatio} {
		if e, ok := item.Get(t); ok && e.Count() > 0 {
			aspect, err = ratio(item, t)
			break
		}
	}
	return aspect, factor, err
}

// corners reads the displayed area. They are named as they come to lie after turning, so
// either may have the smaller numbers.
func corners(v *view, item *dicom.DataSet) error {
	a, err := numbers(item, tag.DisplayedAreaTopLeftHandCorner, 2)
	if err != nil {
		return err
	}
	b, err := numbers(item, tag.DisplayedAreaBottomRightHandCorner, 2)
	if err != nil {
		return err
	}
	v.area = image.Rect(int(min(a[0], b[0]))-1, int(min(a[1], b[1]))-1, int(max(a[0], b[0])), int(max(a[1], b[1])))
	return nil
}

// planes draws the overlays that a layer of s activates (PS3.3 C.11.7): those stored in s
// go before those of the image.
func (s *State) planes(m image.Image, g groups, d pixel.Desc, px []byte, o Options) (image.Image, error) {
	for _, l := range s.layers {
		for group := uint16(0x6000); group <= lastGroup; group += 2 {
			if !o.Overlays.wants(group) || group == shutterGroup(s.ds) || s.ds.Text(overlayTag(group, tag.OverlayActivationLayer)) != l.name {
				continue
			}
			from, p := groups{s.ds, g.frame}, o.Overlays
			if !s.ds.Has(overlayTag(group, tag.OverlayRows)) {
				from = g
			}
			if p.Ink == nil {
				p.Ink = l.ink(m)
			}
			var err error
			if m, err = drawOverlays(m, from, d, px, p, func(k uint16) bool { return k == group }); err != nil {
				return nil, err
			}
		}
	}
	return m, nil
}

// graphicLayer is one of PS3.3 C.10.7.
type graphicLayer struct {
	name  string
	order int64
	grey  color.Color
	hue   color.Color // nil: grey
}

// ink is the colour of a layer in a picture: greys stay greys.
func (l graphicLayer) ink(m image.Image) color.Color {
	if _, ok := m.(*image.RGBA); ok && l.hue != nil {
		return l.hue
	}
	return l.grey
}

const maxLayers = 1024

func readLayers(ds *dicom.DataSet) (out []graphicLayer, err error) {
	if n := ds.ItemCount(tag.GraphicLayerSequence); n > maxLayers {
		return nil, FormatError(fmt.Sprintf("%d graphic layers, %d are read at most", n, maxLayers))
	}
	for _, item := range ds.Items(tag.GraphicLayerSequence) {
		l := graphicLayer{name: item.Text(tag.GraphicLayer), grey: color.White}
		if slices.ContainsFunc(out, func(o graphicLayer) bool { return o.name == l.name }) {
			continue
		}
		l.order, _ = item.Int(tag.GraphicLayerOrder) // without one, first
		if v, err := item.Int(tag.GraphicLayerRecommendedDisplayGrayscaleValue); err == nil {
			l.grey = color.Gray16{Y: uint16(v)}
		}
		l.hue, _ = labOf(item, tag.GraphicLayerRecommendedDisplayCIELabValue)
		if e, ok := item.Get(tag.GraphicLayerRecommendedDisplayRGBValue); ok && l.hue == nil {
			if v, err := ints(e); err == nil && len(v) == 3 {
				l.hue = color.RGBA64{uint16(v[0]), uint16(v[1]), uint16(v[2]), math.MaxUint16}
			}
		}
		out = append(out, l)
	}
	slices.SortStableFunc(out, func(a, b graphicLayer) int { return int(min(max(a.order-b.order, -1), 1)) })
	return out, nil
}
