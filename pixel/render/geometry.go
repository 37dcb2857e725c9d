package render

import (
	"math"

	"gantry/dicom"
	"gantry/dicom/tag"
)

// vector is a place or a direction in the patient, in mm (PS3.3 C.7.6.2.1.1).
type vector [3]float64

func (v vector) add(w vector, k float64) vector {
	return vector{v[0] + k*w[0], v[1] + k*w[1], v[2] + k*w[2]}
}

func (v vector) dot(w vector) float64 { return v[0]*w[0] + v[1]*w[1] + v[2]*w[2] }

func (v vector) cross(w vector) vector {
	return vector{v[1]*w[2] - v[2]*w[1], v[2]*w[0] - v[0]*w[2], v[0]*w[1] - v[1]*w[0]}
}

// grid is where the pixels of a frame are in the patient.
type grid struct {
	origin      vector // of the centre of the first pixel
	right, down vector // along rows and along columns, of length 1
	normal      vector
	dx, dy      float64 // from pixel to pixel, in mm
	thickness   float64 // 0: unknown
}

// gridOf reads where a frame is: the Image Plane module, or functional groups (PS3.3 C.7.6.2,
// C.7.6.16.2.1, .3 and .4). It returns nil where that is not said, or makes no sense.
func gridOf(g groups) *grid {
	measures := g.macro(tag.PixelMeasuresSequence)
	origin, err1 := numbers(g.macro(tag.PlanePositionSequence), tag.ImagePositionPatient, 3)
	axes, err2 := numbers(g.macro(tag.PlaneOrientationSequence), tag.ImageOrientationPatient, 6)
	spacing, err3 := numbers(measures, tag.PixelSpacing, 2)
	if err1 != nil || err2 != nil || err3 != nil || !(spacing[0] > 0) || !(spacing[1] > 0) {
		return nil
	}
	out := &grid{origin: vector(origin), right: vector(axes[:3]), down: vector(axes[3:]), dx: spacing[1], dy: spacing[0]}
	out.normal = out.right.cross(out.down)
	if !isUnit(out.right) || !isUnit(out.down) || !isUnit(out.normal) {
		return nil
	}
	out.thickness = firstPositive(measures, tag.SpacingBetweenSlices, tag.SliceThickness)
	return out
}

func isUnit(v vector) bool { return math.Abs(v.dot(v)-1) < 0.01 }

func firstPositive(ds *dicom.DataSet, tags ...tag.Tag) float64 {
	for _, t := range tags {
		if v, err := numbers(ds, t, 1); err == nil && v[0] > 0 {
			return v[0]
		}
	}
	return 0
}

// parallel reports whether the planes of two grids are, seen from the same side or from the
// other one.
func (g *grid) parallel(o *grid) bool { return math.Abs(g.normal.dot(o.normal)) > 0.999 }

// depth is how far the plane of g lies from that of o along the normal of o.
func (g *grid) depth(o *grid) float64 { return g.origin.add(o.origin, -1).dot(o.normal) }

// mapping brings columns and rows of one frame to those of another.
type mapping struct{ c0, cx, cy, r0, rx, ry float64 }

// to is the mapping of pixels of g to those of o.
func (g *grid) to(o *grid) mapping {
	from := g.origin.add(o.origin, -1)
	return mapping{
		from.dot(o.right) / o.dx, g.right.dot(o.right) * g.dx / o.dx, g.down.dot(o.right) * g.dy / o.dx,
		from.dot(o.down) / o.dy, g.right.dot(o.down) * g.dx / o.dy, g.down.dot(o.down) * g.dy / o.dy,
	}
}

func (m mapping) at(column, row int) (float64, float64) {
	c, r := float64(column), float64(row)
	return m.c0 + m.cx*c + m.cy*r, m.r0 + m.rx*c + m.ry*r
}

var same = mapping{cx: 1, ry: 1}

// oneFrame reports whether two objects may be in one frame of reference: one that says none
// may be in any.
func oneFrame(a, b *dicom.DataSet) bool {
	x, y := a.UID(tag.FrameOfReferenceUID), b.UID(tag.FrameOfReferenceUID)
	return x == "" || y == "" || x == y
}
