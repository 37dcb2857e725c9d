package verb

import (
	"context"
	"errors"
	"fmt"
	"image"
	"strconv"
	"strings"

	"gantry/dicom"
	"gantry/dicom/part10"
	"gantry/pixel"
	"gantry/pixel/render"
)

// Look says what is drawn with the pixels of a frame, and how large.
type Look struct {
	NoOverlays, NoShutter, NoGraphics bool
	Square                            bool   // square pixels
	Fit                               string // WIDTHxHEIGHT that pictures fit in
	State, Segmentation, Dose         string // files laid over each image
}

// looking are the files of a Look, open as long as there are pictures to draw.
type looking struct {
	o     render.Options
	files []*part10.File
}

// open reads the files of l.
func (l *Look) open(ctx context.Context) (_ *looking, err error) {
	k := &looking{o: render.Options{NoShutter: l.NoShutter, NoGraphics: l.NoGraphics, Square: l.Square, Overlays: render.Overlays{Off: l.NoOverlays}}}
	defer func() {
		if err != nil {
			k.close()
		}
	}()
	if k.o.Fit, err = parseSize(l.Fit); err != nil {
		return nil, Fail(Usage, "%w", err)
	}
	for _, from := range []struct {
		name string
		add  func(ctx context.Context, f *part10.File) error
	}{{l.State, k.state}, {l.Segmentation, k.segmentation}, {l.Dose, k.dose}} {
		if from.name == "" {
			continue
		}
		f, err := part10.Open(from.name, dicom.DecodeOptions{})
		if err != nil {
			return nil, Fail(NoInput, "%s: %w", from.name, withoutName(err))
		}
		k.files = append(k.files, f)
		if err := from.add(ctx, f); err != nil {
			return nil, Fail(NoInput, "%s: %w", from.name, err)
		}
	}
	return k, nil
}

func (k *looking) close() {
	for _, f := range k.files {
		f.Close()
	}
}

func (k *looking) state(_ context.Context, f *part10.File) (err error) {
	k.o.State, err = render.ReadState(f.DataSet)
	return err
}

func (k *looking) segmentation(_ context.Context, f *part10.File) error {
	src, err := pixel.Frames(f.DataSet, f.Syntax, pixel.Limits{})
	if err != nil {
		return err
	}
	s, err := render.ReadSegmentation(f.DataSet, src)
	k.o.Over = append(k.o.Over, s)
	return err
}

func (k *looking) dose(ctx context.Context, f *part10.File) error {
	src, err := pixel.Frames(f.DataSet, f.Syntax, pixel.Limits{})
	if err != nil {
		return err
	}
	d, err := render.ReadDose(ctx, f.DataSet, src)
	k.o.Over = append(k.o.Over, d)
	return err
}

// parseSize reads WIDTHxHEIGHT. Nothing is no size.
func parseSize(s string) (p image.Point, err error) {
	if s == "" {
		return p, nil
	}
	w, h, ok := strings.Cut(s, "x")
	x, err1 := strconv.Atoi(w)
	y, err2 := strconv.Atoi(h)
	if err := errors.Join(err1, err2); !ok || err != nil || x < 1 || y < 1 || x > 65535 || y > 65535 {
		return p, fmt.Errorf("%q is no size: want two numbers up to 65535, as 512x512", s)
	}
	return image.Pt(x, y), nil
}
