package render

import (
	"encoding/binary"
	"image"
	"image/color"
	"image/draw"
	"math"
)

// sheet is the memory of a picture, whatever its kind: 1 byte a pixel in an *image.Gray, 2
// in an *image.Gray16, 4 in an *image.RGBA.
type sheet struct {
	pix          []byte
	stride, size int
	w, h         int
}

// ink is a pixel as a sheet has it.
type ink [4]byte

func sheetOf(m image.Image) sheet {
	b := m.Bounds()
	switch m := m.(type) {
	case *image.Gray:
		return sheet{m.Pix, m.Stride, 1, b.Dx(), b.Dy()}
	case *image.Gray16:
		return sheet{m.Pix, m.Stride, 2, b.Dx(), b.Dy()}
	case *image.RGBA:
		return sheet{m.Pix, m.Stride, 4, b.Dx(), b.Dy()}
	}
	return sheet{}
}

// ink is a colour as s has it.
func (s sheet) ink(c color.Color) (p ink) {
	switch s.size {
	case 1:
		p[0] = color.GrayModel.Convert(c).(color.Gray).Y
	case 2:
		binary.BigEndian.PutUint16(p[:], color.Gray16Model.Convert(c).(color.Gray16).Y)
	case 4:
		r := color.RGBAModel.Convert(c).(color.RGBA)
		p = ink{r.R, r.G, r.B, 0xFF}
	}
	return p
}

// put sets a pixel that must be in s.
func (s sheet) put(x, y int, p ink) {
	copy(s.pix[y*s.stride+x*s.size:], p[:s.size])
}

// dim leaves a sixteenth of the light of a pixel.
func (s sheet) dim(x, y int) {
	p := s.pix[y*s.stride+x*s.size:]
	switch s.size {
	case 2:
		binary.BigEndian.PutUint16(p, binary.BigEndian.Uint16(p)>>4)
	default:
		for i := range min(s.size, 3) {
			p[i] >>= 4
		}
	}
}

// mix lays a colour over a pixel of four bytes: share is 0, nothing, to 255, all of it.
func (s sheet) mix(x, y int, p ink, share int) {
	at := s.pix[y*s.stride+x*s.size:]
	for i := range 3 {
		at[i] = byte((int(at[i])*(255-share) + int(p[i])*share + 127) / 255)
	}
}

// inColour returns m as an *image.RGBA.
func inColour(m image.Image) *image.RGBA {
	if rgba, ok := m.(*image.RGBA); ok {
		return rgba
	}
	out := image.NewRGBA(image.Rect(0, 0, m.Bounds().Dx(), m.Bounds().Dy()))
	draw.Draw(out, out.Rect, m, m.Bounds().Min, draw.Src)
	return out
}

// isGrey reports whether c has no hue.
func isGrey(c color.Color) bool {
	r, g, b, _ := c.RGBA()
	return r == g && g == b
}

// lab is the color of three numbers of CIELab as PS3.3 C.10.7.1.1 codes them, in sRGB.
func lab(v [3]uint16) color.RGBA {
	l, a, b := float64(v[0])*100/65535, float64(v[1])*255/65535-128, float64(v[2])*255/65535-128
	fy := (l + 16) / 116
	x, y, z := 0.96422*unlab(fy+a/500), unlab(fy), 0.82521*unlab(fy-b/200)
	return color.RGBA{
		gamma(3.1338561*x - 1.6168667*y - 0.4906146*z),
		gamma(-0.9787684*x + 1.9161415*y + 0.0334540*z),
		gamma(0.0719453*x - 0.2289914*y + 1.4052427*z), 0xFF,
	}
}

// unlab is the inverse of the cube root of CIELab, a line near 0.
func unlab(t float64) float64 {
	if t > 6.0/29 {
		return t * t * t
	}
	return 3 * 36.0 / 841 * (t - 4.0/29)
}

// gamma is the transfer function of sRGB (IEC 61966-2-1).
func gamma(v float64) byte {
	v = min(max(v, 0), 1)
	if v <= 0.0031308 {
		return byte(12.92*v*255 + 0.5)
	}
	return byte((1.055*math.Pow(v, 1/2.4)-0.055)*255 + 0.5)
}
