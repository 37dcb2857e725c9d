package imagefile

import (
	"image"
	"image/color"
	"math"

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

// Scale makes m of another size, as DCMTK does: without a kernel, and where it shrinks, each
// pixel is the mean of what it covers; else it is that of the kernel at its corner.
func Scale(m image.Image, w, h int, kernel *draw.Kernel) image.Image {
	out, b := empty(m, w, h), m.Bounds()
	if kernel == nil || w < b.Dx() && h < b.Dy() {
		mix(out, m, covered(w, b.Dx()), covered(h, b.Dy()))
	} else {
		mix(out, m, sampled(w, b.Dx(), kernel), sampled(h, b.Dy(), kernel))
	}
	return out
}

// share is how much of a row or column counts.
type share struct {
	at     int
	weight float64
}

// covered is what each of n rows or columns covers of those of m.
func covered(n, m int) [][]share {
	out := make([][]share, n)
	for i := range out {
		// In units of one n-th, so that nothing is rounded.
		for from, to := i*m, (i+1)*m; from < to; {
			at := from / n
			end := min((at+1)*n, to)
			out[i] = append(out[i], share{at, float64(end-from) / float64(m)})
			from = end
		}
	}
	return out
}

// sampled is what of the m counts for each of n under a kernel; those at the edges go on
// beyond them.
func sampled(n, m int, kernel *draw.Kernel) [][]share {
	out := make([][]share, n)
	for i := range out {
		at := float64(i) * float64(m) / float64(n)
		first := int(at) - int(kernel.Support) + 1
		for k := first; k < first+2*int(kernel.Support); k++ {
			out[i] = append(out[i], share{min(max(k, 0), m-1), kernel.At(math.Abs(at - float64(k)))})
		}
	}
	return out
}

// mix sums up the shares of rows and columns for each pixel.
func mix(out draw.Image, m image.Image, columns, rows [][]share) {
	from := m.Bounds().Min
	for y, down := range rows {
		for x, across := range columns {
			var sum [4]float64
			for _, r := range down {
				for _, c := range across {
					red, green, blue, alpha := m.At(from.X+c.at, from.Y+r.at).RGBA()
					for k, v := range [4]uint32{red, green, blue, alpha} {
						sum[k] += r.weight * c.weight * float64(v)
					}
				}
			}
			out.Set(x, y, mean(out, sum))
		}
	}
}

// mean rounds to the samples of m.
func mean(m image.Image, sum [4]float64) color.Color {
	unit := 257.0
	if _, ok := m.(*image.Gray16); ok {
		unit = 1
	}
	var v [4]uint16
	for k := range sum {
		v[k] = uint16(min(max(math.Floor(sum[k]/unit+0.5)*unit, 0), math.MaxUint16))
	}
	if unit == 1 {
		return color.Gray16{Y: v[0]}
	}
	if _, ok := m.(*image.Gray); ok {
		return color.Gray{Y: byte(v[0] >> 8)}
	}
	return color.RGBA64{R: v[0], G: v[1], B: v[2], A: v[3]}
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
