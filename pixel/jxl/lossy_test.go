package jxl

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gantry/dicom/uid"
	"gantry/pixel/internal/codectest"
)

// distance is the largest and the mean difference of two images.
func distance(a, b []byte, bytes int) (most int, mean float64) {
	for i := 0; i+bytes <= len(a); i += bytes {
		x, y := int(a[i]), int(b[i])
		if bytes == 2 {
			x, y = x|int(a[i+1])<<8, y|int(b[i+1])<<8
		}
		d := max(x-y, y-x)
		most = max(most, d)
		mean += float64(d)
	}
	return most, mean / float64(len(a)/bytes)
}

// near decodes a stream and compares it with what libjxl makes of it.
func near(t *testing.T, src []byte, allowed int, what string) {
	t.Helper()
	got, info, err := Decode(nil, src, DecodeOptions{})
	if err != nil {
		t.Errorf("%s: %v", what, err)
		return
	}
	want := reference(t, src, info.Components == 1, fmt.Sprintf("--bits_per_sample=%d", info.SampleBytes()*8))
	if len(got) != len(want) || !info.Lossy {
		t.Fatalf("%s: %+v: %d bytes, want %d", what, info, len(got), len(want))
	}
	if most, mean := distance(got, want, info.SampleBytes()); most > allowed {
		t.Errorf("%s: differs by %d, in the mean by %.3f", what, most, mean)
	}
}

// TestLossy decodes what the encoder's options make of an image, nearly as libjxl does.
func TestLossy(t *testing.T) {
	for k, args := range []string{
		"-e 3 --epf=0 --gaborish=0", "-e 3 --epf=0", "-e 3", "-e 7 --epf=1", "-e 7 --epf=3", "-d 3", "-d 8", "-d 25", "-d 0.01", "-d 0.3 -e 8",
		"-e 1", "-e 2", "-e 9", "-p", "--progressive_dc=1", "--progressive_dc=2", "--progressive_ac", "--qprogressive_ac", "--group_order=1",
		"--photon_noise=ISO3200", "--patches=1 --dots=1 -e 8", "--faster_decoding=4", "--intensity_target=1000",
		"-m 1", "-m 1 -d 3 --modular_lossy_palette --modular_palette_colors=0", "-m 1 -e 3 -R 1",
	} {
		m := []codectest.Image{
			{Width: 301, Height: 270, Samples: 3, Allocated: 8, Stored: 8},
			{Width: 140, Height: 333, Samples: 1, Allocated: 8, Stored: 8},
			{Width: 140, Height: 133, Samples: 1, Allocated: 16, Stored: 16},
		}
		for i := range m {
			if i == 0 || (k+i)%2 == 0 {
				near(t, theirs(t, m[i], m[i].CT(5), args), map[int]int{8: 1, 16: 4}[m[i].Stored], fmt.Sprintf("%s x%d", args, m[i].Samples))
			}
		}
	}
}

// jpegs are JPEG files of several shapes.
func jpegs(t *testing.T) map[string][]byte {
	out := map[string][]byte{}
	for _, m := range []codectest.Image{
		{Width: 301, Height: 270, Samples: 3, Allocated: 8, Stored: 8},
		{Width: 140, Height: 133, Samples: 1, Allocated: 8, Stored: 8},
	} {
		for _, args := range []string{"-quality 90 -sample 1x1", "-quality 75 -sample 2x2", "-quality 80 -sample 2x1 -optimize", "-quality 60 -progressive -sample 1x2", "-quality 85 -restart 1"} {
			out[fmt.Sprintf("%s x%d", args, m.Samples)] = cjpeg(t, pnm(m, m.CT(7)), args)
		}
		plain := cjpeg(t, pnm(m, m.CT(8)), "-quality 70")
		out[fmt.Sprintf("segments x%d", m.Samples)] = slices.Concat(plain[:2], exif(1), segment(0xE1, "http://ns.adobe.com/xap/1.0/\x00<x:xmpmeta/>"), segment(0xFE, "words"), plain[2:], []byte("behind"))
	}
	return out
}

// segment is one of a JPEG file.
func segment(m byte, body string) []byte {
	return append([]byte{0xFF, m, byte((len(body) + 2) >> 8), byte(len(body) + 2)}, body...)
}

// exif says which side of an image is up.
func exif(orientation byte) []byte {
	return segment(0xE1, "Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00"+string([]byte{orientation})+"\x00\x00\x00\x00\x00\x00")
}

func cjpeg(t testing.TB, in []byte, args string) []byte {
	dir := t.TempDir()
	from, to := filepath.Join(dir, "in.pnm"), filepath.Join(dir, "out.jpg")
	if err := os.WriteFile(from, in, 0o600); err != nil {
		t.Fatal(err)
	}
	codectest.Run(t, codectest.Tool(t, "/usr/bin/cjpeg"), append(strings.Fields(args), "-outfile", to, from)...)
	b, err := os.ReadFile(to)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestJPEGPixels shows images of JPEG files that libjxl packed.
func TestJPEGPixels(t *testing.T) {
	for name, file := range jpegs(t) {
		src := convert(t, cjxl, "in.jpg", file, "out.jxl", "--lossless_jpeg=1")
		near(t, src, 1, name)
	}
}

// TestJPEG rebuilds the JPEG files that libjxl packed, byte for byte.
func TestJPEG(t *testing.T) {
	for name, file := range jpegs(t) {
		for _, args := range []string{"--lossless_jpeg=1", "--lossless_jpeg=1 --jpeg_reconstruction_cfl=0"} {
			src := convert(t, cjxl, "in.jpg", file, "out.jxl", args)
			got, err := JPEG([]byte{7}, src, DecodeOptions{})
			if err != nil || !bytes.Equal(got[1:], file) {
				n := 0
				for n < min(len(got)-1, len(file)) && got[n+1] == file[n] {
					n++
				}
				t.Errorf("%s, %s: %v, %d bytes of %d, the first %d are right", name, args, err, len(got)-1, len(file), n)
			}
		}
	}
}

// TestJPEGSamples rebuilds the JPEG files of real objects.
func TestJPEGSamples(t *testing.T) {
	for _, s := range codectest.Samples(t, uid.JPEGXLJPEGRecompression) {
		for i, src := range s.Frames[:min(len(s.Frames), 5)] {
			got, err := JPEG(nil, src, DecodeOptions{})
			if want := convert(t, djxl, "in.jxl", src, "out.jpg", ""); err != nil || !bytes.Equal(got, want) {
				t.Errorf("%s, frame %d: %v, %d bytes, want %d", s.Name, i+1, err, len(got), len(want))
			}
		}
	}
}
