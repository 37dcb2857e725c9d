package verb

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"gantry/dicom"
	"gantry/dicom/part10"
)

// Limits of what comes out of a ZIP file.
const (
	maxZipFiles = 1_000_000
	maxZipEntry = 16 << 30
)

// zipped yields the files in a ZIP file.
func zipped(name string, yield func(source, error) bool) bool {
	z, err := zip.OpenReader(name)
	if err != nil {
		return yield(source{name: name}, err)
	}
	entries := z.File
	z.Close()
	if len(entries) > maxZipFiles {
		return yield(source{name: name}, fmt.Errorf("has %d files; at most %d are read", len(entries), maxZipFiles))
	}
	for i, e := range entries {
		if e.FileInfo().IsDir() || strings.EqualFold(e.FileInfo().Name(), "DICOMDIR") {
			continue
		}
		src := source{name: name + "/" + e.Name, zip: true, open: func(o dicom.DecodeOptions) (*part10.File, func(), error) { return openZipped(name, i, o) }}
		if !yield(src, nil) {
			return false
		}
	}
	return true
}

// openZipped unpacks one file of a ZIP file to a temporary one.
func openZipped(name string, i int, o dicom.DecodeOptions) (*part10.File, func(), error) {
	z, err := zip.OpenReader(name)
	if err != nil {
		return nil, nil, err
	}
	defer z.Close()
	if i >= len(z.File) {
		return nil, nil, errors.New("the ZIP file changed while it was read")
	}
	r, err := z.File[i].Open()
	if err != nil {
		return nil, nil, err
	}
	defer r.Close()
	tmp, err := os.CreateTemp("", "gantry-zip-*")
	if err != nil {
		return nil, nil, err
	}
	done := func() {
		tmp.Close()
		os.Remove(tmp.Name())
	}
	n, err := io.Copy(tmp, io.LimitReader(r, maxZipEntry+1))
	if err == nil && n > maxZipEntry {
		err = fmt.Errorf("unpacks to more than %d bytes", int64(maxZipEntry))
	}
	if err != nil {
		done()
		return nil, nil, err
	}
	f, err := part10.NewFile(tmp, n, o)
	if err != nil {
		done()
		return nil, nil, err
	}
	return f, done, nil
}
