package capture

import (
	"encoding/binary"
	"io"

	"gantry/dicom/uid"
	"gantry/pixel"
	"gantry/pixel/jpeg"
)

// JPEGOptions says which JPEG files are kept, and what of them.
type JPEGOptions struct {
	NoProgressive bool // refuse progressive files
	NoExtended    bool // refuse extended sequential files
	NeedJFIF      bool // refuse files without a JFIF header
	KeepAPP       bool // keep application segments, the JFIF header apart
	DropComment   bool // drop comments
}

// maxHeader bounds the segments in front of the first scan: an ICC profile fits.
const maxHeader = 32 << 20

// jpegHeader is what stands in front of the first scan of a stream (T.81 B.1.1).
type jpegHeader struct {
	kept                  []byte // without the segments that are dropped
	size                  int64  // in the file
	process               byte   // code of the frame header's marker
	bits, rows, columns   int
	components, predictor int
	near                  int
	halved, jfif          bool // colours have fewer samples; there is a JFIF header
}

// readJPEGHeader reads the segments up to the scan, and that of the scan.
func readJPEGHeader(in io.ReaderAt, o JPEGOptions) (*jpegHeader, error) {
	h := &jpegHeader{kept: []byte{0xFF, 0xD8}, size: 2}
	for len(h.kept) < maxHeader && h.size < 2*maxHeader {
		var b [4]byte
		if _, err := in.ReadAt(b[:], h.size); err != nil || b[0] != 0xFF {
			return nil, wrong("JPEG: damaged at byte %d, in front of the first scan", h.size)
		}
		if b[1] == 0xFF { // fill byte
			h.size++
			continue
		}
		segment := make([]byte, 2+int(binary.BigEndian.Uint16(b[2:])))
		if _, err := in.ReadAt(segment, h.size); err != nil || len(segment) < 4 {
			return nil, wrong("JPEG: a segment is cut off at byte %d", h.size)
		}
		h.size += int64(len(segment))
		if h.segment(b[1], segment[4:], o) {
			h.kept = append(h.kept, segment...)
		}
		if b[1] == 0xDA {
			return h, h.check()
		}
	}
	return nil, wrong("JPEG: more than %d bytes in front of the first scan", maxHeader)
}

// segment takes what a segment says, and reports whether it is kept.
func (h *jpegHeader) segment(code byte, b []byte, o JPEGOptions) bool {
	switch {
	case code == 0xE0 && len(b) >= 4 && string(b[:4]) == "JFIF":
		h.jfif = true
		return false
	case code >= 0xE0 && code <= 0xEF:
		return o.KeepAPP
	case code == 0xFE:
		return !o.DropComment
	case code == 0xF7 || code >= 0xC0 && code <= 0xCF && code != 0xC4 && code != 0xC8 && code != 0xCC:
		if h.process = code; len(b) >= 6 {
			h.bits, h.rows, h.columns = int(b[0]), int(binary.BigEndian.Uint16(b[1:])), int(binary.BigEndian.Uint16(b[3:]))
			h.components = int(b[5])
			h.halved = len(b) >= 6+3*h.components && h.components > 1 && b[7] != b[10]
		}
	case code == 0xDA && len(b) > 0 && len(b) >= 4+2*int(b[0]):
		h.predictor = int(b[1+2*int(b[0])]) // Ss, which is NEAR in JPEG-LS
		h.near = h.predictor
	}
	return true
}

func (h *jpegHeader) check() error {
	if h.process == 0 {
		return wrong("JPEG: no frame header in front of the first scan")
	}
	if h.components != 1 && h.components != 3 {
		return wrong("JPEG: %d components: images have one or three; convert it to RGB first", h.components)
	}
	if h.rows == 0 || h.columns == 0 || h.bits < 2 || h.bits > 16 {
		return wrong("JPEG: %d x %d pixels of %d bits", h.columns, h.rows, h.bits)
	}
	return nil
}

// syntax is the transfer syntax of the process (PS3.5 A.4).
func (h *jpegHeader) syntax(o JPEGOptions) (uid.UID, error) {
	switch h.process {
	case 0xC0:
		return uid.JPEGBaseline8Bit, nil
	case 0xC1:
		if !o.NoExtended {
			return uid.JPEGExtended12Bit, nil
		}
	case 0xC2:
		if !o.NoProgressive {
			return uid.JPEGFullProgressionNonHierarchical1012, nil
		}
	case 0xC3:
		if h.predictor == 1 {
			return uid.JPEGLosslessSV1, nil
		}
		return uid.JPEGLossless, nil
	case 0xF7:
		if h.near > 0 {
			return uid.JPEGLSNearLossless, nil
		}
		return uid.JPEGLSLossless, nil
	}
	return "", wrong("JPEG: process %#x (T.81 Table B.1) is not taken: convert it to baseline first", h.process)
}

