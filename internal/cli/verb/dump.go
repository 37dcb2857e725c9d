package verb

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/transform"

	"gantry/dicom"
	"gantry/dicom/dcmjson"
	"gantry/dicom/dcmxml"
	"gantry/dicom/dict"
	"gantry/dicom/part10"
	"gantry/dicom/tag"
	"gantry/internal/dump"
)

// Dump prints DICOM files.
type Dump struct {
	Common
	Paths       []string
	Print       dump.Options
	Read        dicom.DecodeOptions
	Format      string   // text, json or xml
	Tags        []string // keywords or gggg,eeee
	Search      string   // part of a keyword or name
	Recursive   bool
	Flaws       bool // report deviations from the standard
	Whole       bool // print nothing of a file that cannot be read to its end
	NoPixel     bool
	HidePrivate bool
	PixelInfo   bool
	Summary     bool
	Charset     string // what the output is encoded in
	Heading     Heading
	Shallow     bool // with Recursive: not the folders below,
	Deep        bool // unless Deep
	Pattern     string
	LoadShort   bool  // print no values of more than MostKept bytes
	MostKept    int64 // 4 KiB if zero
	OneByOne    bool  // print each tag's elements in turn, as dcmdump does
}

// Heading says when the name of a file is printed over it.
type Heading uint8

// The headings.
const (
	HeadingMany  Heading = iota // where there are several files
	HeadingNever                // never
	HeadingDCMTK                // always, in the form of dcmdump
)

// Run does it.
func (o *Dump) Run(ctx context.Context, s *Stdio) error {
	if err := o.check(); err != nil {
		return err
	}
	w, flush, err := o.encoded(&interrupted{ctx, s.Out})
	if err != nil {
		return err
	}
	// What is live is little, and each file leaves some: a collection every 4 MB costs a
	// third of the work.
	defer debug.SetGCPercent(debug.SetGCPercent(800))
	out := bufio.NewWriterSize(w, 64<<10)
	o.Read.Memory = new(dicom.Memory)
	d := dumper{o: o, s: s, out: out, sum: newDumpSummary()}
	d.all(ctx)
	if err := errors.Join(out.Flush(), flush()); err != nil {
		return Fail(Output, "%w", err)
	}
	switch {
	case d.failed:
		return Ended(NoInput)
	case d.n == 0:
		return Fail(NoInput, "no file in %s", strings.Join(o.Paths, ", "))
	}
	return nil
}

func (o *Dump) check() error {
	switch o.Format {
	case "text", "json", "xml":
	default:
		return Fail(Usage, "--format %q: want text, json or xml", o.Format)
	}
	if _, err := filepath.Match(o.Pattern, ""); err != nil {
		return Fail(Usage, "pattern %q: %w", o.Pattern, err)
	}
	if o.LoadShort {
		o.Print.MostLoaded = cmp.Or(o.MostKept, 4<<10)
	}
	for _, name := range o.Tags {
		t, err := dict.ParseTag(name)
		if err != nil {
			return Fail(Usage, "--tag: %w", err)
		}
		o.Print.Tags = append(o.Print.Tags, t)
	}
	if o.Summary && o.Format == "xml" {
		return Fail(Usage, "a summary is text or json, not xml")
	}
	if o.PixelInfo && o.Format != "text" {
		return Fail(Usage, "pixel information is text: the elements of it stand in %s anyway", o.Format)
	}
	for _, name := range o.Paths {
		if st, err := os.Stat(name); err == nil && st.IsDir() && !o.Recursive {
			return Fail(Usage, "%s is a folder: --recursive prints the files in it", name)
		}
	}
	if o.NoPixel || o.HidePrivate || o.Search != "" {
		o.Print.Skip = o.skips
	}
	return nil
}

// skips leaves out what the options do not want.
func (o *Dump) skips(e dicom.Element) bool {
	return o.hidden(e) || o.Search != "" && !o.matches(e)
}

func (o *Dump) hidden(e dicom.Element) bool {
	if o.NoPixel && (e.Tag == tag.PixelData || e.Tag == tag.FloatPixelData || e.Tag == tag.DoubleFloatPixelData) || o.HidePrivate && e.Tag.IsPrivate() {
		return true
	}
	return false
}

