package pixel

import (
	"compress/flate"
	"context"
	"errors"
	"io"
	"runtime"

	"gantry/dicom"
	"gantry/dicom/part10"
	"gantry/dicom/tag"
	"gantry/dicom/uid"
)

// OffsetTable says what an encapsulated object tells of where its frames are (PS3.5 A.4).
type OffsetTable uint8

const (
	// BasicTable is a Basic Offset Table, or the extended one where offsets reach 4 GiB.
	BasicTable OffsetTable = iota
	// ExtendedTable is an Extended Offset Table (PS3.3 C.7.6.3.1.8).
	ExtendedTable
	// NoTable leaves the table empty, so that each frame can be written as soon as it is
	// encoded.
	NoTable
)

// Options says how to transcode. The zero value loses nothing and checks that.
type Options struct {
	Lossy    *Lossy         // permits a target to lose information; nil: it must not
	Offsets  OffsetTable    // of an encapsulated target
	NoVerify bool           // do not decode again what was encoded without loss
	Workers  int            // frames worked at at the same time; 0 is GOMAXPROCS
	NewUID   func() uid.UID // names derived objects; nil is uid.New
	Registry *Registry      // nil: the codecs of Builtin
	Limits   Limits
	TempDir  string // where coded frames wait that memory should not hold; empty: os.TempDir
}

// Result says what Transcode wrote.
type Result struct {
	Class, Instance uid.UID // the object's; Instance is new if Derived
	Syntax          uid.UID
	Frames          int  // that were decoded; 0 where pixel data went as it was
	Derived         bool // information was lost: it is another object now
	Flaws           []Flaw
}

// Transcode writes the object of a DICOM file to w as a DICOM file of another transfer
// syntax, frame by frame: the attributes of the Image Pixel module follow (PS3.3
// C.7.6.3). With Options.Lossy the result is a derived object with a new SOP Instance UID
// (PS3.3 C.7.6.1.1.5, C.12.4.1.1). An object without pixel data is encoded anew.
//
// What was written before an error is no object. Errors are *UnsupportedError where the
// target cannot hold the image, before anything is written; *FrameError;
// *dicom.ValueError; and those of reading and writing.
func Transcode(ctx context.Context, w io.Writer, f *part10.File, target uid.UID, o Options) (Result, error) {
	t, err := newTranscoder(ctx, f.DataSet, f.Syntax, target, o)
	if err != nil {
		return Result{}, err
	}
	meta, err := t.meta(f)
	if err != nil {
		return Result{}, err
	}
	header, err := part10.AppendHeader(nil, meta)
	if err != nil {
		return Result{}, err
	}
	if _, err := w.Write(header); err != nil {
		return Result{}, err
	}
	return t.run(ctx, w)
}

// TranscodeDataSet is Transcode for a data set without file meta information, as it goes
// over the network.
func TranscodeDataSet(ctx context.Context, w io.Writer, ds *dicom.DataSet, from, target uid.UID, o Options) (Result, error) {
	t, err := newTranscoder(ctx, ds, from, target, o)
	if err != nil {
		return Result{}, err
	}
	return t.run(ctx, w)
}

// transcoder is one object on its way.
type transcoder struct {
	ds           *dicom.DataSet
	from, target uid.UID
	to           uid.Syntax
	o            Options
	src          *Source // nil: pixel data, if any, goes as it is
	form         Desc    // of decoded frames
	enc          Encoder // nil: the target is native
	first        frame   // the first frame, until it is encoded
	decoded      Decoded // what became of it
	icons        int64   // bytes of pixel data inside of sequences
	result       Result
}

func newTranscoder(ctx context.Context, ds *dicom.DataSet, from, target uid.UID, o Options) (*transcoder, error) {
	if o.Registry == nil {
		o.Registry = builtin()
	}
	if o.Workers <= 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	if o.NewUID == nil {
		o.NewUID = uid.New
	}
	t := &transcoder{ds: ds, from: from, target: target, o: o}
	t.result = Result{Class: ds.UID(tag.SOPClassUID), Instance: ds.UID(tag.SOPInstanceUID), Syntax: target}
	var ok bool
	if t.to, ok = target.SyntaxInfo(); !ok || t.to.Foreign || t.to.RealTime {
		return nil, &UnsupportedError{target, "not a transfer syntax that objects are written in"}
	}
	if err := t.plan(); err != nil || t.src == nil {
		return t, err
	}
	return t, t.start(ctx)
}

