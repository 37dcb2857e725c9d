package pixel

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gantry/dicom"
	"gantry/dicom/part10"
	"gantry/dicom/uid"
	"gantry/pixel/internal/codectest"
)

// try runs a reference program; it may fail, as it may on hostile files.
func try(t testing.TB, program string, args ...string) bool {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	return exec.CommandContext(ctx, program, args...).Run() == nil
}

// dcmtkDecoders are DCMTK's programs that decode a transfer syntax.
var dcmtkDecoders = map[uid.UID]string{
	uid.RLELossless: "/usr/bin/dcmdrle", uid.JPEGBaseline8Bit: "/usr/bin/dcmdjpeg", uid.JPEGExtended12Bit: "/usr/bin/dcmdjpeg",
	uid.JPEGLossless: "/usr/bin/dcmdjpeg", uid.JPEGLosslessSV1: "/usr/bin/dcmdjpeg",
	uid.JPEGLSLossless: "/usr/bin/dcmdjpls", uid.JPEGLSNearLossless: "/usr/bin/dcmdjpls",
}

// siblings are files of the same image in a form that some reference can read.
var siblings = map[string]string{
	"liver_deflate.dcm": "liver.dcm", "liver_rle.dcm": "liver.dcm", "liver_j2k.dcm": "liver.dcm",
	"liver_nonbyte_aligned_deflate.dcm": "liver_nonbyte_aligned.dcm", "liver_nonbyte_aligned_rle.dcm": "liver_nonbyte_aligned.dcm",
	"liver_nonbyte_aligned_j2k.dcm": "liver_nonbyte_aligned.dcm",
}

// reference returns the pixels that another program, or another file, has for a sample,
// in the layout of this package.
func reference(t testing.TB, name string, s *Source) ([]byte, string) {
	if other, ok := siblings[path.Base(name)]; ok {
		return nativePixels(t, codectest.SamplePath(path.Join(path.Dir(name), other))), other
	}
	args := []string{codectest.SamplePath(name), filepath.Join(t.TempDir(), "out.dcm")}
	if path.Base(name) == "SC_rgb_jpeg_lossy_gdcm.dcm" { // colour differences, whatever the data set says
		args = append([]string{"+ca"}, args...)
	}
	if tool, ok := dcmtkDecoders[s.Syntax()]; ok && try(t, tool, args...) {
		return nativePixels(t, args[len(args)-1]), path.Base(tool)
	}
	switch s.Syntax() {
	case uid.JPEG2000, uid.JPEG2000Lossless, uid.HTJ2K, uid.HTJ2KLossless, uid.HTJ2KLosslessRPCL:
		return openJPEG(t, s), "opj_decompress"
	case uid.JPEGXL, uid.JPEGXLLossless, uid.JPEGXLJPEGRecompression:
		return libjxl(t, s), "djxl"
	case uid.ExplicitVRLittleEndian:
		return libjpeg(t, s), "djpeg"
	}
	return nil, ""
}

// libjxl decodes all frames of images of 8 bits.
func libjxl(t testing.TB, s *Source) (out []byte) {
	in, ppm := filepath.Join(t.TempDir(), "in.jxl"), filepath.Join(t.TempDir(), "out.ppm")
	for i := range s.Len() {
		b, err := s.Frame(t.Context(), i, nil)
		if err != nil {
			return nil
		}
		os.WriteFile(in, b, 0o600)
		if !try(t, "/usr/bin/djxl", in, ppm) {
			return nil
		}
		px, _ := os.ReadFile(ppm)
		out = append(out, px[max(0, len(px)-int(s.Desc().FrameSize())):]...)
	}
	return out
}

// libjpeg decodes a grey image that no transfer syntax names.
func libjpeg(t testing.TB, s *Source) []byte {
	in, out := filepath.Join(t.TempDir(), "in.jpg"), filepath.Join(t.TempDir(), "out.pgm")
	b, err := s.Frame(t.Context(), 0, nil)
	if err != nil {
		return nil
	}
	os.WriteFile(in, b, 0o600)
	if !try(t, "/usr/bin/djpeg", "-dct", "int", "-pnm", "-outfile", out, in) {
		return nil
	}
	px, _ := os.ReadFile(out)
	return px[max(0, len(px)-int(s.Desc().FrameSize())):]
}

// nativePixels decodes a native file. The native way has tests of its own: TestSamples
// compares it with what dcmconv writes, TestNativeFrames with bits counted by hand.
func nativePixels(t testing.TB, name string) []byte {
	f, err := part10.Open(name, dicom.DecodeOptions{OnFlaw: func(dicom.Flaw) error { return nil }})
	if err != nil {
		return nil
	}
	defer f.Close()
	s, err := Frames(f.DataSet, f.Syntax, Limits{})
	if err != nil || s.Encapsulated() {
		return nil
	}
	px, _, err := decodeAll(t, s)
	if err != nil {
		return nil
	}
	return px
}

// openJPEG decodes all frames of JPEG 2000.
func openJPEG(t testing.TB, s *Source) (out []byte) {
	d := s.Desc()
	dir := t.TempDir()
	in, raw := filepath.Join(dir, "in.j2k"), filepath.Join(dir, "out.rawl")
	for i := range s.Len() {
		b, err := s.Frame(t.Context(), i, nil)
		if err != nil {
			return nil
		}
		if b[0] == 0 {
			in = filepath.Join(dir, "in.jp2")
		}
		os.WriteFile(in, b, 0o600)
		if !try(t, "/usr/bin/opj_decompress", "-i", in, "-o", raw) {
			return nil
		}
		px, err := os.ReadFile(raw)
		if err != nil || int64(len(px)) != d.FrameSize() {
			return nil
		}
		out = interleave(out, px, d)
	}
	return out
}

