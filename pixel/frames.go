package pixel

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	"gantry/dicom"
	"gantry/dicom/tag"
	"gantry/dicom/uid"
)

// FrameSource gives any frame of an object without reading the others. It may be used
// from any number of goroutines.
type FrameSource interface {
	// Len is the number of frames.
	Len() int
	// Frame appends frame i, counted from 0, to dst, as it is stored.
	Frame(ctx context.Context, i int, dst []byte) ([]byte, error)
}

// Source reads the frames of a data set (PS3.5 8.1, 8.2, A.4). It implements
// FrameSource, and may be used from any number of goroutines as long as what the data set
// was read from can be read.
type Source struct {
	desc   Desc
	syntax uid.UID
	lim    Limits
	reg    *Registry
	elem   dicom.Element
	tables [2]dicom.Element // Extended Offset Table and its lengths
	bits   int64            // of a native frame as it is stored; 0 where pixel data is encapsulated

	mu    sync.Mutex
	table *frameTable // nil until somebody needs it
	flaws []Flaw
}

// ErrNoPixels says that a data set has no pixel data, which is no fault in most.
var ErrNoPixels = errors.New("pixel: no pixel data in the data set")

// Frames makes ds ready for access to its frames, reading none of them. syntax is the
// transfer syntax of ds. Errors are ErrNoPixels, *dicom.ValueError for attributes that
// make no image, and *UnsupportedError where the pixels are not in the data set or are
// one stream of all frames.
func Frames(ds *dicom.DataSet, syntax uid.UID, lim Limits) (*Source, error) {
	return builtin().Frames(ds, syntax, lim)
}

// Frames is the function Frames with the codecs of r.
func (r *Registry) Frames(ds *dicom.DataSet, syntax uid.UID, lim Limits) (*Source, error) {
	info, _ := syntax.SyntaxInfo()
	if url := ds.Text(tag.PixelDataProviderURL); info.Referenced || url != "" && !hasPixels(ds) {
		return nil, &UnsupportedError{syntax, fmt.Sprintf("the pixels are at their provider: ask for %q", url)}
	}
	e, ok := pixelElement(ds)
	if !ok {
		return nil, ErrNoPixels
	}
	if info.Video {
		return nil, &UnsupportedError{syntax, "all frames are one video stream, which is kept as it is: play it with a video player"}
	}
	d, err := ReadDesc(ds, lim)
	if err != nil {
		return nil, err
	}
	s := &Source{desc: d, syntax: syntax, lim: lim, reg: r, elem: e, tables: tablesOf(ds)}
	if !e.IsEncapsulated() {
		return s, s.measure()
	}
	if d.Float {
		return nil, &dicom.ValueError{Tag: e.Tag, Reason: "float pixel data cannot be encapsulated (PS3.3 C.7.6.24)"}
	}
	if e.FragmentCount() < 2 {
		return nil, &dicom.ValueError{Tag: e.Tag, Reason: "encapsulated, but without a fragment"}
	}
	return s, nil
}

func pixelElement(ds *dicom.DataSet) (dicom.Element, bool) {
	for _, t := range []tag.Tag{tag.PixelData, tag.FloatPixelData, tag.DoubleFloatPixelData} {
		if e, ok := ds.Get(t); ok && (e.IsEncapsulated() || e.Len() > 0) {
			return e, true
		}
	}
	return dicom.Element{}, false
}

func hasPixels(ds *dicom.DataSet) bool {
	_, ok := pixelElement(ds)
	return ok
}

// Desc returns the form of the image as the data set says it.
func (s *Source) Desc() Desc { return s.desc }

// Syntax returns the transfer syntax given to Frames.
func (s *Source) Syntax() uid.UID { return s.syntax }

// Len implements FrameSource.
func (s *Source) Len() int { return s.desc.Frames }

// Encapsulated reports whether frames are coded, each by itself.
func (s *Source) Encapsulated() bool { return s.bits == 0 }

// Flaws lists what was got over so far; reading frames may find more. The order is that
// of finding.
func (s *Source) Flaws() []Flaw {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.flaws)
}

const maxFlaws = 100 // a frame each may have some

// flaw reports a deviation once.
func (s *Source) flaw(f Flaw) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.addFlaw(f)
}

func (s *Source) addFlaw(f Flaw) {
	if len(s.flaws) < maxFlaws && !slices.Contains(s.flaws, f) {
		s.flaws = append(s.flaws, f)
	}
}

// Frame implements FrameSource. An encapsulated frame comes as it is coded, its fragments
// joined, padding included. A native one comes in little endian, from the first bit of
// the first byte, its planes and its subsampling as they are. An error is a *FrameError.
func (s *Source) Frame(ctx context.Context, i int, dst []byte) ([]byte, error) {
	err := ctx.Err()
	switch {
	case err != nil:
	case i < 0 || i >= s.Len():
		err = fmt.Errorf("there are %d", s.Len())
	case s.Encapsulated():
		dst, err = s.coded(ctx, i, dst)
	default:
		dst, err = s.native(i, dst)
	}
	if err != nil {
		return dst, &FrameError{i, err}
	}
	return dst, nil
}

// readElement appends a part of a value to dst.
func readElement(e dicom.Element, off, n int64, dst []byte) ([]byte, error) {
	if off < 0 || n < 0 || off > e.Len()-n {
		return dst, fmt.Errorf("%v has %d bytes, wanted %d from %d: %w", e.Tag, e.Len(), n, off, io.ErrUnexpectedEOF)
	}
	if b := e.Bytes(); b != nil {
		return append(dst, b[off:off+n]...), nil
	}
	at := len(dst)
	dst = slices.Grow(dst, int(n))[:at+int(n)]
	if k, err := e.Reader().ReadAt(dst[at:], off); int64(k) < n {
		if err == nil || err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return dst[:at], err
	}
	return dst, nil
}
