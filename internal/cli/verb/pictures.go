package verb

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"gantry/dicom"
	"gantry/dicom/part10"
	"gantry/pixel"
	"gantry/pixel/render"
)

// Pictures writes the frames of DICOM files as samples or as pictures.
type Pictures struct {
	Common
	Look
	Input, Output string // without an output, pictures are beside their files
	As            string // a key of extensions; empty is raw
	Quality       int    // of JPEG, 1 to 100; 0 is 90
	Frame         int    // counted from 0; AllFrames is all of them
	Window        *render.Window
	Recursive     bool // folders may be named, with all that is below them
	Overwrite     bool
	Describe      bool // print what an image is instead of writing it
}

// AllFrames stands for every frame.
const AllFrames = -1

// picturing is a Pictures under way.
type picturing struct {
	*Pictures
	look                  *looking
	s                     *Stdio
	start                 time.Time
	total, good, had, bad int
}

// Run does it.
func (o *Pictures) Run(ctx context.Context, s *Stdio) error {
	switch {
	case o.Input == "":
		return Fail(Usage, "an input is wanted")
	case o.Quality < 0 || o.Quality > 100:
		return Fail(Usage, "a quality of %d: want 1 to 100", o.Quality)
	case o.Window != nil && !(o.Window.Width >= 1):
		return Fail(Usage, "a window of width %g: want 1 or more", o.Window.Width)
	}
	look, err := o.open(ctx)
	if err != nil {
		return err
	}
	defer look.close()
	p := &picturing{Pictures: o, look: look, s: s, start: time.Now()}
	if err := p.all(ctx); err != nil {
		return err
	}
	if p.Say > Quiet && !p.Describe {
		p.summary()
	}
	switch {
	case p.total == 0:
		return Fail(NoInput, "no file in %s", o.Input)
	case p.bad == 0:
		return nil
	case p.good+p.had > 0:
		return Ended(Partial)
	}
	return Ended(Failed)
}

// all goes through a file, or the regular files below a folder.
func (p *picturing) all(ctx context.Context) error {
	st, err := os.Stat(p.Input)
	switch {
	case err != nil:
		return Fail(NoInput, "%s: %w", p.Input, withoutName(err))
	case !st.IsDir():
		p.count(p.Input, p.file(ctx, p.Input, p.base(p.Input, filepath.Base(p.Input))))
		return ctx.Err()
	case !p.Recursive:
		return Fail(Usage, "%s is a folder: --recursive extracts from what is in it", p.Input)
	}
	return filepath.WalkDir(p.Input, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			p.count(name, withoutName(err))
			return ctx.Err()
		}
		if !d.Type().IsRegular() || p.own(name) || ctx.Err() != nil {
			return ctx.Err()
		}
		base := name
		if below, err := filepath.Rel(p.Input, name); err == nil && p.Output != "" {
			base = filepath.Join(p.Output, below)
		}
		p.count(name, p.file(ctx, name, strings.TrimSuffix(base, ".dcm")))
		return ctx.Err()
	})
}

// own reports whether a file beside the images is a picture that was written before.
func (p *picturing) own(name string) bool {
	return p.Output == "" && slices.Contains(slices.Collect(maps.Values(extensions)), filepath.Ext(name))
}

// base is the name of a picture of one file without its extension, or the whole of it.
func (p *picturing) base(from, last string) string {
	if st, err := os.Stat(p.Output); err == nil && st.IsDir() {
		return strings.TrimSuffix(filepath.Join(p.Output, last), ".dcm")
	}
	if p.Output == "" {
		return strings.TrimSuffix(from, ".dcm")
	}
	return p.Output
}

func (p *picturing) count(name string, err error) {
	p.total++
	switch {
	case errors.Is(err, errThere):
		p.had++
		p.says(p.s, Normal, "%v; --overwrite replaces it", err)
	case err != nil:
		p.bad++
		p.says(p.s, Normal, "%s: %v", name, err)
	default:
		p.good++
	}
}

func (p *picturing) summary() {
	took := time.Since(p.start)
	if p.Form == Modern {
		fmt.Fprintf(p.s.Out, "%d extracted, %d there already, %d failed\n", p.good, p.had, p.bad)
		return
	}
	fmt.Fprintf(p.s.Out, "\nSummary\n  Total files:  %d\n  Successful:   %d\n  Skipped:      %d\n  Errors:       %d\n  Total time:   %d ms\n  Avg per file: %d ms\n",
		p.total, p.good, p.had, p.bad, took.Milliseconds(), took.Milliseconds()/int64(max(p.total, 1)))
}

// file extracts the wanted frames of a file.
func (p *picturing) file(ctx context.Context, name, base string) error {
	f, err := part10.Open(name, dicom.DecodeOptions{})
	if err != nil {
		return withoutName(err)
	}
	defer f.Close()
	if p.Describe {
		return p.describe(name, f)
	}
	if write := p.whole(ctx, f); write != nil {
		return p.put(p.target(base, false, 0), write)
	}
	src, err := pixel.Frames(f.DataSet, f.Syntax, pixel.Limits{})
	if err != nil {
		return err
	}
	first, last := 0, src.Len()-1
	if p.Frame != AllFrames {
		if first, last = p.Frame, p.Frame; p.Frame > src.Len()-1 {
			return fmt.Errorf("no frame %d: there are %d, counted from 0", p.Frame, src.Len())
		}
	}
	written := 0
	var there error
	for i := first; i <= last; i++ {
		err := p.frame(ctx, f, src, i, p.target(base, src.Len() > 1 && p.Frame == AllFrames, i))
		switch {
		case errors.Is(err, errThere):
			there = err
		case err != nil:
			return err
		default:
			written++
		}
	}
	if written > 0 {
		return nil
	}
	return there
}
