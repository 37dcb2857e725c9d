// Package capture makes DICOM objects of what is none: pictures, documents and video files.
// They become Secondary Capture, VL Photographic, Video Photographic and Encapsulated PDF
// objects (PS3.3 A.8, A.32.4, A.32.7, A.45.1).
package capture

import (
	"bytes"
	"fmt"
	"io"

	"gantry/dicom"
	"gantry/dicom/uid"
	"gantry/pixel"
)

// Options says what to make of a file. The zero value decodes pictures into Secondary
// Capture objects.
type Options struct {
	Class Class
	Keep  bool // coded pictures go in as they are, in the transfer syntax of their process
	JPEG  JPEGOptions
	Limit int64 // bytes of decoded samples of one file; 0 is 1 GiB
}

// Class chooses among the SOP classes that fit a picture.
type Class uint8

// The classes. Documents and video files have their own.
const (
	Single Class = iota // Secondary Capture; one of its multi-frame classes where there are several frames
	Multi               // a multi-frame Secondary Capture class, for one frame too
	Photo               // VL Photographic
)

func (o *Options) limit() int64 {
	if o.Limit == 0 {
		return 1 << 30
	}
	return o.Limit
}

// Object is what a file became: its attributes, and what stands in its pixel data. It reads
// from the file when it is written.
type Object struct {
	Class  uid.UID
	Syntax uid.UID // of a coded object, empty: any native one
	Desc   pixel.Desc
	attrs  []attribute
	native []byte
	coded  []io.Reader // frames
	sizes  []int64     // of them, in bytes
	times  []float64   // how long each frame is shown, in ms; nil where there is one
	lossy  string      // Lossy Image Compression Method, empty where nothing is known of loss
	ratio  float64     // Lossy Image Compression Ratio
}

// FormatError says what keeps a file from becoming an object, and what to do.
type FormatError string

func (e FormatError) Error() string { return string(e) }

func wrong(format string, args ...any) error { return FormatError(fmt.Sprintf(format, args...)) }

// Kind is what a file is by its first bytes.
type Kind string

// The kinds.
const (
	JPEG Kind = "JPEG" // and JPEG-LS
	J2K  Kind = "JPEG 2000"
	PNG  Kind = "PNG"
	TIFF Kind = "TIFF"
	BMP  Kind = "BMP"
	GIF  Kind = "GIF"
	PDF  Kind = "PDF"
	MP4  Kind = "MP4"
)

var magics = []struct {
	at   int
	text string
	kind Kind
}{
	{0, "\xFF\xD8\xFF", JPEG}, {0, "\xFF\x4F\xFF\x51", J2K}, {0, "\x00\x00\x00\x0CjP  \r\n\x87\n", J2K}, {0, "\x89PNG\r\n\x1A\n", PNG},
	{0, "II*\x00", TIFF}, {0, "MM\x00*", TIFF}, {0, "BM", BMP}, {0, "GIF87a", GIF}, {0, "GIF89a", GIF}, {0, "%PDF-", PDF}, {4, "ftyp", MP4},
}

// KindOf tells what a file is by its first bytes, of which 12 are enough; empty if it is none.
func KindOf(head []byte) Kind {
	for _, m := range magics {
		if len(head) >= m.at && bytes.HasPrefix(head[m.at:], []byte(m.text)) {
			return m.kind
		}
	}
	return ""
}

// Read makes an object of a file of size bytes, which must stay readable until it is written.
// Errors are FormatError and those of the decoders and of reading.
func Read(r io.ReaderAt, size int64, o Options) (*Object, error) {
	head := make([]byte, 12)
	n, err := r.ReadAt(head, 0)
	if err != nil && err != io.EOF {
		return nil, err
	}
	in := io.NewSectionReader(r, 0, size)
	switch kind := KindOf(head[:n]); kind {
	case JPEG:
		return readJPEG(in, o)
	case J2K:
		return readJ2K(in, o)
	case PNG, TIFF, BMP:
		return readPicture(in, kind, o)
	case GIF:
		return readGIF(in, o)
	case PDF:
		return readPDF(in), nil
	case MP4:
		return readMP4(in)
	}
	return nil, wrong("is no JPEG, JPEG-LS, JPEG 2000, PNG, TIFF, BMP, GIF, PDF or MP4 file: convert it to one first")
}

// Join makes one object of several, frame after frame. They must be alike.
func Join(parts []*Object, o Options) (*Object, error) {
	all := *parts[0]
	for i, p := range parts[1:] {
		a, b := all.Desc, p.Desc
		if a.Frames, b.Frames = 0, 0; a != b || all.Syntax != p.Syntax || a.Rows == 0 {
			return nil, wrong("picture %d differs from the first in size, depth, colour or coding: make objects of their own of them", i+2)
		}
		all.native = append(all.native[:len(all.native):len(all.native)], p.native...)
		all.coded, all.sizes = append(all.coded, p.coded...), append(all.sizes, p.sizes...)
		all.times = append(all.times, p.times...)
		all.Desc.Frames += p.Desc.Frames
		if int64(len(all.native)) > o.limit() {
			return nil, wrong("more than %d bytes of samples: join fewer pictures", o.limit())
		}
	}
	if o.Class == Photo {
		return nil, wrong("a VL Photographic object has one frame: choose another class")
	}
	all.Class = classOf(all.Desc, o.Class)
	return &all, nil
}

// classOf is the SOP class of a picture.
func classOf(d pixel.Desc, c Class) uid.UID {
	switch {
	case c == Photo:
		return uid.VLPhotographicImageStorage
	case c == Single && d.Frames == 1:
		return uid.SecondaryCaptureImageStorage
	case d.Samples == 3:
		return uid.MultiFrameTrueColorSecondaryCaptureImageStorage
	case d.BitsAllocated == 8:
		return uid.MultiFrameGrayscaleByteSecondaryCaptureImageStorage
	}
	return uid.MultiFrameGrayscaleWordSecondaryCaptureImageStorage
}

// Lossy reports whether the object's picture has lost information.
func (ob *Object) Lossy() bool { return ob.lossy != "" }

// bulk is a value that stays in its file, padded to an even length.
type bulk struct {
	r    *io.SectionReader
	size int64
}

func newBulk(r *io.SectionReader) dicom.Bulk { return bulk{r, r.Size() + r.Size()%2} }

func (b bulk) Size() int64 { return b.size }

func (b bulk) ReadAt(p []byte, off int64) (int, error) {
	if off >= b.size {
		return 0, io.EOF
	}
	n, err := b.r.ReadAt(p, off)
	if err == io.EOF && n < len(p) && off+int64(n) < b.size {
		p[n] = 0
		n++
	}
	if n == len(p) {
		err = nil
	}
	return n, err
}
