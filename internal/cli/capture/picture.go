package capture

import (
	"bufio"
	"encoding/binary"
	"image"
	"image/color"
	"image/png"
	"io"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"

	"gantry/pixel"
)

// readPicture decodes a picture of one frame.
func readPicture(in *io.SectionReader, kind Kind, o Options) (*Object, error) {
	config, decode := png.DecodeConfig, png.Decode
	switch kind {
	case TIFF:
		config, decode = tiff.DecodeConfig, tiff.Decode
	case BMP:
		config, decode = bmp.DecodeConfig, bmp.Decode
	}
	c, err := config(bufio.NewReader(io.NewSectionReader(in, 0, in.Size())))
	if err != nil {
		return nil, wrong("%s: %v", kind, err)
	}
	if err := checkSize(c.Width, c.Height, 1, o); err != nil {
		return nil, err
	}
	m, err := decode(in)
	if err != nil {
		return nil, wrong("%s: %v", kind, err)
	}
	d := describe(m)
	px := appendSamples(make([]byte, 0, d.FrameSize()), m, d)
	return &Object{Class: classOf(d, o.Class), Desc: d, native: px}, nil
}

// checkSize bounds what decoding takes, at 8 bytes a pixel.
func checkSize(width, height, frames int, o Options) error {
	switch {
	case width < 1 || height < 1 || width > 65535 || height > 65535:
		return wrong("%d x %d pixels: an image has 1 to 65535 rows and columns", width, height)
	case int64(width)*int64(height) > o.limit()/8/int64(max(frames, 1)):
		return wrong("%d frames of %d x %d pixels take more than %d bytes to decode: make it smaller", frames, width, height, o.limit())
	}
	return nil
}

// describe is the form of what a picture becomes: greys of 8 or 16 bits, or RGB.
func describe(m image.Image) pixel.Desc {
	d := pixel.Desc{Rows: m.Bounds().Dy(), Columns: m.Bounds().Dx(), Samples: 3, BitsAllocated: 8, Photometric: pixel.RGB, Frames: 1}
	switch m := m.(type) {
	case *image.Gray:
		d.Samples, d.Photometric = 1, pixel.Monochrome2
	case *image.Gray16:
		d.Samples, d.Photometric, d.BitsAllocated = 1, pixel.Monochrome2, 16
	case *image.Paletted:
		if greys(m.Palette) {
			d.Samples, d.Photometric = 1, pixel.Monochrome2
		}
	}
	d.BitsStored, d.HighBit = d.BitsAllocated, d.BitsAllocated-1
	return d
}

// greys reports whether a palette has no colours.
func greys(p color.Palette) bool {
	for _, c := range p {
		if r, g, b, _ := c.RGBA(); r != g || g != b {
			return false
		}
	}
	return true
}

// appendSamples appends the samples of a picture of form d. What is transparent lets black
// through.
func appendSamples(dst []byte, m image.Image, d pixel.Desc) []byte {
	b := m.Bounds()
	for y := b.Min.Y; y < b.Max.Y; y++ {
		dst = appendLine(dst, m, y, d)
	}
	return dst
}

func appendLine(dst []byte, m image.Image, y int, d pixel.Desc) []byte {
	from, to := m.Bounds().Min.X, m.Bounds().Max.X
	switch m := m.(type) {
	case *image.Gray:
		at := m.PixOffset(from, y)
		return append(dst, m.Pix[at:at+d.Columns]...)
	case *image.Gray16:
		for at := m.PixOffset(from, y); from < to; from, at = from+1, at+2 {
			dst = binary.LittleEndian.AppendUint16(dst, binary.BigEndian.Uint16(m.Pix[at:]))
		}
		return dst
	case *image.RGBA:
		for at := m.PixOffset(from, y); from < to; from, at = from+1, at+4 {
			dst = append(dst, m.Pix[at:at+3]...)
		}
		return dst
	}
	for x := from; x < to; x++ {
		r, g, b, _ := m.At(x, y).RGBA()
		if dst = append(dst, byte(r>>8)); d.Samples == 3 {
			dst = append(dst, byte(g>>8), byte(b>>8))
		}
	}
	return dst
}
