package pixel

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"

	"gantry/dicom"
	"gantry/dicom/tag"
	"gantry/dicom/uid"
	"gantry/dicom/vr"
	"gantry/pixel/internal/codectest"
)

// object builds an encapsulated object by hand: offset tables as given, then fragments.
type object struct {
	frames           int
	basic            []uint32
	offsets, lengths []uint64
	fragments        [][]byte
	syntax           uid.UID
}

func (o object) dataSet(t testing.TB) *dicom.DataSet {
	t.Helper()
	ds, err := dicom.DecodeAt(bytes.NewReader(o.bytes(t)), int64(len(o.bytes(t))), dicom.DecodeOptions{Syntax: uid.ExplicitVRLittleEndian})
	if err != nil {
		t.Fatal(err)
	}
	return ds
}

func (o object) bytes(t testing.TB) []byte {
	e := new(dicom.DataSet).Edit()
	e.SetInt(tag.Rows, 2).SetInt(tag.Columns, 2).SetInt(tag.BitsAllocated, 8).SetInt(tag.SamplesPerPixel, 1).SetInt(tag.NumberOfFrames, int64(o.frames))
	if o.offsets != nil {
		e.SetBytes(tag.ExtendedOffsetTable, vr.OV, words(o.offsets)).SetBytes(tag.ExtendedOffsetTableLengths, vr.OV, words(o.lengths))
	}
	ds, err := e.Build()
	if err != nil {
		t.Fatal(err)
	}
	b, err := dicom.AppendEncode(nil, ds, uid.ExplicitVRLittleEndian)
	if err != nil {
		t.Fatal(err)
	}
	b = append(b, 0xe0, 0x7f, 0x10, 0, 'O', 'B', 0, 0, 255, 255, 255, 255)
	var basic []byte
	for _, v := range o.basic {
		basic = binary.LittleEndian.AppendUint32(basic, v)
	}
	for _, f := range append([][]byte{basic}, o.fragments...) {
		b = append(b, 0xfe, 0xff, 0x00, 0xe0)
		b = binary.LittleEndian.AppendUint32(b, uint32(len(f)))
		b = append(b, f...)
	}
	return append(b, 0xfe, 0xff, 0xdd, 0xe0, 0, 0, 0, 0)
}

func words(v []uint64) (out []byte) {
	for _, w := range v {
		out = binary.LittleEndian.AppendUint64(out, w)
	}
	return out
}

// begin is a fragment that begins a JPEG stream, of eight bytes.
func begin(c byte) []byte { return []byte{0xFF, 0xD8, 0xFF, c, c, c, c, c} }

// more is a fragment that goes on.
func more(c byte) []byte { return []byte{c, c, c, c} }

