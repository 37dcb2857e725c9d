package render

import (
	"image"

	"golang.org/x/image/draw"
)

// Magnify says how pictures are enlarged. Where they shrink, all pixels count with every
// kind but Replicate.
type Magnify uint8

const (
	Bilinear  Magnify = iota
	Replicate         // each pixel stays what it is
	Cubic             // smoother than Bilinear, and sharper
)

func (k Magnify) interpolator() draw.Interpolator {
	switch k {
	case Replicate:
		return draw.NearestNeighbor
	case Cubic:
		return draw.CatmullRom
	}
	return draw.BiLinear
}

// like returns an empty picture of the kind of m.
func like(m image.Image, w, h int) draw.Image {
	r := image.Rect(0, 0, w, h)
	switch m.(type) {
	case *image.Gray:
		return image.NewGray(r)
	case *image.Gray16:
		return image.NewGray16(r)
	}
	return image.NewRGBA(r)
}

// scale draws part sr of src into part dr of dst.
func scale(dst draw.Image, dr image.Rectangle, src image.Image, sr image.Rectangle, k Magnify) {
	if k != Replicate {
		src, sr = shrink(src, sr, dr.Dx(), dr.Dy())
	}
	k.interpolator().Scale(dst, dr, src, sr, draw.Src, nil)
}

// shrink averages squares of pixels as long as the picture stays twice as large as wanted:
// less work and memory for the kernel that does the rest.
func shrink(m image.Image, r image.Rectangle, w, h int) (image.Image, image.Rectangle) {
	k := min(r.Dx()/max(2*w, 1), r.Dy()/max(2*h, 1))
	if k < 2 {
		return m, r
	}
	out := like(m, (r.Dx()+k-1)/k, (r.Dy()+k-1)/k)
	from, to := sheetOf(m), sheetOf(out)
	for y := range to.h {
		for x := range to.w {
			from.average(to.pix[y*to.stride+x*to.size:], image.Rect(r.Min.X+x*k, r.Min.Y+y*k, min(r.Min.X+x*k+k, r.Max.X), min(r.Min.Y+y*k+k, r.Max.Y)))
		}
	}
	return out, out.Bounds()
}

// average writes the mean of the pixels of r.
func (s sheet) average(to []byte, r image.Rectangle) {
	var sum [4]uint64
	for y := r.Min.Y; y < r.Max.Y; y++ {
		row := s.pix[y*s.stride+r.Min.X*s.size : y*s.stride+r.Max.X*s.size]
		if s.size == 2 {
			for i := 0; i < len(row); i += 2 {
				sum[0] += uint64(row[i])<<8 | uint64(row[i+1])
			}
			continue
		}
		for i, v := range row {
			sum[i%s.size] += uint64(v)
		}
	}
	n := uint64(r.Dx() * r.Dy())
	if s.size == 2 {
		v := (sum[0] + n/2) / n
		to[0], to[1] = byte(v>>8), byte(v)
		return
	}
	for i := range s.size {
		to[i] = byte((sum[i] + n/2) / n)
	}
}

// turn returns m turned clockwise by quarters of a circle, and mirrored left to right
// after that.
func turn(m image.Image, quarters int, flip bool) image.Image {
	if quarters&3 == 0 && !flip {
		return m
	}
	from := sheetOf(m)
	w, h := from.w, from.h
	if quarters&1 == 1 {
		w, h = h, w
	}
	out := like(m, w, h)
	to := sheetOf(out)
	for y := range from.h {
		for x := range from.w {
			tx, ty := turned(x, y, from.w-1, from.h-1, quarters&3)
			if flip {
				tx = w - 1 - tx
			}
			copy(to.pix[ty*to.stride+tx*to.size:][:to.size], from.pix[y*from.stride+x*from.size:])
		}
	}
	return out
}

// turned is where a point comes to that lies in a box of w x h.
func turned[T int | float64](x, y, w, h T, quarters int) (T, T) {
	switch quarters {
	case 1:
		return h - y, x
	case 2:
		return w - x, h - y
	case 3:
		return y, w - x
	}
	return x, y
}
