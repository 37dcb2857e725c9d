package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"gantry/dicom"
	"gantry/dicom/dict"
	"gantry/dicom/part10"
	"gantry/internal/dump"
)

type dumpOptions struct {
	print     dump.Options
	tags      []string
	recursive bool
	flaws     bool
	format    string
}

func newDump(stdio *Stdio) *cobra.Command {
	var o dumpOptions
	c := command("dump FILE...", "Print DICOM files as text", &cobra.Command{
		Long: `Print DICOM files as text, in the form of dcmdump. Long values are shortened, text is
shown in UTF-8. Files of any size take the same little memory. "-" is standard input.

A file that cannot be read to its end is printed as far as it goes and counts as failed.`,
		Example: `  gantry dump image.dcm
  gantry dump --tag PatientName --tag 0020,000d -r /data/study
  curl -s https://pacs/wado?... | gantry dump --long -`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return dumpAll(c.Context(), stdio, o, args)
		},
	})
	f := c.Flags()
	f.StringVar(&o.format, "format", "text", "text")
	f.BoolVarP(&o.recursive, "recursive", "r", false, "print all files in folders and the folders below")
	f.BoolVarP(&o.print.Long, "long", "l", false, "print long values whole")
	f.StringArrayVarP(&o.tags, "tag", "t", nil, "print only this element, by keyword or gggg,eeee; may be repeated")
	f.BoolVar(&o.print.NoMeta, "no-meta", false, "leave the file meta information out")
	f.BoolVar(&o.print.Compatible, "dcmdump", false, "print values and names exactly as dcmdump does")
	f.BoolVar(&o.flaws, "flaws", false, "report deviations from the standard on standard error")
	return c
}

// dumpAll prints files one after the other and goes on when one fails.
func dumpAll(ctx context.Context, stdio *Stdio, o dumpOptions, names []string) error {
	if o.format != "text" {
		return fail(ExitUsage, "--format %q: want text", o.format)
	}
	for _, name := range o.tags {
		t, err := dict.ParseTag(name)
		if err != nil {
			return fail(ExitUsage, "--tag: %w", err)
		}
		o.print.Tags = append(o.print.Tags, t)
	}
	for _, name := range names {
		if st, err := os.Stat(name); err == nil && st.IsDir() && !o.recursive {
			return fail(ExitUsage, "%s is a folder: --recursive prints the files in it", name)
		}
	}
	out := bufio.NewWriterSize(&interrupted{ctx, stdio.Out}, 64<<10)
	failed := dumpEach(ctx, stdio, out, o, names)
	if err := out.Flush(); err != nil {
		return fail(ExitFailed, "%w", err)
	}
	if failed {
		return failQuietly(ExitFailed)
	}
	return nil
}

func dumpEach(ctx context.Context, stdio *Stdio, out *bufio.Writer, o dumpOptions, names []string) (failed bool) {
	headings := len(names) > 1 || o.recursive
	for name, err := range inputs(names) {
		if ctx.Err() != nil {
			return true
		}
		if err == nil {
			if headings {
				fmt.Fprintf(out, "# %s\n", name)
			}
			err = dumpOne(stdio, out, o, name)
		}
		if err != nil {
			failed = true
			fmt.Fprintf(stdio.Err, "gantry: %s: %v\n", name, withoutName(err, name))
		}
	}
	return failed
}

// inputs are the files to print, with "-" for standard input.
func inputs(names []string) func(yield func(string, error) bool) {
	return func(yield func(string, error) bool) {
		for _, name := range names {
			if name == "-" {
				if !yield(name, nil) {
					return
				}
				continue
			}
			for path, err := range regularFiles([]string{name}) {
				if !yield(path, err) {
					return
				}
			}
		}
	}
}

// withoutName drops the name that errors of the system begin with.
func withoutName(err error, name string) error {
	var path *os.PathError
	if errors.As(err, &path) && path.Path == name {
		return path.Err
	}
	return err
}

func dumpOne(stdio *Stdio, out io.Writer, o dumpOptions, name string) error {
	in, done, err := openInput(stdio, name)
	if err != nil {
		return err
	}
	defer done()
	st, err := in.Stat()
	if err != nil {
		return err
	}
	if !st.Mode().IsRegular() {
		return errors.New("not a regular file")
	}
	f, unread := part10.NewFile(in, st.Size(), dicom.DecodeOptions{})
	if f == nil {
		return unread
	}
	defer f.Close()
	if err := dump.Text(out, f, o.print); err != nil {
		return err
	}
	if o.flaws {
		for _, flaw := range append(f.Meta.Flaws(), f.DataSet.Flaws()...) {
			fmt.Fprintf(stdio.Err, "%s: %s\n", name, strings.TrimPrefix(flaw.Error(), "dicom: "))
		}
	}
	return unread
}

// openInput opens a file that can be read at any place. What comes through a pipe is put
// into a temporary file first.
func openInput(stdio *Stdio, name string) (f *os.File, done func(), err error) {
	if name != "-" {
		f, err = os.Open(name)
		return f, func() { f.Close() }, err
	}
	if f, ok := stdio.In.(*os.File); ok {
		if st, err := f.Stat(); err == nil && st.Mode().IsRegular() {
			return f, func() {}, nil
		}
	}
	if f, err = os.CreateTemp("", "gantry-dump-*"); err != nil {
		return nil, nil, err
	}
	done = func() {
		f.Close()
		os.Remove(f.Name())
	}
	if _, err = io.Copy(f, stdio.In); err != nil {
		done()
		return nil, nil, fmt.Errorf("standard input: %w", err)
	}
	return f, done, nil
}

// interrupted is a writer that fails once ctx is done.
type interrupted struct {
	ctx context.Context
	w   io.Writer
}

func (i *interrupted) Write(p []byte) (int, error) {
	if err := context.Cause(i.ctx); err != nil {
		return 0, err
	}
	return i.w.Write(p)
}
