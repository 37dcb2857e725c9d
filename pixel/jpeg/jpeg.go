// Package jpeg codes images by the DCT based processes of ITU-T T.81 with Huffman codes: baseline,
// extended sequential of 8 and 12 bits, and, decoding only, progressive; DICOM has them under
// 1.2.840.10008.1.2.4.50, .51, .53 and .55 (PS3.5 8.2.1). The DCT is the accurate
// integer one that libjpeg calls islow.
//
// The package knows nothing of DICOM, and nothing of colour but what a stream says: samples
// are of the components that were coded. Its functions may be called from any number of
// goroutines.
package jpeg

import "fmt"

const (
	defaultMaxPixels = 1 << 28
	maxComponents    = 4
	maxSide          = 1 << 16
	// maxScans bounds the work that a progressive stream may cause: a scan can be short and
	// yet go through all blocks.
	maxScans = 200
)

// FormatError says what is wrong with a stream.
type FormatError string

func (e FormatError) Error() string { return "jpeg: " + string(e) }

// UnsupportedError says what a stream uses that this package has not.
type UnsupportedError string

func (e UnsupportedError) Error() string { return "jpeg: unsupported: " + string(e) }

// Info is what a stream says of its image. Its zero value is no image.
type Info struct {
	Width, Height int // at most 65,535 each
	Components    int // 1 to 4
	Bits          int // precision of the samples, 8 or 12
	Progressive   bool
	// YCbCr tells that three components are luminance and colour differences: by the
	// markers of JFIF and Adobe, by the components' names, else it is supposed.
	YCbCr bool
	// Supposed tells that nothing in the stream said what YCbCr says: who knows better
	// may overrule it.
	Supposed bool
	// Unused tells, of a stream that was decoded, that coded data goes on behind the last
	// block of a scan or interval, which that of sound streams does not.
	Unused bool
}

// bytesPerSample is 1 for 8 bits and 2 for 12.
func (i Info) bytesPerSample() int { return (i.Bits + 7) / 8 }

// Size returns the bytes of the decoded image.
func (i Info) Size() int64 {
	return int64(i.Width) * int64(i.Height) * int64(i.Components) * int64(i.bytesPerSample())
}

// Limits bounds what a stream may ask for. A negative value means no limit.
type Limits struct {
	MaxPixels int64 // Width times Height; 0 is 1<<28
}

// DecodeOptions says how to decode. The zero value decodes intact streams.
type DecodeOptions struct {
	Partial bool // return what could be decoded, the rest zero, together with the error
	Limits  Limits
}

func (i Info) check() error {
	switch {
	case i.Width < 1 || i.Height < 1:
		return UnsupportedError(fmt.Sprintf("%d x %d pixels", i.Width, i.Height))
	case i.Components < 1 || i.Components > maxComponents:
		return UnsupportedError(fmt.Sprintf("%d components", i.Components))
	case i.Bits != 8 && i.Bits != 12:
		return UnsupportedError(fmt.Sprintf("%d bits per sample", i.Bits))
	}
	return nil
}

// fits refuses images that are larger than allowed, or than n coded bytes can hold: a block
// of 64 samples takes a bit at least, in progressive scans, and a component may stand for
// four times as many pixels each way.
func (i Info) fits(l Limits, n int) error {
	limit := l.MaxPixels
	if limit == 0 {
		limit = defaultMaxPixels
	}
	pixels := int64(i.Width) * int64(i.Height)
	if limit > 0 && pixels > limit {
		return UnsupportedError(fmt.Sprintf("%d pixels, at most %d are allowed", pixels, limit))
	}
	if pixels/(64*16*8) > int64(n) {
		return FormatError(fmt.Sprintf("%d bytes cannot hold %d pixels", n, pixels))
	}
	return nil
}
