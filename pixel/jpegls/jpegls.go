// Package jpegls codes images by JPEG-LS (ITU-T T.87, ISO/IEC 14495-1), lossless or
// near-lossless, which DICOM has under 1.2.840.10008.1.2.4.80 and .81 (PS3.5 8.2.3).
//
// The package knows nothing of DICOM. Samples are bit patterns: whether they have a sign is
// the caller's to know. Its functions may be called from any number of goroutines.
package jpegls

import "fmt"

const (
	defaultMaxPixels = 1 << 28
	maxComponents    = 4
	maxSide          = 1 << 16
	// maxRatio bounds what a byte can stand for: its bits may be runs of 2^15 samples each
	// (T.87 A.7.1.2).
	maxRatio = 8 << 15
)

// FormatError says what is wrong with a stream, or with samples to encode.
type FormatError string

func (e FormatError) Error() string { return "jpegls: " + string(e) }

// UnsupportedError says what a stream uses, or an image has, that this package has not.
type UnsupportedError string

func (e UnsupportedError) Error() string { return "jpegls: unsupported: " + string(e) }

// Interleave says how components are put together in scans (T.87 C.2.3).
type Interleave int

// The interleave modes.
const (
	None   Interleave = iota // a scan for each component
	Line                     // lines of components in turn
	Sample                   // samples of components in turn
)

// Preset has the coding parameters of T.87 C.2.4.1.1. Where a value is 0 it is the default.
type Preset struct {
	MaxVal     int // the greatest sample
	T1, T2, T3 int // thresholds of the gradients
	Reset      int // when the counts of a context are halved
}

// Info is what a stream says of its image. Its zero value is no image.
type Info struct {
	Width, Height int // at most 65,535 each
	Components    int // 1 to 4, sampled alike
	Bits          int // precision of the samples, 2 to 16
	Near          int // how far a decoded sample may be from the true one; 0: lossless
	Interleave    Interleave
	Preset        Preset
}

// bytesPerSample is 1 up to 8 bits and 2 above.
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
	Partial bool // return the lines that could be decoded, the rest zero, together with the error
	Limits  Limits
}

// EncodeOptions says how to encode. The zero value is what most decoders have seen.
type EncodeOptions struct {
	RestartLines int // put a restart marker behind so many lines; 0 puts none
}

// checkFrame checks what a frame header says.
func (i Info) checkFrame() error {
	switch {
	case i.Width < 1 || i.Height < 1 || i.Width >= maxSide || i.Height >= maxSide:
		return UnsupportedError(fmt.Sprintf("%d x %d pixels", i.Width, i.Height))
	case i.Components < 1 || i.Components > maxComponents:
		return UnsupportedError(fmt.Sprintf("%d components", i.Components))
	case i.Bits < 2 || i.Bits > 16:
		return UnsupportedError(fmt.Sprintf("%d bits per sample", i.Bits))
	}
	return nil
}

// resolve returns the preset with its defaults (T.87 C.2.4.1.1), checked.
func (i Info) resolve() (Preset, error) {
	p := i.Preset
	if p.MaxVal == 0 {
		p.MaxVal = 1<<i.Bits - 1
	}
	switch {
	case p.MaxVal < 1 || p.MaxVal >= 1<<i.Bits:
		return p, FormatError(fmt.Sprintf("a greatest sample of %d in %d bits", p.MaxVal, i.Bits))
	case i.Near < 0 || i.Near > min(255, p.MaxVal/2):
		return p, FormatError(fmt.Sprintf("near-lossless by %d", i.Near))
	case i.Interleave < None || i.Interleave > Sample:
		return p, FormatError(fmt.Sprintf("interleave mode %d", i.Interleave))
	}
	d := defaults(p.MaxVal, i.Near)
	p.T1, p.T2, p.T3, p.Reset = or(p.T1, d.T1), or(p.T2, d.T2), or(p.T3, d.T3), or(p.Reset, d.Reset)
	if p.T1 <= i.Near || p.T2 < p.T1 || p.T3 < p.T2 || p.T3 > p.MaxVal {
		return p, FormatError(fmt.Sprintf("thresholds %d, %d, %d", p.T1, p.T2, p.T3))
	}
	if p.Reset < 3 || p.Reset > max(255, p.MaxVal) {
		return p, FormatError(fmt.Sprintf("a reset value of %d", p.Reset))
	}
	return p, nil
}

func or(v, byDefault int) int {
	if v == 0 {
		return byDefault
	}
	return v
}

// defaults returns the default parameters (T.87 C.2.4.1.1.1).
func defaults(maxVal, near int) Preset {
	p := Preset{MaxVal: maxVal, Reset: 64}
	clamp := func(v, low int) int {
		if v > maxVal || v < low {
			return low
		}
		return v
	}
	if maxVal >= 128 {
		factor := (min(maxVal, 4095) + 128) / 256
		p.T1 = clamp(factor*(3-2)+2+3*near, near+1)
		p.T2 = clamp(factor*(7-3)+3+5*near, p.T1)
		p.T3 = clamp(factor*(21-4)+4+7*near, p.T2)
		return p
	}
	factor := 256 / (maxVal + 1)
	p.T1 = clamp(max(2, 3/factor+3*near), near+1)
	p.T2 = clamp(max(3, 7/factor+5*near), p.T1)
	p.T3 = clamp(max(4, 21/factor+7*near), p.T2)
	return p
}

// fits refuses images that are larger than allowed, or than n coded bytes can hold.
func (i Info) fits(l Limits, n int) error {
	limit := l.MaxPixels
	if limit == 0 {
		limit = defaultMaxPixels
	}
	pixels := int64(i.Width) * int64(i.Height)
	if limit > 0 && pixels > limit {
		return UnsupportedError(fmt.Sprintf("%d pixels, at most %d are allowed", pixels, limit))
	}
	if pixels > maxRatio*int64(n) || int64(i.Height) > 8*int64(n) {
		return FormatError(fmt.Sprintf("%d bytes cannot hold %d x %d pixels", n, i.Width, i.Height))
	}
	return nil
}
