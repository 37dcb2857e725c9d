package pixel

import (
	"bytes"
	"context"
	"testing"

	"gantry/dicom"
	"gantry/dicom/tag"
	"gantry/dicom/uid"
	"gantry/dicom/vr"
	"gantry/pixel/internal/codectest"
)

var fuzzLimits = Limits{MaxFrame: 1 << 16, MaxFrames: 1000, MaxMemory: 1 << 20}

// FuzzFrames finds and decodes frames in hostile data sets: no panic, no frame of another
// size, and none beyond the limits.
func FuzzFrames(f *testing.F) {
	for _, o := range []object{
		{frames: 2, basic: []uint32{0, 28}, fragments: [][]byte{begin(1), more(1), begin(2)}},
		{frames: 3, offsets: []uint64{0, 16, 28}, lengths: []uint64{8, 4, 8}, fragments: [][]byte{begin(1), more(1), begin(2)}},
		{frames: 2, fragments: [][]byte{begin(1), more(1), begin(2), more(2)}},
	} {
		f.Add(o.bytes(f), uint8(0))
	}
	m := codectest.Image{Width: 5, Height: 4, Samples: 1, Frames: 2, Allocated: 16, Stored: 12}
	origin := readFile(f, m.WriteNative(f, noise(m)))
	syntaxes := append([]uid.UID{uid.JPEGBaseline8Bit, uid.JPEG2000}, targets...)
	for k, to := range syntaxes[2:] {
		var b bytes.Buffer
		if _, err := TranscodeDataSet(context.Background(), &b, origin.DataSet, origin.Syntax, to, Options{}); err != nil {
			f.Fatal(err)
		}
		f.Add(b.Bytes(), uint8(k+2))
	}
	f.Fuzz(func(t *testing.T, b []byte, which uint8) {
		syntax := syntaxes[int(which)%len(syntaxes)]
		ds, err := dicom.DecodeAt(bytes.NewReader(b), int64(len(b)), dicom.DecodeOptions{Syntax: syntax, BulkMin: 16, Limits: dicom.Limits{MaxInflated: 1 << 20}})
		if err != nil {
			return
		}
		s, err := Frames(ds, syntax, fuzzLimits)
		if err != nil {
			return
		}
		size := s.Desc().FrameSize()
		if size < 1 || size > fuzzLimits.MaxFrame || s.Len() < 1 || s.Len() > int(fuzzLimits.MaxFrames) {
			t.Fatalf("%+v", s.Desc())
		}
		for _, i := range []int{s.Len() - 1, 0, s.Len() / 2} {
			raw, err := s.Frame(t.Context(), i, nil)
			if err != nil {
				continue
			}
			if int64(len(raw)) > fuzzLimits.MaxFrame {
				t.Fatalf("a frame of %d bytes", len(raw))
			}
			px, _, err := s.Decode(i, raw, []byte{7})
			if err != nil && len(px) != 1 || err == nil && int64(len(px)) != size+1 || px[0] != 7 {
				t.Fatalf("%d bytes of %d: %v", len(px), size, err)
			}
		}
	})
}

// FuzzTranscode writes hostile objects in another syntax: where that works, the result can
// be read, and has the same pixels.
func FuzzTranscode(f *testing.F) {
	m := codectest.Image{Width: 3, Height: 2, Samples: 3, Frames: 2, Allocated: 8, Stored: 8}
	origin := readFile(f, m.WriteNative(f, noise(m)))
	for k, from := range targets {
		var b bytes.Buffer
		if _, err := TranscodeDataSet(context.Background(), &b, origin.DataSet, origin.Syntax, from, Options{}); err != nil {
			f.Fatal(err)
		}
		f.Add(b.Bytes(), uint8(k), uint8(k+3))
	}
	f.Fuzz(func(t *testing.T, b []byte, x, y uint8) {
		from, to := targets[int(x)%len(targets)], targets[int(y)%len(targets)]
		ds, err := dicom.DecodeAt(bytes.NewReader(b), int64(len(b)), dicom.DecodeOptions{Syntax: from, Limits: dicom.Limits{MaxInflated: 1 << 20}})
		if err != nil {
			return
		}
		s, err := Frames(ds, from, fuzzLimits)
		if err != nil {
			return
		}
		want, d, err := decodeAll(t, s)
		var out bytes.Buffer
		if _, err2 := TranscodeDataSet(t.Context(), &out, ds, from, to, Options{Limits: fuzzLimits, Workers: 2}); err != nil || err2 != nil || len(ds.Flaws()) > 0 {
			return // what has flaws may keep them, and be read in another way then
		}
		back, err := dicom.DecodeBytes(out.Bytes(), dicom.DecodeOptions{Syntax: to, Limits: dicom.Limits{MaxInflated: 1 << 20}})
		if err != nil {
			t.Fatal(err)
		}
		s, err = Frames(back, to, fuzzLimits)
		if err != nil {
			t.Fatalf("%s to %s: %v", from, to, err)
		}
		if got, _, err := decodeAll(t, s); err != nil || !bytes.Equal(got, want) {
			t.Fatalf("%s to %s, %+v: %v", from, to, d, err)
		}
	})
}

// FuzzDesc reads hostile attributes: no size overflows.
func FuzzDesc(f *testing.F) {
	f.Add([]byte{1, 0, 4, 0, 4, 0, 16, 0, 12, 0, 11, 0, 0, 0, 0, 0}, "3")
	f.Add(bytes.Repeat([]byte{0xFF}, 16), "2147483647")
	f.Fuzz(func(t *testing.T, v []byte, frames string) {
		e := new(dicom.DataSet).Edit().SetBytes(tag.NumberOfFrames, vr.IS, []byte(frames))
		for k, at := range []tag.Tag{tag.SamplesPerPixel, tag.Rows, tag.Columns, tag.BitsAllocated, tag.BitsStored, tag.HighBit, tag.PixelRepresentation, tag.PlanarConfiguration} {
			if 2*k+2 <= len(v) {
				e.SetBytes(at, vr.US, v[2*k:][:2])
			}
		}
		ds, err := e.Build()
		if err != nil {
			return
		}
		d, err := ReadDesc(ds, Limits{})
		if err != nil {
			return
		}
		if n := d.FrameSize(); n < 1 || n > 1<<30 || d.Frames < 1 || int64(d.Frames) > 4_000_000 || d.HighBit >= d.BitsAllocated || d.BitsStored > d.HighBit+1 {
			t.Fatalf("%+v: %d bytes", d, n)
		}
	})
}
