package verb

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"image"
	"io"
	"os"
	"path/filepath"

	"golang.org/x/image/draw"

	"gantry/dicom"
	"gantry/dicom/part10"
	"gantry/dicom/tag"
	"gantry/internal/cli/imagefile"
	"gantry/pixel"
	"gantry/pixel/render"
)

// Render writes frames of a DICOM file as pictures, as one of DCMTK's programs does.
type Render struct {
	Common
	Input, Output string // an empty output is standard output
	Read          dicom.DecodeOptions
	OnlyFiles     bool

	First, Count int  // frames, the first counted from 1; 0 frames are one, whose picture has the output's name
	Absolute     bool // pictures of several frames are numbered as the frames are, else from 0

	VOI          VOI
	NoModality   bool
	Partial      bool // damaged frames become what of them can be decoded
	Shape        render.Shape
	Overlays     render.Overlays
	Grey, Invert bool
	Clip         image.Rectangle // empty is the whole
	Scale        Scaling
	Quarters     int // turned clockwise
	Across, Down bool
	As           imagefile.Format
	Coding       imagefile.Options
	Describe     bool
	NoOutput     bool
}

// AllOfThem is the Count of all frames from First on.
const AllOfThem = -1

// Scaling says how large pictures become. The other direction follows from the one given.
type Scaling struct {
	X, Y          float64      // factors
	Width, Height int          // pixels
	NoAspect      bool         // take pixels for squares
	Kernel        *draw.Kernel // nil: the mean of what a pixel covers
}

// Run does it.
func (o *Render) Run(ctx context.Context, s *Stdio) error {
	o.says(s, Verbose, "reading DICOM file: %s", o.Input)
	f, err := part10.Open(o.Input, o.Read)
	if err != nil {
		return Fail(NoInput, "%s: %w", o.Input, withoutName(err))
	}
	defer f.Close()
	if o.OnlyFiles && !f.HasPreamble {
		return Fail(NoInput, "%s is no DICOM file: it has no file meta information", o.Input)
	}
	if err := o.file(ctx, s, f); err != nil {
		return Fail(Failed, "%s: %w", o.Input, err)
	}
	return nil
}

func (o *Render) file(ctx context.Context, s *Stdio, f *part10.File) error {
	ds, err := o.stripped(f.DataSet)
	if err != nil {
		return err
	}
	src, err := pixel.Frames(ds, f.Syntax, pixel.Limits{Partial: o.Partial})
	if err != nil {
		return err
	}
	first, count := max(o.First, 1)-1, max(o.Count, 1)
	if o.Count == AllOfThem {
		count = src.Len() - first
	}
	if first >= src.Len() || count < 1 || count > src.Len()-first {
		return fmt.Errorf("no frames %d to %d: there are %d", first+1, first+count, src.Len())
	}
	if o.Describe {
		o.describe(s, ds, f, src)
	}
	if o.NoOutput {
		return nil
	}
	ds, options, err := o.VOI.options(ctx, ds, src, first, count)
	if err != nil {
		return err
	}
	options.NoShutter = true
	options.Shape, options.Overlays, options.Deep = o.Shape, o.Overlays, o.As == imagefile.PNG && o.Coding.Bits == 16 || o.As == imagefile.PlainPNM
	for i := range count {
		m, err := render.Frame(ctx, ds, src, first+i, options)
		if err != nil {
			return err
		}
		if m, err = o.shaped(m, ds); err != nil {
			return err
		}
		if err := o.write(s, m, first, i); err != nil {
			return err
		}
	}
	if flaws := src.Flaws(); o.Partial {
		for i := range flaws {
			o.says(s, Normal, "%v", &flaws[i])
		}
	}
	return nil
}

// stripped is the data set without the Modality LUT, if that is wanted.
func (o *Render) stripped(ds *dicom.DataSet) (*dicom.DataSet, error) {
	if !o.NoModality {
		return ds, nil
	}
	return ds.Edit().Delete(tag.ModalityLUTSequence).Delete(tag.RescaleSlope).Delete(tag.RescaleIntercept).Delete(tag.RescaleType).Build()
}

// maxPicture bounds what a scale factor can make of an image.
const maxPicture = 1 << 28

