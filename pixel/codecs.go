package pixel

import (
	"bytes"
	"compress/flate"
	"errors"
	"fmt"
	"io"
	"slices"

	"gantry/pixel/rle"
)

var errNoLossy = errors.New("this syntax loses nothing: leave the lossy parameters out")

// straight is the interpretation of what a codec returns that knows nothing of colours:
// as the data set says, but nothing is subsampled any more.
func straight(d Desc) Decoded {
	p := d.Photometric
	if p == YBRFull422 {
		p = YBRFull
	}
	return Decoded{Photometric: p}
}

// rawCodec is Encapsulated Uncompressed (PS3.5 A.4.11): native frames in fragments.
type rawCodec struct{}

func (rawCodec) Decode(dst, src []byte, d Desc, _ Limits) ([]byte, Decoded, error) {
	n := d.FrameSize()
	if int64(len(src)) < n {
		return dst, Decoded{}, io.ErrUnexpectedEOF
	}
	if d.Planar {
		return interleave(dst, src[:n], d), straight(d), nil
	}
	return append(dst, src[:n]...), straight(d), nil
}

func (rawCodec) Accepts(_ Desc, lossy *Lossy) error {
	if lossy != nil {
		return errNoLossy
	}
	return nil
}

func (rawCodec) Photometric(d Desc, _ *Lossy) string { return d.Photometric }

func (rawCodec) Encode(dst, px []byte, _ Desc, _ *Lossy) ([]byte, error) {
	return append(dst, px...), nil
}

// deflateCodec is Deflated Image Frame Compression (PS3.5 A.4.13): each native frame is
// a deflate stream.
type deflateCodec struct{ rawCodec }

func (c deflateCodec) Decode(dst, src []byte, d Desc, lim Limits) ([]byte, Decoded, error) {
	tmp := getBuffer()
	defer buffers.Put(tmp)
	n := int(d.FrameSize())
	px := slices.Grow(*tmp, min(n, len(src)*1032)) // RFC 1951: a bit stands for 129 bytes at most
	*tmp = px
	b := bytes.NewBuffer(px)
	_, err := io.Copy(b, io.LimitReader(flate.NewReader(bytes.NewReader(src)), int64(n)))
	*tmp = b.Bytes()
	if err != nil {
		return dst, Decoded{}, err
	}
	return c.rawCodec.Decode(dst, b.Bytes(), d, lim)
}

func (deflateCodec) Encode(dst, px []byte, _ Desc, _ *Lossy) ([]byte, error) {
	b := bytes.NewBuffer(dst)
	z, err := flate.NewWriter(b, flate.DefaultCompression)
	if err != nil {
		return dst, err
	}
	if _, err := z.Write(px); err != nil {
		return dst, err
	}
	err = z.Close()
	return b.Bytes(), err
}

// rleCodec is RLE Lossless (PS3.5 annex G).
type rleCodec struct{}

func rleInfo(d Desc) rle.Info {
	return rle.Info{Width: d.Columns, Height: d.Rows, Components: d.Samples, Bits: d.BitsAllocated}
}

func (rleCodec) Decode(dst, src []byte, d Desc, lim Limits) ([]byte, Decoded, error) {
	dst, err := rle.Decode(dst, src, rleInfo(d), rle.DecodeOptions{Partial: lim.Partial, Limits: rle.Limits{MaxPixels: lim.maxPixels()}})
	return dst, straight(d), err
}

func (rleCodec) Accepts(d Desc, lossy *Lossy) error {
	if lossy != nil {
		return errNoLossy
	}
	if segments := max(d.cell(), 1) * d.Samples; segments > 15 {
		return fmt.Errorf("%d samples of %d bits make more than 15 segments (PS3.5 G.5)", d.Samples, d.BitsAllocated)
	}
	return nil
}

func (rleCodec) Photometric(d Desc, _ *Lossy) string { return d.Photometric }

func (rleCodec) Encode(dst, px []byte, d Desc, _ *Lossy) ([]byte, error) {
	return rle.Encode(dst, px, rleInfo(d), rle.EncodeOptions{})
}
