package verb

import (
	"context"
	"fmt"
	"hash/fnv"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"

	"gantry/dicom"
	"gantry/dicom/part10"
	"gantry/dicom/tag"
	"gantry/internal/archive/blob"
	"gantry/internal/archive/index"
	"gantry/internal/archive/index/memory"
	"gantry/internal/archive/index/sqlite"
	"gantry/internal/archive/record"
)

// catalog is an index of files that lie where they are. Its references are their names.
type catalog struct {
	index.Index
	mu      sync.Mutex    // Commit has one caller at a time
	changes atomic.Uint64 // so many were committed
}

// openCatalog opens the index in a file, or one in memory when name is empty. The index of
// an archive is refused: what is written here does not belong there.
func openCatalog(ctx context.Context, name string) (*catalog, error) {
	if name == "" {
		return &catalog{Index: new(memory.Index)}, nil
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return nil, err
	}
	x, err := sqlite.Open(ctx, name, sqlite.Options{})
	if err != nil {
		return nil, err
	}
	st, err := x.State(ctx)
	if err == nil && !st.Applied.IsZero() {
		err = fmt.Errorf("%s is the index of an archive", name)
	}
	if err != nil {
		x.Close()
		return nil, err
	}
	return &catalog{Index: x}, nil
}

func (c *catalog) close() error { return c.Index.Close() }

// add takes a file in, again if it changed. A second one of a SOP Instance UID is left out.
func (c *catalog) add(ctx context.Context, name string) error {
	e, err := entryOf(name)
	if err != nil {
		return err
	}
	return c.put(ctx, e)
}

// put takes an entry in.
func (c *catalog) put(ctx context.Context, e index.Entry) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	have, err := c.Versions(ctx, e.Envelope.Instance)
	if err != nil {
		return err
	}
	if len(have) > 0 {
		if have[0].Ref != e.Stored.Ref {
			return fmt.Errorf("has the SOP Instance UID of %s", have[0].Ref)
		}
		if have[0].Record == e.Envelope.ID {
			return nil
		}
		e.Envelope.Number = have[0].Version + 1
	}
	out, err := c.Commit(ctx, []index.Entry{e})
	if err != nil {
		return err
	}
	c.changes.Add(1)
	return out[0].Problem
}

// Feed implements dimsefront.Searcher: it grows by every change.
func (c *catalog) Feed() uint64 { return c.changes.Load() }

// entryOf makes the index entry of a file.
func entryOf(name string) (index.Entry, error) {
	name, err := filepath.Abs(name)
	if err != nil {
		return index.Entry{}, err
	}
	st, err := os.Stat(name)
	if err != nil {
		return index.Entry{}, err
	}
	f, err := part10.Open(name, dicom.DecodeOptions{Until: tag.PixelData})
	if err != nil {
		return index.Entry{}, err
	}
	defer f.Close()
	ds := f.DataSet
	hash := fnv.New64a()
	io.WriteString(hash, name)
	env := record.Envelope{V: record.Version, Kind: record.File, Received: st.ModTime().UTC(), Syntax: f.Syntax, Number: 1, Current: true,
		ID:    record.ID(fmt.Sprintf("%012x%012x", st.ModTime().UnixMilli()&0xFFFFFFFFFFFF, hash.Sum64()&0xFFFFFFFFFFFF)),
		Class: ds.UID(tag.SOPClassUID), Instance: ds.UID(tag.SOPInstanceUID), Study: ds.UID(tag.StudyInstanceUID), Series: ds.UID(tag.SeriesInstanceUID),
		PatientID: ds.Text(tag.PatientID), Issuer: ds.Text(tag.IssuerOfPatientID), StudyDate: ds.Text(tag.StudyDate)}
	if !env.Class.Valid() || !env.Instance.Valid() || !env.Study.Valid() || !env.Series.Valid() {
		return index.Entry{}, fmt.Errorf("has no valid SOP Class, SOP Instance, Study Instance or Series Instance UID")
	}
	stored := record.Stored{Ref: record.Ref(name), Sums: record.Sums{Head: f.DataSetOffset, Data: f.Size() - f.DataSetOffset}}
	return index.EntryOf(ds, env, stored)
}

// scan takes in the files below a folder whose names look like DICOM's: *.dcm, *.DCM, and
// those without an extension.
func (c *catalog) scan(ctx context.Context, dir string, each func(name string, err error)) error {
	return walkFiles(ctx, dir, func(name string, err error) {
		if err == nil {
			err = c.add(ctx, name)
		}
		each(name, err)
	})
}

// walkFiles calls each for the files that scan takes in.
func walkFiles(ctx context.Context, dir string, each func(name string, err error)) error {
	return filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			each(name, err)
			return nil
		case !d.Type().IsRegular() || strings.HasPrefix(d.Name(), "."):
			return nil
		}
		if ext := filepath.Ext(name); ext == "" || strings.EqualFold(ext, ".dcm") || keepOnly(ext[1:], isDigit) == ext[1:] {
			each(name, nil)
		}
		return nil
	})
}

// Open implements dimsefront.Objects.
func (c *catalog) Open(_ context.Context, ref record.Ref) (blob.Object, error) {
	f, err := os.Open(string(ref))
	if err != nil {
		return nil, err
	}
	st, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, err
	}
	return &fileObject{f, st.Size()}, nil
}

// fileObject is a file as blob.Object.
type fileObject struct {
	*os.File
	size int64
}

// Size implements blob.Object.
func (f *fileObject) Size() int64 { return f.size }

// Head implements blob.Object; the index knows it.
func (f *fileObject) Head() int64 { return 0 }

// Section implements blob.Object.
func (f *fileObject) Section(ctx context.Context, off, n int64) io.ReadCloser {
	return blob.Section(ctx, f.File, off, n)
}
