package verb

import (
	"bufio"
	"context"
	"io"
	"os"
	"path/filepath"

	"gantry/dicom"
	"gantry/dicom/dcmjson"
	"gantry/dicom/dcmxml"
	"gantry/dicom/part10"
	"gantry/dicom/uid"
	"gantry/pixel"
)

// Transcode writes a DICOM file in another transfer syntax, or as JSON or XML.
type Transcode struct {
	Common
	In, Out string
	Format  string // binary, json or xml
	Syntax  string // of a binary file: keyword or UID; empty: as it is
	Pretty  bool   // JSON and XML in lines
}

// Run does it. Out is replaced when all of it is there.
func (o *Transcode) Run(ctx context.Context, s *Stdio) error {
	target, err := o.target()
	if err != nil {
		return err
	}
	f, err := part10.Open(o.In, dicom.DecodeOptions{})
	if err != nil {
		return Fail(NoInput, "%w", err)
	}
	defer f.Close()
	tmp, err := os.CreateTemp(filepath.Dir(o.Out), ".gantry-*")
	if err != nil {
		return Fail(Output, "%w", err)
	}
	defer os.Remove(tmp.Name())
	w := bufio.NewWriter(tmp)
	if err := o.write(ctx, w, f, target); err != nil {
		tmp.Close()
		return Fail(Failed, "%s: %w", o.In, err)
	}
	if err := firstError(w.Flush(), tmp.Chmod(0o644), tmp.Close()); err != nil {
		return Fail(Output, "%w", err)
	}
	if err := os.Rename(tmp.Name(), o.Out); err != nil {
		return Fail(Output, "%w", err)
	}
	return nil
}

// target is the transfer syntax to write, empty for that of the input.
func (o *Transcode) target() (uid.UID, error) {
	if o.Syntax == "" || o.Format != "binary" {
		return "", nil
	}
	u := uid.UID(o.Syntax)
	if named, ok := uid.ByKeyword(o.Syntax); ok {
		u = named
	}
	if _, ok := u.SyntaxInfo(); !ok {
		return "", Fail(Usage, "%s is not a transfer syntax", o.Syntax)
	}
	return u, nil
}

func (o *Transcode) write(ctx context.Context, w io.Writer, f *part10.File, target uid.UID) error {
	indent := ""
	if o.Pretty {
		indent = "  "
	}
	switch {
	case o.Format == "json":
		return dcmjson.Encode(w, f.DataSet, dcmjson.EncodeOptions{Indent: indent})
	case o.Format == "xml":
		return dcmxml.Encode(w, f.DataSet, dcmxml.EncodeOptions{Indent: indent})
	case target == "" || target == f.Syntax:
		_, err := f.WriteTo(w)
		return err
	}
	_, err := pixel.Transcode(ctx, w, f, target, pixel.Options{})
	return err
}
