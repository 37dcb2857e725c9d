package pixel

import (
	"errors"
	"fmt"
	"math"

	"gantry/pixel/j2k"
)

// j2kDecoder decodes JPEG 2000 and its high-throughput form (PS3.5 8.2.4, 10.18),
// and their colours to RGB.
type j2kDecoder struct{}

func (j2kDecoder) Decode(dst, src []byte, d Desc, lim Limits) ([]byte, Decoded, error) {
	i, err := j2k.DecodeInfo(src)
	if err != nil {
		return dst, Decoded{}, err
	}
	f := form{width: i.Width, height: i.Height, comps: i.Components, bits: i.Bits, bytes: i.SampleBytes(), signed: i.Signed}
	if err := f.check(d); err != nil {
		return dst, Decoded{}, err
	}
	out := straight(d)
	out.Lossy, out.Method = !i.Reversible, "ISO_15444_1"
	if i.HT {
		out.Method = "ISO_15444_15"
	}
	if d.Photometric == YBRICT || d.Photometric == YBRRCT {
		out.Photometric = RGB
	}
	if i.Signed != d.Signed {
		out.Flaw = "Pixel Representation and the stream differ on whether samples are signed"
	}
	dst, err = settle(dst, d, f, func(dst []byte) ([]byte, error) {
		o := j2k.DecodeOptions{Workers: blockWorkers(d), Partial: lim.Partial, Limits: j2k.Limits{MaxPixels: lim.maxPixels()}}
		dst, _, err := j2k.Decode(dst, src, o)
		return dst, err
	})
	return dst, out, err
}

// blockWorkers is how many code blocks of a frame are worked at at the same time: as many as
// there are cores where the frame is large, as it may be the only one; else one, as frames
// go side by side.
func blockWorkers(d Desc) int {
	if d.pixels()*d.Samples >= 1<<20 {
		return 0
	}
	return 1
}

// j2kEncoder encodes JPEG 2000: by the 5/3 wavelet without loss, by the 9/7 with.
type j2kEncoder struct {
	lossless     bool
	ht           bool // in high-throughput code blocks
	byResolution bool // as HTJ2K Lossless RPCL wants it (PS3.5 10.18)
}

func (e j2kEncoder) Accepts(d Desc, lossy *Lossy) error {
	switch {
	case d.BitsAllocated%8 != 0 || d.BitsAllocated > 40 || d.BitsStored > maxJ2KBits:
		return fmt.Errorf("%d bits stored of %d allocated, %d of up to 40 can be: choose RLE Lossless or Deflated Image Frame Compression", d.BitsStored, d.BitsAllocated, maxJ2KBits)
	case lossy == nil:
		return oneOrThree(d)
	case e.lossless:
		return errNoLossy
	case lossy.Quality < 0 || lossy.Quality > 100:
		return fmt.Errorf("quality %d is not from 1 to 100", lossy.Quality)
	case d.Photometric == PaletteColor:
		return errors.New("indices of a palette mean nothing when they are nearly right: choose a lossless syntax")
	case d.HighBit != d.BitsStored-1:
		return fmt.Errorf("high bit %d of %d bits stored: what is nearly right there is wrong: choose a lossless syntax", d.HighBit, d.BitsStored)
	}
	return cells(d)
}

// Photometric is that of the component transformation (PS3.5 8.2.4).
func (j2kEncoder) Photometric(d Desc, lossy *Lossy) string {
	switch {
	case d.Photometric != RGB:
		return d.Photometric
	case lossy != nil:
		return YBRICT
	}
	return YBRRCT
}

func (e j2kEncoder) Encode(dst, px []byte, d Desc, lossy *Lossy) ([]byte, error) {
	tmp := getBuffer()
	defer buffers.Put(tmp)
	i := j2k.Info{Width: d.Columns, Height: d.Rows, Components: d.Samples, Bits: precision(px, d), Signed: d.Signed}
	o := j2k.EncodeOptions{Workers: blockWorkers(d), NoMCT: d.Photometric != RGB, HT: e.ht, ByResolution: e.byResolution}
	if lossy != nil {
		if !within(px, d) {
			return dst, FormatError("bits above High Bit are set: what is nearly right there is wrong: choose a lossless syntax")
		}
		i.Bits = max(d.BitsStored, 8*d.cell()-7)
		o.Step = stepOf(orDefault(lossy.Quality, defaultQuality), d.BitsStored)
	}
	if n := i.SampleBytes(); n != d.cell() { // there are no samples of 3 bytes, or 5, in j2k
		*tmp = widen(*tmp, px, d.cell(), n, d.Signed)
		px = *tmp
	}
	return j2k.Encode(dst, px, i, o)
}

// maxJ2KBits is how deep samples may be that the lossless wavelet surely has room for: PS3.5
// Table 8.2.4-1 allows 38, of which the extremes do not fit the planes that a header can tell.
const maxJ2KBits = 36

// stepOf is the error in an image that a quality allows: half a grey level of 8 bits at
// 100, twice as much every 12.5 below.
func stepOf(quality, bits int) float64 {
	return math.Exp2(float64(100-quality)/12.5 - 1 + float64(bits-8))
}
