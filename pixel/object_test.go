package pixel

import (
	"bytes"
	"context"
	"errors"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"gantry/dicom"
	"gantry/dicom/part10"
	"gantry/dicom/tag"
	"gantry/dicom/uid"
	"gantry/dicom/vr"
	"gantry/pixel/internal/codectest"
)

// TestTranscodeSamples compresses every real file of up to 1 MiB that can be decoded and compares
// what comes back from Explicit VR Little Endian.
func TestTranscodeSamples(t *testing.T) {
	names, _ := samples(t)
	next := make(chan string)
	var wg sync.WaitGroup
	var mu sync.Mutex
	done := 0
	for range 2 {
		wg.Go(func() {
			for name := range next {
				if there := thereAndBack(t, name); there {
					mu.Lock()
					done++
					mu.Unlock()
				}
			}
		})
	}
	for _, name := range names {
		next <- name
	}
	close(next)
	wg.Wait()
	if done < 440 {
		t.Errorf("%d files were transcoded", done)
	}
}

func thereAndBack(t *testing.T, name string) bool {
	f, err := openSample(name)
	if err != nil {
		return false
	}
	defer f.Close()
	s, err := Frames(f.DataSet, f.Syntax, Limits{})
	if err != nil || s.Desc().Float || s.Desc().FrameSize()*int64(s.Len()) > 1<<20 {
		return false
	}
	want, d, err := decodeAll(t, s)
	if err != nil {
		return false
	}
	to := uid.JPEGLSLossless
	if cells(s.Desc()) != nil {
		to = uid.DeflatedImageFrameCompression
	}
	if f.Syntax == to {
		to = uid.RLELossless
	}
	var b, back bytes.Buffer
	if _, err := Transcode(t.Context(), &b, f, to, Options{Workers: 1}); err != nil {
		t.Errorf("%s: %v", name, err)
		return false
	}
	mid, err := part10.NewFile(bytes.NewReader(b.Bytes()), int64(b.Len()), dicom.DecodeOptions{})
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return false
	}
	if _, err := Transcode(t.Context(), &back, mid, uid.ExplicitVRLittleEndian, Options{Workers: 1}); err != nil {
		t.Errorf("%s: back: %v", name, err)
		return false
	}
	end, err := part10.NewFile(bytes.NewReader(back.Bytes()), int64(back.Len()), dicom.DecodeOptions{})
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return false
	}
	s, err = Frames(end.DataSet, end.Syntax, Limits{})
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return false
	}
	got, _, err := decodeAll(t, s)
	if err != nil || !bytes.Equal(got, want) || s.Desc().Photometric != d.Photometric {
		t.Errorf("%s: %v, %s became %s", name, err, d.Photometric, s.Desc().Photometric)
	}
	if end.DataSet.UID(tag.SOPInstanceUID) != f.DataSet.UID(tag.SOPInstanceUID) {
		t.Errorf("%s: another SOP Instance UID", name)
	}
	return true
}

// built is an image with attributes of the test's own.
func built(t testing.TB, syntax uid.UID, set func(*dicom.Editor)) *part10.File {
	t.Helper()
	m := codectest.Image{Width: 6, Height: 2, Samples: 3, Frames: 2, Allocated: 8, Stored: 8}
	f := readFile(t, m.WriteNative(t, noise(m)))
	e := f.DataSet.Edit()
	set(e)
	ds, err := e.Build()
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	meta, err := part10.MetaInfo{Class: uid.SecondaryCaptureImageStorage, Instance: "1.2.3.4", Syntax: syntax}.Meta()
	if err == nil {
		err = part10.Write(&b, meta, ds, syntax)
	}
	if err != nil {
		t.Fatal(err)
	}
	return readBytes(t, b.Bytes())
}

