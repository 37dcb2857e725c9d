package capture

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"

	"gantry/dicom"
	"gantry/dicom/part10"
	"gantry/dicom/tag"
	"gantry/dicom/uid"
	"gantry/pixel"
	"gantry/pixel/j2k"
	"gantry/pixel/jpegll"
	"gantry/pixel/jpegls"
)

// colours is a picture with edges and slopes.
func colours() *image.RGBA {
	m := image.NewRGBA(image.Rect(0, 0, 61, 47))
	for y := range 47 {
		for x := range 61 {
			m.SetRGBA(x, y, color.RGBA{byte(4 * x), byte(5 * y), byte(x + y), 255})
		}
	}
	return m
}

func greyPicture() *image.Gray {
	m := image.NewGray(image.Rect(0, 0, 61, 47))
	for i := range m.Pix {
		m.Pix[i] = byte(i)
	}
	return m
}

func deep() *image.Gray16 {
	m := image.NewGray16(image.Rect(0, 0, 61, 47))
	for i := range m.Pix {
		m.Pix[i] = byte(i * 7)
	}
	return m
}

func encoded(t testing.TB, f func(*bytes.Buffer) error) []byte {
	var b bytes.Buffer
	if err := f(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// animation has frames of different times and sizes.
func animation(t testing.TB, palette color.Palette) []byte {
	a, b := image.NewPaletted(image.Rect(0, 0, 20, 10), palette), image.NewPaletted(image.Rect(5, 5, 15, 10), palette)
	for i := range a.Pix {
		a.Pix[i] = byte(i % 3)
	}
	return encoded(t, func(w *bytes.Buffer) error {
		return gif.EncodeAll(w, &gif.GIF{Image: []*image.Paletted{a, b, a}, Delay: []int{10, 20, 30}, Disposal: []byte{1, 2, 3}})
	})
}

func inBox(kind string, parts ...[]byte) []byte {
	body := bytes.Join(parts, nil)
	return append(append(binary.BigEndian.AppendUint32(nil, uint32(8+len(body))), kind...), body...)
}

func words(v ...uint32) (b []byte) {
	for _, w := range v {
		b = binary.BigEndian.AppendUint32(b, w)
	}
	return b
}

// movie is an MP4 file whose headers announce 50 frames of 320 x 240 in 2 seconds; its frames
// are none.
func movie(kind string, config []byte) []byte {
	entry := make([]byte, 78)
	binary.BigEndian.PutUint16(entry[24:], 320)
	binary.BigEndian.PutUint16(entry[26:], 240)
	table := inBox("stbl", inBox("stsd", words(0, 1), inBox(kind, entry, config)), inBox("stsz", words(0, 0, 50)))
	media := inBox("mdia", inBox("mdhd", words(0, 0, 0, 1000, 2000, 0)), inBox("hdlr", words(0, 0), []byte("vide"), make([]byte, 13)), inBox("minf", table))
	sound := inBox("mdia", inBox("hdlr", words(0, 0), []byte("soun"), make([]byte, 13)))
	return bytes.Join([][]byte{inBox("ftyp", []byte("isommp42")), inBox("mdat", []byte("no frames")), inBox("moov", inBox("trak", sound), inBox("trak", media))}, nil)
}

func avc(profile, level byte) []byte { return inBox("avcC", []byte{1, profile, 0, level, 0xFF}) }

func hevc(profile, level byte) []byte {
	return inBox("hvcC", append([]byte{1, profile}, append(make([]byte, 10), level)...))
}

// sources are files of all kinds.
func sources(t testing.TB) map[string][]byte {
	rgb := appendSamples(nil, colours(), describe(colours()))
	return map[string][]byte{
		"png":      encoded(t, func(b *bytes.Buffer) error { return png.Encode(b, colours()) }),
		"png grey": encoded(t, func(b *bytes.Buffer) error { return png.Encode(b, greyPicture()) }),
		"png deep": encoded(t, func(b *bytes.Buffer) error { return png.Encode(b, deep()) }),
		"bmp":      encoded(t, func(b *bytes.Buffer) error { return bmp.Encode(b, colours()) }),
		"bmp grey": encoded(t, func(b *bytes.Buffer) error { return bmp.Encode(b, greyPicture()) }),
		"tiff":     encoded(t, func(b *bytes.Buffer) error { return tiff.Encode(b, colours(), nil) }),
		"gif":      animation(t, color.Palette{color.Black, color.RGBA{200, 0, 0, 255}, color.White}),
		"gif grey": animation(t, color.Palette{color.Black, color.Gray{100}, color.White}),
		"jpeg":     encoded(t, func(b *bytes.Buffer) error { return jpeg.Encode(b, colours(), nil) }),
		"jpegll":   must(jpegll.Encode(nil, rgb, jpegll.Info{Width: 61, Height: 47, Components: 3, Bits: 8, Predictor: 1}, jpegll.EncodeOptions{}))(t),
		"jpegls":   must(jpegls.Encode(nil, rgb, jpegls.Info{Width: 61, Height: 47, Components: 3, Bits: 8, Interleave: jpegls.Line}, jpegls.EncodeOptions{}))(t),
		"j2k":      must(j2k.Encode(nil, rgb, j2k.Info{Width: 61, Height: 47, Components: 3, Bits: 8}, j2k.EncodeOptions{}))(t),
		"j2k step": must(j2k.Encode(nil, rgb, j2k.Info{Width: 61, Height: 47, Components: 3, Bits: 8}, j2k.EncodeOptions{Step: 1}))(t),
		"htj2k":    must(j2k.Encode(nil, rgb, j2k.Info{Width: 61, Height: 47, Components: 3, Bits: 8}, j2k.EncodeOptions{HT: true, NoMCT: true}))(t),
		"pdf":      []byte("%PDF-1.4\n1 0 obj\n"),
		"h264":     movie("avc1", avc(100, 41)),
		"h264 4.2": movie("avc1", avc(100, 42)),
		"h265":     movie("hvc1", hevc(1, 150)),
		"h265 10":  movie("hev1", hevc(2, 150)),
	}
}

func must(b []byte, err error) func(testing.TB) []byte {
	return func(t testing.TB) []byte {
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
}

// written makes an object of a file, writes it and reads it.
func written(t *testing.T, b []byte, o Options) (*part10.File, string) {
	t.Helper()
	ob, err := Read(bytes.NewReader(b), int64(len(b)), o)
	if err != nil {
		t.Fatal(err)
	}
	base, err := new(dicom.DataSet).Edit().SetText(tag.PatientID, "1").SetText(tag.InstanceNumber, "1").Build()
	if err != nil {
		t.Fatal(err)
	}
	ds, err := ob.Attributes(base, true)
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "object.dcm")
	var out bytes.Buffer
	if err := ob.Write(&out, ds, uid.ExplicitVRLittleEndian, false); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, out.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := part10.Open(name, dicom.DecodeOptions{OnFlaw: dicom.Strict})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f, name
}

// TestRead holds what becomes of each kind of file to what the standard has for it.
func TestRead(t *testing.T) {
	files := sources(t)
	for _, c := range []struct {
		file string
		o    Options
		want string // class, syntax, photometric, frames, Lossy Image Compression
	}{
		{"png", Options{}, "Secondary Capture Image Storage|Explicit VR Little Endian|RGB|1|"},
		{"png grey", Options{}, "Secondary Capture Image Storage|Explicit VR Little Endian|MONOCHROME2|1|"},
		{"png grey", Options{Class: Multi}, "Multi-frame Grayscale Byte Secondary Capture Image Storage|Explicit VR Little Endian|MONOCHROME2|1|"},
		{"png deep", Options{Class: Multi}, "Multi-frame Grayscale Word Secondary Capture Image Storage|Explicit VR Little Endian|MONOCHROME2|1|"},
		{"bmp", Options{Class: Photo}, "VL Photographic Image Storage|Explicit VR Little Endian|RGB|1|"},
		{"bmp grey", Options{}, "Secondary Capture Image Storage|Explicit VR Little Endian|MONOCHROME2|1|"},
		{"tiff", Options{}, "Secondary Capture Image Storage|Explicit VR Little Endian|RGB|1|"},
		{"gif", Options{}, "Multi-frame True Color Secondary Capture Image Storage|Explicit VR Little Endian|RGB|3|"},
		{"gif grey", Options{}, "Multi-frame Grayscale Byte Secondary Capture Image Storage|Explicit VR Little Endian|MONOCHROME2|3|"},
		{"jpeg", Options{}, "Secondary Capture Image Storage|Explicit VR Little Endian|RGB|1|01"},
		{"jpeg", Options{Keep: true}, "Secondary Capture Image Storage|JPEG Baseline (Process 1)|YBR_FULL_422|1|01"},
		{"jpeg", Options{Keep: true, Class: Photo}, "VL Photographic Image Storage|JPEG Baseline (Process 1)|YBR_FULL_422|1|01"},
		{"jpegll", Options{Keep: true}, "Secondary Capture Image Storage|JPEG Lossless, Non-Hierarchical, First-Order Prediction (Process 14 [Selection Value 1])|RGB|1|"},
		{"jpegls", Options{Keep: true}, "Secondary Capture Image Storage|JPEG-LS Lossless Image Compression|RGB|1|"},
		{"jpegls", Options{}, "Secondary Capture Image Storage|Explicit VR Little Endian|RGB|1|"},
		{"j2k", Options{Keep: true}, "Secondary Capture Image Storage|JPEG 2000 Image Compression (Lossless Only)|YBR_RCT|1|"},
		{"j2k step", Options{Keep: true}, "Secondary Capture Image Storage|JPEG 2000 Image Compression|YBR_ICT|1|01"},
		{"htj2k", Options{Keep: true}, "Secondary Capture Image Storage|High-Throughput JPEG 2000 Image Compression (Lossless Only)|RGB|1|"},
		{"htj2k", Options{}, "Secondary Capture Image Storage|Explicit VR Little Endian|RGB|1|"},
		{"pdf", Options{}, "Encapsulated PDF Storage|Explicit VR Little Endian|||"},
		{"h264", Options{}, "Video Photographic Image Storage|MPEG-4 AVC/H.264 High Profile / Level 4.1|YBR_PARTIAL_420|50|01"},
		{"h264 4.2", Options{}, "Video Photographic Image Storage|MPEG-4 AVC/H.264 High Profile / Level 4.2 For 2D Video|YBR_PARTIAL_420|50|01"},
		{"h265", Options{}, "Video Photographic Image Storage|HEVC/H.265 Main Profile / Level 5.1|YBR_PARTIAL_420|50|01"},
		{"h265 10", Options{}, "Video Photographic Image Storage|HEVC/H.265 Main 10 Profile / Level 5.1|YBR_PARTIAL_420|50|01"},
	} {
		t.Run(fmt.Sprint(c.file, c.o.Class, c.o.Keep), func(t *testing.T) {
			f, name := written(t, files[c.file], c.o)
			ds := f.DataSet
			frames := ds.Text(tag.NumberOfFrames)
			if frames == "" && ds.Has(tag.Rows) {
				frames = "1"
			}
			got := strings.Join([]string{ds.UID(tag.SOPClassUID).Name(), f.Syntax.Name(), ds.Text(tag.PhotometricInterpretation), frames, ds.Text(tag.LossyImageCompression)}, "|")
			if got != c.want {
				t.Errorf("%s\nwant %s", got, c.want)
			}
			if f.Syntax != uid.HTJ2KLossless && f.Syntax != uid.HEVCMP51 && f.Syntax != uid.HEVCM10P51 { // unknown to it
				validate(t, name)
			}
			checkPixels(t, f, c.file)
		})
	}
}

// TestPacked reads what DCMTK writes: interlaced PNG, and TIFF packed in each of its ways.
func TestPacked(t *testing.T) {
	const program = "/usr/bin/dcm2pnm"
	if _, err := os.Stat(program); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(program + " is missing: scripts/setup installs it")
		}
		t.Skip(program + " IS MISSING: no packed picture was read; scripts/setup installs it")
	}
	_, origin := written(t, sources(t)["png"], Options{})
	for _, args := range []string{"+on +il", "+on -il", "+ot +Tl", "+ot +Tl +Ph", "+ot +Tr", "+ot +Tn", "+ot +Tl +Rs 5"} {
		name := filepath.Join(t.TempDir(), "picture")
		if out, err := exec.Command(program, append(strings.Fields(args), origin, name)...).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v: %s", args, err, out)
		}
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		f, _ := written(t, b, Options{})
		checkPixels(t, f, args)
	}
	deflated := encoded(t, func(b *bytes.Buffer) error {
		return tiff.Encode(b, colours(), &tiff.Options{Compression: tiff.Deflate, Predictor: true})
	})
	f, _ := written(t, deflated, Options{})
	checkPixels(t, f, "deflated")
}

