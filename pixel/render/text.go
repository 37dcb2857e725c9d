package render

import (
	"image"
	"image/draw"
	"strings"
	"sync"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"

	"gantry/dicom"
	"gantry/dicom/tag"
)

// letters is the font of annotations. It has Latin, Greek and Cyrillic letters; others are
// drawn as boxes.
var letters = sync.OnceValues(func() (*opentype.Font, error) { return opentype.Parse(goregular.TTF) })

// maxText is the runes of one annotation that are drawn.
const maxText = 1024

// text draws a text into its box, else to the right of its anchor (PS3.3 C.10.5.1.1).
func (a *annotator) text(o *dicom.DataSet) error {
	height := a.letterHeight()
	face, err := a.font(height)
	if err != nil {
		return err
	}
	lines := textLines(o.Text(tag.UnformattedTextValue))
	if err := a.spend(0, len(o.Text(tag.UnformattedTextValue)), 0); err != nil {
		return err
	}
	box, anchor, err := a.place(o, height, len(lines))
	if err != nil {
		return err
	}
	d := font.Drawer{Dst: a.m.(draw.Image), Src: image.NewUniform(a.layer.ink(a.m)), Face: face}
	for i, line := range lines {
		x := box.x0
		switch room := box.x1 - box.x0 - float64(d.MeasureString(line))/64; {
		case o.Text(tag.BoundingBoxTextHorizontalJustification) == "RIGHT":
			x += room
		case o.Text(tag.BoundingBoxTextHorizontalJustification) == "CENTER":
			x += room / 2
		}
		if y := box.y0 + height*(float64(i)*1.2+0.9); onSheet(x, y, a.to, height) {
			d.Dot = fixed.Point26_6{X: fixed.Int26_6(x * 64), Y: fixed.Int26_6(y * 64)}
			d.DrawString(line)
		}
	}
	if anchor != nil && o.Text(tag.AnchorPointVisibility) == "Y" {
		a.line(*anchor, point{min(max(anchor.x, box.x0), box.x1), min(max(anchor.y, box.y0), box.y1)})
	}
	return nil
}

// letterHeight grows with the picture, but can be read in small ones.
func (a *annotator) letterHeight() float64 {
	return max(11, float64(min(a.to.w, a.to.h))/36)
}

// font opens the font once for a picture.
func (a *annotator) font(height float64) (font.Face, error) {
	if a.face != nil {
		return a.face, nil
	}
	f, err := letters()
	if err != nil {
		return nil, err
	}
	a.face, err = opentype.NewFace(f, &opentype.FaceOptions{Size: height, DPI: 72, Hinting: font.HintingFull})
	return a.face, err
}

// onSheet reports whether a line of text could touch the picture.
func onSheet(x, y float64, s sheet, height float64) bool {
	return x > -1<<20 && x < float64(s.w) && y > 0 && y < float64(s.h)+height
}

func textLines(s string) []string {
	if r := []rune(s); len(r) > maxText {
		s = string(r[:maxText])
	}
	return strings.Split(strings.NewReplacer("\r\n", "\n", "\r", "\n", "\t", " ").Replace(s), "\n")
}

type box struct{ x0, y0, x1, y1 float64 }

// place finds box and anchor of a text in the picture. Without a box, one begins at the
// anchor.
func (a *annotator) place(o *dicom.DataSet, height float64, lines int) (b box, anchor *point, err error) {
	if e, ok := o.Get(tag.AnchorPoint); ok && e.Count() > 0 {
		p, err := a.points(o, tag.AnchorPoint, tag.AnchorPointAnnotationUnits, 1)
		if err != nil {
			return b, nil, err
		}
		anchor = &p[0]
	}
	if e, ok := o.Get(tag.BoundingBoxTopLeftHandCorner); !ok || e.Count() == 0 {
		if anchor == nil {
			return b, nil, &dicom.ValueError{Tag: tag.AnchorPoint, Reason: "a text needs an anchor or a box"}
		}
		return box{anchor.x + height/4, anchor.y - height/2, anchor.x + height/4, anchor.y + height*float64(lines)}, anchor, nil
	}
	p, err := a.points(o, tag.BoundingBoxTopLeftHandCorner, tag.BoundingBoxAnnotationUnits, 1)
	if err != nil {
		return b, nil, err
	}
	q, err := a.points(o, tag.BoundingBoxBottomRightHandCorner, tag.BoundingBoxAnnotationUnits, 1)
	if err != nil {
		return b, nil, err
	}
	return box{min(p[0].x, q[0].x), min(p[0].y, q[0].y), max(p[0].x, q[0].x), max(p[0].y, q[0].y)}, anchor, nil
}
