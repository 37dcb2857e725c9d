package pixel

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"gantry/dicom"
	"gantry/dicom/part10"
	"gantry/pixel/internal/codectest"
)

var update = flag.Bool("update", false, "write the golden files anew")

// samples lists the real files, with what GDCM says of the pixels of each.
func samples(t testing.TB) (names, want []string) {
	t.Helper()
	dir := os.Getenv("GANTRY_SAMPLES")
	if dir == "" {
		if os.Getenv("CI") != "" {
			t.Fatal("GANTRY_SAMPLES IS NOT SET")
		}
		t.Skip("GANTRY_SAMPLES IS NOT SET: no real file was read by this test")
	}
	list, err := os.ReadFile(filepath.Join(dir, "MANIFEST.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(list)) {
		if col := strings.Split(line, "\t"); len(col) > 19 && col[0] != "path" {
			names, want = append(names, col[0]), append(want, col[19])
		}
	}
	return names, want
}

func openSample(name string) (*part10.File, error) {
	return part10.Open(codectest.SamplePath(name), dicom.DecodeOptions{OnFlaw: func(dicom.Flaw) error { return nil }})
}

// decodeAll returns all frames of an object, one behind the other.
func decodeAll(t testing.TB, s *Source) (px []byte, first Decoded, err error) {
	for i := range s.Len() {
		raw, err := s.Frame(t.Context(), i, nil)
		if err != nil {
			return px, first, err
		}
		var d Decoded
		if px, d, err = s.Decode(i, raw, px); err != nil {
			return px, first, err
		}
		if i == 0 {
			first = d
		}
	}
	return px, first, nil
}

func sum(px []byte) string {
	h := sha256.Sum256(px)
	return hex.EncodeToString(h[:])[:32]
}

// coverage decodes a real file and says what came of it.
func coverage(t testing.TB, name, gdcm string) string {
	f, err := openSample(name)
	if err != nil {
		return "refused\t" + clean(err)
	}
	defer f.Close()
	s, err := Frames(f.DataSet, f.Syntax, Limits{})
	if errors.Is(err, ErrNoPixels) {
		return "no pixels\t"
	}
	if err != nil {
		return "refused\t" + clean(err)
	}
	px, d, err := decodeAll(t, s)
	if err != nil {
		return "refused\t" + clean(err)
	}
	var flaws []string
	for _, f := range s.Flaws() {
		flaws = append(flaws, f.Error())
	}
	return compared(t, name, gdcm, s, px, d) + "\t" + strings.Join(flaws, "; ")
}

// TestSamples decodes every frame of every real file and compares with GDCM, DCMTK,
// OpenJPEG, libjpeg or libjxl. The golden table has a row for each: exact, within a tolerance where
// the syntax is lossy, or refused with the reason.
func TestSamples(t *testing.T) {
	names, want := samples(t)
	for _, p := range []string{"dcmconv", "dcmdrle", "dcmdjpeg", "dcmdjpls", "opj_decompress", "djpeg", "djxl"} {
		codectest.Tool(t, "/usr/bin/"+p)
	}
	rows := make([]string, len(names))
	var wg sync.WaitGroup
	next := make(chan int)
	for range 2 {
		wg.Go(func() {
			for i := range next {
				rows[i] = names[i] + "\t" + coverage(t, names[i], want[i]) + "\n"
			}
		})
	}
	for i := range names {
		next <- i
	}
	close(next)
	wg.Wait()
	golden := filepath.Join("testdata", "coverage.tsv")
	if *update {
		if err := os.WriteFile(golden, []byte(strings.Join(rows, "")), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	before, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for line := range strings.Lines(string(before)) {
		known[line] = true
	}
	for _, row := range rows {
		if !known[row] {
			t.Errorf("changed; go test -update if it is right: %s", row)
		}
		if strings.Contains(row, "UNDECIDED") {
			t.Errorf("neither right nor refused: %s", row)
		}
	}
	if len(known) != len(rows) {
		t.Errorf("%d samples, the table has %d", len(rows), len(known))
	}
}