// TestPlanes puts planes and halved colours back together, little endian and big.
func TestPlanes(t *testing.T) {
	for _, syntax := range []uid.UID{uid.ExplicitVRLittleEndian, uid.ExplicitVRBigEndian, uid.ImplicitVRLittleEndian} {
		planar := built(t, syntax, func(e *dicom.Editor) {
			e.SetInt(tag.PlanarConfiguration, 1).SetInt(tag.Rows, 1).SetInt(tag.Columns, 3)
			e.SetBytes(tag.PixelData, vr.OW, []byte{1, 2, 3, 11, 12, 13, 21, 22, 23, 4, 5, 6, 14, 15, 16, 24, 25, 26})
		})
		if got, want := pixels(t, planar), []byte{1, 11, 21, 2, 12, 22, 3, 13, 23, 4, 14, 24, 5, 15, 25, 6, 16, 26}; !bytes.Equal(got, want) {
			t.Errorf("%s: planes: %v", syntax.Name(), got)
		}
		out, _, err := transcode(t, planar, uid.RLELossless, Options{})
		if err != nil || out.DataSet.Text(tag.PlanarConfiguration) != "0" || !bytes.Equal(pixels(t, out), pixels(t, planar)) {
			t.Errorf("%s: planes to RLE: %v", syntax.Name(), err)
		}
		halved := built(t, syntax, func(e *dicom.Editor) {
			e.SetInt(tag.Rows, 1).SetInt(tag.Columns, 2).SetText(tag.PhotometricInterpretation, YBRFull422)
			e.SetBytes(tag.PixelData, vr.OB, []byte{1, 2, 50, 60, 3, 4, 70, 80})
		})
		if got, want := pixels(t, halved), []byte{1, 50, 60, 2, 50, 60, 3, 70, 80, 4, 70, 80}; !bytes.Equal(got, want) {
			t.Errorf("%s: halved: %v", syntax.Name(), got)
		}
		out, _, err = transcode(t, halved, uid.JPEGLSLossless, Options{})
		if err != nil || out.DataSet.Text(tag.PhotometricInterpretation) != YBRFull || !bytes.Equal(pixels(t, out), pixels(t, halved)) {
			t.Errorf("%s: halved to JPEG-LS: %v", syntax.Name(), err)
		}
	}
}

// TestAround keeps everything that is not pixels: elements before and behind, and icons,
// which become native.
func TestAround(t *testing.T) {
	var icon bytes.Buffer
	small := built(t, uid.ExplicitVRLittleEndian, func(*dicom.Editor) {})
	if _, err := Transcode(t.Context(), &icon, small, uid.RLELossless, Options{}); err != nil {
		t.Fatal(err)
	}
	item := readBytes(t, icon.Bytes())
	whole := built(t, uid.ExplicitVRLittleEndian, func(e *dicom.Editor) {
		e.SetText(tag.PatientName, "Doe^Jane").SetBytes(tag.DataSetTrailingPadding, vr.OB, make([]byte, 10))
	})
	var b bytes.Buffer
	if _, err := Transcode(t.Context(), &b, whole, uid.RLELossless, Options{}); err != nil {
		t.Fatal(err)
	}
	packed := readBytes(t, b.Bytes())
	behind := tag.New(0x7FE1, 0x1010)
	ds, err := packed.DataSet.Edit().SetItems(tag.IconImageSequence, item.DataSet).SetItems(behind, item.DataSet).Build()
	if err != nil {
		t.Fatal(err)
	}
	for _, to := range targets {
		b.Reset()
		if _, err := TranscodeDataSet(t.Context(), &b, ds, uid.RLELossless, to, Options{}); err != nil {
			t.Errorf("%s: %v", to.Name(), err)
			continue
		}
		out, err := dicom.DecodeBytes(bytes.Clone(b.Bytes()), dicom.DecodeOptions{Syntax: to, OnFlaw: dicom.Strict})
		if err != nil {
			t.Errorf("%s: %v", to.Name(), err)
			continue
		}
		pad, _ := out.Get(tag.DataSetTrailingPadding)
		in, _ := out.Item(tag.IconImageSequence, 0)
		px, _ := in.Get(tag.PixelData)
		if last, ok := out.Item(behind, 0); !ok && to == uid.ImplicitVRLittleEndian {
			// a private sequence without a VR
		} else if !ok {
			t.Errorf("%s: the sequence behind the pixels is gone", to.Name())
		} else if px, ok := last.Get(tag.PixelData); !ok || px.IsEncapsulated() != (to == uid.RLELossless) {
			t.Errorf("%s: the icon behind the pixels is in the old syntax", to.Name())
		}
		if out.Text(tag.PatientName) != "Doe^Jane" || pad.Len() != 10 || px.IsEncapsulated() != (to == uid.RLELossless) {
			t.Errorf("%s: %s, %d, %v", to.Name(), out.Text(tag.PatientName), pad.Len(), px.IsEncapsulated())
		}
		if to != uid.RLELossless {
			if s, err := Frames(in, uid.ExplicitVRLittleEndian, Limits{}); err != nil {
				t.Error(err)
			} else if got, _, err := decodeAll(t, s); err != nil || to != uid.ExplicitVRBigEndian && !bytes.Equal(got, pixels(t, small)) {
				t.Errorf("%s: the icon changed: %v", to.Name(), err)
			}
		}
	}
}