// plan finds out whether frames must be decoded, and whether they can be encoded.
func (t *transcoder) plan() error {
	if t.from == t.target && t.o.Lossy == nil {
		return nil
	}
	src, err := t.o.Registry.Frames(t.ds, t.from, t.o.Limits)
	switch {
	case errors.Is(err, ErrNoPixels):
		return t.unlessLossy("the object has no pixel data")
	case err != nil && t.o.Lossy == nil && t.native() && !t.to.Encapsulated:
		return nil // no frame is looked at: attributes of the image may be missing or wrong
	case err != nil:
		return err
	}
	if t.to.Referenced || t.to.Video {
		return &UnsupportedError{t.target, "images are not made into this here: choose a syntax of single frames"}
	}
	if !src.Encapsulated() && !t.to.Encapsulated {
		return t.unlessLossy("the target is not compressed")
	}
	t.src, t.form = src, src.Desc()
	t.form.Planar = false
	return nil
}

// native reports whether the object's pixel data lies there as it is.
func (t *transcoder) native() bool {
	i, ok := t.from.SyntaxInfo()
	e, _ := t.ds.Get(tag.PixelData)
	return ok && !i.Encapsulated && !i.Referenced && !e.IsEncapsulated()
}

func (t *transcoder) unlessLossy(why string) error {
	if t.o.Lossy != nil {
		return &UnsupportedError{t.target, why + ": leave the lossy parameters out"}
	}
	return nil
}

// start decodes the first frame, before anything is written: it shows what colours the
// others have, and that the object can be decoded at all.
func (t *transcoder) start(ctx context.Context) (err error) {
	if t.first, t.decoded, err = t.decode(ctx, 0); err != nil {
		return err
	}
	t.form.Photometric = t.decoded.Photometric
	if !t.to.Encapsulated {
		return t.unlessLossy("the target is not compressed")
	}
	if t.rebuilds() {
		t.enc = rawCodec{} // frames are encoded already
		return nil
	}
	if t.enc, err = t.o.Registry.Encoder(t.target, t.form, t.o.Lossy); err != nil {
		return err
	}
	if t.result.Derived = t.o.Lossy != nil; t.result.Derived {
		t.result.Instance = t.o.NewUID()
	}
	return nil
}

// run writes the data set.
func (t *transcoder) run(ctx context.Context, w io.Writer) (Result, error) {
	if t.src == nil {
		return t.result, t.plain(ctx, w)
	}
	t.result.Frames = t.src.Len()
	err := deflatedIf(w, t.to.Deflated, func(w io.Writer) error {
		if t.enc == nil {
			return t.writeNative(ctx, w)
		}
		return t.writeEncapsulated(ctx, w)
	})
	t.result.Flaws = t.src.Flaws()
	return t.result, err
}

// plain writes an object whose frames are not touched.
func (t *transcoder) plain(ctx context.Context, w io.Writer) error {
	ds := t.ds
	if t.from != t.target {
		e := ds.Edit()
		changed, err := t.nested(ctx, e, 0, lastTag)
		if err != nil {
			return err
		}
		if changed {
			if ds, err = e.Build(); err != nil {
				return err
			}
		}
	}
	return dicom.Encode(w, ds, t.target)
}

// deflatedIf calls write with w, or with a writer that deflates (PS3.5 A.5).
func deflatedIf(w io.Writer, deflated bool, write func(io.Writer) error) error {
	if !deflated {
		return write(w)
	}
	c := &counter{w: w}
	z, err := flate.NewWriter(c, flate.DefaultCompression)
	if err != nil {
		return err
	}
	if err := write(z); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	if c.n&1 == 1 {
		_, err = w.Write([]byte{0})
	}
	return err
}

type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}
