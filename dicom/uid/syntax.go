package uid

// Syntax is what a transfer syntax says of a data set and its pixel data (PS3.5 chapter
// 10 and annex A). The zero Syntax is Implicit VR Little Endian.
type Syntax struct {
	Explicit     bool // elements carry their VR (PS3.5 7.1.2)
	BigEndian    bool // numbers have the most significant byte first (PS3.5 7.3)
	Deflated     bool // the whole data set is a deflate stream (PS3.5 A.5)
	Encapsulated bool // Pixel Data is a sequence of fragments (PS3.5 A.4)
	Lossy        bool // permits compression that loses information
	Video        bool // all frames are one stream: MPEG-2, H.264, H.265 (PS3.5 8.2.5 to 8.2.8)
	Referenced   bool // pixel data is elsewhere, named by Pixel Data Provider URL (PS3.5 A.6)
	RealTime     bool // only for real-time communication, SMPTE ST 2110 (PS3.22): never stored
	Foreign      bool // not the element encoding of PS3.5 chapter 7: retired MIME and XML
}

var (
	explicitLE   = Syntax{Explicit: true}
	lossless     = Syntax{Explicit: true, Encapsulated: true}
	lossy        = Syntax{Explicit: true, Encapsulated: true, Lossy: true}
	video        = Syntax{Explicit: true, Encapsulated: true, Lossy: true, Video: true}
	referenced   = Syntax{Explicit: true, Lossy: true, Referenced: true}
	refDeflated  = Syntax{Explicit: true, Lossy: true, Referenced: true, Deflated: true}
	realTime     = Syntax{Explicit: true, RealTime: true}
	foreign      = Syntax{Foreign: true}
	deflated     = Syntax{Explicit: true, Deflated: true}
	explicitBE   = Syntax{Explicit: true, BigEndian: true}
	implicitBare = Syntax{}
)

// SyntaxInfo returns the facts of a transfer syntax; false when u is none of PS3.6
// annex A, as for a private one. It allocates nothing.
func (u UID) SyntaxInfo() (Syntax, bool) {
	switch u {
	case ImplicitVRLittleEndian, Papyrus3ImplicitVRLittleEndian:
		return implicitBare, true
	case ExplicitVRLittleEndian:
		return explicitLE, true
	case ExplicitVRBigEndian:
		return explicitBE, true
	case DeflatedExplicitVRLittleEndian:
		return deflated, true
	case JPIPReferenced, JPIPHTJ2KReferenced:
		return referenced, true
	case JPIPReferencedDeflate, JPIPHTJ2KReferencedDeflate:
		return refDeflated, true
	case RFC2557MIMEEncapsulation, XMLEncoding:
		return foreign, true
	case SMPTEST211020UncompressedProgressiveActiveVideo,
		SMPTEST211020UncompressedInterlacedActiveVideo, SMPTEST211030PCMDigitalAudio:
		return realTime, true
	}
	return u.encapsulated()
}

func (u UID) encapsulated() (Syntax, bool) {
	switch u {
	case EncapsulatedUncompressedExplicitVRLittleEndian, RLELossless, DeflatedImageFrameCompression,
		JPEGLossless, JPEGLosslessNonHierarchical15, JPEGLosslessHierarchical28,
		JPEGLosslessHierarchical29, JPEGLosslessSV1, JPEGLSLossless, JPEG2000Lossless,
		JPEG2000MCLossless, JPEGXLLossless, HTJ2KLossless, HTJ2KLosslessRPCL:
		return lossless, true
	case JPEGBaseline8Bit, JPEGExtended12Bit, JPEGExtended35,
		JPEGSpectralSelectionNonHierarchical68, JPEGSpectralSelectionNonHierarchical79,
		JPEGFullProgressionNonHierarchical1012, JPEGFullProgressionNonHierarchical1113,
		JPEGExtendedHierarchical1618, JPEGExtendedHierarchical1719,
		JPEGSpectralSelectionHierarchical2022, JPEGSpectralSelectionHierarchical2123,
		JPEGFullProgressionHierarchical2426, JPEGFullProgressionHierarchical2527,
		JPEGLSNearLossless, JPEG2000, JPEG2000MC, JPEGXL, JPEGXLJPEGRecompression, HTJ2K:
		return lossy, true
	case MPEG2MPML, MPEG2MPMLF, MPEG2MPHL, MPEG2MPHLF, MPEG4HP41, MPEG4HP41F, MPEG4HP41BD,
		MPEG4HP41BDF, MPEG4HP422D, MPEG4HP422DF, MPEG4HP423D, MPEG4HP423DF, MPEG4HP42STEREO,
		MPEG4HP42STEREOF, HEVCMP51, HEVCM10P51:
		return video, true
	}
	return Syntax{}, false
}
