package index

import (
	"errors"
	"fmt"
	"sync"

	"github.com/klauspost/compress/zstd"

	"gantry/dicom"
	"gantry/dicom/uid"
)

// ErrKept says that kept attributes cannot be read back.
var ErrKept = errors.New("kept attributes are damaged")

// maxUnpacked bounds what kept attributes may inflate to.
const maxUnpacked = 1 << 20

var packer = sync.OnceValues(func() (*zstd.Encoder, error) {
	return zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(2),
		zstd.WithWindowSize(128<<10), zstd.WithLowerEncoderMem(true), zstd.WithEncoderCRC(false))
})

var unpacker = sync.OnceValues(func() (*zstd.Decoder, error) {
	return zstd.NewReader(nil, zstd.WithDecoderConcurrency(4), zstd.WithDecoderMaxMemory(maxUnpacked), zstd.WithDecoderLowmem(true))
})

// The first byte of kept attributes.
const (
	packedRaw  = 0
	packedZstd = 1
)

// minPacked is from how many bytes on compression pays.
const minPacked = 512

func pack(raw []byte) ([]byte, error) {
	if len(raw) < minPacked {
		return append(append(make([]byte, 0, len(raw)+1), packedRaw), raw...), nil
	}
	z, err := packer()
	if err != nil {
		return nil, err
	}
	return z.EncodeAll(raw, append(make([]byte, 0, len(raw)/2+64), packedZstd)), nil
}

// Kept reads the attributes of an Entry: a byte that says how they are packed, then a data
// set in Explicit VR Little Endian.
func Kept(attrs []byte) (*dicom.DataSet, error) {
	if len(attrs) == 0 {
		return nil, ErrKept
	}
	raw := attrs[1:]
	if attrs[0] != packedRaw {
		z, err := unpacker()
		if err != nil {
			return nil, err
		}
		if raw, err = z.DecodeAll(raw, nil); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrKept, err)
		}
	}
	ds, err := dicom.DecodeBytes(raw, dicom.DecodeOptions{Syntax: uid.ExplicitVRLittleEndian, BulkMin: -1})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKept, err)
	}
	return ds, nil
}

// KeptOf packs those attributes of a data set that belong to a level or to one above it:
// what an entity of the level is known by.
func KeptOf(ds *dicom.DataSet, level Level) ([]byte, error) {
	ed := ds.Edit()
	for e := range ds.All() {
		if LevelOf(e.Tag) > level {
			ed.Delete(e.Tag)
		}
	}
	part, err := ed.Build()
	if err != nil {
		return nil, err
	}
	raw, err := dicom.AppendEncode(nil, part, uid.ExplicitVRLittleEndian)
	if err != nil {
		return nil, err
	}
	return pack(raw)
}
