package render

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"gantry/dicom"
	"gantry/dicom/part10"
	"gantry/dicom/tag"
	"gantry/dicom/uid"
	"gantry/pixel"
)

// programs are DCMTK's renderers by transfer syntax; what they do not know is left out.
var programs = map[uid.UID]string{
	uid.ImplicitVRLittleEndian: "dcm2pnm", uid.ExplicitVRLittleEndian: "dcm2pnm", uid.ExplicitVRBigEndian: "dcm2pnm", uid.RLELossless: "dcm2pnm",
	uid.JPEGBaseline8Bit: "dcmj2pnm", uid.JPEGExtended12Bit: "dcmj2pnm", uid.JPEGLossless: "dcmj2pnm", uid.JPEGLosslessSV1: "dcmj2pnm",
	uid.JPEGLSLossless: "dcml2pnm", uid.JPEGLSNearLossless: "dcml2pnm",
}

const largest = 600 << 10 // bytes of the files compared: each costs a start of a program

// TestSamples compares the first frame of each real file with DCMTK's picture of it: with
// its own window, else its own VOI LUT, else from the least to the greatest value. They may
// be one level apart. testdata/differences.tsv says where they are not, and why.
func TestSamples(t *testing.T) {
	if missing := unavailable(); missing != "" {
		if os.Getenv("CI") != "" {
			t.Fatal(missing)
		}
		t.Skip(missing)
	}
	known := differences(t)
	var mu sync.Mutex
	compared, seen := 0, map[string]bool{}
	var wait sync.WaitGroup
	names := make(chan [2]string)
	for range 4 {
		wait.Go(func() {
			for n := range names {
				got := compare(n[0], n[1])
				mu.Lock()
				if got != "left out" {
					compared, seen[n[0]] = compared+1, true
				}
				if want := known[n[0]]; got != "left out" && (got == "") != (want == "") {
					t.Errorf("%s\t%s (expected: %q)", n[0], got, want)
				}
				mu.Unlock()
			}
		})
	}
	for _, n := range list(t) {
		names <- n
	}
	close(names)
	wait.Wait()
	if t.Logf("%d files compared", compared); compared < 100 {
		t.Errorf("only %d files were compared", compared)
	}
	for n := range known {
		if !seen[n] {
			t.Errorf("%s is in differences.tsv, but was not compared", n)
		}
	}
}

func unavailable() string {
	if os.Getenv("GANTRY_SAMPLES") == "" {
		return "GANTRY_SAMPLES IS NOT SET: no real file was rendered"
	}
	for _, p := range programs {
		if _, err := os.Stat("/usr/bin/" + p); err != nil {
			return "/usr/bin/" + p + " IS MISSING: nothing was compared with it; scripts/setup installs it"
		}
	}
	return ""
}

// differences reads the table of files that are expected to differ.
func differences(t *testing.T) map[string]string {
	b, err := os.ReadFile("testdata/differences.tsv")
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for line := range strings.Lines(string(b)) {
		name, reason, ok := strings.Cut(strings.TrimSpace(line), "\t")
		if ok && !strings.HasPrefix(line, "#") {
			out[name] = reason
		}
	}
	return out
}

