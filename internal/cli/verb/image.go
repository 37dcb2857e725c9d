package verb

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"gantry/dicom"
	"gantry/dicom/uid"
	"gantry/internal/cli/capture"
)

// Image makes DICOM files of pictures, documents and video files.
type Image struct {
	Common
	Inputs []string
	Output string
	Join   bool // the inputs are frames of one object

	Capture   capture.Options
	Only      capture.Kind // refuse files of another kind
	Syntax    uid.UID      // of what is not kept coded; empty is Explicit VR Little Endian
	Bare      bool         // the data set alone
	Recursive bool         // the input is a folder, with all that is below it
	Overwrite bool
	Identity  Identity
	NoEmpty   bool // leave out attributes of type 2 that nobody gave
	NoMadeUp  bool // refuse where the UID of a study or series would have to be made up

	number     int
	base       *dicom.DataSet
	keys       *keyTree
	start      time.Time
	total, had int
	bad        int
}

// Run does it.
func (o *Image) Run(ctx context.Context, s *Stdio) error {
	if len(o.Inputs) == 0 || o.Output == "" {
		return Fail(Usage, "an input and an output are wanted")
	}
	o.start = time.Now()
	if err := o.prepare(); err != nil {
		return err
	}
	if err := o.all(ctx, s); err != nil {
		return err
	}
	if o.Say > Quiet && o.Form != DCMTK {
		o.summary(s)
	}
	switch {
	case o.total == 0:
		return Fail(NoInput, "no file in %s", o.Inputs[0])
	case o.bad == 0:
		return nil
	case o.bad < o.total:
		return Ended(Partial)
	}
	return Ended(Failed)
}

// all makes one object of all inputs, of one, or one of each file below a folder.
func (o *Image) all(ctx context.Context, s *Stdio) error {
	from := o.Inputs[0]
	st, err := os.Stat(from)
	switch {
	case err != nil:
		return Fail(NoInput, "%s: %w", from, withoutName(err))
	case o.Join || !st.IsDir():
		o.count(s, from, o.one(ctx, o.Inputs, o.Output))
		return ctx.Err()
	case !o.Recursive:
		return Fail(Usage, "%s is a folder: --recursive takes what is in it", from)
	}
	return filepath.WalkDir(from, func(name string, d fs.DirEntry, err error) error {
		if err == nil && (!d.Type().IsRegular() || strings.HasSuffix(name, ".dcm")) || ctx.Err() != nil {
			return ctx.Err()
		}
		if err == nil {
			var below string
			if below, err = filepath.Rel(from, name); err == nil {
				err = o.one(ctx, []string{name}, filepath.Join(o.Output, below)+".dcm")
			}
		}
		o.count(s, name, err)
		return ctx.Err()
	})
}

func (o *Image) count(s *Stdio, name string, err error) {
	o.total++
	switch {
	case errors.Is(err, errThere):
		o.had++
		o.says(s, Normal, "%v; --overwrite replaces it", err)
	case err != nil:
		o.bad++
		o.says(s, Normal, "%s: %v", name, err)
	default:
		o.says(s, Verbose, "%s: taken", name)
	}
}

func (o *Image) summary(s *Stdio) {
	if o.Form == Modern {
		fmt.Fprintf(s.Out, "%d made, %d there already, %d failed\n", o.total-o.had-o.bad, o.had, o.bad)
		return
	}
	fmt.Fprintf(s.Out, "\nSummary\n  Total files:  %d\n  Successful:   %d\n  Skipped:      %d\n  Errors:       %d\n  Total time:   %d ms\n",
		o.total, o.total-o.had-o.bad, o.had, o.bad, time.Since(o.start).Milliseconds())
}

// one makes an object. It gets its name when it is whole.
func (o *Image) one(ctx context.Context, from []string, to string) error {
	if _, err := os.Lstat(to); err == nil && !o.Overwrite {
		return fmt.Errorf("%s: %w", to, errThere)
	}
	var parts []*capture.Object
	for _, name := range from {
		if err := ctx.Err(); err != nil {
			return err
		}
		f, err := os.Open(name)
		if err != nil {
			return withoutName(err)
		}
		defer f.Close()
		part, err := o.read(f)
		if err != nil && len(from) > 1 {
			return fmt.Errorf("%s: %w", name, err)
		}
		if err != nil {
			return err
		}
		parts = append(parts, part)
	}
	ob := parts[0]
	if len(parts) > 1 {
		var err error
		if ob, err = capture.Join(parts, o.Capture); err != nil {
			return err
		}
	}
	ds, err := o.attributes(ob)
	if err != nil {
		return err
	}
	return o.write(ob, ds, to)
}

func (o *Image) read(f *os.File) (*capture.Object, error) {
	st, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if o.Only != "" {
		head := make([]byte, 12)
		n, _ := f.ReadAt(head, 0)
		if kind := capture.KindOf(head[:n]); kind != o.Only {
			return nil, fmt.Errorf("is no %s file: -i names another kind", o.Only)
		}
	}
	return capture.Read(f, st.Size(), o.Capture)
}

// write writes the object beside its name first.
func (o *Image) write(ob *capture.Object, ds *dicom.DataSet, to string) error {
	if err := os.MkdirAll(filepath.Dir(to), 0o777); err != nil {
		return err
	}
	tmp, err := os.CreateTemp(filepath.Dir(to), ".gantry-*")
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	defer tmp.Close()
	syntax := o.Syntax
	if syntax == "" {
		syntax = uid.ExplicitVRLittleEndian
	}
	w := bufio.NewWriterSize(tmp, 1<<20)
	if err := firstError(ob.Write(w, ds, syntax, o.Bare), w.Flush(), tmp.Chmod(0o644), tmp.Close()); err != nil {
		return err
	}
	c := converting{Convert: &Convert{Overwrite: o.Overwrite}}
	if err := c.name(tmp.Name(), to); err != nil {
		return fmt.Errorf("%s: %w", to, err)
	}
	return nil
}
