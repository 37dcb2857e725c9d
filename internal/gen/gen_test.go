package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"gantry/dicom/uid"
)

// TestGeneratedUpToDate fails when a committed table is not what the inputs make.
func TestGeneratedUpToDate(t *testing.T) {
	files, err := generate()
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range files {
		got, err := os.ReadFile(filepath.Join("..", "..", name))
		if err != nil {
			t.Error(err)
			continue
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s is not up to date: run go generate ./internal/gen", name)
		}
	}
}

func TestMaskedHome(t *testing.T) {
	rows, err := elements()
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]uint32{
		"RowsForNthOrderCoefficients": 0x00280410, // (0028,0400) is Transform Label
		"OverlayData":                 0x60003000,
		"SourceImageIDs":              0x00203100,
		"ZonalMap":                    0x10100000,
		"PatientName":                 0x00100010,
	}
	for _, e := range rows {
		if home, ok := want[e.keyword]; ok {
			if e.home != home {
				t.Errorf("%s: home %08X, want %08X", e.keyword, e.home, home)
			}
			delete(want, e.keyword)
		}
	}
	for keyword := range want {
		t.Errorf("%s missing", keyword)
	}
}

// TestUIDFacts compares the packed table with its input, the order of the kinds included.
func TestUIDFacts(t *testing.T) {
	rows, err := uids()
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows {
		info, ok := uid.Lookup(uid.UID(row.uid))
		if !ok || info.Kind.String() != row.kind || info.Name != row.name ||
			info.Keyword != row.keyword || info.Retired != row.retired {
			t.Errorf("%v: %+v", row, info)
		}
	}
}
