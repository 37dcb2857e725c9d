package pixel

import "gantry/pixel/jxl"

// jxlDecoder decodes JPEG XL (PS3.5 8.2.19), and its colours to RGB.
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
		dst, _, err := jxl.Decode(dst, src, o)
		return dst, err
	})
	return dst, out, err
}
