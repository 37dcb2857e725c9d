package render

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"image"
	"image/jpeg"
	"image/png"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"gantry/dicom/tag"
	"gantry/dicom/vr"
)

// iccProfile is a profile in form only, of n bytes.
func iccProfile(space string, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i * i >> 3)
	}
	binary.BigEndian.PutUint32(b, uint32(n))
	copy(b[16:], space)
	copy(b[36:], "acsp")
	return b
}

// TestProfile finds profiles in data sets.
func TestProfile(t *testing.T) {
	p := iccProfile("RGB ", 201)
	padded := append(bytes.Clone(p), 0)
	top := build(t, edit().SetBytes(tag.ICCProfile, vr.OB, padded))
	path := build(t, edit().SetItems(tag.OpticalPathSequence, top))
	if got, err := Profile(top); err != nil || !bytes.Equal(got, p) {
		t.Errorf("%d bytes: %v", len(got), err)
	}
	if got, err := Profile(path); err != nil || !bytes.Equal(got, p) {
		t.Errorf("optical path: %d bytes: %v", len(got), err)
	}
	if got, err := Profile(build(t, edit())); got != nil || err != nil {
		t.Errorf("none: %d bytes: %v", len(got), err)
	}
	long := bytes.Clone(padded)
	long[0] = 0xFF // longer than the value
	for _, c := range []struct {
		want string
		b    []byte
	}{{"132 to", make([]byte, 100)}, {"does not begin", make([]byte, 200)}, {"does not begin", long}} {
		if _, err := Profile(build(t, edit().SetBytes(tag.ICCProfile, vr.OB, c.b))); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %v", c.want, err)
		}
	}
}

func somePicture() *image.RGBA {
	m := image.NewRGBA(image.Rect(0, 0, 9, 7))
	for i := range m.Pix {
		m.Pix[i] = byte(i*5) | byte(i%4/3*255)
	}
	return m
}

// TestPNGProfile reads the chunk back, and the picture.
func TestPNGProfile(t *testing.T) {
	p, m := iccProfile("RGB ", 5000), somePicture()
	var b bytes.Buffer
	if err := EncodePNG(&b, m, p); err != nil {
		t.Fatal(err)
	}
	chunk := b.Bytes()[33:]
	n := binary.BigEndian.Uint32(chunk)
	body, ok := bytes.CutPrefix(chunk[4:8+n], []byte("iCCPICC profile\x00\x00"))
	if !ok {
		t.Fatalf("%q", chunk[:24])
	}
	z, err := zlib.NewReader(bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(z); err != nil || !bytes.Equal(got, p) {
		t.Errorf("%d bytes: %v", len(got), err)
	}
	got, err := png.Decode(&b) // checks the sums of chunks too
	if err != nil || !bytes.Equal(inColour(got).Pix, m.Pix) {
		t.Error("another picture", err)
	}
}

// TestJPEGProfile has libjpeg-turbo take the profile out of two markers.
func TestJPEGProfile(t *testing.T) {
	const djpeg = "/usr/bin/djpeg"
	if _, err := os.Stat(djpeg); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip(djpeg + " IS MISSING: scripts/setup installs it")
	}
	dir := t.TempDir()
	p := iccProfile("RGB ", 100_000)
	var b bytes.Buffer
	if err := EncodeJPEG(&b, somePicture(), 90, p); err != nil {
		t.Fatal(err)
	}
	if _, err := jpeg.Decode(bytes.NewReader(b.Bytes())); err != nil {
		t.Error(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "in.jpg"), b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(djpeg, "-icc", filepath.Join(dir, "out.icc"), "-outfile", filepath.Join(dir, "out.ppm"), filepath.Join(dir, "in.jpg")).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if got, err := os.ReadFile(filepath.Join(dir, "out.icc")); err != nil || !bytes.Equal(got, p) {
		t.Errorf("%d bytes: %v", len(got), err)
	}
}

// TestProfileOfOthers checks that a profile goes only with the pictures that it is for.
func TestProfileOfOthers(t *testing.T) {
	grey := image.NewGray(image.Rect(0, 0, 3, 3))
	for _, c := range []struct {
		m     image.Image
		space string
		want  bool
	}{{grey, "RGB ", false}, {grey, "GRAY", true}, {somePicture(), "GRAY", false}, {somePicture(), "RGB ", true}, {somePicture(), "CMYK", false}} {
		var p, j bytes.Buffer
		if err := EncodePNG(&p, c.m, iccProfile(c.space, 200)); err != nil {
			t.Fatal(err)
		}
		if err := EncodeJPEG(&j, c.m, 80, iccProfile(c.space, 200)); err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(p.Bytes(), []byte("iCCP")) != c.want || bytes.Contains(j.Bytes(), []byte("ICC_PROFILE")) != c.want {
			t.Errorf("%T with %q", c.m, c.space)
		}
	}
}
