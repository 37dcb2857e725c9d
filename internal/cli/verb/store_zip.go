package verb

import (
	"archive/zip"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"

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
	entries, z, err := entriesOf(name)
	if err != nil {
		return yield(source{name: name}, err)
	}
	if len(entries) > maxZipFiles {
		return yield(source{name: name}, fmt.Errorf("has %d files; at most %d are read", len(entries), maxZipFiles))
	}
	for _, e := range entries {
		if e.FileInfo().IsDir() || strings.EqualFold(e.FileInfo().Name(), "DICOMDIR") {
			continue
		}
		src := source{name: name + "/" + e.Name, zip: true, open: func(o dicom.DecodeOptions) (*part10.File, func(), error) { return z.unpack(e, o) }}
		if !yield(src, nil) {
			return false
		}
	}
	return true
}

// entriesOf reads the directory of a ZIP file, once: to read it takes longer the more files
// there are.
func entriesOf(name string) ([]*zip.File, *openedZip, error) {
	st, err := os.Stat(name)
	if err != nil {
		return nil, nil, withoutName(err)
	}
	z := &openedZip{name: name}
	if err := z.use(); err != nil {
		return nil, nil, err
	}
	defer z.drop()
	r, err := zip.NewReader(z, st.Size())
	if err != nil {
		return nil, nil, err
	}
	return r.File, z, nil
}

// openedZip is a ZIP file that is open as long as somebody uses it.
type openedZip struct {
	name  string
	mu    sync.Mutex
	users int
	f     *os.File
}

func (z *openedZip) use() (err error) {
	z.mu.Lock()
	defer z.mu.Unlock()
	if z.users == 0 {
		if z.f, err = os.Open(z.name); err != nil {
			return withoutName(err)
		}
	}
	z.users++
	return nil
}

func (z *openedZip) drop() {
	z.mu.Lock()
	defer z.mu.Unlock()
	if z.users--; z.users == 0 {
		z.f.Close()
	}
}

// ReadAt implements io.ReaderAt for those who use it.
func (z *openedZip) ReadAt(p []byte, off int64) (int, error) { return z.f.ReadAt(p, off) }

// unpack unpacks one file of a ZIP file to a temporary one.
func (z *openedZip) unpack(e *zip.File, o dicom.DecodeOptions) (*part10.File, func(), error) {
	tmp, err := os.CreateTemp("", "gantry-zip-*")
	if err != nil {
		return nil, nil, err
	}
	done := func() {
		tmp.Close()
		os.Remove(tmp.Name())
	}
	n, err := z.copyTo(tmp, e)
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

func (z *openedZip) copyTo(w io.Writer, e *zip.File) (int64, error) {
	if err := z.use(); err != nil {
		return 0, err
	}
	defer z.drop()
	r, err := e.Open()
	if err != nil {
		return 0, err
	}
	defer r.Close()
	n, err := io.Copy(w, io.LimitReader(r, maxZipEntry+1))
	if err == nil && n > maxZipEntry {
		err = fmt.Errorf("unpacks to more than %d bytes", int64(maxZipEntry))
	}
	return n, err
}
