package imagefile

import (
	"encoding/binary"
	"image"
	"io"

	"gantry/pixel/j2k"
)

// The JPEG 2000 and HTJ2K formats: files with boxes (T.800 Annex I, T.814 Annex D), and bare
// codestreams. They lose nothing.
const (
	JP2 Format = "jp2"
	J2K Format = "j2k"
	JPH Format = "jph"
	J2C Format = "j2c"
)

func writeJ2K(w io.Writer, m image.Image, f Format) error {
	px, i := j2kSamples(m)
	stream, err := j2k.Encode(nil, px, i, j2k.EncodeOptions{HT: f == JPH || f == J2C})
	if err != nil {
		return err
	}
	if f == JP2 || f == JPH {
		_, err = w.Write(j2kBoxes(i, string(f)+" ", uint32(8+len(stream))))
	}
	if err == nil {
		_, err = w.Write(stream)
	}
	return err
}

// j2kSamples are those of a picture: a byte each, or two, little endian.
func j2kSamples(m image.Image) ([]byte, j2k.Info) {
	i := j2k.Info{Width: m.Bounds().Dx(), Height: m.Bounds().Dy(), Components: 1, Bits: 8}
	if deep, ok := m.(*image.Gray16); ok {
		px := make([]byte, len(deep.Pix))
		for at := 0; at < len(px); at += 2 {
			px[at], px[at+1] = deep.Pix[at+1], deep.Pix[at]
		}
		i.Bits = 16
		return px, i
	}
	px, each := samples(m)
	i.Components = each
	return px, i
}

// j2kBoxes are the boxes in front of the codestream: signature, file type, header with size
// and colour space, and the head of the codestream's own.
func j2kBoxes(i j2k.Info, brand string, stream uint32) []byte {
	box := func(kind string, body []byte) []byte {
		return append(append(binary.BigEndian.AppendUint32(nil, uint32(8+len(body))), kind...), body...)
	}
	size := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, uint32(i.Height)), uint32(i.Width))
	size = append(size, 0, byte(i.Components), byte(i.Bits-1), 7, 0, 0)
	space := byte(17) // greys
	if i.Components == 3 {
		space = 16 // sRGB
	}
	out := box("jP  ", []byte("\r\n\x87\n"))
	out = append(out, box("ftyp", []byte(brand+"\x00\x00\x00\x00"+brand))...)
	out = append(out, box("jp2h", append(box("ihdr", size), box("colr", []byte{1, 0, 0, 0, 0, 0, space})...))...)
	return append(binary.BigEndian.AppendUint32(out, stream), "jp2c"...)
}