// matches reports whether an element, or one inside of it, has the text searched for in its
// keyword or name.
func (o *Dump) matches(e dicom.Element) bool {
	if entry, ok := dict.Lookup(e.Tag); ok {
		want := strings.ToLower(o.Search)
		if strings.Contains(strings.ToLower(entry.Keyword), want) || strings.Contains(strings.ToLower(entry.Name), want) {
			return true
		}
	}
	for i := range e.ItemCount() {
		for inner := range e.Item(i).All() {
			if o.matches(inner) {
				return true
			}
		}
	}
	return false
}

// encoded is a writer of text in the character set asked for.
func (o *Dump) encoded(w io.Writer) (io.Writer, func() error, error) {
	none := func() error { return nil }
	if o.Charset == "" || strings.EqualFold(o.Charset, "UTF-8") || strings.EqualFold(o.Charset, "UTF8") {
		return w, none, nil
	}
	if o.Format == "json" {
		return nil, nil, Fail(Usage, "charset %s: JSON is UTF-8 (RFC 8259)", o.Charset)
	}
	e, err := htmlindex.Get(o.Charset)
	if err != nil {
		return nil, nil, Fail(Usage, "charset %q is not known: want one of the WHATWG's, such as iso-8859-1 or shift_jis", o.Charset)
	}
	enc := encoding.ReplaceUnsupported(e.NewEncoder())
	if o.Format == "xml" {
		enc = encoding.HTMLEscapeUnsupported(e.NewEncoder())
	}
	t := transform.NewWriter(w, enc)
	return t, t.Close, nil
}

// declared is the name of the character set for an XML declaration.
func (o *Dump) declared() string {
	if o.Charset == "" {
		return "UTF-8"
	}
	return strings.ToUpper(o.Charset)
}

type dumper struct {
	o      *Dump
	s      *Stdio
	out    *bufio.Writer
	sum    *dumpSummary
	failed bool
	n      int
}

// all prints files one after the other and goes on when one fails.
func (d *dumper) all(ctx context.Context) {
	o := d.o
	list := o.Format == "json" && !o.Summary && (len(o.Paths) > 1 || o.Recursive)
	if list {
		d.out.WriteString("[\n")
	}
	if o.Format == "xml" {
		fmt.Fprintf(d.out, "<?xml version=\"1.0\" encoding=\"%s\"?>\n", o.declared())
		if len(o.Paths) > 1 || o.Recursive {
			d.out.WriteString("<results>\n")
			defer d.out.WriteString("</results>\n")
		}
	}
	for name, err := range o.inputs() {
		if ctx.Err() != nil {
			d.failed = true
			return
		}
		if err == nil {
			err = d.one(name)
		}
		if d.n++; err != nil {
			d.failed = true
			d.sum.TotalFiles++
			d.sum.InvalidFiles++
			if o.Say > Quiet {
				fmt.Fprintf(d.s.Err, "%s%s: %v\n", o.program(), name, withoutPath(err, name))
			}
		}
	}
	if list {
		d.out.WriteString("]\n")
	}
	if o.Summary {
		d.sum.print(d.out, o.Format)
	}
}

func (o *Dump) program() string {
	switch o.Form {
	case Modern:
		return "gantry: "
	case DCMTK:
		return "E: dcmdump: "
	}
	return "dcm_dump: "
}

// inputs are the files to print, with "-" for standard input.
func (o *Dump) inputs() iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for _, name := range o.Paths {
			if name == "-" {
				if !yield(name, nil) {
					return
				}
				continue
			}
			for path, err := range (&Info{Paths: []string{name}, Recursive: !o.Shallow || o.Deep}).files() {
				if ok, _ := filepath.Match(o.Pattern, filepath.Base(path)); o.Pattern != "" && !ok && path != name {
					continue
				}
				if !yield(path, err) {
					return
				}
			}
		}
	}
}

// withoutPath drops the name that errors of the system begin with.
func withoutPath(err error, name string) error {
	var path *os.PathError
	if errors.As(err, &path) && path.Path == name {
		return path.Err
	}
	return err
}

func (d *dumper) one(name string) error {
	f, unread := d.open(name)
	if f == nil {
		return unread
	}
	defer f.Close()
	if unread != nil && (d.o.Whole || d.o.Summary) {
		return unread
	}
	if d.o.Summary {
		d.sum.add(f)
		return nil
	}
	d.heading(name)
	if err := d.print(f); err != nil {
		return err
	}
	if d.o.Flaws {
		for _, flaw := range append(f.Meta.Flaws(), f.DataSet.Flaws()...) {
			fmt.Fprintf(d.s.Err, "%s: %s\n", name, strings.TrimPrefix(flaw.Error(), "dicom: "))
		}
	}
	return unread
}

