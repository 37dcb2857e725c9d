package render

import (
	"fmt"
	"image"
	"math"

	"golang.org/x/image/font"

	"gantry/dicom"
	"gantry/dicom/tag"
)

// What the graphics of a presentation state can cost.
const (
	maxGraphics = 10_000  // objects and texts
	maxPoints   = 1 << 16 // of graphics, and letters of texts
	maxWork     = 1 << 30 // pixels gone through
)

// annotator draws the graphics of a presentation state (PS3.3 C.10.5) into the picture,
// after scaling and turning, so that lines stay thin and texts upright.
type annotator struct {
	m      image.Image
	to     sheet
	v      *view
	pen    ink
	layer  graphicLayer
	face   font.Face // nil until there is a text
	budget struct{ objects, points, work int }
}

// annotate draws the annotations of a frame, layer by layer.
func (s *State) annotate(m image.Image, v *view, g groups) error {
	a := annotator{m: m, to: sheetOf(m), v: v}
	if n := s.ds.ItemCount(tag.GraphicAnnotationSequence); n > maxGraphics {
		return a.spend(n, 0, 0)
	}
	for _, l := range s.layers {
		a.layer, a.pen = l, a.to.ink(l.ink(m))
		for _, item := range s.ds.Items(tag.GraphicAnnotationSequence) {
			if item.Text(tag.GraphicLayer) != l.name || !refers(item, g) {
				continue
			}
			if err := a.item(item); err != nil {
				return err
			}
		}
	}
	return nil
}

func (a *annotator) item(item *dicom.DataSet) error {
	for _, o := range item.Items(tag.GraphicObjectSequence) {
		if err := a.spend(1, 0, 0); err != nil {
			return err
		}
		if err := a.graphic(o); err != nil {
			return err
		}
	}
	for _, o := range item.Items(tag.TextObjectSequence) {
		if err := a.spend(1, 0, 0); err != nil {
			return err
		}
		if err := a.text(o); err != nil {
			return err
		}
	}
	return nil
}

func (a *annotator) spend(objects, points, work int) error {
	b := &a.budget
	b.objects, b.points, b.work = b.objects+objects, b.points+points, b.work+work
	if b.objects > maxGraphics || b.points > maxPoints || b.work > maxWork {
		return FormatError(fmt.Sprintf("the presentation state has more than %d graphics, %d points and letters, or much to fill: render without graphics", maxGraphics, maxPoints))
	}
	return nil
}

// point is a place in the picture, or in the image.
type point struct{ x, y float64 }

// points reads pairs of column and row as places in the picture.
func (a *annotator) points(ds *dicom.DataSet, t, units tag.Tag, least int) ([]point, error) {
	e, _ := ds.Get(t)
	n := e.Count()
	if n%2 != 0 || n < 2*least {
		return nil, &dicom.ValueError{Tag: t, Reason: fmt.Sprintf("%d numbers, wanted are %d pairs or more", n, least)}
	}
	if err := a.spend(0, n/2, 0); err != nil {
		return nil, err
	}
	v, err := numbers(ds, t, n)
	if err != nil {
		return nil, err
	}
	out := make([]point, n/2)
	size := a.v.size()
	for i := range out {
		p := &out[i]
		switch u := ds.Text(units); u {
		case "PIXEL":
			p.x, p.y = a.v.at(v[2*i], v[2*i+1])
		case "DISPLAY":
			p.x, p.y = v[2*i]*float64(size.X), v[2*i+1]*float64(size.Y)
		default:
			return nil, &dicom.ValueError{Tag: units, Reason: fmt.Sprintf("%q: only PIXEL and DISPLAY can be drawn", u)}
		}
	}
	return out, nil
}

// leastPoints of the graphic types (PS3.3 C.10.5.1.2).
var leastPoints = map[string]int{"POINT": 1, "POLYLINE": 2, "INTERPOLATED": 2, "CIRCLE": 2, "ELLIPSE": 4}

// graphic draws one object.
func (a *annotator) graphic(o *dicom.DataSet) error {
	kind := o.Text(tag.GraphicType)
	least, ok := leastPoints[kind]
	if !ok {
		return &dicom.ValueError{Tag: tag.GraphicType, Reason: fmt.Sprintf("%q cannot be drawn", kind)}
	}
	p, err := a.points(o, tag.GraphicData, tag.GraphicAnnotationUnits, least)
	if err != nil {
		return err
	}
	switch kind {
	case "POINT":
		a.dot(p[0])
		return nil
	case "INTERPOLATED":
		p = curved(p)
	case "CIRCLE":
		p = a.circle(o, p)
	case "ELLIPSE":
		p = ellipse(p)
	}
	if o.Text(tag.GraphicFilled) == "Y" && p[0] == p[len(p)-1] {
		if err := a.spend(0, 0, a.to.h*(a.to.w+len(p))); err != nil {
			return err
		}
		a.area(p)
	}
	for i := 1; i < len(p); i++ {
		a.line(p[i-1], p[i])
	}
	return a.spend(0, 0, 0)
}