// TestNoImage encodes anew what has no pixels, and passes on what needs no change.
func TestNoImage(t *testing.T) {
	f := built(t, uid.ExplicitVRLittleEndian, func(e *dicom.Editor) { e.Delete(tag.PixelData).Delete(tag.Rows) })
	for _, to := range targets {
		out, r, err := transcode(t, f, to, Options{})
		if err != nil || r.Frames != 0 || out.DataSet.Text(tag.StudyInstanceUID) != "1.2.3" {
			t.Errorf("%s: %v", to.Name(), err)
		}
	}
	var b bytes.Buffer
	img := built(t, uid.ExplicitVRLittleEndian, func(*dicom.Editor) {})
	if _, err := TranscodeDataSet(t.Context(), &b, img.DataSet, img.Syntax, img.Syntax, Options{}); err != nil {
		t.Fatal(err)
	}
	same := new(bytes.Buffer)
	if same.ReadFrom(img.DataSetReader()); !bytes.Equal(b.Bytes(), same.Bytes()) {
		t.Error("the same syntax, but other bytes")
	}
}

// TestRefusals come before anything is written.
func TestRefusals(t *testing.T) {
	rgb := built(t, uid.ExplicitVRLittleEndian, func(*dicom.Editor) {})
	palette := codectest.Image{Width: 4, Height: 4, Samples: 1, Allocated: 8, Stored: 8, Photometric: PaletteColor, Frames: 1}
	indices := readFile(t, palette.WriteNative(t, noise(palette)))
	floats := built(t, uid.ExplicitVRLittleEndian, func(e *dicom.Editor) {
		e.SetInt(tag.SamplesPerPixel, 1).SetText(tag.PhotometricInterpretation, Monochrome2).SetInt(tag.BitsAllocated, 32)
		e.Delete(tag.PixelData).Delete(tag.BitsStored).Delete(tag.HighBit).Delete(tag.PixelRepresentation)
		e.SetBytes(tag.FloatPixelData, vr.OF, make([]byte, 96))
	})
	lossy := Options{Lossy: &Lossy{}}
	for k, c := range []struct {
		f    *part10.File
		to   uid.UID
		o    Options
		want string
	}{
		{rgb, uid.JPEGBaseline8Bit, Options{}, "loses information"},
		{rgb, uid.JPEGLSLossless, lossy, "loses nothing"},
		{rgb, uid.RLELossless, lossy, "loses nothing"},
		{rgb, uid.ExplicitVRBigEndian, lossy, "not compressed"},
		{rgb, uid.JPEGBaseline8Bit, Options{Lossy: &Lossy{Quality: 101}}, "quality 101"},
		{rgb, uid.JPEGLSNearLossless, Options{Lossy: &Lossy{Near: 300}}, "near 300"},
		{rgb, uid.JPEGExtended12Bit, lossy, "lossless"},
		{rgb, uid.MPEG4HP41, Options{}, "single frames"},
		{rgb, uid.JPIPReferenced, Options{}, "single frames"},
		{rgb, uid.XMLEncoding, Options{}, "not a transfer syntax"},
		{rgb, "1.2.3", Options{}, "not a transfer syntax"},
		{rgb, uid.JPEGXL, Options{}, "cannot be encoded"},
		{indices, uid.JPEGBaseline8Bit, lossy, PaletteColor},
		{indices, uid.JPEGLSNearLossless, lossy, "palette"},
		{floats, uid.RLELossless, Options{}, "float"},
		{floats, uid.DeflatedImageFrameCompression, Options{}, "float"},
	} {
		var b bytes.Buffer
		_, err := Transcode(t.Context(), &b, c.f, c.to, c.o)
		var un *UnsupportedError
		if !errors.As(err, &un) || !strings.Contains(err.Error(), c.want) || b.Len() > 0 {
			t.Errorf("%d: %v, %d bytes, want %q", k, err, b.Len(), c.want)
		}
	}
	if out, _, err := transcode(t, floats, uid.ExplicitVRBigEndian, Options{}); err != nil || !out.DataSet.Has(tag.FloatPixelData) {
		t.Errorf("float pixel data, not compressed: %v", err)
	}
}

