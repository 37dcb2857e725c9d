package verb

import (
	"bufio"
	"context"
	"fmt"
	"image"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"gantry/dicom/part10"
	"gantry/dicom/tag"
	"gantry/internal/cli/imagefile"
	"gantry/pixel"
	"gantry/pixel/render"
)

var extensions = map[string]string{"": ".raw", "raw": ".raw", "png": ".png", "jpeg": ".jpg", "ppm": ".ppm",
	"gif": ".gif", "jp2": ".jp2", "j2k": ".j2k", "jph": ".jph", "j2c": ".j2c", "pdf": ".pdf", "video": ".mp4"}

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

// frame writes a frame.
func (p *picturing) frame(ctx context.Context, f *part10.File, src *pixel.Source, i int, to string) error {
	return p.put(to, func(w io.Writer) error { return p.write(ctx, w, f, src, i) })
}

// put writes a file. It gets its name when it is whole.
func (p *picturing) put(to string, write func(io.Writer) error) error {
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
	if err := write(w); err != nil {
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

// write writes a frame as decoded samples, or as a picture.
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
	m, err := p.picture(ctx, f, src, i)
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
	case "ppm":
		return imagefile.Encode(w, m, imagefile.PNM, imagefile.Options{})
	}
	return imagefile.Encode(w, m, imagefile.Format(p.As), imagefile.Options{})
}

// picture renders a frame. Formats that can hold them get 16 bits where the image has more
// than 8.
func (p *picturing) picture(ctx context.Context, f *part10.File, src *pixel.Source, i int) (image.Image, error) {
	deep := slices.Contains([]string{"png", "jp2", "j2k", "jph", "j2c"}, p.As) && src.Desc().BitsStored > 8
	o := p.look.o
	o.Window, o.Deep = p.Window, deep
	return render.Frame(ctx, f.DataSet, src, i, o)
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
