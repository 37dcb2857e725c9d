package pixel

import (
	"fmt"
	"maps"
	"slices"
	"sync"

	"gantry/dicom/tag"
	"gantry/dicom/uid"
)

// Decoder decodes the frames of a transfer syntax. It may be used from any number of
// goroutines.
type Decoder interface {
	// Decode appends d.FrameSize() bytes of samples in the layout of the package to dst.
	// What the stream says must fit d; nothing is allocated before that is known. Where
	// lim.Partial it may do so beside an error: then the rest is not known.
	Decode(dst, src []byte, d Desc, lim Limits) ([]byte, Decoded, error)
}

// Encoder encodes frames for a transfer syntax. It may be used from any number of
// goroutines.
type Encoder interface {
	// Accepts says why images of form d cannot be encoded, nil if they can. lossy is nil
	// where nothing may be lost.
	Accepts(d Desc, lossy *Lossy) error
	// Photometric is the photometric interpretation of what Encode makes of form d.
	Photometric(d Desc, lossy *Lossy) string
	// Encode appends the coded form of d.FrameSize() bytes of samples to dst, without
	// padding.
	Encode(dst, px []byte, d Desc, lossy *Lossy) ([]byte, error)
}

// Lossy asks for compression that loses information. Its zero value means the defaults.
type Lossy struct {
	Quality int // JPEG, JPEG 2000 and HTJ2K, 1 to 100; 0 is 90
	Near    int // JPEG-LS: how far a sample may be off, 1 to 255; 0 is 2
}

// Decoded says what became of a frame.
type Decoded struct {
	Photometric string // of the samples: colours of DCT and wavelet codecs have become RGB
	Lossy       bool   // the stream is of a process that loses information
	Stream      string // what the stream is by its own markers
	Method      string // value of Lossy Image Compression Method (PS3.3 C.7.6.1.1.5.1), if Lossy
	Flaw        string // how stream and data set disagree, empty if they do not
}

// Codec is what a Registry knows of a transfer syntax.
type Codec struct {
	Syntax  uid.UID
	Decoder Decoder // nil: Reason says why not
	Encoder Encoder // nil: not encoded
	Reason  string  // what to tell who wants pixels
}

// Registry holds codecs by transfer syntax. A Registry may be read from any number of
// goroutines; Set is for the time before that.
type Registry struct{ codecs map[uid.UID]Codec }

// Builtin returns a new Registry with every encapsulated transfer syntax of PS3.6. Native
// ones need no codec.
func Builtin() *Registry { return &Registry{maps.Clone(builtin().codecs)} }

var builtin = sync.OnceValue(func() *Registry {
	r := &Registry{map[uid.UID]Codec{}}
	for _, c := range codecs {
		r.Set(c)
	}
	return r
})

// Set adds a codec, or replaces the one of the same syntax.
func (r *Registry) Set(c Codec) { r.codecs[c.Syntax] = c }

// Lookup returns the codec of a transfer syntax.
func (r *Registry) Lookup(syntax uid.UID) (Codec, bool) {
	c, ok := r.codecs[syntax]
	return c, ok
}

// Syntaxes lists the transfer syntaxes of r in order of their UIDs.
func (r *Registry) Syntaxes() []uid.UID {
	return slices.Sorted(maps.Keys(r.codecs))
}