// checkPixels decodes what was written: pictures without loss come back as they were.
func checkPixels(t *testing.T, f *part10.File, kind string) {
	var want image.Image = colours()
	switch kind {
	case "pdf", "h264", "h264 4.2", "h265", "h265 10", "gif", "gif grey", "jpeg", "j2k step":
		return
	case "png grey", "bmp grey":
		want = greyPicture()
	case "png deep":
		want = deep()
	}
	src, err := pixel.Frames(f.DataSet, f.Syntax, pixel.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	coded, err := src.Frame(t.Context(), 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	px, _, err := src.Decode(0, coded, nil)
	if err != nil || !bytes.Equal(px, appendSamples(nil, want, describe(want))) {
		t.Errorf("samples differ, %v", err)
	}
}

// validate has dciodvfy look at a file.
func validate(t *testing.T, name string) {
	t.Helper()
	const program = "/usr/bin/dciodvfy"
	if _, err := os.Stat(program); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(program + " is missing: scripts/setup installs it")
		}
		t.Skip(program + " IS MISSING: nothing was validated; scripts/setup installs it")
	}
	out, _ := exec.Command(program, name).CombinedOutput()
	seen := false
	for line := range strings.Lines(string(out)) {
		seen = true
		if strings.HasPrefix(line, "Error") {
			t.Errorf("dciodvfy: %s", line)
		}
	}
	if !seen {
		t.Error("dciodvfy said nothing")
	}
}

