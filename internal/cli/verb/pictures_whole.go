package verb

import (
	"context"
	"errors"
	"fmt"
	"image/png"
	"io"

	"gantry/dicom"
	"gantry/dicom/part10"
	"gantry/dicom/tag"
	"gantry/dicom/uid"
	"gantry/internal/cli/imagefile"
	"gantry/pixel"
	"gantry/pixel/render/ecg"
)

// whole returns what writes one file of a whole object: an animation, a document, a video or
// an electrocardiogram. It is nil where each frame is a file.
func (p *picturing) whole(ctx context.Context, f *part10.File) func(io.Writer) error {
	ds := f.DataSet
	waves := ds.Has(tag.WaveformSequence)
	switch {
	case p.As == "gif":
		return func(w io.Writer) error { return p.animation(ctx, w, f) }
	case p.As == "video":
		return func(w io.Writer) error { return writeVideo(w, f) }
	case p.As == "pdf" && !waves:
		return func(w io.Writer) error { return writePDF(w, ds) }
	case (p.As == "pdf" || p.As == "png") && waves:
		return func(w io.Writer) error { return p.waveform(w, ds) }
	}
	return nil
}

// writePDF writes the document of an Encapsulated PDF object as it is (PS3.3 C.24.2).
func writePDF(w io.Writer, ds *dicom.DataSet) error {
	e, ok := ds.Get(tag.EncapsulatedDocument)
	if !ok || ds.Text(tag.MIMETypeOfEncapsulatedDocument) != "application/pdf" {
		return errors.New("holds no PDF document")
	}
	size := e.Len()
	if n, err := ds.Int(tag.EncapsulatedDocumentLength); err == nil && n > 0 && n <= size {
		size = n
	}
	_, err := io.Copy(w, io.LimitReader(e.Reader(), size))
	return err
}

// writeVideo writes the stream of a video object as it is (PS3.5 8.2.5 to 8.2.8).
func writeVideo(w io.Writer, f *part10.File) error {
	e, ok := f.DataSet.Get(tag.PixelData)
	if !ok || !e.IsEncapsulated() || !isVideo(f.Syntax) {
		return errors.New("holds no video: its transfer syntax is " + f.Syntax.Name())
	}
	for i := 1; i < e.FragmentCount(); i++ {
		if _, err := io.Copy(w, e.Fragment(i).Reader()); err != nil {
			return err
		}
	}
	return nil
}

func isVideo(syntax uid.UID) bool {
	switch syntax {
	case uid.MPEG2MPML, uid.MPEG2MPMLF, uid.MPEG2MPHL, uid.MPEG2MPHLF, uid.MPEG4HP41, uid.MPEG4HP41F, uid.MPEG4HP41BD, uid.MPEG4HP41BDF,
		uid.MPEG4HP422D, uid.MPEG4HP422DF, uid.MPEG4HP423D, uid.MPEG4HP423DF, uid.MPEG4HP42STEREO, uid.MPEG4HP42STEREOF, uid.HEVCMP51, uid.HEVCM10P51:
		return true
	}
	return false
}

// animation writes all frames, or the one that was chosen, with the times that they are to be
// shown.
func (p *picturing) animation(ctx context.Context, w io.Writer, f *part10.File) error {
	src, err := pixel.Frames(f.DataSet, f.Syntax, pixel.Limits{})
	if err != nil {
		return err
	}
	first, last := 0, src.Len()-1
	if p.Frame != AllFrames {
		if first, last = p.Frame, p.Frame; p.Frame >= src.Len() {
			return fmt.Errorf("no frame %d: there are %d, counted from 0", p.Frame, src.Len())
		}
	}
	var a imagefile.Animation
	for i := first; i <= last; i++ {
		m, err := p.picture(ctx, f, src, i)
		if err != nil {
			return err
		}
		if err := a.Add(m, frameTime(f.DataSet, i)); err != nil {
			return err
		}
	}
	return a.Write(w)
}

// frameTime is how long frame i is shown, in ms: by Recommended Display Frame Rate, Frame
// Time, Frame Time Vector or Cine Rate (PS3.3 C.7.6.5), else a tenth of a second.
func frameTime(ds *dicom.DataSet, i int) float64 {
	positive := func(v float64, err error) bool { return err == nil && v > 0 && v < 1e7 }
	if rate, err := ds.Float(tag.RecommendedDisplayFrameRate); positive(rate, err) {
		return 1000 / rate
	}
	if ms, err := ds.Float(tag.FrameTime); positive(ms, err) {
		return ms
	}
	if e, ok := ds.Get(tag.FrameTimeVector); ok && i+1 < e.Count() {
		if ms, err := e.FloatAt(i + 1); positive(ms, err) {
			return ms
		}
	}
	if rate, err := ds.Float(tag.CineRate); positive(rate, err) {
		return 1000 / rate
	}
	return 100
}

// waveform draws an electrocardiogram as a page: 6 pixels a mm, or as many as Fit leaves.
func (p *picturing) waveform(w io.Writer, ds *dicom.DataSet) error {
	page, err := ecg.NewPage(ds)
	if err != nil {
		return err
	}
	if p.As == "pdf" {
		return page.WritePDF(w)
	}
	perMM := 6.0
	if fit := p.look.o.Fit; fit.X > 0 {
		perMM = min(float64(fit.X)/ecg.Width, float64(fit.Y)/ecg.Height)
	}
	m, err := page.Image(perMM)
	if err != nil {
		return err
	}
	return png.Encode(w, m)
}