// TestLocation finds frames by each of the ways that an object can say where they are, by
// none, and in spite of those that lie.
func TestLocation(t *testing.T) {
	two := [][]byte{begin(1), more(1), begin(2), more(2), more(3)}
	want := []string{string(begin(1)) + string(more(1)), string(begin(2)) + string(more(2)) + string(more(3))}
	for name, c := range map[string]struct {
		o     object
		want  []string
		flaws int
	}{
		"one fragment":         {object{frames: 1, fragments: two[:1]}, []string{string(begin(1))}, 0},
		"one of many":          {object{frames: 1, fragments: two[:2]}, want[:1], 0},
		"one each":             {object{frames: 2, fragments: [][]byte{begin(1), begin(2)}}, []string{string(begin(1)), string(begin(2))}, 0},
		"basic":                {object{frames: 2, basic: []uint32{0, 28}, fragments: two}, want, 0},
		"markers":              {object{frames: 2, fragments: two}, want, 0},
		"lying in between":     {object{frames: 2, basic: []uint32{0, 27}, fragments: two}, want, 1},
		"lying at a fragment":  {object{frames: 2, basic: []uint32{0, 16}, fragments: two}, want, 1},
		"zeros":                {object{frames: 2, basic: []uint32{0, 0}, fragments: two}, want, 1},
		"too short":            {object{frames: 2, basic: []uint32{0}, fragments: two}, want, 1},
		"extended":             {object{frames: 2, offsets: []uint64{0, 12}, lengths: []uint64{3, 8}, fragments: [][]byte{more(9), begin(2)}, syntax: uid.RLELossless}, []string{string(more(9)[:3]), string(begin(2))}, 0},
		"extended lying":       {object{frames: 2, offsets: []uint64{0, 1 << 40}, lengths: []uint64{8, 8}, fragments: two}, want, 1},
		"extended too short":   {object{frames: 2, offsets: []uint64{0}, lengths: []uint64{8}, fragments: two}, want, 1},
		"extended, then basic": {object{frames: 2, offsets: []uint64{5, 9}, lengths: []uint64{8, 8}, basic: []uint32{0, 28}, fragments: two}, want, 1},
		"odd":                  {object{frames: 2, basic: []uint32{0, 15}, fragments: [][]byte{begin(1)[:7], begin(2)}}, []string{string(begin(1)[:7]), string(begin(2))}, 0},
		"more than said":       {object{frames: 2, fragments: append(two, begin(4), begin(5))}, want, 1},
		"no markers":           {object{frames: 2, fragments: [][]byte{more(1), more(2), more(3)}, syntax: uid.RLELossless}, []string{string(more(1)), string(more(2))}, 1},
	} {
		if c.o.syntax == "" {
			c.o.syntax = uid.JPEGBaseline8Bit
		}
		s, err := Frames(c.o.dataSet(t), c.o.syntax, Limits{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for i := len(c.want) - 1; i >= 0; i-- {
			got, err := s.Frame(t.Context(), i, []byte("x"))
			if err != nil || string(got) != "x"+c.want[i] {
				t.Errorf("%s: frame %d: %x %v", name, i, got, err)
			}
		}
		if len(s.Flaws()) != c.flaws {
			t.Errorf("%s: %v", name, s.Flaws())
		}
	}
}

// TestMissingFrames refuses frames that are not there, and gives those that are.
func TestMissingFrames(t *testing.T) {
	s, err := Frames(object{frames: 3, fragments: [][]byte{begin(1), begin(2)}}.dataSet(t), uid.JPEGBaseline8Bit, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Frame(t.Context(), 1, nil); err != nil {
		t.Error(err)
	}
	for _, i := range []int{2, 3, -1, 1 << 40} {
		var fe *FrameError
		if _, err := s.Frame(t.Context(), i, nil); !errors.As(err, &fe) || fe.Frame != i {
			t.Errorf("frame %d: %v", i, err)
		}
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Frame(gone, 0, nil); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	small, err := Frames(object{frames: 1, fragments: [][]byte{begin(1), begin(2)}}.dataSet(t), uid.JPEGBaseline8Bit, Limits{MaxFrame: 9})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := small.Frame(t.Context(), 0, nil); err == nil || !strings.Contains(err.Error(), "MaxFrame") {
		t.Errorf("a frame beyond the limit: %v", err)
	}
}

// counting tells which bytes were read.
type counting struct {
	mu sync.Mutex
	r  io.ReaderAt
	at [][2]int64
}

func (c *counting) ReadAt(p []byte, off int64) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = append(c.at, [2]int64{off, off + int64(len(p))})
	return c.r.ReadAt(p, off)
}

// TestRandomAccess reads one frame of many, which lie outside of memory, native and
// encapsulated, and looks at what was read from the file: that frame, once.
func TestRandomAccess(t *testing.T) {
	m := codectest.Image{Width: 100, Height: 100, Samples: 1, Frames: 40, Allocated: 16, Stored: 16}
	px := noise(m)
	native := m.WriteNative(t, px)
	for _, syntax := range []uid.UID{uid.ExplicitVRLittleEndian, uid.JPEGLSLossless, uid.RLELossless} {
		for _, table := range []OffsetTable{BasicTable, ExtendedTable, NoTable} {
			var b bytes.Buffer
			r, err := Transcode(t.Context(), &b, readFile(t, native), syntax, Options{Offsets: table})
			if err != nil || r.Instance == "" {
				t.Fatal(err)
			}
			c := &counting{r: bytes.NewReader(b.Bytes())}
			ds, err := dicom.DecodeAt(skipMeta(t, c, b.Bytes()), int64(b.Len())-metaSize(t, b.Bytes()), dicom.DecodeOptions{Syntax: syntax, BulkMin: 1024})
			if err != nil {
				t.Fatal(err)
			}
			c.at = nil
			s, err := Frames(ds, syntax, Limits{})
			if err != nil {
				t.Fatal(err)
			}
			got, err := s.Frame(t.Context(), 25, nil)
			if err != nil {
				t.Fatal(err)
			}
			read := int64(0)
			for _, at := range c.at {
				read += at[1] - at[0]
			}
			if len(c.at) != 1 || read != int64(len(got)) {
				t.Errorf("%s, table %d: a frame of %d bytes, read %v", syntax.Name(), table, len(got), c.at)
			}
			if got, _, err = s.Decode(25, got, nil); err != nil || !bytes.Equal(got, px[25*m.FrameBytes():][:m.FrameBytes()]) {
				t.Errorf("%s: another frame: %v", syntax.Name(), err)
			}
		}
	}
}

// TestScanReadsLittle finds frames of many fragments without a table: a few bytes of each
// fragment are read, and then the frame.
func TestScanReadsLittle(t *testing.T) {
	o := object{frames: 3}
	for k := range o.frames {
		o.fragments = append(o.fragments, append(begin(byte(k)), make([]byte, 5000)...), make([]byte, 5000))
	}
	b := o.bytes(t)
	c := &counting{r: bytes.NewReader(b)}
	ds, err := dicom.DecodeAt(c, int64(len(b)), dicom.DecodeOptions{Syntax: uid.JPEGBaseline8Bit, BulkMin: 1024})
	if err != nil {
		t.Fatal(err)
	}
	s, err := Frames(ds, uid.JPEGBaseline8Bit, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	c.at = nil
	for i := range o.frames {
		if got, err := s.Frame(t.Context(), i, nil); err != nil || len(got) != 10008 || got[3] != byte(i) {
			t.Errorf("frame %d: %d bytes, %v", i, len(got), err)
		}
	}
	read := int64(0)
	for _, at := range c.at {
		read += at[1] - at[0]
	}
	if want := int64(3*10008 + 6*markerSize); read != want {
		t.Errorf("%d bytes read, want %d", read, want)
	}
}

func metaSize(t testing.TB, b []byte) int64 { return readBytes(t, b).DataSetOffset }

func skipMeta(t testing.TB, r io.ReaderAt, b []byte) io.ReaderAt {
	n := metaSize(t, b)
	return io.NewSectionReader(r, n, int64(len(b))-n)
}

// TestConcurrent reads frames from many goroutines, of an object whose table lies.
func TestConcurrent(t *testing.T) {
	o := object{frames: 50}
	for k := range 50 {
		o.fragments = append(o.fragments, begin(byte(k)), more(byte(k)))
		o.basic = append(o.basic, uint32(16*k))
	}
	o.basic[1], o.basic[2] = 16, 28
	s, err := Frames(o.dataSet(t), uid.JPEGBaseline8Bit, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for k := range 50 {
				i := (k*7 + g) % 50
				got, err := s.Frame(t.Context(), i, nil)
				if want := string(begin(byte(i))) + string(more(byte(i))); err != nil || string(got) != want {
					t.Errorf("frame %d: %x %v", i, got, err)
				}
			}
		})
	}
	wg.Wait()
}

// TestNativeFrames counts out frames of one bit by hand.
func TestNativeFrames(t *testing.T) {
	f := bitImage(t, 5, 3, 4)
	s, err := Frames(f.DataSet, f.Syntax, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 4 {
		got, err := s.Frame(t.Context(), i, nil)
		if err != nil {
			t.Fatal(err)
		}
		var want [2]byte
		for p := range 15 {
			if (15*i+p)%3 == 0 {
				want[p/8] |= 1 << (p % 8)
			}
		}
		if !bytes.Equal(got, want[:]) {
			t.Errorf("frame %d: %08b, want %08b", i, got, want)
		}
	}
}

// TestDesc refuses what makes no image, and names the attribute.
func TestDesc(t *testing.T) {
	good := func() *dicom.Editor {
		e := new(dicom.DataSet).Edit().SetInt(tag.Rows, 4).SetInt(tag.Columns, 4).SetInt(tag.BitsAllocated, 16)
		return e.SetInt(tag.SamplesPerPixel, 1).SetBytes(tag.PixelData, vr.OW, make([]byte, 32))
	}
	build := func(e *dicom.Editor) *dicom.DataSet {
		ds, err := e.Build()
		if err != nil {
			t.Fatal(err)
		}
		return ds
	}
	d, err := ReadDesc(build(good()), Limits{})
	if want := (Desc{Rows: 4, Columns: 4, Samples: 1, BitsAllocated: 16, BitsStored: 16, HighBit: 15, Photometric: Monochrome2, Frames: 1}); err != nil || d != want {
		t.Errorf("%+v %v", d, err)
	}
	for k, c := range []struct {
		e *dicom.Editor
		t tag.Tag
	}{
		{good().Delete(tag.Rows), tag.Rows},
		{good().SetInt(tag.Columns, 0), tag.Columns},
		{good().SetInt(tag.BitsAllocated, 12), tag.BitsAllocated},
		{good().SetInt(tag.BitsAllocated, 65), tag.BitsAllocated},
		{good().SetInt(tag.BitsStored, 17), tag.BitsStored},
		{good().SetInt(tag.BitsStored, 12).SetInt(tag.HighBit, 10), tag.HighBit},
		{good().SetInt(tag.HighBit, 16), tag.HighBit},
		{good().SetInt(tag.PixelRepresentation, 2), tag.PixelRepresentation},
		{good().SetInt(tag.SamplesPerPixel, 5), tag.SamplesPerPixel},
		{good().SetInt(tag.BitsAllocated, 1).SetInt(tag.SamplesPerPixel, 3), tag.SamplesPerPixel},
		{good().SetText(tag.NumberOfFrames, "-1"), tag.NumberOfFrames},
		{good().SetText(tag.NumberOfFrames, "99999999"), tag.NumberOfFrames},
		{good().SetText(tag.PhotometricInterpretation, "RGB"), tag.PhotometricInterpretation},
		{good().SetInt(tag.Rows, 65535).SetInt(tag.Columns, 65535), tag.Rows},
		{good().SetBytes(tag.FloatPixelData, vr.OF, make([]byte, 64)), tag.BitsAllocated},
	} {
		_, err := ReadDesc(build(c.e), Limits{})
		var ve *dicom.ValueError
		if !errors.As(err, &ve) || ve.Tag != c.t {
			t.Errorf("%d: %v, want one about %v", k, err, c.t)
		}
	}
}

// TestRegistry knows every transfer syntax of encapsulated frames of PS3.6.
func TestRegistry(t *testing.T) {
	n := 0
	for u := range uid.All() {
		info, ok := u.SyntaxInfo()
		if !ok || !info.Encapsulated || info.Video {
			continue
		}
		n++
		c, ok := Builtin().Lookup(u)
		if !ok || c.Decoder == nil && c.Reason == "" {
			t.Errorf("%s: %+v", u.Name(), c)
		}
	}
	if n < 30 || n != len(Builtin().Syntaxes()) {
		t.Errorf("%d syntaxes, the registry has %d", n, len(Builtin().Syntaxes()))
	}
	mine := Builtin()
	mine.Set(Codec{Syntax: uid.JPEGExtended35, Decoder: rawCodec{}})
	if c, _ := Builtin().Lookup(uid.JPEGExtended35); c.Decoder != nil {
		t.Error("a registry changed another")
	}
}

// TestRefused says clearly why there are no pixels.
func TestRefused(t *testing.T) {
	o := object{frames: 1, fragments: [][]byte{begin(1)}}
	url, err := new(dicom.DataSet).Edit().SetText(tag.PixelDataProviderURL, "https://host/jpip?x=1").Build()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		ds     *dicom.DataSet
		syntax uid.UID
		want   string
	}{
		{o.dataSet(t), uid.MPEG4HP41, "video"},
		{url, uid.JPIPReferenced, "https://host/jpip?x=1"},
	} {
		_, err := Frames(c.ds, c.syntax, Limits{})
		var un *UnsupportedError
		if !errors.As(err, &un) || un.Syntax != c.syntax || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.syntax.Name(), err)
		}
	}
	if _, err := Frames(new(dicom.DataSet), uid.JPEGBaseline8Bit, Limits{}); !errors.Is(err, ErrNoPixels) {
		t.Error(err)
	}
	s, err := Frames(o.dataSet(t), uid.JPEGExtended35, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = s.Decode(0, []byte{0, 0, 0, 0}, nil)
	var un *UnsupportedError
	if !errors.As(err, &un) || !strings.Contains(fmt.Sprint(err), "frame 1") {
		t.Error(err)
	}
}
