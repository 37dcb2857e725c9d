// Package imagefile writes pictures in the formats of the command line, and turns and scales
// them.
package imagefile

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"

	"gantry/pixel/jpeg"
)

// Format is a kind of file.
type Format string

// The formats.
const (
	PNM      Format = "pnm"       // binary PGM or PPM, 8 bits
	PlainPNM Format = "plain pnm" // numbers as text, Options.Bits of them
	BMP      Format = "bmp"       // a palette of greys, or 24 bits
	BMP24    Format = "bmp24"
	BMP32    Format = "bmp32"
	TIFF     Format = "tiff" // not compressed
	PNG      Format = "png"  // 16 bits where the picture has them
	JPEG     Format = "jpeg" // 8 bits
)

// Options says how to write.
type Options struct {
	Bits    int  // of PlainPNM, 1 to 32; 0 is 8
	Quality int  // of JPEG, 1 to 100; 0 is 90
	Halved  bool // JPEG: half the samples across for colours (4:2:2)
}

// Extension is that of a file's name, with its dot.
func (f Format) Extension(m image.Image) string {
	switch f {
	case PNM, PlainPNM:
		if grey(m) {
			return ".pgm"
		}
		return ".ppm"
	case BMP, BMP24, BMP32:
		return ".bmp"
	case TIFF:
		return ".tif"
	case JPEG:
		return ".jpg"
	}
	return "." + string(f)
}

// Encode writes a picture: *image.Gray, *image.Gray16 or *image.RGBA.
func Encode(w io.Writer, m image.Image, f Format, o Options) error {
	switch f {
	case PNM:
		return writePNM(w, shallow(m))
	case PlainPNM:
		return writePlain(w, m, o.Bits)
	case BMP:
		return bmp.Encode(w, shallow(m))
	case BMP24:
		return bmp.Encode(w, coloured(m))
	case BMP32:
		return writeBMP32(w, coloured(m))
	case TIFF:
		return tiff.Encode(w, shallow(m), nil)
	case PNG:
		return png.Encode(w, m)
	case JPEG:
		return writeJPEG(w, shallow(m), o)
	case JP2, J2K, JPH, J2C:
		return writeJ2K(w, m, f)
	}
	return fmt.Errorf("%q is no format of pictures", f)
}

func grey(m image.Image) bool {
	return m.ColorModel() == color.GrayModel || m.ColorModel() == color.Gray16Model
}

// shallow is m with 8 bits a sample.
func shallow(m image.Image) image.Image {
	deep, ok := m.(*image.Gray16)
	if !ok {
		return m
	}
	out := image.NewGray(image.Rect(0, 0, deep.Rect.Dx(), deep.Rect.Dy()))
	for i := range out.Pix {
		out.Pix[i] = byte((uint32(binary.BigEndian.Uint16(deep.Pix[2*i:])) + 128) / 257)
	}
	return out
}

func coloured(m image.Image) *image.RGBA {
	if rgba, ok := m.(*image.RGBA); ok {
		return rgba
	}
	b := m.Bounds()
	out := image.NewRGBA(image.Rect(0, 0, b.Dx(), b.Dy()))
	g, ok := shallow(m).(*image.Gray)
	for i := 0; ok && i < len(g.Pix); i++ {
		v := g.Pix[i]
		copy(out.Pix[4*i:], []byte{v, v, v, 255})
	}
	return out
}

// samples are those of a picture of 8 bits, one or three a pixel.
func samples(m image.Image) (px []byte, each int) {
	switch m := m.(type) {
	case *image.Gray:
		return m.Pix, 1
	case *image.RGBA:
		px = make([]byte, 0, len(m.Pix)/4*3)
		for i := 0; i < len(m.Pix); i += 4 {
			px = append(px, m.Pix[i:i+3]...)
		}
	}
	return px, 3
}

// writePNM writes colours as PPM and greys as PGM, both binary.
func writePNM(w io.Writer, m image.Image) error {
	px, each := samples(m)
	kind := 5
	if each == 3 {
		kind = 6
	}
	if _, err := fmt.Fprintf(w, "P%d\n%d %d\n255\n", kind, m.Bounds().Dx(), m.Bounds().Dy()); err != nil {
		return err
	}
	_, err := w.Write(px)
	return err
}

// writePlain writes samples of some bits as decimal numbers, a line of pixels a line.
func writePlain(w io.Writer, m image.Image, bits int) error {
	if bits == 0 {
		bits = 8
	}
	top := uint64(1)<<bits - 1
	kind, each := 3, 3
	if grey(m) {
		kind, each = 2, 1
	}
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, "P%d\n%d %d\n%d\n", kind, m.Bounds().Dx(), m.Bounds().Dy(), top)
	for y := m.Bounds().Min.Y; y < m.Bounds().Max.Y; y++ {
		for x := m.Bounds().Min.X; x < m.Bounds().Max.X; x++ {
			red, green, blue, _ := m.At(x, y).RGBA()
			for _, v := range []uint32{red, green, blue}[:each] {
				fmt.Fprintf(b, "%d ", (uint64(v)*top+0x7FFF)/0xFFFF)
			}
		}
		fmt.Fprintln(b)
	}
	return b.Flush()
}

// writeBMP32 writes four bytes a pixel, the last one 0, from the last line up.
func writeBMP32(w io.Writer, m *image.RGBA) error {
	width, height := m.Rect.Dx(), m.Rect.Dy()
	head := []byte("BM")
	put := func(v ...uint32) {
		for _, n := range v {
			head = binary.LittleEndian.AppendUint32(head, n)
		}
	}
	put(uint32(54+4*width*height), 0, 54, 40, uint32(width), uint32(height), 32<<16|1, 0, 0, 0, 0, 0, 0)
	out := bufio.NewWriter(w)
	out.Write(head)
	for y := height - 1; y >= 0; y-- {
		for line := m.Pix[m.Stride*y:][:4*width]; len(line) > 0; line = line[4:] {
			out.Write([]byte{line[2], line[1], line[0], 0})
		}
	}
	return out.Flush()
}

func writeJPEG(w io.Writer, m image.Image, o Options) error {
	px, each := samples(m)
	if each == 3 {
		for i := 0; i < len(px); i += 3 {
			px[i], px[i+1], px[i+2] = color.RGBToYCbCr(px[i], px[i+1], px[i+2])
		}
	}
	i := jpeg.Info{Width: m.Bounds().Dx(), Height: m.Bounds().Dy(), Components: each, Bits: 8, YCbCr: each == 3}
	b, err := jpeg.Encode(nil, px, i, jpeg.EncodeOptions{Quality: o.Quality, Subsample: o.Halved && each == 3})
	if err == nil {
		_, err = w.Write(b)
	}
	return err
}
