package verb

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"

	"gantry/dicom/part10"
	"gantry/dicom/uid"
	"gantry/dimse"
	"gantry/service/storage"
	"gantry/service/verify"
)

// Folder keeps received objects as files, byte for byte as they come. It implements
// dimse.Storer.
type Folder struct {
	Dir         string
	MustExist   bool
	Naming      Naming
	StudyPrefix string
	Extension   string // default .dcm; "-" for none
	Twice       Twice  // what to do with a name that is there already
	Ignore      bool   // receive and keep nothing
	ByStudy     bool   // a folder for each study: StudyPrefix_UID
	Bare        bool   // the data set alone, without file meta information
	ISO9660     bool   // names that media take (PS3.10 8.2), for ByInstance and ByPatient

	kept       []func(context.Context, string, *dimse.Incoming) error // told of each new file
	room       func(study uid.UID) error                              // refuses what there is no room for
	fromCalled bool                                                   // the sender is the called side, as in C-GET

	files, bytes, failed, ignored atomic.Int64

	counting sync.Mutex
	counts   map[string]int // numbers given in each folder
	numbered map[string]int // of studies and series without a name
}

// Twice is what a Folder does with a second object of a name.
type Twice uint8

// The policies.
const (
	Keep    Twice = iota // the first stays, the second is answered with success
	Replace              // the second stays
	Reject               // the second is refused, 0111H
)

func (f *Folder) prepare() error {
	if f.MustExist {
		st, err := os.Stat(f.Dir)
		if err == nil && !st.IsDir() {
			err = fmt.Errorf("%s is no folder", f.Dir)
		}
		return err
	}
	return os.MkdirAll(f.Dir, 0o755)
}

// Store writes an object. No path comes from the wire: names are made of valid UIDs and
// dates only.
func (f *Folder) Store(ctx context.Context, in *dimse.Incoming) error {
	if f.Ignore {
		n, err := io.Copy(io.Discard, in.Body)
		f.ignored.Add(1)
		f.bytes.Add(n)
		return err
	}
	n, err := f.store(ctx, in)
	if err != nil {
		f.failed.Add(1)
		return err
	}
	f.files.Add(1)
	f.bytes.Add(n)
	return nil
}

func (f *Folder) store(ctx context.Context, in *dimse.Incoming) (int64, error) {
	if !in.Instance.Valid() {
		return 0, &dimse.StatusError{Status: dimse.UnableToProcess, Comment: "SOP Instance UID is not valid"}
	}
	tmp, err := os.CreateTemp(f.Dir, ".gantry-*")
	if err != nil {
		return 0, outOfResources(err)
	}
	defer func() {
		tmp.Close()
		os.Remove(tmp.Name())
	}()
	n, err := f.write(tmp, in)
	if err != nil {
		return 0, err
	}
	name, err := f.place(tmp, n, in)
	if err != nil {
		return 0, err
	}
	if err := firstError(tmp.Chmod(0o644), tmp.Sync(), tmp.Close()); err != nil {
		return 0, outOfResources(err)
	}
	fresh, err := f.keep(tmp.Name(), name)
	if err == nil { // also for one that was there: its sender may have had no answer
		err = f.syncFolders(name)
	}
	if err != nil || !fresh {
		return n, err
	}
	for _, told := range f.kept {
		if err := told(ctx, filepath.Join(f.Dir, name), in); err != nil {
			if f.Twice != Replace { // else what it replaced is gone already
				os.Remove(filepath.Join(f.Dir, name))
			}
			return n, &dimse.StatusError{Status: dimse.OutOfResources, Comment: "cannot index", Err: err}
		}
	}
	return n, nil
}

// outOfResources is what a sender is told when a disk fails.
func outOfResources(err error) error {
	return &dimse.StatusError{Status: dimse.OutOfResources, Comment: "cannot write", Err: err}
}

func (f *Folder) write(tmp *os.File, in *dimse.Incoming) (int64, error) {
	var head []byte
	if !f.Bare {
		source := in.Peer.Calling
		if f.fromCalled {
			source = in.Peer.Called
		}
		meta, err := part10.MetaInfo{Class: in.Class, Instance: in.Instance, Syntax: in.Syntax, SourceAE: string(source)}.Meta()
		if err == nil {
			head, err = part10.AppendHeader(nil, meta)
		}
		if err != nil {
			return 0, err
		}
	}
	if _, err := tmp.Write(head); err != nil {
		return 0, outOfResources(err)
	}
	n, err := io.Copy(tmp, in.Body)
	var path *os.PathError
	if errors.As(err, &path) {
		return 0, outOfResources(err)
	}
	return n + int64(len(head)), err
}

// keep gives a written file its name, and reports whether it did.
func (f *Folder) keep(tmp, name string) (bool, error) {
	name = filepath.Join(f.Dir, name)
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return false, outOfResources(err)
	}
	if f.Twice == Replace {
		if err := os.Rename(tmp, name); err != nil {
			return false, outOfResources(err)
		}
		return true, nil
	}
	err := os.Link(tmp, name)
	switch {
	case err == nil:
		return true, nil
	case !errors.Is(err, os.ErrExist):
		return withoutLinks(tmp, name)
	case f.Twice == Reject:
		return false, &dimse.StatusError{Status: dimse.DuplicateSOPInstance, Comment: "is there already"}
	}
	return false, nil
}

// syncFolders makes the name of a file survive a power cut, before success is answered.
func (f *Folder) syncFolders(name string) error {
	for dir := filepath.Dir(name); ; dir = filepath.Dir(dir) {
		if err := syncFolder(filepath.Join(f.Dir, dir)); err != nil {
			return outOfResources(err)
		}
		if dir == "." {
			return nil
		}
	}
}

// withoutLinks gives a file its name where the file system has no hard links.
func withoutLinks(tmp, name string) (bool, error) {
	if _, err := os.Lstat(name); err == nil {
		return false, nil
	}
	if err := os.Rename(tmp, name); err != nil {
		return false, outOfResources(err)
	}
	return true, nil
}

// receiver answers C-STORE and C-ECHO.
func receiver(st dimse.Storer) *dimse.ServeMux {
	mux := new(dimse.ServeMux)
	verify.Register(mux)
	storage.Register(mux, st)
	return mux
}

// quietLog is the log of a server inside of a tool.
func quietLog(s *Stdio, l Level) *slog.Logger {
	level := slog.LevelWarn
	switch l {
	case Quiet:
		level = slog.LevelError + 1
	case Verbose:
		level = slog.LevelInfo
	case Debug:
		level = slog.LevelDebug
	}
	return slog.New(slog.NewTextHandler(s.Err, &slog.HandlerOptions{Level: level}))
}
