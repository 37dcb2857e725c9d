package capture

import (
	"encoding/binary"
	"io"

	"gantry/dicom/uid"
	"gantry/pixel"
	"gantry/pixel/j2k"
)

// readJ2K keeps the codestream of a JPEG 2000 or HTJ2K file, or decodes it.
func readJ2K(in *io.SectionReader, o Options) (*Object, error) {
	stream, err := codestream(in)
	if err != nil {
		return nil, err
	}
	head := make([]byte, min(stream.Size(), 1<<20))
	if _, err := stream.ReadAt(head, 0); err != nil && err != io.EOF {
		return nil, err
	}
	i, err := j2k.DecodeInfo(head)
	if err != nil {
		return nil, wrong("%v", err)
	}
	if i.Components != 1 && i.Components != 3 || i.Bits > 16 {
		return nil, wrong("JPEG 2000: %d components of %d bits: want one or three, of 16 bits at most", i.Components, i.Bits)
	}
	ob := &Object{Syntax: j2kSyntax(i), Desc: j2kDesc(i)}
	ob.Class = classOf(ob.Desc, o.Class)
	if !ob.lossless() {
		ob.lossy, ob.ratio = lossyMethod(ob.Syntax), float64(ob.Desc.FrameSize())/float64(stream.Size())
	}
	if !o.Keep {
		return ob, ob.decode(stream, o)
	}
	if i.Components == 3 && transformed(head) {
		if ob.Desc.Photometric = pixel.YBRICT; i.Reversible {
			ob.Desc.Photometric = pixel.YBRRCT
		}
	}
	return ob, ob.keep(nil, stream, 0)
}

func j2kSyntax(i j2k.Info) uid.UID {
	switch {
	case i.HT && i.Reversible:
		return uid.HTJ2KLossless
	case i.HT:
		return uid.HTJ2K
	case i.Reversible:
		return uid.JPEG2000Lossless
	}
	return uid.JPEG2000
}

func j2kDesc(i j2k.Info) pixel.Desc {
	d := pixel.Desc{Rows: i.Height, Columns: i.Width, Samples: i.Components, BitsAllocated: 8, BitsStored: i.Bits, HighBit: i.Bits - 1,
		Signed: i.Signed, Photometric: pixel.Monochrome2, Frames: 1}
	if i.Bits > 8 {
		d.BitsAllocated = 16
	}
	if i.Components == 3 {
		d.Photometric = pixel.RGB
	}
	return d
}

// codestream finds the codestream in a JP2 file (T.800 Annex I); a file may be one itself.
func codestream(in *io.SectionReader) (*io.SectionReader, error) {
	var b [2]byte
	if _, err := in.ReadAt(b[:], 0); err != nil || b[0] == 0xFF {
		return in, err
	}
	for box, err := range boxes(in) {
		if err != nil {
			return nil, err
		}
		if box.kind == "jp2c" {
			return box.body, nil
		}
	}
	return nil, wrong("JPEG 2000: no codestream in the file")
}

// transformed reports whether the main header has a multiple component transformation
// (T.800 A.6.1).
func transformed(head []byte) bool {
	for at := 2; at+9 < len(head) && head[at] == 0xFF && head[at+1] != 0x90; {
		if head[at+1] == 0x52 {
			return head[at+8] != 0
		}
		at += 2 + int(binary.BigEndian.Uint16(head[at+2:]))
	}
	return false
}
