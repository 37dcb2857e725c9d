package pixel

import (
	"errors"
	"fmt"

	"gantry/pixel/jpeg"
	"gantry/pixel/jpegll"
	"gantry/pixel/jpegls"
)

// byteOrTwo is the width of samples as the JPEG codecs have them.
func byteOrTwo(bits int) int {
	if bits <= 8 {
		return 1
	}
	return 2
}

// unused is the flaw of streams that sound ones have not.
const unused = "coded data goes on behind the image: look at the picture, the stream may be damaged"

// cells says why samples of d cannot be what the JPEG codecs take.
func cells(d Desc) error {
	if d.BitsAllocated != 8 && d.BitsAllocated != 16 {
		return fmt.Errorf("%d bits allocated, 8 or 16 can be: choose RLE Lossless or Deflated Image Frame Compression", d.BitsAllocated)
	}
	return oneOrThree(d)
}

func oneOrThree(d Desc) error {
	if d.Samples > 3 || d.Samples == 2 {
		return fmt.Errorf("%d samples per pixel, 1 or 3 can be", d.Samples)
	}
	return nil
}

// dctDecoder decodes the processes with DCT (PS3.5 8.2.1), and their colours to RGB.
type dctDecoder struct{}

func (dctDecoder) Decode(dst, src []byte, d Desc, lim Limits) ([]byte, Decoded, error) {
	i, err := jpeg.DecodeInfo(src)
	if err != nil {
		return dst, Decoded{}, err
	}
	f := form{width: i.Width, height: i.Height, comps: i.Components, bits: i.Bits, bytes: byteOrTwo(i.Bits)}
	if err := f.check(d); err != nil {
		return dst, Decoded{}, err
	}
	out := Decoded{Photometric: d.Photometric, Lossy: true, Method: "ISO_10918_1"}
	if d.Samples == 3 {
		out.Photometric = RGB
	}
	colours := i.YCbCr && !(i.Supposed && d.Photometric == RGB)
	if i.Components == 3 && !i.Supposed && colours != (d.Photometric != RGB) {
		out.Flaw = fmt.Sprintf("Photometric Interpretation is %s, the stream itself says otherwise", d.Photometric)
	}
	dst, err = settle(dst, d, f, func(dst []byte) ([]byte, error) {
		at := len(dst)
		dst, i, err := jpeg.Decode(dst, src, jpeg.DecodeOptions{Partial: lim.Partial, Limits: jpeg.Limits{MaxPixels: lim.maxPixels()}})
		if i.Unused {
			out.Flaw = unused
		}
		if colours {
			toRGB(dst[at:], f.bytes, f.bits)
		}
		return dst, err
	})
	return dst, out, err
}

// dctEncoder encodes baseline, or extended of 8 and 12 bits (PS3.5 Table 8.2.1-1).
type dctEncoder struct{ extended bool }

func (e dctEncoder) Accepts(d Desc, lossy *Lossy) error {
	grey := d.Photometric == Monochrome1 || d.Photometric == Monochrome2
	eight := d.BitsAllocated == 8 && d.BitsStored == 8
	switch {
	case lossy == nil:
		return errors.New("this syntax loses information: ask for that, or choose a lossless one")
	case lossy.Quality < 0 || lossy.Quality > 100:
		return fmt.Errorf("quality %d is not from 1 to 100", lossy.Quality)
	case d.Signed:
		return errors.New("signed samples, the process has unsigned ones only")
	case d.Samples == 3 && eight && !e.extended && (d.Photometric == RGB || d.Photometric == YBRFull):
		return nil
	case d.Samples != 1 || !grey:
		return fmt.Errorf("%d samples per pixel of %s, %d bits: choose a lossless syntax", d.Samples, d.Photometric, d.BitsStored)
	case eight || e.extended && d.BitsAllocated == 16 && d.BitsStored <= 12 && d.BitsStored > 8 && d.HighBit == d.BitsStored-1:
		return nil
	}
	return fmt.Errorf("%d bits stored in %d, the process has not", d.BitsStored, d.BitsAllocated)
}

func (dctEncoder) Photometric(d Desc, _ *Lossy) string {
	if d.Samples == 3 {
		return YBRFull422
	}
	return d.Photometric
}

func (dctEncoder) Encode(dst, px []byte, d Desc, lossy *Lossy) ([]byte, error) {
	i := jpeg.Info{Width: d.Columns, Height: d.Rows, Components: d.Samples, Bits: 8, YCbCr: d.Samples == 3}
	if d.BitsAllocated == 16 {
		i.Bits = 12
	}
	if d.Photometric == RGB {
		tmp := getBuffer()
		defer buffers.Put(tmp)
		*tmp = appendYBR(*tmp, px)
		px = *tmp
	}
	return jpeg.Encode(dst, px, i, jpeg.EncodeOptions{Quality: orDefault(lossy.Quality, defaultQuality), Subsample: d.Samples == 3})
}

// losslessDecoder decodes lossless JPEG (PS3.5 8.2.1).
type losslessDecoder struct{}