// dot is a small cross.
func (a *annotator) dot(p point) {
	const arm = 2
	a.line(point{p.x - arm, p.y}, point{p.x + arm, p.y})
	a.line(point{p.x, p.y - arm}, point{p.x, p.y + arm})
}

const arcs = 128 // lines of a circle

// circle goes around the first point, through the second. It is round in the image; where
// pixels are no squares in the units of the object, it is what it says there.
func (a *annotator) circle(o *dicom.DataSet, p []point) []point {
	v, err := numbers(o, tag.GraphicData, 4)
	if err != nil || o.Text(tag.GraphicAnnotationUnits) != "PIXEL" {
		r := math.Hypot(p[1].x-p[0].x, p[1].y-p[0].y)
		return oval(p[0], point{r, 0}, point{0, r})
	}
	r := math.Hypot(v[2]-v[0], v[3]-v[1])
	right, below := p[0], p[0]
	right.x, right.y = a.v.at(v[0]+r, v[1])
	below.x, below.y = a.v.at(v[0], v[1]+r)
	return oval(p[0], point{right.x - p[0].x, right.y - p[0].y}, point{below.x - p[0].x, below.y - p[0].y})
}

// ellipse is given by the ends of its two axes.
func ellipse(p []point) []point {
	c := point{(p[0].x + p[1].x) / 2, (p[0].y + p[1].y) / 2}
	return oval(c, point{(p[1].x - p[0].x) / 2, (p[1].y - p[0].y) / 2}, point{(p[3].x - p[2].x) / 2, (p[3].y - p[2].y) / 2})
}

// oval goes around c with two half axes.
func oval(c, u, v point) []point {
	out := make([]point, arcs+1)
	for i := range out {
		sin, cos := math.Sincos(2 * math.Pi * float64(i%arcs) / arcs)
		out[i] = point{c.x + cos*u.x + sin*v.x, c.y + cos*u.y + sin*v.y}
	}
	return out
}

const steps = 16 // of a curve between two points

// curved is a Catmull-Rom spline through p.
func curved(p []point) []point {
	out := make([]point, 0, (len(p)-1)*steps+1)
	at := func(i int) point { return p[min(max(i, 0), len(p)-1)] }
	if closed := p[0] == p[len(p)-1] && len(p) > 2; closed {
		n := len(p) - 1
		at = func(i int) point { return p[(i+n)%n] }
	}
	for i := range len(p) - 1 {
		a, b, c, d := at(i-1), at(i), at(i+1), at(i+2)
		for k := range steps {
			t := float64(k) / steps
			out = append(out, point{spline(a.x, b.x, c.x, d.x, t), spline(a.y, b.y, c.y, d.y, t)})
		}
	}
	return append(out, p[len(p)-1])
}

func spline(a, b, c, d, t float64) float64 {
	return b + t/2*(c-a+t*(2*a-5*b+4*c-d+t*(3*(b-c)+d-a)))
}

// line draws a line of one pixel's width, as much of it as lies in the picture.
func (a *annotator) line(p, q point) {
	p, q, ok := clipped(p, q, float64(a.to.w), float64(a.to.h))
	if !ok {
		return
	}
	n := max(int(math.Ceil(max(math.Abs(q.x-p.x), math.Abs(q.y-p.y)))), 1)
	if a.budget.work += n; a.budget.work > maxWork {
		return
	}
	for i := range n + 1 {
		t := float64(i) / float64(n)
		x, y := int(p.x+t*(q.x-p.x)), int(p.y+t*(q.y-p.y))
		if x < a.to.w && y < a.to.h {
			a.to.put(x, y, a.pen)
		}
	}
}

// clipped is the part of a line from 0 to w and h (Liang and Barsky).
func clipped(p, q point, w, h float64) (point, point, bool) {
	from, to := 0.0, 1.0
	dx, dy := q.x-p.x, q.y-p.y
	for _, e := range [4][2]float64{{-dx, p.x}, {dx, w - p.x}, {-dy, p.y}, {dy, h - p.y}} {
		switch along, room := e[0], e[1]; {
		case along == 0 && room < 0:
			return p, q, false
		case along < 0:
			from = max(from, room/along)
		case along > 0:
			to = min(to, room/along)
		}
	}
	start := point{max(p.x+from*dx, 0), max(p.y+from*dy, 0)}
	return start, point{max(p.x+to*dx, 0), max(p.y+to*dy, 0)}, from <= to
}

// area fills a polygon.
func (a *annotator) area(p []point) {
	corners := make([]image.Point, len(p))
	for i, q := range p {
		limit := func(v float64) int { return int(min(max(v, -1<<30), 1<<30)) }
		corners[i] = image.Pt(limit(q.x), limit(q.y))
	}
	row, room := make([]bool, a.to.w), []float64(nil)
	for y := range a.to.h {
		room = inside(row, corners, y, room)
		for x, in := range row {
			if in {
				a.to.put(x, y, a.pen)
			}
		}
	}
}
