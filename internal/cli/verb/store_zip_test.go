package verb

import (
	"archive/zip"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"gantry/dicom"
	"gantry/dicom/tag"
	"gantry/dicom/uid"
)

// TestZipIsReadByMany: the files of a ZIP file can be read at any time and side by side, and
// nothing stays open behind that. One that was replaced meanwhile gives errors.
func TestZipIsReadByMany(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "study.zip")
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	w := zip.NewWriter(f)
	for i := range 20 {
		b, err := os.ReadFile(dicomFile(t, dir, i))
		if err != nil {
			t.Fatal(err)
		}
		e, err := w.Create(fmt.Sprintf("d/%d", i))
		if err == nil {
			_, err = e.Write(b)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if w.Close() != nil || f.Close() != nil {
		t.Fatal("no ZIP file")
	}
	entries, z, err := entriesOf(name)
	if err != nil || len(entries) != 20 {
		t.Fatal(len(entries), err)
	}
	var all sync.WaitGroup
	for i, e := range entries {
		all.Go(func() {
			f, done, err := z.unpack(e, dicom.DecodeOptions{})
			if err != nil {
				t.Error(err)
				return
			}
			defer done()
			if got := f.DataSet.UID(tag.SOPInstanceUID); got != uid.UID(fmt.Sprint("1.2.3.", i)) {
				t.Errorf("file %d: %s", i, got)
			}
		})
	}
	all.Wait()
	if z.users != 0 || z.f.Close() == nil {
		t.Error("the ZIP file is still open")
	}
	if err := os.WriteFile(name, make([]byte, 5000), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := z.unpack(entries[3], dicom.DecodeOptions{}); err == nil {
		t.Error("read from another file")
	}
}
