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

// The first byte of packed attributes.
const (
	packedRaw  = 0
	packedZstd = 1
)

// minPacked is from how many bytes on compression pays.
const minPacked = 512

// Pack compresses kept attributes, with a first byte that says how, 0 or 1.
func Pack(raw []byte) ([]byte, error) {
	if len(raw) < minPacked {
		return append(append(make([]byte, 0, len(raw)+1), packedRaw), raw...), nil
	}
	z, err := packer()
	if err != nil {
		return nil, err
	}
	return z.EncodeAll(raw, append(make([]byte, 0, len(raw)/2+64), packedZstd)), nil
}

// Unpack undoes Pack.
func Unpack(packed []byte) ([]byte, error) {
	switch {
	case len(packed) > 0 && packed[0] == packedRaw:
		return packed[1:], nil
	case len(packed) == 0 || packed[0] != packedZstd:
		return nil, ErrKept
	}
	z, err := unpacker()
	if err != nil {
		return nil, err
	}
	raw, err := z.DecodeAll(packed[1:], nil)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKept, err)
	}
	return raw, nil
}

// Kept reads the attributes of an Entry: a data set in Explicit VR Little Endian.
func Kept(raw []byte) (*dicom.DataSet, error) {
	ds, err := dicom.DecodeBytes(raw, dicom.DecodeOptions{Syntax: uid.ExplicitVRLittleEndian, BulkMin: -1})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKept, err)
	}
	return ds, nil
}

// KeptOf encodes those attributes of a data set that belong to a level or to one above
// it: what an entity of the level is known by.
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
	return dicom.AppendEncode(nil, part, uid.ExplicitVRLittleEndian)
}
