package pixel

import (
	"fmt"

	"gantry/dicom"
	"gantry/dicom/tag"
)

// measure finds the size of a native frame as it is stored, and whether all are there.
func (s *Source) measure() error {
	d := s.desc
	s.bits = d.FrameBits()
	have := 8 * s.elem.Len()
	if short := s.bits / 3 * 2; d.subsampled() && d.Samples == 3 {
		if have-16 < s.bits*int64(d.Frames)-8 { // two samples a pixel, on average
			if d.Photometric == YBRPartial422 {
				return &UnsupportedError{s.syntax, d.Photometric + " is retired: keep the object as it is"}
			}
			if d.Columns%2 == 1 {
				return &UnsupportedError{s.syntax, fmt.Sprintf("%s with %d columns, an odd number", d.Photometric, d.Columns)}
			}
			s.bits = short
		} else {
			s.addFlaw(Flaw{tag.PhotometricInterpretation, -1, d.Photometric + ", but each pixel has its own colour"})
		}
	}
	need := s.bits * int64(d.Frames) // below 2^36 times 2^31 bits
	wrong := ""
	switch {
	case s.bits > 1<<62/int64(d.Frames) || have < need:
		wrong = fmt.Sprintf("%d bytes, too short for %d frames of %d bits", s.elem.Len(), d.Frames, s.bits)
	case have >= need+16:
		wrong = fmt.Sprintf("%d bytes, %d frames take %d", s.elem.Len(), d.Frames, (need+7)/8)
	}
	if info, _ := s.syntax.SyntaxInfo(); info.Encapsulated {
		if wrong != "" {
			return &dicom.ValueError{Tag: s.elem.Tag, Reason: "not encapsulated, though the transfer syntax is " + s.syntax.Name() + ", nor native: " + wrong}
		}
		wrong = "native, though the transfer syntax is " + s.syntax.Name()
	}
	if wrong != "" {
		s.addFlaw(Flaw{s.elem.Tag, -1, wrong})
	}
	return nil
}

// half reports whether native frames have two samples a pixel instead of three.
func (s *Source) half() bool { return s.bits != 0 && s.bits < s.desc.FrameBits() }

// native appends a native frame: frames follow each other without padding, so that one of
// single bits may begin inside of a byte (PS3.5 8.1.1).
func (s *Source) native(i int, dst []byte) ([]byte, error) {
	first := int64(i) * s.bits
	from, to := first/8, (first+s.bits+7)/8
	word := int64(1)
	if s.elem.BigEndian() {
		word = int64(max(s.elem.VR.Width(), 1))
	}
	at := len(dst)
	start, end := from-from%word, min(to+(word-to%word)%word, max(s.elem.Len(), to))
	dst, err := readElement(s.elem, start, end-start, dst)
	if err != nil {
		return dst, err
	}
	got := dst[at:]
	if word > 1 { // bytes stand in words of the other order
		swapWords(got, int(word))
	}
	if skip := int(from - start); skip > 0 {
		got = got[:copy(got, got[skip:])]
	}
	got = got[:to-from]
	if shift := uint(first % 8); shift > 0 {
		got = shiftBits(got, shift)
	}
	n := (s.bits + 7) / 8
	got = got[:n]
	if rest := s.bits % 8; rest > 0 {
		got[n-1] &= 1<<rest - 1
	}
	return dst[:at+int(n)], nil
}

// shiftBits moves bits to the front of a run of bytes, the lowest being first.
func shiftBits(b []byte, by uint) []byte {
	for k := range b {
		next := byte(0)
		if k+1 < len(b) {
			next = b[k+1]
		}
		b[k] = b[k]>>by | next<<(8-by)
	}
	return b
}

// swapWords turns the bytes of each whole word around.
func swapWords(b []byte, width int) {
	for ; len(b) >= width; b = b[width:] {
		for i, j := 0, width-1; i < j; i, j = i+1, j-1 {
			b[i], b[j] = b[j], b[i]
		}
	}
}
