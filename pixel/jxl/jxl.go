// Package jxl reads JPEG XL (ISO/IEC 18181-1), bare codestreams and those in the container of
// part 2: the transfer syntaxes 1.2.840.10008.1.2.4.110 to .112 of PS3.5 A.4. It knows nothing
// of DICOM: bytes in, samples out. All functions are safe for concurrent use.
package jxl

import "fmt"

// Info is what the headers say of the image that Decode returns.
type Info struct {
	Width, Height int  // of the samples returned, upright
	Components    int  // samples per pixel: 1 or 3, the colours; extra channels are left out
	Bits          int  // precision of the colours
	Extra         int  // channels beside the colours, such as opacity
	Lossy         bool // coded by DCT or in XYB: not the samples that the encoder was given; Decode knows it of all frames
	JPEG          bool // a JPEG file can be rebuilt from the stream (18181-2)
}

// SampleBytes is the width of one sample in Decode's output: 1, 2 or 4.
func (i Info) SampleBytes() int {
	switch {
	case i.Bits <= 8:
		return 1
	case i.Bits <= 16:
		return 2
	}
	return 4
}

// Size is the number of bytes that Decode appends.
func (i Info) Size() int64 {
	return int64(i.Width) * int64(i.Height) * int64(i.Components) * int64(i.SampleBytes())
}

// Limits bound what a stream can ask for. In each field zero means the default and a
// negative value no limit.
type Limits struct {
	MaxPixels  int64 // width x height; default 1<<28
	MaxSamples int64 // samples of all channels; default 1<<26, or 1<<12 for each byte of the stream if that is more
}

func limit(v, def int64) int64 {
	switch {
	case v == 0:
		return def
	case v < 0:
		return 1<<62 - 1
	}
	return v
}

// check compares the size of an image with the limits. length is that of its stream.
func (l Limits) check(w, h, channels int64, length int) error {
	if w > limit(l.MaxPixels, 1<<28)/h {
		return FormatError(fmt.Sprintf("%d x %d pixels exceed the limit", w, h))
	}
	if w*h > limit(l.MaxSamples, max(1<<26, int64(length)<<12))/channels {
		return FormatError(fmt.Sprintf("%d x %d x %d samples exceed the limit for a stream of %d bytes", w, h, channels, length))
	}
	return nil
}

// DecodeOptions: the zero value decodes with the default limits.
type DecodeOptions struct {
	Limits  Limits
	Workers int // groups decoded at the same time; 0 is GOMAXPROCS
}

// FormatError is a stream that breaks ISO/IEC 18181, or a limit.
type FormatError string

func (e FormatError) Error() string { return "jxl: " + string(e) }

// UnsupportedError is a stream within ISO/IEC 18181 that this package does not know.
type UnsupportedError string

func (e UnsupportedError) Error() string { return "jxl: not supported: " + string(e) }

const errShort = FormatError("the stream ends too early")
