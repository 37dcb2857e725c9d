package verb

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"gantry/dicom"
	"gantry/dicom/dicomdir"
	"gantry/dicom/part10"
	"gantry/dicom/tag"
	"gantry/dimse"
)

// Media says how a DICOMDIR is made (PS3.10 chapter 8).
type Media struct {
	Directory   bool // whether it is
	PatientKeys []string
	StudyKeys   []string
	SeriesKeys  []string
	ImageKeys   []string // further keys of the records: Keyword or Keyword:type
}

// extra parses the further keys.
func (m *Media) extra() (map[string][]dicomdir.Key, error) {
	out := map[string][]dicomdir.Key{}
	for kind, keys := range map[string][]string{"PATIENT": m.PatientKeys, "STUDY": m.StudyKeys, "SERIES": m.SeriesKeys, "IMAGE": m.ImageKeys} {
		for _, s := range keys {
			k, err := dicomdir.ParseKey(s)
			if err != nil {
				return nil, Fail(Usage, "%w", err)
			}
			out[kind] = append(out[kind], k)
		}
	}
	return out, nil
}

// collect notes the files that a folder receives, and returns what tells them.
func (m *Media) collect(f *Folder) func() []string {
	var mu sync.Mutex
	var names []string
	if m.Directory {
		f.kept = append(f.kept, func(_ context.Context, name string, _ *dimse.Incoming) error {
			mu.Lock()
			defer mu.Unlock()
			names = append(names, name)
			return nil
		})
	}
	return func() []string {
		mu.Lock()
		defer mu.Unlock()
		return names
	}
}

// write makes the DICOMDIR of files below dir. Values that records must have and objects
// lack are made up, and names that are not allowed on media are told of.
func (m *Media) write(ctx context.Context, c *Common, s *Stdio, dir string, files []string) error {
	extra, err := m.extra()
	if err != nil {
		return err
	}
	b := &dicomdir.Builder{Extra: extra, Invent: true, LooseFileIDs: true}
	failed := 0
	for _, name := range files {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err := addTo(b, c, s, dir, name); err != nil {
			c.says(s, Normal, "%s: %v", name, err)
			failed++
		}
	}
	if b.Len() == 0 {
		return Fail(NoInput, "DICOMDIR: no file to refer to")
	}
	if err := writeWhole(filepath.Join(dir, "DICOMDIR"), b); err != nil {
		return Fail(Output, "%w", err)
	}
	c.says(s, Verbose, "%s: %d files", filepath.Join(dir, "DICOMDIR"), b.Len())
	if failed > 0 {
		return Ended(Partial)
	}
	return nil
}

func addTo(b *dicomdir.Builder, c *Common, s *Stdio, dir, name string) error {
	name, err := filepath.Abs(name)
	if err != nil {
		return err
	}
	rel, err := filepath.Rel(dir, name)
	if err != nil || !filepath.IsLocal(rel) {
		return fmt.Errorf("is not below %s", dir)
	}
	id, err := dicomdir.ParseFileID(rel)
	if err != nil {
		c.says(s, Normal, "%v: some readers will not find it", err)
	}
	f, err := part10.Open(name, dicom.DecodeOptions{Until: tag.PixelData})
	if err != nil {
		return err
	}
	defer f.Close()
	return b.Add(id, f.Syntax, f.DataSet)
}

// writeWhole puts a directory in its place when it is all there.
func writeWhole(name string, b *dicomdir.Builder) error {
	tmp, err := os.CreateTemp(filepath.Dir(name), ".gantry-*")
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	err = b.Write(tmp)
	if err := firstError(err, tmp.Chmod(0o644), tmp.Sync(), tmp.Close()); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), name)
}

// DICOMDIR makes the directory of files that are there.
type DICOMDIR struct {
	Common
	Inputs []string // files and folders, with all that is below
	Dir    string   // where the DICOMDIR goes; all files must be below it
	Media
}

// Run does it.
func (o *DICOMDIR) Run(ctx context.Context, s *Stdio) error {
	if _, err := o.extra(); err != nil {
		return err
	}
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return Fail(Usage, "%w", err)
	}
	files, err := dicomFiles(o.Inputs)
	if err != nil {
		return err
	}
	for _, name := range files {
		if rel, err := filepath.Rel(dir, name); err != nil || !filepath.IsLocal(rel) {
			return Fail(Usage, "%s: all files must be below %s", name, dir)
		}
	}
	return o.write(ctx, &o.Common, s, dir, files)
}

// dicomFiles are the absolute names of what is named; in folders, of what is a DICOM file.
func dicomFiles(inputs []string) ([]string, error) {
	var out []string
	for _, in := range inputs {
		abs, err := filepath.Abs(in)
		if err != nil {
			return nil, Fail(Usage, "%w", err)
		}
		st, err := os.Stat(abs)
		switch {
		case err != nil:
			return nil, Fail(NoInput, "%w", err)
		case !st.IsDir():
			out = append(out, abs)
			continue
		}
		err = filepath.WalkDir(abs, func(name string, d fs.DirEntry, err error) error {
			if err == nil && d.Type().IsRegular() && !strings.EqualFold(d.Name(), "DICOMDIR") && isDICOM(name) {
				out = append(out, name)
			}
			return err
		})
		if err != nil {
			return nil, Fail(NoInput, "%w", err)
		}
	}
	return out, nil
}

func isDICOM(name string) bool {
	f, err := part10.Open(name, dicom.DecodeOptions{Until: tag.StudyDate})
	if err != nil {
		return false
	}
	defer f.Close()
	return true
}
