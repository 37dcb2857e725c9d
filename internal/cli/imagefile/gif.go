package imagefile

import (
	"errors"
	"image"
	"image/color"
	"image/color/palette"
	"image/draw"
	"image/gif"
	"io"
	"math"
)

// maxAnimation bounds the pixels of an animation, which is put together in memory.
const maxAnimation = 512 << 20

// Animation is a GIF file in the making. Greys keep their 256 levels; colours become those of
// a fixed palette.
type Animation struct {
	g      gif.GIF
	pixels int64
}

// Add adds a picture that is shown for some milliseconds.
func (a *Animation) Add(m image.Image, ms float64) error {
	m = shallow(m)
	b := m.Bounds()
	if a.pixels += int64(b.Dx()) * int64(b.Dy()); a.pixels > maxAnimation {
		return errors.New("an animation has 512 million pixels at most: choose a frame, or a smaller size")
	}
	var p *image.Paletted
	if grey, ok := m.(*image.Gray); ok {
		p = image.NewPaletted(b, greyPalette())
		copy(p.Pix, grey.Pix)
	} else {
		p = image.NewPaletted(b, palette.Plan9)
		draw.FloydSteinberg.Draw(p, b, m, b.Min)
	}
	a.g.Image = append(a.g.Image, p)
	a.g.Delay = append(a.g.Delay, int(math.Round(min(max(ms/10, 1), 65535))))
	return nil
}

// Write writes what was added. It is played again and again.
func (a *Animation) Write(w io.Writer) error { return gif.EncodeAll(w, &a.g) }

func greyPalette() color.Palette {
	p := make(color.Palette, 256)
	for i := range p {
		p[i] = color.Gray{Y: uint8(i)}
	}
	return p
}
