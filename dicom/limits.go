package dicom

import (
	"gantry/dicom/tag"
	"gantry/dicom/uid"
)

// Limits bounds what a hostile data set can cost. Zero fields stand for the defaults
// below, negative ones for no limit.
type Limits struct {
	MaxDepth    int   // sequences inside sequences; 64
	MaxElements int   // elements, items and fragments of the whole tree; 4,000,000
	MaxValue    int64 // bytes of one value held in memory; 1 GiB
	MaxInflated int64 // bytes that a deflated data set may grow to; 1 GiB
}

const (
	defaultDepth    = 64
	defaultElements = 4_000_000
	defaultValue    = 1 << 30
	defaultInflated = 1 << 30
	defaultBulkMin  = 64 << 10

	maxBuffer = 1 << 30 // offsets in records are 32 bits wide
)

func orDefault[T int | int64](v, def T) T {
	switch {
	case v == 0:
		return def
	case v < 0:
		return T(int(^uint(0) >> 1))
	}
	return v
}

func (l Limits) withDefaults() Limits {
	l.MaxDepth = orDefault(l.MaxDepth, defaultDepth)
	l.MaxElements = min(orDefault(l.MaxElements, defaultElements), 1<<30)
	l.MaxValue = orDefault(l.MaxValue, defaultValue)
	l.MaxInflated = orDefault(l.MaxInflated, defaultInflated)
	return l
}

// DecodeOptions says how a data set is read. The zero value reads any uncompressed or
// encapsulated data set and finds out itself whether the VR is explicit.
type DecodeOptions struct {
	// Syntax is the transfer syntax. Empty: Little Endian, VR explicit if the first
	// element looks so.
	Syntax uid.UID
	Limits Limits
	// BulkMin is the size in bytes from which a value stays outside the buffer, when
	// the input can be read at any offset. Zero is 64 KiB, negative is never.
	BulkMin int64
	// Until ends decoding before the first element of the outermost level with this
	// tag or a higher one. Zero reads all.
	Until tag.Tag
	// OnFlaw is told of every deviation, in order. An error it returns ends decoding:
	// that is strict mode. Nil collects them for DataSet.Flaws (tolerant mode).
	OnFlaw func(Flaw) error
	// Charset overrides Specific Character Set (0008,0005) of the whole data set, for
	// objects known to be mislabelled. Values as in the attribute, joined by backslash.
	Charset string
	// Memory is reused: the data set is gone when another is decoded with it. Nil: each
	// data set has its own.
	Memory *Memory

	exact bool // the layout is known: no looking whether the syntax is true
}

// Strict is an OnFlaw that ends decoding at the first deviation, with the flaw as the
// error.
func Strict(f Flaw) error { return &f }
