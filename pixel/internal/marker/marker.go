// Package marker finds the marker segments of JPEG and JPEG-LS streams (ITU-T T.81 B.1.1,
// T.87 C.1.1). It keeps nothing and may be called from any number of goroutines.
package marker

import "fmt"

// Codes of markers (T.81 Table B.1, T.87 Table C.1), without their byte FF.
const (
	SOF0  = 0xc0
	SOF3  = 0xc3
	DHT   = 0xc4
	SOF15 = 0xcf
	RST0  = 0xd0
	RST7  = 0xd7
	SOI   = 0xd8
	EOI   = 0xd9
	SOS   = 0xda
	DQT   = 0xdb
	DNL   = 0xdc
	DRI   = 0xdd
	APP0  = 0xe0
	SOF55 = 0xf7
	LSE   = 0xf8
	TEM   = 0x01
)

// IsSOF reports whether a code begins a frame (T.81 Table B.1, T.87 C.2.2).
func IsSOF(code byte) bool {
	return code >= SOF0 && code <= SOF15 && code != DHT && code != 0xc8 && code != 0xcc || code == SOF55
}

// Segment is a marker with its parameters; Next is the position behind them.
type Segment struct {
	Code byte
	Body []byte // without the length; nil for markers that stand alone
	Next int
}

// Read reads the marker at pos, which fill bytes FF may precede.
func Read(src []byte, pos int) (Segment, error) {
	if pos+1 >= len(src) {
		return Segment{}, fmt.Errorf("ends at %d, where a marker is due", len(src))
	}
	if src[pos] != 0xff {
		return Segment{}, fmt.Errorf("byte %02x at %d, where a marker is due", src[pos], pos)
	}
	for pos+1 < len(src) && src[pos+1] == 0xff {
		pos++
	}
	if pos+1 >= len(src) {
		return Segment{}, fmt.Errorf("ends at %d, where a marker is due", len(src))
	}
	code := src[pos+1]
	if alone(code) {
		return Segment{Code: code, Next: pos + 2}, nil
	}
	if pos+4 > len(src) {
		return Segment{}, fmt.Errorf("ends in the segment of marker %02x", code)
	}
	n := int(src[pos+2])<<8 | int(src[pos+3])
	if n < 2 || pos+2+n > len(src) {
		return Segment{}, fmt.Errorf("marker %02x at %d has %d bytes of parameters", code, pos, n)
	}
	return Segment{Code: code, Body: src[pos+4 : pos+2+n], Next: pos + 2 + n}, nil
}

func alone(code byte) bool {
	return code >= RST0 && code <= EOI || code == TEM
}

// Find returns the position of the next marker at pos or behind it. Two bytes are none
// whose second is below lowest: 1 for JPEG, where a zero is stuffed, and 80 (hexadecimal)
// for JPEG-LS, where a zero bit is. It is the length where there is none.
func Find(src []byte, pos int, lowest byte) int {
	for ; pos+1 < len(src); pos++ {
		if src[pos] == 0xff && src[pos+1] >= lowest && src[pos+1] != 0xff {
			return pos
		}
	}
	return len(src)
}

// Append appends a marker segment. A body is of less than 65,534 bytes.
func Append(dst []byte, code byte, body ...byte) []byte {
	n := len(body) + 2
	return append(append(dst, 0xff, code, byte(n>>8), byte(n)), body...)
}
