package render

import (
	"fmt"
	"image"
	"image/color"
	"math"
	"slices"

	"gantry/dicom"
	"gantry/dicom/tag"
	"gantry/pixel"
)

// maxVertices bounds what a polygon of an object can cost.
const maxVertices = 4096

// shutter hides the parts of an image around what matters (PS3.3 C.7.6.11, C.7.6.15).
// Coordinates are of pixels, counted from 0.
type shutter struct {
	left, right, top, bottom int // of what is seen
	cx, cy, r2               float64
	circle                   bool
	polygon                  []image.Point
	bitmap                   *plane
}

// readShutter returns what an item or a data set says, nil if it has no shutter.
func readShutter(ds *dicom.DataSet) (*shutter, error) {
	shapes := ds.Texts(tag.ShutterShape)
	s := &shutter{left: math.MinInt32, right: math.MaxInt32, top: math.MinInt32, bottom: math.MaxInt32}
	some := false
	for _, shape := range shapes[:min(len(shapes), 4)] {
		var err error
		switch shape {
		case "RECTANGULAR":
			err = s.rectangle(ds)
		case "CIRCULAR":
			err = s.round(ds)
		case "POLYGONAL":
			s.polygon, err = vertices(ds)
		default: // BITMAP is an overlay, which the caller reads
			continue
		}
		if some = true; err != nil {
			return nil, err
		}
	}
	if !some {
		return nil, nil
	}
	return s, nil
}

func (s *shutter) rectangle(ds *dicom.DataSet) error {
	for _, e := range []struct {
		t    tag.Tag
		edge *int
	}{
		{tag.ShutterLeftVerticalEdge, &s.left}, {tag.ShutterRightVerticalEdge, &s.right},
		{tag.ShutterUpperHorizontalEdge, &s.top}, {tag.ShutterLowerHorizontalEdge, &s.bottom},
	} {
		v, err := numbers(ds, e.t, 1)
		if err != nil {
			return err
		}
		*e.edge = int(v[0]) - 1
	}
	return nil
}

func (s *shutter) round(ds *dicom.DataSet) error {
	c, err := numbers(ds, tag.CenterOfCircularShutter, 2)
	if err != nil {
		return err
	}
	r, err := numbers(ds, tag.RadiusOfCircularShutter, 1)
	if err != nil {
		return err
	}
	s.circle, s.cy, s.cx, s.r2 = true, c[0]-1, c[1]-1, r[0]*r[0]
	return nil
}

// numbers reads the exactly n numbers of an attribute.
func numbers(ds *dicom.DataSet, t tag.Tag, n int) ([]float64, error) {
	e, _ := ds.Get(t)
	if e.Count() != n {
		return nil, &dicom.ValueError{Tag: t, Reason: fmt.Sprintf("%d numbers, wanted %d", e.Count(), n)}
	}
	out := make([]float64, n)
	for i := range out {
		v, err := e.FloatAt(i)
		if err != nil || math.IsNaN(v) || math.Abs(v) > 1<<30 {
			return nil, &dicom.ValueError{Tag: t, Reason: fmt.Sprintf("value %d is no number that can be drawn: %v", i+1, err)}
		}
		out[i] = v
	}
	return out, nil
}

func vertices(ds *dicom.DataSet) ([]image.Point, error) {
	t := tag.VerticesOfThePolygonalShutter
	e, _ := ds.Get(t)
	n := e.Count()
	if n < 6 || n%2 != 0 || n > 2*maxVertices {
		return nil, &dicom.ValueError{Tag: t, Reason: fmt.Sprintf("%d numbers: a polygon has 3 to %d pairs of row and column", n, maxVertices)}
	}
	v, err := numbers(ds, t, n)
	if err != nil {
		return nil, err
	}
	out := make([]image.Point, n/2)
	for i := range out {
		out[i] = image.Pt(int(v[2*i+1])-1, int(v[2*i])-1)
	}
	return out, nil
}

