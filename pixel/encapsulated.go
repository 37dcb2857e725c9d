package pixel

import (
	"context"
	"encoding/binary"
	"fmt"

	"gantry/dicom"
	"gantry/dicom/tag"
	"gantry/dicom/uid"
)

// frameTable says which fragments make which frame (PS3.5 A.4).
type frameTable struct {
	first   []int32 // the first fragment of each frame, from 1; nil: each frame is one fragment, or the only one is all
	last    int     // the number of fragments
	lengths []byte  // Extended Offset Table Lengths, if that was trusted
	said    bool    // a table in the object said so: check what it leads to
}

// fragments returns the fragments of frame i: from, up to but without to.
func (t *frameTable) fragments(i, frames int) (from, to int, err error) {
	switch {
	case t.first == nil && frames == 1:
		return 1, t.last + 1, nil
	case t.first == nil && i < t.last:
		return i + 1, i + 2, nil
	case t.first != nil && i+1 < len(t.first):
		return int(t.first[i]), int(t.first[i+1]), nil
	case t.first != nil && i < len(t.first):
		return int(t.first[i]), t.last + 1, nil
	}
	return 0, 0, FormatError("not in the pixel data, which has fewer frames than Number of Frames says")
}

// coded appends an encapsulated frame.
func (s *Source) coded(ctx context.Context, i int, dst []byte) ([]byte, error) {
	t, err := s.frameTable(ctx)
	if err != nil {
		return dst, err
	}
	at := len(dst)
	dst, err = s.join(t, i, dst)
	if !t.said || !s.marked() || err == nil && s.startsFrame(dst[at:]) {
		return dst, err
	}
	// A table led here, but this is not where a frame begins: if any fragment begins like
	// one, the table lies.
	if t, err = s.distrust(ctx, t); err != nil {
		return dst[:at], err
	}
	return s.join(t, i, dst[:at])
}

// join appends the fragments of a frame.
func (s *Source) join(t *frameTable, i int, dst []byte) ([]byte, error) {
	from, to, err := t.fragments(i, s.desc.Frames)
	if err != nil {
		return dst, err
	}
	total := int64(0)
	for k := from; k < to; k++ {
		total += s.elem.Fragment(k).Len()
	}
	if t.lengths != nil {
		total = min(total, int64(binary.LittleEndian.Uint64(t.lengths[8*i:])))
	}
	if total > s.lim.maxFrame() {
		return dst, fmt.Errorf("%d bytes, Limits.MaxFrame allows %d", total, s.lim.maxFrame())
	}
	at := len(dst)
	for k := from; k < to && err == nil; k++ {
		f := s.elem.Fragment(k)
		dst, err = readElement(f, 0, min(f.Len(), total-int64(len(dst)-at)), dst)
	}
	return dst, err
}

// frameTable returns the table, building it the first time.
func (s *Source) frameTable(ctx context.Context) (*frameTable, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.table != nil {
		return s.table, nil
	}
	t, err := s.tableSaid(), error(nil)
	if t == nil {
		t, err = s.scan(ctx)
	}
	if err == nil {
		s.table = t
	}
	return t, err
}

// distrust replaces a table that came with the object by one from a scan, unless the scan
// finds nothing either.
func (s *Source) distrust(ctx context.Context, old *frameTable) (*frameTable, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.table != old {
		return s.table, nil
	}
	found, err := s.starts(ctx)
	if err != nil {
		return nil, err
	}
	t := *old
	t.said = false
	if len(found) > 0 {
		s.addFlaw(Flaw{tag.PixelData, -1, "the offset table does not lead to where frames begin"})
		t = frameTable{first: found, last: old.last}
	}
	s.table = &t
	return &t, nil
}

// tableSaid returns what the object itself says of where frames begin, nil if it says
// nothing that can be so.
func (s *Source) tableSaid() *frameTable {
	t := &frameTable{last: s.elem.FragmentCount() - 1}
	if s.desc.Frames == 1 {
		return t
	}
	if offsets, lengths := s.extended(); offsets != nil {
		if t.first = s.match(offsets, 8); t.first != nil {
			t.lengths, t.said = lengths, true
			return t
		}
		s.addFlaw(Flaw{tag.ExtendedOffsetTable, -1, "does not fit the fragments"})
	}
	if bot := s.elem.Fragment(0); bot.Len() > 0 {
		b, err := readElement(bot, 0, bot.Len(), nil)
		if err == nil && len(b) == 4*s.desc.Frames {
			t.first = s.match(b, 4)
		}
		if t.first != nil {
			t.said = true
			return t
		}
		s.addFlaw(Flaw{tag.PixelData, -1, fmt.Sprintf("the basic offset table of %d bytes does not fit %d frames in %d fragments", bot.Len(), s.desc.Frames, t.last)})
	}
	if t.last == s.desc.Frames {
		return t
	}
	return nil
}

