package verb

import (
	"bufio"
	"context"
	"fmt"
	"image"
	"io"
	"os"
	"path/filepath"
	"strings"

	"gantry/dicom/part10"
	"gantry/dicom/tag"
	"gantry/pixel"
	"gantry/pixel/render"
)

var extensions = map[string]string{"": ".raw", "raw": ".raw", "png": ".png", "jpeg": ".jpg", "ppm": ".ppm"}

// target is the name of a picture. Frames of several are numbered as they are counted.
func (p *picturing) target(base string, several bool, i int) string {
	ext := extensions[p.As]
	if e := filepath.Ext(base); p.Output != "" && base == p.Output && e != "" {
		base, ext = strings.TrimSuffix(base, e), e
	}
	if several {
		return fmt.Sprintf("%s_%04d%s", base, i, ext)
	}
	return base + ext
}

// frame writes a frame. It gets its name when it is whole.
func (p *picturing) frame(ctx context.Context, f *part10.File, src *pixel.Source, i int, to string) error {
	if _, err := os.Lstat(to); err == nil && !p.Overwrite {
		return fmt.Errorf("%s: %w", to, errThere)
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o777); err != nil {
		return err
	}
	tmp, err := os.CreateTemp(filepath.Dir(to), ".gantry-*")
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	defer tmp.Close()
	w := bufio.NewWriter(tmp)
	if err := p.write(ctx, w, f, src, i); err != nil {
		return err
	}
	if err := firstError(w.Flush(), tmp.Chmod(0o644), tmp.Close()); err != nil {
		return err
	}
	c := converting{Convert: &Convert{Overwrite: p.Overwrite}}
	if err := c.name(tmp.Name(), to); err != nil {
		return fmt.Errorf("%s: %w", to, err)
	}
	p.says(p.s, Verbose, "%s: written", to)
	return nil
}

// write writes a frame as decoded samples, or as a picture. PNG has 16 bits for greys where
// the image has more than 8.
func (p *picturing) write(ctx context.Context, w io.Writer, f *part10.File, src *pixel.Source, i int) error {
	if p.As == "" || p.As == "raw" {
		coded, err := src.Frame(ctx, i, nil)
		if err != nil {
			return err
		}
		px, _, err := src.Decode(i, coded, nil)
		if err == nil {
			_, err = w.Write(px)
		}
		return err
	}
	o := p.look.o
	o.Window, o.Deep = p.Window, p.As == "png" && src.Desc().BitsStored > 8
	m, err := render.Frame(ctx, f.DataSet, src, i, o)
	if err != nil {
		return err
	}
	profile, err := render.Profile(f.DataSet)
	if err != nil {
		p.says(p.s, Normal, "%v; the picture goes without", err)
	}
	switch p.As {
	case "png":
		return render.EncodePNG(w, m, profile)
	case "jpeg":
		q := p.Quality
		if q == 0 {
			q = 90
		}
		return render.EncodeJPEG(w, m, q, profile)
	}
	return writePNM(w, m)
}

// writePNM writes colours as PPM and greys as PGM, both binary.
func writePNM(w io.Writer, m image.Image) error {
	kind, px := 5, []byte(nil)
	switch m := m.(type) {
	case *image.Gray:
		px = m.Pix
	case *image.RGBA:
		kind, px = 6, make([]byte, 0, len(m.Pix)/4*3)
		for i := 0; i < len(m.Pix); i += 4 {
			px = append(px, m.Pix[i:i+3]...)
		}
	}
	if _, err := fmt.Fprintf(w, "P%d\n%d %d\n255\n", kind, m.Bounds().Dx(), m.Bounds().Dy()); err != nil {
		return err
	}
	_, err := w.Write(px)
	return err
}

// describe prints what the image of a file is.
func (p *picturing) describe(name string, f *part10.File) error {
	d, err := pixel.ReadDesc(f.DataSet, pixel.Limits{})
	if err != nil {
		return err
	}
	e, has := f.DataSet.Get(tag.PixelData)
	size, yes := e.Len(), "no"
	for i := 1; i < e.FragmentCount(); i++ {
		size += e.Fragment(i).Len()
	}
	sign := "unsigned"
	if d.Signed {
		sign = "signed"
	}
	if has {
		yes = "yes"
	}
	_, err = fmt.Fprintf(p.s.Out, `File:             %s
Dimensions:       %d x %d
Bits Allocated:   %d
Bits Stored:      %d
High Bit:         %d
Samples/Pixel:    %d
Pixel Rep:        %s
Photometric:      %s
Number of Frames: %d
Has Pixel Data:   %s
Pixel Data Size:  %d
Expected Size:    %d
`, name, d.Columns, d.Rows, d.BitsAllocated, d.BitsStored, d.HighBit, d.Samples, sign, d.Photometric, d.Frames, yes, size, d.FrameSize()*int64(d.Frames))
	return err
}
