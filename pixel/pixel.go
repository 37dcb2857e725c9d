// Package pixel finds, decodes and encodes the frames of images (PS3.5 chapter 8 and
// annex A, PS3.3 C.7.6.3), and transcodes whole objects from one transfer syntax to
// another.
//
// Frames gives random access to the frames of a data set; a Registry knows the transfer
// syntaxes and their codecs; Transcode writes an object in another syntax. Decoded frames
// have one layout everywhere: samples interleaved, each of Bits Allocated, little endian;
// where that is one bit, eight pixels in a byte, the first one lowest.
//
// What is wrong with an object but can be got over is reported as a Flaw.
package pixel

import (
	"fmt"
	"math"

	"gantry/dicom/tag"
	"gantry/dicom/uid"
)

// Limits bounds what a hostile object can cost. Zero fields stand for the defaults below,
// negative ones for no limit.
type Limits struct {
	MaxFrame  int64 // bytes of one frame, coded or decoded; 1 GiB
	MaxFrames int64 // frames of an object; 4,000,000
	MaxMemory int64 // bytes of the frames that Transcode works at, at least one frame of each worker's; 512 MiB

	// Partial has a damaged frame be what of it could be decoded, the rest of one colour, with a
	// flaw that says so, where else it is an error.
	Partial bool
}

func limit(v, def int64) int64 {
	switch {
	case v == 0:
		return def
	case v < 0:
		return math.MaxInt64
	}
	return v
}

func (l Limits) maxFrame() int64  { return min(limit(l.MaxFrame, 1<<30), math.MaxInt) }
func (l Limits) maxFrames() int64 { return limit(l.MaxFrames, 4_000_000) }
func (l Limits) maxMemory() int64 { return limit(l.MaxMemory, 512<<20) }

// maxPixels is MaxFrame in the codecs' words.
func (l Limits) maxPixels() int64 { return l.maxFrame() }

// Flaw is a deviation from the standard, or of the data set from its pixel data, that was
// got over. It is an error, so that strict callers can return it.
type Flaw struct {
	Tag    tag.Tag // the attribute that is wrong
	Frame  int     // from 0; -1: it is no single one
	Reason string
}

func (f *Flaw) Error() string {
	if f.Frame < 0 {
		return fmt.Sprintf("pixel: %v: %s", f.Tag, f.Reason)
	}
	return fmt.Sprintf("pixel: %v: frame %d: %s", f.Tag, f.Frame+1, f.Reason)
}

// FrameError says which frame could not be read, decoded or encoded.
type FrameError struct {
	Frame int // from 0
	Err   error
}

// Error counts frames from 1, as people and the standard do.
func (e *FrameError) Error() string { return fmt.Sprintf("pixel: frame %d: %v", e.Frame+1, e.Err) }

// Unwrap returns the cause.
func (e *FrameError) Unwrap() error { return e.Err }

// FormatError says what is wrong with pixel data.
type FormatError string

func (e FormatError) Error() string { return "pixel: " + string(e) }

// UnsupportedError says that pixels cannot be had from, or put into, a transfer syntax.
type UnsupportedError struct {
	Syntax uid.UID
	Reason string // what it is about, and what to do instead
}

func (e *UnsupportedError) Error() string {
	return fmt.Sprintf("pixel: %s (%s): %s", e.Syntax, e.Syntax.Name(), e.Reason)
}