// TestAnimation holds the frames of a GIF to what a viewer shows.
func TestAnimation(t *testing.T) {
	f, _ := written(t, sources(t)["gif grey"], Options{})
	if got := f.DataSet.Texts(tag.FrameTimeVector); strings.Join(got, " ") != "0 100 200" {
		t.Errorf("times %v", got)
	}
	e, _ := f.DataSet.Get(tag.PixelData)
	px := make([]byte, e.Len())
	if _, err := e.Reader().ReadAt(px, 0); err != nil {
		t.Fatal(err)
	}
	// A pixel outside the second frame, which is smaller, keeps what it had; one inside is black.
	outside, inside := 1, 6*20+7
	if a := px[outside]; a != 100 || px[200+outside] != a {
		t.Errorf("outside: %d, then %d", px[outside], px[200+outside])
	}
	if px[inside] == 0 || px[200+inside] != 0 {
		t.Errorf("inside: %d, then %d", px[inside], px[200+inside])
	}
}

// TestJoin makes frames of files, decoded and coded.
func TestJoin(t *testing.T) {
	b := sources(t)["jpeg"]
	for _, keep := range []bool{false, true} {
		o := Options{Keep: keep}
		var parts []*Object
		for range 3 {
			p, err := Read(bytes.NewReader(b), int64(len(b)), o)
			if err != nil {
				t.Fatal(err)
			}
			parts = append(parts, p)
		}
		ob, err := Join(parts, o)
		if err != nil {
			t.Fatal(err)
		}
		ds, err := ob.Attributes(new(dicom.DataSet), true)
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		if err := ob.Write(&out, ds, uid.ExplicitVRLittleEndian, false); err != nil {
			t.Fatal(err)
		}
		f, err := part10.NewFile(bytes.NewReader(out.Bytes()), int64(out.Len()), dicom.DecodeOptions{OnFlaw: dicom.Strict})
		if err != nil {
			t.Fatal(err)
		}
		src, err := pixel.Frames(f.DataSet, f.Syntax, pixel.Limits{})
		if err != nil || src.Len() != 3 {
			t.Fatalf("%d frames, %v", src.Len(), err)
		}
		for i := range 3 {
			coded, err := src.Frame(t.Context(), i, nil)
			if err != nil {
				t.Fatal(err)
			}
			if _, _, err := src.Decode(i, coded, nil); err != nil || keep && !bytes.Equal(coded[:len(b)], b) {
				t.Errorf("frame %d: %v", i, err)
			}
		}
		if len(src.Flaws()) > 0 {
			t.Error(src.Flaws())
		}
	}
	small := encoded(t, func(w *bytes.Buffer) error { return jpeg.Encode(w, image.NewGray(image.Rect(0, 0, 8, 8)), nil) })
	one, _ := Read(bytes.NewReader(b), int64(len(b)), Options{})
	two, _ := Read(bytes.NewReader(small), int64(len(small)), Options{})
	if _, err := Join([]*Object{one, two}, Options{}); err == nil {
		t.Error("pictures of different sizes were joined")
	}
}