func (losslessDecoder) Decode(dst, src []byte, d Desc, lim Limits) ([]byte, Decoded, error) {
	i, err := jpegll.DecodeInfo(src)
	if err != nil {
		return dst, Decoded{}, err
	}
	f := form{width: i.Width, height: i.Height, comps: i.Components, bits: i.Bits, bytes: byteOrTwo(i.Bits)}
	if err := f.check(d); err != nil {
		return dst, Decoded{}, err
	}
	out := straight(d)
	out.Lossy, out.Method = i.PointTransform > 0, "ISO_10918_1"
	dst, err = settle(dst, d, f, func(dst []byte) ([]byte, error) {
		dst, i, err := jpegll.Decode(dst, src, jpegll.DecodeOptions{Partial: lim.Partial, Limits: jpegll.Limits{MaxPixels: lim.maxPixels()}})
		if i.Unused {
			out.Flaw = unused
		}
		return dst, err
	})
	return dst, out, err
}

// losslessEncoder encodes lossless JPEG with one predictor for all.
type losslessEncoder struct{ predictor int }

func (losslessEncoder) Accepts(d Desc, lossy *Lossy) error {
	if lossy != nil {
		return errNoLossy
	}
	return cells(d)
}

func (losslessEncoder) Photometric(d Desc, _ *Lossy) string { return d.Photometric }

func (e losslessEncoder) Encode(dst, px []byte, d Desc, _ *Lossy) ([]byte, error) {
	tmp := getBuffer()
	defer buffers.Put(tmp)
	bits := precision(px, d)
	i := jpegll.Info{Width: d.Columns, Height: d.Rows, Components: d.Samples, Bits: bits, Predictor: e.predictor}
	return jpegll.Encode(dst, narrow(tmp, px, d, bits), i, jpegll.EncodeOptions{})
}

// jlsDecoder decodes JPEG-LS (PS3.5 8.2.3).
type jlsDecoder struct{}

func (jlsDecoder) Decode(dst, src []byte, d Desc, lim Limits) ([]byte, Decoded, error) {
	i, err := jpegls.DecodeInfo(src)
	if err != nil {
		return dst, Decoded{}, err
	}
	f := form{width: i.Width, height: i.Height, comps: i.Components, bits: i.Bits, bytes: byteOrTwo(i.Bits)}
	if err := f.check(d); err != nil {
		return dst, Decoded{}, err
	}
	out := straight(d)
	dst, err = settle(dst, d, f, func(dst []byte) ([]byte, error) {
		dst, i, err := jpegls.Decode(dst, src, jpegls.DecodeOptions{Partial: lim.Partial, Limits: jpegls.Limits{MaxPixels: lim.maxPixels()}})
		out.Lossy, out.Method = i.Near > 0, "ISO_14495_1"
		return dst, err
	})
	return dst, out, err
}

// jlsEncoder encodes JPEG-LS. Where near is set, that of samples may be lost which the
// caller asks for; without being asked it is lossless too.
type jlsEncoder struct{ near bool }

func (e jlsEncoder) Accepts(d Desc, lossy *Lossy) error {
	switch {
	case lossy != nil && !e.near:
		return errNoLossy
	case lossy != nil && d.Photometric == PaletteColor:
		return errors.New("indices of a palette mean nothing when they are nearly right: choose a lossless syntax")
	case lossy != nil && d.Signed:
		return errors.New("signed samples would change their sign where they are nearly zero: choose a lossless syntax")
	case lossy != nil && d.HighBit != d.BitsStored-1:
		return fmt.Errorf("high bit %d of %d bits stored: what is nearly right there is wrong: choose a lossless syntax", d.HighBit, d.BitsStored)
	case lossy != nil && (lossy.Near < 0 || lossy.Near > min(255, 1<<min(d.BitsStored, 16)/2-1)):
		return fmt.Errorf("near %d is not from 1 to 255, or half of the range of %d bits", lossy.Near, d.BitsStored)
	}
	return cells(d)
}

func (jlsEncoder) Photometric(d Desc, _ *Lossy) string { return d.Photometric }

func (e jlsEncoder) Encode(dst, px []byte, d Desc, lossy *Lossy) ([]byte, error) {
	tmp := getBuffer()
	defer buffers.Put(tmp)
	bits := precision(px, d)
	i := jpegls.Info{Width: d.Columns, Height: d.Rows, Components: d.Samples, Bits: bits}
	if d.Samples > 1 {
		i.Interleave = jpegls.Line
	}
	if lossy != nil {
		bits = max(d.BitsStored, 2) // no more: what is decoded must not exceed them
		if d.BitsStored < d.BitsAllocated && !within(px, d) {
			return dst, FormatError("bits above High Bit are set: what is nearly right there is wrong: choose a lossless syntax")
		}
		if i.Near = lossy.Near; i.Near == 0 {
			i.Near = min(defaultNear, 1<<bits/2-1)
		}
	}
	return jpegls.Encode(dst, narrow(tmp, px, d, bits), i, jpegls.EncodeOptions{})
}
