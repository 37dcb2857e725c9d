package compat

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"image"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/image/bmp"

	"gantry/dicom"
	"gantry/dicom/part10"
	"gantry/dicom/tag"
	"gantry/internal/cli/verb"
)

// renderings are options to compare pictures with.
var renderings = []string{"", "+Wm", "+Wn", "+Wh 5", "+Wr 2 3 10 12", "+Ww 40 400", "+Ww 40 400 +Wfs", "-M +Wm", "-M", "+Wi 1", "+Pid +Ww 100 300", "+Piv +Ww 100 300",
	"+Rl", "+Rr", "+Rtd", "+Lh", "+Lv", "+Lhv", "+C 5 6 20 22", "+P", "+Sxf 2 -a", "+Pod",
	"+Sxf 0.5", "+Sxf 0.3", "+Sxf 1.5", "+Sxv 40", "+Syv 100", "+i 1 +Sxf 0.4", "+i 2 +Sxf 2"}

// apartFrom are options by which files are not compared. DCMTK rounds values behind the
// modality LUT: what is counted there, or shown in a narrow window, is up to 6 levels off.
var apartFrom = map[string][]string{
	"MR-JPEGLosslessSV1.dcm": {"+Wh 5"},
	"MR4_JLSL":               {"+Ww 40 400", "+Pid +Ww 100 300", "+Piv +Ww 100 300"},
}

// TestDcm2pnm compares pictures with those of DCMTK's programs, made of real files by many
// options: no sample may be more than one level apart, or three where pictures are scaled, as
// DCMTK scales before it converts colours.
func TestDcm2pnm(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	n, apart := 0, map[string]int{}
	for _, c := range renderable(t) {
		for _, options := range renderings {
			if slices.Contains(apartFrom[filepath.Base(c.name)], options) {
				continue
			}
			args := append(strings.Fields(options), "-O", "+op", c.path)
			want, err := exec.Command(dcmtk(t, c.program), append([]string{"-q"}, args...)...).Output()
			if err != nil || len(want) == 0 {
				continue // it cannot, or the file has no such window
			}
			out := filepath.Join(dir, "ours.pnm")
			os.Remove(out)
			got, said := ours(c.program, append(args, out), out)
			if n++; got == nil {
				t.Errorf("%s %s %s: %s", c.program, options, c.name, said)
			} else if d := distance(got, want, allowed(options)); d != "" {
				apart[options]++
				t.Errorf("%s %s %s: %s", c.program, options, c.name, d)
			}
		}
	}
	t.Logf("%d pictures compared; apart: %v", n, apart)
	if n < 250 {
		t.Errorf("only %d pictures were compared", n)
	}
}

func ours(program string, args []string, out string) ([]byte, string) {
	p, _ := Lookup(program)
	var said bytes.Buffer
	code := p.Main(context.Background(), args, &verb.Stdio{In: &bytes.Buffer{}, Out: &said, Err: &said})
	b, err := os.ReadFile(out)
	if code != 0 || err != nil {
		return nil, fmt.Sprintf("exit %d, %s", code, said.String())
	}
	return b, ""
}

func allowed(options string) int {
	if strings.Contains(options, "+S") {
		return 3
	}
	return 1
}

// distance says how binary PNM files differ by more levels than are allowed.
func distance(got, want []byte, allowed int) string {
	a, px := header(got)
	b, wanted := header(want)
	if a != b || len(px) != len(wanted) {
		return fmt.Sprintf("%s of %d bytes, want %s of %d", a, len(px), b, len(wanted))
	}
	worst, off := 0, 0
	for i := range px {
		if d := max(int(px[i])-int(wanted[i]), int(wanted[i])-int(px[i])); d > allowed {
			worst, off = max(worst, d), off+1
		}
	}
	if off == 0 {
		return ""
	}
	return fmt.Sprintf("%d of %d samples differ, by %d levels at most", off, len(px), worst)
}

// header splits a PNM file behind its three lines.
func header(b []byte) (string, []byte) {
	lines := bytes.SplitN(b, []byte("\n"), 4)
	if len(lines) < 4 {
		return "no header", nil
	}
	return string(bytes.Join(lines[:3], []byte(" "))), lines[3]
}

type sampleImage struct{ name, path, program string }

