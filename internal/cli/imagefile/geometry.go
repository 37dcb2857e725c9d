package imagefile

import (
	"image"
	"image/color"

	"golang.org/x/image/draw"
)

// empty returns a picture of the kind of m.
func empty(m image.Image, w, h int) draw.Image {
	r := image.Rect(0, 0, w, h)
	switch m.(type) {
	case *image.Gray:
		return image.NewGray(r)
	case *image.Gray16:
		return image.NewGray16(r)
	}
	return image.NewRGBA(r)
}

// Clip cuts a rectangle out of m; what of it lies outside is black.
func Clip(m image.Image, r image.Rectangle) image.Image {
	out := empty(m, r.Dx(), r.Dy())
	draw.Draw(out, out.Bounds(), image.Black, image.Point{}, draw.Src)
	draw.Draw(out, out.Bounds().Intersect(m.Bounds().Sub(r.Min)), m, r.Min.Add(m.Bounds().Sub(r.Min).Intersect(out.Bounds()).Min), draw.Src)
	return out
}

// Scale makes m of another size. A nil kernel takes whole pixels.
func Scale(m image.Image, w, h int, kernel draw.Interpolator) image.Image {
	out := empty(m, w, h)
	if kernel == nil {
		nearest(out, m)
		return out
	}
	kernel.Scale(out, out.Bounds(), m, m.Bounds(), draw.Src, nil)
	return out
}

// nearest takes for each pixel that under its corner.
func nearest(out draw.Image, m image.Image) {
	from, to := m.Bounds(), out.Bounds()
	for y := range to.Dy() {
		for x := range to.Dx() {
			out.Set(x, y, m.At(from.Min.X+x*from.Dx()/to.Dx(), from.Min.Y+y*from.Dy()/to.Dy()))
		}
	}
}

// Turn turns m clockwise by quarters, and mirrors it before.
func Turn(m image.Image, quarters int, across, down bool) image.Image {
	b := m.Bounds()
	w, h := b.Dx(), b.Dy()
	if quarters&3 == 0 && !across && !down {
		return m
	}
	out := empty(m, w, h)
	if quarters&1 == 1 {
		out = empty(m, h, w)
	}
	for y := range h {
		for x := range w {
			from := image.Pt(x, y)
			if across {
				from.X = w - 1 - x
			}
			if down {
				from.Y = h - 1 - y
			}
			to := [4]image.Point{{x, y}, {h - 1 - y, x}, {w - 1 - x, h - 1 - y}, {y, w - 1 - x}}[quarters&3]
			out.Set(to.X, to.Y, m.At(b.Min.X+from.X, b.Min.Y+from.Y))
		}
	}
	return out
}

// Invert makes black white.
func Invert(m image.Image) {
	switch m := m.(type) {
	case *image.Gray:
		invert(m.Pix, 1)
	case *image.Gray16:
		invert(m.Pix, 1)
	case *image.RGBA:
		invert(m.Pix, 4)
	}
}

// invert leaves the last of each pixel's four bytes alone.
func invert(px []byte, each int) {
	for i := range px {
		if each == 1 || i%4 != 3 {
			px[i] = ^px[i]
		}
	}
}

// Grey takes the colours out of m (PS3.3 C.7.6.3.1.2, Y of YBR_FULL).
func Grey(m image.Image) image.Image {
	rgba, ok := m.(*image.RGBA)
	if !ok {
		return m
	}
	out := image.NewGray(image.Rect(0, 0, rgba.Rect.Dx(), rgba.Rect.Dy()))
	for i := range out.Pix {
		p := rgba.Pix[4*i:]
		out.Pix[i], _, _ = color.RGBToYCbCr(p[0], p[1], p[2])
	}
	return out
}
