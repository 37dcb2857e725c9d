package verb

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strings"

	"gantry/dicom"
	"gantry/dicom/dicomdir"
	"gantry/dicom/part10"
	"gantry/dicom/tag"
	"gantry/dicom/uid"
)

// Sources are the inputs of a verb that takes any number of objects.
type Sources struct {
	Inputs  []string // files, folders, DICOMDIRs, ZIP files; "-" is a list of names on standard input
	Folders bool     // folders may be named
	Recurse bool     // with all that is below them
	Pattern string   // what names in folders must match, * and ?; empty for all
	ReadDir bool     // inputs are DICOMDIRs, whatever they are called
}

// source is a place that an object may be read from.
type source struct {
	name string
	open func(dicom.DecodeOptions) (*part10.File, func(), error)
	zip  bool
}

// fileSource is a file in the file system.
func fileSource(name string) source {
	return source{name: name, open: func(o dicom.DecodeOptions) (*part10.File, func(), error) {
		f, err := part10.Open(name, o)
		if err != nil {
			return nil, nil, err
		}
		return f, func() { f.Close() }, nil
	}}
}

// sources yields what the inputs stand for. An error goes with the name it is about.
func (o *Sources) all(s *Stdio) iter.Seq2[source, error] {
	return func(yield func(source, error) bool) {
		for _, in := range o.Inputs {
			if in == "-" {
				if !o.listed(s.In, yield) {
					return
				}
				continue
			}
			for _, name := range globbed(in) {
				if !o.named(name, yield) {
					return
				}
			}
		}
	}
}

// globbed expands a pattern that the shell did not.
func globbed(name string) []string {
	if _, err := os.Lstat(name); err != nil && strings.ContainsAny(name, "*?[") {
		if found, err := filepath.Glob(name); err == nil && len(found) > 0 {
			return found
		}
	}
	return []string{name}
}

// maxListLine bounds a name on standard input.
const maxListLine = 64 << 10

// listed reads names, one a line.
func (o *Sources) listed(r io.Reader, yield func(source, error) bool) bool {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxListLine)
	for lines.Scan() {
		if name := strings.TrimRight(lines.Text(), "\r"); name != "" && !o.named(name, yield) {
			return false
		}
	}
	if err := lines.Err(); err != nil {
		return yield(source{name: "standard input"}, err)
	}
	return true
}

// named yields what one name stands for.
func (o *Sources) named(name string, yield func(source, error) bool) bool {
	st, err := os.Stat(name)
	switch {
	case err != nil:
		return yield(source{name: name}, withoutName(err))
	case st.IsDir() && !o.Folders:
		return yield(source{name: name}, errors.New("is a folder"))
	case st.IsDir():
		return o.folder(name, yield)
	case strings.EqualFold(filepath.Ext(name), ".zip"):
		return zipped(name, yield)
	case o.ReadDir || strings.EqualFold(filepath.Base(name), "DICOMDIR"):
		return directory(name, yield)
	}
	return yield(fileSource(name), nil)
}

func withoutName(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}

// folder yields the regular files in a folder. Links are not followed. A DICOMDIR in it is
// left out: its files are there anyway.
func (o *Sources) folder(root string, yield func(source, error) bool) bool {
	more := true
	filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			more = yield(source{name: name}, withoutName(err))
		case d.IsDir() && name != root && !o.Recurse:
			return fs.SkipDir
		case !d.Type().IsRegular() || strings.EqualFold(d.Name(), "DICOMDIR") || !o.matches(d.Name()):
			return nil
		default:
			more = yield(fileSource(name), nil)
		}
		if !more {
			return fs.SkipAll
		}
		return nil
	})
	return more
}

// matches reports whether a file in a folder is wanted.
func (o *Sources) matches(name string) bool {
	if o.Pattern == "" {
		return true
	}
	ok, err := filepath.Match(o.Pattern, name)
	return ok && err == nil
}

// directory yields the files that a DICOMDIR refers to (PS3.3 F.3), which lie below it.
func directory(name string, yield func(source, error) bool) bool {
	d, err := dicomdir.Open(name)
	if err != nil {
		return yield(source{name: name}, err)
	}
	none := true
	for r := range d.Files() {
		none = false
		if !dicomdir.IsLocal(r.FileID) {
			if !yield(source{name: name}, fmt.Errorf("refers to %q, which is outside of its folder", filepath.Join(r.FileID...))) {
				return false
			}
			continue
		}
		if !yield(fileSource(below(filepath.Dir(name), r.FileID)), nil) {
			return false
		}
	}
	if none {
		return yield(source{name: name}, errors.New("refers to no file"))
	}
	return true
}

// below is the file of an ID. Names on media are upper case; file systems that tell cases
// apart may have them in lower case.
func below(dir string, id []string) string {
	name := filepath.Join(append([]string{dir}, id...)...)
	if _, err := os.Stat(name); err == nil {
		return name
	}
	lower := filepath.Join(dir, strings.ToLower(filepath.Join(id...)))
	if _, err := os.Stat(lower); err == nil {
		return lower
	}
	return name
}

// sending is an object to send.
type sending struct {
	source
	class, instance, syntax uid.UID
}

// inspect reads what an object is.
func (o *Store) inspect(src source) (sending, error) {
	f, done, err := src.open(dicom.DecodeOptions{})
	if err != nil {
		return sending{}, err
	}
	defer done()
	out := sending{source: src, class: f.DataSet.UID(tag.SOPClassUID), instance: f.DataSet.UID(tag.SOPInstanceUID), syntax: f.Syntax}
	switch {
	case o.OnlyFiles && !f.HasPreamble:
		return out, errors.New("is no DICOM file: it has no file meta information")
	case out.class == "" || out.instance == "":
		return out, errors.New("has no SOP Class UID or no SOP Instance UID")
	}
	return out, nil
}

// rename appends what became of a file to its name, if that is wanted.
func (o *Store) rename(s *Stdio, src source, extension string) {
	if !o.Rename || src.zip || src.open == nil {
		return
	}
	if err := os.Rename(src.name, src.name+extension); err != nil {
		o.says(s, Normal, "%v", err)
	}
}
