package jxl

import (
	"bytes"
	"io"

	"github.com/andybalholm/brotli"
)

// jpegFile is what the box jbrd says of a JPEG file, beside its coefficients (18181-2 annex A).
type jpegFile struct {
	markers  []byte // low bytes, in order; intermarker stands for bytes between markers
	apps     []jpegMarker
	comments []jpegMarker
	between  []jpegMarker
	tail     []jpegMarker // one: what follows the last marker
	quant    []jpegQuant
	comps    []jpegComponent
	huffman  []jpegHuffman
	scans    []jpegScan
	restart  int
	pads     []byte // bits before byte boundaries, where they are not all ones
	padded   bool
}

// jpegMarker is a segment from its marker's low byte on, or other bytes.
type jpegMarker struct {
	kind   uint32 // where its bytes are
	length int
	bytes  []byte
}

// Kinds of segments.
const (
	plainSegment = iota // in the box itself
	iccSegment
	exifSegment
	xmpSegment
)

type jpegQuant struct {
	wide, last bool
	index      byte
	values     [64]uint16
}

type jpegComponent struct {
	id    byte
	quant int
	h, v  int // sampling factors
	w     int // in blocks
	coef  []int16
}

type jpegHuffman struct {
	slot   byte // 10 hex and more: for AC
	last   bool
	counts [17]int
	values []uint16
	code   [256]uint16
	size   [256]uint8
}

type jpegScan struct {
	comps          []jpegScanComponent
	ss, se, al, ah int
	resets         []int // blocks before which a run of ends of bands ends
	zeroRuns       []zeroRun
}

type jpegScanComponent struct{ comp, ac, dc int }

// zeroRun are runs of 16 zeros that a block need not have had.
type zeroRun struct{ block, count int }

const (
	intermarker = 0xFF
	maxMarkers  = 1 << 14
	maxScans    = 128
	maxSegments = 1 << 26 // bytes of all segments
)

// readJPEG reads the box.
func readJPEG(b *boxes) (*jpegFile, error) {
	r := newBitReader(b.jbrd)
	j := &jpegFile{}
	if err := j.readMarkers(r); err != nil {
		return nil, err
	}
	if err := j.readComponents(r); err != nil {
		return nil, err
	}
	if err := j.readHuffman(r); err != nil {
		return nil, err
	}
	if err := j.readScans(r); err != nil {
		return nil, err
	}
	if err := j.readRest(r); err != nil {
		return nil, err
	}
	r.align()
	if err := r.err(); err != nil {
		return nil, err
	}
	if err := j.fill(brotli.NewReader(bytes.NewReader(r.rest()))); err != nil {
		return nil, err
	}
	return j, j.borrow(b)
}

func (j *jpegFile) readMarkers(r *bitReader) error {
	grey := r.flag()
	j.comps = make([]jpegComponent, 3)
	if grey {
		j.comps = j.comps[:1]
	}
	for m := byte(0); m != 0xD9; {
		m = 0xC0 + byte(r.u(6))
		if j.markers = append(j.markers, m); len(j.markers) > maxMarkers || r.short() {
			return FormatError("a JPEG file of too many markers")
		}
		switch {
		case m&0xF0 == 0xE0:
			j.apps = append(j.apps, jpegMarker{})
		case m == 0xFE:
			j.comments = append(j.comments, jpegMarker{})
		case m == 0xDA:
			j.scans = append(j.scans, jpegScan{})
		case m == intermarker:
			j.between = append(j.between, jpegMarker{})
		}
	}
	if len(j.scans) > maxScans {
		return FormatError("a JPEG file of too many scans")
	}
	for i := range j.apps {
		j.apps[i].kind = r.u32(val(plainSegment), val(iccSegment), offset(exifSegment, 1), offset(4, 2))
		j.apps[i].length = 1 + int(r.u(16))
		if k := j.apps[i].kind; k != plainSegment && k != exifSegment && k != xmpSegment {
			return UnsupportedError("a JPEG file with an ICC profile")
		}
	}
	for i := range j.comments {
		j.comments[i].length = 1 + int(r.u(16))
	}
	return r.err()
}

func (j *jpegFile) readComponents(r *bitReader) error {
	j.quant = make([]jpegQuant, r.u32(val(1), val(2), val(3), val(4)))
	for i := range j.quant {
		q := &j.quant[i]
		q.wide = r.flag()
		q.index = byte(r.u(2))
		q.last = r.flag()
	}
	ids := [4]string{"\x01", "\x01\x02\x03", "RGB", ""}[r.u(2)]
	if ids == "" {
		n := r.u32(val(1), val(2), val(3), val(4))
		for range n {
			ids += string([]byte{byte(r.u(8))})
		}
	}
	if len(ids) != len(j.comps) {
		return FormatError("a JPEG file of other components")
	}
	for i := range j.comps {
		c := &j.comps[i]
		c.id, c.quant = ids[i], int(r.u(2))
		if c.quant >= len(j.quant) {
			return FormatError("a JPEG file without a table of a component")
		}
	}
	return r.err()
}

func (j *jpegFile) readHuffman(r *bitReader) error {
	j.huffman = make([]jpegHuffman, r.u32(val(4), offset(2, 3), offset(10, 4), offset(26, 6)))
	for i := range j.huffman {
		h := &j.huffman[i]
		if r.flag() {
			h.slot = 0x10
		}
		h.slot |= byte(r.u(2))
		h.last = r.flag()
		n := 0
		for l := range h.counts {
			h.counts[l] = int(r.u32(val(0), val(1), offset(2, 3), raw(8)))
			n += h.counts[l]
		}
		if n < 1 || n > 257 || h.counts[0] > 0 {
			return FormatError("a JPEG file with a table of too many codes")
		}
		for range n {
			h.values = append(h.values, uint16(r.u32(raw(2), offset(4, 2), offset(8, 4), offset(1, 8))))
		}
		if h.values[n-1] != 256 {
			return FormatError("a JPEG file with a table that has no end")
		}
		if err := h.build(); err != nil {
			return err
		}
	}
	return r.err()
}