// TestRefused has files that become nothing, and what is said of them.
func TestRefused(t *testing.T) {
	files := sources(t)
	png := files["png"]
	huge := bytes.Clone(png)
	binary.BigEndian.PutUint32(huge[16:], 60000)
	binary.BigEndian.PutUint32(huge[20:], 60000)
	for name, c := range map[string]struct {
		b    []byte
		o    Options
		want string
	}{
		"text":        {[]byte("hello, world"), Options{}, "is no JPEG"},
		"empty":       {nil, Options{}, "is no JPEG"},
		"huge":        {huge, Options{}, "PNG: "},
		"limit":       {png, Options{Limit: 1000}, "more than 1000 bytes"},
		"gif limit":   {files["gif"], Options{Limit: 20 * 10 * 8 * 2}, "3 frames"},
		"cut":         {png[:100], Options{}, "PNG: "},
		"cut jpeg":    {files["jpeg"][:30], Options{}, "JPEG: "},
		"JFIF":        {files["jpeg"], Options{JPEG: JPEGOptions{NeedJFIF: true}}, "no JFIF header"},
		"main":        {movie("avc1", avc(77, 30)), Options{}, "profile 77"},
		"level":       {movie("avc1", avc(100, 51)), Options{}, "level 5.1"},
		"hevc":        {movie("hvc1", hevc(4, 120)), Options{}, "profile 4"},
		"other video": {movie("vp09", nil), Options{}, `"vp09"`},
		"no movie":    {inBox("ftyp", []byte("isom")), Options{}, "no movie header"},
	} {
		_, err := Read(bytes.NewReader(c.b), int64(len(c.b)), c.o)
		var format FormatError
		if !errors.As(err, &format) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

// FuzzRead must neither panic nor take more memory than the limit allows.
func FuzzRead(f *testing.F) {
	for _, b := range sources(f) {
		f.Add(b, true)
		f.Add(b, false)
	}
	f.Fuzz(func(t *testing.T, b []byte, keep bool) {
		o := Options{Keep: keep, Limit: 1 << 20}
		ob, err := Read(bytes.NewReader(b), int64(len(b)), o)
		if err != nil {
			return
		}
		if ob.native != nil && int64(len(ob.native)) != ob.Desc.FrameSize()*int64(ob.Desc.Frames) {
			t.Fatalf("%d bytes of %+v", len(ob.native), ob.Desc)
		}
		ds, err := ob.Attributes(new(dicom.DataSet), true)
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		if err := ob.Write(&out, ds, uid.ExplicitVRLittleEndian, false); err != nil {
			t.Fatal(err)
		}
		if _, err := part10.NewFile(bytes.NewReader(out.Bytes()), int64(out.Len()), dicom.DecodeOptions{OnFlaw: dicom.Strict}); err != nil {
			t.Fatal(err)
		}
	})
}