// extended returns the Extended Offset Table (PS3.3 C.7.6.3.1.8) and its lengths, if
// they have the right size.
func (s *Source) extended() (offsets, lengths []byte) {
	o, l := s.tables[0], s.tables[1]
	if o.Len() == 0 {
		return nil, nil
	}
	if want := 8 * int64(s.desc.Frames); o.Len() != want || l.Len() != want {
		s.addFlaw(Flaw{tag.ExtendedOffsetTable, -1, fmt.Sprintf("%d and %d bytes, %d frames take %d", o.Len(), l.Len(), s.desc.Frames, want)})
		return nil, nil
	}
	offsets, err := readElement(o, 0, o.Len(), nil)
	if err != nil {
		return nil, nil
	}
	if lengths, err = readElement(l, 0, l.Len(), nil); err != nil {
		return nil, nil
	}
	return offsets, lengths
}

// match turns offsets, little endian and of the given width, into numbers of fragments.
// It is nil unless each is where a fragment's item begins, the first one at the first.
func (s *Source) match(offsets []byte, width int) []int32 {
	n := len(offsets) / width
	out := make([]int32, 0, n)
	at, last := int64(0), s.elem.FragmentCount()-1
	for k := 1; k <= last && len(out) < n; k++ {
		b := offsets[len(out)*width:]
		want := uint64(binary.LittleEndian.Uint32(b))
		if width == 8 {
			want = binary.LittleEndian.Uint64(b)
		}
		switch {
		case want == uint64(at):
			out = append(out, int32(k))
		case k == 1 || want < uint64(at):
			return nil
		}
		at += 8 + s.elem.Fragment(k).Len()
	}
	if len(out) < n {
		return nil
	}
	return out
}

// scan finds the frames where no table says where they are.
func (s *Source) scan(ctx context.Context) (*frameTable, error) {
	t := &frameTable{last: s.elem.FragmentCount() - 1}
	found, err := s.starts(ctx)
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		// Nothing looks like a beginning: a fragment each, as far as they go.
		s.addFlaw(Flaw{tag.NumberOfFrames, -1, fmt.Sprintf("%d, but there are %d fragments", s.desc.Frames, t.last)})
		return t, nil
	}
	if len(found) != s.desc.Frames {
		s.addFlaw(Flaw{tag.NumberOfFrames, -1, fmt.Sprintf("%d, but %d frames begin in the pixel data", s.desc.Frames, len(found))})
	}
	t.first = found
	return t, nil
}

// starts lists the fragments that begin as a codec's stream does. What it reads of each
// is a few bytes.
func (s *Source) starts(ctx context.Context) ([]int32, error) {
	if !s.marked() {
		return nil, nil
	}
	var out []int32
	var room [markerSize]byte
	for k := 1; k < s.elem.FragmentCount(); k++ {
		if k%1024 == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		f := s.elem.Fragment(k)
		b, err := readElement(f, 0, min(markerSize, f.Len()), room[:0])
		if err == nil && s.startsFrame(b) {
			out = append(out, int32(k))
		}
	}
	return out, nil
}

const markerSize = 12

func (s *Source) marked() bool { return markedSyntax(s.syntax) }

// markedSyntax reports whether the streams of a syntax begin with a marker. The others
// have one fragment for each frame (PS3.5 A.4.2).
func markedSyntax(u uid.UID) bool {
	switch u {
	case uid.RLELossless, uid.DeflatedImageFrameCompression, uid.EncapsulatedUncompressedExplicitVRLittleEndian:
		return false
	}
	return true
}

// startsFrame reports whether b begins as a codec's stream does.
func (s *Source) startsFrame(b []byte) bool {
	kind := sniff(b)
	// The short marker of JPEG XL means something inside of other streams.
	return kind != unknown && (kind != jxlStream || b[0] == 0 || s.syntax == uid.JPEGXL ||
		s.syntax == uid.JPEGXLLossless || s.syntax == uid.JPEGXLJPEGRecompression)
}

// tablesOf returns the elements of the Extended Offset Table.
func tablesOf(ds *dicom.DataSet) (out [2]dicom.Element) {
	out[0], _ = ds.Get(tag.ExtendedOffsetTable)
	out[1], _ = ds.Get(tag.ExtendedOffsetTableLengths)
	return out
}
