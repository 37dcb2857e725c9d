package dcmxml

import (
	"bytes"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"gantry/dicom"
	"gantry/dicom/dcmjson/model"
	"gantry/dicom/part10"
)

var update = flag.Bool("update", false, "write the table of differences anew")

const (
	dcm2xml   = "/usr/bin/dcm2xml"
	tableName = "testdata/dcm2xml_differences.tsv"
	tableHead = "# Where a data set that was read from the XML of dcm2xml -nat 3.6.7 is not the one of the file: file, first difference.\n" +
		"# dcm2xml writes no digits enough to give every number back, decodes no character set, and drops what it takes for padding.\n"
)

// samples calls each with every real file that can be read.
func samples(t testing.TB, each func(name string, f *part10.File)) {
	dir := os.Getenv("GANTRY_SAMPLES")
	if dir == "" {
		if os.Getenv("CI") != "" {
			t.Fatal("CI needs GANTRY_SAMPLES")
		}
		t.Skip("NO REAL FILE WAS READ: GANTRY_SAMPLES is not set")
	}
	n := 0
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		f, err := part10.Open(name, dicom.DecodeOptions{})
		if err != nil {
			return nil
		}
		defer f.Close()
		n++
		each(strings.TrimPrefix(name, dir+"/"), f)
		return nil
	})
	if err != nil || n < 500 {
		t.Fatalf("%d files, %v", n, err)
	}
}

func truncated(ds *dicom.DataSet) bool {
	return slices.ContainsFunc(ds.Flaws(), func(f dicom.Flaw) bool { return f.Kind == dicom.FlawTruncated })
}

// TestRoundTrip writes every real file as XML and reads it again.
func TestRoundTrip(t *testing.T) {
	samples(t, func(name string, f *part10.File) {
		if f.Size() > 2<<20 || strings.HasSuffix(name, "/xa_minimal.dcm") { // with text that is none
			return // TestRoundTrip of package dcmjson has the same bytes
		}
		var b bytes.Buffer
		if err := Encode(&b, f.DataSet, EncodeOptions{}); err != nil {
			if !truncated(f.DataSet) {
				t.Errorf("%s: %v", name, err)
			}
			return
		}
		_, again, err := Decode(&b, DecodeOptions{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			return
		}
		if d := model.Difference(f.DataSet, again); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	})
}

// TestDcm2xml reads what dcm2xml makes of real files: of a quarter of them, which takes
// seconds, or of all with GANTRY_LONG.
func TestDcm2xml(t *testing.T) {
	if _, err := os.Stat(dcm2xml); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skipf("NOTHING WAS COMPARED: %v", err)
	}
	var names []string
	n := 0
	samples(t, func(name string, f *part10.File) {
		if n++; f.Size() < 400<<10 && (n%4 == 0 || *update || os.Getenv("GANTRY_LONG") != "") {
			names = append(names, name)
		}
	})
	found, compared := map[string]string{}, 0
	var mu sync.Mutex
	var wait sync.WaitGroup
	for half := range 2 {
		wait.Go(func() {
			for i := half; i < len(names); i += 2 {
				d, ok := throughDcm2xml(names[i])
				mu.Lock()
				if ok {
					compared++
				}
				if d != "" {
					found[names[i]] = d
				}
				mu.Unlock()
			}
		})
	}
	wait.Wait()
	if compared < len(names)/2 {
		t.Errorf("%d of %d compared", compared, len(names))
	}
	checkTable(t, names, found)
}

// binaries are left out of the comparison: dcm2xml writes words in big endian.
var binaries = regexp.MustCompile(`<InlineBinary>[^<]*</InlineBinary>`)

// throughDcm2xml tells how a file differs when dcm2xml wrote it and we read it.
func throughDcm2xml(name string) (string, bool) {
	path := filepath.Join(os.Getenv("GANTRY_SAMPLES"), name)
	doc, err := exec.Command(dcm2xml, "-q", "-nat", "+Eb", "+M", path).Output()
	if err != nil || len(doc) == 0 {
		return "", false
	}
	f, err := part10.Open(path, dicom.DecodeOptions{})
	if err != nil {
		return "", false
	}
	defer f.Close()
	var own bytes.Buffer
	if err := Encode(&own, f.DataSet, EncodeOptions{}); err != nil {
		return "", false
	}
	_, ours, err := Decode(bytes.NewReader(binaries.ReplaceAll(own.Bytes(), nil)), DecodeOptions{})
	if err != nil {
		return err.Error(), true
	}
	_, ds, err := Decode(bytes.NewReader(binaries.ReplaceAll(doc, nil)), DecodeOptions{})
	if err != nil {
		return err.Error(), true
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' {
			return ' '
		}
		return r
	}, fmt.Sprintf("%.120s", model.Difference(ours, ds))), true
}

func checkTable(t *testing.T, names []string, found map[string]string) {
	if *update {
		var b strings.Builder
		b.WriteString(tableHead)
		for _, name := range slices.Sorted(maps.Keys(found)) {
			fmt.Fprintf(&b, "%s\t%s\n", name, found[name])
		}
		if err := os.WriteFile(tableName, []byte(b.String()), 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	b, err := os.ReadFile(tableName)
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]string{}
	for line := range strings.Lines(string(b)) {
		if name, why, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "\t"); ok {
			known[name] = why
		}
	}
	for _, name := range names {
		if found[name] != known[name] {
			t.Errorf("%s: %q, the table says %q", name, found[name], known[name])
		}
	}
}