// readJPEG keeps the stream, or decodes it.
func readJPEG(in *io.SectionReader, o Options) (*Object, error) {
	h, err := readJPEGHeader(in, o.JPEG)
	if err != nil {
		return nil, err
	}
	syntax, err := h.syntax(o.JPEG)
	if err != nil {
		return nil, err
	}
	if o.JPEG.NeedJFIF && !h.jfif {
		return nil, wrong("JPEG: no JFIF header")
	}
	ob := &Object{Syntax: syntax, Desc: h.desc()}
	ob.Class = classOf(ob.Desc, o.Class)
	if ob.lossless() && o.Keep {
		return ob, ob.keep(h.kept, in, h.size)
	}
	ob.lossy, ob.ratio = lossyMethod(syntax), float64(ob.Desc.FrameSize())/float64(in.Size())
	if o.Keep {
		if ob.Desc.Photometric, err = coloursOf(h, in); err != nil {
			return nil, err
		}
		return ob, ob.keep(h.kept, in, h.size)
	}
	return ob, ob.decode(in, o)
}

// lossless reports whether the transfer syntax loses nothing.
func (ob *Object) lossless() bool { return lossyMethod(ob.Syntax) == "" }

// lossyMethod is the Lossy Image Compression Method (PS3.3 C.7.6.1.1.5.1) of a coded file.
func lossyMethod(syntax uid.UID) string {
	switch syntax {
	case uid.JPEGBaseline8Bit, uid.JPEGExtended12Bit, uid.JPEGFullProgressionNonHierarchical1012:
		return "ISO_10918_1"
	case uid.JPEGLSNearLossless:
		return "ISO_14495_1"
	case uid.JPEG2000:
		return "ISO_15444_1"
	case uid.HTJ2K:
		return "ISO_15444_15"
	}
	return ""
}

func (h *jpegHeader) desc() pixel.Desc {
	d := pixel.Desc{Rows: h.rows, Columns: h.columns, Samples: h.components, BitsAllocated: 8, BitsStored: h.bits, HighBit: h.bits - 1,
		Photometric: pixel.Monochrome2, Frames: 1}
	if h.bits > 8 {
		d.BitsAllocated = 16
	}
	if h.components == 3 {
		d.Photometric = pixel.RGB
	}
	return d
}

// coloursOf is the photometric interpretation of a lossy stream that is kept.
func coloursOf(h *jpegHeader, in *io.SectionReader) (string, error) {
	if h.components == 1 || h.process == 0xF7 {
		return h.desc().Photometric, nil
	}
	head := make([]byte, h.size)
	if _, err := in.ReadAt(head, 0); err != nil {
		return "", err
	}
	i, err := jpeg.DecodeInfo(head)
	switch {
	case err != nil:
		return "", wrong("%v", err)
	case !i.YCbCr:
		return pixel.RGB, nil
	case h.halved:
		return pixel.YBRFull422, nil
	}
	return pixel.YBRFull, nil
}

// keep takes a stream as the only frame: kept in place of the first bytes of the file.
func (ob *Object) keep(kept []byte, in *io.SectionReader, from int64) error {
	ob.coded = []io.Reader{&twoParts{head: kept, tail: io.NewSectionReader(in, from, in.Size()-from)}}
	ob.sizes = []int64{int64(len(kept)) + in.Size() - from}
	return nil
}

// twoParts reads a header and what follows it.
type twoParts struct {
	head []byte
	tail io.Reader
}

func (t *twoParts) Read(p []byte) (int, error) {
	if len(t.head) == 0 {
		return t.tail.Read(p)
	}
	n := copy(p, t.head)
	t.head = t.head[n:]
	return n, nil
}

// decode makes samples of a coded file.
func (ob *Object) decode(in *io.SectionReader, o Options) error {
	if err := checkSize(ob.Desc.Columns, ob.Desc.Rows, 1, o); err != nil {
		return err
	}
	if in.Size() > o.limit() {
		return wrong("%d bytes: at most %d are decoded; --keep takes the file as it is", in.Size(), o.limit())
	}
	coded := make([]byte, in.Size())
	if _, err := io.ReadFull(in, coded); err != nil {
		return err
	}
	px, done, err := pixel.Builtin().Decode(nil, coded, ob.Desc, ob.Syntax, pixel.Limits{MaxFrame: o.limit()})
	if err != nil {
		return err
	}
	ob.Desc.Photometric, ob.native, ob.Syntax = done.Photometric, px, ""
	return nil
}