// hide gives all that the shutter covers one value.
func (s *shutter) hide(m sheet, p ink) error {
	seen, part := make([]bool, m.w), make([]bool, m.w)
	var room []float64
	for y := range m.h {
		for x := range seen {
			seen[x] = x >= s.left && x <= s.right && y >= s.top && y <= s.bottom
			if dx, dy := float64(x)-s.cx, float64(y)-s.cy; s.circle && dx*dx+dy*dy > s.r2 {
				seen[x] = false
			}
		}
		if s.polygon != nil {
			room = inside(part, s.polygon, y, room)
			for x := range seen {
				seen[x] = seen[x] && part[x]
			}
		}
		for x, is := range seen {
			if !is {
				m.put(x, y, p)
			}
		}
	}
	if s.bitmap == nil {
		return nil
	}
	return s.bitmap.each(m.w, m.h, func(x, y int, on bool) {
		if on {
			m.put(x, y, p)
		}
	})
}

// inside says which pixels of row y are in a polygon, its edges included.
// It uses and returns the room for crossings.
func inside(row []bool, polygon []image.Point, y int, crossings []float64) []float64 {
	clear(row)
	crossings = crossings[:0]
	a := polygon[len(polygon)-1]
	for _, b := range polygon {
		low, high := a, b
		if low.Y > high.Y {
			low, high = high, low
		}
		switch {
		case y < low.Y || y > high.Y:
		case low.Y == high.Y:
			fill(row, min(a.X, b.X), max(a.X, b.X))
		default:
			x := float64(low.X) + float64(y-low.Y)*float64(high.X-low.X)/float64(high.Y-low.Y)
			fill(row, int(math.Round(x)), int(math.Round(x)))
			if y < high.Y {
				crossings = append(crossings, x)
			}
		}
		a = b
	}
	slices.Sort(crossings)
	for i := 0; i+1 < len(crossings); i += 2 {
		fill(row, int(math.Ceil(crossings[i])), int(math.Floor(crossings[i+1])))
	}
	return crossings
}

func fill(row []bool, from, to int) {
	for x := max(from, 0); x <= min(to, len(row)-1); x++ {
		row[x] = true
	}
}

// drawShutter draws the shutter of an image or of a presentation state.
func drawShutter(m image.Image, g groups, d pixel.Desc, px []byte) error {
	item := g.macro(tag.FrameDisplayShutterSequence)
	s, err := readShutter(item)
	if err != nil {
		return err
	}
	bitmap, err := shutterPlane(g, d, px)
	if err != nil || s == nil && bitmap == nil {
		return err
	}
	if s == nil {
		s = &shutter{right: math.MaxInt32, bottom: math.MaxInt32}
	}
	s.bitmap = bitmap
	to := sheetOf(m)
	return s.hide(to, to.ink(presentation(item, to.size == 4)))
}

// shutterGroup is the overlay group of a bitmap shutter, 0 if there is none.
func shutterGroup(ds *dicom.DataSet) uint16 {
	if !slices.Contains(ds.Texts(tag.ShutterShape), "BITMAP") {
		return 0
	}
	v, err := ds.Int(tag.ShutterOverlayGroup)
	if err != nil || v < 0x6000 || v > lastGroup || v%2 == 1 {
		return 0
	}
	return uint16(v)
}

func shutterPlane(g groups, d pixel.Desc, px []byte) (*plane, error) {
	if group := shutterGroup(g.ds); group != 0 {
		return readPlane(g.ds, group, g.frame, d, px)
	}
	return nil, nil
}

// presentation is the grey or, in colour, the color of what a shutter hides: black where
// nothing is said.
func presentation(ds *dicom.DataSet, inColour bool) color.Color {
	if c, ok := labOf(ds, tag.ShutterPresentationColorCIELabValue); ok && inColour {
		return c
	}
	v, err := ds.Int(tag.ShutterPresentationValue)
	if err != nil {
		return color.Black
	}
	return color.Gray16{Y: uint16(v)}
}

// labOf reads a colour.
func labOf(ds *dicom.DataSet, t tag.Tag) (color.Color, bool) {
	e, ok := ds.Get(t)
	if !ok {
		return nil, false
	}
	v, err := ints(e)
	if err != nil || len(v) != 3 {
		return nil, false
	}
	return lab([3]uint16{uint16(v[0]), uint16(v[1]), uint16(v[2])}), true
}
