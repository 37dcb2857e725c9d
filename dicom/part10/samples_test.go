package part10_test

import (
	"bytes"
	"compress/flate"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gantry/dicom"
	"gantry/dicom/dict"
	"gantry/dicom/part10"
	"gantry/dicom/tag"
	"gantry/dicom/uid"
	"gantry/dicom/vr"
)

// samples returns the folder of real files. Without it there is nothing to test by.
func samples(t testing.TB) string {
	dir := os.Getenv("GANTRY_SAMPLES")
	if dir == "" {
		if os.Getenv("CI") != "" {
			t.Fatal("GANTRY_SAMPLES is not set: CI needs the folder of sample files")
		}
		t.Skip("GANTRY_SAMPLES IS NOT SET: no real file was read by this test")
	}
	return dir
}

// TestSamplesRoundTrip decodes every real file and encodes it under its own syntax: the
// bytes must come out again.
func TestSamplesRoundTrip(t *testing.T) {
	read := 0
	eachSample(t, func(name string, f *part10.File) {
		read++
		checkRoundTrip(t, name, f)
	})
	if read < 660 {
		t.Errorf("%d files could be read, 660 could before", read)
	}
}

func checkRoundTrip(t *testing.T, name string, f *part10.File) {
	var want, got bytes.Buffer
	if s, _ := f.Syntax.SyntaxInfo(); s.Deflated {
		checkInflated(t, name, f)
		return
	}
	if _, err := want.ReadFrom(f.DataSetReader()); err != nil {
		t.Errorf("%s: %v", name, err)
	}
	if err := dicom.Encode(&got, f.DataSet, f.Syntax); err != nil {
		t.Errorf("%s: %v", name, err)
	}
	if !bytes.Equal(want.Bytes(), got.Bytes()) {
		t.Errorf("%s: %d bytes came out as %d (%s) %v", name, want.Len(), got.Len(), f.Syntax, f.DataSet.Flaws())
	}
}

// checkInflated compares what deflate hides: two encoders need not agree on its bytes.
func checkInflated(t *testing.T, name string, f *part10.File) {
	var again, got bytes.Buffer
	want, err := io.ReadAll(flate.NewReader(f.DataSetReader()))
	if err != nil {
		t.Errorf("%s: %v", name, err)
	}
	if err := dicom.Encode(&again, f.DataSet, f.Syntax); err != nil {
		t.Errorf("%s: %v", name, err)
	}
	if again.Len()%2 == 1 {
		t.Errorf("%s: odd deflated length", name)
	}
	if _, err := got.ReadFrom(flate.NewReader(&again)); err != nil || !bytes.Equal(want, got.Bytes()) {
		t.Errorf("%s: inflated data sets differ: %v", name, err)
	}
}

// TestSamplesTranscode lays out every native real data set in each of the three layouts
// and back; the element values must be the same.
func TestSamplesTranscode(t *testing.T) {
	tested := 0
	eachSample(t, func(name string, f *part10.File) {
		if px, ok := f.DataSet.Get(tag.PixelData); ok && px.IsEncapsulated() {
			return
		}
		tested++
		for _, s := range []uid.UID{uid.ImplicitVRLittleEndian, uid.ExplicitVRBigEndian, uid.ExplicitVRLittleEndian} {
			checkTranscode(t, name, f, s)
		}
	})
	if tested < 100 {
		t.Errorf("only %d native samples", tested)
	}
}

func checkTranscode(t *testing.T, name string, f *part10.File, s uid.UID) {
	b, err := dicom.AppendEncode(nil, f.DataSet, s)
	if err != nil {
		t.Errorf("%s to %s: %v", name, s.Name(), err)
		return
	}
	ds, err := dicom.DecodeBytes(b, dicom.DecodeOptions{Syntax: s})
	if err != nil {
		t.Errorf("%s to %s: %v", name, s.Name(), err)
		return
	}
	skip := unknowns(f.DataSet)
	if want, got := listing(f.DataSet, skip), listing(ds, skip); want != got {
		t.Errorf("%s to %s: differs\n%s", name, s.Name(), firstDifference(want, got))
	}
}

// listing prints every element of the tree with its values, without what a change of
// layout changes: VR, byte order, padding, group lengths.
func listing(ds *dicom.DataSet, skip map[tag.Tag]bool) string {
	var b strings.Builder
	for p, e := range ds.Walk() {
		if e.Tag.IsGroupLength() || skip[e.Tag] || inUnknown(p) {
			continue
		}
		fmt.Fprintf(&b, "%v %v ", p, e.Tag)
		switch {
		case e.IsSequence():
			fmt.Fprintf(&b, "%d items", e.ItemCount())
		case e.VR.IsText():
			fmt.Fprintf(&b, "%q", e.Texts())
		case e.VR == vr.OB || e.VR == vr.OW:
			fmt.Fprintf(&b, "%d words", (e.Len()+1)/2)
		default:
			fmt.Fprintf(&b, "%d words", e.Len()/2)
			if e.Count() < 100 && dict.ChoiceOf(e.Tag) != dict.USOrOW {
				fmt.Fprintf(&b, " %q", e.Texts())
			}
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// unknowns are the tags whose VR Implicit VR forgets or makes up.
func unknowns(ds *dicom.DataSet) map[tag.Tag]bool {
	skip := map[tag.Tag]bool{}
	for _, e := range ds.Walk() {
		if e.VR == vr.UN || e.Tag.IsPrivate() || dict.VROf(e.Tag).IsText() != e.VR.IsText() {
			skip[e.Tag] = true
		}
	}
	return skip
}

// inUnknown reports whether a path leads through something whose VR Implicit VR forgets.
func inUnknown(p dicom.Path) bool {
	for _, s := range p {
		if s.Tag.IsPrivate() {
			return true
		}
	}
	return false
}

func firstDifference(want, got string) string {
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range min(len(w), len(g)) {
		if w[i] != g[i] {
			return "want " + w[i] + "\ngot  " + g[i]
		}
	}
	return fmt.Sprintf("want %d lines, got %d", len(w), len(g))
}

func eachSample(t *testing.T, check func(name string, f *part10.File)) {
	err := filepath.WalkDir(samples(t), func(name string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(name) == ".tsv" || filepath.Ext(name) == ".md" {
			return err
		}
		f, err := part10.Open(name, dicom.DecodeOptions{})
		if err != nil {
			t.Logf("refused: %v", err)
			return nil
		}
		defer f.Close()
		check(name, f)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
