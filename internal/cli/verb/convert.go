package verb

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"gantry/dicom"
	"gantry/dicom/uid"
	"gantry/pixel"
)

// Convert writes DICOM files in another transfer syntax.
type Convert struct {
	Common
	Input, Output string
	Read          dicom.DecodeOptions
	OnlyFiles     bool    // what has no file meta information is refused
	Syntax        uid.UID // empty: the one that each file has
	Quality       int     // of lossy JPEG, 1 to 100; 0 is 90
	Near          int     // of lossy JPEG-LS; 0 is 2
	Recursive     bool    // folders may be named, with all that is below them
	Overwrite     bool
	Verify        bool // decode both files and compare their pixels
	NoProgress    bool
	List          bool // list the transfer syntaxes instead

	Partial       bool // damaged frames become what of them can be decoded
	Bare          bool // the data set alone, without file meta information
	NewUIDs       UIDs
	EmptyOffsets  bool // leave the Basic Offset Table empty
	NoGroupLength bool // leave the retired group lengths out, also where nothing else changes
	NoPadding     bool // leave Data Set Trailing Padding (FFFC,FFFC) out
}

// UIDs says when a result gets a SOP Instance UID of its own.
type UIDs uint8

// When there is a new one.
const (
	WhenLossy UIDs = iota
	Always
	Never
)

// errThere says that there is a file where the result should go.
var errThere = errors.New("is there already")

// converting is a Convert under way. Its counters are read while it works.
type converting struct {
	*Convert
	s                     *Stdio
	progress              *progress
	start                 time.Time
	total, good, bad, had atomic.Int64
}

// Run does it.
func (o *Convert) Run(ctx context.Context, s *Stdio) error {
	if o.List {
		return o.list(s)
	}
	if err := o.check(); err != nil {
		return err
	}
	c := &converting{Convert: o, s: s, start: time.Now()}
	shown := o.Say == Normal && o.Form != DCMTK && !o.NoProgress && isTerminal(s.Err)
	c.progress = newProgress(s, shown, func() string {
		return howFar(c.good.Load()+c.bad.Load(), 0, c.bad.Load(), 0, time.Since(c.start))
	})
	err := c.all(ctx)
	c.progress.end()
	if err != nil {
		return err
	}
	c.summary()
	return c.outcome()
}

func (o *Convert) check() error {
	if o.Input == "" || o.Output == "" {
		return Fail(Usage, "an input and an output are wanted")
	}
	switch {
	case o.Quality < 0 || o.Quality > 100:
		return Fail(Usage, "a quality of %d: want 1 to 100", o.Quality)
	case o.Near < 0 || o.Near > 255:
		return Fail(Usage, "a difference of %d: want 1 to 255", o.Near)
	case o.Syntax == "":
		return nil
	}
	i, ok := o.Syntax.SyntaxInfo()
	if !ok {
		return Fail(Usage, "%s is no transfer syntax: --list-syntaxes lists them", o.Syntax)
	}
	c, _ := pixel.Builtin().Lookup(o.Syntax)
	if (i.Encapsulated || i.Referenced || i.Foreign || i.RealTime) && c.Encoder == nil {
		return Fail(Usage, "%s (%s) cannot be written in this version: --list-syntaxes lists what can", o.Syntax, o.Syntax.Name())
	}
	return nil
}

// lossy are the parameters of a target that loses information, nil for the others.
func (o *Convert) lossy() *pixel.Lossy {
	if i, _ := o.Syntax.SyntaxInfo(); !i.Lossy {
		return nil
	}
	return &pixel.Lossy{Quality: o.Quality, Near: o.Near}
}

// all converts a file, or the files in a folder into a folder.
func (c *converting) all(ctx context.Context) error {
	st, err := os.Stat(c.Input)
	switch {
	case err != nil:
		return Fail(NoInput, "%s: %w", c.Input, withoutName(err))
	case !st.IsDir():
		out := c.Output
		if to, err := os.Stat(out); err == nil && to.IsDir() {
			out = filepath.Join(out, filepath.Base(c.Input))
		}
		c.one(ctx, c.Input, out)
		return ctx.Err()
	case !c.Recursive:
		return Fail(Usage, "%s is a folder: --recursive converts what is in it", c.Input)
	}
	return c.folder(ctx)
}

// folder converts the regular files below a folder. Links are not followed, and a folder of
// results inside of it is left out.
func (c *converting) folder(ctx context.Context) error {
	results, err := filepath.Abs(c.Output)
	if err != nil {
		return err
	}
	return filepath.WalkDir(c.Input, func(name string, d fs.DirEntry, err error) error {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			c.total.Add(1)
			c.fail(name, withoutName(err))
			return nil
		}
		if here, err := filepath.Abs(name); d.IsDir() && err == nil && here == results && name != c.Input {
			return fs.SkipDir
		}
		if !d.Type().IsRegular() {
			return nil
		}
		below, err := filepath.Rel(c.Input, name)
		if err != nil {
			return err
		}
		c.one(ctx, name, filepath.Join(c.Output, below))
		return nil
	})
}

// one converts a file and counts what came of it.
func (c *converting) one(ctx context.Context, from, to string) {
	c.total.Add(1)
	err := c.convert(ctx, from, to)
	switch {
	case errors.Is(err, errThere):
		c.had.Add(1)
		c.good.Add(1)
		c.progress.clear()
		c.says(c.s, Normal, "%s: left as it is; --overwrite replaces it", to)
	case err != nil:
		c.fail(from, err)
	default:
		c.good.Add(1)
	}
}

func (c *converting) fail(name string, err error) {
	c.bad.Add(1)
	c.progress.clear()
	c.says(c.s, Normal, "%s: %v", name, withoutPrefix(err, name))
}

func (c *converting) summary() {
	switch {
	case c.Form == Described && c.Say > Quiet:
		fmt.Fprintf(c.s.Out, "\nSummary\n  Total files: %d\n  Successful:  %d\n  Errors:      %d\n  Total time:  %d ms\n",
			c.total.Load(), c.good.Load(), c.bad.Load(), time.Since(c.start).Milliseconds())
	case c.Form == Modern && c.Say > Quiet:
		fmt.Fprintf(c.s.Out, "%d converted, %d there already, %d failed\n", c.good.Load()-c.had.Load(), c.had.Load(), c.bad.Load())
	}
}

func (c *converting) outcome() error {
	switch {
	case c.total.Load() == 0:
		return Fail(NoInput, "no file in %s", c.Input)
	case c.bad.Load() == 0:
		return nil
	case c.good.Load() > 0:
		return Ended(Partial)
	}
	return Ended(Failed)
}

// list lists the transfer syntaxes, and what can be done with the pixels in them.
func (o *Convert) list(s *Stdio) error {
	r := pixel.Builtin()
	for _, u := range Uncompressed() {
		fmt.Fprintf(s.Out, "%-25s %-14s %s\n", u, "read, written", u.Name())
	}
	for _, u := range r.Syntaxes() {
		c, _ := r.Lookup(u)
		can := "copied"
		switch {
		case c.Decoder != nil && c.Encoder != nil:
			can = "read, written"
		case c.Decoder != nil:
			can = "read"
		}
		fmt.Fprintf(s.Out, "%-25s %-14s %s\n", u, can, u.Name())
	}
	return nil
}