// codecs has the encapsulated transfer syntaxes (PS3.5 A.4).
var codecs = []Codec{
	{Syntax: uid.EncapsulatedUncompressedExplicitVRLittleEndian, Decoder: rawCodec{}, Encoder: rawCodec{}},
	{Syntax: uid.DeflatedImageFrameCompression, Decoder: deflateCodec{}, Encoder: deflateCodec{}},
	{Syntax: uid.RLELossless, Decoder: rleCodec{}, Encoder: rleCodec{}},
	{Syntax: uid.JPEGBaseline8Bit, Decoder: dctDecoder{}, Encoder: dctEncoder{}},
	{Syntax: uid.JPEGExtended12Bit, Decoder: dctDecoder{}, Encoder: dctEncoder{extended: true}},
	{Syntax: uid.JPEGSpectralSelectionNonHierarchical68, Decoder: dctDecoder{}},
	{Syntax: uid.JPEGFullProgressionNonHierarchical1012, Decoder: dctDecoder{}},
	{Syntax: uid.JPEGLossless, Decoder: losslessDecoder{}, Encoder: losslessEncoder{predictor: 6}},
	{Syntax: uid.JPEGLosslessSV1, Decoder: losslessDecoder{}, Encoder: losslessEncoder{predictor: 1}},
	{Syntax: uid.JPEGLSLossless, Decoder: jlsDecoder{}, Encoder: jlsEncoder{}},
	{Syntax: uid.JPEGLSNearLossless, Decoder: jlsDecoder{}, Encoder: jlsEncoder{near: true}},
	{Syntax: uid.JPEG2000Lossless, Decoder: j2kDecoder{}, Encoder: j2kEncoder{lossless: true}},
	{Syntax: uid.JPEG2000, Decoder: j2kDecoder{}, Encoder: j2kEncoder{}},
	{Syntax: uid.JPEG2000MCLossless, Decoder: j2kDecoder{}},
	{Syntax: uid.JPEG2000MC, Decoder: j2kDecoder{}},
	{Syntax: uid.HTJ2KLossless, Decoder: j2kDecoder{}, Encoder: j2kEncoder{lossless: true, ht: true}},
	{Syntax: uid.HTJ2KLosslessRPCL, Decoder: j2kDecoder{}, Encoder: j2kEncoder{lossless: true, ht: true, byResolution: true}},
	{Syntax: uid.HTJ2K, Decoder: j2kDecoder{}, Encoder: j2kEncoder{ht: true}},
	{Syntax: uid.JPEGXLLossless, Decoder: jxlDecoder{}},
	{Syntax: uid.JPEGXLJPEGRecompression, Decoder: jxlDecoder{}},
	{Syntax: uid.JPEGXL, Decoder: jxlDecoder{}},
	{Syntax: uid.JPEGExtended35, Reason: retired},
	{Syntax: uid.JPEGSpectralSelectionNonHierarchical79, Reason: retired},
	{Syntax: uid.JPEGFullProgressionNonHierarchical1113, Reason: retired},
	{Syntax: uid.JPEGLosslessNonHierarchical15, Reason: retired},
	{Syntax: uid.JPEGExtendedHierarchical1618, Reason: retired},
	{Syntax: uid.JPEGExtendedHierarchical1719, Reason: retired},
	{Syntax: uid.JPEGSpectralSelectionHierarchical2022, Reason: retired},
	{Syntax: uid.JPEGSpectralSelectionHierarchical2123, Reason: retired},
	{Syntax: uid.JPEGFullProgressionHierarchical2426, Reason: retired},
	{Syntax: uid.JPEGFullProgressionHierarchical2527, Reason: retired},
	{Syntax: uid.JPEGLosslessHierarchical28, Reason: retired},
	{Syntax: uid.JPEGLosslessHierarchical29, Reason: retired},
}

const retired = "a retired process that nothing here decodes: keep the object as it is"

// byStream are the codecs that a stream may turn out to be for, whatever the transfer
// syntax says.
var byStream = map[stream]uid.UID{
	dctStream: uid.JPEGExtended12Bit, losslessStream: uid.JPEGLossless, jlsStream: uid.JPEGLSNearLossless, j2kStream: uid.JPEG2000,
	htStream: uid.HTJ2K, jxlStream: uid.JPEGXL, hierarchicalStream: uid.JPEGExtendedHierarchical1618, arithmeticStream: uid.JPEGLosslessNonHierarchical15,
}