// wrong is an encoder that changes a pixel.
type wrong struct{ rleCodec }

func (wrong) Encode(dst, px []byte, d Desc, l *Lossy) ([]byte, error) {
	px = bytes.Clone(px)
	px[len(px)-1] ^= 1
	return rleCodec{}.Encode(dst, px, d, l)
}

// TestVerify finds out that an encoder is wrong, unless it is told not to look.
func TestVerify(t *testing.T) {
	f := built(t, uid.ExplicitVRLittleEndian, func(*dicom.Editor) {})
	r := Builtin()
	r.Set(Codec{Syntax: uid.RLELossless, Decoder: rleCodec{}, Encoder: wrong{}})
	var fe *FrameError
	if _, _, err := transcode(t, f, uid.RLELossless, Options{Registry: r}); !errors.As(err, &fe) || !strings.Contains(err.Error(), "other pixels") {
		t.Error(err)
	}
	if _, _, err := transcode(t, f, uid.RLELossless, Options{Registry: r, NoVerify: true}); err != nil {
		t.Error(err)
	}
}

// TestSpool writes more frames than memory may hold, and removes its file.
func TestSpool(t *testing.T) {
	m := codectest.Image{Width: 64, Height: 64, Samples: 1, Frames: 20, Allocated: 8, Stored: 8}
	px := noise(m)
	dir := t.TempDir()
	o := Options{TempDir: dir, Limits: Limits{MaxMemory: 20_000}, Workers: 3}
	out, _, err := transcode(t, readFile(t, m.WriteNative(t, px)), uid.RLELossless, o)
	if err != nil || !bytes.Equal(pixels(t, out), px) {
		t.Errorf("other pixels: %v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	o.TempDir = filepath.Join(dir, "none")
	if _, _, err := transcode(t, readFile(t, m.WriteNative(t, px)), uid.RLELossless, o); err == nil {
		t.Error("a spool without a place")
	}
}

// TestTables writes the offset table that was asked for.
func TestTables(t *testing.T) {
	f := built(t, uid.ExplicitVRLittleEndian, func(*dicom.Editor) {})
	for table, want := range map[OffsetTable][2]int64{BasicTable: {8, 0}, ExtendedTable: {0, 16}, NoTable: {0, 0}} {
		out, _, err := transcode(t, f, uid.JPEGLSLossless, Options{Offsets: table})
		if err != nil {
			t.Fatal(err)
		}
		e, _ := out.DataSet.Get(tag.PixelData)
		x, _ := out.DataSet.Get(tag.ExtendedOffsetTable)
		if got := [2]int64{e.Fragment(0).Len(), x.Len()}; got != want {
			t.Errorf("table %d: %v bytes, want %v", table, got, want)
		}
	}
	if _, err := basicTable([]int64{1 << 32, 8}); err == nil {
		t.Error("an offset beyond 4 GiB went into 32 bits")
	}
}

// TestCancelled ends with the context.
func TestCancelled(t *testing.T) {
	f := built(t, uid.ExplicitVRLittleEndian, func(*dicom.Editor) {})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Transcode(ctx, new(bytes.Buffer), f, uid.RLELossless, Options{}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// TestMislabelled decodes a stream by what it is, and says so.
func TestMislabelled(t *testing.T) {
	m := codectest.Image{Width: 6, Height: 5, Samples: 1, Frames: 1, Allocated: 8, Stored: 8}
	px := noise(m)
	out, _, err := transcode(t, readFile(t, m.WriteNative(t, px)), uid.JPEGLSLossless, Options{})
	if err != nil {
		t.Fatal(err)
	}
	s, err := Frames(out.DataSet, uid.JPEGLosslessSV1, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	got, d, err := decodeAll(t, s)
	if err != nil || !bytes.Equal(got, px) || d.Stream != "JPEG-LS" || len(s.Flaws()) != 1 {
		t.Errorf("%v %+v %v", err, d, s.Flaws())
	}
}
