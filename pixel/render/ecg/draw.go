package ecg

import (
	"fmt"
	"image"
	"image/color"
	"io"
	"math"
	"strings"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"
	"golang.org/x/image/vector"
)

var (
	thin  = color.RGBA{0xFA, 0xD8, 0xD8, 0xFF} // a line each mm
	thick = color.RGBA{0xF0, 0xA0, 0xA0, 0xFF} // a line each 5 mm
)

// Image draws the page with so many pixels a mm, 1 to 20.
func (p *Page) Image(perMM float64) (*image.RGBA, error) {
	perMM = min(max(perMM, 1), 20)
	m := image.NewRGBA(image.Rect(0, 0, int(Width*perMM), int(Height*perMM)))
	for i := range m.Pix {
		m.Pix[i] = 0xFF
	}
	var fine, bold []line
	grid(func(a, b point, is bool) {
		if is {
			bold = append(bold, line{a, b})
		} else {
			fine = append(fine, line{a, b})
		}
	})
	stroke(m, fine, perMM, 0.1, thin)
	stroke(m, bold, perMM, 0.2, thick)
	stroke(m, p.traces, perMM, 0.3, color.RGBA{A: 0xFF})
	f, err := opentype.Parse(goregular.TTF)
	if err != nil {
		return nil, err
	}
	for _, l := range p.texts {
		face, err := opentype.NewFace(f, &opentype.FaceOptions{Size: l.size * perMM, DPI: 72})
		if err != nil {
			return nil, err
		}
		d := font.Drawer{Dst: m, Src: image.Black, Face: face, Dot: fixed.P(int(l.at.x*perMM), int(l.at.y*perMM))}
		d.DrawString(l.text)
		face.Close()
	}
	return m, nil
}

// grid calls f with the lines of the paper, bold ones last.
func grid(f func(a, b point, bold bool)) {
	for _, bold := range []bool{false, true} {
		for i := 0; float64(i) <= right-left; i++ {
			if (i%5 == 0) == bold {
				f(point{left + float64(i), top}, point{left + float64(i), bottom}, bold)
			}
		}
		for i := 0; float64(i) <= bottom-top; i++ {
			if (i%5 == 0) == bold {
				f(point{left, top + float64(i)}, point{right, top + float64(i)}, bold)
			}
		}
	}
}

// stroke draws lines of a width in mm.
func stroke(m *image.RGBA, lines []line, perMM, wide float64, c color.Color) {
	b := m.Bounds()
	r := vector.NewRasterizer(b.Dx(), b.Dy())
	for _, l := range lines {
		for i := 1; i < len(l); i++ {
			segment(r, l[i-1], l[i], perMM, wide/2)
		}
	}
	r.Draw(m, b, image.NewUniform(c), image.Point{})
}

// segment adds a rectangle around a piece of a line, always in the same sense of rotation.
func segment(r *vector.Rasterizer, a, b point, perMM, half float64) {
	dx, dy := b.x-a.x, b.y-a.y
	n := math.Hypot(dx, dy)
	if n == 0 {
		return
	}
	dx, dy = dx/n*half, dy/n*half
	at := func(x, y float64) (float32, float32) { return float32(x * perMM), float32(y * perMM) }
	r.MoveTo(at(a.x-dx-dy, a.y-dy+dx))
	r.LineTo(at(b.x+dx-dy, b.y+dy+dx))
	r.LineTo(at(b.x+dx+dy, b.y+dy-dx))
	r.LineTo(at(a.x-dx+dy, a.y-dy-dx))
	r.ClosePath()
}

// WritePDF writes the page as a PDF document of one page (ISO 32000-1), in its true size.
func (p *Page) WritePDF(w io.Writer) error {
	var c strings.Builder
	const unit = 72 / 25.4
	move := func(at point, op string) { fmt.Fprintf(&c, "%.2f %.2f %s\n", at.x*unit, (Height-at.y)*unit, op) }
	pen := func(c2 color.RGBA, wide float64) {
		fmt.Fprintf(&c, "%.3f %.3f %.3f RG %.2f w 1 j\n", float64(c2.R)/255, float64(c2.G)/255, float64(c2.B)/255, wide*unit)
	}
	pen(thin, 0.1)
	drawn := false
	grid(func(a, b point, bold bool) {
		if bold && !drawn {
			drawn = true
			pen(thick, 0.2)
		}
		move(a, "m")
		move(b, "l S")
	})
	pen(color.RGBA{A: 0xFF}, 0.3)
	for _, t := range p.traces {
		move(t[0], "m")
		for _, at := range t[1:] {
			move(at, "l")
		}
		c.WriteString("S\n")
	}
	for _, l := range p.texts {
		fmt.Fprintf(&c, "BT /F1 %.2f Tf ", l.size*unit)
		move(l.at, "Td")
		fmt.Fprintf(&c, "(%s) Tj ET\n", latin(l.text))
	}
	return writePDF(w, c.String(), Width*unit, Height*unit)
}

// latin is text in WinAnsiEncoding as a PDF string has it.
func latin(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case r == '(' || r == ')' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < 0x20 || r > 0xFF || r >= 0x7F && r < 0xA0:
			b.WriteByte('?')
		default:
			b.WriteByte(byte(r))
		}
	}
	return b.String()
}

// writePDF writes objects and the table of where they are.
func writePDF(w io.Writer, content string, wide, high float64) error {
	objects := []string{
		"<< /Type /Catalog /Pages 2 0 R >>",
		"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
		fmt.Sprintf("<< /Type /Page /Parent 2 0 R /MediaBox [0 0 %.2f %.2f] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>", wide, high),
		fmt.Sprintf("<< /Length %d >>\nstream\n%s\nendstream", len(content)+1, content),
		"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
	}
	var b strings.Builder
	b.WriteString("%PDF-1.4\n")
	var at []int
	for i, o := range objects {
		at = append(at, b.Len())
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", i+1, o)
	}
	table := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n", len(objects)+1)
	for _, n := range at {
		fmt.Fprintf(&b, "%010d 00000 n \n", n)
	}
	fmt.Fprintf(&b, "trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n", len(objects)+1, table)
	_, err := io.WriteString(w, b.String())
	return err
}
