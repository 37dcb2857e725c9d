package capture

import (
	"bufio"
	"image"
	"image/draw"
	"image/gif"
	"io"

	"gantry/pixel"
)

// readGIF makes a frame of each picture of an animation, as it is seen.
func readGIF(in *io.SectionReader, o Options) (*Object, error) {
	c, err := gif.DecodeConfig(bufio.NewReader(io.NewSectionReader(in, 0, in.Size())))
	if err != nil {
		return nil, wrong("GIF: %v", err)
	}
	frames, err := countGIF(bufio.NewReader(io.NewSectionReader(in, 0, in.Size())))
	if err != nil {
		return nil, wrong("GIF: %v", err)
	}
	if err := checkSize(c.Width, c.Height, frames, o); err != nil {
		return nil, err
	}
	if o.Class == Photo && frames > 1 {
		return nil, wrong("GIF: %d frames, a VL Photographic object has one: choose another class", frames)
	}
	g, err := gif.DecodeAll(in)
	if err != nil {
		return nil, wrong("GIF: %v", err)
	}
	ob := &Object{Desc: formOf(g, image.Rect(0, 0, c.Width, c.Height))}
	ob.native = make([]byte, 0, ob.Desc.FrameSize()*int64(len(g.Image)))
	drawGIF(g, c.Width, c.Height, func(m *image.RGBA) {
		ob.native = appendSeen(ob.native, m, ob.Desc.Samples)
	})
	for _, hundredths := range g.Delay {
		ob.times = append(ob.times, float64(max(hundredths, 1))*10)
	}
	ob.Class = classOf(ob.Desc, o.Class)
	return ob, nil
}

// formOf is grey where all palettes are.
func formOf(g *gif.GIF, b image.Rectangle) pixel.Desc {
	d := pixel.Desc{Rows: b.Dy(), Columns: b.Dx(), Samples: 1, BitsAllocated: 8, BitsStored: 8, HighBit: 7, Photometric: pixel.Monochrome2, Frames: len(g.Image)}
	for _, m := range g.Image {
		if !greys(m.Palette) {
			d.Samples, d.Photometric = 3, pixel.RGB
		}
	}
	return d
}

func appendSeen(dst []byte, m *image.RGBA, samples int) []byte {
	for i := 0; i < len(m.Pix); i += 4 {
		dst = append(dst, m.Pix[i:i+samples]...)
	}
	return dst
}

// drawGIF calls seen with each frame on what the ones before have left.
func drawGIF(g *gif.GIF, width, height int, seen func(*image.RGBA)) {
	canvas := image.NewRGBA(image.Rect(0, 0, width, height))
	draw.Draw(canvas, canvas.Rect, image.Black, image.Point{}, draw.Src)
	for i, m := range g.Image {
		var before []byte
		if disposal(g, i) == gif.DisposalPrevious {
			before = append(before, canvas.Pix...)
		}
		draw.Draw(canvas, m.Rect, m, m.Rect.Min, draw.Over)
		seen(canvas)
		switch disposal(g, i) {
		case gif.DisposalBackground:
			draw.Draw(canvas, m.Rect, image.Black, image.Point{}, draw.Src)
		case gif.DisposalPrevious:
			copy(canvas.Pix, before)
		}
	}
}

func disposal(g *gif.GIF, i int) byte {
	if i < len(g.Disposal) {
		return g.Disposal[i]
	}
	return gif.DisposalNone
}

// countGIF counts the pictures of a GIF file without decoding them (GIF89a 18 to 27).
func countGIF(r *bufio.Reader) (n int, err error) {
	head := make([]byte, 13)
	if _, err := io.ReadFull(r, head); err != nil {
		return 0, err
	}
	if err := skipColours(r, head[10]); err != nil {
		return 0, err
	}
	for {
		switch b, err := r.ReadByte(); {
		case err == io.EOF || b == 0x3B:
			return n, nil
		case err != nil:
			return n, err
		case b == 0x2C:
			n++
			at := make([]byte, 9)
			if _, err := io.ReadFull(r, at); err != nil {
				return n, err
			}
			if err := skipColours(r, at[8]); err != nil {
				return n, err
			}
		}
		// The byte of an extension's label, or of a picture's code size, then blocks.
		if _, err := r.Discard(1); err != nil {
			return n, err
		}
		if err := skipBlocks(r); err != nil {
			return n, err
		}
	}
}

// skipColours goes over a colour table if flags say that there is one.
func skipColours(r *bufio.Reader, flags byte) error {
	if flags&0x80 == 0 {
		return nil
	}
	_, err := r.Discard(3 << (flags&7 + 1))
	return err
}

func skipBlocks(r *bufio.Reader) error {
	for {
		n, err := r.ReadByte()
		if n == 0 || err != nil {
			return err
		}
		if _, err := r.Discard(int(n)); err != nil {
			return err
		}
	}
}