// rebuild lays decoded frames out as native pixel data is (PS3.5 8.1.1, PS3.3 C.7.6.3.1).
func rebuild(px []byte, s *Source) []byte {
	d := s.Desc()
	var out []byte
	cell := d.cell()
	n := int(d.FrameSize())
	bit := 0
	for i := range s.Len() {
		f := px[i*n:][:n]
		switch {
		case d.BitsAllocated == 1:
			for p := range d.pixels() {
				if bit%8 == 0 {
					out = append(out, 0)
				}
				out[bit/8] |= f[p/8] >> (p % 8) & 1 << (bit % 8)
				bit++
			}
		case s.half():
			for p := 0; p < d.pixels(); p += 2 {
				a, b := f[3*cell*p:][:3*cell], f[3*cell*(p+1):][:3*cell]
				out = append(append(append(out, a[:cell]...), b[:cell]...), a[cell:]...)
			}
		case d.Planar:
			for c := range d.Samples {
				for p := range d.pixels() {
					out = append(out, f[(p*d.Samples+c)*cell:][:cell]...)
				}
			}
		default:
			out = append(out, f...)
		}
	}
	return out
}

// likeNative reports whether dcmconv's Explicit VR Little Endian has the same bytes.
func likeNative(t testing.TB, name string, s *Source, px []byte) bool {
	out := filepath.Join(t.TempDir(), "out.dcm")
	if !try(t, "/usr/bin/dcmconv", "+te", codectest.SamplePath(name), out) {
		return false
	}
	f, err := part10.Open(out, dicom.DecodeOptions{})
	if err != nil {
		return false
	}
	defer f.Close()
	e, ok := pixelElement(f.DataSet)
	if !ok {
		return false
	}
	b, err := readElement(e, 0, e.Len(), nil)
	return err == nil && bytes.HasPrefix(b, rebuild(px, s))
}

// likeGDCM reports whether pixels have the digest that GDCM's have, in one of the layouts
// that it writes.
func likeGDCM(px []byte, s *Source, want string) bool {
	raw := rebuild(px, s)
	var bits []byte
	if s.Desc().BitsAllocated == 1 {
		n := int(s.Desc().FrameSize())
		for i := range s.Len() {
			for p := range s.Desc().pixels() {
				bits = append(bits, px[i*n+p/8]>>(p%8)&1)
			}
		}
	}
	for _, b := range [][]byte{px, raw, bits, append(bytes.Clone(px), 0), append(bytes.Clone(raw), 0)} {
		if codectest.Sum(b) == want {
			return true
		}
	}
	return false
}

// apart returns the largest difference of samples, -1 where there are not as many. Bits
// above the highest one mean nothing (PS3.5 8.1.1).
func apart(a, b []byte, d Desc) int {
	if len(a) == 0 || len(a) != len(b) {
		return -1
	}
	if bytes.Equal(a, b) {
		return 0
	}
	worst := 0
	for k := 0; k+d.cell() <= len(a) && d.cell() > 0; k += d.cell() {
		worst = max(worst, sample(a[k:], d)-sample(b[k:], d), sample(b[k:], d)-sample(a[k:], d))
	}
	return worst
}

func sample(b []byte, d Desc) int {
	v := 0
	switch d.cell() {
	case 1:
		v = int(b[0])
	case 2:
		v = int(binary.LittleEndian.Uint16(b))
	default:
		v = int(binary.LittleEndian.Uint32(b))
	}
	v = v >> (d.HighBit + 1 - d.BitsStored) & (1<<d.BitsStored - 1)
	if d.Signed && v >= 1<<(d.BitsStored-1) {
		v -= 1 << d.BitsStored
	}
	return v
}

// agreed names the programs that have the same pixels: GDCM, and the one of DCMTK that
// decodes the syntax, if it reads the file.
func agreed(t testing.TB, name string, s *Source, px []byte) string {
	tool, ok := dcmtkDecoders[s.Syntax()]
	out := filepath.Join(t.TempDir(), "out.dcm")
	if !ok || !try(t, tool, codectest.SamplePath(name), out) {
		return "GDCM"
	}
	if w := apart(px, nativePixels(t, out), s.Desc()); w != 0 {
		return fmt.Sprintf("GDCM, UNDECIDED: %s is %d off", path.Base(tool), w)
	}
	return "GDCM, " + path.Base(tool)
}

// compared says how near the pixels are to those of a reference.
func compared(t testing.TB, name, gdcm string, s *Source, px []byte, d Decoded) string {
	said := fmt.Sprintf("%d frames, %s, %s:%d", s.Len(), d.Photometric, sum(px), len(px))
	if likeGDCM(px, s, gdcm) {
		return "exact\t" + agreed(t, name, s, px) + "\t" + said
	}
	if !s.Encapsulated() && likeNative(t, name, s, px) {
		return "exact\tdcmconv\t" + said
	}
	ref, tool := reference(t, name, s)
	switch w := apart(px, ref, s.Desc()); {
	case w == 0:
		return "exact\t" + tool + "\t" + said
	case w > 0 && d.Lossy && w <= 2:
		return fmt.Sprintf("within %d\t%s\t%s", w, tool, said)
	default:
		return fmt.Sprintf("UNDECIDED %d\t%s\t%s", w, tool, said)
	}
}

func clean(err error) string {
	return strings.ReplaceAll(strings.ReplaceAll(err.Error(), os.Getenv("GANTRY_SAMPLES")+"/", ""), "\n", " ")
}
