package render

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"image"
	"image/jpeg"
	"image/png"
	"io"

	"gantry/dicom"
	"gantry/dicom/tag"
)

// maxProfile is the bytes of an ICC profile that are taken over; a JPEG could carry 16 MB.
const maxProfile = 8 << 20

// Profile returns the ICC profile that says what the colours of an image mean (PS3.3
// C.11.15), or that of its first optical path (C.8.12.5); nil if there is none. Error is a
// *dicom.ValueError for what is no profile.
func Profile(ds *dicom.DataSet) ([]byte, error) {
	if item, ok := ds.Item(tag.OpticalPathSequence, 0); ok && !ds.Has(tag.ICCProfile) {
		ds = item
	}
	e, ok := ds.Get(tag.ICCProfile)
	if !ok || e.Len() == 0 {
		return nil, nil
	}
	if e.Len() < 132 || e.Len() > maxProfile {
		return nil, &dicom.ValueError{Tag: e.Tag, Reason: fmt.Sprintf("%d bytes: a profile has 132 to %d", e.Len(), maxProfile)}
	}
	b := make([]byte, e.Len())
	if n, err := e.Reader().ReadAt(b, 0); n < len(b) {
		return nil, &dicom.ValueError{Tag: e.Tag, Reason: fmt.Sprintf("%d of %d bytes could be read: %v", n, len(b), err)}
	}
	n := binary.BigEndian.Uint32(b)
	if string(b[36:40]) != "acsp" || n < 132 || int64(n) > e.Len() {
		return nil, &dicom.ValueError{Tag: e.Tag, Reason: "no ICC profile: it does not begin as one"}
	}
	return b[:n], nil
}

// fits reports whether a profile is for pictures of the kind of m (ICC.1 7.2.6).
func fits(profile []byte, m image.Image) bool {
	if len(profile) < 132 {
		return false
	}
	if _, ok := m.(*image.RGBA); ok {
		return string(profile[16:20]) == "RGB "
	}
	return string(profile[16:20]) == "GRAY"
}

// EncodePNG writes a picture with an ICC profile in an iCCP chunk. A profile that is not for
// pictures of this kind is left out, as is nil.
func EncodePNG(w io.Writer, m image.Image, profile []byte) error {
	const afterHeader = 8 + 25 // signature and IHDR
	if !fits(profile, m) {
		return png.Encode(w, m)
	}
	data := bytes.NewBufferString("ICC profile\x00\x00")
	z := zlib.NewWriter(data)
	if _, err := z.Write(profile); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	chunk := binary.BigEndian.AppendUint32(nil, uint32(data.Len()))
	chunk = append(append(chunk, "iCCP"...), data.Bytes()...)
	chunk = binary.BigEndian.AppendUint32(chunk, crc32.ChecksumIEEE(chunk[4:]))
	return png.Encode(&splice{w: w, left: afterHeader, insert: chunk}, m)
}

// EncodeJPEG writes a picture in JPEG of a quality from 1 to 100 with an ICC profile in APP2
// markers (ICC.1 B.4). A profile that is not for pictures of this kind is left out, as is nil.
func EncodeJPEG(w io.Writer, m image.Image, quality int, profile []byte) error {
	const afterStart, most = 2, 65519 // most of a profile in one marker
	if fits(profile, m) {
		var markers []byte
		n := (len(profile) + most - 1) / most
		for i := range n {
			part := profile[i*most : min(len(profile), (i+1)*most)]
			markers = append(markers, 0xFF, 0xE2)
			markers = binary.BigEndian.AppendUint16(markers, uint16(2+14+len(part)))
			markers = append(markers, "ICC_PROFILE\x00"...)
			markers = append(append(markers, byte(i+1), byte(n)), part...)
		}
		w = &splice{w: w, left: afterStart, insert: markers}
	}
	return jpeg.Encode(w, m, &jpeg.Options{Quality: quality})
}

// splice is a writer that inserts something behind the first left bytes.
type splice struct {
	w      io.Writer
	left   int
	insert []byte
}

func (s *splice) Write(p []byte) (int, error) {
	if s.insert == nil || len(p) < s.left {
		s.left -= len(p)
		return s.w.Write(p)
	}
	n, err := s.w.Write(p[:s.left])
	if err != nil {
		return n, err
	}
	if _, err := s.w.Write(s.insert); err != nil {
		return n, err
	}
	s.insert = nil
	k, err := s.w.Write(p[n:])
	return n + k, err
}
