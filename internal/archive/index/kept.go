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

func pack(raw []byte) ([]byte, error) {
	z, err := packer()
	if err != nil {
		return nil, err
	}
	return z.EncodeAll(raw, make([]byte, 0, len(raw)/2+64)), nil
}

// Kept reads the attributes of an Entry: Explicit VR Little Endian, compressed.
func Kept(attrs []byte) (*dicom.DataSet, error) {
	z, err := unpacker()
	if err != nil {
		return nil, err
	}
	raw, err := z.DecodeAll(attrs, nil)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKept, err)
	}
	ds, err := dicom.DecodeBytes(raw, dicom.DecodeOptions{Syntax: uid.ExplicitVRLittleEndian, BulkMin: -1})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKept, err)
	}
	return ds, nil
}