// streamOf is what the streams of a syntax should be.
func streamOf(u uid.UID) stream {
	switch u {
	case uid.JPEGBaseline8Bit, uid.JPEGExtended12Bit, uid.JPEGSpectralSelectionNonHierarchical68, uid.JPEGFullProgressionNonHierarchical1012:
		return dctStream
	case uid.JPEGLossless, uid.JPEGLosslessSV1:
		return losslessStream
	case uid.JPEGLSLossless, uid.JPEGLSNearLossless:
		return jlsStream
	case uid.JPEG2000Lossless, uid.JPEG2000, uid.JPEG2000MCLossless, uid.JPEG2000MC:
		return j2kStream
	case uid.HTJ2KLossless, uid.HTJ2KLosslessRPCL, uid.HTJ2K:
		return htStream
	case uid.JPEGXL, uid.JPEGXLLossless, uid.JPEGXLJPEGRecompression:
		return jxlStream
	}
	return unknown
}

// Decode appends the samples of a coded frame to dst, d.FrameSize() bytes. d and syntax
// are what the data set says; of the process, the stream's own markers are believed
// first. Errors are *UnsupportedError and those of the codecs.
func (r *Registry) Decode(dst, src []byte, d Desc, syntax uid.UID, lim Limits) ([]byte, Decoded, error) {
	c, ok := r.codecs[syntax]
	kind, flaw := identify(src), ""
	if u, found := byStream[kind]; found && markedSyntax(syntax) && kind != streamOf(syntax) {
		flaw = fmt.Sprintf("the stream is %v, the transfer syntax says %s", kind, syntax.Name())
		c, ok = r.codecs[u]
	}
	if !ok {
		return dst, Decoded{}, &UnsupportedError{syntax, "not a transfer syntax of encapsulated pixel data that is known here"}
	}
	if c.Decoder == nil {
		return dst, Decoded{}, &UnsupportedError{syntax, c.Reason}
	}
	at := len(dst)
	dst, out, err := c.Decoder.Decode(dst, src, d, lim)
	switch {
	case err == nil:
	case lim.Partial && int64(len(dst)-at) == d.FrameSize():
		flaw, err = fmt.Sprintf("a part of the frame is missing: %v", err), nil
	default:
		dst = dst[:at]
	}
	if kind != unknown {
		out.Stream = kind.String()
	}
	if flaw != "" {
		out.Flaw = flaw
	}
	return dst, out, err
}

// Encoder returns the encoder of a transfer syntax for images of form d, or an
// *UnsupportedError that says why there is none.
func (r *Registry) Encoder(syntax uid.UID, d Desc, lossy *Lossy) (Encoder, error) {
	c, ok := r.codecs[syntax]
	switch {
	case !ok:
		return nil, &UnsupportedError{syntax, "not a transfer syntax of encapsulated pixel data that is known here"}
	case c.Encoder == nil:
		return nil, &UnsupportedError{syntax, "frames of this syntax cannot be encoded: choose JPEG-LS, JPEG Lossless or RLE"}
	case d.Float:
		return nil, &UnsupportedError{syntax, "float pixel data cannot be compressed (PS3.3 C.7.6.24): choose Explicit VR Little Endian or its deflated form"}
	}
	if err := c.Encoder.Accepts(d, lossy); err != nil {
		return nil, &UnsupportedError{syntax, err.Error()}
	}
	return c.Encoder, nil
}

// Decode appends the samples of frame i, counted from 0, whose stored form Frame returned,
// to dst: Desc().FrameSize() bytes
// in the layout of the package. An error is a *FrameError.
func (s *Source) Decode(i int, frame, dst []byte) ([]byte, Decoded, error) {
	at := len(dst)
	var out Decoded
	var err error
	if s.Encapsulated() {
		dst, out, err = s.reg.Decode(dst, frame, s.desc, s.syntax, s.lim)
	} else {
		dst, out, err = s.unpack(dst, frame)
	}
	if out.Flaw != "" {
		s.flaw(Flaw{tag.PixelData, i, out.Flaw})
	}
	if err == nil && int64(len(dst)-at) != s.desc.FrameSize() {
		err = FormatError(fmt.Sprintf("%d bytes decoded, a frame has %d", len(dst)-at, s.desc.FrameSize()))
	}
	if err != nil {
		return dst[:at], out, &FrameError{i, err}
	}
	return dst, out, nil
}