func (d *dumper) heading(name string) {
	o := d.o
	switch {
	case o.Format == "json" && d.n > 0:
		d.out.WriteString(",\n")
	case o.Format != "text":
	case o.Heading == HeadingMany && (len(o.Paths) > 1 || o.Recursive):
		fmt.Fprintf(d.out, "# %s\n", name)
	case o.Heading == HeadingDCMTK:
		if d.n > 0 && len(o.Print.Tags) == 0 {
			d.out.WriteString("\n")
		}
		fmt.Fprintf(d.out, "# dcmdump (%d/%d): %s\n", d.n+1, len(o.Paths), name)
	}
}

func (d *dumper) print(f *part10.File) error {
	o := d.o
	switch {
	case o.PixelInfo:
		printPixelInfo(d.out, f.DataSet)
		return nil
	case o.Format != "text":
		return d.document(f)
	case o.Form == Described:
		describedText(d.out, f, o)
		return nil
	case o.OneByOne && len(o.Print.Tags) > 0:
		print := o.Print
		for _, t := range o.Print.Tags {
			print.Tags = []tag.Tag{t}
			if err := dump.Text(d.out, f, print); err != nil {
				return err
			}
		}
		return nil
	}
	return dump.Text(d.out, f, o.Print)
}

// document prints a file as JSON or XML, in which there is no file meta information.
func (d *dumper) document(f *part10.File) error {
	ds, err := d.o.picked(f.DataSet)
	if err != nil {
		return err
	}
	if d.o.Format == "json" {
		return dcmjson.Encode(d.out, ds, dcmjson.EncodeOptions{Indent: "  "})
	}
	return dcmxml.Encode(d.out, ds, dcmxml.EncodeOptions{Indent: "  ", Fragment: true})
}

// picked is the data set without what the options leave out: what is hidden anywhere, and
// what was not asked for on the outermost level.
func (o *Dump) picked(ds *dicom.DataSet) (*dicom.DataSet, error) {
	e := ds.Edit()
	gone := map[tag.Tag]bool{}
	for el := range ds.All() {
		if !o.asked(el) || o.hidden(el) {
			e.Delete(el.Tag)
			gone[el.Tag] = true
		}
	}
	inside := 0
	for p, el := range ds.Walk() {
		if len(p) > 0 && o.hidden(el) && !gone[p[0].Tag] && !slices.ContainsFunc(p, func(s dicom.Step) bool { return s.Tag.IsPrivate() && o.HidePrivate }) {
			e.At(slices.Clone(p)).Delete(el.Tag)
			inside++
		}
	}
	if len(gone)+inside == 0 {
		return ds, nil
	}
	return e.Build()
}

func (o *Dump) asked(e dicom.Element) bool {
	if e.Tag == tag.SpecificCharacterSet {
		return true
	}
	return (len(o.Print.Tags) == 0 || slices.Contains(o.Print.Tags, e.Tag)) && (o.Search == "" || o.matches(e))
}

// open opens a file; "-" is standard input, which has to be readable at any place: what
// comes through a pipe is put into a temporary file first.
func (d *dumper) open(name string) (*part10.File, error) {
	if name != "-" {
		f, err := part10.OpenAsFar(name, d.o.Read)
		return f, withoutPrefix(err, name)
	}
	in, ok := d.s.In.(*os.File)
	if ok {
		st, err := in.Stat()
		ok = err == nil && st.Mode().IsRegular()
	}
	if !ok {
		var err error
		if in, err = spool(d.s.In); err != nil {
			return nil, err
		}
	}
	st, err := in.Stat()
	if err != nil {
		return nil, err
	}
	return part10.NewFile(in, st.Size(), d.o.Read)
}

// spool puts what comes through a pipe into a file that has no name any more.
func spool(r io.Reader) (*os.File, error) {
	f, err := os.CreateTemp("", "gantry-*")
	if err != nil {
		return nil, err
	}
	os.Remove(f.Name())
	if _, err := io.Copy(f, r); err != nil {
		f.Close()
		return nil, fmt.Errorf("standard input: %w", err)
	}
	return f, nil
}

// withoutPrefix drops the file's name, which stands before every message anyway.
func withoutPrefix(err error, name string) error {
	var path *os.PathError
	if errors.As(err, &path) && path.Path == name {
		return path.Err
	}
	for e := err; e != nil; e = errors.Unwrap(e) {
		if !strings.HasPrefix(e.Error(), name+": ") {
			return e
		}
	}
	return err
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