// renderable are small files, a few of each kind of image and transfer syntax. Their values
// are what DCMTK takes for them too: no functional groups, no padding, no wrong descriptor.
func renderable(t *testing.T) (out []sampleImage) {
	root := os.Getenv("GANTRY_SAMPLES")
	if root == "" {
		if os.Getenv("CI") != "" {
			t.Fatal("GANTRY_SAMPLES is not set")
		}
		t.Skip("GANTRY_SAMPLES IS NOT SET: no real file was rendered")
	}
	f, err := os.Open(filepath.Join(root, "MANIFEST.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r := csv.NewReader(f)
	r.Comma, r.LazyQuotes, r.FieldsPerRecord = '\t', true, -1
	rows, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	known, err := os.ReadFile("../../../pixel/render/testdata/differences.tsv")
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string]int{}
	for _, row := range rows[1:] {
		if len(row) < 14 || row[13] == "" || len(row[2]) > 6 || row[2] > "300000" && len(row[2]) == 6 {
			continue
		}
		program := programOf(row[10])
		shape := strings.Split(row[13], "x")
		if program == "" || len(shape) < 8 {
			continue
		}
		kind := program + strings.Join(shape[3:], "x")
		path := filepath.Join(root, row[0])
		if kinds[kind] >= 1 || unfit(shape) || strings.Contains(string(known), row[0]+"\t") || !plain(path) {
			continue
		}
		kinds[kind]++
		out = append(out, sampleImage{row[0], path, program})
	}
	return out
}

// unfit are images that the options' regions do not fit. Very large ones take too long.
func unfit(shape []string) bool {
	return len(shape[0]) > 3 || len(shape[1]) > 3 || len(shape[0]) < 2 || len(shape[1]) < 2 || len(shape[0]) == 2 && shape[0] < "32" || len(shape[1]) == 2 && shape[1] < "32"
}

func programOf(syntax string) string {
	switch {
	case strings.HasPrefix(syntax, "JPEG-LS"):
		return "dcml2pnm"
	case strings.Contains(syntax, "VR Little Endian") && !strings.Contains(syntax, "Deflated"), strings.HasPrefix(syntax, "RLE"):
		return "dcm2pnm"
	case strings.HasPrefix(syntax, "JPEG Baseline"), strings.HasPrefix(syntax, "JPEG Lossless"):
		return "dcmj2pnm"
	}
	return ""
}

func plain(path string) bool {
	f, err := part10.Open(path, dicom.DecodeOptions{})
	if err != nil {
		return false
	}
	defer f.Close()
	odd := []tag.Tag{tag.SharedFunctionalGroupsSequence, tag.PixelPaddingValue, tag.VOILUTSequence, tag.ModalityLUTSequence, tag.PresentationLUTShape}
	return !slices.ContainsFunc(odd, f.DataSet.Has) && f.DataSet.Text(tag.PhotometricInterpretation) != "YBR_PARTIAL_420"
}

// TestPictureFiles decodes the other formats, and compares plain PNM and BMP files with
// DCMTK's byte by byte.
func TestPictureFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	images := renderable(t)
	i := slices.IndexFunc(images, func(c sampleImage) bool { return c.program == "dcm2pnm" })
	if i < 0 {
		t.Fatal("no image")
	}
	out, reference := filepath.Join(dir, "a"), filepath.Join(dir, "b")
	for _, options := range []string{"+obr", "+obt", "+ob", "+obp"} {
		args := append(strings.Fields(options), "-O", images[i].path)
		if b, err := exec.Command(dcmtk(t, "dcm2pnm"), append(args, reference)...).CombinedOutput(); err != nil {
			t.Fatalf("%s", b)
		}
		got, said := ours("dcm2pnm", append(args, out), out)
		if got == nil {
			t.Fatalf("%s: %s", options, said)
		}
		want, err := os.ReadFile(reference)
		if err != nil {
			t.Fatal(err)
		}
		a, err := bmp.Decode(bytes.NewReader(got))
		if err != nil {
			t.Fatalf("%s: %v", options, err)
		}
		b, err := bmp.Decode(bytes.NewReader(want))
		if err != nil || a.Bounds() != b.Bounds() || len(got) != len(want) {
			t.Fatalf("%s: %v and %v, %d and %d bytes, %v", options, a.Bounds(), b.Bounds(), len(got), len(want), err)
		}
		if d := apart(a, b); d > 1 {
			t.Errorf("%s: %d levels apart", options, d)
		}
	}
}

func apart(a, b image.Image) (worst int) {
	for y := range a.Bounds().Dy() {
		for x := range a.Bounds().Dx() {
			p, _, _, _ := a.At(x, y).RGBA()
			q, _, _, _ := b.At(x, y).RGBA()
			worst = max(worst, int(p>>8)-int(q>>8), int(q>>8)-int(p>>8))
		}
	}
	return worst
}

// TestPartial takes what can be decoded of a damaged frame with +wi, and says so; without it is
// an error.
func TestPartial(t *testing.T) {
	root := os.Getenv("GANTRY_SAMPLES")
	if root == "" {
		if os.Getenv("CI") != "" {
			t.Fatal("GANTRY_SAMPLES is not set")
		}
		t.Skip("GANTRY_SAMPLES IS NOT SET: no real file was damaged")
	}
	dir := t.TempDir()
	packed, damaged, out := filepath.Join(dir, "packed.dcm"), filepath.Join(dir, "damaged.dcm"), filepath.Join(dir, "out")
	for _, c := range [][3]string{{"dcmcjpls", "dcmdjpls", "dcml2pnm"}, {"dcmcjpeg", "dcmdjpeg", "dcmj2pnm"}} {
		b, said := ours(c[0], []string{filepath.Join(root, "pydicom+pydicom/src/pydicom/data/test_files/MR_small.dcm"), packed}, packed)
		if b == nil {
			t.Fatal(said)
		}
		clear(b[len(b)*9/10 : len(b)-4]) // of the frame, which is last
		copy(b[len(b)*9/10:], []byte{0xff, 0xd9})
		if err := os.WriteFile(damaged, b, 0o600); err != nil {
			t.Fatal(err)
		}
		for _, program := range c[1:] {
			if program == "dcml2pnm" { // knows no +wi
				continue
			}
			os.Remove(out)
			if _, said := ours(program, []string{damaged, out}, out); !strings.Contains(said, "exit 1") {
				t.Errorf("%s: %s", program, said)
			}
			p, _ := Lookup(program)
			var said bytes.Buffer
			code := p.Main(context.Background(), []string{"+wi", damaged, out}, &verb.Stdio{In: &bytes.Buffer{}, Out: &said, Err: &said})
			if info, err := os.Stat(out); code != 0 || err != nil || info.Size() < 4096 || !strings.Contains(said.String(), "missing") {
				t.Errorf("%s +wi: exit %d, %v, %s", program, code, err, said.String())
			}
		}
	}
}