// list returns names and programs of the files that DCMTK might render.
func list(t *testing.T) (out [][2]string) {
	b, err := os.ReadFile(filepath.Join(os.Getenv("GANTRY_SAMPLES"), "MANIFEST.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	sums := map[string]bool{}
	for line := range strings.Lines(string(b)) {
		col := strings.Split(line, "\t")
		if len(col) > 13 && col[13] != "" && programs[uid.UID(col[9])] != "" && !sums[col[1]] {
			sums[col[1]] = true
			out = append(out, [2]string{col[0], "/usr/bin/" + programs[uid.UID(col[9])]})
		}
	}
	return out
}

// compare says how our picture differs from the program's, or that it was left out: the
// file is large, or the program cannot render it.
func compare(name, program string) string {
	path := filepath.Join(os.Getenv("GANTRY_SAMPLES"), name)
	if info, err := os.Stat(path); err != nil || info.Size() > largest {
		return "left out"
	}
	f, err := part10.Open(path, dicom.DecodeOptions{OnFlaw: func(dicom.Flaw) error { return nil }})
	if err != nil {
		return "left out"
	}
	defer f.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	want, err := exec.CommandContext(ctx, program, append(arguments(f.DataSet), path)...).Output()
	if err != nil || len(want) == 0 {
		return "left out"
	}
	src, err := pixel.Frames(f.DataSet, f.Syntax, pixel.Limits{})
	if err != nil {
		return err.Error()
	}
	got, err := Frame(ctx, f.DataSet, src, 0, Options{Window: given(f.DataSet)})
	if err != nil {
		return err.Error()
	}
	return distance(got, want)
}

// arguments asks for what our options mean.
func arguments(ds *dicom.DataSet) []string {
	voi := []string{"+Wm"}
	switch {
	case given(ds) != nil:
		voi = []string{"+Ww", "40", "400"}
	case hasWindow(ds):
		voi = []string{"+Wi", "1"}
	case hasTable(ds):
		voi = []string{"+Wl", "1"}
	}
	return append(voi, "-q", "+op")
}

func hasWindow(ds *dicom.DataSet) bool {
	w, err := storedWindow(ds)
	return err == nil && w != nil
}

func hasTable(ds *dicom.DataSet) bool {
	_, ok := table(ds, tag.VOILUTSequence)
	return ok
}

// given is a window where an automatic one could not be compared, nil elsewhere: DCMTK does
// not leave out Pixel Padding, and knows no window of a functional group.
func given(ds *dicom.DataSet) *Window {
	if ds.Has(tag.SharedFunctionalGroupsSequence) || ds.Has(tag.PixelPaddingValue) && !hasWindow(ds) {
		return &Window{Center: 40, Width: 400}
	}
	return nil
}

// distance compares a picture with a PGM or PPM file of 8 bits.
func distance(m image.Image, pnm []byte) string {
	r := bufio.NewReader(bytes.NewReader(pnm))
	width, height, channels, err := header(r)
	if err != nil {
		return err.Error()
	}
	if b := m.Bounds(); b.Dx() != width || b.Dy() != height {
		return fmt.Sprintf("%v, want %d x %d", b, width, height)
	}
	want, err := io.ReadAll(r)
	if err != nil || len(want) != width*height*channels {
		return fmt.Sprintf("%d bytes of samples: %v", len(want), err)
	}
	return compareSamples(plain(m, channels), want)
}

func header(r *bufio.Reader) (width, height, channels int, err error) {
	var kind, top int
	var comment string
	if _, err = fmt.Fscanf(r, "P%d\n", &kind); err != nil {
		return
	}
	if b, _ := r.Peek(1); string(b) == "#" {
		comment, err = r.ReadString('\n')
	}
	_, err2 := fmt.Fscan(r, &width, &height, &top)
	if _, err3 := r.Discard(1); err2 != nil || err3 != nil || top != 255 {
		return 0, 0, 0, errors.Join(err, fmt.Errorf("P%d %s, values up to %d: %w", kind, comment, top, err2))
	}
	return width, height, map[int]int{5: 1, 6: 3}[kind], err
}

// plain returns the samples of a picture, one or three a pixel.
func plain(m image.Image, channels int) (out []byte) {
	b := m.Bounds()
	for y := range b.Dy() {
		for x := range b.Dx() {
			r, g, b, _ := m.At(x, y).RGBA()
			out = append(out, []byte{byte(r >> 8), byte(g >> 8), byte(b >> 8)}[:channels]...)
		}
	}
	return out
}

func compareSamples(got, want []byte) string {
	worst, off := 0, 0
	for i := range want {
		if d := max(int(got[i])-int(want[i]), int(want[i])-int(got[i])); d > 1 {
			worst, off = max(worst, d), off+1
		}
	}
	if off == 0 {
		return ""
	}
	return fmt.Sprintf("%d of %d samples differ, by %d levels at most", off, len(want), worst)
}
