package dcmjson

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gantry/dicom"
	"gantry/dicom/dcmjson/model"
	"gantry/dicom/part10"
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

// TestRoundTrip writes every real file as JSON and reads it again.
func TestRoundTrip(t *testing.T) {
	samples(t, func(name string, f *part10.File) {
		var b bytes.Buffer
		if err := Encode(&b, f.DataSet, EncodeOptions{}); err != nil {
			if !truncated(f.DataSet) {
				t.Errorf("%s: %v", name, err)
			}
			return
		}
		if !json.Valid(b.Bytes()) {
			t.Errorf("%s: no JSON", name)
		}
		again, err := Decode(&b, DecodeOptions{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			return
		}
		if where := model.Difference(f.DataSet, again); where != "" {
			t.Errorf("%s: %s", name, where)
		}
	})
}

func truncated(ds *dicom.DataSet) bool {
	for _, f := range ds.Flaws() {
		if f.Kind == dicom.FlawTruncated {
			return true
		}
	}
	return false
}
