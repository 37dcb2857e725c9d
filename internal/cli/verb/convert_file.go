package verb

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"gantry/dicom/part10"
	"gantry/dicom/tag"
	"gantry/dicom/uid"
	"gantry/pixel"
)

// convert writes one file in the wanted syntax. The result gets its name when it is whole,
// and compared if that is wanted.
func (c *converting) convert(ctx context.Context, from, to string) error {
	if !c.Overwrite {
		if _, err := os.Lstat(to); err == nil {
			return errThere
		}
	}
	f, err := part10.Open(from, c.Read)
	if err != nil {
		return withoutName(err)
	}
	defer f.Close()
	if c.OnlyFiles && !f.HasPreamble {
		return errors.New("is no DICOM file: it has no file meta information")
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
	c.says(c.s, Verbose, "%s: %s", from, f.Syntax.Name())
	if err := c.write(ctx, tmp, f); err != nil {
		return err
	}
	if c.Verify {
		if err := c.verify(ctx, from, f, tmp.Name()); err != nil {
			return fmt.Errorf("verification failed: %w", err)
		}
	}
	if err := firstError(tmp.Chmod(0o644), tmp.Close()); err != nil {
		return err
	}
	f.Close() // it may be the very file that is replaced
	if err := c.name(tmp.Name(), to); err != nil {
		return err
	}
	c.says(c.s, Verbose, "%s: written", to)
	return nil
}

// name gives a written file its name. Unless files may be overwritten, one that came there
// meanwhile stays.
func (c *converting) name(tmp, to string) error {
	if c.Overwrite {
		return os.Rename(tmp, to)
	}
	err := os.Link(tmp, to)
	if errors.Is(err, os.ErrExist) {
		return errThere
	}
	if err != nil { // no hard links here
		fresh, err := withoutLinks(tmp, to)
		if err == nil && !fresh {
			err = errThere
		}
		return err
	}
	return nil
}

// write writes f to w. Where nothing changes it is a plain copy.
func (c *converting) write(ctx context.Context, w io.Writer, f *part10.File) error {
	target := c.Syntax
	if target == "" {
		target = f.Syntax
	}
	b := bufio.NewWriterSize(w, 1<<20)
	if target == f.Syntax && c.plain(f) {
		if _, err := f.WriteTo(b); err != nil {
			return err
		}
		return b.Flush()
	}
	g, err := c.edited(f)
	if err != nil {
		return err
	}
	o := pixel.Options{Lossy: c.lossy(), Limits: pixel.Limits{Partial: c.Partial}}
	if c.Form != DCMTK && target == f.Syntax {
		o.Lossy = nil
	}
	if c.EmptyOffsets {
		o.Offsets = pixel.NoTable
	}
	if c.NewUIDs == Never {
		o.NewUID = func() uid.UID { return f.DataSet.UID(tag.SOPInstanceUID) }
	}
	var done pixel.Result
	if c.Bare {
		done, err = pixel.TranscodeDataSet(ctx, b, g.DataSet, g.Syntax, target, o)
	} else {
		done, err = pixel.Transcode(ctx, b, g, target, o)
	}
	if err != nil {
		return err
	}
	level := Verbose
	if c.Partial {
		level = Normal
	}
	for i := range done.Flaws {
		c.says(c.s, level, "%v", &done.Flaws[i])
	}
	return b.Flush()
}

// plain reports whether a file that keeps its syntax is copied byte for byte.
func (c *converting) plain(f *part10.File) bool {
	return f.HasPreamble && !c.Bare && c.NewUIDs != Always && !c.NoGroupLength && !c.NoPadding && c.Form != DCMTK
}

// edited is f with what is to change beside its transfer syntax.
func (c *converting) edited(f *part10.File) (*part10.File, error) {
	if c.NewUIDs != Always && !c.NoGroupLength && !c.NoPadding {
		return f, nil
	}
	e := f.DataSet.Edit()
	if c.NewUIDs == Always && c.lossy() == nil { // else there is a new one anyway
		e.SetUID(tag.SOPInstanceUID, uid.New())
	}
	for path, el := range f.DataSet.Walk() {
		if c.NoGroupLength && el.Tag.IsGroupLength() || c.NoPadding && el.Tag == tag.DataSetTrailingPadding {
			e.At(slices.Clone(path)).Delete(el.Tag)
		}
	}
	ds, err := e.Build()
	return &part10.File{Meta: f.Meta, DataSet: ds, Syntax: f.Syntax}, err
}
