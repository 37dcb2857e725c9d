package egress

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"gantry/dicom"
	"gantry/dicom/tag"
	"gantry/dicom/uid"
	"gantry/dicom/vr"
)

// image is a data set of frames with 16 bits, which do not compress to nothing.
func image(t testing.TB, frames, size int) *dicom.DataSet {
	t.Helper()
	px := make([]byte, frames*size*size*2)
	for i, x := 0, uint32(1); i < len(px); i++ {
		x = x*1664525 + 1013904223
		px[i] = byte(x >> 28)
	}
	ds, err := new(dicom.DataSet).Edit().
		SetUID(tag.SOPClassUID, uid.CTImageStorage).SetUID(tag.SOPInstanceUID, "1.2.3").
		SetInt(tag.SamplesPerPixel, 1).SetText(tag.PhotometricInterpretation, "MONOCHROME2").
		SetText(tag.NumberOfFrames, strconv.Itoa(frames)).
		SetInt(tag.Rows, int64(size)).SetInt(tag.Columns, int64(size)).
		SetInt(tag.BitsAllocated, 16).SetInt(tag.BitsStored, 12).SetInt(tag.HighBit, 11).SetInt(tag.PixelRepresentation, 0).
		SetBytes(tag.PixelData, vr.OW, px).Build()
	if err != nil {
		t.Fatal(err)
	}
	return ds
}

func open(t testing.TB, g *Gate, ds *dicom.DataSet, from, to uid.UID) *dicom.DataSet {
	t.Helper()
	r, err := g.Open(t.Context(), ds, from, to)
	if err != nil {
		t.Fatalf("%s to %s: %v", from.Name(), to.Name(), err)
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	out, err := dicom.DecodeBytes(b, dicom.DecodeOptions{Syntax: to})
	if err != nil {
		t.Fatalf("%s to %s: %v", from.Name(), to.Name(), err)
	}
	return out
}

func pixels(t testing.TB, ds *dicom.DataSet) []byte {
	t.Helper()
	e, ok := ds.Get(tag.PixelData)
	if !ok {
		t.Fatal("no pixel data")
	}
	return e.Bytes()
}

// TestThereAndBack goes to every target and back, also through the spool's file.
func TestThereAndBack(t *testing.T) {
	ds := image(t, 3, 64)
	want := bytes.Clone(pixels(t, ds))
	to := append([]uid.UID{uid.DeflatedExplicitVRLittleEndian, uid.ExplicitVRBigEndian, uid.ImplicitVRLittleEndian}, Compressed()...)
	if len(to) < 6 {
		t.Fatalf("only %d targets", len(to))
	}
	g := New(t.TempDir())
	for _, u := range to {
		coded := open(t, g, ds, uid.ExplicitVRLittleEndian, u)
		if back := open(t, g, coded, u, uid.ImplicitVRLittleEndian); !bytes.Equal(pixels(t, back), want) {
			t.Errorf("%s and back: other pixels", u.Name())
		}
	}
}

// TestNothingIsLeft has a spool go to a file, which must be gone afterwards.
func TestNothingIsLeft(t *testing.T) {
	dir := t.TempDir()
	s := &spool{ctx: t.Context(), dir: dir, max: 1 << 20, inMemory: 10}
	var want []byte
	for i := range 100 {
		b := bytes.Repeat([]byte{byte(i)}, 7)
		want = append(want, b...)
		if _, err := s.Write(b); err != nil {
			t.Fatal(err)
		}
	}
	if s.file == nil || len(s.mem) > 10 {
		t.Fatalf("%d bytes in memory, 10 allowed", len(s.mem))
	}
	if err := s.rewind(); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(s); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%d bytes came back of %d, %v", len(got), len(want), err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.file.Stat(); err == nil {
		t.Error("the file is still open")
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("%s is left over", left[0].Name())
	}
}

