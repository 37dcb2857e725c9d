// Package jpegll codes images by lossless JPEG with Huffman codes: process 14 of ITU-T T.81
// (annex H), which DICOM has under 1.2.840.10008.1.2.4.57, and with predictor 1 only under
// 1.2.840.10008.1.2.4.70 (PS3.5 A.4.1, 8.2.1).
//
// The package knows nothing of DICOM. Samples are bit patterns: whether they have a sign is
// the caller's to know. Its functions may be called from any number of goroutines.
package jpegll

import "fmt"

const (
	defaultMaxPixels = 1 << 28
	maxComponents    = 4
	maxSide          = 1 << 16
	// minBits is what a sample takes at least: no Huffman code is shorter than one bit.
	minBits = 1
)

// FormatError says what is wrong with a stream, or with samples to encode.
type FormatError string

func (e FormatError) Error() string { return "jpegll: " + string(e) }

// UnsupportedError says what a stream uses, or an image has, that this package or the
// process has not.
type UnsupportedError string

func (e UnsupportedError) Error() string { return "jpegll: unsupported: " + string(e) }

// Info is what a stream says of its image. Its zero value is no image.
type Info struct {
	Width, Height  int // at most 65,535 each
	Components     int // 1 to 4, sampled alike
	Bits           int // precision of the samples, 2 to 16
	Predictor      int // selection value of the first scan, 1 to 7 (T.81 Table H.1); 0 encodes as 1
	PointTransform int // how many of the lowest bits were left out
	// Unused tells, of a stream that was decoded, that coded data goes on behind the last
	// sample of a scan or interval, which that of sound streams does not.
	Unused bool
}

// bytesPerSample is 1 up to 8 bits and 2 above.
func (i Info) bytesPerSample() int { return (i.Bits + 7) / 8 }

func (i Info) samples() int64 { return int64(i.Width) * int64(i.Height) * int64(i.Components) }

// Size returns the bytes of the decoded image.
func (i Info) Size() int64 { return i.samples() * int64(i.bytesPerSample()) }

// Limits bounds what a stream may ask for. A negative value means no limit.
type Limits struct {
	MaxPixels int64 // Width times Height; 0 is 1<<28
}

// DecodeOptions says how to decode. The zero value decodes intact streams.
type DecodeOptions struct {
	Partial bool // return the rows that could be decoded, the rest zero, together with the error
	Limits  Limits
}

// EncodeOptions says how to encode. The zero value is what most decoders have seen.
type EncodeOptions struct {
	RestartRows int // put a restart marker behind so many rows; 0 puts none
}

func (i Info) check() error {
	switch {
	case i.Width < 1 || i.Height < 1 || i.Width >= maxSide || i.Height >= maxSide:
		return UnsupportedError(fmt.Sprintf("%d x %d pixels", i.Width, i.Height))
	case i.Components < 1 || i.Components > maxComponents:
		return UnsupportedError(fmt.Sprintf("%d components", i.Components))
	case i.Bits < 2 || i.Bits > 16:
		return UnsupportedError(fmt.Sprintf("%d bits per sample", i.Bits))
	case i.Predictor < 0 || i.Predictor > 7:
		return UnsupportedError(fmt.Sprintf("predictor %d", i.Predictor))
	case i.PointTransform < 0 || i.PointTransform >= i.Bits:
		return UnsupportedError(fmt.Sprintf("point transform %d of %d bits", i.PointTransform, i.Bits))
	}
	return nil
}

// fits refuses images that are larger than allowed, or than n coded bytes can hold.
func (i Info) fits(l Limits, n int) error {
	limit := l.MaxPixels
	if limit == 0 {
		limit = defaultMaxPixels
	}
	if pixels := int64(i.Width) * int64(i.Height); limit > 0 && pixels > limit {
		return UnsupportedError(fmt.Sprintf("%d pixels, at most %d are allowed", pixels, limit))
	}
	if i.samples()*minBits > 8*int64(n) {
		return FormatError(fmt.Sprintf("%d bytes cannot hold %d samples", n, i.samples()))
	}
	return nil
}