// build makes the codes (T.81 annex C). The last value is the code of all ones, which is not
// used.
func (h *jpegHuffman) build() error {
	code, at := 0, 0
	for l := 1; l <= 16; l++ {
		for range h.counts[l] {
			v := h.values[at]
			if at++; at == len(h.values) {
				break
			}
			if v > 255 || code >= 1<<l {
				return FormatError("a JPEG file with a table of codes that are none")
			}
			h.code[v], h.size[v] = uint16(code), uint8(l)
			code++
		}
		code <<= 1
	}
	return nil
}

func (j *jpegFile) readScans(r *bitReader) error {
	for i := range j.scans {
		s := &j.scans[i]
		s.comps = make([]jpegScanComponent, r.u32(val(1), val(2), val(3), val(4)))
		s.ss, s.se, s.al, s.ah = int(r.u(6)), int(r.u(6)), int(r.u(4)), int(r.u(4))
		for k := range s.comps {
			s.comps[k] = jpegScanComponent{int(r.u(2)), int(r.u(2)), int(r.u(2))}
			if s.comps[k].comp >= len(j.comps) {
				return FormatError("a JPEG file with a scan of a component that is not there")
			}
		}
		r.u32(val(0), val(1), val(2), offset(3, 3)) // pass that has all of it
	}
	if bytes.IndexByte(j.markers, 0xDD) >= 0 {
		j.restart = int(r.u(16))
	}
	for i := range j.scans {
		if err := j.scans[i].readSpots(r); err != nil {
			return err
		}
	}
	return r.err()
}

// readSpots reads where a scan was coded in a way of its own.
func (s *jpegScan) readSpots(r *bitReader) error {
	next := 0
	block := func() int {
		at := next + int(r.u32(val(0), offset(1, 3), offset(9, 5), offset(41, 28)))
		next = at + 1
		return at
	}
	count := func() uint32 { return r.u32(val(0), offset(1, 2), offset(4, 4), offset(20, 16)) }
	for n := count(); n > 0 && !r.short(); n-- {
		s.resets = append(s.resets, block())
	}
	next = 0
	for n := count(); n > 0 && !r.short(); n-- {
		z := zeroRun{count: int(r.u32(val(1), offset(2, 2), offset(5, 4), offset(20, 8)))}
		z.block = block()
		s.zeroRuns = append(s.zeroRuns, z)
	}
	return r.err()
}

func (j *jpegFile) readRest(r *bitReader) error {
	for i := range j.between {
		j.between[i].length = int(r.u(16))
	}
	j.tail = []jpegMarker{{length: int(r.u32(val(0), offset(1, 8), offset(257, 16), offset(65793, 22)))}}
	if j.padded = r.flag(); j.padded {
		n := int(r.u(24))
		if n > 8*len(r.buf) {
			return errShort
		}
		j.pads = make([]byte, n)
		for i := range j.pads {
			j.pads[i] = byte(r.u(1))
		}
	}
	return r.err()
}

// fill reads the bytes of segments, which are compressed together.
func (j *jpegFile) fill(r io.Reader) error {
	total := 0
	for _, list := range [][]jpegMarker{j.apps, j.comments, j.between, j.tail} {
		for i := range list {
			m := &list[i]
			if m.kind != plainSegment {
				continue
			}
			if total += m.length; total > maxSegments {
				return FormatError("a JPEG file of too large segments")
			}
			m.bytes = make([]byte, m.length)
			if _, err := io.ReadFull(r, m.bytes); err != nil {
				return FormatError("the segments of a JPEG file are damaged")
			}
		}
	}
	return nil
}

// borrow makes the segments whose contents are in boxes of their own.
func (j *jpegFile) borrow(b *boxes) error {
	for i := range j.apps {
		m := &j.apps[i]
		var head, body []byte
		var err error
		switch m.kind {
		case plainSegment:
			continue
		case exifSegment: // the box begins with where the header of TIFF is
			head = []byte("\xE1\x00\x00Exif\x00\x00")
			if body, err = b.content("Exif"); len(body) >= 4 {
				body = body[4:]
			}
		default:
			head = []byte("\xE1\x00\x00http://ns.adobe.com/xap/1.0/\x00")
			body, err = b.content("xml ")
		}
		if err != nil {
			return err
		}
		if len(head)+len(body) != m.length {
			return FormatError("a segment of a JPEG file is not in its box")
		}
		m.bytes = append(head, body...)
		m.bytes[1], m.bytes[2] = byte((m.length-1)>>8), byte(m.length-1)
	}
	return nil
}

// maxSegment is how long a segment of a JPEG file can be.
const maxSegment = 1 << 16

// content returns what a box holds, which may be compressed.
func (b *boxes) content(kind string) ([]byte, error) {
	if body, ok := b.other[kind]; ok {
		return body, nil
	}
	out, err := io.ReadAll(io.LimitReader(brotli.NewReader(bytes.NewReader(b.other["brob"+kind])), maxSegment+1))
	if err != nil {
		return nil, FormatError("a compressed box is damaged, or not there")
	}
	return out, nil
}