func TestSpoolIsBounded(t *testing.T) {
	s := &spool{ctx: t.Context(), dir: t.TempDir(), max: 20, inMemory: 10}
	defer s.Close()
	if _, err := s.Write(make([]byte, 20)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Write(make([]byte, 1)); err == nil || !strings.Contains(err.Error(), "20 bytes") {
		t.Errorf("byte 21: %v", err)
	}
}

// TestRefused names the syntaxes in few words, and encodes nothing lossy.
func TestRefused(t *testing.T) {
	g := New(t.TempDir())
	for to, want := range map[uid.UID]string{
		uid.JPEGBaseline8Bit: "no transcoding ExplicitVRLittleEndian to JPEGBaseline8Bit",
		uid.JPEGXLLossless:   "no transcoding ExplicitVRLittleEndian to JPEGXLLossless",
	} {
		_, err := g.Open(t.Context(), image(t, 1, 16), uid.ExplicitVRLittleEndian, to)
		var e *Error
		if !errors.As(err, &e) || e.Comment() != want || len(want) > 64 {
			t.Errorf("%s: %v", to.Name(), err)
		}
	}
	ds := open(t, g, image(t, 1, 16), uid.ExplicitVRLittleEndian, uid.RLELossless)
	_, err := g.Open(t.Context(), ds, uid.JPEGLSLossless, uid.ExplicitVRLittleEndian) // the label lies
	var e *Error
	if !errors.As(err, &e) || e.Comment() != "frame 1 does not decode as JPEGLSLossless" {
		t.Errorf("RLE as JPEG-LS: %v", err)
	}
}

// TestFullGate waits for a slot no longer than its context lives, with the cause of its
// end.
func TestFullGate(t *testing.T) {
	g := New(t.TempDir())
	for range cap(g.slots) {
		g.slots <- struct{}{}
	}
	why := errors.New("enough")
	ctx, cancel := context.WithTimeoutCause(t.Context(), 20*time.Millisecond, why)
	defer cancel()
	if _, err := g.Open(ctx, image(t, 1, 16), uid.ExplicitVRLittleEndian, uid.RLELossless); !errors.Is(err, why) {
		t.Errorf("%v", err)
	}
	<-g.slots
	open(t, g, image(t, 1, 16), uid.ExplicitVRLittleEndian, uid.RLELossless)
	if len(g.slots) != cap(g.slots)-1 {
		t.Error("a slot was not given back")
	}
}

// TestCanceled ends the work under way.
func TestCanceled(t *testing.T) {
	why := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(why)
	g := New(t.TempDir())
	for range 20 { // either side of select may win
		if _, err := g.Open(ctx, image(t, 20, 64), uid.ExplicitVRLittleEndian, uid.RLELossless); !errors.Is(err, why) {
			t.Fatalf("%v", err)
		}
	}
}

// TestManyAtOnce holds what all senders take together: memory up to a bound, then files as
// long as there is room for them.
func TestManyAtOnce(t *testing.T) {
	g, full := New(t.TempDir()), errors.New("full")
	g.most = 100
	room := error(nil)
	g.Room = func() error { return room }
	body := func() io.Reader { return bytes.NewReader(bytes.Repeat([]byte{9}, 60)) }
	first, _ := g.Take(t.Context(), body(), uid.ExplicitVRLittleEndian)
	second, _ := g.Take(t.Context(), body(), uid.ExplicitVRLittleEndian)
	if first.s.file != nil || second.s.file == nil || g.held.Load() != 60 {
		t.Errorf("%d bytes are held in memory, want 60 of 120", g.held.Load())
	}
	if b, err := io.ReadAll(second.Body()); err != nil || len(b) != 60 {
		t.Errorf("%d bytes came back, %v", len(b), err)
	}
	room = full
	if o, err := g.Take(t.Context(), body(), uid.ExplicitVRLittleEndian); o != nil || !errors.Is(err, full) {
		t.Errorf("without room: %v", err)
	}
	if err := errors.Join(first.Close(), first.Close(), second.Close()); g.held.Load() != 0 {
		t.Errorf("%d bytes are held by nobody, %v", g.held.Load(), err)
	}
}
