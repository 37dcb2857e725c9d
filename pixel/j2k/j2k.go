// Package j2k reads and writes JPEG 2000 codestreams: those of part 1 (ITU-T T.800 | ISO/IEC
// 15444-1), the transfer syntaxes 1.2.840.10008.1.2.4.90 and .4.91 of PS3.5 A.4.4, and those
// of part 15, high-throughput (ITU-T T.814 | ISO/IEC 15444-15), .4.201 to .4.203. It knows
// nothing of DICOM: bytes in, samples out, and back. All functions are safe for concurrent use.
package j2k

import "fmt"

// Info is what the main header (T.800 A.5) says of the image that Decode returns.
type Info struct {
	Width, Height int  // of the samples returned, after DecodeOptions.Reduce
	Components    int  // samples per pixel
	Bits          int  // precision of the deepest component
	Signed        bool // two's complement samples
	Reversible    bool // 5/3 wavelet in all components of the main header
	Levels        int  // decompositions of the first component in the main header
	Layers        int  // quality layers in the main header
	HT            bool // Rsiz announces high-throughput code blocks (T.814)
}

// SampleBytes is the width of one sample in Decode's output: 1, 2, 4, or 8 above 32 bits.
func (i Info) SampleBytes() int {
	switch {
	case i.Bits <= 8:
		return 1
	case i.Bits <= 16:
		return 2
	case i.Bits <= 32:
		return 4
	}
	return 8
}

// Size is the number of bytes that Decode appends.
func (i Info) Size() int64 {
	return int64(i.Width) * int64(i.Height) * int64(i.Components) * int64(i.SampleBytes())
}

// Limits bound what a stream can ask for. In each field zero means the default and a
// negative value no limit.
type Limits struct {
	MaxPixels  int64 // width x height; default 1<<28
	MaxSamples int64 // samples of the whole image; default 1<<26, or 1<<12 for each byte of the stream if that is more
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

func (l Limits) check(w, h, comps int64, length int) error {
	if w*h > limit(l.MaxPixels, 1<<28) {
		return FormatError(fmt.Sprintf("%d x %d pixels exceed the limit", w, h))
	}
	if w*h > limit(l.MaxSamples, max(1<<26, int64(length)<<12))/comps {
		return FormatError(fmt.Sprintf("%d x %d x %d samples exceed the limit for a stream of %d bytes", w, h, comps, length))
	}
	return nil
}

// DecodeOptions: the zero value decodes the whole image with the default limits.
type DecodeOptions struct {
	Limits  Limits
	Reduce  int  // leave out that many of the highest resolutions (T.800 B.5)
	Layers  int  // decode only the first so many quality layers; 0 is all
	Workers int  // code blocks decoded at the same time; 0 is GOMAXPROCS
	Partial bool // return what could be decoded along with the error
}

// FormatError is a stream that breaks T.800, or a limit.
type FormatError string

func (e FormatError) Error() string { return "j2k: " + string(e) }

// UnsupportedError is a stream within T.800 that this package does not know.
type UnsupportedError string

func (e UnsupportedError) Error() string { return "j2k: not supported: " + string(e) }
