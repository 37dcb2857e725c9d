package pixel

import "bytes"

// stream is what a coded frame turns out to be by its own markers.
type stream uint8

const (
	unknown    stream = iota
	jpegStream        // of a process that the first bytes do not tell
	dctStream
	losslessStream
	jlsStream
	j2kStream
	htStream
	jxlStream
	hierarchicalStream
	arithmeticStream
)

var streamNames = [...]string{"nothing known", "JPEG", "JPEG with DCT", "lossless JPEG", "JPEG-LS", "JPEG 2000",
	"High-Throughput JPEG 2000", "JPEG XL", "hierarchical JPEG", "JPEG with arithmetic coding"}

func (s stream) String() string { return streamNames[s] }

var magics = []struct {
	begin []byte
	kind  stream
}{
	{[]byte{0xFF, 0xD8, 0xFF}, jpegStream},      // SOI, and the next marker (T.81 B.2.1, T.87 C.1)
	{[]byte{0xFF, 0x4F, 0xFF, 0x51}, j2kStream}, // SOC and SIZ (T.800 A.4)
	{[]byte{0, 0, 0, 12, 'j', 'P', ' ', ' ', 13, 10, 0x87, 10}, j2kStream},
	{[]byte{0xFF, 0x0A}, jxlStream}, // ISO/IEC 18181-1
	{[]byte{0, 0, 0, 12, 'J', 'X', 'L', ' ', 13, 10, 0x87, 10}, jxlStream},
}

// sniff looks at the first bytes of a stream.
func sniff(b []byte) stream {
	for _, m := range magics {
		if bytes.HasPrefix(b, m.begin) {
			return m.kind
		}
	}
	return unknown
}

// identify looks as far into a stream as its process needs.
func identify(b []byte) stream {
	switch kind := sniff(b); kind {
	case jpegStream:
		return process(b)
	case j2kStream:
		// Bit 14 of Rsiz says that Part 15 is used (T.814 A.2).
		if len(b) > 6 && b[0] == 0xFF && b[6]&0x40 != 0 {
			return htStream
		}
		return kind
	default:
		return kind
	}
}

// process finds the frame header of a JPEG stream, which names the process by its marker
// (T.81 Table B.1, T.87 C.1.1).
func process(b []byte) stream {
	for b = b[2:]; len(b) >= 4; {
		if b[0] != 0xFF {
			return jpegStream
		}
		code := b[1]
		switch {
		case code == 0xFF: // fill byte (T.81 B.1.1.2)
			b = b[1:]
			continue
		case code == 0xF7:
			return jlsStream
		case code == 0xC3:
			return losslessStream
		case code >= 0xC0 && code <= 0xC2:
			return dctStream
		case code == 0xDE || code >= 0xC5 && code <= 0xC7:
			return hierarchicalStream
		case code >= 0xC9 && code <= 0xCF && code != 0xCC:
			return arithmeticStream
		case code == 0xDA:
			return jpegStream
		}
		n := 2 + int(b[2])<<8 + int(b[3])
		if n > len(b) {
			return jpegStream
		}
		b = b[n:]
	}
	return jpegStream
}
