package pixel

import (
	"gantry/dicom/uid"
	"gantry/pixel/jpeg"
	"gantry/pixel/jxl"
)

// jxlDecoder decodes JPEG XL (PS3.5 8.2.15), and its colours to RGB.
type jxlDecoder struct{}

func (jxlDecoder) Decode(dst, src []byte, d Desc, lim Limits) ([]byte, Decoded, error) {
	i, err := jxl.DecodeInfo(src)
	if err != nil {
		return dst, Decoded{}, err
	}
	f := form{width: i.Width, height: i.Height, comps: i.Components, bits: i.Bits, bytes: i.SampleBytes()}
	if err := f.check(d); err != nil {
		return dst, Decoded{}, err
	}
	out := straight(d)
	out.Lossy, out.Method = i.Lossy, "ISO_18181_1"
	if d.Samples == 3 && (i.Lossy || d.Photometric != YBRFull) {
		out.Photometric = RGB
	}
	dst, err = settle(dst, d, f, func(dst []byte) ([]byte, error) {
		o := jxl.DecodeOptions{Workers: blockWorkers(d), Limits: jxl.Limits{MaxPixels: lim.maxPixels()}}
		dst, i, err := jxl.Decode(dst, src, o)
		out.Lossy = i.Lossy
		return dst, err
	})
	return dst, out, err
}

// rebuilds reports whether the frames are JPEG files in another wrapping, which are unpacked
// instead of being decoded.
func (t *transcoder) rebuilds() bool {
	return t.from == uid.JPEGXLJPEGRecompression && t.target == uid.JPEGBaseline8Bit && t.o.Lossy == nil
}

// unpackJPEG appends the JPEG file that a frame of JPEG XL was made from to dst.
func unpackJPEG(dst, src []byte, d Desc, lim Limits) ([]byte, Decoded, error) {
	at := len(dst)
	dst, err := jxl.JPEG(dst, src, jxl.DecodeOptions{Limits: jxl.Limits{MaxPixels: lim.maxPixels()}})
	if err != nil {
		return dst, Decoded{}, err
	}
	i, err := jpeg.DecodeInfo(dst[at:])
	if err != nil {
		return dst[:at], Decoded{}, err
	}
	f := form{width: i.Width, height: i.Height, comps: i.Components, bits: i.Bits}
	if err := f.check(d); err != nil {
		return dst[:at], Decoded{}, err
	}
	if i.Progressive {
		return dst[:at], Decoded{}, &UnsupportedError{uid.JPEGBaseline8Bit, "the JPEG file inside is progressive: choose a lossless syntax"}
	}
	out := Decoded{Photometric: d.Photometric, Lossy: true, Method: "ISO_10918_1"}
	switch {
	case i.Components == 3 && i.YCbCr:
		out.Photometric = YBRFull422
	case i.Components == 3:
		out.Photometric = RGB
	}
	return dst, out, nil
}