// shaped is the picture cut, scaled and turned.
func (o *Render) shaped(m image.Image, ds *dicom.DataSet) (image.Image, error) {
	if o.Grey {
		m = imagefile.Grey(m)
	}
	if !o.Clip.Empty() {
		if !o.Clip.Overlaps(m.Bounds()) || o.Clip.Dx() > 65535 || o.Clip.Dy() > 65535 {
			return nil, fmt.Errorf("the region %v is not in the image of %d x %d pixels", o.Clip, m.Bounds().Dx(), m.Bounds().Dy())
		}
		m = imagefile.Clip(m, o.Clip)
	}
	if w, h := o.Scale.size(m.Bounds(), ds); w != m.Bounds().Dx() || h != m.Bounds().Dy() {
		if w < 1 || h < 1 || int64(w)*int64(h) > maxPicture {
			return nil, fmt.Errorf("a picture of %d x %d pixels: want 1 to %d of them", w, h, maxPicture)
		}
		m = imagefile.Scale(m, w, h, o.Scale.Kernel)
	}
	m = imagefile.Turn(m, o.Quarters, o.Across, o.Down)
	if o.Invert {
		imagefile.Invert(m)
	}
	return m, nil
}

// size is that of the scaled picture.
func (c *Scaling) size(b image.Rectangle, ds *dicom.DataSet) (w, h int) {
	aspect := 1.0 // of a pixel, its height by its width
	if !c.NoAspect {
		aspect = pixelAspect(ds)
	}
	x, y := c.X, c.Y
	if c.Width > 0 {
		x = float64(c.Width) / float64(b.Dx())
	}
	if c.Height > 0 {
		y = float64(c.Height) / float64(b.Dy())
	}
	switch {
	case x == 0 && y == 0:
		return b.Dx(), b.Dy()
	case y == 0: // by the whole pixels of the other
		w = whole(float64(b.Dx()) * x)
		return w, whole(float64(w) / float64(b.Dx()) * float64(b.Dy()) * aspect)
	case x == 0:
		h = whole(float64(b.Dy()) * y)
		return whole(float64(h) / float64(b.Dy()) * float64(b.Dx()) / aspect), h
	}
	return whole(float64(b.Dx()) * x), whole(float64(b.Dy()) * y)
}

// whole is the number of pixels of a length.
func whole(v float64) int { return int(min(v+1e-9, 1<<20)) }

// pixelAspect is the height of a pixel by its width (PS3.3 C.7.6.3.1.7).
func pixelAspect(ds *dicom.DataSet) float64 {
	for _, t := range []tag.Tag{tag.PixelSpacing, tag.ImagerPixelSpacing, tag.PixelAspectRatio} {
		e, ok := ds.Get(t)
		if !ok || e.Count() < 2 {
			continue
		}
		a, err := e.FloatAt(0)
		b, err2 := e.FloatAt(1)
		if err == nil && err2 == nil && a > 0 && b > 0 && a/b < 1000 && b/a < 1000 {
			return a / b
		}
	}
	return 1
}

// write writes a picture under its name.
func (o *Render) write(s *Stdio, m image.Image, first, i int) error {
	if o.Output == "" {
		if o.Count != 0 && i > 0 {
			return errors.New("several pictures go to files: name an output")
		}
		return o.encode(s.Out, m)
	}
	name := o.Output
	if o.Count != 0 {
		n := i
		if o.Absolute {
			n += first + 1
		}
		name = fmt.Sprintf("%s.%d%s", o.Output, n, o.As.Extension(m))
	}
	tmp, err := os.CreateTemp(filepath.Dir(name), ".gantry-*")
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	defer tmp.Close()
	if err := firstError(o.encode(tmp, m), tmp.Chmod(0o644), tmp.Close()); err != nil {
		return err
	}
	o.says(s, Verbose, "writing frame %d to %s", first+i+1, name)
	return os.Rename(tmp.Name(), name)
}

func (o *Render) encode(w io.Writer, m image.Image) error {
	b := bufio.NewWriter(w)
	if err := imagefile.Encode(b, m, o.As, o.Coding); err != nil {
		return err
	}
	return b.Flush()
}

// describe says what the image is.
func (o *Render) describe(s *Stdio, ds *dicom.DataSet, f *part10.File, src *pixel.Source) {
	d := src.Desc()
	for _, line := range [][2]any{
		{"filename", o.Input}, {"transfer syntax", f.Syntax.Name()}, {"SOP class", ds.UID(tag.SOPClassUID).Name()},
		{"SOP instance UID", ds.UID(tag.SOPInstanceUID)}, {"columns x rows", fmt.Sprintf("%d x %d", d.Columns, d.Rows)},
		{"bits per sample", d.BitsStored}, {"color model", d.Photometric}, {"pixel aspect ratio", fmt.Sprintf("%.2f", pixelAspect(ds))},
		{"number of frames", d.Frames}, {"VOI windows in file", len(ds.Texts(tag.WindowCenter))}, {"VOI LUTs in file", ds.ItemCount(tag.VOILUTSequence)},
	} {
		o.says(s, Verbose, "  %-20s: %v", line[0], line[1])
	}
}
